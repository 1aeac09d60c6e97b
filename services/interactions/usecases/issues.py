"""Issues, their updates and their talking points (R65-R71)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Table

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound, entity_tags, require_match
from services.chassis.messages import new_id as fresh_id
from services.contacts.contract.refusals import IssueUnknown
from services.interactions.contract import IssueChanged, IssueErased, IssueRegistered
from services.interactions.contract.refusals import IssueActive, IssueExists
from services.interactions.domain.texts import review
from services.interactions.storage import coordination, issues, pages, texts
from services.interactions.storage.tables import issue_updates, talking_points
from services.interactions.storage.tables import issues as table
from services.interactions.usecases.authorization import require_contributor, require_reader
from services.interactions.usecases.writing import Ids, store_text, wire
from services.lexicon.folding import fold
from services.lexicon.vocabulary import PRIORITIES

_TEXTS = ("name", "summary")


def register_issue(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    name: str,
    priority: str | None = None,
    parent_id: str | None = None,
    active: bool = True,
    summary: str | None = None,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Enter an issue; below another one it has that one's priority.

    :raises ContributorsOnly: the caller reads only.
    :raises IssueUnknown: there is no such parent.
    :raises IssueExists: there is one of this name below the same parent, or at the top of the same priority.
    :raises Invalid: the priority is another than the parent's.
    :raises TextNeedsReview: screening found something.
    """
    component = require_contributor(by)
    if parent_id is not None:
        priority = _priority_below(work, parent_id, priority)
    written = review([("name", name), ("summary", summary)], keep_reason=keep_reason)
    _demand_other_name(work, written[0].shared, priority=str(priority), parent_id=parent_id)
    issue_id = new_id()
    issues.add(
        work,
        id=issue_id,
        **{one.path: one.shared for one in written},
        priority=priority,
        parent_id=parent_id,
        active=active,
        revision=1,
        component=component,
        created_by=by.id,
        created_at=now,
        updated_at=now,
    )
    for one in written:
        store_text(work, one, subject_type="issue", subject_id=issue_id, field=one.path, keep_reason=keep_reason, now=now, new_id=new_id)
    work.announce(IssueRegistered(issue_id, str(priority), parent_id, active, revision=1))
    work.record("interactions:issue:register", subjects=[issue_id], fields=["name", "priority", "parent_id", "active", "summary"])
    return _issue(work, issue_id)


def read_issue(work: UnitOfWork, *, by: Caller, issue_id: str) -> dict[str, Any]:
    """Read an issue.

    :raises NotFound: there is none.
    """
    require_reader(by)
    issue = _issue(work, issue_id)
    work.record("interactions:issue:read", subjects=[issue_id], fields=issue)
    return issue


def list_issues(work: UnitOfWork, *, by: Caller, cursors: Cursors, query: Mapping[str, Any]) -> dict[str, Any]:
    """List issues, the latest first."""
    require_reader(by)
    wanted = {name: query[name] for name in ("priority", "parent_id", "active", "q") if name in query}
    after = cursors.open(query.get("cursor"), of="issues", user_id=by.id, query=query)
    page = pages.page(work, issues.matching(**wanted), keys=[table.c.created_at, table.c.id], after=after, limit=query["limit"])
    kept = texts.read(work, [row.id for row in page.rows])
    last = page.rows[-1] if page.has_more else None
    work.record("interactions:issue:list", subjects=[row.id for row in page.rows], fields=["name", "priority", "summary"])
    return {
        "items": [_shown(row, kept) for row in page.rows],
        "next": cursors.seal([last.created_at.isoformat(), last.id], of="issues", user_id=by.id, query=query) if last else None,
        "total": page.total,
    }


def read_issue_tree(work: UnitOfWork, *, by: Caller) -> dict[str, Any]:
    """Return the five priorities with their issues, each with those below it (R65, R71)."""
    require_reader(by)
    rows = issues.everything(work)
    kept = texts.read(work, [row.id for row in rows])
    nodes = {row.id: {"id": row.id, "name": _shown(row, kept)["name"], "active": row.active, "issues": []} for row in rows}
    tops: dict[str, list[Any]] = {priority: [] for priority in PRIORITIES}
    for row in rows:
        place: Any = nodes[row.parent_id]["issues"] if row.parent_id in nodes else tops[row.priority]
        place.append(nodes[row.id])
    work.record("interactions:issue:list", subjects=nodes, fields=["name", "active", "parent_id", "priority"])
    return {"items": [{"priority": code, "name": name, "issues": tops[code]} for code, name in PRIORITIES.items()]}


def change_issue(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    issue_id: str,
    if_match: str | None,
    new_id: Ids = fresh_id,
    keep_reason: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Change an issue; its priority and everything below it move together.

    :raises ContributorsOnly: the caller reads only.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    :raises Invalid: it would come to lie below itself, or differ from its parent's priority.
    """
    require_contributor(by)
    row = issues.one(work, issue_id, lock=True)
    if row is None:
        raise NotFound
    before = _issue(work, issue_id)
    require_match(if_match, entity_tags(before))
    if changes.get("parent_id") is not None:
        if changes["parent_id"] in {issue_id, *(one.id for one in issues.below(work, issue_id))}:
            raise Invalid(errors={"parent_id": ["An issue cannot lie below itself."]})
        changes["priority"] = _priority_below(work, changes["parent_id"], changes.get("priority"))
    elif row.parent_id is not None and "parent_id" not in changes and "priority" in changes:
        _priority_below(work, row.parent_id, changes["priority"])
    moved = [name for name in ("priority", "parent_id", "active") if name in changes and changes[name] != before[name]]
    values: dict[str, Any] = {name: changes[name] for name in moved}
    edited = [(name, changes[name]) for name in _TEXTS if name in changes and changes[name] != before[name]]
    for one in review(edited, keep_reason=keep_reason):
        store_text(work, one, subject_type="issue", subject_id=issue_id, field=one.path, keep_reason=keep_reason, now=now, new_id=new_id)
        if one.shared != getattr(row, one.path):
            values[one.path] = one.shared
    if values.keys() & {"name", "parent_id", "priority"}:
        place = {"priority": values.get("priority", row.priority), "parent_id": values.get("parent_id", row.parent_id)}
        _demand_other_name(work, values.get("name", row.name), **place, but=issue_id)
    if values:
        top = issues.change(work, issue_id, {**values, "updated_at": now})
        if moved:
            _announce_subtree(work, top, moved="priority" in values, now=now)
    work.record("interactions:issue:change", subjects=[issue_id], fields=[name for name in changes if name != "keep_reason"])
    return _issue(work, issue_id)


def erase_issue(work: UnitOfWork, *, now: datetime, issue_id: str) -> dict[str, Any]:
    """Delete an issue that is no longer active, with its updates, talking points, requests and links, and all below it (T7, R133).

    Whoever asked somebody to coordinate about it, and whoever had accepted, are told that the request went with it.

    :raises NotFound: there is none.
    :raises IssueActive: it, or one below it, is active.
    """
    row = issues.one(work, issue_id, lock=True)
    if row is None:
        raise NotFound
    gone = [row, *issues.below(work, issue_id)]
    if any(one.active for one in gone):
        raise IssueActive
    for request in coordination.open_about(work, [one.id for one in gone]):
        for user_id in {request.requested_by, request.answered_by} - {None}:
            coordination.tell(work, user_id, "coordination-request-issue-erased", [request], now=now)
    issues.remove(work, [one.id for one in gone])
    for one in gone:
        work.announce(IssueErased(one.id))
    work.record("interactions:issue:erase", subjects=[one.id for one in gone])
    return {"erased": [one.id for one in gone]}


def add_issue_update(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    issue_id: str,
    kind: str,
    text: str,
    happened_on: Any = None,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Tell of an event or a change of policy on an issue (R66, R67)."""
    component = require_contributor(by)
    _demand(work, issue_id)
    (one,) = review([("text", text)], keep_reason=keep_reason)
    update_id = new_id()
    issues.add_update(
        work,
        id=update_id,
        issue_id=issue_id,
        kind=kind,
        text=one.shared,
        happened_on=happened_on,
        component=component,
        created_by=by.id,
        created_at=now,
    )
    store_text(work, one, subject_type="issue_update", subject_id=update_id, field="text", keep_reason=keep_reason, now=now, new_id=new_id)
    work.record("interactions:issue-update:add", subjects=[issue_id, update_id], fields=["kind", "text", "happened_on"])
    return {
        "id": update_id,
        "issue_id": issue_id,
        "kind": kind,
        "text": text,
        "happened_on": wire(happened_on),
        "component": component,
        "created_by": by.id,
        "created_at": wire(now),
    }


def list_issue_updates(work: UnitOfWork, *, by: Caller, cursors: Cursors, issue_id: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """List an issue's updates, the latest first."""
    found = _texts(work, issues.updates(issue_id), issue_updates, by=by, cursors=cursors, issue_id=issue_id, query=query)
    work.record("interactions:issue-update:list", subjects=[issue_id], fields=["kind", "text", "happened_on"])
    return found


def repeat_issue_update(work: UnitOfWork, *, by: Caller, issue_id: str, update_id: str) -> dict[str, Any]:
    """Return an update as it is now, to whoever adds it a second time."""
    shown = _text(work, issues.updates(issue_id), issue_updates, update_id, by=by)
    work.record("interactions:issue-update:add", subjects=[issue_id, update_id], fields=["kind", "text", "happened_on"], outcome="replayed")
    return shown


def add_talking_point(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    issue_id: str,
    text: str,
    keep_reason: str | None = None,
    new_id: Ids = fresh_id,
) -> dict[str, Any]:
    """Add something to say on an issue (R68, R92)."""
    component = require_contributor(by)
    _demand(work, issue_id)
    (one,) = review([("text", text)], keep_reason=keep_reason)
    point_id = new_id()
    issues.add_talking_point(work, id=point_id, issue_id=issue_id, text=one.shared, component=component, created_by=by.id, created_at=now)
    store_text(work, one, subject_type="talking_point", subject_id=point_id, field="text", keep_reason=keep_reason, now=now, new_id=new_id)
    work.record("interactions:talking-point:add", subjects=[issue_id, point_id], fields=["text"])
    return {
        "id": point_id,
        "issue_id": issue_id,
        "text": text,
        "component": component,
        "created_by": by.id,
        "created_at": wire(now),
    }


def list_talking_points(work: UnitOfWork, *, by: Caller, cursors: Cursors, issue_id: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """List an issue's talking points, in the order they were written."""
    found = _texts(work, issues.points(issue_id), talking_points, by=by, cursors=cursors, issue_id=issue_id, query=query, descending=False)
    work.record("interactions:talking-point:list", subjects=[issue_id], fields=["text"])
    return found


def repeat_talking_point(work: UnitOfWork, *, by: Caller, issue_id: str, point_id: str) -> dict[str, Any]:
    """Return a talking point as it is now, to whoever adds it a second time."""
    shown = _text(work, issues.points(issue_id), talking_points, point_id, by=by)
    work.record("interactions:talking-point:add", subjects=[issue_id, point_id], fields=["text"], outcome="replayed")
    return shown


def _texts(
    work: UnitOfWork,
    wanted: Select[Any],
    of: Table,
    *,
    by: Caller,
    cursors: Cursors,
    issue_id: str,
    query: Mapping[str, Any],
    descending: bool = True,
) -> dict[str, Any]:
    """Return a page of what was written on an issue."""
    require_reader(by)
    _demand(work, issue_id)
    bound = {**query, "issue_id": issue_id, "of": of.name}
    after = cursors.open(query.get("cursor"), of=of.name, user_id=by.id, query=bound)
    page = pages.page(work, wanted, keys=[of.c.created_at, of.c.id], after=after, limit=query["limit"], descending=descending)
    kept = texts.read(work, [row.id for row in page.rows])
    last = page.rows[-1] if page.has_more else None
    return {
        "items": [_written(row, kept) for row in page.rows],
        "next": cursors.seal([last.created_at.isoformat(), last.id], of=of.name, user_id=by.id, query=bound) if last else None,
        "total": page.total,
    }


def _text(work: UnitOfWork, wanted: Select[Any], of: Table, text_id: str, *, by: Caller) -> dict[str, Any]:
    require_reader(by)
    row = work.execute(wanted.where(of.c.id == text_id)).one_or_none()
    if row is None:
        raise NotFound
    return _written(row, texts.read(work, [row.id]))


def _written(row: Any, kept: texts.Kept) -> dict[str, Any]:
    shown = {str(name): wire(value) if isinstance(value, date) else value for name, value in row._asdict().items()}
    return {**shown, "text": row.text if row.text is not None else kept.get((row.id, "text"))}


def _demand(work: UnitOfWork, issue_id: str) -> None:
    if issues.one(work, issue_id) is None:
        raise NotFound


def _priority_below(work: UnitOfWork, parent_id: str, priority: str | None) -> str:
    parent = issues.one(work, parent_id)
    if parent is None:
        raise IssueUnknown(errors={"parent_id": ["There is no such issue."]})
    if priority is not None and priority != parent.priority:
        raise Invalid(errors={"priority": ["An issue has the priority of the one above it."]})
    return str(parent.priority)


def _demand_other_name(work: UnitOfWork, name: str | None, *, priority: str, parent_id: str | None, but: str | None = None) -> None:
    """Let no two issues in one place be called the same, but for case, marks and punctuation; what is kept is nobody else's to compare."""
    if name is None:
        return
    issues.hold_place(work, parent_id or priority)
    for other in issues.siblings(work, priority=priority, parent_id=parent_id):
        if other.id != but and other.name is not None and fold(other.name) == fold(name):
            raise IssueExists(extra={"issue_id": other.id})


def _announce_subtree(work: UnitOfWork, top: Any, *, moved: bool, now: datetime) -> None:
    _announce(work, top)
    for row in issues.below(work, top.id) if moved else ():
        # Told as this change left it: somebody may have changed it since it was looked up.
        _announce(work, issues.change(work, row.id, {"priority": top.priority, "updated_at": now}))


def _announce(work: UnitOfWork, row: Any) -> None:
    work.announce(IssueChanged(row.id, row.priority, row.parent_id, row.active, row.revision))


def _issue(work: UnitOfWork, issue_id: str) -> dict[str, Any]:
    row = issues.one(work, issue_id)
    if row is None:
        raise NotFound
    return _shown(row, texts.read(work, [issue_id]))


def _shown(row: Any, kept: texts.Kept) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name if row.name is not None else kept.get((row.id, "name")),
        "priority": row.priority,
        "parent_id": row.parent_id,
        "active": row.active,
        "summary": row.summary if row.summary is not None else kept.get((row.id, "summary")),
        "component": row.component,
        "created_by": row.created_by,
        "created_at": wire(row.created_at),
        "updated_at": wire(row.updated_at),
    }
