"""A case's marks in the ledger, records that may be the same person's, and the privacy officer's decisions on both (T25, T26)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.cases import MarkAnswer, MarkDecidedAnswer, TwinAnswer
from services.contacts.contract.refusals import MarkUnknown
from services.contacts.domain.likeness import family_keys, may_be_one
from services.contacts.domain.representations import instant, owner_of
from services.contacts.domain.stakeholders import Individual
from services.contacts.domain.suppression import PERSONAL, is_alone, mark_of, marks_of
from services.contacts.storage import individuals, ledger, previous, twins
from services.contacts.storage.contact_layer import ContactLayer, HeldPoint
from services.contacts.storage.ledger import Waiting
from services.contacts.usecases.authorization import require_officer
from services.lexicon.canonical import canonical_contact_point, canonical_organization

#: So long what the recorder or an unverified correction added says nothing by itself.
_RECENT = timedelta(days=30)
_PERSONAL_KINDS = PERSONAL | {"email"}


def open_case(work: UnitOfWork, layer: ContactLayer, row: Individual, *, case_id: str, recorder: str, now: datetime) -> None:
    """Write the marks of a person who is being frozen, and find who else may be the same person.

    The role is `caseworker`, which reads every component's values; the ledger is held.
    """
    values = layer.read(work, row.id)
    doubts = twins.points(work, row.id, recorder=recorder, since=now - _RECENT)
    employers = individuals.employers(work, row.id)
    sure = [(point.kind, point.value) for point in values if doubts[point.id] is None]
    marks = marks_of(organizations=employers, texts=_texts(work, row), contact_points=sure)
    known = {(mark.kind, mark.canonical) for mark in marks}
    doubtful = [
        (mark, Waiting(str(doubts[point.id]), point.id, point.component, point.created_by, point.created_at))
        for point in values
        if doubts[point.id] is not None and (mark := mark_of(point.kind, point.value)) and (mark.kind, mark.canonical) not in known
    ]
    ledger.write(work, layer.digests, marks, case_id=case_id, whose=row, now=now, waiting=doubtful)
    found = _twins(work, layer, row, values, doubts, employers, recorder=recorder, now=now)
    twins.insert(work, case_id, row.id, found, now=now)


def mark_erased(work: UnitOfWork, layer: ContactLayer, row: Individual, *, case_id: str, now: datetime) -> None:
    """Write the marks of a person who is erased for a cause that suppresses, without having been frozen."""
    values = [(each.kind, each.value) for each in layer.read(work, row.id)]
    values += [(each.kind, each.value) for each in layer.read_corrections(work, row.id)]
    marks = marks_of(organizations=individuals.employers(work, row.id), texts=_texts(work, row), contact_points=values)
    ledger.write(work, layer.digests, marks, case_id=case_id, whose=row, now=now)


def _texts(work: UnitOfWork, row: Individual) -> list[str]:
    """Return what may name a present or former employer, besides the organization: present and former titles, and interests."""
    return [row.title or "", *row.interests, *previous.titles(work, row.id)]


def _twins(
    work: UnitOfWork,
    layer: ContactLayer,
    row: Individual,
    values: Sequence[HeldPoint],
    doubts: Mapping[str, str | None],
    employers: list[str],
    *,
    recorder: str,
    now: datetime,
) -> dict[str, tuple[set[str], set[str]]]:
    """Return who may be the same person: id, reasons, and the components that see it frozen at once."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    alone: dict[bool, list[bytes]] = {True: [], False: []}
    at_work: list[bytes] = []
    for point in values:
        canonical = canonical_contact_point(point.kind, point.value)
        if canonical is None or point.kind == "work_address":
            continue
        digests = layer.digests.matches(point.kind, canonical)
        if is_alone(point.kind, canonical):
            alone[doubts[point.id] is None] += digests
        else:
            at_work += digests
    holders = partial(twins.holders, work, besides=row.id, recorder=recorder, since=now - _RECENT)
    for sure, digests in alone.items():
        for holder in holders(digests) if digests else ():
            because, components = found.setdefault(holder.individual_id, (set(), set()))
            because.add(holder.kind)
            if sure and holder.because is None and holder.kind in _PERSONAL_KINDS and holder.component:
                components.add(holder.component)
    name = (row.first_name, row.last_name)
    families = family_keys(*name)
    others = holders(at_work, families=families) if at_work else []
    names = {canonical_organization(employer) for employer in employers} - {""}
    others += twins.colleagues(work, names, besides=row.id, families=families) if names else []
    for other in others:
        if may_be_one(name, (other.first_name, other.last_name)):
            found.setdefault(other.individual_id, (set(), set()))[0].add(other.kind)
    return found


def list_marks(
    work: UnitOfWork, *, by: Caller, layer: ContactLayer, cursors: Cursors, limit: int = 50, cursor: str | None = None
) -> Page[MarkAnswer]:
    """Return the values that make no mark by themselves, for the privacy officer, who keeps or drops each (T25).

    The value is shown while the record exists.
    """
    require_officer(by)
    rows = ledger.waiting(work, after=cursors.open(cursor, of="marks", user_id=by.id, query={}), limit=limit + 1)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = cursors.seal([rows[-1].written_at, rows[-1].id], of="marks", user_id=by.id, query={})
    values: dict[str | None, str] = {}
    for individual_id in {row.individual_id for row in rows if row.individual_id}:
        if individuals.find(work, individual_id) is not None:
            values |= {point.id: point.value for point in layer.read(work, individual_id)}
    items: list[MarkAnswer] = [
        {
            "id": row.id,
            "request_id": row.case_id,
            "individual_id": row.individual_id,
            "kind": row.kind,
            "value": values.get(row.contact_point_id),
            "because": row.because,
            "component": row.component,
            "added_by": row.added_by,
            "added_at": instant(row.added_at),
        }
        for row in rows
    ]
    work.record("contacts:suppression:list", subjects=[item["individual_id"] or item["id"] for item in items], fields=["contact_points"], rule="T25")
    return {"items": items, "next": following, "total": ledger.count_waiting(work)}


def settle_mark(work: UnitOfWork, *, by: Caller, mark_id: str, decision: str) -> MarkDecidedAnswer:
    """Keep a value as a mark, or drop it. The caller is the privacy officer (T25).

    :raises MarkUnknown: no undecided value has this id.
    """
    require_officer(by)
    ledger.hold_alone(work)
    row = ledger.settle(work, mark_id, keep=decision == "keep")
    if row is None:
        raise MarkUnknown
    work.record("contacts:suppression:settle", subjects=[row.individual_id or row.case_id, mark_id], fields=[row.kind], rule=decision)
    return {"id": mark_id, "request_id": row.case_id, "individual_id": row.individual_id, "kind": row.kind, "decision": decision}


def list_twins(
    work: UnitOfWork, *, by: Caller, cursors: Cursors, request_id: str | None = None, limit: int = 50, cursor: str | None = None
) -> Page[TwinAnswer]:
    """Return to the privacy officer other records that may be of somebody who asked not to be contacted (T26, T34)."""
    require_officer(by)
    bound = {"request_id": request_id}
    rows = twins.undecided(work, case_id=request_id, after=cursors.open(cursor, of="twins", user_id=by.id, query=bound), limit=limit + 1)
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = cursors.seal([rows[-1].found_at, rows[-1].individual_id, rows[-1].case_id], of="twins", user_id=by.id, query=bound)
    items: list[TwinAnswer] = [
        {
            "request_id": row.case_id,
            "individual_id": row.individual_id,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "owner": owner_of(row),
            "asked": None
            if row.source_last_name is None
            else {"id": row.source_id, "first_name": row.source_first_name, "last_name": row.source_last_name},
            "because": row.because,
            "frozen_for": row.components,
            "found_at": instant(row.found_at),
        }
        for row in rows
    ]
    work.record("contacts:twin:list", subjects=[item["individual_id"] for item in items], fields=["first_name", "last_name"], rule="T26")
    return {"items": items, "next": following, "total": twins.count_undecided(work, case_id=request_id)}
