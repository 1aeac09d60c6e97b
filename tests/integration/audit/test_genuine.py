"""P7 before the tree: lines that a service's process did not write are found, and missing lines are noticed.

Each of the five services, with its database in the hands of a superuser or of its own role, and its broker account in
anybody's. Each class runs once in two of the services (in the soak 100 times in each), with five clean runs (1,000).
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from deploy.migrations import SERVICES
from services.audit.domain.records import Finding
from services.audit.usecases.stream_tracking import HOLE_AFTER, SILENT_AFTER
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.identity import RETIRED, ServiceKey, ServiceKeys
from services.chassis.messages import Caller, OutcomeUnknown, new_id
from services.chassis.outbox.store import BATCH, DEAD_AFTER_LOOKS, Outbox
from tests.integration.audit.conftest import Taking, Trail, with_driver
from tests.rows import figure
from tests.support import Databases
from tests.support.databases import Addresses
from tests.support.keys import key_of, public_keys

pytestmark = [pytest.mark.requirement("T37", "R124", "N2"), pytest.mark.row("P7")]

POSITIONS = figure(100, 1, given="P7_POSITIONS")
SERVICES_A_CLASS = figure(len(SERVICES), 2, given="P7_SERVICES")
CLEAN_RUNS = figure(1000, 5, given="P7_CLEAN")
ENTRIES = 5
BEAT = timedelta(seconds=10)


@dataclass
class Process:
    """One process of a service: its stream, and the part of it that reaches audit."""

    service: str
    addresses: Addresses
    stack: ExitStack
    beats: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = Database(self.addresses.runtime, service=self.service, stream=Stream(key_of(self.service)), pool_size=2)
        self.stack.callback(self.database.close)
        self.stack.callback(self.leave_nothing)
        self.outbox = Outbox(self.database)
        self.outbox.open_stream()
        assert self.outbox.oldest_waiting() is None, "it would ship what somebody else left behind"

    def leave_nothing(self) -> None:
        """Stop later processes of this database from shipping what it wrote, or closing what it began."""
        with self.database.system_transaction() as connection:
            shipped = "WITH shipped AS (UPDATE entries SET done = true WHERE NOT done)"
            connection.execute(text(f"{shipped} UPDATE streams SET closed_at = clock_timestamp() WHERE closed_at IS NULL"))

    @property
    def stream(self) -> str:
        return self.database.stream.id

    def does(self, count: int = 1) -> None:
        with self.database.work(Caller.service(self.service)) as work:
            for _ in range(count):
                work.record("tests:thing:change", subjects=[new_id()])

    def beat(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = orjson.loads(self.outbox.beat().body)["entries"]
        return lines

    def ship(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        while self.outbox.ship(lambda messages: [lines.extend(orjson.loads(message.body)["entries"]) is None for message in messages]) == BATCH:
            pass
        return lines

    def lines(self) -> list[dict[str, Any]]:
        with self.database.system_transaction() as connection:
            rows = connection.execute(text("SELECT body FROM entries WHERE stream = :stream AND n > 0 ORDER BY n"), {"stream": self.stream})
            return list(rows.scalars())


class Audit:
    """Audit, which gets with each line the account that sent it."""

    def __init__(self, sequencer: Taking, now: datetime) -> None:
        self.sequencer = sequencer
        self.now = now

    def hears(self, lines: list[dict[str, Any]], account: str) -> list[Finding]:
        return self.sequencer.take(lines, now=self.now, account=account)

    def looks(self, after: timedelta, stream: str) -> list[Finding]:
        self.now += after
        return [finding for finding in self.sequencer.inspect(now=self.now, silence=True) if finding.stream == stream]


@pytest.fixture(scope="module")
def stores(databases: Databases) -> Iterator[dict[str, Addresses]]:
    made = {service: databases.make(service) for service in SERVICES}
    yield made
    for addresses in made.values():
        databases.drop(addresses)


@pytest.fixture
def trail(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    # By the processes' own clock, or audit would take all that they record for too young to be looked into.
    made = Trail(databases.make("audit"), tmp_path_factory.mktemp("genuine"), now=datetime.now(UTC))
    yield made
    databases.drop(made.addresses)


@pytest.fixture
def audit(trail: Trail) -> Iterator[Audit]:
    with trail.leading(account_of=lambda service: service) as sequencer:
        yield (heard := Audit(sequencer, trail.now))
        sequencer.sign(now=heard.now)


@pytest.fixture(scope="module")
def chance() -> random.Random:
    seed = int(os.environ.get("SEED_P7", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}, {POSITIONS} positions of each class in each of {SERVICES_A_CLASS} services, {CLEAN_RUNS} clean runs")
    return random.Random(seed)


Sql = Callable[..., Any]


@contextmanager
def holding(url: str) -> Iterator[Sql]:
    """Yield what somebody with a database's address can do."""
    engine = sa.create_engine(with_driver(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield lambda statement, **values: connection.execute(text(statement), values)


@pytest.fixture
def anywhere(trail: Trail) -> Iterator[Sql]:
    """Yield what a superuser of the server can do."""
    with holding(trail.addresses.superuser) as sql:
        yield sql


#: (process, number, chance, sql) → (kind, number) of what is found. Each is done before anything was shipped.
Attack = Callable[[Process, int, random.Random, Sql], tuple[str, int]]
_PUT = "INSERT INTO entries (stream, n, body) VALUES (:stream, :n, CAST(:body AS json))"
_CHANGE = "UPDATE entries SET body = CAST(:body AS json) WHERE stream = :stream AND n = :n"


def put(sql: Sql, statement: str, line: dict[str, Any], *, n: int | None = None) -> None:
    assert sql(statement, stream=line["stream"], n=line["n"] if n is None else n, body=orjson.dumps(line).decode()).rowcount == 1


def alters_an_entry(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    line = process.lines()[n - 1]
    name = chance.choice(["actor", "at", "action", "outcome", "trace_id", "prev"])
    put(sql, _CHANGE, {**line, name: {"action": "a:b", "at": "2026-11-22T09:00:00.000Z", "prev": "1" * 64}.get(name, "another")})
    return "forged", n


def voids_an_entry(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    line = process.lines()[n - 1]
    following = {line["n"]: line["prev"] for line in process.lines()}
    attempted = {name: value for name, value in line.items() if name not in {"stream", "n", "prev", "signature"}}
    true_to_form = {"prev": line["prev"], "signature": line["signature"], "replaced": following.get(n + 1, "0" * 64), "attempted": attempted}
    put(sql, _CHANGE, {"stream": line["stream"], "n": n, "void": True} | chance.choice([{}, {"unknown": True}, true_to_form]))
    return "forged", n


def takes_an_entry_away(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    assert sql("DELETE FROM entries WHERE stream = :stream AND n = :n", stream=process.stream, n=n).rowcount == 1
    return "hole", n


def says_that_it_was_shipped(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    assert sql("UPDATE entries SET done = true WHERE stream = :stream AND n = :n", stream=process.stream, n=n).rowcount == 1
    return "hole", n


def invents_an_entry(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    line = process.lines()[n - 1] | {"n": ENTRIES + 1, "actor": new_id()}
    put(sql, _PUT, line | {"service": chance.choice(SERVICES)})
    return "forged", ENTRIES + 1


def repeats_an_entry_under_another_number(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    put(sql, _PUT, process.lines()[n - 1] | {"n": ENTRIES + n})
    return "forged", ENTRIES + n


def closes_the_stream(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    said = chance.choice([{"closed": True}, {"crashed": True, "highest": ENTRIES, "by": process.stream}])
    mark = process.beat()[-1] | {"mark": n - 1} | said
    put(sql, _PUT, mark | {"beat": 9000}, n=-1000)
    return "forged", n - 1


def makes_its_mark_jump(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    put(sql, _PUT, process.beat()[-1] | {"mark": 2**53 - n}, n=-1000)
    return "forged", 2**53 - n


def opens_a_stream_of_its_own(process: Process, n: int, chance: random.Random, sql: Sql) -> tuple[str, int]:
    """With its own key: the finding is about a stream that its process never had."""
    stranger = Stream(ServiceKey.generate(process.service))
    sql("INSERT INTO streams (id, certificate) VALUES (:id, :certificate)", id=stranger.id, certificate=stranger.certificate)
    (entry,) = stranger.take([{name: value for name, value in process.lines()[n - 1].items() if name not in {"stream", "n", "prev", "signature"}}])
    put(sql, _PUT, entry.body)
    process.other = stranger.id  # type: ignore[attr-defined]
    return "forged", chance.choice([0, 1])


IN_THE_DATABASE: list[Attack] = [
    alters_an_entry,
    voids_an_entry,
    takes_an_entry_away,
    says_that_it_was_shipped,
    invents_an_entry,
    repeats_an_entry_under_another_number,
    closes_the_stream,
    makes_its_mark_jump,
    opens_a_stream_of_its_own,
]
#: What a service's own role may not do at all.
FORBIDDEN = {alters_an_entry, voids_an_entry, takes_an_entry_away}


def found_of(process: Process, audit: Audit, sent: list[dict[str, Any]]) -> list[Finding]:
    found = audit.hears(sent, process.service)
    process.outbox.settle()
    found += audit.hears(process.ship(), process.service)
    found += audit.hears(process.beat(), process.service)
    stream = getattr(process, "other", process.stream)
    found += audit.looks(HOLE_AFTER + timedelta(seconds=1), process.stream)
    return [finding for finding in found if finding.stream == stream]


@pytest.mark.parametrize("attack", IN_THE_DATABASE, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("holder", ["superuser", "runtime"])
def test_what_is_done_in_a_services_database_is_found_with_service_stream_and_number(
    stores: dict[str, Addresses], audit: Audit, chance: random.Random, attack: Attack, holder: str
) -> None:
    for service in chance.sample(list(SERVICES), SERVICES_A_CLASS):
        for _ in range(POSITIONS):
            with ExitStack() as stack:
                process = Process(service, stores[service], stack)
                beat = process.beat()
                process.does(ENTRIES)
                if holder == "runtime" and attack in FORBIDDEN:
                    with pytest.raises(ProgrammingError), holding(process.addresses.runtime) as sql:
                        attack(process, chance.randint(1, ENTRIES), chance, sql)
                    continue
                with holding(getattr(process.addresses, holder)) as sql:
                    kind, n = attack(process, chance.randint(1, ENTRIES), chance, sql)
                found = found_of(process, audit, beat)
                assert (kind, service, n) in {(finding.kind, finding.service, finding.n) for finding in found}, (service, n, found)
                assert {finding.kind for finding in found} <= {kind, "hole", "silent"}


FROM_THE_ACCOUNT: list[Attack] = [attack for attack in IN_THE_DATABASE if attack not in {takes_an_entry_away, says_that_it_was_shipped}]


@pytest.mark.parametrize("attack", FROM_THE_ACCOUNT, ids=lambda attack: attack.__name__)
def test_what_is_sent_from_a_services_account_or_in_its_name_from_another_is_found(
    stores: dict[str, Addresses], audit: Audit, chance: random.Random, attack: Attack
) -> None:
    for service in chance.sample(list(SERVICES), SERVICES_A_CLASS):
        for _ in range(POSITIONS):
            with ExitStack() as stack:
                process = Process(service, stores[service], stack)
                audit.hears(process.beat(), service)
                process.does(ENTRIES)
                sent: list[dict[str, Any]] = []

                def sends(_statement: str, sent: list[dict[str, Any]] = sent, **values: Any) -> Any:
                    sent.append(orjson.loads(values["body"] if "body" in values else values["certificate"]))
                    return _One

                kind, n = attack(process, chance.randint(1, ENTRIES), chance, sends)
                genuine = process.ship()
                stream = getattr(process, "other", process.stream)
                found = audit.hears(sent, service)
                assert (kind, service, stream, n) in {(f.kind, f.service, f.stream, f.n) for f in found}, (service, found)
                other = chance.choice([name for name in SERVICES if name != service])
                found = audit.hears(genuine, other)
                assert {(f.kind, f.service, f.stream, f.n) for f in found} == {("sender", service, process.stream, n) for n in range(1, ENTRIES + 1)}
                assert audit.hears(genuine, service) == []


@pytest.mark.requirement("T37", "R123")
def test_a_services_key_is_replaced_under_a_process_that_goes_on_and_a_retired_one_certifies_nothing_new(
    stores: dict[str, Addresses], own_trail: Trail
) -> None:
    service = "contacts"
    former, present = key_of(service), ServiceKey.generate(service)
    both = f"{present.line}\n{public_keys()}"
    retired = ServiceKeys.parse(both.replace(former.line, f"{former.line} {RETIRED}"))

    def hears(audit: Audit, process: Process) -> list[str]:
        process.does()
        process.outbox.settle()
        return [found.kind for found in audit.hears([*process.ship(), *process.beat()], service)]

    with ExitStack() as stack:
        goes_on, stays = (Process(service, stores[service], stack) for _ in range(2))
        with own_trail.leading(account_of=lambda name: name) as sequencer:
            audit = Audit(sequencer, own_trail.now)
            assert hears(audit, goes_on) == hears(audit, stays) == []
            sequencer.go_on_under(own_trail.key, ServiceKeys.parse(both), own=None)
            begun_as = goes_on.stream
            goes_on.database.switch_stream(Stream(present))
            goes_on.outbox.open_stream()
            assert hears(audit, goes_on) == hears(audit, stays) == []
            assert goes_on.stream != begun_as
            sequencer.go_on_under(own_trail.key, retired, own=None)
            comes_late = Process(service, stores[service], stack)
            assert set(hears(audit, comes_late)) == {"forged"}
            assert hears(audit, goes_on) == hears(audit, stays) == []
            sequencer.sign(now=audit.now)
        # Whoever leads next takes up what was begun under the retired key.
        with own_trail.leading(services=retired, account_of=lambda name: name) as sequencer:
            audit = Audit(sequencer, own_trail.now)
            assert hears(audit, goes_on) == hears(audit, stays) == []
            assert set(hears(audit, comes_late)) == {"forged"}
            sequencer.inspect(now=audit.now + timedelta(hours=1))
            sequencer.sign(now=audit.now)
        report = own_trail.verify(services=retired)
        assert [problem.sentence for problem in report.problems] == []
        ends = own_trail.sql(
            "SELECT body::json ->> 'closed' FROM trail WHERE body::json ->> 'stream' = :begun ORDER BY position DESC", begun=begun_as
        )
        assert ends[0] == ("true",), "what it began as is closed, though it lives"


class _One:
    rowcount = 1


def test_an_entry_that_comes_again_is_not_taken_again(stores: dict[str, Addresses], audit: Audit) -> None:
    with ExitStack() as stack:
        process = Process("contacts", stores["contacts"], stack)
        process.does(ENTRIES)
        lines = process.ship()
        audit.hears(lines, "contacts")
        size = audit.sequencer.size
        with holding(process.addresses.runtime) as sql:
            sql("UPDATE entries SET done = false WHERE stream = :stream", stream=process.stream)
        again = process.ship()
        assert len(again) == len(lines)
        assert audit.hears(again, "contacts") == []
        assert audit.sequencer.size == size


def test_a_stream_that_falls_silent_is_found_and_an_old_beat_does_not_hide_it(
    stores: dict[str, Addresses], audit: Audit, chance: random.Random
) -> None:
    service = chance.choice(SERVICES)
    with ExitStack() as stack:
        process = Process(service, stores[service], stack)
        process.does(2)
        old = process.beat()
        audit.hears(old, service)
        audit.hears(process.ship(), service)
        for _ in range(4):
            audit.hears(process.beat(), service)
            assert audit.looks(BEAT, process.stream) == []
        audit.hears(old, service)
        (finding,) = audit.looks(SILENT_AFTER, process.stream)
        assert (finding.kind, finding.service, finding.n) == ("silent", service, 2)
        audit.hears(process.beat(), service)
        assert audit.looks(BEAT, process.stream) == []


def test_a_trigger_that_makes_voids_of_a_users_entries_hides_nothing(stores: dict[str, Addresses], audit: Audit) -> None:
    """The original exploit: with contacts' database alone a user's entries became voids, and nobody noticed."""
    with ExitStack() as stack:
        process = Process("contacts", stores["contacts"], stack)
        with holding(process.addresses.superuser) as sql:
            sql(
                "CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " IF NEW.body->>'actor' = 'chloe' THEN NEW.body := json_build_object('stream', NEW.stream, 'n', NEW.n, 'void', true); END IF;"
                " RETURN NEW; END $$"
            )
            sql("CREATE TRIGGER hide BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION hide()")
        try:
            process.does()
            with process.database.work(Caller.operator("chloe")) as work:
                work.record("contacts:contact-points:reveal", subjects=[new_id()])
                actor = work.caller.id
            assert actor == "chloe"
            process.does()
            process.outbox.settle()
            found = audit.hears(process.ship(), "contacts")
            assert [(f.kind, f.service, f.stream, f.n) for f in found] == [("forged", "contacts", process.stream, 2)]
            found = audit.looks(HOLE_AFTER + timedelta(seconds=1), process.stream)
            assert ("hole", 2) in {(finding.kind, finding.n) for finding in found}
        finally:
            with holding(process.addresses.superuser) as sql:
                sql("DROP TRIGGER hide ON entries")
                sql("DROP FUNCTION hide()")


def test_clean_runs_with_rollbacks_cut_connections_and_kills_find_nothing_but_the_unproven_tails(
    stores: dict[str, Addresses], audit: Audit, trail: Trail, chance: random.Random, monkeypatch: pytest.MonkeyPatch, anywhere: Sql
) -> None:
    for _ in range(CLEAN_RUNS):
        service = chance.choice(SERVICES)
        with ExitStack() as stack:
            processes = [Process(service, stores[service], stack) for _ in range(2)]
            late: list[dict[str, Any]] = []
            for process in processes:
                assert audit.hears(process.beat(), service) == []
            for _ in range(chance.randint(1, 8)):
                process = chance.choice(processes)
                chance.choice([_does, _does, _rolls_back, _is_cut_off])(process, chance, monkeypatch, anywhere)
                if chance.random() < 0.3:
                    process.outbox.settle()
                sent = [*late, *process.ship()]
                chance.shuffle(sent)
                late = [line for line in sent if chance.random() < 0.2]
                on_time = [line for line in sent if line not in late]
                # Certificates stand at the head of every message.
                on_time.sort(key=lambda line: "certificate" not in line)
                assert audit.hears(on_time + chance.sample(on_time, len(on_time) // 3), service) == []
                assert audit.hears([line for each in processes for line in each.beat()], service) == []
                assert audit.looks(BEAT, process.stream) == []
            killed, sibling = chance.sample(processes, 2)
            for _ in range(DEAD_AFTER_LOOKS):
                sibling.outbox.close_dead_streams()
            sibling.outbox.settle(closing=True)
            assert audit.hears([*late, *sibling.ship()], service) == []
            audit.now += HOLE_AFTER + BEAT
            ours = {process.stream for process in processes}
            found = [(f.kind, f.service, f.stream) for f in audit.sequencer.inspect(now=audit.now, silence=True) if f.stream in ours]
            assert found == [("unproven-tail", service, killed.stream)]
    audit.sequencer.sign(now=audit.now)
    report = trail.verify()
    assert [problem for problem in report.problems if problem.kind != "hole"] == []


def _does(process: Process, chance: random.Random, _monkeypatch: pytest.MonkeyPatch, _anywhere: Sql) -> None:
    process.does(chance.randint(1, 3))


def _rolls_back(process: Process, _chance: random.Random, _monkeypatch: pytest.MonkeyPatch, _anywhere: Sql) -> None:
    with pytest.raises(IntegrityError), process.database.work(Caller.service(process.service)) as work:
        work.record("tests:thing:change")
        work.insert_on_commit({"twice": "INSERT INTO inbox (id, name) VALUES (:id, 'x'), (:id, 'x')"}, {"id": new_id()})


def _is_cut_off(process: Process, chance: random.Random, monkeypatch: pytest.MonkeyPatch, anywhere: Sql) -> None:
    """Lose the connection before or after the commit."""
    committed = chance.random() < 0.5
    with pytest.raises(OutcomeUnknown), process.database.work(Caller.service(process.service)) as work:
        work.record("tests:thing:change")
        connection = work.connection
        really = connection.commit

        def cut() -> None:
            if committed:
                really()
            pid = connection.connection.dbapi_connection.info.backend_pid
            assert anywhere("SELECT pg_terminate_backend(:pid, 30000)", pid=pid).scalar_one(), "it is gone before anything more is said to it"
            if committed:
                connection.execute(text("SELECT 1"))
            really()

        monkeypatch.setattr(connection, "commit", cut)
    monkeypatch.undo()
