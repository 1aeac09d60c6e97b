"""Reading across: histories and reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, NotFound
from services.interactions.storage import interactions, issues, pages, reports, texts
from services.interactions.usecases.authorization import require_reader
from services.interactions.usecases.writing import wire
from services.lexicon.places import REGIONS, STATES

_COUNTS = ("spoken_to", "known", "organizations_spoken_to", "organizations_known")


def list_history(work: UnitOfWork, *, by: Caller, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return interactions and attendances of one stakeholder, the most recent first, behind a position (R55-R57).

    An organization's include those of its people. A frozen individual has none to show (T21).
    """
    require_reader(by)
    individual_id, organization_id = query.get("individual_id"), query.get("organization_id")
    moments = interactions.history(by, individual_id=individual_id, organization_id=organization_id)
    page = pages.page(work, select(moments), keys=[moments.c.at, moments.c.id], after=query.get("after"), limit=query["limit"])
    kept = texts.read(work, [one for row in page.rows for one in (row.id, row.event_id) if one])
    work.record(
        "interactions:history:list",
        subjects=[str(individual_id or organization_id), *(row.id for row in page.rows)],
        fields=["kind", "at", "mode", "initiated_by", "component", "user", "event_id", "issue_ids", "outcome"],
    )
    return {
        "items": [
            {
                "kind": row.kind,
                "id": row.id,
                "at": wire(row.at),
                "mode": row.mode,
                "initiated_by": row.initiated_by,
                "component": row.component,
                "user": row.user_id,
                "event_id": row.event_id,
                "issue_ids": list(row.issue_ids),
                "outcome": row.outcome if row.outcome is not None else kept.get((row.id, "outcome")),
                "event_name": row.event_name if row.event_name is not None else kept.get((row.event_id, "name")),
                "position": [row.at.isoformat(), row.id],
            }
            for row in page.rows
        ],
        "more": page.has_more,
        "total": page.total,
    }


def report_spoken_to(work: UnitOfWork, *, by: Caller, now: datetime, query: Mapping[str, Any]) -> dict[str, Any]:
    """Count who was spoken to about an issue and all below it, by FEMA region and state (R100, T12).

    `known` and `spoken_to` count individuals; organizations are counted beside them. Attendance counts as contact.

    :raises NotFound: there is no such issue.
    """
    counts = _counted(work, by, now, query)
    regions = []
    for region, codes in REGIONS.items():
        if query.get("fema_region", region) != region:
            continue
        states = [{"state": code, "name": STATES[code].name, **counts[code]} for code in codes if query.get("state", code) == code]
        if states:
            regions.append({"fema_region": region, **_sum(states), "states": states})
    everywhere = "fema_region" not in query and "state" not in query
    without = counts[None] if everywhere else dict.fromkeys(_COUNTS, 0)
    _record_report(work, "spoken-to", query)
    return {"regions": regions, "without_state": without, "total": _sum([*regions, without])}


def report_coverage_gaps(work: UnitOfWork, *, by: Caller, now: datetime, query: Mapping[str, Any]) -> dict[str, Any]:
    """Name the states where people are known and nobody was spoken to, and those where nobody is known (R88, R97).

    :raises NotFound: there is no such issue.
    """
    counts = _counted(work, by, now, query)
    items: list[dict[str, Any]] = []
    for code, state in STATES.items():
        if query.get("fema_region", state.region) != state.region or query.get("state", code) != code:
            continue
        if not counts[code]["spoken_to"]:
            known = counts[code]["known"]
            items.append(
                {
                    "fema_region": state.region,
                    "state": code,
                    "name": state.name,
                    "known": known,
                    "gap": "not_spoken_to" if known else "nobody_known",
                }
            )
    # What one can act on at once comes first: the most people whom nobody has spoken to.
    items.sort(key=lambda item: (-item["known"], item["fema_region"], item["state"]))
    _record_report(work, "coverage-gaps", query)
    return {"items": items, "total": len(items)}


def _counted(work: UnitOfWork, by: Caller, now: datetime, query: Mapping[str, Any]) -> dict[str | None, dict[str, int]]:
    require_reader(by)
    until = min(query["until"], now) if "until" in query else now
    issue_ids: list[str] | None = None
    if query.get("issue_id") is not None:
        issue_ids = issues.with_all_below(work, query["issue_id"])
        if not issue_ids:
            raise NotFound
    if "priority" in query:
        of_priority = issues.of_priority(work, query["priority"])
        issue_ids = of_priority if issue_ids is None else sorted(set(issue_ids) & set(of_priority))
    asked = reports.Asked(issue_ids, query.get("component"), query.get("since"), until)
    numbers = reports.counted(work, asked)
    counts: dict[str | None, dict[str, int]] = {}
    for code in (*STATES, None):
        counts[code] = {name: of.get(code, 0) for name, of in zip(_COUNTS, numbers, strict=True)}
    return counts


def _sum(rows: list[Any]) -> dict[str, int]:
    return {name: sum(row[name] for row in rows) for name in _COUNTS}


def _record_report(work: UnitOfWork, name: str, query: Mapping[str, Any]) -> None:
    subjects = [query["issue_id"]] if "issue_id" in query else []
    work.record(f"interactions:report:{name}", subjects=subjects, fields=["state", *_COUNTS])
