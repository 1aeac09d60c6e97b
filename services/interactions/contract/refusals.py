"""The obstacles that interactions names; each docstring is the message, each code is stable.

What contacts has named already (a frozen individual, text that needs review, an unknown issue) is raised in its words.
"""

from __future__ import annotations

from services.chassis.messages import Conflict


class EventNotBegun(Conflict):
    """Attendance is recorded once the event has begun."""

    code = "event-not-begun"


class RecordIsYours(Conflict):
    """This record is yours: there is nobody else to ask."""

    code = "record-is-yours"


class RequestSettled(Conflict):
    """The request is not in a state that can take this answer."""

    code = "request-settled"


class AlreadyAsked(Conflict):
    """Your component has already asked that, and the request is still open."""

    code = "already-asked"


class IssueExists(Conflict):
    """There is an issue of this name in this place; `issue_id` says which."""

    code = "issue-exists"


class IssueActive(Conflict):
    """The issue is still active; end it before it is deleted."""

    code = "issue-active"
