"""Reading the trail for the ISSO, and signing off weekly reviews. Reading is itself recorded (T14)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from typing import TypeVar, cast
from uuid import UUID

import orjson

from services.audit.contract.answers import (
    CheckpointAnswer,
    ConsistencyProof,
    EntryAnswer,
    FindingAnswer,
    InclusionProof,
    ReviewAnswer,
    SignalAnswer,
    UncoveredAnswer,
)
from services.audit.contract.refusals import ReviewAlreadySigned, UnknownEntry, WeekBeforeTrail, WeekNotOver
from services.audit.contract.schemas import ConsistencyQuery, CoverageQuery, EntriesQuery, InclusionQuery, PageQuery
from services.audit.domain.records import Review, StoredCheckpoint, StoredFinding
from services.audit.domain.weeks import monday_of, state_of, weeks_between
from services.audit.storage import reading
from services.audit.storage.tables import checkpoints, findings
from services.audit.storage.trail import StoredTree
from services.audit.usecases.authorization import require_reviewer, require_trail_reader
from services.chassis.answers import Page, total_up_to
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


Row = TypeVar("Row")
Item = TypeVar("Item")


def list_entries(work: UnitOfWork, *, by: Caller, query: EntriesQuery, cursors: Cursors) -> Page[EntryAnswer]:
    """Return a page of entries, newest first (R125, R127, T14).

    :raises NotTheAuditor: the caller is not the ISSO.
    :raises CursorInvalid: the cursor is not of this query.
    """
    require_trail_reader(by)
    pages = _Pages("entries", by, query, cursors)
    rows = reading.list_entries(work, query, below=pages.below, limit=query.limit + 1)
    count = reading.count_entries(work, query)
    work.record(LIST_ENTRIES, subjects=_ids(query.subject), fields=sorted(pages.filters))
    return pages.page(rows, position=lambda row: row.position, answer=lambda row: _entry(row.position, row.body), count=count)


def list_checkpoints(work: UnitOfWork, *, by: Caller, query: PageQuery, cursors: Cursors) -> Page[CheckpointAnswer]:
    """Return a page of signed checkpoints, the newest first.

    :raises NotTheAuditor, CursorInvalid: the caller is not the ISSO; the cursor is another's.
    """
    require_trail_reader(by)
    pages = _Pages("checkpoints", by, query, cursors)
    rows = reading.list_checkpoints(work, below=pages.below, limit=query.limit + 1)
    work.record(LIST_CHECKPOINTS)
    return pages.page(rows, position=lambda row: row.size, answer=_checkpoint, count=reading.count_rows(work, checkpoints))


def prove(work: UnitOfWork, *, by: Caller, query: InclusionQuery | ConsistencyQuery) -> InclusionProof | ConsistencyProof:
    """Return a proof of inclusion or of consistency, with the checkpoint that it leads to (N2).

    :raises NotTheAuditor: the caller is not the ISSO.
    :raises UnknownEntry: there is no such entry, or no checkpoint of that size or covering it.
    """
    require_trail_reader(by)
    return _prove_inclusion(work, query) if isinstance(query, InclusionQuery) else _prove_consistency(work, query)


def _prove_inclusion(work: UnitOfWork, query: InclusionQuery) -> InclusionProof:
    position = query.position
    line = reading.line_at(work, position)
    checkpoint = reading.checkpoint_covering(work, query.size or position + 1)
    if line is None or checkpoint is None or position >= checkpoint.size or (query.size or checkpoint.size) != checkpoint.size:
        raise UnknownEntry
    path = merkle.inclusion_proof(position, checkpoint.size, StoredTree(work.connection).subtree)
    work.record(PROVE, fields=["position"])
    return {
        "kind": "inclusion",
        "position": position,
        "leaf": _base64(line.leaf or b""),
        "body": line.body,
        "size": checkpoint.size,
        "path": [_base64(step) for step in path],
        "note": checkpoint.note,
    }


def _prove_consistency(work: UnitOfWork, query: ConsistencyQuery) -> ConsistencyProof:
    checkpoint = reading.checkpoint_covering(work, query.second)
    if checkpoint is None or checkpoint.size != query.second or query.first > query.second:
        raise UnknownEntry
    path = merkle.consistency_proof(query.first, query.second, StoredTree(work.connection).subtree)
    work.record(PROVE, fields=["first", "second"])
    return {
        "kind": "consistency",
        "first": query.first,
        "size": checkpoint.size,
        "path": [_base64(step) for step in path],
        "note": checkpoint.note,
    }


def list_findings(work: UnitOfWork, *, by: Caller, query: PageQuery, cursors: Cursors) -> Page[FindingAnswer]:
    """Return findings, newest first.

    :raises NotTheAuditor, CursorInvalid: the caller is not the ISSO; the cursor is another's.
    """
    require_trail_reader(by)
    pages = _Pages("findings", by, query, cursors)
    rows = reading.list_findings(work, below=pages.below, limit=query.limit + 1)
    work.record(LIST_FINDINGS)
    return pages.page(rows, position=lambda row: row.id, answer=_finding, count=reading.count_rows(work, findings))


def list_reviews(work: UnitOfWork, *, by: Caller, now: datetime, query: PageQuery, cursors: Cursors) -> Page[ReviewAnswer]:
    """Return the weeks with their state, newest first, back to the first entry; waiting weeks have their figures (R127, R191).

    :raises NotTheAuditor, CursorInvalid: the caller is not the ISSO; the cursor is another's.
    """
    require_trail_reader(by)
    today = now.date()
    weeks = list(weeks_between(reading.first_day(work) or today, today))
    pages = _Pages("reviews", by, query, cursors)
    rest = [week for week in weeks if pages.below is None or week.toordinal() < pages.below]
    signed = reading.signed_reviews(work)
    work.record(LIST_REVIEWS)
    return pages.page(rest, position=date.toordinal, answer=lambda week: _review(work, week, signed.get(week), today), count=len(weeks))


def sign_review(work: UnitOfWork, *, by: Caller, now: datetime, week: date, review_id: str) -> ReviewAnswer:
    """Sign off a week's review. The sign-off names the newest checkpoint, and so witnesses it (R127, N2).

    :raises NotTheAuditor: the caller is not the ISSO.
    :raises WeekNotOver: the week is not over.
    :raises WeekBeforeTrail: the first entry is of a later week.
    :raises ReviewAlreadySigned: somebody signed it already.
    :raises UnknownEntry: nothing was ever signed, so there is nothing to review.
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
    reading.sign_review(work, review_id=review_id, week=week, reviewer=by.id, signed_at=now, size=newest.size, root=newest.root)
    work.record(SIGN_REVIEW, subjects=[review_id])
    return _review(work, week, reading.signed_reviews(work)[week], now.date())


def read_review(work: UnitOfWork, *, by: Caller, now: datetime, week: date) -> ReviewAnswer:
    """Return one week and its review.

    :raises NotTheAuditor: the caller is not the ISSO.
    """
    require_trail_reader(by)
    work.record(LIST_REVIEWS)
    return _review(work, week, reading.signed_reviews(work).get(week), now.date())


def find_uncovered(work: UnitOfWork, query: CoverageQuery) -> UncoveredAnswer:
    """Return the places of the ranges of which some number is not in the trail that the checkpoint covers.

    An entry counts as itself alone: a void of its number, or a line that could not be read, is not what the service has.
    """
    uncovered = reading.uncovered(work, query)
    work.record(FIND_UNCOVERED)
    return {"lacking": uncovered}


def _entry(position: int, body: str) -> EntryAnswer:
    return cast("EntryAnswer", {"position": position, **orjson.loads(body)})


def _checkpoint(row: StoredCheckpoint) -> CheckpointAnswer:
    return {"size": row.size, "root": _base64(row.root), "note": row.note, "signed_at": str(wire_value(row.signed_at))}


def _finding(row: StoredFinding) -> FindingAnswer:
    return cast("FindingAnswer", {**asdict(row), "found_at": str(wire_value(row.found_at))})


def _review(work: UnitOfWork, week: date, review: Review | None, today: date) -> ReviewAnswer:
    state = state_of(week, today=today, signed=review is not None)
    return {
        "week": week.isoformat(),
        "state": state,
        "reviewer": review.reviewer if review else None,
        "signed_at": str(wire_value(review.signed_at)) if review else None,
        "size": review.size if review else None,
        "findings": reading.count_findings(work, week),
        "signals": [cast("SignalAnswer", asdict(signal)) for signal in reading.signals(work, week)] if state in {"due", "overdue"} else [],
    }


class _Pages:
    """The pages of one list, and the cursors between them."""

    def __init__(self, of: str, by: Caller, query: PageQuery, cursors: Cursors) -> None:
        """Open the query's cursor.

        :raises CursorInvalid: it is of another user, list or query.
        """
        #: What was asked for, by name: a cursor is good for the same filters alone.
        self.filters = {name: value for name, value in asdict(query).items() if value is not None and name not in {"limit", "cursor"}}
        self._limit = query.limit
        self._seal = partial(cursors.seal, of=of, user_id=by.id, query=self.filters)
        #: Where the page before ended; None on the first one.
        self.below = cursors.open(query.cursor, of=of, user_id=by.id, query=self.filters)

    def page(self, rows: Sequence[Row], *, position: Callable[[Row], object], answer: Callable[[Row], Item], count: int) -> Page[Item]:
        """Return the first of these rows, and a cursor where there are more."""
        shown = rows[: self._limit]
        return {
            "items": [answer(row) for row in shown],
            "next": self._seal(position(shown[-1])) if len(rows) > len(shown) else None,
            "total": total_up_to(count, reading.COUNTED),
        }


def _ids(subject: str | None) -> list[str]:
    # What was typed into a filter may be anything; only an id goes into the trail.
    try:
        return [str(UUID(subject))] if subject else []
    except ValueError:
        return []


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
