"""The obstacles that interactions names; each docstring is the message, each code is stable."""

from __future__ import annotations

from services.chassis.messages import Conflict


class EventNotBegun(Conflict):
    """Attendance is recorded once the event has begun."""


class RecordIsYours(Conflict):
    """This record is yours: there is nobody else to ask."""


class RequestSettled(Conflict):
    """This answer is not possible in the present state of the request."""


class AlreadyAsked(Conflict):
    """Your component has already asked that, and the request is still open."""


class IssueExists(Conflict):
    """An issue of this name exists already."""


class IssueActive(Conflict):
    """The issue is still active; end it before it is deleted."""


class TextReplaced(Conflict):
    """The text was replaced meanwhile. This one stays with its component."""
