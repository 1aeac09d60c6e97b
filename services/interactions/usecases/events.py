"""Events and who attended them (R56, R58-R63)."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Invalid, entity_tags, new_id, require_match
from services.chassis.validation import Unset, given_or, names_given
from services.interactions.contract.announcements import AttendanceRecorded
from services.interactions.contract.answers import AttendeeAnswer, EventAnswer
from services.interactions.contract.commands import AttendeesAdd, EventChange, EventCreate, EventListQuery, PageQuery
from services.interactions.contract.refusals import EventNotBegun
from services.interactions.domain.moments import CLOCK_SKEW, EARLIEST
from services.interactions.domain.records import Attendance, Event
from services.interactions.domain.texts import review
from services.interactions.storage import directory, events, issues
from services.interactions.usecases.authorization import require_contributor, require_reader, scope_of
from services.interactions.usecases.listing import Listing
from services.interactions.usecases.preconditions import require_individuals, require_issues, require_organizations, require_own_component
from services.interactions.usecases.writing import answer_of, found, kept_texts, reworded, store_text, wire

#: How many of those who attended are answered at once.
_ANSWERED = PageQuery(limit=200)


def register_event(work: UnitOfWork, *, now: datetime, command: EventCreate) -> EventAnswer:
    """Register a past or future event.

    :raises ContributorsOnly: the caller may only read.
    :raises TextNeedsReview: screening found something.
    """
    own = require_contributor(work.caller)
    require_own_component(work, command.component)
    if command.starts_at < EARLIEST:
        raise Invalid(errors={"starts_at": ["Not before 2003."]})
    require_issues(work, command.issue_ids)
    written = review([("name", command.name), ("place", command.place), ("agenda", command.agenda)], keep_reason=command.keep_reason)
    name, place, agenda = (one.shared for one in written)
    event = Event(new_id(), name, command.starts_at, command.ends_at, place, agenda, 0, own, work.caller.id, now, now)
    events.add(work, event)
    events.discuss(work, event.id, command.issue_ids)
    for one in written:
        store_text(work, one, "event", event.id, now=now)
    work.record("interactions:event:enter", subjects=[event.id], fields=["name", "starts_at", "ends_at", "place", "agenda", "issue_ids"])
    return _event(work, event.id)


def read_event(work: UnitOfWork, event_id: str) -> EventAnswer:
    """Return an event.

    :raises NotFound: there is none.
    """
    require_reader(work.caller)
    event = _event(work, event_id)
    work.record("interactions:event:read", subjects=[event_id], fields=event)
    return event


def list_events(work: UnitOfWork, *, cursors: Cursors, query: EventListQuery) -> Page[EventAnswer]:
    """List events, most recent first."""
    require_reader(work.caller)
    listing = Listing(cursors, "events", work.caller.id, asdict(query))
    issue_ids = issues.with_all_below(work, query.issue_id) if query.issue_id is not None else None
    page = events.matching(work, scope_of(work.caller), query, issue_ids=issue_ids, after=listing.after(query.cursor))
    kept = kept_texts(work, [row.id for row in page.rows])
    items = [answer_of(EventAnswer, row, kept) for row in page.rows]
    asked = [one for one in (query.individual_id, query.organization_id) if one is not None]
    work.record("interactions:event:list", subjects=[*(item["id"] for item in items), *asked], fields=items[0] if items else ())
    return listing.answer(page, items)


def change_event(work: UnitOfWork, *, now: datetime, event_id: str, if_match: str | None, command: EventChange) -> EventAnswer:
    """Correct an event.

    :raises ContributorsOnly: the caller may only read.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    :raises EventNotBegun: it would move into the future, but has recorded attendances.
    """
    require_contributor(work.caller)
    row = found(events.one(work, event_id, lock=True))
    before = _event(work, event_id)
    require_match(if_match, entity_tags(before))
    starts_at, ends_at = given_or(command.starts_at, row.starts_at), given_or(command.ends_at, row.ends_at)
    if ends_at is not None and ends_at < starts_at:
        raise Invalid(errors={"ends_at": ["An event ends after it starts."]})
    individuals, organizations = events.attending(work, event_id)
    if starts_at > now + CLOCK_SKEW and (individuals or organizations):
        raise EventNotBegun
    # An instant that the caller sends back as it was read has lost its microseconds.
    is_moved = wire(starts_at) != before["starts_at"]
    changed = replace(
        row,
        starts_at=starts_at if is_moved else row.starts_at,
        ends_at=ends_at if wire(ends_at) != before["ends_at"] else row.ends_at,
    )
    edited = reworded(("name", command.name, before["name"]), ("place", command.place, before["place"]), ("agenda", command.agenda, before["agenda"]))
    written = review(edited, keep_reason=command.keep_reason)
    for one in written:
        store_text(work, one, "event", event_id, now=now)
    shared = {one.path: one.shared for one in written}
    changed = replace(changed, name=shared.get("name", row.name), place=shared.get("place", row.place), agenda=shared.get("agenda", row.agenda))
    has_other_issues = not isinstance(command.issue_ids, Unset) and set(command.issue_ids) != set(before["issue_ids"])
    if has_other_issues:
        issue_ids = given_or(command.issue_ids, ())
        require_issues(work, issue_ids)
        events.discuss(work, event_id, issue_ids)
    if changed != row or has_other_issues:
        events.change(work, replace(changed, updated_at=now))
    event = _event(work, event_id)
    if individuals and (is_moved or has_other_issues):
        _announce(work, event, individuals, organizations)
    work.record("interactions:event:change", subjects=[event_id], fields=names_given(command) - {"keep_reason"})
    return event


def add_attendees(work: UnitOfWork, *, now: datetime, cursors: Cursors, event_id: str, command: AttendeesAdd) -> Page[AttendeeAnswer]:
    """Record attendees; attendance counts as contact (R56, R62). Those who are recorded already stay.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is no such event.
    :raises EventNotBegun: it lies in the future.
    :raises IndividualFrozen: somebody asked not to be contacted.
    """
    component, user_id = require_contributor(work.caller), work.caller.id
    row = found(events.one(work, event_id, lock=True))
    if row.starts_at > now + CLOCK_SKEW:
        raise EventNotBegun
    require_individuals(work, command.individual_ids)
    require_organizations(work, command.organization_ids)
    employers = directory.employers_of(work, command.individual_ids)
    people = [Attendance(new_id(), event_id, one, None, employers.get(one), component, user_id, now) for one in dict.fromkeys(command.individual_ids)]
    bodies = [Attendance(new_id(), event_id, None, one, None, component, user_id, now) for one in dict.fromkeys(command.organization_ids)]
    events.add_attendances(work, [*people, *bodies])
    _announce(work, _event(work, event_id), *events.attending(work, event_id))
    subjects = [event_id, *command.individual_ids, *command.organization_ids]
    work.record("interactions:attendance:record", subjects=subjects, fields=["attendees"])
    return _page(work, cursors, event_id, _ANSWERED)


def list_attendees(work: UnitOfWork, *, cursors: Cursors, event_id: str, query: PageQuery = _ANSWERED) -> Page[AttendeeAnswer]:
    """List who attended, in the order in which they were recorded.

    :raises NotFound: there is no such event.
    """
    require_reader(work.caller)
    found(events.one(work, event_id))
    page = _page(work, cursors, event_id, query)
    people = [str(item["individual_id"] or item["organization_id"]) for item in page["items"]]
    work.record("interactions:attendance:list", subjects=[event_id, *people], fields=["attendees"])
    return page


def remove_attendee(work: UnitOfWork, *, event_id: str, attendee_id: str) -> None:
    """Remove an attendance that was recorded by mistake, named by its own id or the stakeholder's.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is no such attendance.
    """
    require_contributor(work.caller)
    found(events.one(work, event_id, lock=True))
    left = found(events.delete_attendance(work, event_id, attendee_id))
    _announce(work, _event(work, event_id), *events.attending(work, event_id))
    who = left.individual_id or left.organization_id
    work.record("interactions:attendance:remove", subjects=[event_id, str(who)], fields=["attendees"])


def _announce(work: UnitOfWork, event: EventAnswer, individual_ids: list[str], organization_ids: list[str]) -> None:
    # Whoever records it, the attendees met the component of the event.
    work.announce(
        AttendanceRecorded(
            event_id=event["id"],
            individual_ids=individual_ids,
            organization_ids=organization_ids,
            issue_ids=event["issue_ids"],
            component=event["component"],
            user_id=event["created_by"],
            held_at=event["starts_at"],
            revision=events.next_revision(work, event["id"]),
        )
    )


def _page(work: UnitOfWork, cursors: Cursors, event_id: str, query: PageQuery) -> Page[AttendeeAnswer]:
    listing = Listing(cursors, "attendees", work.caller.id, {"event_id": event_id})
    page = events.attendees(work, scope_of(work.caller), event_id, after=listing.after(query.cursor), limit=query.limit)
    return listing.answer(page, [answer_of(AttendeeAnswer, row) for row in page.rows])


def _event(work: UnitOfWork, event_id: str) -> EventAnswer:
    return answer_of(EventAnswer, found(events.one(work, event_id)), kept_texts(work, [event_id]))
