"""Files that nobody should have sent: each answers with its code and a sentence, and leaves nothing half done."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.journeys.client import Person
from tests.journeys.stories import DATA


@pytest.fixture(scope="module")
def amina(system: Any) -> Person:
    """A contributor of ICE, signed in."""
    return Person(system.base).sign_in(system.account("ICE", "contributor", 1))


def bomb() -> bytes:
    """Return a workbook whose only sheet unpacks to more than 100 MiB."""
    file = io.BytesIO()
    with zipfile.ZipFile(DATA / "district-offices.xlsx") as good, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bad:
        for entry in good.infolist():
            bad.writestr(entry.filename, b" " * (101 << 20) if "worksheets/sheet1" in entry.filename else good.read(entry))
    return file.getvalue()


@pytest.mark.requirement("R77", "R78", "R79")
@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("a.pdf", b"%PDF-1.4", 415, "file-type-unknown"),
        ("a.csv", b"Last name,First name\n", 422, "file-empty"),
        ("a.csv", b"Last name,LAST NAME\nLevi,Dov\n", 422, "duplicate-header"),
        ("a.csv", bytes(range(256)) * 9, 422, "not-text"),
        ("a.xlsx", b"no workbook at all", 422, "not-a-workbook"),
        ("a.vcf", b"no card", 422, "not-cards"),
        ("a.csv", b"Last name\n" + b"Levi\n" * 2001, 403, "import-for-stewards"),
        ("a.csv", b"Last name\n" + b"Levi\n" * 100_001, 413, "too-many-rows"),
    ],
)
def test_a_file_that_cannot_be_taken_in_is_refused_by_its_code(amina: Person, name: str, content: bytes, status: int, code: str) -> None:
    answer = amina.ask("POST", "/imports", expect=status, files={"file": (name, content)}).json()
    assert answer["code"] == code
    assert answer["detail"]
    latest = amina.get("/imports", limit=1)["items"][0]
    assert (latest["state"], latest["problem"]["code"]) == ("failed", code)


@pytest.mark.requirement("R77")
def test_a_bomb_and_a_file_beyond_ten_mebibytes_are_too_large(amina: Person) -> None:
    for name, content in (("a.xlsx", bomb()), ("a.csv", b"Last name\n" + b"x" * (11 << 20))):
        answer = amina.ask("POST", "/imports", expect=413, files={"file": (name, content)}).json()
        assert answer["code"] in {"file-unpacks-too-large", "file-too-large", "body-too-large"}


@pytest.mark.requirement("R78", "R80")
def test_a_list_in_latin_1_with_a_formula_is_text(amina: Person) -> None:
    content = "Last name;First name;Organization;Phone\nGarcía;Begoña;=HYPERLINK(1);not a phone\n".encode("latin-1")
    started = amina.ask("POST", "/imports", expect=201, files={"file": ("liste.csv", content)}).json()
    assert started["state"] == "mapped"
    assert {m["column"]: m["field"] for m in started["mapping"]}["Phone"] == "work_phone"
    assert amina.ask("POST", f"/imports/{started['id']}/commit", expect=409).json()["code"] == "import-state"
    assert amina.ask("POST", f"/imports/{started['id']}/cancel", expect=202).json()["state"] == "cancelled"
