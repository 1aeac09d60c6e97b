"""Over HTTP and on the pages: a short field that screening stops is kept with a reason, for one component only (T15, T32)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.journeys.client import Person
from tests.support import eventually

pytestmark = pytest.mark.parametrize("system", ["embedded"], indirect=True, scope="module")
REASON = "It is the name of the position."


@pytest.fixture(scope="module")
def amina(system: Any) -> Person:
    """A contributor of ICE."""
    return Person(system.base).sign_in(system.account("ICE", "contributor"))


@pytest.fixture(scope="module")
def chloe(system: Any) -> Person:
    """A contributor of the Private Sector Office."""
    return Person(system.base).sign_in(system.account("PSO", "contributor"))


def notes(person: Person, individual_id: str) -> list[tuple[str, bool]]:
    """Return the notes that a user sees, and whether each is kept."""
    return sorted((note["text"], note["kept"]) for note in person.get(f"/individuals/{individual_id}/notes")["items"])


def sent(person: Person, method: str, path: str, body: dict[str, Any]) -> Any:
    """Send a body with the headers that it needs."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    if method == "PATCH":
        headers["If-Match"] = person.ask("GET", path).headers["ETag"]
    return person.ask(method, path, json=body, headers=headers)


@pytest.mark.requirement("T15", "T32", "R41")
def test_who_is_entered_with_a_reason_has_the_title_in_a_note_of_the_component_alone(amina: Person, chloe: Person) -> None:
    body = {"last_name": f"Keptgard{uuid.uuid4().hex[:6]}", "title": "Catholic Chaplain", "interests": ["Ports", "He is a devout Catholic"]}
    refused = sent(amina, "POST", "/individuals", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "text-needs-review")
    assert refused.json()["errors"].keys() == {"title", "interests.1"}
    entered = sent(amina, "POST", "/individuals", {**body, "keep_reason": REASON})
    assert entered.status_code == 201
    person = entered.json()
    assert (person["title"], person["interests"]) == (None, ["Ports"])
    assert amina.get(f"/individuals/{person['id']}") == person
    assert notes(amina, person["id"]) == [("Interest: He is a devout Catholic", True), ("Title: Catholic Chaplain", True)]
    assert notes(chloe, person["id"]) == []
    for value in ("Chaplain", "devout"):
        assert value not in chloe.ask("GET", f"/individuals/{person['id']}").text
        assert chloe.get("/stakeholders", q=value)["items"] == []


@pytest.mark.requirement("T15", "T32", "R111")
def test_who_is_changed_with_a_reason_has_it_in_a_note_and_the_former_title_is_previous(amina: Person, chloe: Person) -> None:
    person = amina.post("/individuals", {"last_name": f"Keptgard{uuid.uuid4().hex[:6]}", "title": "Director"})
    path = f"/individuals/{person['id']}"
    assert sent(amina, "PATCH", path, {"title": "Catholic Chaplain"}).json()["code"] == "text-needs-review"
    changed = sent(amina, "PATCH", path, {"title": "Catholic Chaplain", "state": "NM", "keep_reason": REASON}).json()
    assert (changed["title"], changed["state"], [one["title"] for one in changed["previous"]]) == (None, "NM", ["Director"])
    assert notes(amina, person["id"]) == [("Title: Catholic Chaplain", True)]
    assert notes(chloe, person["id"]) == []


@pytest.mark.requirement("T15", "T32")
@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"last_name": "Levi 202-555-0143"}, "last_name"),
        ({"organization": "Basin 202-555-0143"}, "organization"),
        ({"title": "Catholic Chaplain", "keep_reason": "Call 202-555-0143"}, "keep_reason"),
    ],
)
def test_names_are_everybody_s_and_the_reason_is_read_too(amina: Person, more: dict[str, str], field: str) -> None:
    answer = sent(amina, "POST", "/individuals", {"last_name": "Levi", "keep_reason": REASON, **more})
    assert (answer.status_code, answer.json()["code"]) == (422, "text-needs-review")
    assert field in answer.json()["errors"]


@pytest.mark.requirement("T15", "T32", "T30")
def test_what_screening_stopped_in_a_row_is_kept_row_by_row_and_goes_with_the_import(amina: Person, chloe: Person) -> None:
    family = f"Keptgard{uuid.uuid4().hex[:6]}"
    content = (
        "First name,Last name,Title,Interests,Notes,State,Company\n"
        f'Ann,{family},Catholic Chaplain,"Ports; He is a devout Catholic",Call 202-555-0143,Atlantis,Basin {family}\n'
        f"Bo,{family},Director,,Met once.,NM,Basin {family}\n"
    )
    done = amina.take_in("kept.csv", content.encode())
    assert done["counts"] == {"create": 2}
    ann, bo = amina.every(f"/imports/{done['id']}/rows")
    assert {each["column"] for each in ann["refused"]} == {"Title", "Interests", "Notes", "State"}
    assert notes(amina, ann["individual_id"]) == []
    row = f"/imports/{done['id']}/rows/{ann['n']}"
    assert amina.get(row)["keepable"] == ["Title", "Interests", "Notes"]
    assert chloe.ask("GET", row).status_code == 404
    for body in ({"decision": "keep"}, {"decision": "skip", "keep_reason": REASON}):
        assert sent(amina, "POST", f"{row}/decision", body).status_code == 422
    assert sent(amina, "POST", f"{row}/decision", {"decision": "keep", "keep_reason": "Call 202-555-0143"}).json()["code"] == "text-needs-review"
    kept = sent(amina, "POST", f"{row}/decision", {"decision": "keep", "keep_reason": REASON})
    assert kept.status_code == 200
    assert [each["column"] for each in kept.json()["refused"]] == ["State"], "what is no text of hers is still to be mended"
    said = [("Call 202-555-0143", True), ("Interest: He is a devout Catholic", True), ("Title: Catholic Chaplain", True)]
    assert notes(amina, ann["individual_id"]) == said
    assert notes(chloe, ann["individual_id"]) == []
    assert amina.get(f"/individuals/{ann['individual_id']}")["title"] is None
    for n in (ann["n"], bo["n"]):
        again = sent(amina, "POST", f"/imports/{done['id']}/rows/{n}/decision", {"decision": "keep", "keep_reason": REASON})
        assert (again.status_code, again.json()["code"]) == (409, "nothing-to-keep")
    amina.post(f"/imports/{done['id']}/undo", expect=202)
    eventually(lambda: amina.get(f"/imports/{done['id']}")["state"] == "undone", seconds=60)
    gone = amina.ask("GET", f"/individuals/{ann['individual_id']}")
    assert gone.status_code in {404, 410}, "what was kept of the row is no work with her: she goes with the import"
