"""Undoing an import over HTTP: its people disappear from every service, and texts that name them stay (N16, T27)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.journeys.client import Person
from tests.support import eventually


@pytest.fixture(scope="module")
def people(system: Any) -> dict[str, Person]:
    """An importer, a colleague, somebody of another component, and the privacy officer."""
    return {
        "amina": Person(system.base).sign_in(system.account("ICE", "contributor", 1)),
        "bruno": Person(system.base).sign_in(system.account("ICE", "contributor")),
        "chloe": Person(system.base).sign_in(system.account("PSO", "contributor")),
        "farid": Person(system.base).sign_in(system.account(role="privacy_officer")),
    }


def test_who_goes_with_an_import_goes_everywhere_and_whom_somebody_used_stays_by_name(people: dict[str, Person]) -> None:
    amina, bruno, chloe, farid = people.values()
    family = f"Undone{''.join(chr(ord('a') + int(digit, 16)) for digit in uuid.uuid4().hex[:8])}"
    given = ("Asked", "Met", "Named", "Noted", "Changed", "Alone")
    rows = "".join(f"{name},{family},{name.lower()}.{family.lower()}@example.org,{family} Company\n" for name in given)
    done = amina.take_in("people.csv", f"First name,Last name,E-mail,Organization\n{rows}".encode())
    path = f"/imports/{done['id']}"
    entered = {row["row"]: row["individual_id"] for row in amina.get(f"{path}/rows")["items"]}
    who = dict(zip(given, (entered[number] for number in sorted(entered)), strict=True))
    assert [amina.get(f"/individuals/{one}")["first_name"] for one in who.values()] == list(given)

    # What another office asked, and a text that names somebody, know of the person in interactions alone.
    def coordination() -> dict[str, Any] | None:
        answer = chloe.ask("POST", "/coordination-requests", json={"individual_id": who["Asked"], "message": "May we write to them?"})
        return dict(answer.json()) if answer.status_code == 201 else None

    asked = eventually(coordination, seconds=30, why="interactions knows them")
    issue = chloe.post("/issues", {"name": f"{family} levees", "priority": "immigration"})["id"]
    written = f"Named {family} is said to have built it."
    update = chloe.post(f"/issues/{issue}/updates", {"kind": "policy", "text": written})
    talk = {"held_at": datetime.now(UTC).isoformat(), "mode": "phone", "individual_ids": [who["Met"]], "outcome": "Told of the guidance."}
    chloe.post("/interactions", talk)
    eventually(lambda: amina.get(f"/individuals/{who['Met']}")["last_contact"], seconds=30, why="contacts heard of the talk")
    chloe.post(f"/individuals/{who['Noted']}/notes", {"text": "Prefers mornings."})
    tag = bruno.ask("GET", f"/individuals/{who['Changed']}").headers["ETag"]
    bruno.ask("PATCH", f"/individuals/{who['Changed']}", expect=200, headers={"If-Match": tag}, json={"title": "Engineer"})

    amina.post(f"{path}/undo", expect=202)
    undone = eventually(lambda: (now := amina.get(path))["state"] == "undone" and now, seconds=60, why="it is taken back")
    assert undone["progress"]["done"] == undone["progress"]["of"] > 0
    gone, stayed = ("Asked", "Named", "Alone"), {who["Met"], who["Noted"], who["Changed"]}
    for name in gone:
        amina.ask("GET", f"/individuals/{who[name]}", expect=404)
    # Each who stayed is named by their row; of the others the rows know nobody.
    assert {row["individual_id"] for row in amina.get(f"{path}/rows")["items"]} == {None, *stayed}
    assert {item["id"] for item in amina.get("/stakeholders", q=family, type="individual")["items"]} == stayed

    # The request is gone with the person, and who asked is told; nothing in interactions bears their id any more.
    eventually(lambda: chloe.ask("GET", f"/coordination-requests/{asked['id']}").status_code == 404, seconds=30, why="interactions heard of it")
    assert [task["kind"] for task in chloe.get("/tasks", limit=200)["items"] if task["subject"]["id"] == asked["id"]] == [
        "coordination-request-erased"
    ]
    again = {"held_at": datetime.now(UTC).isoformat(), "mode": "phone", "individual_ids": [who["Alone"]]}
    assert chloe.ask("POST", "/interactions", json=again).status_code in {404, 422}

    # The name in somebody's text stays, and waits for nobody: the import was the mistake, not the text.
    (kept,) = [each for each in chloe.get(f"/issues/{issue}/updates")["items"] if each["id"] == update["id"]]
    assert kept["text"] == written
    about = set(who.values())
    assert not [task for task in farid.get("/tasks", limit=200)["items"] if task["subject"]["id"] in about]
    # They may be entered again: nothing was written into the suppression ledger.
    assert amina.post("/individuals", {"first_name": "Alone", "last_name": family, "contact_points": []})["id"] not in about
