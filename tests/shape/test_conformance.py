"""The conformance page matches the tests' marks."""

from __future__ import annotations

import re

from deploy.conformance import ROOT, Requirement, read_requirements, render

MARK = re.compile(r"pytest\.mark\.requirement\(([^)]*)\)")


def test_every_mark_names_a_requirement_that_there_is() -> None:
    known = {requirement.number for requirement in read_requirements()}
    for file in (ROOT / "tests").rglob("test_*.py"):
        for mark in MARK.finditer(file.read_text()):
            numbers = set(re.findall(r"\"(\w+)\"", mark[1]))
            assert numbers <= known, f"{file}: {numbers - known}"


def test_the_requirements_are_numbered_without_a_gap() -> None:
    numbers = [requirement.number for requirement in read_requirements()]
    assert numbers == [*(f"R{n}" for n in range(1, 194)), *(f"T{n}" for n in range(1, 38)), *(f"N{n}" for n in range(1, 18))]


def test_a_requirement_without_a_test_is_told_as_such() -> None:
    page = render(
        [Requirement("R1", "Abs", "An online database"), Requirement("R2", "Ov", "System owners")],
        {"R1": ["tests/unit/test_x.py::test_it_is_online"]},
    )
    assert "**1 of 2** requirements" in page
    assert "| R1 | Abs | An online database | [it is online](../tests/unit/test_x.py) |" in page
    assert "| R2 | Ov | System owners | **not yet** |" in page


def test_lock_files_hold_hashes_and_no_address_of_a_registry() -> None:
    for name in ("runtime", "dev"):
        lock = (ROOT / "requirements" / f"{name}.txt").read_text()
        assert "--hash=sha256:" in lock
        assert not re.search(r"://|--\w*index|--find-links", lock)
