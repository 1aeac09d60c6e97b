"""The report of coverage adds up, and lists what has too little."""

from __future__ import annotations

from typing import Any

from tests.covered import summary


def _file(ran: int, missed: int) -> dict[str, Any]:
    return {
        "executed_lines": list(range(ran)),
        "missing_lines": list(range(missed)),
        "executed_branches": [],
        "missing_branches": [],
        "summary": {"percent_covered": 100 * ran / (ran + missed)},
    }


def test_services_are_counted_apart_and_together_and_poor_files_are_listed() -> None:
    files = {"services/audit/a.py": _file(1, 3), "services/audit/b.py": _file(9, 1), "gateway/pages/c.py": _file(6, 0)}
    assert [line.split() for line in summary(files)] == [
        ["gateway", "100.0", "%"],
        ["services/audit", "71.4", "%"],
        ["together", "80.0", "%"],
        ["Files", "with", "less", "than", "90", "%:"],
        ["services/audit/a.py", "25.0", "%"],
    ]
