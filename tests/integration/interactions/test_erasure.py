"""Erasing an individual from interactions, and seeking what is left of them, against PostgreSQL."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import eventlet
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Text, select, text

from services.chassis.messages import Caller, Invalid, NotFound, new_id
from services.contacts.contract.announcements import IndividualChanged, IndividualErased, IndividualRegistered, OwnerChanged
from services.interactions.contract.commands import InteractionCreate
from services.interactions.storage import erasure as stored
from services.interactions.storage.tables import metadata
from services.interactions.usecases import announcement_handlers, coordination, erasure, events, interactions, issues
from tests.cast import AMINA, CHLOE, DOV
from tests.integration.interactions.conftest import Office

RETENTION = Caller.service("retention")
FULL = f"{DOV.first_name} {DOV.last_name}"


def seal(erasure_id: str, **values: Any) -> tuple[str, str]:
    """Seal Dov's former values as contacts does; return seal and key."""
    key, nonce = os.urandom(32), os.urandom(12)
    wire = {"first_name": DOV.first_name, "last_name": DOV.last_name, "phones": ["+19565550142"], "emails": [DOV.email], **values}
    sealed = nonce + AESGCM(key).encrypt(nonce, json.dumps(wire).encode(), erasure_id.encode())
    return base64.b64encode(sealed).decode(), base64.b64encode(key).decode()


def erase(office: Office, individual_id: str, erasure_id: str, *, cause: str = "no-contact") -> dict[str, Any]:
    """Answer `erase` as the saga asks for it."""
    with office.work(RETENTION, role="eraser") as work:
        return erasure.erase(work, now=office.now, erasure_id=erasure_id, individual_id=individual_id, cause=cause)


def seek(office: Office, individual_id: str, erasure_id: str) -> dict[str, dict[str, Any]]:
    """Answer `seek`; return the receipts by store."""
    return {receipt["store"]: receipt for receipt in look(office, individual_id, erasure_id)["receipts"]}


def look(office: Office, individual_id: str, erasure_id: str, *, word: str | None = None, **decided: Any) -> dict[str, Any]:
    """Answer `seek`, as the saga asks for it."""
    sealed, key = seal(erasure_id, **decided.pop("values", {}))
    with office.work(RETENTION, role="eraser") as work:
        return erasure.seek(work, now=office.now, erasure_id=erasure_id, individual_id=individual_id, sealed=sealed, key=key, look=word, **decided)


@pytest.mark.requirement("R165", "R166", "T16")
def test_dov_is_gone_from_talks_attendance_requests_and_text(office: Office) -> None:
    dov, other, issue = office.individual(), office.individual(), office.issue()
    alone = office.talk(individual_ids=[dov], issue_ids=[issue], outcome=f"{FULL} promised a list.")
    together = office.talk(
        individual_ids=[dov, other],
        outcome=f"{FULL} asked for it in writing; Quillfeather's office will call.",
        follow_ups=[{"text": "Send Dov the guidance", "due_on": None, "assignee": None, "done_at": None}],
    )
    kept = office.talk(CHLOE, individual_ids=[dov, other], outcome=f"Dov is at (956) 555-0142 or {DOV.email.upper()}", keep_reason="Asked")
    event = office.event(agenda=f"{FULL} speaks")
    office.attend(AMINA, event, dov, other)
    asked = office.ask(CHLOE, dov)
    erasure_id = new_id()

    receipts = {receipt["store"]: receipt for receipt in erase(office, dov, erasure_id)["receipts"]}
    assert receipts["interactions.interactions"]["removed"] == 1
    assert receipts["interactions.interaction_individuals"]["removed"] == 3
    assert receipts["interactions.attendances"]["removed"] == 1
    assert receipts["interactions.coordination_requests"]["removed"] == 1
    found = seek(office, dov, erasure_id)
    assert found["interactions.interactions.outcome"]["removed"] == 2
    assert found["interactions.kept_texts.text"]["removed"] == 3
    assert all(receipt["left"] == 0 for receipt in found.values())

    with pytest.raises(NotFound):
        office.read(AMINA, alone["id"])
    assert office.announced("interactions:interaction:withdrawn") == [{"interaction_id": alone["id"]}]
    left = office.read(AMINA, together["id"])
    assert left["individual_ids"] == [other]
    assert left["outcome"] == "[removed] asked for it in writing; [removed]'s office will call."
    assert left["follow_ups"][0]["text"] == "Send [removed] the guidance"
    assert office.read(CHLOE, kept["id"])["outcome"] == "[removed] is at [removed] or [removed]"
    assert office.do(AMINA, events.read_event, event_id=event)["agenda"] == "[removed] speaks"
    attendees = office.do(AMINA, events.list_attendees, event_id=event, query={"limit": 50})["items"]
    assert [one["individual_id"] for one in attendees] == [other]
    with pytest.raises(NotFound):
        office.do(CHLOE, coordination.read_coordination_request, request_id=asked["id"])
    again = seek(office, dov, erasure_id)
    assert all(receipt["found"] == 0 for receipt in again.values())


OUTCOME = "interactions.interactions"


@pytest.mark.requirement("R166", "T27")
def test_in_rows_not_linked_what_is_theirs_alone_goes_and_a_name_waits_for_the_privacy_officer(office: Office) -> None:
    dov, other = office.individual(), office.individual()
    office.talk(individual_ids=[dov])
    aside = office.talk(individual_ids=[other], outcome=f"Ask {FULL}.")
    office.do(CHLOE, issues.register_issue, name="Freight", priority="one_dhs", summary=f"Desk: {DOV.cell}", keep_reason="A public desk")
    words = "Mr. Quillfeather-Smith of Ohio will call Dov's Diner; Dov Ash Quillfeather and Quillfeather Street."
    harmless = office.talk(individual_ids=[other], outcome=words)
    erasure_id = new_id()
    erase(office, dov, erasure_id)
    answer = look(office, dov, erasure_id)
    assert answer["hits"] == [{"store": OUTCOME, "id": aside["id"], "field": "outcome", "kinds": ["name"], "sure": True}]
    found = {receipt["store"]: receipt for receipt in answer["receipts"]}
    outcome = found["interactions.interactions.outcome"]
    assert (outcome["found"], outcome["removed"], outcome["left"]) == (1, 0, 1)
    assert found["interactions.kept_texts.text"]["removed"] == 1
    assert office.read(AMINA, aside["id"])["outcome"] == f"Ask {FULL}."
    assert office.read(AMINA, harmless["id"])["outcome"] == words
    decided = look(office, dov, erasure_id, leave_in=[[OUTCOME, aside["id"], "outcome"]])
    assert decided["hits"] == []
    assert all(receipt["left"] == 0 for receipt in decided["receipts"])
    assert office.read(AMINA, aside["id"])["outcome"] == f"Ask {FULL}."
    first = look(office, dov, erasure_id, word="before")
    decided = {"redact_in": [[OUTCOME, aside["id"], "outcome"]]}
    assert look(office, dov, erasure_id, word="before", **decided) == first, "a repetition answers the first, which carried out nothing"
    assert first["carried_out"] == []
    answer = look(office, dov, erasure_id, word="again", **decided)
    assert (answer["hits"], answer["carried_out"]) == ([], decided["redact_in"])
    assert office.read(AMINA, aside["id"])["outcome"] == "Ask [removed]."


@pytest.mark.requirement("T27", "T9")
def test_a_shared_line_is_a_hit_and_one_that_is_held_goes_on_a_decision_alone(office: Office) -> None:
    dov, other, erasure_id = office.individual(), office.individual(), new_id()
    talk = office.talk(individual_ids=[other], outcome="956-555-0100 or 956-555-0101", keep_reason="Switchboards")
    erase(office, dov, erasure_id)
    values = {"phones": [], "emails": [], "shared_phones": ["+19565550100", "+19565550101"], "held": ["+19565550101"]}
    answer = look(office, dov, erasure_id, values=values)
    [hit] = answer["hits"]
    assert (hit["store"], hit["field"], hit["kinds"], hit["sure"]) == ("interactions.kept_texts", "text", ["phone"], True)
    place = [hit["store"], hit["id"], hit["field"]]
    look(office, dov, erasure_id, values=values, redact_sure_in=[place])
    assert office.read(AMINA, talk["id"])["outcome"] == "[removed] or 956-555-0101"
    look(office, dov, erasure_id, values=values, redact_in=[place])
    assert office.read(AMINA, talk["id"])["outcome"] == "[removed] or [removed]"


@pytest.mark.requirement("T27")
def test_what_stands_in_a_place_is_shown_with_the_text_around_it_until_it_is_edited(office: Office) -> None:
    dov, other, erasure_id = office.individual(), office.individual(), new_id()
    talk = office.talk(individual_ids=[other], outcome=f"Ask {FULL} of Ohio.")
    erase(office, dov, erasure_id)
    places = [[OUTCOME, talk["id"], "outcome"], [OUTCOME, new_id(), "outcome"], ["interactions.nothing", new_id(), "x"]]

    def shown() -> list[dict[str, Any]]:
        sealed, key = seal(erasure_id)
        with office.work(RETENTION, role="eraser") as work:
            found: list[dict[str, Any]] = erasure.show(work, erasure_id=erasure_id, sealed=sealed, key=key, places=places)["items"]
            return found

    [item] = shown()
    assert item["excerpts"] == [{"before": "Ask ", "found": FULL, "after": " of Ohio.", "kind": "name"}]
    with office.work(RETENTION, role="eraser") as work:
        work.execute(text("UPDATE interactions SET outcome = 'Ask somebody.'"))
    assert shown() == []
    assert "Quillfeather" not in json.dumps(office.entries())


@pytest.mark.requirement("R166")
def test_late_messages_bring_nobody_back(office: Office) -> None:
    dov, erasure_id = office.individual(), new_id()
    erase(office, dov, erasure_id)
    office.hear(announcement_handlers.individuals_registered, [IndividualRegistered(dov, None, AMINA.id, "ICE", "TX")])
    office.hear(announcement_handlers.individual_changed, IndividualChanged(dov, None, "TX"))
    office.hear(announcement_handlers.owner_changed, OwnerChanged(dov, AMINA.id, "ICE"))
    office.freeze(dov, CHLOE)
    assert office.state(AMINA, "TX")["known"] == 0
    with pytest.raises(Invalid):
        office.talk(individual_ids=[dov])
    with office.work(AMINA) as work:
        assert work.execute(text("SELECT count(*) FROM people WHERE id = :id"), {"id": dov}).scalar_one() == 0


@pytest.mark.requirement("N3")
def test_erasing_twice_answers_the_same_and_still_knows_what_was_linked(office: Office) -> None:
    dov, other, erasure_id = office.individual(), office.individual(), new_id()
    talk = office.talk(individual_ids=[dov, other], outcome="Dov asked.")
    first = erase(office, dov, erasure_id)
    assert any(receipt["removed"] for receipt in first["receipts"])
    assert erase(office, dov, erasure_id) == first, "the answer to the first may have been lost: it is the certificate's"
    office.hear(announcement_handlers.individual_erased, IndividualErased(dov, "no-contact"))
    seek(office, dov, erasure_id)
    assert office.read(AMINA, talk["id"])["outcome"] == "[removed] asked."


@pytest.mark.requirement("N3")
def test_the_same_look_twice_answers_the_same_and_another_one_looks_again(office: Office) -> None:
    dov, other, erasure_id = office.individual(), office.individual(), new_id()
    office.talk(individual_ids=[dov, other], outcome=f"Dov is at {DOV.cell}", keep_reason="Asked")
    erase(office, dov, erasure_id)
    first = look(office, dov, erasure_id, word="seek_interactions")
    assert sum(receipt["removed"] for receipt in first["receipts"]) == 2
    assert look(office, dov, erasure_id, word="seek_interactions") == first
    again = look(office, dov, erasure_id, word="seek_interactions-2")
    assert sum(receipt["found"] for receipt in again["receipts"]) == 0
    with office.work(Caller.service("interactions")) as work:
        erasure.erasure_completed(work, erasure_id=erasure_id, individual_id=dov, now=office.now)
        assert work.execute(text("SELECT count(*) FROM erasure_answers")).scalar_one() == 0


@pytest.mark.requirement("N3")
def test_two_calls_at_once_erase_once_and_answer_the_same(office: Office) -> None:
    dov, erasure_id = office.individual(), new_id()
    office.talk(individual_ids=[dov])
    with office.work(RETENTION, role="eraser") as work:
        first = erasure.erase(work, now=office.now, erasure_id=erasure_id, individual_id=dov, cause="no-contact")
        second = eventlet.spawn(erase, office, dov, erasure_id)
        with eventlet.Timeout(0.3, exception=False):
            second.wait()
        assert not second.dead
    assert second.wait() == first


def test_the_wrong_key_opens_nothing(office: Office) -> None:
    erasure_id = new_id()
    sealed, _ = seal(erasure_id)
    with pytest.raises(InvalidTag), office.work(RETENTION, role="eraser") as work:
        erasure.seek(
            work,
            now=office.now,
            erasure_id=erasure_id,
            individual_id=new_id(),
            sealed=sealed,
            key=base64.b64encode(bytes(32)).decode(),
        )


def test_the_trail_of_an_erasure_names_ids_alone(office: Office) -> None:
    dov, other, erasure_id = office.individual(), office.individual(), new_id()
    office.talk(individual_ids=[dov, other], outcome=f"{FULL} asked.")
    erase(office, dov, erasure_id)
    seek(office, dov, erasure_id)
    entries = [entry for entry in office.entries() if entry["actor"] == "retention"]
    assert [entry["action"] for entry in entries] == ["interactions:individual:erase", "interactions:individual:seek"]
    assert all(dov in entry["subjects"] for entry in entries)
    assert "Quillfeather" not in json.dumps(entries)


def test_the_seeker_reads_every_column_that_people_write_into() -> None:
    closed = {
        "priority",
        "component",
        "kind",
        "mode",
        "status",
        "requested_component",
        "subject_type",
        "field",
        "state",
        "sector",
        "level",
        "step",
        "initiated_by",
    }
    closed |= {"closed_because", "asked_component"}
    written = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Text) and column.name not in closed
    }
    assert written == {(table.name, column) for table, column in stored.TEXTS}


def test_the_first_look_finds_what_folding_finds(office: Office) -> None:
    with office.work(AMINA) as work:
        for written, sought in (
            ("Señor García-Núñez", "garcianunez"),
            ("(956) 555-0142", "9565550142"),
            ("O\u2019Neil", "oneil"),
            ("Søren", "soren"),
            ("Weiß", "weiss"),
        ):
            squeezed = work.execute(select(text("squeezed(:written)")), {"written": written}).scalar_one()
            assert sought in squeezed


@pytest.mark.requirement("R166")
def test_whoever_logs_a_talk_while_erasing_begins_is_reached_or_finds_nobody(office: Office) -> None:
    dov, erasure_id = office.individual(), new_id()
    with office.work(AMINA) as work:
        command = InteractionCreate(office.now, "phone", individual_ids=[dov], outcome="Dov asked.")
        talk = interactions.log_interaction(work, now=office.now, command=command)
        # The talk is not committed yet: erasing waits for it.
        erasing = eventlet.spawn(erase, office, dov, erasure_id)
        with eventlet.Timeout(0.3, exception=False):
            erasing.wait()
        assert not erasing.dead
    receipts = {receipt["store"]: receipt for receipt in erasing.wait()["receipts"]}
    assert receipts["interactions.interactions"]["removed"] == 1
    with pytest.raises(NotFound):
        office.read(AMINA, talk["id"])
    with pytest.raises(Invalid):
        office.talk(individual_ids=[dov])
