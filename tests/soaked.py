"""What `make soak` saw of each row of the proof, test by test: docs/soak.md, which such a run brings up to date itself."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "soak.md"
#: Longer lines of a test are cut.
_MOST = 500
#: What passes in fewer seconds shows here what it shows in `make test`.
_QUICK = 1.0
_HEAD = """# What the soak saw

Every test of a row of the proof, as it last ran at its full figure under `make soak`. The run writes its lines here itself:
what a test printed last, how long it took, when, and on what commit (`+`: with changes that no commit has). A test that has
no line was not run at its figure, or passed within a second, as it does in `make test`; nor is one recorded that ran with a
smaller figure from the environment.

| rows | test | ended | minutes | on | commit | what it said |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a test ended: one line of the page.

    :ivar rows: of the proof, with spaces between.
    :ivar minutes: how long it took on the clock.
    """

    rows: str
    test: str
    ended: str
    minutes: str
    on: str
    commit: str
    said: str


def seen(rows: str, test: str, ended: str, seconds: float, output: str) -> Seen:
    """Describe a test that has just ended.

    :param output: what it printed; its last line is kept.
    """
    said = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
    plain = said[:_MOST].replace("|", "¦")
    return Seen(rows, test.removeprefix("tests/"), ended, f"{seconds / 60:.2f}", datetime.now(UTC).date().isoformat(), _commit(), plain)


def lines(page: str) -> Iterator[Seen]:
    """Yield what a page tells."""
    for line in page.splitlines():
        if line.startswith("| P"):
            yield Seen(*(cell.strip() for cell in line.strip("|").split("|")))


def page_of(tests: list[Seen]) -> str:
    """Return a page, in the order of the rows."""
    ordered = sorted(tests, key=lambda one: (int(one.rows.split()[0].removeprefix("P")), one.test))
    return _HEAD + "".join(f"| {one.rows} | {one.test} | {one.ended} | {one.minutes} | {one.on} | {one.commit} | {one.said} |\n" for one in ordered)


def write(one: Seen, page: Path = PAGE) -> None:
    """Put a test's line in the place of the one before; other runs may write at the same time."""
    with _locked(page):
        others = [each for each in lines(page.read_text()) if each.test != one.test] if page.exists() else []
        told = one.ended != "passed" or float(one.minutes) * 60 >= _QUICK
        page.write_text(page_of([*others, one] if told else others))


@contextmanager
def _locked(page: Path) -> Iterator[None]:
    folder = os.open(page.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", ".", f":!{PAGE.relative_to(ROOT)}")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
