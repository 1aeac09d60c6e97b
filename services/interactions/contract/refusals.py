"""The obstacles that interactions names; each docstring is the message, each code is stable."""

from __future__ import annotations

from services.chassis.messages import Conflict


class EventNotBegun(Conflict):
    """Attendance is recorded once the event has begun."""

    code = "event-not-begun"


class RecordIsYours(Conflict):
    """This record is yours: there is nobody else to ask."""

    code = "record-is-yours"


class RequestSettled(Conflict):
    """This answer is not possible in the present state of the request."""

    code = "request-settled"


class AlreadyAsked(Conflict):
    """Your component has already asked that, and the request is still open."""

    code = "already-asked"


class IssueExists(Conflict):
    """An issue of this name exists already."""

    code = "issue-exists"


class IssueActive(Conflict):
    """The issue is still active; end it before it is deleted."""

    code = "issue-active"


class TextReplaced(Conflict):
    """The text was replaced meanwhile. This one stays with its component."""

    code = "text-replaced"
