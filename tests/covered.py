"""Measure branch coverage of `services` and `gateway`: `pytest -p tests.covered`, as `make test` does.

SlipCover puts probes into the code as it is imported: it costs some seconds at the start and 3 to 10 % of processor time
after it. coverage.py, which traces before Python 3.12, took 2.6 times as much. The figure is printed and decides nothing.
Migrations are left out, and child processes are not measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[1]
_SOURCES = [str(_ROOT / "services"), str(_ROOT / "gateway")]
_OMITTED = [str(_ROOT / "services" / "*" / "migrations" / "*"), str(_ROOT / "services" / "chassis" / "testing" / "*")]
#: Files with less than this are listed.
_ENOUGH = 90.0
_MEASURING = pytest.StashKey[Any]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before `tests/conftest.py` imports anything of the product."""
    import slipcover

    # Probes stay after they were hit: SlipCover takes them out by replacing code while tests run, which holds up the event
    # loop, whose stalls some tests measure.
    measuring = slipcover.Slipcover(branch=True, source=_SOURCES, omit=_OMITTED, d_miss_threshold=-1)
    slipcover.ImportManager(measuring, slipcover.FileMatcher(sources=_SOURCES, omit=_OMITTED)).__enter__()
    early_config.stash[_MEASURING] = measuring


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the figures of this run."""
    terminalreporter.section("branch coverage")
    for line in summary(config.stash[_MEASURING].get_coverage()["files"]):
        terminalreporter.write_line(line)


def summary(files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the share of lines and branches that ran, by service and together, and then each file with too little."""
    parts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, file in files.items():
        ran = len(file["executed_lines"]) + len(file["executed_branches"])
        there_are = ran + len(file["missing_lines"]) + len(file["missing_branches"])
        folder = Path(name).parent
        part = str(Path(*folder.parts[: 2 if folder.parts[0] == "services" else 1]))
        for each in (part, "together"):
            parts[each][0] += ran
            parts[each][1] += there_are
    yield from (f"{part:<24}{100 * ran / there_are:6.1f} %" for part, (ran, there_are) in sorted(parts.items()) if there_are)
    yield f"Files with less than {_ENOUGH:.0f} %:"
    for name, file in sorted(files.items()):
        if file["summary"]["percent_covered"] < _ENOUGH:
            yield f"  {name:<54}{file['summary']['percent_covered']:6.1f} %"
