"""Events and who attended them (R56, R58-R63)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound, entity_tags, require_match
from services.chassis.messages import new_id as fresh_id
from services.interactions.contract import AttendanceRecorded
from services.interactions.contract.refusals import EventNotBegun
from services.interactions.domain.moments import CLOCK_SKEW, EARLIEST
from services.interactions.domain.texts import review
from services.interactions.storage import directory, events, issues, pages, texts
from services.interactions.storage.tables import attendances
from services.interactions.storage.tables import events as table
from services.interactions.usecases.authorization import require_contributor, require_reader
from services.interactions.usecases.preconditions import require_individuals, require_issues, require_organizations, require_own_component
from services.interactions.usecases.writing import Ids, store_text, wire

_TEXTS = ("name", "place", "agenda")
#: How many of those who attended are answered at once.
_ANSWERED = 200
_FILTERS = ("individual_id", "organization_id", "component", "since", "until")


def register_event(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    name: str,
    starts_at: datetime,
    ends_at: datetime | None = None,
    place: str | None = None,
    agenda: str | None = None,
    issue_ids: Sequence[str] = (),
    component: str | None = None,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Enter an event, past or to come.

    :raises ContributorsOnly: the caller reads only.
    :raises TextNeedsReview: screening found something.
    """
    own = require_contributor(by)
    require_own_component(by, component)
    if starts_at < EARLIEST:
        raise Invalid(errors={"starts_at": ["Not before 2003."]})
    require_issues(work, issue_ids)
    written = review([("name", name), ("place", place), ("agenda", agenda)], keep_reason=keep_reason)
    event_id = new_id()
    events.add(
        work,
        id=event_id,
        **{one.path: one.shared for one in written},
        starts_at=starts_at,
        ends_at=ends_at,
        component=own,
        created_by=by.id,
        created_at=now,
        updated_at=now,
    )
    events.discuss(work, event_id, issue_ids)
    for one in written:
        store_text(work, one, subject_type="event", subject_id=event_id, field=one.path, keep_reason=keep_reason, now=now, new_id=new_id)
    work.record("interactions:event:enter", subjects=[event_id], fields=["name", "starts_at", "ends_at", "place", "agenda", "issue_ids"])
    return _event(work, event_id)


def read_event(work: UnitOfWork, *, by: Caller, event_id: str) -> dict[str, Any]:
    """Read an event.

    :raises NotFound: there is none.
    """
    require_reader(by)
    event = _event(work, event_id)
    work.record("interactions:event:read", subjects=[event_id], fields=event)
    return event


def list_events(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """List events, the most recent first."""
    require_reader(by)
    after = cursors.open(query.get("cursor"), of="events", user_id=by.id, query=query)
    issue_ids = issues.with_all_below(work, query["issue_id"]) if "issue_id" in query else None
    wanted = events.matching(by, issue_ids=issue_ids, **{name: query[name] for name in _FILTERS if name in query})
    page = pages.page(work, wanted, keys=[table.c.starts_at, table.c.id], after=after, limit=query["limit"])
    kept = texts.read(work, [row.id for row in page.rows])
    items = [_shown(row, kept) for row in page.rows]
    last = page.rows[-1] if page.has_more else None
    asked = [query[name] for name in ("individual_id", "organization_id") if name in query]
    work.record("interactions:event:list", subjects=[*(item["id"] for item in items), *asked], fields=items[0] if items else ())
    return {
        "items": items,
        "next": cursors.seal([last.starts_at.isoformat(), last.id], of="events", user_id=by.id, query=query) if last else None,
        "total": page.total,
    }


def change_event(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    event_id: str,
    if_match: str | None,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
    **changes: Any,
) -> dict[str, Any]:
    """Correct an event.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    :raises EventNotBegun: it would move into the future, and people are recorded as having attended.
    """
    require_contributor(by)
    row = events.one(work, event_id, lock=True)
    if row is None:
        raise NotFound
    before = _event(work, event_id)
    require_match(if_match, entity_tags(before))
    values: dict[str, Any] = {name: changes[name] for name in ("starts_at", "ends_at") if name in changes and wire(changes[name]) != before[name]}
    starts, ends = changes.get("starts_at", row.starts_at), changes.get("ends_at", row.ends_at)
    if ends is not None and ends < starts:
        raise Invalid(errors={"ends_at": ["An event ends after it starts."]})
    individuals, organizations = events.attending(work, event_id)
    if starts > now + CLOCK_SKEW and (individuals or organizations):
        raise EventNotBegun
    edited = [(name, changes[name]) for name in _TEXTS if name in changes and changes[name] != before[name]]
    for one in review(edited, keep_reason=keep_reason):
        store_text(work, one, subject_type="event", subject_id=event_id, field=one.path, keep_reason=keep_reason, now=now, new_id=new_id)
        if one.shared != getattr(row, one.path):
            values[one.path] = one.shared
    has_other_issues = "issue_ids" in changes and set(changes["issue_ids"]) != set(before["issue_ids"])
    if has_other_issues:
        require_issues(work, changes["issue_ids"])
        events.discuss(work, event_id, changes["issue_ids"])
    if values or has_other_issues:
        events.change(work, event_id, {**values, "updated_at": now})
    event = _event(work, event_id)
    if individuals and ("starts_at" in values or has_other_issues):
        _announce(work, event, individuals, organizations)
    work.record("interactions:event:change", subjects=[event_id], fields=[name for name in changes if name != "keep_reason"])
    return event


def add_attendees(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    cursors: Cursors,
    event_id: str,
    individual_ids: Sequence[str] = (),
    organization_ids: Sequence[str] = (),
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Record who attended; it counts as contact (R56, R62). Who is recorded already, stays.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is no such event.
    :raises EventNotBegun: it lies in the future.
    :raises IndividualFrozen: somebody asked not to be contacted.
    """
    component = require_contributor(by)
    row = events.one(work, event_id, lock=True)
    if row is None:
        raise NotFound
    if row.starts_at > now + CLOCK_SKEW:
        raise EventNotBegun
    require_individuals(work, individual_ids)
    require_organizations(work, organization_ids)
    employers = directory.employers_of(work, individual_ids)
    named = [("individual_id", one) for one in dict.fromkeys(individual_ids)]
    named += [("organization_id", one) for one in dict.fromkeys(organization_ids)]
    events.attend(
        work,
        [
            {
                "id": new_id(),
                "event_id": event_id,
                "individual_id": one if kind == "individual_id" else None,
                "organization_id": one if kind == "organization_id" else None,
                "employer_id": employers.get(one) if kind == "individual_id" else None,
                "component": component,
                "recorded_by": by.id,
                "recorded_at": now,
            }
            for kind, one in named
        ],
    )
    _announce(work, _event(work, event_id), *events.attending(work, event_id))
    work.record("interactions:attendance:record", subjects=[event_id, *individual_ids, *organization_ids], fields=["attendees"])
    found, last = _page(work, by, event_id, limit=_ANSWERED)
    if last is not None:
        found["next"] = cursors.seal([last], of="attendees", user_id=by.id, query={"event_id": event_id})
    return found


def list_attendees(work: UnitOfWork, *, by: Caller, cursors: Cursors, event_id: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """List who attended, in the order they were recorded.

    :raises NotFound: there is no such event.
    """
    require_reader(by)
    if events.one(work, event_id) is None:
        raise NotFound
    bound = {**query, "event_id": event_id}
    after = cursors.open(query.get("cursor"), of="attendees", user_id=by.id, query=bound)
    found, last = _page(work, by, event_id, after=after, limit=query.get("limit", 50))
    if last is not None:
        found["next"] = cursors.seal([last], of="attendees", user_id=by.id, query=bound)
    people = [item["individual_id"] or item["organization_id"] for item in found["items"]]
    work.record("interactions:attendance:list", subjects=[event_id, *people], fields=["attendees"])
    return found


def remove_attendee(work: UnitOfWork, *, by: Caller, event_id: str, attendee_id: str) -> None:
    """Take back an attendance that was recorded by mistake; it is named by its own id or the stakeholder's.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is no such attendance.
    """
    require_contributor(by)
    if events.one(work, event_id, lock=True) is None:
        raise NotFound
    left = events.leave(work, event_id, attendee_id)
    if left is None:
        raise NotFound
    _announce(work, _event(work, event_id), *events.attending(work, event_id))
    who = left.individual_id or left.organization_id
    work.record("interactions:attendance:remove", subjects=[event_id, who], fields=["attendees"])


def _announce(work: UnitOfWork, event: Mapping[str, Any], individual_ids: list[str], organization_ids: list[str]) -> None:
    # Whoever recorded it: it was the event's component that they met.
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


def _page(work: UnitOfWork, by: Caller, event_id: str, *, limit: int, after: list[str] | None = None) -> tuple[dict[str, Any], str | None]:
    wanted = events.attendees(by, event_id)
    page = pages.page(work, wanted, keys=[attendances.c.id], after=after, limit=limit, descending=False)
    items = [
        {
            "id": row.id,
            "individual_id": row.individual_id,
            "organization_id": row.organization_id,
            "component": row.component,
            "recorded_by": row.recorded_by,
            "recorded_at": wire(row.recorded_at),
        }
        for row in page.rows
    ]
    return {"items": items, "next": None, "total": page.total}, page.rows[-1].id if page.has_more else None


def _event(work: UnitOfWork, event_id: str) -> dict[str, Any]:
    row = events.one(work, event_id)
    if row is None:
        raise NotFound
    return _shown(row, texts.read(work, [event_id]))


def _shown(row: Any, kept: texts.Kept) -> dict[str, Any]:
    return {
        "id": row.id,
        **{name: getattr(row, name) if getattr(row, name) is not None else kept.get((row.id, name)) for name in _TEXTS},
        "starts_at": wire(row.starts_at),
        "ends_at": wire(row.ends_at),
        "issue_ids": list(row.issue_ids),
        "component": row.component,
        "created_by": row.created_by,
        "created_at": wire(row.created_at),
        "updated_at": wire(row.updated_at),
    }
