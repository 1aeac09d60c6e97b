"""Generate the conformance page, with the tests of each requirement, from the tests' marks."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "docs" / "requirements.csv"
PAGE = ROOT / "docs" / "conformance.md"
PARTS = (("Requirements of the Privacy Impact Assessment", "R"), ("Decisions where it is silent", "T"), ("Beyond it", "N"))
#: The prefix of each printed mark.
_SIGN = "requirement-mark"


class NotCollected(Exception):
    """The tests could not be collected; the message is pytest's output."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement: from the PIA (R), a decision where the PIA is silent (T), or beyond the PIA (N)."""

    number: str
    section: str
    text: str


def read_requirements(file: Path = REQUIREMENTS) -> list[Requirement]:
    """Return all requirements in the order of their numbers."""
    with file.open(newline="") as rows:
        return [Requirement(row["number"], row["pia_section"], row["requirement"]) for row in csv.DictReader(rows)]


def collect(tests: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Collect, without running them, the tests of each requirement, as `file::test`.

    :raises NotCollected: a test file cannot be imported.
    """
    # In a separate process, because importing the tests patches sockets for good.
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "deploy.conformance", str(tests)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if collected.returncode != 0:
        raise NotCollected(collected.stdout[-3000:] + collected.stderr[-1000:])
    proofs: dict[str, list[str]] = {}
    for line in collected.stdout.splitlines():
        if line.startswith(_SIGN):
            _, number, test = line.split(" ", 2)
            known = proofs.setdefault(number, [])
            if test not in known:
                known.append(test)
    return proofs


def pytest_collection_modifyitems(items: Iterable[object]) -> None:
    """Print the marks of the collected tests; this module is the pytest plugin of `collect`."""
    for item in items:
        test = item.nodeid.partition("[")[0]  # type: ignore[attr-defined]  # a pytest item
        for mark in item.iter_markers("requirement"):  # type: ignore[attr-defined]  # a pytest item
            for number in mark.args:
                print(f"\n{_SIGN} {number} {test}", end="")  # noqa: T201 - read by `collect`
    print()  # noqa: T201 - ends the last of them


def render(requirements: Iterable[Requirement], proofs: Mapping[str, list[str]]) -> str:
    """Return the page."""
    rows = list(requirements)
    stated = [row for row in rows if row.number.startswith("R")]
    proven = sum(row.number in proofs for row in stated)
    others = [row for row in rows if row not in stated]
    lines = [
        "# Conformance",
        "",
        "Made by `liaison conformance` from the `requirement` marks of the tests; nobody writes it by hand. A requirement",
        "without a test may be met or not: nothing shows it yet.",
        "",
        (
            f"**{proven} of {len(stated)}** requirements (R) have a test, and "
            f"**{sum(row.number in proofs for row in others)} of {len(others)}** decisions (T) and additions (N)."
        ),
        "",
    ]
    for title, letter in PARTS:
        lines += [f"## {title}", "", "| # | § | what | tests |", "|---|---|---|---|"]
        for row in rows:
            if row.number.startswith(letter):
                tests = "<br>".join(_link(test) for test in sorted(proofs.get(row.number, []))) or "**not yet**"
                lines.append(f"| {row.number} | {row.section} | {row.text.replace('|', '/')} | {tests} |")
        lines.append("")
    return "\n".join(lines)


def _link(test: str) -> str:
    file, _, name = test.partition("::")
    words = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    return f"[{words}](../{file})"


def write_or_check(page: Path, text: str, command: str, *, check: bool) -> bool:
    """Write a page that is made from the code, unless it is only to be checked; return whether it was written.

    :raises click.ClickException: with `check`, if the page is not what the code says.
    """
    if check and (not page.exists() or page.read_text() != text):
        raise click.ClickException(f"{page.relative_to(ROOT)} is not what the code says; run: {command}")
    if not check:
        page.write_text(text)
    return not check


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the page is not what the marks say.")
def conformance(*, check: bool) -> None:
    """Write docs/conformance.md: which requirements have a test, and which not yet."""
    requirements = read_requirements()
    try:
        proofs = collect()
    except NotCollected as failed:
        raise click.ClickException(str(failed)) from failed
    unknown = sorted(set(proofs) - {requirement.number for requirement in requirements})
    if unknown:
        raise click.ClickException(f"Tests are marked with requirements that there are not: {', '.join(unknown)}.")
    if not write_or_check(PAGE, render(requirements, proofs), "liaison conformance", check=check):
        return
    stated = [row for row in requirements if row.number.startswith("R")]
    missing = [row.number for row in stated if row.number not in proofs]
    click.echo(f"{len(stated) - len(missing)} of {len(stated)} requirements have a test. Not yet: {', '.join(missing) or 'none'}.")
