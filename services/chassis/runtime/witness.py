"""The witness in every service: keep the checkpoints of the audit trail, and accept a new one only with a consistency proof.

A service class becomes a witness by inheriting from `Witness`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from services.chassis.config import Settings
from services.chassis.database import Database, UnitOfWork
from services.chassis.entrypoints.consumers import announcement_handler
from services.chassis.entrypoints.providers import Bus
from services.chassis.entrypoints.timers import timer
from services.chassis.messages import Caller, CheckpointSigned
from services.chassis.outbox.partitions import OutboxPartitions, Range
from services.chassis.translog.checkpoints import Checkpoint, CheckpointRefused, VerifierKey, read_proofs, witness

# Text SQL: the table is the chassis's own in each database, made by a script and not declared.


def keep_checkpoint(work: UnitOfWork, key: VerifierKey, announcement: CheckpointSigned) -> Checkpoint:
    """Verify and store an announced checkpoint.

    The first checkpoint needs only a valid signature. A later, larger one also needs a proof that it continues the
    largest one seen; a smaller one is stored without, and `liaison audit verify` checks it against the entries.

    :raises CheckpointRefused: it is not signed by the trail's key, contradicts a stored checkpoint, or has no valid
        proof. The announcement is retried and finally dead-lettered, which is an alarm.
    """
    checkpoint = key.checkpoint(announcement.note)
    same = work.execute(
        text("SELECT root FROM checkpoints_seen WHERE origin = :origin AND size = :size"),
        {"origin": checkpoint.origin, "size": checkpoint.size},
    ).scalar_one_or_none()
    if same is not None:
        if bytes(same) != checkpoint.root:
            raise CheckpointRefused(f"Two checkpoints of {checkpoint.size} entries contradict each other.")
        return checkpoint
    last = work.execute(
        text("SELECT size, note FROM checkpoints_seen WHERE origin = :origin ORDER BY size DESC LIMIT 1"), {"origin": checkpoint.origin}
    ).one_or_none()
    if last is not None and last.size < checkpoint.size:
        proofs = read_proofs(announcement.proofs)
        if last.size not in proofs:
            raise CheckpointRefused(f"There is no proof that {checkpoint.size} entries continue the {last.size} that were seen.")
        witness(key, last.note, announcement.note, proofs[last.size])
    work.execute(
        text("INSERT INTO checkpoints_seen (origin, size, root, note) VALUES (:origin, :size, :root, :note) ON CONFLICT (origin, size) DO NOTHING"),
        {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root, "note": announcement.note},
    )
    return checkpoint


class Witness:
    """A base class that makes a service a witness, and drops outbox days that the trail covers."""

    settings: Settings
    database: Database
    bus: Bus

    @announcement_handler(CheckpointSigned)
    def checkpoint_signed(self, work: UnitOfWork, announcement: CheckpointSigned) -> None:
        """Store the checkpoint if it continues the last one."""
        key = VerifierKey.parse(self.settings.checkpoint_public_key, name=self.settings.checkpoint_origin)
        keep_checkpoint(work, key, announcement)

    @timer(seconds=3600, action="chassis:outbox-day:drop", eager=True)
    def drop_covered_days(self, caller: Caller) -> None:
        """Drop the days of the outbox that are past, shipped and covered by a checkpoint seen here."""

        def find_uncovered(size: int, ranges: Sequence[Range]) -> Sequence[int]:
            lacking: list[int] = self.bus.call("audit", "find_uncovered", caller, size=size, ranges=list(ranges))["lacking"]
            return lacking

        OutboxPartitions(self.database).drop_covered(find_uncovered, caller)
