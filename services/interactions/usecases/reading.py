"""Histories and reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from services.chassis.database import UnitOfWork
from services.chassis.messages import NotFound
from services.interactions.contract.answers import Counts, CoverageGaps, Gap, HistoryItemAnswer, Part, SpokenRegion, SpokenState, SpokenTo
from services.interactions.contract.commands import HistoryQuery, SpokenToQuery
from services.interactions.domain.records import Moment
from services.interactions.storage import interactions, issues, reports, texts
from services.interactions.usecases.authorization import require_reader, scope_of
from services.interactions.usecases.writing import answer_of, kept_texts
from services.lexicon.places import REGIONS, STATES

_COUNTS = ("spoken_to", "known", "organizations_spoken_to", "organizations_known")


def list_history(work: UnitOfWork, *, query: HistoryQuery) -> Part[HistoryItemAnswer]:
    """Return interactions and attendances of one stakeholder after a position, most recent first (R55-R57).

    An organization's include those of its people. A frozen individual's are not shown (T21).
    """
    require_reader(work.caller)
    page = interactions.history(work, scope_of(work.caller), query)
    kept = kept_texts(work, [one for row in page.rows for one in (row.id, row.event_id) if one])
    work.record(
        "interactions:history:list",
        subjects=[str(query.individual_id or query.organization_id), *(row.id for row in page.rows)],
        fields=["kind", "at", "mode", "initiated_by", "component", "user", "event_id", "issue_ids", "outcome"],
    )
    return {"items": [_moment(row, kept) for row in page.rows], "more": page.has_more, "total": page.total}


def _moment(row: Moment, kept: texts.Kept) -> HistoryItemAnswer:
    event_name = row.event_name if row.event_name is not None else kept.get((row.event_id or "", "name"))
    position = [row.at.isoformat(), row.id]
    return answer_of(HistoryItemAnswer, row, kept, user=row.user_id, event_name=event_name, position=position)


def report_spoken_to(work: UnitOfWork, *, now: datetime, query: SpokenToQuery) -> SpokenTo:
    """Count who was spoken to about an issue and all below it, by FEMA region and state (R100, T12).

    `known` and `spoken_to` count individuals; organizations are counted beside them. Attendance counts as contact.

    :raises NotFound: there is no such issue.
    """
    counts = _counted(work, now, query)
    regions: list[SpokenRegion] = []
    for region, codes in REGIONS.items():
        if query.fema_region not in {None, region}:
            continue
        states: list[SpokenState] = [{"state": code, "name": STATES[code].name, **counts[code]} for code in codes if query.state in {None, code}]
        if states:
            regions.append({"fema_region": region, **_sum(states), "states": states})
    without = counts[None] if query.fema_region is None and query.state is None else _sum([])
    _record_report(work, "spoken-to", query)
    return {"regions": regions, "without_state": without, "total": _sum([*regions, without])}


def report_coverage_gaps(work: UnitOfWork, *, now: datetime, query: SpokenToQuery) -> CoverageGaps:
    """List the states where people are known and nobody was spoken to, and those where nobody is known (R88, R97).

    :raises NotFound: there is no such issue.
    """
    counts = _counted(work, now, query)
    items: list[Gap] = []
    for code, state in STATES.items():
        if query.fema_region not in {None, state.region} or query.state not in {None, code}:
            continue
        if not counts[code]["spoken_to"]:
            known = counts[code]["known"]
            gap: Literal["not_spoken_to", "nobody_known"] = "not_spoken_to" if known else "nobody_known"
            items.append({"fema_region": state.region, "state": code, "name": state.name, "known": known, "gap": gap})
    # What one can act on at once comes first: the most people whom nobody has spoken to.
    items.sort(key=lambda item: (-item["known"], item["fema_region"], item["state"]))
    _record_report(work, "coverage-gaps", query)
    return {"items": items, "total": len(items)}


def _counted(work: UnitOfWork, now: datetime, query: SpokenToQuery) -> dict[str | None, Counts]:
    require_reader(work.caller)
    until = min(query.until, now) if query.until is not None else now
    issue_ids: list[str] | None = None
    if query.issue_id is not None:
        issue_ids = issues.with_all_below(work, query.issue_id)
        if not issue_ids:
            raise NotFound
    if query.priority is not None:
        of_priority = issues.of_priority(work, query.priority)
        issue_ids = of_priority if issue_ids is None else sorted(set(issue_ids) & set(of_priority))
    people_spoken, people, bodies_spoken, bodies = reports.counted(work, replace(query, until=until), issue_ids)
    return {
        code: {
            "spoken_to": people_spoken.get(code, 0),
            "known": people.get(code, 0),
            "organizations_spoken_to": bodies_spoken.get(code, 0),
            "organizations_known": bodies.get(code, 0),
        }
        for code in (*STATES, None)
    }


def _sum(rows: Sequence[Counts]) -> Counts:
    return {
        "spoken_to": sum(row["spoken_to"] for row in rows),
        "known": sum(row["known"] for row in rows),
        "organizations_spoken_to": sum(row["organizations_spoken_to"] for row in rows),
        "organizations_known": sum(row["organizations_known"] for row in rows),
    }


def _record_report(work: UnitOfWork, name: str, query: SpokenToQuery) -> None:
    subjects = [query.issue_id] if query.issue_id is not None else []
    work.record(f"interactions:report:{name}", subjects=subjects, fields=["state", *_COUNTS])
