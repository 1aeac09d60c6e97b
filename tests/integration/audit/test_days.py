"""Daily partitions of a service's outbox: made ahead; dropped when the day is over, shipped, and covered by a seen checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import eventlet
import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.audit.contract.schemas import COVERED_AT_ONCE, CoverageQuerySchema
from services.audit.usecases import reading
from services.audit.usecases.sequencing import Sequencer
from services.chassis.database import Database, entry_of, work_is_open
from services.chassis.database.stream import Stream
from services.chassis.messages import Caller, CheckpointSigned, new_id
from services.chassis.outbox import partitions as chassis_days
from services.chassis.outbox.partitions import ASKED, KEPT, OutboxPartitions
from services.chassis.outbox.store import Outbox
from services.chassis.runtime.witness import Witness, keep_checkpoint
from services.chassis.signals import reset_stop_check, set_stop_check
from services.interactions.contract.announcements import InteractionWithdrawn
from tests.integration.audit.conftest import Trail, with_driver
from tests.support import Databases, a_caller
from tests.support.databases import Addresses
from tests.support.keys import key_of

INTERACTIONS = Caller.service("interactions")


class Service:
    """Interactions' outbox, the trail of its entries, and its passing days."""

    def __init__(self, addresses: Addresses, trail: Trail) -> None:
        """Begin with nothing."""
        self.addresses = addresses
        self.trail = trail
        self.database = Database(addresses.runtime, service="interactions", stream=Stream(key_of("interactions")), pool_size=5)
        self.audit = Database(trail.addresses.runtime, service="audit", stream=Stream(key_of("audit")), pool_size=2)
        self.days = OutboxPartitions(self.database)
        #: What was asked of audit, by numbers.
        self.asked: list[int] = []

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
        self.audit.close()

    def does(self, count: int = 1, *, by: Caller | None = None) -> None:
        """Write an entry and an announcement so many times."""
        for _ in range(count):
            with self.database.work(by or a_caller()) as work:
                work.record("interactions:interaction:withdraw")
                work.announce(InteractionWithdrawn(new_id()))

    def ages(self, by: int = KEPT + 1, *, own_partition: bool = True) -> date:
        """Make everything so far so many days old; return its day."""
        day = datetime.now(UTC).date() - timedelta(days=by)
        with self.owner() as connection:
            for parent in ("entries", "outbox"):
                if own_partition:
                    part = f"{parent}_{day:%Y%m%d}"
                    connection.execute(
                        text(f"CREATE TABLE IF NOT EXISTS {part} PARTITION OF {parent} FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')")
                    )
                connection.execute(text(f"UPDATE {parent} SET day = '{day}' WHERE day > '{day}'"))
        return day

    def ship(self, lost: Callable[[dict[str, Any]], bool] = lambda _: False, *, sign: bool = True) -> None:
        """Ship everything into the trail, except lines that are lost after the broker confirmed them; sign, and show the checkpoint."""

        def publish(messages: Sequence[Any]) -> list[bool]:
            for message in messages:
                if message.exchange == "audit":
                    lines = [line for line in orjson.loads(message.body)["entries"] if not lost(line)]
                    with self.trail.leading() as sequencer:
                        sequencer.take(lines, now=self.trail.now)
            return [True] * len(messages)

        while Outbox(self.database).ship(publish):
            pass
        if sign:
            self.sign()

    def sign(self, *, seen: bool = True) -> None:
        """Sign a checkpoint, and show it to the service."""
        with self.trail.leading() as sequencer:
            sequencer.sign(now=self.trail.now)
            if seen:
                self._sees(sequencer)

    def sees_the_last(self) -> None:
        """Show the service the last checkpoint."""
        with self.trail.leading() as sequencer:
            self._sees(sequencer)

    def _sees(self, sequencer: Sequencer) -> None:
        assert sequencer.signed is not None
        proofs = tuple(sequencer.unannounced() or ())
        with self.database.work(INTERACTIONS) as work:
            keep_checkpoint(work, self.trail.key.verifier, CheckpointSigned(sequencer.signed.size, sequencer.note, proofs))

    def ask(self, size: int, ranges: Sequence[dict[str, Any]]) -> Sequence[int]:
        """Call audit, as over the bus."""
        self.asked.append(sum(each["last"] - each["first"] + 1 for each in ranges))
        with self.audit.work(INTERACTIONS) as work:
            return reading.find_uncovered(work, CoverageQuerySchema().load({"size": size, "ranges": ranges}))["lacking"]

    def drops(self) -> list[date]:
        """Drop what may be dropped; return which days."""
        return self.days.drop_covered(self.ask, INTERACTIONS)

    def held(self, day: date) -> int:
        """Count the entries of a day; there must be as many announcements."""
        with self.database.system_transaction() as connection:
            entries, announcements = (
                int(connection.execute(text(f"SELECT count(*) FROM {parent} WHERE day = :day AND {own}"), {"day": day}).scalar_one())
                for parent, own in (("entries", "n > 0 AND body ->> 'action' = 'interactions:interaction:withdraw'"), ("outbox", "true"))
            )
        assert entries == announcements
        return entries

    def partitions(self) -> set[str]:
        """Return the names of the days' partitions."""
        with self.database.system_transaction() as connection:
            return set(connection.execute(text("SELECT relname FROM pg_class WHERE relname ~ '^(outbox|entries)_[0-9]{8}$'")).scalars())

    @contextmanager
    def owner(self) -> Iterator[sa.Connection]:
        """Run a statement as the tables' owner."""
        engine = sa.create_engine(with_driver(self.addresses.owner), poolclass=sa.NullPool)
        with engine.begin() as connection:
            yield connection


@pytest.fixture
def service(databases: Databases, own_trail: Trail) -> Iterator[Service]:
    """Interactions, with a trail of its own."""
    addresses = databases.make("interactions")
    service = Service(addresses, own_trail)
    yield service
    service.close()
    databases.drop(addresses)


def test_days_to_come_get_partitions_and_once_they_are_there_nobody_is_locked_out(service: Service) -> None:
    service.days.make()
    tomorrow, after = (datetime.now(UTC).date() + timedelta(days=days) for days in (1, 2))
    assert service.partitions() == {f"{parent}_{day:%Y%m%d}" for parent in ("outbox", "entries") for day in (tomorrow, after)}
    with service.database.system_transaction() as writing:
        writing.execute(text("LOCK TABLE entries, outbox IN ROW EXCLUSIVE MODE"))
        with service.database.system_transaction() as connection:
            connection.execute(text("SELECT outbox_roll()"))
            locks = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
            assert connection.execute(text(locks)).scalar_one() == 0


@pytest.mark.requirement("R124", "R126")
@pytest.mark.parametrize("own_partition", [True, False])
def test_a_day_that_is_over_shipped_and_covered_is_dropped_and_the_trail_still_verifies(service: Service, own_partition: bool) -> None:
    service.does(30)
    service.ship()
    day = service.ages(own_partition=own_partition)
    service.does(3)
    service.ship()
    assert service.drops() == [day]
    assert (service.held(day), service.held(datetime.now(UTC).date())) == (0, 3)
    assert not service.partitions()
    assert service.drops() == []
    service.ship()
    assert service.trail.verify().ok
    (dropped,) = service.trail.sql("SELECT body FROM trail WHERE action = 'interactions:outbox-day:drop'")
    assert orjson.loads(dropped.body)["rule"] == day.isoformat()


@pytest.mark.requirement("R126")
def test_the_last_week_stays_for_an_operator_to_look_into(service: Service) -> None:
    service.does(3)
    service.ship()
    service.ages(KEPT)
    assert service.drops() == []
    with service.database.system_transaction() as connection:
        day = datetime.now(UTC).date() - timedelta(days=KEPT)
        assert connection.execute(text("SELECT outbox_drop(:day)"), {"day": day}).scalar_one() is False


@pytest.mark.requirement("R126")
def test_nothing_is_dropped_of_a_day_with_a_row_that_still_waits(service: Service) -> None:
    service.does(3)
    service.ship()
    service.does()
    day = service.ages()
    service.sign()
    assert service.drops() == []
    with service.database.system_transaction() as connection:
        assert connection.execute(text("SELECT outbox_drop(:day)"), {"day": day}).scalar_one() is False
    assert service.held(day) == 4


@pytest.mark.requirement("R124", "R126")
@pytest.mark.parametrize(
    "lost",
    [
        lambda line: line.get("n") == 5,
        lambda line: line.get("n") == 1,
        lambda line: line.get("n") == 9,
        bool,
    ],
    ids=["one in the middle", "the first", "the last", "all"],
)
def test_nothing_is_dropped_of_a_day_with_an_entry_that_the_trail_does_not_have(service: Service, lost: Callable[[Any], bool]) -> None:
    """A line that the broker confirmed and lost may have its only row here."""
    service.does(9)
    service.ship(lost, sign=False)
    day = service.ages()
    service.does()
    service.ship()
    assert service.drops() == []
    assert service.held(day) == 9


@pytest.mark.requirement("R124", "R126")
def test_a_hole_that_audit_gave_up_waiting_for_is_no_cover(service: Service) -> None:
    service.does(9)
    Outbox(service.database).settle()
    service.ship(lambda line: line.get("n") == 5)
    with service.trail.leading() as sequencer:
        found = sequencer.inspect(now=service.trail.now + timedelta(hours=1))
    assert [finding.kind for finding in found] == ["hole"]
    day = service.ages()
    assert service.drops() == []
    assert service.held(day) > 0


@pytest.mark.requirement("R124", "R126")
def test_what_the_service_has_not_seen_under_a_checkpoint_is_no_cover(service: Service) -> None:
    service.does(2)
    service.ship(sign=False)
    day = service.ages()
    assert service.drops() == [], "it has seen no checkpoint at all"
    service.sign(seen=False)
    assert service.drops() == [], "one was signed, and it has not seen it"
    service.does()
    service.ship()
    assert service.drops() == [day]
    service.does()
    service.ship(sign=False)
    later = service.ages()
    service.sign(seen=False)
    assert service.drops() == [], "what it has seen was signed before that"
    service.sees_the_last()
    assert service.drops() == [later]


@pytest.mark.requirement("R124", "R126")
def test_an_entry_is_covered_by_itself_and_by_nothing_else_of_its_number(service: Service) -> None:
    service.does(3)

    def garbled(line: dict[str, Any]) -> bool:
        if line.get("n") == 2:
            line.pop("actor")
        return False

    service.ship(garbled)
    assert service.trail.sql("SELECT kind FROM trail WHERE n = 2") == [], "what its process did not sign is not taken in"
    day = service.ages()
    assert service.drops() == []
    assert service.held(day) == 3


def test_numbers_that_a_crash_took_and_failed_commits_do_not_keep_a_day(service: Service) -> None:
    service.does(3)
    attempted = entry_of(a_caller(), service="interactions", at=datetime.now(UTC), action="x:y", subjects=(), fields=(), outcome="allowed", rule=None)
    service.database.stream.take([attempted] * 4)  # taken by a process that dies before its commit
    service.does(3)
    service.database.stream.voided([5], unknown=True)
    service.database.stream.voided([6], unknown=False)
    Outbox(service.database).settle()
    service.ship()
    day = service.ages()
    assert service.drops() == [day]


def test_a_day_of_many_numbers_is_asked_for_in_parts_that_audit_takes(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ASKED <= COVERED_AT_ONCE
    monkeypatch.setattr(chassis_days, "ASKED", 7)
    service.does(20)
    service.ship()
    day = service.ages()
    assert service.drops() == [day]
    assert service.asked == [7, 7, 6]


def test_two_processes_at_once_drop_a_day_once(service: Service) -> None:
    service.does(5)
    service.ship()
    day = service.ages()
    dropped = list(eventlet.GreenPool(2).imap(lambda _: service.drops(), range(2)))
    assert sorted(dropped, key=len) == [[], [day]]


def test_dropping_gives_way_to_whoever_writes_and_is_tried_again(service: Service) -> None:
    service.does(5)
    service.ship()
    day = service.ages()
    with service.database.system_transaction() as writing:
        writing.execute(text("INSERT INTO entries (stream, n, body, done) VALUES (:stream, -1, '{}', true)"), {"stream": new_id()})
        # Whoever writes next waits behind the one who wants to drop: not for as long as a lock may be waited for.
        with eventlet.Timeout(4):
            assert service.drops() == []
    assert service.held(day) == 5
    assert service.drops() == [day]


def test_dropping_while_everybody_writes_deadlocks_nobody_and_comes_to_its_end(service: Service) -> None:
    old = [datetime.now(UTC).date() - timedelta(days=KEPT + ago) for ago in range(1, 21)]
    with service.owner() as connection:
        for day in old:
            for parent in ("entries", "outbox"):
                part = f"{parent}_{day:%Y%m%d}"
                connection.execute(text(f"CREATE TABLE {part} PARTITION OF {parent} FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"))
    service.does()
    service.ship()
    stop: list[bool] = []

    def write() -> int:
        done = 0
        while not stop:
            service.does()
            done += 1
        return done

    writers = [eventlet.spawn(write) for _ in range(3)]
    dropped: list[date] = []
    with eventlet.Timeout(60):
        while len(dropped) < len(old):
            service.days.make()
            dropped += service.drops()
    stop.append(True)
    assert all(writer.wait() > 0 for writer in writers)
    assert sorted(dropped) == sorted(old)


def test_asked_to_stop_it_leaves_the_other_days_to_the_next_process(service: Service) -> None:
    days = []
    for by in (13, 12, 11):
        service.does(5)
        service.ship()
        days.append(service.ages(by=by))
    asked: list[int] = []
    token = set_stop_check(lambda: len(service.asked) > len(asked))
    try:
        for n, _ in enumerate(days):
            asked = list(service.asked)
            # It ends behind the day that is under way, without asking about another.
            assert len(service.drops()) == 1
            assert len(service.asked) == n + 1
    finally:
        reset_stop_check(token)
    assert [service.held(day) for day in days] == [0, 0, 0]
    assert service.drops() == []
    service.ship()
    dropped = service.trail.sql("SELECT body FROM trail WHERE action = 'interactions:outbox-day:drop'")
    assert len(dropped) == len(days), "each once"


@pytest.mark.requirement("R126")
def test_every_service_asks_audit_over_the_bus(service: Service) -> None:
    service.does(5)
    service.ship()
    day = service.ages()
    called: list[tuple[str, str]] = []

    class Asked:
        def call(self, callee: str, method: str, caller: Caller, *, size: int, ranges: list[dict[str, Any]]) -> dict[str, Any]:
            assert not work_is_open()
            assert caller == INTERACTIONS
            called.append((callee, method))
            CoverageQuerySchema().load({"size": size, "ranges": ranges})
            return {"lacking": service.ask(size, ranges)}

    witness = Witness()
    witness.database, witness.bus = service.database, Asked()  # type: ignore[assignment]  # all of the bus that is used
    witness.drop_covered_days(INTERACTIONS)
    assert called == [("audit", "find_uncovered")]
    assert service.held(day) == 0
