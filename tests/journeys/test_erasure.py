"""The PIA's own example of a note, "relationships they have with other stakeholders", and what an erasure does to it (T27)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from requests import codes

from tests.journeys.client import Person
from tests.journeys.stories import assert_in_the_trail
from tests.support import eventually

HOPE = {
    "first_name": "Hope",
    "last_name": "Erasegard",
    "state": "TX",
    "contact_points": [{"kind": "email", "value": "hope.erasegard@gmail.com"}, {"kind": "cell", "value": "956-555-0177"}],
}


@pytest.fixture
def people(system: Any) -> dict[str, Person]:
    """Amina of ICE owns the records; Chloé of the Private Sector Office hears the request; Farid is the privacy officer."""
    return {
        "amina": Person(system.base).sign_in(system.account("ICE", "contributor")),
        "chloe": Person(system.base).sign_in(system.account("PSO", "contributor")),
        "farid": Person(system.base).sign_in(system.account(role="privacy_officer")),
        "edda": Person(system.base).sign_in(system.account(role="isso")),
    }


@pytest.mark.requirement("T27", "R165", "R166", "R36", "N3")
def test_a_mention_in_a_note_on_somebody_else_holds_up_nothing_of_the_person_and_is_decided(system: Any, people: dict[str, Person]) -> None:
    amina, chloe, farid, edda = (people[name] for name in ("amina", "chloe", "farid", "edda"))
    hope = amina.post("/individuals", HOPE)
    quincy = amina.post("/individuals", {"first_name": "Quincy", "last_name": "Notewell", "title": "Aide to Erasegard, Hope", "state": "TX"})
    path = f"/individuals/{quincy['id']}"
    note = amina.post(f"{path}/notes", {"text": "Hope Erasegard introduced us."})
    amina.post(f"{path}/notes", {"text": "Reach Hope's desk at 956-555-0177 or hope.erasegard@gmail.com.", "keep_reason": "He gave it to us"})
    other = amina.post(f"{path}/notes", {"text": "The other Hope Erasegard, of Ohio, is his aunt."})
    request = chloe.post("/no-contact-requests", {"individual_id": hope["id"], "medium": "phone", "received_on": _today()})
    erasing = amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)["erasure_id"]

    waiting = eventually(
        lambda: (e := amina.get(f"/erasures/{erasing}"))["state"] == "waiting_for_decision" and e, seconds=60, why="the privacy officer decides"
    )
    # Nothing of hers waits: the record is gone, and what matches alone is gone from the other texts.
    amina.ask("GET", f"/individuals/{hope['id']}", expect=404)
    amina.ask("GET", f"/individuals/{hope['id']}/contact-points", expect=404)
    texts = [each["text"] for each in amina.get(f"{path}/notes")["items"]]
    assert "Reach Hope's desk at [removed] or [removed]." in texts
    assert dt.date.fromisoformat(waiting["decide_by"]) > dt.datetime.now(dt.UTC).date()
    assert (waiting["hits"], waiting["undecided"]) == ([], None)
    again = chloe.ask("POST", "/individuals", expect=409, json={**HOPE, "first_name": "Somebody", "last_name": "Else"}).json()
    assert again["code"] == "blocked"

    [task] = [task for task in farid.get("/tasks")["items"] if task["subject"]["id"] == erasing]
    assert task["due_on"] == waiting["decide_by"]
    hits = {(hit["store"], hit["record_id"]): hit for hit in farid.get(f"/erasures/{erasing}/hits", undecided="true")["items"]}
    assert hits.keys() == {("contacts.notes", note["id"]), ("contacts.notes", other["id"]), ("contacts.individuals", quincy["id"])}
    assert hits["contacts.notes", other["id"]]["excerpts"] == [
        {"before": "The other ", "found": "Hope Erasegard", "after": ", of Ohio, is his aunt.", "kind": "name"}
    ]
    assert {hit["record_id"] for hit in farid.get(f"/erasures/{erasing}")["hits"]} == {note["id"], other["id"], quincy["id"]}
    meant, stays, title = (
        hits[place]["id"] for place in (("contacts.notes", note["id"]), ("contacts.notes", other["id"]), ("contacts.individuals", quincy["id"]))
    )
    for person in (amina, chloe, edda):
        answer = person.ask("POST", f"/erasures/{erasing}/decisions", expect=403, json={"hit_id": meant, "decision": "redact"}).json()
        assert answer["code"] in {"privacy-officer-only", "forbidden"}
        person.ask("GET", f"/erasures/{erasing}/hits", expect=403)
        person.ask("GET", "/erasures/sample", expect=403)
    unknown = farid.ask("POST", f"/erasures/{erasing}/decisions", expect=404, json={"hit_id": erasing, "decision": "redact"}).json()
    assert unknown["code"] == "hit-unknown"
    farid.ask("POST", f"/erasures/{erasing}/decisions", expect=422, json={"hit_id": meant, "decision": "maybe"})

    decided = {"decisions": [{"hit_id": meant, "decision": "redact"}, {"hit_id": title, "decision": "redact"}]}
    headers = {"Idempotency-Key": "decided-once"}
    for _ in range(2):
        farid.post(f"/erasures/{erasing}/decisions", decided, expect=200, headers=headers)
    farid.ask("POST", f"/erasures/{erasing}/decisions", expect=409, json={"hit_id": meant, "decision": "another_person"})
    farid.post(f"/erasures/{erasing}/decisions", {"hit_id": stays, "decision": "another_person"}, expect=200)
    done = eventually(lambda: (e := amina.get(f"/erasures/{erasing}"))["state"] == "done" and e, seconds=60, why="it ends with the last decision")
    assert (done["decide_by"], done["certificate"]["decided"]) == (None, [])
    whole = farid.get(f"/erasures/{erasing}")["certificate"]
    assert {receipt["left"] for receipt in whole["reached"]} == {0}
    for certificate in (whole, done["certificate"]):
        said = {name: value for name, value in certificate.items() if name != "sha256"}
        canonical = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        assert certificate["sha256"] == hashlib.sha256(canonical).hexdigest(), "of what is shown, and of nothing else"
    late = farid.ask("POST", f"/erasures/{erasing}/decisions", expect=409, json={"all": True, "decision": "redact"}).json()
    assert late["code"] == "erasure-not-waiting"
    texts = [each["text"] for each in amina.get(f"{path}/notes")["items"]]
    assert "[removed] introduced us." in texts
    assert "The other Hope Erasegard, of Ohio, is his aunt." in texts
    assert amina.get(path)["title"] == "Aide to [removed]"
    for words in ("Erasegard", "Hope"):
        assert amina.get("/stakeholders", q=words)["items"] == [], "a redacted title is not found by what it was"
    assert chloe.get(f"/no-contact-requests/{request['id']}")["state"] == "done"
    assert_in_the_trail(system, people.values(), ["Erasegard", "956-555-0177", "hope.erasegard", "introduced us", "Notewell"])


@pytest.mark.requirement("T27")
def test_a_text_that_is_edited_settles_its_hit_and_a_mistake_asks_the_same_questions(people: dict[str, Person]) -> None:
    amina, farid = people["amina"], people["farid"]
    person = amina.post("/individuals", {"first_name": "Wilhelmina", "last_name": "Typographer", "state": "TX"})
    other = amina.post("/individuals", {"first_name": "Quilla", "last_name": "Notewell", "state": "TX"})
    notes = f"/individuals/{other['id']}/notes"
    written = ("Wilhelmina Typographer came along.", "Typographer, Wilhelmina asked.")
    paths = [f"{notes}/{amina.post(notes, {'text': text})['id']}" for text in written]
    tag = amina.ask("GET", f"/individuals/{person['id']}", expect=200).headers["ETag"]
    answer = amina.ask("DELETE", f"/individuals/{person['id']}", expect=202, headers={"If-Match": tag}, json={"reason": "mistake"}).json()
    erasing = answer["erasure_id"]
    eventually(lambda: amina.get(f"/erasures/{erasing}")["state"] == "waiting_for_decision", seconds=60)
    amina.patch(paths[0], {"text": "Somebody came along."})
    tag = amina.ask("GET", paths[1], expect=200).headers["ETag"]
    amina.ask("DELETE", paths[1], expect=204, headers={"If-Match": tag})
    # Whoever looks, finds them settled; else the next look does within the hour.
    shown = farid.ask("GET", f"/erasures/{erasing}/hits", params={"undecided": "true"})
    assert shown.status_code == codes.ok
    eventually(lambda: amina.get(f"/erasures/{erasing}")["state"] == "done", seconds=60)


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
