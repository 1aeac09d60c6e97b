"""A unit of work: its changes, announcements and entries are durable together or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import eventlet
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.chassis.database import Database, DatabaseUnavailable, audited_calls, work_is_open
from services.chassis.messages import Announcement, IdempotencyMismatch, OutcomeUnknown, new_id
from services.chassis.outbox.store import DEAD_AFTER_LOOKS, Outbox
from services.chassis.transport.publisher import Message
from tests.support import Databases, a_caller, a_command, eventually


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "tests:somebody:moved"
    somebody_id: str


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    with databases.opened("interactions") as opened:
        Outbox(opened).open_stream()
        yield opened


def _shipped(outbox: Outbox) -> list[dict[str, Any]]:
    """Return what is shipped, without certificates; each line of a stream is signed and chained (`test_stream`)."""
    return [{name: value for name, value in wire.items() if name not in {"prev", "signature"}} for wire in _sent(outbox) if "certificate" not in wire]


def _sent(outbox: Outbox) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []

    def publish(messages: Sequence[Message]) -> list[bool]:
        for message in messages:
            body = orjson.loads(message.body)
            entries.extend(body["entries"] if message.exchange == "audit" else [body])
        return [True] * len(messages)

    while outbox.ship(publish):
        pass
    return entries


def test_nothing_of_a_unit_of_work_that_failed_is_left(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.work(a_caller()) as work:
        work.announce(Moved("1"))
        work.record("tests:somebody:move", subjects=["1"])
        raise ZeroDivisionError
    assert _shipped(Outbox(database)) == []


@pytest.mark.requirement("R120", "R121", "R123", "T8")
def test_an_entry_tells_who_did_what_to_whom_when_and_nothing_of_the_values(database: Database) -> None:
    amina = a_caller("ICE")
    with audited_calls() as audited, database.work(amina) as work:
        work.record("tests:somebody:change", subjects=["1"], fields=["title", "state"], rule="T2")
    assert audited()
    (entry,) = _shipped(Outbox(database))
    assert entry.pop("at")
    assert entry == {
        "stream": database.stream.id,
        "n": 1,
        "service": "interactions",
        "actor": amina.id,
        "actor_kind": "user",
        "component": "ICE",
        "session": amina.session_id,
        "acknowledgement": amina.acknowledgement_id,
        "jti": amina.jti,
        "action": "tests:somebody:change",
        "subjects": ["1"],
        "fields": ["state", "title"],
        "outcome": "allowed",
        "rule": "T2",
        "trace_id": amina.trace_id,
        "operation": None,
    }


def test_an_operation_on_many_records_names_each_in_entries_of_five_hundred(database: Database) -> None:
    with database.work(a_caller()) as work:
        work.record("tests:everybody:read", subjects=[str(n) for n in range(1001)])
    assert [len(entry["subjects"]) for entry in _shipped(Outbox(database))] == [500, 500, 1]


def test_a_call_that_recorded_nothing_is_known_to_be_unaudited(database: Database) -> None:
    with audited_calls() as audited, database.work(a_caller()) as work:
        work.execute(text("SELECT 1"))
    assert not audited()


def test_what_was_not_confirmed_is_shipped_again_and_what_was_is_not(database: Database) -> None:
    with database.work(a_caller()) as work:
        for number in range(3):
            work.announce(Moved(str(number)))
    outbox = Outbox(database)
    seen: list[str] = []

    def only_the_second(messages: Sequence[Message]) -> list[bool]:
        seen.extend(orjson.loads(m.body)["fields"]["somebody_id"] for m in messages)
        return [orjson.loads(m.body)["fields"]["somebody_id"] == "1" for m in messages]

    assert outbox.ship(only_the_second) == 1
    assert sorted(e["fields"]["somebody_id"] for e in _shipped(outbox)) == ["0", "2"]
    assert outbox.oldest_waiting() is None


def test_what_no_queue_is_bound_for_steps_back_and_is_shipped_once_there_is_one(database: Database) -> None:
    outbox = Outbox(database)
    with database.work(a_caller()) as work:
        for number in range(5):
            work.announce(Moved(str(number)))
    assert outbox.ship(lambda messages: [None] * len(messages), limit=5) == 0
    with database.work(a_caller()) as work:
        work.announce(Moved("heard"))
    shipped: list[str] = []

    def publish(messages: Sequence[Message]) -> list[bool]:
        shipped.extend(orjson.loads(m.body)["fields"]["somebody_id"] for m in messages)
        return [True] * len(messages)

    assert outbox.ship(publish, limit=5) == 1
    assert shipped == ["heard"], "what stepped back does not stand before it"
    assert outbox.oldest_waiting() is not None
    eventually(lambda: outbox.ship(publish) and outbox.oldest_waiting() is None)
    assert sorted(shipped) == ["0", "1", "2", "3", "4", "heard"]


def test_a_publisher_that_fails_loses_nothing(database: Database) -> None:
    with database.work(a_caller()) as work:
        work.announce(Moved("1"))

    def broken(_: Sequence[Message]) -> list[bool]:
        raise ConnectionError

    outbox = Outbox(database)
    with pytest.raises(ConnectionError):
        outbox.ship(broken)
    assert len(_shipped(outbox)) == 1


@pytest.mark.parametrize("what", ["an announcement", "an entry"])
def test_two_relays_never_ship_the_same_row_and_neither_waits_for_the_other(database: Database, what: str) -> None:
    with database.work(a_caller()) as work:
        work.announce(Moved("1")) if what == "an announcement" else work.record("tests:somebody:move")
    shipped: list[str] = []

    def ship() -> int:
        return Outbox(database).ship(publish)

    def publish(messages: Sequence[Message]) -> list[bool]:
        shipped.extend(message.exchange for message in messages)
        if len(shipped) == 1:
            # The row is claimed and not yet shipped: just now another relay looks.
            with eventlet.Timeout(3):
                assert eventlet.spawn(ship).wait() == 0
        return [True] * len(messages)

    assert ship() == 1
    assert ship() == 0
    assert len(shipped) == 1


def test_a_late_commit_is_not_skipped(database: Database) -> None:
    outbox = Outbox(database)
    seen: list[str] = []
    with database.work(a_caller()) as early:
        early.announce(Moved("early"))
        early.connection.execute(
            text('INSERT INTO outbox (id, routing_key, body) VALUES (gen_random_uuid(), \'x\', \'{"fields":{"somebody_id":"late"}}\')')
        )

        def another_commits_first() -> None:
            with database.work(a_caller()) as other:
                other.announce(Moved("first"))
            seen.extend(e["fields"]["somebody_id"] for e in _shipped(outbox))

        eventlet.spawn(another_commits_first).wait()
    assert seen == ["first"]
    seen.extend(e["fields"]["somebody_id"] for e in _shipped(outbox))
    assert sorted(seen) == ["early", "first", "late"]


def test_a_message_is_received_once(database: Database) -> None:
    for expected in (True, False):
        with database.work(a_caller()) as work:
            assert work.mark_processed("01a20397-fe57-7628-8104-2190e0ace6c1", Moved.name) is expected


def test_the_same_key_gives_the_same_result_and_another_body_a_conflict(database: Database) -> None:
    amina = a_caller()
    with database.work(a_command(amina, key="k", body={"a": 1})) as work:
        assert work.idempotent_result() is None
        work.store_idempotent_result(201, "subject")
    with database.work(a_command(amina, key="k", body={"a": 1})) as work:
        replay = work.idempotent_result()
        assert replay is not None
        assert (replay.status, replay.subject_id) == (201, "subject")
    with pytest.raises(IdempotencyMismatch), database.work(a_command(amina, key="k", body={"a": 2})) as work:
        work.idempotent_result()
    with database.work(a_command(a_caller(), key="k", body={"a": 1})) as work:
        assert work.idempotent_result() is None, "keys are each user's own"


def test_two_of_the_same_at_once_do_it_once(database: Database) -> None:
    amina = a_caller()
    done: list[str] = []

    def click() -> None:
        with database.work(a_command(amina, key="double", body={})) as work:
            if work.idempotent_result() is None:
                eventlet.sleep(0.05)
                done.append("done")
                work.store_idempotent_result(201, "one")

    for clicked in [eventlet.spawn(click) for _ in range(5)]:
        clicked.wait()
    assert done == ["done"]


def test_an_operation_is_told_of_to_whoever_gave_it_and_nobody_else(database: Database) -> None:
    amina = a_command(a_caller(), key=None, body={})
    assert amina.operation
    with database.work(amina) as work:
        work.store_idempotent_result(204)
    with database.work(amina) as work:
        found = work.find_operation(amina.operation.id)
        assert found is not None
        assert found.status == 204
    with database.work(a_caller()) as work:
        assert work.find_operation(amina.operation.id) is None


def test_the_component_of_one_transaction_is_gone_in_the_next(database: Database) -> None:
    shown = []
    for caller in (a_caller("ICE"), a_caller(None), a_caller("PSO")):
        with database.work(caller) as work:
            shown.append(work.execute(text("SELECT current_setting('app.component', true)")).scalar_one())
    assert shown == ["ICE", "", "PSO"]
    with database.system_transaction() as connection:
        assert connection.execute(text("SELECT current_setting('app.component', true)")).scalar_one() in {"", None}


@pytest.mark.parametrize("where", ["a statement", "the work between two", "the commit"])
def test_a_greenlet_killed_by_its_deadline_closes_its_connection(database: Database, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    backends: list[int] = []

    def slow() -> None:
        with database.work(a_caller()) as work:
            backends.append(work.execute(text("SELECT pg_backend_pid()")).scalar_one())
            work.record("tests:somebody:read")
            if where == "a statement":
                work.execute(text("SELECT pg_sleep(5)"))
            if where == "the work between two":
                eventlet.sleep(5)
            monkeypatch.setattr(work.connection, "commit", lambda: eventlet.sleep(5))

    with pytest.raises(eventlet.Timeout), eventlet.Timeout(0.3):
        slow()
    assert not work_is_open()
    with database.work(a_caller()) as work:
        assert work.execute(text("SELECT pg_backend_pid()")).scalar_one() != backends[0]
    # A number that was taken is void; whether that commit went through, nobody can tell.
    assert [(void.n, void.unknown) for void in database.stream.take_voids()] == ([(1, True)] if where == "the commit" else [])


def test_a_connection_lost_while_idle_is_replaced_and_nobody_notices(database: Database) -> None:
    with database.work(a_caller()) as work:
        backend = work.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with database.system_transaction() as connection:
        other = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        assert backend == other, "the pool hands out the one it got back last"
    _terminate(database, backend)
    with database.work(a_caller()) as work:
        assert work.execute(text("SELECT 1")).scalar_one() == 1


def test_a_connection_lost_in_the_middle_is_a_part_that_is_away(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable), database.work(a_caller()) as work:
        _terminate(database, work.execute(text("SELECT pg_backend_pid()")).scalar_one())
        work.execute(text("SELECT 1"))
    with database.work(a_caller()) as work:
        work.record("tests:somebody:read")
    assert len(_shipped(Outbox(database))) == 1


def test_a_connection_lost_during_the_commit_leaves_the_outcome_unknown_and_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    amina = a_command(a_caller(), key="k", body={})
    assert amina.operation
    with pytest.raises(OutcomeUnknown) as refusal, database.work(amina) as work:
        work.record("tests:somebody:change")
        backend = work.execute(text("SELECT pg_backend_pid()")).scalar_one()
        really = work.connection.commit

        def cut_then_commit() -> None:
            _terminate(database, backend)
            really()

        monkeypatch.setattr(work.connection, "commit", cut_then_commit)
    assert refusal.value.extra == {"operation_id": amina.operation.id}
    outbox = Outbox(database)
    outbox.settle()
    void, mark = _shipped(outbox)
    assert (void["stream"], void["n"], void["void"], void["unknown"]) == (database.stream.id, 1, True, True)
    assert (void["attempted"]["action"], void["attempted"]["actor"]) == ("tests:somebody:change", amina.id)
    assert mark["mark"] == 1


@pytest.mark.requirement("T37")
def test_no_void_stands_over_what_was_committed_though_nobody_answered(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutcomeUnknown), database.work(a_caller()) as work:
        work.record("tests:somebody:change")
        backend = work.execute(text("SELECT pg_backend_pid()")).scalar_one()
        really = work.connection.commit

        def commit_then_cut() -> None:
            really()
            _terminate(database, backend)
            work.connection.execute(text("SELECT 1"))

        monkeypatch.setattr(work.connection, "commit", commit_then_cut)
    outbox = Outbox(database)
    outbox.settle()
    entry, mark = _shipped(outbox)
    assert (entry["n"], entry["action"], mark["mark"]) == (1, "tests:somebody:change", 1)


def test_a_number_whose_transaction_was_rolled_back_at_the_last_moment_is_shipped_as_void(database: Database) -> None:
    with pytest.raises(IntegrityError), database.work(a_caller()) as work:
        work.record("tests:somebody:change")
        work.insert_on_commit({"twice": "INSERT INTO inbox (id, name) VALUES (:id, 'x'), (:id, 'x')"}, {"id": new_id()})
    with database.work(a_caller()) as work:
        work.record("tests:somebody:read")
    outbox = Outbox(database)
    outbox.settle()
    shipped = {wire.get("n", "mark"): wire for wire in _shipped(outbox)}
    assert (shipped[1]["void"], shipped[1].get("unknown"), shipped[1]["attempted"]["action"]) == (True, None, "tests:somebody:change")
    assert shipped[2]["action"] == "tests:somebody:read"
    assert shipped["mark"]["mark"] == 2, "no number stays open"


def test_the_mark_is_announced_when_it_moved_and_at_the_stop(database: Database) -> None:
    outbox = Outbox(database)
    with database.work(a_caller()) as work:
        work.record("tests:somebody:read")
    outbox.settle()
    outbox.settle()
    outbox.settle(closing=True)
    marks = [(wire["stream"], wire["mark"], wire["beat"], wire.get("closed")) for wire in _shipped(outbox)[1:]]
    assert marks == [(database.stream.id, 1, 1, None), (database.stream.id, 1, 3, True)]


def test_a_process_that_died_is_announced_by_the_next_with_what_it_had_settled(database: Database) -> None:
    dead = "01a20397-fe57-7628-8104-2190e0ace6c1"
    with database.system_transaction() as connection:
        connection.execute(text("INSERT INTO streams (id, certificate, mark) VALUES (:dead, '{\"certificate\": 1}', 2)"), {"dead": dead})
        connection.execute(
            text("INSERT INTO entries (stream, n, body, done) SELECT :dead, n, '{}', true FROM unnest(ARRAY[1, 2, 4]) AS n"),
            {"dead": dead},
        )
    outbox = Outbox(database)
    for _ in range(DEAD_AFTER_LOOKS - 1):
        assert outbox.close_dead_streams() == 0, "it may still settle something"
    with database.system_transaction() as connection:
        connection.execute(text("UPDATE streams SET settled_at = clock_timestamp() WHERE id = :dead"), {"dead": dead})
    for _ in range(DEAD_AFTER_LOOKS):
        assert outbox.close_dead_streams() == 0, "it lives"
        with database.system_transaction() as connection:
            connection.execute(text("UPDATE streams SET settled_at = clock_timestamp() WHERE id = :dead"), {"dead": dead})
    assert [outbox.close_dead_streams() for _ in range(DEAD_AFTER_LOOKS)] == [0] * (DEAD_AFTER_LOOKS - 1) + [1]
    assert outbox.close_dead_streams() == 0
    (wire,) = _shipped(outbox)
    assert {k: v for k, v in wire.items() if k != "at"} == {"stream": dead, "mark": 2, "crashed": True, "highest": 4, "by": database.stream.id}


def test_no_unit_of_work_is_opened_inside_another(database: Database) -> None:
    with database.work(a_caller()), pytest.raises(RuntimeError, match="nest"), database.work(a_caller()):
        pass


def _terminate(database: Database, backend: int) -> None:
    """Cut one connection of this role, from another connection of the same role."""
    from sqlalchemy import NullPool, create_engine

    engine = create_engine(database.engine.url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
