"""A row of the outbox waits until the broker has confirmed its message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.identity import ServiceKey
from services.chassis.messages import Announcement
from services.chassis.outbox.store import DEAD_AFTER_LOOKS, Answer, Outbox
from services.chassis.transport.publisher import Message
from tests.support import Databases, a_caller
from tests.support.keys import key_of


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "tests:somebody:moved"
    somebody_id: str


class Away(Exception):
    """The broker ended before it confirmed anything."""


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    with databases.opened("interactions") as opened:
        Outbox(opened).open_stream()
        yield opened


class Broker:
    """Answers each message as the test says, and stores the messages."""

    def __init__(self, answer: Callable[[Message], Answer] = lambda _: True) -> None:
        self._answer = answer
        self.sent: list[dict[str, Any]] = []

    def __call__(self, messages: Sequence[Message]) -> list[Answer]:
        for message in messages:
            body = orjson.loads(message.body)
            self.sent += body["entries"] if message.exchange == "audit" else [body]
        return [self._answer(message) for message in messages]

    @property
    def entries(self) -> list[int]:
        """The numbers of the received entries, in order; number 0, the certificate, comes first each time."""
        return sorted(each["n"] for each in self.sent if each.get("n"))

    @property
    def announced(self) -> list[str]:
        """Whose moves were announced."""
        return sorted(each["fields"]["somebody_id"] for each in self.sent if "stream" not in each)


def _moved(database: Database, *somebody: str) -> None:
    with database.work(a_caller()) as work:
        for each in somebody:
            work.announce(Moved(each))
            work.record("tests:somebody:move", subjects=[each])


def _waiting(database: Database) -> dict[str, int]:
    with database.system_transaction() as connection:
        counted = {
            table: int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE NOT done")).scalar_one()) for table in ("entries", "outbox")
        }
        # What found no queue has stepped back; the tests don't wait for it.
        connection.execute(text("UPDATE outbox SET due_at = clock_timestamp() WHERE NOT done"))
    return counted


@pytest.mark.requirement("R118", "R120")
@pytest.mark.parametrize("answer", [False, None])
def test_what_the_broker_did_not_confirm_is_shipped_again_until_it_does(database: Database, answer: Answer) -> None:
    _moved(database, "1", "2", "3")
    outbox = Outbox(database)
    for _ in range(3):
        deaf = Broker(lambda _: answer)
        assert outbox.ship(deaf) == 0
        assert (deaf.entries, deaf.announced) == ([1, 2, 3], ["1", "2", "3"])
        assert _waiting(database) == {"entries": 3, "outbox": 3}
    well = Broker()
    assert outbox.ship(well) == 6
    assert (well.entries, well.announced) == ([1, 2, 3], ["1", "2", "3"])
    assert _waiting(database) == {"entries": 0, "outbox": 0}
    assert outbox.ship(well) == 0, "and then never again"


@pytest.mark.requirement("R118", "R120")
@pytest.mark.parametrize("lost", ["audit", "announcements"])
def test_what_was_under_way_when_the_broker_went_is_shipped_again(database: Database, lost: str) -> None:
    _moved(database, "1", "2")

    def gone(message: Message) -> Answer:
        if message.exchange == lost:
            raise Away
        return True

    with pytest.raises(Away):
        Outbox(database).ship(Broker(gone))
    assert _waiting(database) == ({"entries": 2, "outbox": 2} if lost == "audit" else {"entries": 0, "outbox": 2})
    well = Broker()
    Outbox(database).ship(well)
    assert well.announced == ["1", "2"]
    assert well.entries == ([1, 2] if lost == "audit" else [])


@pytest.mark.requirement("R118", "R120")
@pytest.mark.parametrize("confirmed", ["audit", "announcements"])
def test_one_kind_confirmed_says_nothing_of_the_other(database: Database, confirmed: str) -> None:
    _moved(database, "1", "2")
    assert Outbox(database).ship(Broker(lambda message: message.exchange == confirmed)) == 2
    assert _waiting(database) == {"entries": 0 if confirmed == "audit" else 2, "outbox": 2 if confirmed == "audit" else 0}


@pytest.mark.requirement("R118")
def test_of_several_announcements_each_waits_for_its_own_answer(database: Database) -> None:
    _moved(database, "1", "2", "3", "4")

    def some(message: Message) -> Answer:
        if message.exchange == "audit":
            return True
        return {"1": True, "2": False, "3": None, "4": True}[orjson.loads(message.body)["fields"]["somebody_id"]]

    assert Outbox(database).ship(Broker(some)) == 6
    assert _waiting(database) == {"entries": 0, "outbox": 2}
    again = Broker()
    Outbox(database).ship(again)
    assert again.announced == ["2", "3"]


@pytest.mark.requirement("R118", "T37")
def test_a_process_goes_on_as_another_stream_and_settles_what_it_had_begun(database: Database) -> None:
    outbox, broker = Outbox(database), Broker()
    former = database.stream.id
    _moved(database, "1")
    with pytest.raises(ZeroDivisionError), database.work(a_caller()) as work:
        work.record("tests:somebody:move", subjects=["2"])
        database.switch_stream(Stream(ServiceKey.generate(database.service)))
        raise ZeroDivisionError
    outbox.open_stream()
    with database.work(a_caller()) as under_way:
        under_way.record("tests:somebody:move", subjects=["3"])
        (begun,) = database.ending[0].take([{"subjects": ["4"]}])
        outbox.settle()
        assert [stream.id for stream in database.ending] == [former], "a number of it is open"
        beats = [each["stream"] for each in orjson.loads(outbox.beat().body)["entries"]]
        assert beats == [former, former, database.stream.id, database.stream.id]
        database.ending[0].voided([begun.n], unknown=False)
    outbox.settle()
    outbox.ship(broker)
    assert database.ending == []
    assert outbox.close_dead_streams() == 0
    of_former = [each for each in broker.sent if each.get("stream") == former]
    assert [each["n"] for each in of_former if each.get("n", 0) > 0] == [1, 2]
    assert [each["mark"] for each in of_former if each.get("closed")] == [2]
    assert [each["n"] for each in broker.sent if each.get("stream") == database.stream.id and each.get("n", 0) > 0] == [1]
    with database.system_transaction() as connection:
        closed = connection.execute(
            text("SELECT id::text, closed_at IS NOT NULL FROM streams WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY 2"),
            {"ids": [former, database.stream.id]},
        ).all()
    assert closed == [(database.stream.id, False), (former, True)]


@pytest.mark.requirement("R118", "R120")
def test_voids_and_marks_wait_for_their_confirm_as_well(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.work(a_caller()) as work:
        work.record("tests:somebody:move", subjects=["1"])
        raise ZeroDivisionError
    outbox = Outbox(database)
    outbox.settle()
    outbox.ship(Broker())
    _moved(database, "2")
    outbox.settle(closing=True)
    before = _waiting(database)["entries"]
    assert before > 0
    deaf = Broker(lambda _: False)
    outbox.ship(deaf)
    assert _waiting(database)["entries"] == before
    well = Broker()
    outbox.ship(well)
    assert [entry for entry in deaf.sent if "stream" in entry] == [entry for entry in well.sent if "stream" in entry]
    assert any(entry.get("closed") for entry in well.sent)
    assert _waiting(database)["entries"] == 0


@pytest.mark.requirement("R118")
def test_a_mark_and_the_end_of_a_dead_process_are_written_without_reading_what_other_processes_wrote(database: Database) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(Engine, "before_cursor_execute", note := lambda _c, _u, statement, given, *_: asked.append((statement, given)))
    try:
        outbox, dead = Outbox(database), Stream(key_of("interactions"))
        with database.system_transaction() as connection:
            register = text("INSERT INTO streams (id, certificate) VALUES (:id, :certificate)")
            connection.execute(register, {"id": dead.id, "certificate": dead.certificate})
            others = "SELECT gen_random_uuid(), n, '{}', true FROM generate_series(1, 20000) AS n"
            connection.execute(text(f"INSERT INTO entries (stream, n, body, done) {others}"))
        _moved(database, "amina")
        outbox.settle()
        assert sum(outbox.close_dead_streams() for _ in range(DEAD_AFTER_LOOKS)) == 1
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    found = [(statement, given) for statement, given in asked if "FROM entries WHERE stream" in statement]
    assert {statement.split()[0] for statement, _ in found} == {"INSERT", "SELECT"}
    with database.system_transaction() as connection:
        for statement, given in found:
            (plan,) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", given).scalar_one()
            assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 40, plan
        connection.rollback()


@pytest.mark.requirement("R120")
def test_the_end_of_a_dead_process_goes_out_with_the_certificates_of_both_it_and_of_who_says_so(database: Database) -> None:
    outbox, dead = Outbox(database), Stream(key_of("interactions"))
    with database.system_transaction() as connection:
        connection.execute(text("INSERT INTO streams (id, certificate) VALUES (:id, :certificate)"), {"id": dead.id, "certificate": dead.certificate})
    assert sum(outbox.close_dead_streams() for _ in range(DEAD_AFTER_LOOKS)) == 1
    broker = Broker()
    outbox.ship(broker)
    *certificates, end = broker.sent
    assert (end["stream"], end["by"]) == (dead.id, database.stream.id)
    assert {(line["stream"], line["n"]) for line in certificates} == {(dead.id, 0), (database.stream.id, 0)}
