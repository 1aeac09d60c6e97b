"""What `make soak` prints about the rows of the proof is true."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from tests import soaked
from tests.rows import NO_TEST, ROWS, told

_TESTS = Path(__file__).parents[1]


def test_a_row_without_a_test_says_so_and_no_other_does() -> None:
    marked = {name for path in _TESTS.rglob("test_*.py") for name in re.findall(r'mark\.row\("(P\d+)"\)', path.read_text())}
    assert marked == {name for name, row in ROWS.items() if row.lacks != NO_TEST}
    assert list(ROWS) == [f"P{n}" for n in range(1, 29)]


def test_the_last_lines_tell_how_each_row_went() -> None:
    lines = list(told({"P7": Counter(passed=3, failed=1), "P15": Counter(passed=2)}))
    assert len(lines) == len(ROWS)
    assert "P7 tampering is detected: 1 failed, 3 passed" in lines
    assert any(line.startswith("P15 dead sessions: 2 passed (not shown: ") for line in lines)
    assert "P9 the speed of the trail: no test" in lines
    assert "P2 a remedy taken out is noticed: did not run" in lines


def test_what_a_soak_saw_stands_in_the_place_of_what_the_one_before_saw(tmp_path: Path) -> None:
    page = tmp_path / "soak.md"
    for ended, output in (("failed", "90 of 100\n"), ("passed", "noise\n100 of 100 | all\n\n")):
        soaked.write(soaked.seen("P14", "tests/proofs/test_a.py::test_b[c]", ended, 90.0, output), page)
        soaked.write(soaked.seen("P7 P16", "tests/proofs/test_a.py::test_a", ended, 6.0, ""), page)
        soaked.write(soaked.seen("P8", "tests/proofs/test_a.py::test_quick", ended, 0.1, ""), page)
    first, second = soaked.lines(page.read_text())
    assert (first.rows, first.ended, first.said) == ("P7 P16", "passed", "")
    assert (second.rows, second.test, second.ended, second.minutes, second.said) == (
        "P14",
        "proofs/test_a.py::test_b[c]",
        "passed",
        "1.50",
        "100 of 100 ¦ all",
    )


def test_what_a_soak_saw_are_tests_that_are_there() -> None:
    page = soaked.PAGE.read_text()
    found = list(soaked.lines(page))
    assert soaked.page_of(found) == page
    for one in found:
        file, _, name = one.test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (_TESTS / file).read_text(), one.test
        assert set(one.rows.split()) <= set(ROWS)
