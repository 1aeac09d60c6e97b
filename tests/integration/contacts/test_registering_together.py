"""People registered at the same moment are registered together, and still each by themselves: entry, refusal, key, component."""

from __future__ import annotations

from typing import Any

import eventlet
import pytest
from sqlalchemy import event

from services.chassis.database import UnitOfWork, audited_calls
from services.chassis.messages import Caller, Operation, OutcomeUnknown, Refusal, new_id
from services.contacts.contract.schemas.individuals import IndividualCreateSchema
from services.contacts.service.registrations import Registrations
from services.contacts.storage import projections, registration
from tests.cast import AMINA, BRUNO, CHLOE, DOV
from tests.integration.contacts.conftest import Desk, creating

BATCH = 16


@pytest.fixture
def registrations(desk: Desk) -> Registrations:
    return desk.registrations()


def _asking(caller: Caller, *, key: str | None = None, body_hash: str = "b") -> Caller:
    operation = Operation(id=new_id(), method="POST", path="/api/v1/individuals", key=key, body_hash=body_hash)
    return caller.within(trace_id=new_id(), operation=operation)


def _card(n: int, **given: Any) -> dict[str, Any]:
    points = [{"kind": "email", "value": f"guest.{n}@example.org"}]
    return {"first_name": "Guest", "last_name": f"Number {'abcdefghijklmnopqrstuvwxyz'[n]}{n}", "contact_points": points, **given}


def _at_once(registrations: Registrations, asked: list[tuple[Caller, dict[str, Any]]]) -> list[Any]:
    """Register all at one moment; return each one's result, refusals included."""

    def enter(caller: Caller, body: dict[str, Any]) -> Any:
        try:
            with audited_calls() as audited:
                entered = registrations.register(creating(registrations._database, caller), IndividualCreateSchema().load(body))
                assert audited() == (entered is not None)
        except Refusal as refusal:
            return refusal
        return entered

    greenlets = [eventlet.spawn(enter, caller, body) for caller, body in asked]
    return [greenlet.wait() for greenlet in greenlets]


@pytest.mark.requirement("R120", "R123", "R42")
def test_each_is_entered_under_their_own_name_and_recorded_so(desk: Desk, registrations: Registrations) -> None:
    statements: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    asked = [(_asking(AMINA if n % 2 else BRUNO), _card(n)) for n in range(BATCH)]
    entered = _at_once(registrations, asked)
    assert len(statements) <= 9, "two batches at most: whoever came first, and all others"
    entries = {entry["subjects"][0]: entry for entry in desk.entries() if entry["action"] == "contacts:individual:create"}
    for (caller, body), answer in zip(asked, entered, strict=True):
        assert answer == desk.read(caller, answer["id"])
        assert answer["owner"] == {"user": caller.id, "component": "ICE"}
        entry = entries[answer["id"]]
        assert (entry["actor"], entry["trace_id"], entry["operation"]) == (caller.id, caller.trace_id, caller.operation and caller.operation.id)
        assert desk.values(AMINA, answer["id"]) == [body["contact_points"][0]["value"]]
        with desk.work(caller) as work:
            assert caller.operation
            done = work.find_operation(caller.operation.id)
            assert done is not None
            assert done.subject_id == answer["id"]
    told = desk.announced("contacts:individual:registered")
    assert {each["individual_id"] for each in told} == {answer["id"] for answer in entered}


@pytest.mark.requirement("T9", "R82")
def test_what_stands_against_one_stands_against_nobody_else(desk: Desk, registrations: Registrations) -> None:
    employer = desk.organization()["id"]
    desk.register(AMINA, first_name="Ada", last_name="Present", organization_id=employer)
    dov = desk.dov(AMINA)
    desk.erase(dov)
    erased = desk.issue()
    with desk.work(Caller.service("contacts")) as work:
        projections.delete_issue_projection(work, erased)
    answers = _at_once(
        registrations,
        [
            (_asking(AMINA), _card(0)),
            (_asking(AMINA), _card(1, contact_points=[{"kind": "cell", "value": DOV.cell}])),
            (_asking(AMINA), {"first_name": "Ada", "last_name": "Present", "organization_id": employer}),
            (_asking(AMINA), _card(2, organization_id=new_id())),
            (_asking(AMINA), _card(3, issue_ids=[erased])),
            (_asking(BRUNO), _card(4, organization="An organization that nobody knows")),
            (_asking(BRUNO), _card(5, organization=DOV.organization)),
        ],
    )
    assert [getattr(answer, "code", "entered" if answer else None) for answer in answers] == [
        "entered",
        "blocked",
        "duplicate",
        "organization-unknown",
        "issue-unknown",
        None,
        "entered",
    ]
    assert answers[-1]["organization_id"] == employer


def test_of_two_of_one_name_the_second_goes_alone(desk: Desk, registrations: Registrations) -> None:
    first, second, third = _at_once(registrations, [(_asking(AMINA), _card(1)), (_asking(BRUNO), _card(2)), (_asking(AMINA), _card(2))])
    assert first
    assert second
    assert third is None
    assert len(desk.rows("SELECT 1 FROM individuals")) == 2


def test_of_two_requests_with_one_key_one_is_done(desk: Desk, registrations: Registrations) -> None:
    asked = [(_asking(AMINA, key="the same"), _card(1)), (_asking(BRUNO, key="the same"), _card(2)), (_asking(AMINA, key="the same"), _card(3))]
    first, others, again = _at_once(registrations, asked)
    assert first
    assert others, "another user's key is another key"
    assert again is None
    repeated, new = _at_once(registrations, [(_asking(AMINA, key="the same"), _card(1)), (_asking(AMINA), _card(4))])
    assert repeated is None
    assert new, "whose request came before keeps nobody from being entered"
    assert _at_once(registrations, [(_asking(AMINA, key="the same", body_hash="another"), _card(1))]) == [None]
    assert len(desk.rows("SELECT 1 FROM individuals")) == 3


@pytest.mark.requirement("R154", "T5")
def test_people_of_two_components_never_share_a_transaction(desk: Desk, registrations: Registrations) -> None:
    asked = [(_asking(AMINA if n % 2 else CHLOE), _card(n)) for n in range(6)]
    for (caller, body), answer in zip(asked, _at_once(registrations, asked), strict=True):
        others = CHLOE if caller.component == AMINA.component else AMINA
        assert desk.values(caller, answer["id"]) == [body["contact_points"][0]["value"]]
        assert desk.values(others, answer["id"]) == []
    with desk.work(AMINA) as work, pytest.raises(ValueError, match="one component"):
        work.on_behalf_of(CHLOE)


def test_after_a_fault_each_goes_alone_and_nothing_is_left(desk: Desk, registrations: Registrations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.layer.vault, "new_keys", lambda _: {})
    assert _at_once(registrations, [(_asking(AMINA), _card(n)) for n in range(3)]) == [None] * 3
    assert not desk.rows("SELECT 1 FROM individuals")
    assert not desk.entries()


def test_when_nobody_can_tell_each_is_told_their_own_operation(desk: Desk, registrations: Registrations, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_work: UnitOfWork, _connection: Any) -> None:
        raise OutcomeUnknown

    monkeypatch.setattr(UnitOfWork, "_commit", lost)
    asked = [(_asking(AMINA), _card(n)) for n in range(3)]
    for (caller, _), answer in zip(asked, _at_once(registrations, asked), strict=True):
        assert isinstance(answer, OutcomeUnknown)
        assert answer.extra == {"operation_id": caller.operation and caller.operation.id}


def test_somebody_alone_waits_for_nobody(desk: Desk, registrations: Registrations) -> None:
    with desk.work(BRUNO) as work:
        # Somebody is entering this name just now, and is slow.
        registration.hold_name(work, "Guest", "Number a0")
        with eventlet.Timeout(2):
            held, free = _at_once(registrations, [(_asking(AMINA), _card(0)), (_asking(AMINA), _card(1))])
    assert held is None
    assert free
