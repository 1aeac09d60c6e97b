"""A component's own system: its submissions, their answers, and its announcements, over the in-process broker."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.chassis.messages import Caller, new_id
from services.chassis.transport.embedded import Broker, register
from services.contacts.contract.announcements import IndividualsImported
from services.contacts.contract.integrations import (
    LARGEST,
    SUBMISSION_LIVES_MS,
    IndividualSubmittedSchema,
    permissions,
    submissions_of,
    topology,
)
from services.contacts.contract.schemas.fields import Line
from services.contacts.service import integrations
from services.contacts.usecases import hits
from tests.cast import AMINA, BRUNO, CHLOE, DOV, FARID
from tests.integration.contacts.conftest import open_desk
from tests.integration.contacts.systems import Access, Running, a_name, a_person
from tests.integration.contacts.test_canaries import dumped
from tests.proofs.erased import Erased, found_in
from tests.support import Databases, eventually

ASYNCAPI = Path(__file__).parents[3] / "docs" / "asyncapi.yaml"


@pytest.fixture(scope="module")
def running(databases: Databases) -> Iterator[Running]:
    """Contacts with two components' systems."""
    register()
    broker = f"embedded://contacts-{new_id()[-12:]}"
    desks = open_desk(databases)
    running = Running(next(desks), lambda _: broker)
    yield running
    running.stop()
    for _ in desks:
        pass


@pytest.mark.requirement("T13", "R42", "R43", "R78")
def test_an_individual_is_accepted_with_its_id_and_belongs_to_the_named_contributor(running: Running) -> None:
    points = [{"kind": "cell", "value": DOV.cell}]
    reply = running.ice.answer(running.ice.submit(**a_person(contact_points=points)))
    assert reply["type"] == "individual.accepted"
    (row,) = running.rows("SELECT owner_id::text, owner_component FROM individuals WHERE id = :id", id=reply["data"]["individual_id"])
    assert tuple(row) == (AMINA.id, "ICE")
    assert running.desk.rows("SELECT count(*) FROM contact_points")[0][0] == 0, "the firewall stands: no component, no row"
    assert DOV.cell not in json.dumps(reply)


@pytest.mark.requirement("T13")
def test_the_same_message_twice_is_one_individual_and_the_same_answer(running: Running) -> None:
    person = a_person()
    event_id = running.ice.submit(**person)
    first = running.ice.answer(event_id)
    running.ice.submit(id=event_id, **person)
    assert running.ice.answer(event_id, nth=2)["data"] == first["data"]
    count = running.rows("SELECT count(*) FROM individuals WHERE last_name = :name", name=person["last_name"])[0][0]
    assert count == 1
    running.ice.submit(id=event_id, **a_person())
    assert running.ice.answer(event_id, nth=3)["data"]["code"] == "event-id-reused"
    # The same id of another component is another message.
    running.pso.submit(id=event_id, **a_person(owner="chloe"))
    assert running.pso.answer(event_id)["type"] == "individual.accepted"


@pytest.mark.requirement("T13", "T15", "R13", "R41")
@pytest.mark.parametrize(
    ("data", "code", "fields"),
    [
        ({"owner": "chloe"}, "owner-unsuitable", ["owner"]),
        ({"owner": "nobody"}, "owner-unsuitable", ["owner"]),
        ({"party": "x"}, "unknown-field", []),
        ({"deputy": new_id()}, "unknown-field", []),
        ({"state": "Atlantis"}, "invalid", ["state"]),
        ({"last_name": None}, "invalid", ["last_name"]),
        ({"contact_points": [{"kind": "cell", "value": "twelve"}]}, "contact-point-invalid", ["contact_points.0.value"]),
        ({"title": f"Call {DOV.cell}"}, "text-needs-review", ["title"]),
        ({"declined": ["cell"], "contact_points": [{"kind": "cell", "value": DOV.cell}]}, "declined", []),
    ],
)
def test_what_is_refused_is_answered_with_its_code_and_field_names_alone(
    running: Running, data: dict[str, Any], code: str, fields: list[str]
) -> None:
    person = a_person(**data)
    reply = running.ice.answer(running.ice.submit(**person))
    assert (reply["type"], reply["data"]["code"], reply["data"]["fields"]) == ("individual.refused", code, fields)
    assert reply["data"]["individual_id"] is None
    assert person["first_name"] not in json.dumps(reply)
    assert DOV.cell not in json.dumps(reply)


@pytest.mark.requirement("T13")
def test_bytes_that_are_no_message_are_answered_acknowledged_and_never_dead_lettered(running: Running) -> None:
    good = json.dumps({"specversion": "1.0", "id": "a", "source": "x", "type": "individual.submitted", "data": a_person()}).encode()
    cases: list[tuple[bytes, dict[str, Any], str, str | None]] = [
        (b"", {}, "not-a-cloudevent", None),
        (b"\x80\x04pickle", {"content_type": "application/x-python-serialize"}, "not-a-cloudevent", None),
        (b"[]", {}, "not-a-cloudevent", None),
        (b"[" * 50_000, {}, "not-a-cloudevent", None),
        (good, {"content_type": None}, "not-a-cloudevent", None),
        (good.decode().encode("utf-16"), {}, "not-a-cloudevent", None),
        (good.replace(b'"id": "a", ', b""), {}, "not-a-cloudevent", None),
        (good.replace(b'"1.0"', b'"0.3"'), {}, "not-a-cloudevent", None),
        (good.replace(b'"id": "a"', b'"id": "dov@example.org"'), {}, "event-id-invalid", None),
        (good.replace(b"individual.submitted", b"individual.erased").replace(b'"id": "a"', b'"id": "b"'), {}, "event-type-unknown", "b"),
        (b'{"specversion":"1.0","id":"c","source":"x","type":"individual.submitted","data":[1]}', {}, "not-a-cloudevent", "c"),
        (b'{"specversion":"1.0","id":"d","source":"x","type":"individual.submitted","data":{"owner":7}}', {}, "invalid", "d"),
        (b"x" * (LARGEST + 1), {}, "submission-too-large", None),
        (good, {"headers": {"ce-id": 7}, "content_type": "application/json"}, "not-a-cloudevent", None),
    ]
    for body, options, code, event_id in cases:
        message_id = new_id()
        running.ice.send(body, message_id=message_id, **options)
        reply = eventually(lambda known=message_id: [one for one in running.ice.replies if one["data"]["message_id"] == known], why=code)[-1]
        assert (reply["data"]["code"], reply["data"]["submission_id"]) == (code, event_id), body[:40]
        assert reply["data"]["size"] == len(body)
    kept = running.rows("SELECT * FROM submissions WHERE code = 'event-id-invalid'")
    assert "dov@example.org" not in str(kept)


def test_a_message_in_binary_mode_is_taken_as_well(running: Running) -> None:
    event_id = new_id()
    headers = {"ce-specversion": "1.0", "ce-id": event_id, "ce-source": "urn:ice:crm", "ce-type": "individual.submitted"}
    running.ice.send(json.dumps(a_person()).encode(), content_type="application/json", headers=headers)
    assert running.ice.answer(event_id)["type"] == "individual.accepted"


@pytest.mark.requirement("T9", "R166")
def test_whoever_asked_to_be_left_alone_is_blocked_here_too(running: Running) -> None:
    person = a_person(contact_points=[{"kind": "cell", "value": "956-555-0177"}])
    accepted = running.ice.answer(running.ice.submit(**person))["data"]["individual_id"]
    running.desk.erase(accepted)
    again = running.ice.answer(running.ice.submit(**{**person, "last_name": "Other"}))
    assert (again["type"], again["data"]["code"]) == ("individual.refused", "blocked")


@pytest.mark.requirement("T35", "T9")
def test_the_tenth_that_is_blocked_stops_the_component_s_system_until_the_privacy_officer_saw_it(running: Running) -> None:
    numbers = [f"956-555-02{n:02}" for n in range(10)]
    for number in numbers:
        left_alone = running.desk.register(BRUNO, **a_name(), contact_points=[{"kind": "cell", "value": number}])["id"]
        running.desk.freeze(AMINA, left_alone, reason="They called.")

    def submit(number: str) -> Any:
        return running.pso.answer(running.pso.submit(**a_person(owner="chloe", contact_points=[{"kind": "cell", "value": number}])))

    assert [submit(number)["data"]["code"] for number in numbers] == ["blocked"] * 10
    fresh = [f"956-555-03{n:02}" for n in range(4)]
    # The next is told nothing: a number that is marked is answered as one that is not.
    told = [submit(number)["data"]["code"] for number in (fresh[0], numbers[0])]
    assert told == ["submissions-blocked"] * 2
    assert running.ice.answer(running.ice.submit(**a_person()))["type"] == "individual.accepted", "another component's goes on"
    with running.desk.work(FARID) as work:
        waiting = {
            item["account"]: (item["component"], item["hits"]) for item in hits.list_lookups(work, by=FARID, cursors=running.desk.cursors)["items"]
        }
    assert waiting["integration.PSO"] == ("PSO", 10)
    with running.desk.work(FARID) as work:
        hits.see_lookups(work, by=FARID, now=running.desk.now, account="integration.PSO", more=False)
    assert submit(fresh[1])["type"] == "individual.accepted"


@pytest.mark.requirement("T13", "T16")
def test_a_component_is_told_ids_and_codes_of_its_own_people_alone(running: Running) -> None:
    person = a_person()
    individual_id = running.ice.answer(running.ice.submit(**person))["data"]["individual_id"]
    eventually(lambda: {"individual.registered", "relationship.established"} <= set(running.ice.heard(individual_id)))
    running.desk.change(AMINA, individual_id, title="Director")
    running.desk.freeze(CHLOE, individual_id)
    eventually(lambda: {"individual.changed", "individual.frozen"} <= set(running.ice.heard(individual_id)))
    running.desk.erase(individual_id)
    eventually(lambda: "individual.erased" in running.ice.heard(individual_id))
    assert running.pso.heard(individual_id) == []
    told = json.dumps(running.ice.told)
    assert person["last_name"] not in told
    assert CHLOE.id not in told
    assert running.rows("SELECT * FROM integration_audiences WHERE individual_id = CAST(:id AS uuid)", id=individual_id) == []


@pytest.mark.requirement("T13", "R77")
def test_of_an_import_each_individual_is_told_of(running: Running) -> None:
    imported: list[list[str | None]] = [[new_id(), None, "TX"], [new_id(), None, None]]
    with running.desk.work(Caller.service("contacts")) as work:
        work.announce(IndividualsImported(imported, AMINA.id, "ICE"))
        work.record("contacts:import:commit")
    for individual_id, _, state in imported:
        eventually(lambda individual_id=individual_id: running.ice.heard(individual_id) == ["individual.registered"])
        (event,) = [event for event in running.ice.told if event["subject"] == individual_id]
        assert event["data"]["state"] == state


@pytest.mark.requirement("R120", "T8")
def test_the_trail_names_the_account_and_holds_no_value(running: Running) -> None:
    person = a_person()
    individual_id = running.ice.answer(running.ice.submit(**person))["data"]["individual_id"]
    refused = running.ice.submit(**{**person, "owner": "nobody"})
    running.ice.answer(refused)
    entries = [entry for entry in running.desk.entries() if entry["actor_kind"] == "integration"]
    mine = [entry for entry in entries if individual_id in entry["subjects"]]
    assert {entry["action"] for entry in mine} == {"contacts:individual:create", "contacts:integration:submit"}
    assert {(entry["actor"], entry["component"]) for entry in mine} == {("integration.ICE", "ICE")}
    assert [entry for entry in entries if entry["rule"] == "owner-unsuitable"]
    assert person["last_name"] not in json.dumps(entries)


@pytest.mark.parametrize("held", [150.0, 0.0])
def test_while_access_is_away_a_message_waits_and_is_answered_once(running: Running, monkeypatch: pytest.MonkeyPatch, held: float) -> None:
    # Held while it fails, or given back each time and taken again.
    monkeypatch.setattr(integrations, "HELD_FOR", held)
    before = running.rows("SELECT * FROM submissions")
    Access.away = 2
    event_id = running.ice.submit(**a_person())
    assert running.ice.answer(event_id)["type"] == "individual.accepted"
    assert Access.away == 0
    assert len(running.rows("SELECT * FROM submissions")) == len(before) + 1
    assert len([reply for reply in running.ice.replies if reply["data"]["submission_id"] == event_id]) == 1


@pytest.mark.requirement("T13")
def test_what_is_on_the_queues_lives_an_hour_and_goes_nowhere_else() -> None:
    declared = topology(["ICE"])
    queues = {queue.name: queue for queue in declared.queues}
    submissions = queues[submissions_of("ICE")]
    assert submissions.arguments["x-message-ttl"] == SUBMISSION_LIVES_MS == timedelta(hours=1).total_seconds() * 1000
    assert not [name for name in submissions.arguments if "dead-letter" in name]
    assert topology([]).queues == ()
    assert permissions("ICE")["configure"] == "^$"
    for pattern, allowed, denied in (
        ("write", ["integration.ICE"], ["integration.PSO", "announcements", "nameko-rpc", "", "integration.ICE.submissions"]),
        ("read", ["integration.ICE.replies", "integration.ICE.announcements"], ["integration.ICE.submissions", "integration.PSO.replies"]),
    ):
        may = permissions("ICE")[pattern]
        assert all(re.search(may, name) for name in allowed)
        assert not any(re.search(may, name) for name in denied)


def test_every_answer_and_announcement_is_as_the_document_says(running: Running) -> None:
    running.ice.answer(running.ice.submit(**a_person()))
    document = yaml.safe_load(ASYNCAPI.read_text())
    assert running.ice.replies
    assert running.ice.told
    for name, messages in (("Reply", running.ice.replies), ("Announcement", running.ice.told)):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        for message in messages:
            jsonschema.validate(message, schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.requirement("T13", "T27", "R166", "N3")
@pytest.mark.row("P11")
def test_what_a_components_system_sent_of_an_erased_person_is_nowhere(running: Running) -> None:
    person = Erased(7)
    name, turned = f"{person.first} {person.last}", f"{person.last}, {person.first}"
    card = {"first_name": person.first, "last_name": person.last, "title": f"Aide to {name}", "organization": f"{name} Works"}
    points = [{"kind": "cell", "value": person.cell}, {"kind": "email", "value": person.mail}]
    answer = running.ice.answer(running.ice.submit(**a_person(**card, contact_points=points)))
    mine = answer["data"]["individual_id"]
    # Every field of a card that takes words, of people who stay; and messages that are refused, each with the words somewhere.
    sent = [running.ice.submit(**a_person(**{field: said})) for field in _words_of_a_card() for said in (_in(field, name), _in(field, person.mail))]
    sent += [
        running.ice.submit(**a_person(owner=name)),
        running.ice.submit(**a_person(contact_points=[{"kind": "cell", "value": name}, {"kind": "email", "value": f"{person.mail} {name}"}])),
        running.ice.submit(**a_person(contact_points=[{"kind": "work_address", "value": f"12 {person.last} Street, Austin, TX 78701"}])),
        running.ice.submit(**a_person(**{name: person.cell})),
        running.ice.submit(type=f"individual.{name}", **a_person()),
    ]
    for event_id in sent:
        running.ice.answer(event_id)
    answered = len(running.ice.replies)
    outside = {"specversion": "1.0", "id": new_id(), "type": "individual.submitted"}
    bodies = [
        {**outside, "source": f"urn:{person.first}:{person.mail}", "subject": name, "data": a_person()},
        {**outside, "id": person.mail, "source": "urn:ice:crm", turned: name, "data": a_person()},
        {**outside, "id": name, "source": "urn:ice:crm", "data": a_person()},
    ]
    for body in (*(json.dumps(each).encode() for each in bodies), f"{name} {person.cell}".encode(), name.encode() * 3000):
        running.ice.send(body, headers={"cloudEvents:subject": name}, message_id=person.mail)
    running.ice.send(json.dumps(bodies[0]).encode(), content_type=f"text/{person.first.lower()}")
    eventually(lambda: len(running.ice.replies) >= answered + 6, why="every message is answered")
    before = dumped(running.desk.addresses.superuser)
    assert found_in(before, person.needles), "there is something to erase"
    erased = running.desk.erase(mine)
    running.desk.seek(erased, redact_in=[[hit["store"], hit["id"], hit["field"]] for hit in erased["sought"]["hits"]])
    running.desk.answer("close_erasure", erasure_id=erased["erasure_id"], individual_id=mine)
    # What others' records are called stays: a second record of the same person is a record of its own (T26).
    parts = {part.partition(" (")[0]: part.partition("\n\\.\n")[0] for part in dumped(running.desk.addresses.superuser).split("\ncopy public.")}
    left = {place: found for place, text in parts.items() if (found := found_in(text, person.needles))}
    assert left == {}
    assert found_in(dumped(running.desk.keys.superuser), person.needles) == []
    waiting = [queued.raw for broker in Broker.by_name.values() for queue in broker.queues.values() for queued in queue.messages]
    assert found_in(str(waiting), person.needles) == []


def _words_of_a_card() -> list[str]:
    """Return the word fields of a submitted card, except those that identify the person."""
    said = IndividualSubmittedSchema().fields
    words = [name for name, field in said.items() if isinstance(field, Line) or isinstance(getattr(field, "inner", None), Line)]
    assert {"title", "salutation", "interests"} <= set(words)
    return [name for name in words if name not in {"first_name", "last_name", "owner"}]


def _in(field: str, words: str) -> Any:
    return [words] if field == "interests" else words
