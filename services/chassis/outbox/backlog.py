"""How far the outbox is behind the broker."""

from __future__ import annotations

#: Seconds that the oldest row may wait before an alarm, and before the service refuses calls.
_ALARM = 60.0
_REFUSE = 15 * 60.0


class Backlog:
    """The age of the oldest unshipped outbox row, in seconds."""

    def __init__(self) -> None:
        """Start with nothing waiting."""
        self.seconds = 0.0

    @property
    def is_late(self) -> bool:
        """Whether the backlog is an alarm."""
        return self.seconds > _ALARM

    @property
    def is_overdue(self) -> bool:
        """Whether audit is so far behind that calls must be refused."""
        return self.seconds > _REFUSE
