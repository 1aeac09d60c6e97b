"""What the ISSO may read and sign: entries, checkpoints, proofs, findings, weekly reviews. Reading is itself recorded (T14)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.audit.contract import ReviewAlreadySigned, UnknownEntry, WeekBeforeTrail, WeekNotOver
from services.audit.domain.weeks import monday_of, state_of, weeks_between
from services.audit.storage import reading
from services.audit.storage.trail import StoredTree
from services.audit.usecases.authorization import require_reviewer, require_trail_reader
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, wire_value
from services.chassis.translog import merkle

LIST_ENTRIES = "audit:entry:list"
LIST_CHECKPOINTS = "audit:checkpoint:list"
PROVE = "audit:entry:prove"
LIST_FINDINGS = "audit:finding:list"
LIST_REVIEWS = "audit:review:list"
SIGN_REVIEW = "audit:review:sign"
FIND_UNCOVERED = "audit:number:find-uncovered"


def list_entries(work: UnitOfWork, *, by: Caller, query: Mapping[str, Any], cursors: Cursors) -> dict[str, Any]:
    """Return a page of entries, the newest first. (R125, R127, T14)

    :raises NotTheAuditor: the caller is not the ISSO.
    :raises CursorInvalid: the cursor is not of this query.
    """
    require_trail_reader(by)
    below = cursors.open(query.get("cursor"), of="entries", user_id=by.id, query=query)
    items = reading.list_entries(work, query, below=below, limit=query["limit"] + 1)
    count = reading.count_entries(work, query)
    asked = sorted(query.keys() - {"limit", "cursor"})
    work.record(LIST_ENTRIES, subjects=_ids(query.get("subject")), fields=asked)
    return _page(items, "position", cursors, of="entries", by=by, query=query, count=count)


def list_checkpoints(work: UnitOfWork, *, by: Caller, query: Mapping[str, Any], cursors: Cursors) -> dict[str, Any]:
    """Return a page of signed checkpoints, the newest first.

    :raises NotTheAuditor: the caller is not the ISSO.
    """
    require_trail_reader(by)
    below = cursors.open(query.get("cursor"), of="checkpoints", user_id=by.id, query=query)
    rows = reading.list_checkpoints(work, below=below, limit=query["limit"] + 1)
    items = [{"size": row.size, "root": _base64(bytes(row.root)), "note": row.note, "signed_at": wire_value(row.signed_at)} for row in rows]
    work.record(LIST_CHECKPOINTS)
    return _page(items, "size", cursors, of="checkpoints", by=by, query=query, count=reading.count_checkpoints(work))


def prove(work: UnitOfWork, *, by: Caller, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return a proof of inclusion or of consistency, with the checkpoint that it leads to. (N2)

    :raises NotTheAuditor: the caller is not the ISSO.
    :raises UnknownEntry: there is no such entry, or no checkpoint of that size or covering it.
    """
    require_trail_reader(by)
    tree = StoredTree(work.connection)
    if "position" in query:
        position = query["position"]
        line = reading.line_at(work, position)
        checkpoint = reading.checkpoint_covering(work, query.get("size", position + 1))
        if line is None or checkpoint is None or position >= checkpoint.size or query.get("size", checkpoint.size) != checkpoint.size:
            raise UnknownEntry
        path = merkle.inclusion_proof(position, checkpoint.size, tree.subtree)
        work.record(PROVE, fields=["position"])
        return {
            "kind": "inclusion",
            "position": position,
            "leaf": _base64(bytes(line.leaf)),
            "body": line.body,
            "size": checkpoint.size,
            "path": [_base64(step) for step in path],
            "note": checkpoint.note,
        }
    checkpoint = reading.checkpoint_covering(work, query["second"])
    if checkpoint is None or checkpoint.size != query["second"] or query["first"] > query["second"]:
        raise UnknownEntry
    path = merkle.consistency_proof(query["first"], query["second"], tree.subtree)
    work.record(PROVE, fields=["first", "second"])
    return {
        "kind": "consistency",
        "first": query["first"],
        "size": checkpoint.size,
        "path": [_base64(step) for step in path],
        "note": checkpoint.note,
    }


def list_findings(work: UnitOfWork, *, by: Caller, query: Mapping[str, Any], cursors: Cursors) -> dict[str, Any]:
    """Return findings, the newest first.

    :raises NotTheAuditor, CursorInvalid: the caller is not the ISSO; the cursor is another's.
    """
    require_trail_reader(by)
    below = cursors.open(query.get("cursor"), of="findings", user_id=by.id, query=query)
    rows = reading.list_findings(work, below=below, limit=query["limit"] + 1)
    work.record(LIST_FINDINGS)
    items = [
        {
            "id": row.id,
            "kind": row.kind,
            "position": row.position,
            "stream": row.stream,
            "n": row.n,
            "service": row.service,
            "found_at": wire_value(row.found_at),
        }
        for row in rows
    ]
    return _page(items, "id", cursors, of="findings", by=by, query=query, count=reading.count_all_findings(work))


def list_reviews(work: UnitOfWork, *, by: Caller, now: datetime, query: Mapping[str, Any], cursors: Cursors) -> dict[str, Any]:
    """Return the weeks with their state, the newest first, back to the first entry; those that wait come with their figures. (R127, R191)

    :raises NotTheAuditor, CursorInvalid: the caller is not the ISSO; the cursor is another's.
    """
    require_trail_reader(by)
    today = now.date()
    weeks = list(weeks_between(reading.first_day(work) or today, today))
    position = cursors.open(query.get("cursor"), of="reviews", user_id=by.id, query=query)
    rest = [week for week in weeks if position is None or week.toordinal() < position]
    signed = reading.signed_reviews(work)
    items = [_review(work, week, signed.get(week), today) for week in rest[: query["limit"]]]
    work.record(LIST_REVIEWS)
    is_part = len(rest) > len(items)
    following = cursors.seal(rest[len(items) - 1].toordinal(), of="reviews", user_id=by.id, query=query) if is_part else None
    return {"items": items, "next": following, "total": len(weeks)}


def sign_review(work: UnitOfWork, *, by: Caller, now: datetime, week: date, review_id: str) -> dict[str, Any]:
    """Sign off a week's review; the sign-off names the newest checkpoint, and so is a witness of it. (R127, N2)

    :raises NotTheAuditor: the caller is not the ISSO.
    :raises WeekNotOver: the week is not over.
    :raises WeekBeforeTrail: the first entry is of a later week.
    :raises ReviewAlreadySigned: somebody did already.
    :raises UnknownEntry: nothing was ever signed, so that there is nothing to review.
    """
    require_reviewer(by)
    if state_of(week, today=now.date(), signed=False) == "open":
        raise WeekNotOver
    first = reading.first_day(work)
    if first is None or week < monday_of(first):
        raise WeekBeforeTrail
    if week in reading.signed_reviews(work):
        raise ReviewAlreadySigned
    newest = next(iter(reading.list_checkpoints(work, below=None, limit=1)), None)
    if newest is None:
        raise UnknownEntry
    reading.sign_review(work, review_id=review_id, week=week, reviewer=by.id, signed_at=now, size=newest.size, root=bytes(newest.root))
    work.record(SIGN_REVIEW, subjects=[review_id])
    return _review(work, week, reading.signed_reviews(work)[week], now.date())


def read_review(work: UnitOfWork, *, by: Caller, now: datetime, week: date) -> dict[str, Any]:
    """Return one week and its review.

    :raises NotTheAuditor: the caller is not the ISSO.
    """
    require_trail_reader(by)
    work.record(LIST_REVIEWS)
    return _review(work, week, reading.signed_reviews(work).get(week), now.date())


def find_uncovered(work: UnitOfWork, *, size: int, ranges: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the places of those ranges of which some number is not in the trail that the checkpoint of `size` lines covers.

    An entry counts as itself alone: a void of its number, or a line that could not be read, is not what the service has.
    """
    uncovered = reading.uncovered(work, size=size, ranges=ranges)
    work.record(FIND_UNCOVERED)
    return {"lacking": uncovered}


def _review(work: UnitOfWork, week: date, review: Row[Any] | None, today: date) -> dict[str, Any]:
    state = state_of(week, today=today, signed=review is not None)
    return {
        "week": week.isoformat(),
        "state": state,
        "reviewer": review.reviewer if review else None,
        "signed_at": wire_value(review.signed_at) if review else None,
        "size": review.size if review else None,
        "findings": reading.count_findings(work, week),
        "signals": reading.signals(work, week) if state in {"due", "overdue"} else [],
    }


def _page(items: list[dict[str, Any]], place: str, cursors: Cursors, *, of: str, by: Caller, query: Mapping[str, Any], count: int) -> dict[str, Any]:
    page = items[: query["limit"]]
    more = len(items) > len(page)
    return {
        "items": page,
        "next": cursors.seal(page[-1][place], of=of, user_id=by.id, query=query) if more else None,
        "total": count if count <= reading.COUNTED else {"at_least": reading.COUNTED},
    }


def _ids(subject: str | None) -> list[str]:
    # What was typed into a filter may be anything; only an id goes into the trail.
    try:
        return [str(UUID(subject))] if subject else []
    except ValueError:
        return []


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
