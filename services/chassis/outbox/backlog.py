"""How far the outbox is behind."""

from __future__ import annotations

#: Seconds that the oldest row may wait before it is an alarm, and before the service refuses.
_ALARM = 60.0
_REFUSE = 15 * 60.0


class Backlog:
    """How long the oldest row of a process's outbox has waited."""

    def __init__(self) -> None:
        """Begin with nothing waiting."""
        self.seconds = 0.0

    @property
    def is_late(self) -> bool:
        """Whether somebody should look."""
        return self.seconds > _ALARM

    @property
    def is_overdue(self) -> bool:
        """Whether so much is unknown to audit that no more may be done."""
        return self.seconds > _REFUSE
