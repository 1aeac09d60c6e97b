"""What audit announces. Every service witnesses it, so the chassis defines it."""

from services.chassis.messages import CheckpointSigned

__all__ = ["CheckpointSigned"]
