"""What audit refuses."""

from __future__ import annotations

from services.chassis.messages import Conflict, Forbidden, NotFound


class NotTheAuditor(Forbidden):
    """The trail is read by the information system security officer only."""


class UnknownEntry(NotFound):
    """The trail has no such entry, or not that many, or none of them is signed yet."""


class ReviewAlreadySigned(Conflict):
    """This week was reviewed and signed off already."""


class WeekBeforeTrail(Conflict):
    """There was no trail yet in this week: there is nothing to review."""


class WeekNotOver(Conflict):
    """This week is not over; review it when it is."""
