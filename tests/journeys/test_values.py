"""Values over HTTP: typed values are stored clean, or refused with a sentence that does not repeat them (T30)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.journeys.client import Person

#: A walk over many values, not a story: what the bus carries does not change it, so one deployment is enough.
pytestmark = pytest.mark.parametrize("system", ["embedded"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def amina(system: Any) -> Person:
    """A contributor of ICE, signed in."""
    return Person(system.base).sign_in(system.account("ICE", "contributor", 1))


@pytest.fixture(scope="module")
def somebody(amina: Person) -> str:
    """The path of somebody's contact points."""
    person = amina.post("/individuals", {"first_name": "Vala", "last_name": f"Values{uuid.uuid4().hex[:8]}"})
    return f"/individuals/{person['id']}/contact-points"


@pytest.mark.requirement("R80", "T30")
@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("work_phone", "Tel: (202) 555-0142 ext 7", "202-555-0142 ext. 7"),
        ("cell", "202.555.0143 (cell)", "202-555-0143"),
        ("personal_phone", "+44 (0)20 7946 0000", "+44 20 7946 0000"),
        ("work_phone", "1-800-GO-FEMA-1", "800-463-3621"),
        ("email", "'Vala <SMTP:vala@EXAMPLE.org>,'", "vala@example.org"),
        ("email", "mailto:vala.v@example.org?subject=hello", "vala.v@example.org"),
    ],
)
def test_a_typed_value_is_kept_clean(amina: Person, somebody: str, kind: str, written: str, kept: str) -> None:
    assert amina.post(somebody, {"kind": kind, "value": written})["value"] == kept


@pytest.mark.requirement("R13", "R80", "T30")
@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("work_phone", "555-0129"),
        ("work_phone", "Fax 202-555-0149"),
        ("work_phone", "2O2-555-0149"),
        ("work_phone", "202-555-0149 (cell)"),
        ("cell", "000-000-0000"),
        ("cell", "416-555-0134"),
        ("cell", "202-555-0148; 202-555-0149"),
        ("cell", "pager 202-555-0149"),
        ("email", "vala@example"),
        ("email", "vala@gmail.con"),
        ("email", "vala@example.org; v2@example.org"),
        ("email", "vala@@example.org"),
    ],
)
def test_a_typed_value_that_cannot_be_is_refused_with_a_sentence(amina: Person, somebody: str, kind: str, written: str) -> None:
    def answers() -> list[dict[str, Any]]:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return [
            amina.ask("POST", somebody, expect=422, json={"kind": kind, "value": written}, headers=key).json(),
            amina.ask(
                "POST",
                "/individuals",
                expect=422,
                json={"last_name": f"Never{uuid.uuid4().hex[:8]}", "contact_points": [{"kind": kind, "value": written}]},
                headers={"Idempotency-Key": str(uuid.uuid4())},
            ).json(),
        ]

    for answer in answers():
        assert answer["code"] == "contact-point-invalid"
        (sentences,) = answer["errors"].values()
        assert sentences[0].endswith(".")
        assert written not in str(answer)


@pytest.mark.requirement("R21", "R22", "T30")
def test_an_office_s_telephone_and_zip_code_are_clean_or_refused_too(amina: Person) -> None:
    def office(phone: str, code: str, state: str) -> dict[str, Any]:
        return {"phone": phone, "address": {"street": "1 Main St", "city": "Austin", "state": state, "postal_code": code}}

    name = f"Values Trust {uuid.uuid4().hex[:8]}"
    for wrong in (office("555-0129", "78701", "TX"), office("202-555-0142", "78701", "NM"), office("fax 202-555-0142", "78701", "TX")):
        answer = amina.post("/organizations", {"name": name, "offices": [wrong]}, expect=422)
        assert answer["code"] == "contact-point-invalid"
    made = amina.post("/organizations", {"name": name, "offices": [office("Tel (202) 555-0142", "787011234", "TX")]})
    assert made["offices"][0]["phone"] == "202-555-0142"
    assert made["offices"][0]["address"]["postal_code"] == "78701-1234"


def rows_of(amina: Person, done: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the outcome of each row, by its number."""
    return {row["row"]: row for row in amina.every(f"/imports/{done['id']}/rows")}


@pytest.mark.requirement("R30", "R31", "R37", "T30")
def test_every_value_of_a_file_is_on_the_record_or_refused_in_its_row(amina: Person) -> None:
    family = f"Kept{uuid.uuid4().hex[:8]}"
    content = (
        "First Name,Last Name,Company,Organization phone,Home Phone,Home Phone 2,Business Phone,Mobile Phone,E-mail Address,State,Notes\n"
        f"Vala,{family},{family} Works,915-555-0110,915-555-0111,915-555-0112,555-0113,915-555-0114 (cell),"
        "a@kept.example.org; b@kept.example.org,Atlantis,Met in May\n"
    )
    done = amina.take_in("list.csv", content.encode())
    rows = rows_of(amina, done)
    assert done["counts"] == {"create": 1}
    assert {cell["column"] for cell in rows[2]["refused"]} == {"Business Phone", "State"}
    assert "555-0113" not in str(rows)
    person = rows[2]["individual_id"]
    held = {(point["kind"], point["value"]) for point in amina.get(f"/individuals/{person}/contact-points")["items"]}
    assert held == {
        ("personal_phone", "915-555-0111"),
        ("personal_phone", "915-555-0112"),
        ("cell", "915-555-0114"),
        ("email", "a@kept.example.org"),
        ("email", "b@kept.example.org"),
    }
    assert [note["text"] for note in amina.get(f"/individuals/{person}/notes")["items"]] == ["Met in May"]
    again = amina.take_in("list.csv", content.encode())
    same = rows_of(amina, again)
    assert (again["counts"], same[2]["individual_id"]) == ({"duplicate": 1}, person)
    assert len(amina.get(f"/individuals/{person}/notes")["items"]) == 1


@pytest.mark.requirement("T18", "T30", "R20")
def test_organizations_have_their_state_and_a_company_s_card_makes_no_person(amina: Person) -> None:
    name = f"Orgstat {uuid.uuid4().hex[:8]}"
    done = amina.take_in("list.csv", f"Organization,State,Company phone\n{name} Trust,MA,915-555-0115\n".encode())
    rows = rows_of(amina, done)
    made = amina.get(f"/organizations/{rows[2]['organization_id']}")
    assert (made["state"], made["offices"][0]["phone"], rows[2]["individual_id"]) == ("MA", "915-555-0115", None)
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nN:;;;;\r\nFN:{name} District\r\nORG:{name} District;\r\nX-ABShowAs:COMPANY\r\nEND:VCARD\r\n"
    done = amina.take_in("card.vcf", card.encode())
    rows = rows_of(amina, done)
    assert rows[1]["individual_id"] is None
    assert amina.get(f"/organizations/{rows[1]['organization_id']}")["name"] == f"{name} District"
