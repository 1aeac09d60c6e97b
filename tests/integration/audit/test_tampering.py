"""P7: everything that a superuser can do to the trail, with triggers off, is detected, and the first bad entry named.

Five positions of each class and fifty clean runs, or as P7_POSITIONS and P7_CLEAN say; twenty times that in `make soak`.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.audit.domain.verification import Note, Report, Row, verify
from services.audit.storage.witness import Leaves
from services.audit.usecases.sequencing import TrailDisagrees
from services.chassis.database import Database
from services.chassis.database.stream import Stream
from services.chassis.messages import Caller
from services.chassis.outbox.store import Outbox
from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import Checkpoint, SigningKey
from tests.integration.audit.conftest import ORIGIN, START, Sender, Taking, Trail, with_driver
from tests.rows import figure
from tests.support import Databases
from tests.support.keys import key_of, new_signing_key, service_keys

pytestmark = [pytest.mark.requirement("R124", "R126", "N2"), pytest.mark.row("P7")]

SIZES = (7, 64, 65, 130, 200)
SIZE = SIZES[-1]
POSITIONS = figure(100, given="P7_POSITIONS")
CLEAN_RUNS = figure(1000, given="P7_CLEAN")


@pytest.fixture(scope="module")
def chance() -> random.Random:
    seed = int(os.environ.get("SEED_P7", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture(scope="module")
def signed(databases: Databases, tmp_path_factory: pytest.TempPathFactory, chance: random.Random) -> Iterator[Trail]:
    """A trail of two hundred lines of three senders, signed five times."""
    trail = Trail(databases.make("audit"), tmp_path_factory.mktemp("signed"))
    senders = [Sender(), Sender("access"), Sender("interactions")]
    with trail.leading() as sequencer:
        sequencer.take([sender.entry() for sender in senders], now=START)
        for size in SIZES:
            while sequencer.size < size:
                sequencer.take([chance.choice(senders).entry()], now=START)
            sequencer.sign(now=START)
    assert trail.verify().ok
    yield trail
    databases.drop(trail.addresses)


class Attacker:
    """A superuser in one transaction that is never committed; reads what the verifier would read."""

    def __init__(self, trail: Trail, connection: sa.Connection) -> None:
        self.trail = trail
        self.connection = connection
        self.witness = [Note(f"witness, line {number}", note) for number, note in trail.witness.notes()]

    def sql(self, statement: str, **values: object) -> list[sa.Row]:
        result = self.connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []

    def bodies(self) -> list[str]:
        return [row.body for row in self.sql("SELECT body FROM trail ORDER BY position")]

    def rewrite(self, bodies: list[str], *, leaves: bool = True) -> None:
        """Replace all lines by these bodies, with leaves and stored subtrees computed again."""
        kept = [row.leaf for row in self.sql("SELECT leaf FROM trail ORDER BY position")]
        hashes = [merkle.leaf_hash(body.encode()) for body in bodies]
        if not leaves:
            hashes[: len(kept)] = kept[: len(hashes)]
        self.sql("TRUNCATE trail")
        self.connection.execute(
            text("INSERT INTO trail (position, leaf, body) VALUES (:p, :leaf, :body)"),
            [{"p": p, "leaf": leaf, "body": body} for p, (leaf, body) in enumerate(zip(hashes, bodies, strict=True))],
        )

    def sign_again(self, key: SigningKey, bodies: list[str], *, since: int = 0) -> None:
        """Replace the stored checkpoints of more than `since` lines by new ones over these lines."""
        for size in SIZES:
            if since < size <= len(bodies):
                root = merkle.root_of(merkle.leaf_hash(body.encode()) for body in bodies[:size])
                note = key.sign(Checkpoint(ORIGIN, size, root).text())
                self.sql("UPDATE checkpoints SET root = :root, note = :note WHERE size = :size", root=root, note=note, size=size)

    def verify(self, *, leaves: bool = True) -> Report:
        rows = [Row(row.position, row.body, row.leaf) for row in self.sql("SELECT position, body, leaf FROM trail ORDER BY position")]
        notes = [Note(f"database, size {row.size}", row.note) for row in self.sql("SELECT size, note FROM checkpoints ORDER BY size")]
        with Leaves(self.trail.witness.leaves_path) as witnessed:
            return verify(rows, [*notes, *self.witness], key=self.trail.key.verifier, services=service_keys(), leaves=witnessed if leaves else None)


@contextmanager
def attacking(trail: Trail) -> Iterator[Attacker]:
    engine = sa.create_engine(with_driver(trail.addresses.superuser), poolclass=sa.NullPool)
    with engine.connect() as connection:
        for table in ("trail", "trail_nodes", "checkpoints"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER only_added"))
        yield Attacker(trail, connection)
        connection.rollback()


def edited(attacker: Attacker, position: int, pattern: str, replacement: str) -> list[str]:
    bodies = attacker.bodies()
    before = bodies[position]
    import re

    bodies[position] = re.sub(pattern, replacement, before, count=1)
    if bodies[position] == before:
        # A certificate has nothing of what an entry has.
        bodies[position] = before.replace('"beats":true', '"beats":false')
    assert bodies[position] != before
    return bodies


def edit_body(attacker: Attacker, position: int, chance: random.Random) -> int:
    attacker.rewrite(edited(attacker, position, r'"subjects":\["[^"]*"\]', '"subjects":["another"]'), leaves=chance.random() < 0.5)
    return position


def edit_time(attacker: Attacker, position: int, chance: random.Random) -> int:
    attacker.rewrite(edited(attacker, position, r'"at":"2026', '"at":"2025'), leaves=chance.random() < 0.5)
    return position


def edit_actor(attacker: Attacker, position: int, chance: random.Random) -> int:
    attacker.rewrite(edited(attacker, position, r'"actor":"0190', '"actor":"0191'), leaves=chance.random() < 0.5)
    return position


def _delete(attacker: Attacker, position: int, chance: random.Random) -> int:
    if chance.random() < 0.5:
        attacker.sql("DELETE FROM trail WHERE position = :position", position=position)
    else:
        bodies = attacker.bodies()
        del bodies[position]
        attacker.rewrite(bodies)
    return position


def delete_first(attacker: Attacker, position: int, chance: random.Random) -> int:
    return _delete(attacker, 0, chance)


def delete_middle(attacker: Attacker, position: int, chance: random.Random) -> int:
    return _delete(attacker, position, chance)


def delete_last(attacker: Attacker, position: int, chance: random.Random) -> int:
    return _delete(attacker, SIZE - 1, chance)


def swap(attacker: Attacker, position: int, chance: random.Random) -> int:
    other = chance.choice([p for p in range(SIZE) if p != position])
    bodies = attacker.bodies()
    bodies[position], bodies[other] = bodies[other], bodies[position]
    attacker.rewrite(bodies)
    return min(position, other)


def insert(attacker: Attacker, position: int, chance: random.Random) -> int:
    bodies = attacker.bodies()
    place = chance.choice([position, SIZE])
    bodies.insert(place, edited(attacker, position, r'"n":\d+', '"n":900')[position])
    attacker.rewrite(bodies)
    return place


def cut_the_tail(attacker: Attacker, position: int, chance: random.Random) -> int:
    attacker.sql("DELETE FROM trail WHERE position >= :position", position=position)
    return position


def recompute_everything(attacker: Attacker, position: int, chance: random.Random) -> int:
    attacker.rewrite(edited(attacker, position, r'"outcome":"allowed"', '"outcome":"refused"'))
    attacker.sql("DELETE FROM checkpoints")
    return position


def restore_an_old_snapshot(attacker: Attacker, position: int, chance: random.Random) -> int:
    size = chance.choice(SIZES[:-1])
    attacker.sql("DELETE FROM trail WHERE position >= :size", size=size)
    attacker.sql("DELETE FROM checkpoints WHERE size > :size", size=size)
    return size


def fork(attacker: Attacker, position: int, chance: random.Random) -> int:
    bodies = edited(attacker, position, r'"actor":"0190', '"actor":"0192')
    attacker.rewrite(bodies)
    attacker.sign_again(attacker.trail.key, bodies, since=position)
    return position


ON_ENTRIES = [
    edit_body,
    edit_time,
    edit_actor,
    delete_first,
    delete_middle,
    delete_last,
    swap,
    insert,
    cut_the_tail,
    recompute_everything,
    restore_an_old_snapshot,
    fork,
]


@pytest.mark.parametrize("attack", ON_ENTRIES, ids=lambda attack: attack.__name__)
def test_what_a_superuser_does_to_the_entries_is_detected_and_the_first_bad_one_named(
    signed: Trail, chance: random.Random, attack: Callable[[Attacker, int, random.Random], int]
) -> None:
    for position in [0, SIZE - 1, *chance.sample(range(1, SIZE - 1), POSITIONS - 2)]:
        with attacking(signed) as attacker:
            assert attacker.verify().ok
            expected = attack(attacker, position, chance)
            report = attacker.verify()
            assert not report.ok
            assert report.first_bad.position == expected, (attack.__name__, position, report.problems[:3])


@pytest.mark.parametrize("attack", ON_ENTRIES, ids=lambda attack: attack.__name__)
def test_with_the_checkpoints_alone_it_is_still_detected_and_the_range_is_right(
    signed: Trail, chance: random.Random, attack: Callable[[Attacker, int, random.Random], int]
) -> None:
    for position in chance.sample(range(1, SIZE - 1), max(1, POSITIONS // 2)):
        with attacking(signed) as attacker:
            expected = attack(attacker, position, chance)
            report = attacker.verify(leaves=False)
            assert not report.ok
            first = report.first_bad.position
            if first is None:
                assert report.first_bad.kind == "fork"
            elif first != expected:
                assert first == max([size for size in SIZES if size <= expected], default=0), (attack.__name__, position, report.problems[:3])


def test_a_forged_checkpoint_is_detected_and_named(signed: Trail, chance: random.Random) -> None:
    for _ in range(POSITIONS):
        size = chance.choice(SIZES)
        forged = Checkpoint(ORIGIN, size, chance.randbytes(32)).text()
        for where in ("database", "witness"):
            with attacking(signed) as attacker:
                (row,) = attacker.sql("SELECT note FROM checkpoints WHERE size = :size", size=size)
                # The text of another checkpoint over the signature of the true one, and a signature of one's own.
                note = chance.choice([forged + row.note[row.note.rindex("\n\n") + 1 :], new_signing_key(ORIGIN).sign(forged)])
                if where == "database":
                    attacker.sql("UPDATE checkpoints SET note = :note WHERE size = :size", note=note, size=size)
                else:
                    attacker.witness[SIZES.index(size)] = Note(f"witness, size {size}", note)
                report = attacker.verify()
                assert [problem.kind for problem in report.problems] == ["checkpoint"]
                assert f"{where}, size {size}" in report.first_bad.sentence


def test_a_swapped_key_is_detected(signed: Trail, chance: random.Random) -> None:
    for position in chance.sample(range(SIZE), POSITIONS):
        with attacking(signed) as attacker:
            own = new_signing_key(ORIGIN)
            bodies = edited(attacker, position, r'"actor":"0190', '"actor":"0193')
            attacker.rewrite(bodies)
            attacker.sign_again(own, bodies)
            # In the database alone: the witness's checkpoints still name the entry.
            report = attacker.verify()
            assert report.first_bad.position == position
            assert {problem.kind for problem in report.problems} >= {"checkpoint", "altered"}
            # Everywhere: nothing proves anything any more, from the first entry on.
            attacker.witness = []
            report = attacker.verify()
            assert report.first_bad.position == 0


def test_an_entry_deleted_from_an_outbox_before_it_was_shipped_is_a_hole(databases: Databases, own_trail: Trail, chance: random.Random) -> None:
    engine_of_outbox = databases.make("access")
    for _ in range(POSITIONS):
        database = Database(engine_of_outbox.runtime, service="access", stream=Stream(key_of("access")))
        outbox = Outbox(database)
        outbox.open_stream()
        for count in range(12):
            with database.work(Caller.service("access")) as work:
                work.record("access:user:read", subjects=[str(count)])
        victim = chance.randrange(1, 13)
        engine = sa.create_engine(with_driver(engine_of_outbox.superuser), poolclass=sa.NullPool)
        with engine.begin() as connection:
            deleted = connection.execute(text("DELETE FROM entries WHERE stream = :stream AND n = :n"), {"stream": database.stream.id, "n": victim})
            assert deleted.rowcount == 1
        outbox.settle(closing=True)
        shipped: list[dict] = []
        while outbox.ship(lambda messages, shipped=shipped: [shipped.append(message) is None for message in messages]):
            pass
        database.close()
        with own_trail.leading() as sequencer:
            for message in shipped:
                import orjson

                sequencer.take(orjson.loads(message.body)["entries"], now=START)
            sequencer.sign(now=START)
        report = own_trail.verify()
        assert (report.problems[-1].kind, [(problem.stream, problem.n) for problem in report.problems].count((database.stream.id, victim))) == (
            "hole",
            1,
        )
    databases.drop(engine_of_outbox)


def test_a_bit_flipped_before_signing_is_detected_and_nothing_is_signed(own_trail: Trail, sender: Sender, chance: random.Random) -> None:
    with own_trail.leading() as sequencer:
        sequencer.take(sender.entries(9), now=START)
        sequencer.sign(now=START)
        waiting = max(30, POSITIONS)
        sequencer.take(sender.entries(waiting), now=START)
        for position in chance.sample(range(10, 10 + waiting), POSITIONS):
            (before,) = own_trail.sql("SELECT body FROM trail WHERE position = :p", p=position)
            own_trail.sql("UPDATE trail SET body = replace(body, '\"ICE\"', '\"ICD\"') WHERE position = :p", p=position)
            with pytest.raises(TrailDisagrees) as disagrees:
                sequencer.sign(now=START)
            assert disagrees.value.finding.position == position
            own_trail.sql("UPDATE trail SET body = :body WHERE position = :p", body=before.body, p=position)
        assert sequencer.sign(now=START).size == 10 + waiting
    assert own_trail.verify().ok


def test_clean_runs_raise_no_alarm(databases: Databases, tmp_path: Path, chance: random.Random) -> None:
    """Batches of every size, reordered and repeated deliveries, voids, crashes, restarts: no findings."""
    runs = 0
    while runs < CLEAN_RUNS:
        # Each run verifies the whole trail: it begins anew before that takes longer than the runs.
        trail = Trail(databases.make("audit"), tmp_path / str(runs))
        trail.folder.mkdir()
        until = min(runs + 10, CLEAN_RUNS)
        senders = [Sender() for _ in range(3)]
        while runs < until:
            with trail.leading() as sequencer:
                for _ in range(chance.randrange(1, 6)):
                    runs += 1
                    _runs_cleanly(sequencer, senders, chance)
                    report = trail.verify()
                    assert report.ok, report.problems
        databases.drop(trail.addresses)
    print(f"{runs} clean runs")


def _runs_cleanly(sequencer: Taking, senders: list[Sender], chance: random.Random) -> None:
    lines = [chance.choice(senders).entry() for _ in range(chance.randrange(40))]
    lines.append(chance.choice(senders).void(unknown=chance.random() < 0.5))
    chance.shuffle(lines)
    late = [line for line in lines if chance.random() < 0.1]
    now_sent = [line for line in lines if line not in late]
    assert sequencer.take(now_sent + chance.sample(now_sent, len(now_sent) // 4), now=START) == []
    if chance.random() < 0.7:
        sequencer.take(late, now=START)
        late = []
        sequencer.take([sender.mark() for sender in senders], now=START)
    if chance.random() < 0.2:
        # A process dies: its late lines still come, what it had taken beyond them does not.
        sequencer.take(late, now=START)
        late = []
        died = senders.pop(chance.randrange(3))
        mark, lost = died.n, chance.randrange(3)
        died.n += lost
        sequencer.take([died.entry(), died.crash(mark, died.n)], now=START)
        senders.append(Sender())
    sequencer.sign(now=START)
    sequencer.take(late, now=START)
    sequencer.sign(now=START)
