"""Harmful files: each gets a code and a sentence, and leaves nothing half done."""

from __future__ import annotations

import csv
import io
import uuid
import zipfile
from typing import Any

import pytest

from tests.journeys.client import Person
from tests.journeys.stories import DATA
from tests.support import eventually


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


@pytest.mark.requirement("R77", "R78", "R193")
def test_refused_rows_are_given_back_mended_and_taken_in(amina: Person, system: Any) -> None:
    family = f"Mended{uuid.uuid4().hex[:8]}"
    content = (
        "E-mail,Last name,Party,First name,Company,State,Cell\n"
        f"zelda@example.org,{family},Whig,Zelda,=1+1 Works,Atlantis,+1 512 555 0171\n"
        f"yosef@example.org,{family},Whig,Yosef,Beanery,TX,512-555-0172\n"
        f"nobody@example.org,{family},Whig,Ximena,Beanery,TX,call me,surplus\n"
    ).encode()
    done = amina.take_in("list.csv", content)
    # A cell that can't be kept is refused by itself; a row that has more cells than there are columns is refused whole.
    assert done["counts"] == {"create": 2, "invalid": 1}
    rows = {row["row"]: row for row in amina.every(f"/imports/{done['id']}/rows")}
    assert rows[2]["refused"] == [{"column": "State", "reason": "Not a state or territory of the United States."}]
    assert rows[3]["refused"] == []
    assert done["refused_rows_until"] > done["finished_at"]
    path = f"/imports/{done['id']}/rows.csv"
    for other in (("ICE", 0), ("PSO", 0)):
        Person(system.base).sign_in(system.account(other[0], "contributor", other[1])).ask("GET", path, expect=404)
    file = amina.ask("GET", path, expect=200).content
    lines = list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))
    assert lines[0] == ["E-mail", "Last name", "First name", "Company", "State", "Cell", "Not taken in because"]
    zelda, ximena = lines[1:]
    assert zelda[:-1] == ["zelda@example.org", family, "Zelda", "'=1+1 Works", "Atlantis", "'+1 512 555 0171"]
    assert zelda[-1] == "Row 2: State: Not a state or territory of the United States."
    assert ximena[:-1] == ["nobody@example.org", family, "Ximena", "Beanery", "TX", "call me"]
    assert "Whig" not in file.decode()
    # Only what is wrong is mended; the rest of the file is sent as it came.
    mended = file.replace(b"Atlantis", b"TX").replace(b"call me", b"512-555-0173")
    again = amina.take_in("rows.csv", mended)
    assert again["counts"] == {"create": 1, "update": 1}
    assert [column["column"] for column in again["refused_columns"]] == []
    (found,) = [person for person in amina.every("/individuals", state="TX") if person["last_name"] == family and person["first_name"] == "Zelda"]
    values = {point["kind"]: point["value"] for point in amina.get(f"/individuals/{found['id']}/contact-points")["items"]}
    assert values == {"email": "zelda@example.org", "cell": "512-555-0171"}
    amina.post(f"/imports/{done['id']}/undo", expect=202)
    eventually(lambda: amina.get(f"/imports/{done['id']}")["state"] == "undone", seconds=60)
    gone = list(csv.reader(io.StringIO(amina.ask("GET", path, expect=200).content.decode("utf-8-sig"))))
    assert [len(line) for line in gone] == [1, 1, 1]


@pytest.mark.requirement("R77", "R80")
def test_a_file_of_columns_that_nobody_knows_is_not_committed(amina: Person) -> None:
    started = amina.ask("POST", "/imports", expect=201, files={"file": ("list.csv", b"Alpha,Beta\n1,2\n")}).json()
    assert (started["state"], [m for m in started["mapping"] if m["field"]]) == ("uploaded", [])
    refused = amina.ask("POST", f"/imports/{started['id']}/dry-run", expect=422).json()
    assert (refused["code"], bool(refused["detail"])) == ("mapping-incomplete", True)
    assert amina.ask("POST", f"/imports/{started['id']}/cancel", expect=202).json()["state"] == "cancelled"
