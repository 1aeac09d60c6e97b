"""Every service is a witness: it keeps the last checkpoint of the audit trail that it saw, and takes a new one only
with the proof that the trail has grown and nothing else.

A service class inherits from `Witness`; that is all.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from sqlalchemy import text

from services.chassis.bus.listening import listens
from services.chassis.checkpoints import Checkpoint, CheckpointRefused, CheckpointSigned, VerifierKey, witness
from services.chassis.config import Settings
from services.chassis.database import UnitOfWork


def keep_checkpoint(work: UnitOfWork, key: VerifierKey, announcement: CheckpointSigned) -> Checkpoint:
    """Keep an announced checkpoint beside those seen before.

    The first one that a service sees is believed for its signature. Of what comes later, the one that continues the
    last one seen is kept, and the same one again changes nothing.

    :raises CheckpointRefused: it is not signed by the trail's key, contradicts one that was seen, or does not continue
        the last one; delivered again in time it may, and else it is parked: an alarm.
    """
    checkpoint = key.checkpoint(announcement.note)
    last = work.execute(
        text("SELECT size, note FROM checkpoints_seen WHERE origin = :origin ORDER BY size DESC LIMIT 1"), {"origin": checkpoint.origin}
    ).one_or_none()
    same = work.execute(
        text("SELECT root FROM checkpoints_seen WHERE origin = :origin AND size = :size"),
        {"origin": checkpoint.origin, "size": checkpoint.size},
    ).scalar_one_or_none()
    if same is not None:
        if bytes(same) != checkpoint.root:
            raise CheckpointRefused(f"Two checkpoints of {checkpoint.size} entries contradict each other.")
        return checkpoint
    if last is not None:
        if last.size not in {announcement.previous, 0}:
            raise CheckpointRefused(f"The proof begins at {announcement.previous} entries, the last checkpoint seen has {last.size}.")
        witness(key, last.note, announcement.note, _decoded(announcement.proof))
    work.execute(
        text("INSERT INTO checkpoints_seen (origin, size, root, note) VALUES (:origin, :size, :root, :note)"),
        {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root, "note": announcement.note},
    )
    return checkpoint


class Witness:
    """What makes a service one of the trail's witnesses."""

    settings: Settings

    @listens(CheckpointSigned)
    def checkpoint_signed(self, work: UnitOfWork, announcement: CheckpointSigned) -> None:
        """Keep the checkpoint, if it continues the last one."""
        key = VerifierKey.parse(self.settings.checkpoint_public_key, name=self.settings.checkpoint_origin)
        keep_checkpoint(work, key, announcement)


def _decoded(proof: Sequence[str]) -> list[bytes]:
    try:
        return [base64.b64decode(step, validate=True) for step in proof]
    except (binascii.Error, ValueError, TypeError):
        raise CheckpointRefused("A step of the proof is not base64.") from None
