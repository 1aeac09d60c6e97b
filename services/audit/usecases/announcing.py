"""Announcing checkpoints to the witnesses."""

from __future__ import annotations

from collections.abc import Sequence

from services.audit.storage import trail
from services.chassis.database import UnitOfWork
from services.chassis.messages import CheckpointSigned


def announce_checkpoint(work: UnitOfWork, *, note: str, size: int, proofs: Sequence[str]) -> None:
    """Announce a checkpoint, and store its size: the next one is announced with a proof from here, so that no witness misses a link."""
    work.announce(CheckpointSigned(size=size, note=note, proofs=tuple(proofs)))
    trail.save_progress(work.connection, trail.ANNOUNCED, size)
