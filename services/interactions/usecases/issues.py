"""Issues, their updates and their talking points (R65-R71)."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Invalid, entity_tags, new_id, require_match
from services.chassis.validation import given_or, names_given
from services.interactions.contract.announcements import IssueChanged, IssueErased, IssueRegistered
from services.interactions.contract.answers import ErasedIssues, IssueAnswer, IssueNode, IssueTree, IssueUpdateAnswer, TalkingPointAnswer
from services.interactions.contract.commands import IssueChange, IssueCreate, IssueListQuery, IssueUpdateCreate, PageQuery, TalkingPointCreate
from services.interactions.contract.refusals import IssueActive, IssueExists
from services.interactions.domain.records import Issue, IssueUpdate, TalkingPoint
from services.interactions.domain.texts import review
from services.interactions.storage import coordination, issues
from services.interactions.usecases.authorization import require_contributor, require_reader
from services.interactions.usecases.listing import Listing
from services.interactions.usecases.writing import answer_of, found, kept_texts, reworded, store_text
from services.lexicon.folding import fold
from services.lexicon.refusals import IssueUnknown
from services.lexicon.vocabulary import PRIORITIES

_UPDATE = ("kind", "text", "happened_on")


def register_issue(work: UnitOfWork, *, now: datetime, command: IssueCreate) -> IssueAnswer:
    """Register an issue; below another one it has that one's priority.

    :raises ContributorsOnly: the caller may only read.
    :raises IssueUnknown: there is no such parent.
    :raises IssueExists: there is one of this name below the same parent, or at the top of the same priority.
    :raises Invalid: the priority is another than the parent's.
    :raises TextNeedsReview: screening found something.
    """
    component = require_contributor(work.caller)
    priority = command.priority if command.parent_id is None else _priority_below(work, command.parent_id, command.priority)
    written = review([("name", command.name), ("summary", command.summary)], keep_reason=command.keep_reason)
    name, summary = (one.shared for one in written)
    issue = Issue(new_id(), name, str(priority), command.parent_id, command.active, summary, 1, component, work.caller.id, now, now)
    _require_other_name(work, issue)
    issues.add(work, issue)
    for one in written:
        store_text(work, one, "issue", issue.id, now=now)
    work.announce(IssueRegistered(issue.id, issue.priority, issue.parent_id, issue.active, revision=issue.revision))
    work.record("interactions:issue:register", subjects=[issue.id], fields=["name", "priority", "parent_id", "active", "summary"])
    return _issue(work, issue.id)


def read_issue(work: UnitOfWork, issue_id: str) -> IssueAnswer:
    """Return an issue.

    :raises NotFound: there is none.
    """
    require_reader(work.caller)
    issue = _issue(work, issue_id)
    work.record("interactions:issue:read", subjects=[issue_id], fields=issue)
    return issue


def list_issues(work: UnitOfWork, *, cursors: Cursors, query: IssueListQuery) -> Page[IssueAnswer]:
    """List issues, latest first."""
    require_reader(work.caller)
    listing = Listing(cursors, "issues", work.caller.id, asdict(query))
    page = issues.matching(work, query, after=listing.after(query.cursor))
    kept = kept_texts(work, [row.id for row in page.rows])
    work.record("interactions:issue:list", subjects=[row.id for row in page.rows], fields=["name", "priority", "summary"])
    return listing.answer(page, [answer_of(IssueAnswer, row, kept) for row in page.rows])


def read_issue_tree(work: UnitOfWork) -> IssueTree:
    """Return the five priorities with their issues, each with the issues below it (R65, R71)."""
    require_reader(work.caller)
    rows = issues.everything(work)
    kept = kept_texts(work, [row.id for row in rows])
    nodes = {row.id: answer_of(IssueNode, row, kept, issues=[]) for row in rows}
    tops: dict[str, list[IssueNode]] = {priority: [] for priority in PRIORITIES}
    for row in rows:
        place = nodes[row.parent_id]["issues"] if row.parent_id in nodes else tops[row.priority]
        place.append(nodes[row.id])
    work.record("interactions:issue:list", subjects=nodes, fields=["name", "active", "parent_id", "priority"])
    return {"items": [{"priority": code, "name": name, "issues": tops[code]} for code, name in PRIORITIES.items()]}


def change_issue(work: UnitOfWork, *, now: datetime, issue_id: str, if_match: str | None, command: IssueChange) -> IssueAnswer:
    """Change an issue; its priority and everything below it move together.

    :raises ContributorsOnly: the caller may only read.
    :raises NotFound: there is none.
    :raises Stale: it changed since.
    :raises Invalid: it would be below itself, or differ from its parent's priority.
    """
    require_contributor(work.caller)
    row = found(issues.one(work, issue_id, lock=True))
    before = answer_of(IssueAnswer, row, kept_texts(work, [issue_id]))
    require_match(if_match, entity_tags(before))
    given = names_given(command) - {"keep_reason"}
    parent_id, priority = given_or(command.parent_id, row.parent_id), given_or(command.priority, None)
    if parent_id is not None and "parent_id" in given:
        if parent_id in {issue_id, *(one.id for one in issues.below(work, issue_id))}:
            raise Invalid(errors={"parent_id": ["An issue cannot lie below itself."]})
        priority = _priority_below(work, parent_id, priority)
        given |= {"priority"}
    elif parent_id is not None and priority is not None:
        _priority_below(work, parent_id, priority)
    changed = replace(row, priority=priority or row.priority, parent_id=parent_id, active=given_or(command.active, row.active))
    has_moved = changed != row
    edited = reworded(("name", command.name, before["name"]), ("summary", command.summary, before["summary"]))
    for one in review(edited, keep_reason=command.keep_reason):
        store_text(work, one, "issue", issue_id, now=now)
        changed = replace(changed, name=one.shared) if one.path == "name" else replace(changed, summary=one.shared)
    if (changed.name, changed.parent_id, changed.priority) != (row.name, row.parent_id, row.priority):
        _require_other_name(work, changed)
    if changed != row:
        changed = issues.change(work, replace(changed, updated_at=now))
        if has_moved:
            _announce_subtree(work, changed, moved=changed.priority != row.priority, now=now)
    work.record("interactions:issue:change", subjects=[issue_id], fields=given)
    return _issue(work, issue_id)


def erase_issue(work: UnitOfWork, *, now: datetime, issue_id: str) -> ErasedIssues:
    """Delete an inactive issue with its updates, talking points, requests and links, and everything below it (T7, R133).

    Senders of coordination requests about it, and addressees who accepted, get a notice.

    :raises NotFound: there is none.
    :raises IssueActive: it, or one below it, is active.
    """
    row = found(issues.one(work, issue_id, lock=True))
    gone = [row, *issues.below(work, issue_id)]
    if any(one.active for one in gone):
        raise IssueActive
    ids = [one.id for one in gone]
    for request in coordination.open_about(work, ids):
        for user_id in {one for one in (request.requested_by, request.answered_by) if one is not None}:
            coordination.notify(work, user_id, "coordination-request-issue-erased", [request], now=now)
    issues.remove(work, ids)
    for one in ids:
        work.announce(IssueErased(one))
    work.record("interactions:issue:erase", subjects=ids)
    return {"erased": ids}


def add_issue_update(work: UnitOfWork, *, now: datetime, issue_id: str, command: IssueUpdateCreate) -> IssueUpdateAnswer:
    """Add an update to an issue: an event or a change of policy (R66, R67)."""
    component = require_contributor(work.caller)
    found(issues.one(work, issue_id))
    (one,) = review([("text", command.text)], keep_reason=command.keep_reason)
    added = IssueUpdate(new_id(), issue_id, command.kind, one.shared, command.happened_on, component, work.caller.id, now)
    issues.add(work, added)
    store_text(work, one, "issue_update", added.id, now=now)
    work.record("interactions:issue-update:add", subjects=[issue_id, added.id], fields=_UPDATE)
    return answer_of(IssueUpdateAnswer, replace(added, text=command.text))


def list_issue_updates(work: UnitOfWork, *, cursors: Cursors, issue_id: str, query: PageQuery) -> Page[IssueUpdateAnswer]:
    """List an issue's updates, latest first."""
    require_reader(work.caller)
    found(issues.one(work, issue_id))
    listing = Listing(cursors, "issue_updates", work.caller.id, {"issue_id": issue_id})
    page = issues.updates(work, issue_id, after=listing.after(query.cursor), limit=query.limit)
    kept = kept_texts(work, [row.id for row in page.rows])
    work.record("interactions:issue-update:list", subjects=[issue_id], fields=_UPDATE)
    return listing.answer(page, [answer_of(IssueUpdateAnswer, row, kept) for row in page.rows])


def repeat_issue_update(work: UnitOfWork, update_id: str) -> IssueUpdateAnswer:
    """Answer a repeated `add_issue_update` with the present update."""
    require_reader(work.caller)
    row = found(issues.one_text(work, IssueUpdate, update_id))
    work.record("interactions:issue-update:add", subjects=[row.issue_id, update_id], fields=_UPDATE, outcome="replayed")
    return answer_of(IssueUpdateAnswer, row, kept_texts(work, [update_id]))


def add_talking_point(work: UnitOfWork, *, now: datetime, issue_id: str, command: TalkingPointCreate) -> TalkingPointAnswer:
    """Add a talking point to an issue (R68, R92)."""
    component = require_contributor(work.caller)
    found(issues.one(work, issue_id))
    (one,) = review([("text", command.text)], keep_reason=command.keep_reason)
    added = TalkingPoint(new_id(), issue_id, one.shared, component, work.caller.id, now)
    issues.add(work, added)
    store_text(work, one, "talking_point", added.id, now=now)
    work.record("interactions:talking-point:add", subjects=[issue_id, added.id], fields=["text"])
    return answer_of(TalkingPointAnswer, replace(added, text=command.text))


def list_talking_points(work: UnitOfWork, *, cursors: Cursors, issue_id: str, query: PageQuery) -> Page[TalkingPointAnswer]:
    """List an issue's talking points in the order in which they were written."""
    require_reader(work.caller)
    found(issues.one(work, issue_id))
    listing = Listing(cursors, "talking_points", work.caller.id, {"issue_id": issue_id})
    page = issues.points(work, issue_id, after=listing.after(query.cursor), limit=query.limit)
    kept = kept_texts(work, [row.id for row in page.rows])
    work.record("interactions:talking-point:list", subjects=[issue_id], fields=["text"])
    return listing.answer(page, [answer_of(TalkingPointAnswer, row, kept) for row in page.rows])


def repeat_talking_point(work: UnitOfWork, point_id: str) -> TalkingPointAnswer:
    """Answer a repeated `add_talking_point` with the present one."""
    require_reader(work.caller)
    row = found(issues.one_text(work, TalkingPoint, point_id))
    work.record("interactions:talking-point:add", subjects=[row.issue_id, point_id], fields=["text"], outcome="replayed")
    return answer_of(TalkingPointAnswer, row, kept_texts(work, [point_id]))


def _priority_below(work: UnitOfWork, parent_id: str, priority: str | None) -> str:
    parent = issues.one(work, parent_id)
    if parent is None:
        raise IssueUnknown(errors={"parent_id": ["There is no such issue."]})
    if priority is not None and priority != parent.priority:
        raise Invalid(errors={"priority": ["An issue has the priority of the one above it."]})
    return parent.priority


def _require_other_name(work: UnitOfWork, issue: Issue) -> None:
    """Require that no other issue in the same place has this name; case, marks and punctuation do not count, nor kept names."""
    if issue.name is None:
        return
    issues.hold_place(work, issue.parent_id or issue.priority)
    for other_id, name in issues.siblings(work, priority=issue.priority, parent_id=issue.parent_id).items():
        if other_id != issue.id and name is not None and fold(name) == fold(issue.name):
            raise IssueExists(extra={"issue_id": other_id})


def _announce_subtree(work: UnitOfWork, top: Issue, *, moved: bool, now: datetime) -> None:
    _announce(work, top)
    for row in issues.below(work, top.id) if moved else ():
        # As this change left it: somebody may have changed it since it was looked up.
        _announce(work, issues.set_priority(work, row.id, top.priority, now=now))


def _announce(work: UnitOfWork, row: Issue) -> None:
    work.announce(IssueChanged(row.id, row.priority, row.parent_id, row.active, row.revision))


def _issue(work: UnitOfWork, issue_id: str) -> IssueAnswer:
    return answer_of(IssueAnswer, found(issues.one(work, issue_id)), kept_texts(work, [issue_id]))
