"""The ASVS 5.0 table has every requirement of levels 1 and 2, and names only files and tests that exist (P25)."""

from __future__ import annotations

import re

import pytest

from deploy.conformance import ROOT

pytestmark = pytest.mark.row("P25")

PAGE = ROOT / "docs" / "asvs.md"
STATES = {"yes", "partly", "no", "none here"}
#: The numbers of the requirements by section, those of level 1 with a star; the text is the standard's.
NUMBERS = """
1.1: 1 2
1.2: 1* 2* 3* 4* 5* 6 7 8 9
1.3: 1* 2* 3 4 5 6 7 8 9 10 11
1.4: 1 2 3
1.5: 1* 2
2.1: 1* 2 3
2.2: 1* 2* 3
2.3: 1* 2 3 4
2.4: 1
3.2: 1* 2*
3.3: 1* 2 3 4
3.4: 1* 2* 3 4 5 6
3.5: 1* 2* 3* 4 5
3.7: 1 2
4.1: 1* 2 3
4.2: 1
4.3: 1 2
4.4: 1* 2 3 4
5.1: 1
5.2: 1* 2* 3
5.3: 1* 2*
5.4: 1 2 3
6.1: 1* 2 3
6.2: 1* 2* 3* 4* 5* 6* 7* 8* 9 10 11 12
6.3: 1* 2* 3 4
6.4: 1* 2* 3 4
6.5: 1 2 3 4 5
6.6: 1 2 3
6.8: 1 2 3 4
7.1: 1 2 3
7.2: 1* 2* 3* 4*
7.3: 1 2
7.4: 1* 2* 3 4 5
7.5: 1 2
7.6: 1 2
8.1: 1* 2
8.2: 1* 2* 3
8.3: 1*
8.4: 1
9.1: 1* 2* 3*
9.2: 1* 2 3 4
10.1: 1 2
10.2: 1 2
10.3: 1 2 3 4
10.4: 1* 2* 3* 4* 5* 6 7 8 9 10 11
10.5: 1 2 3 4 5
10.6: 1 2
10.7: 1 2 3
11.1: 1 2
11.2: 1 2 3
11.3: 1* 2* 3
11.4: 1* 2 3 4
11.5: 1
11.6: 1
12.1: 1* 2 3
12.2: 1* 2*
12.3: 1 2 3 4
13.1: 1
13.2: 1 2 3 4 5
13.3: 1 2
13.4: 1* 2 3 4 5
14.1: 1 2
14.2: 1* 2 3 4
14.3: 1* 2 3
15.1: 1* 2 3
15.2: 1* 2 3
15.3: 1* 2 3 4 5 6 7
16.1: 1
16.2: 1 2 3 4 5
16.3: 1 2 3 4
16.4: 1 2 3
16.5: 1 2 3
17.1: 1
17.2: 1 2 3 4
17.3: 1 2
"""
_ROW = re.compile(r"\| (\d+\.\d+\.\d+) \| ([12]) \| ([a-z ]+) \| (.+) \| (.*) \|")
_LINK = re.compile(r"\]\(\.\./([^)#]+)(?:#([^)]+))?\)")


def required() -> dict[str, str]:
    """Return number → level."""
    found = {}
    for line in NUMBERS.split("\n"):
        section, _, numbers = line.partition(": ")
        for number in numbers.split():
            found[f"{section}.{number.rstrip('*')}"] = "1" if number.endswith("*") else "2"
    return found


def rows() -> list[tuple[str, ...]]:
    """Return the rows of the table: number, level, state, words, where."""
    return [match.groups() for line in PAGE.read_text().splitlines() if (match := _ROW.fullmatch(line))]


@pytest.mark.requirement("R15")
def test_every_requirement_of_levels_one_and_two_has_its_row_and_a_state() -> None:
    table = rows()
    assert {number: level for number, level, *_ in table} == required()
    assert len(table) == len(required())
    assert {state for _, _, state, _, _ in table} <= STATES


def test_every_file_and_test_that_it_names_is_there() -> None:
    missing = []
    for number, _, state, _, where in rows():
        links = _LINK.findall(where)
        if state == "yes" and not links:
            missing.append(f"{number} says yes and names nothing")
        for file, test in links:
            path = ROOT / file
            if not path.exists() or (test and f"def {test}(" not in path.read_text()):
                missing.append(f"{number}: {file} {test}")
    assert missing == []


def test_the_summary_counts_the_rows() -> None:
    text = PAGE.read_text()
    for state in STATES:
        assert f"| {state} | {sum(each[2] == state for each in rows())} |" in text
