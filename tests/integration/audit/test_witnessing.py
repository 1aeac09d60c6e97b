"""Every service stores the checkpoints it saw, and accepts a new one only with a proof that it continues the last."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.messages import Caller, CheckpointSigned
from services.chassis.runtime.witness import keep_checkpoint
from services.chassis.translog import merkle
from services.chassis.translog.checkpoints import Checkpoint, CheckpointRefused, SigningKey, write_proof
from tests.support.keys import new_signing_key

LEAVES = [merkle.leaf_hash(b"%d" % n) for n in range(30)]
FORKED = [*LEAVES[:12], *(merkle.leaf_hash(b"%d" % (n + 1)) for n in range(12, 30))]


class Witnessing:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.key = new_signing_key("liaison.test/audit")

    def announced(self, size: int, *earlier: int, leaves: list[bytes] = LEAVES, key: SigningKey | None = None) -> CheckpointSigned:
        def subtree(level: int, index: int) -> bytes:
            return merkle.root_of(leaves[index << level : (index + 1) << level])

        note = (key or self.key).sign(Checkpoint(self.key.name, size, merkle.root_of(leaves[:size])).text())
        proofs = tuple(write_proof(first, merkle.consistency_proof(first, size, subtree)) for first in earlier)
        return CheckpointSigned(size=size, note=note, proofs=proofs)

    def hears(self, announcement: CheckpointSigned) -> None:
        with self.database.work(Caller.service("access")) as work:
            keep_checkpoint(work, self.key.verifier, CheckpointSigned.from_wire(announcement.to_wire()))

    @property
    def seen(self) -> list[int]:
        with self.database.system_transaction() as connection:
            return list(connection.execute(text("SELECT size FROM checkpoints_seen ORDER BY size")).scalars())


@pytest.fixture
def witnessing(fresh_database: Callable[[str], Database]) -> Witnessing:
    return Witnessing(fresh_database("access"))


@pytest.mark.requirement("R124", "R126", "N2")
def test_a_chain_of_checkpoints_is_kept_and_a_repeated_one_changes_nothing(witnessing: Witnessing) -> None:
    for size, earlier in [(5, []), (8, [5]), (20, [5, 8]), (21, [8, 20])]:
        witnessing.hears(witnessing.announced(size, *earlier))
        witnessing.hears(witnessing.announced(size, *earlier))
    witnessing.hears(witnessing.announced(8, 5))
    assert witnessing.seen == [5, 8, 20, 21]


def test_checkpoints_may_come_in_the_wrong_order(witnessing: Witnessing) -> None:
    for size, earlier in [(5, []), (20, [5, 8]), (8, [5]), (21, [5, 8, 20])]:
        witnessing.hears(witnessing.announced(size, *earlier))
    assert witnessing.seen == [5, 8, 20, 21]


@pytest.mark.requirement("R124", "R126", "N2")
def test_a_fork_a_gap_and_a_stranger_are_refused(witnessing: Witnessing) -> None:
    witnessing.hears(witnessing.announced(10))
    witnessing.hears(witnessing.announced(20, 10))
    stranger = new_signing_key(witnessing.key.name)
    true = witnessing.announced(25, 20)
    for announcement in [
        witnessing.announced(20, 10, leaves=FORKED),
        witnessing.announced(25, 10, 20, leaves=FORKED),
        witnessing.announced(25, 10),
        witnessing.announced(25),
        witnessing.announced(25, 20, key=stranger),
        CheckpointSigned(size=25, note=true.note, proofs=("20",)),
        CheckpointSigned(size=25, note=true.note, proofs=("20 %",)),
        CheckpointSigned(size=25, note=true.note, proofs=("x",)),
    ]:
        with pytest.raises(CheckpointRefused):
            witnessing.hears(announcement)
    assert witnessing.seen == [10, 20]
    witnessing.hears(true)
    assert witnessing.seen == [10, 20, 25]


def test_a_service_that_comes_later_begins_with_the_first_checkpoint_it_hears(witnessing: Witnessing) -> None:
    witnessing.hears(witnessing.announced(20, 10))
    witnessing.hears(witnessing.announced(25, 20))
    assert witnessing.seen == [20, 25]
