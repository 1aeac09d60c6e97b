"""What `make soak` says of the rows of the proof is so."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

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
