"""Individuals: their directory layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.storage.previous import PREVIOUS
from services.contacts.storage.rows import INSTANT, plain, plains
from services.lexicon.canonical import canonical_name
from services.lexicon.names import family_key

#: What a contributor may set; the column has the field's name.
FIELDS = (
    "salutation",
    "first_name",
    "last_name",
    "title",
    "organization_id",
    "state",
    "interests",
    "source",
    "declined",
    "use_preferences",
    "preference_spans",
    "deputy_id",
)

RELATIONSHIPS = f"""
    (SELECT coalesce(json_agg(json_build_object('component', r.component,
        'since', to_char(r.since AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'last_contact_at', {INSTANT.format("r.last_contact_at")})
        ORDER BY r.since, r.component), '[]') FROM relationships r WHERE r.stakeholder_id = {{id}}) AS relationships
"""  # noqa: S608 - put together from our own constants
ISSUES = """
    (SELECT coalesce(json_agg(json_build_object('issue_id', s.issue_id, 'kind', s.kind, 'since', s.since,
        'ended_on', s.ended_on) ORDER BY s.issue_id, s.kind), '[]')
     FROM stakeholder_issues s WHERE s.stakeholder_id = {id}) AS issues
"""
_SELECT = f"""
    SELECT i.*, o.name AS organization_name, {RELATIONSHIPS.format(id="i.id")}, {ISSUES.format(id="i.id")}, {PREVIOUS.format(id="i.id")}
    FROM individuals i LEFT JOIN organizations o ON o.id = i.organization_id
"""  # noqa: S608 - put together from our own constants
#: For `BatchedReads`: those that everyone may see alike, which a frozen one is not (T21). One by one through the index
#: (`OFFSET 0`): how many are asked for the planner can't know, and it would rather read everybody.
GATHERED = f"""
    SELECT asked.place, i.*, (SELECT o.name FROM organizations o WHERE o.id = i.organization_id) AS organization_name,
        {RELATIONSHIPS.format(id="i.id")}, {ISSUES.format(id="i.id")}, {PREVIOUS.format(id="i.id")}
    FROM asked, LATERAL (SELECT * FROM individuals WHERE id = asked.id AND frozen_at IS NULL OFFSET 0) i
"""  # noqa: S608 - put together from our own constants
_BY_ID = text(f"{_SELECT} WHERE i.id = CAST(:id AS uuid)")
_BY_IDS = text(f"{_SELECT} WHERE i.id = ANY(CAST(:ids AS uuid[])) AND i.frozen_at IS NULL")


def find(work: UnitOfWork, individual_id: str) -> dict[str, Any] | None:
    """Return an individual's directory layer, with relationships and issues, in one statement."""
    row = work.execute(_BY_ID, {"id": individual_id}).mappings().one_or_none()
    return plain(row) if row else None


def find_many(work: UnitOfWork, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return those of these individuals that are there and not frozen, by id."""
    rows = work.execute(_BY_IDS, {"ids": list(ids)}).mappings()
    return {row["id"]: row for row in plains(rows)}


def lock(work: UnitOfWork, individual_id: str, *, share: bool = False) -> bool:
    """Hold an individual's row until the end of the transaction; say whether it is there.

    :param share: only against erasing and freezing, not against others who add to it.
    """
    mode = "FOR SHARE" if share else "FOR UPDATE"
    statement = text(f"SELECT 1 FROM individuals WHERE id = CAST(:id AS uuid) {mode}")  # noqa: S608 - one of two words of ours
    return work.execute(statement, {"id": individual_id}).one_or_none() is not None


def update(work: UnitOfWork, individual_id: str, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Set these of `FIELDS`; the version and `updated_at` move (for directory-layer changes only, T17)."""
    assert set(changes) <= set(FIELDS)  # noqa: S101 - the names become SQL
    types = {**dict.fromkeys(("interests", "declined", "use_preferences"), "text[]"), "preference_spans": "jsonb"}
    sets = [f"{name} = {f'CAST(:{name} AS {types[name]})' if name in types else f':{name}'}" for name in changes]
    if "preference_spans" in changes:
        changes = {**changes, "preference_spans": orjson.dumps(changes["preference_spans"]).decode()}
    statement = text(
        f"UPDATE individuals SET {', '.join([*sets, 'version = version + 1', 'updated_at = :now'])}"  # noqa: S608 - names of our own list
        " WHERE id = CAST(:id AS uuid) RETURNING first_name, last_name"
    )
    row = work.execute(statement, {**changes, "id": individual_id, "now": now}).one()
    if {"first_name", "last_name"} & set(changes):
        work.execute(
            text("UPDATE individuals SET canonical_name = :canonical, family_key = :family WHERE id = CAST(:id AS uuid)"),
            {
                "id": individual_id,
                "canonical": canonical_name(row.first_name, row.last_name),
                "family": family_key(row.last_name),
            },
        )


def freeze(work: UnitOfWork, individual_id: str, frozen: Mapping[str, Any]) -> None:
    """Mark an individual frozen: `now`, `request_id`, `medium`, `received_on`, `by`, `component`."""
    work.execute(
        text(
            "UPDATE individuals SET frozen_at = :now, frozen_request_id = :request_id, frozen_medium = :medium,"
            " frozen_received_on = :received_on, frozen_by = :by, frozen_by_component = :component,"
            " updated_at = :now, version = version + 1 WHERE id = CAST(:id AS uuid)"
        ),
        {**frozen, "id": individual_id},
    )


def unfreeze(work: UnitOfWork, individual_id: str, *, now: datetime) -> None:
    """Take the freeze of an individual back."""
    work.execute(
        text(
            "UPDATE individuals SET frozen_at = NULL, frozen_request_id = NULL, frozen_medium = NULL, frozen_received_on = NULL,"
            " frozen_by = NULL, frozen_by_component = NULL, updated_at = :now, version = version + 1 WHERE id = CAST(:id AS uuid)"
        ),
        {"id": individual_id, "now": now},
    )


def employers(work: UnitOfWork, individual_id: str) -> list[str]:
    """Return every name of an individual's organization, and of those that they worked for before (T25)."""
    rows = work.execute(
        text(
            "SELECT o.name FROM individuals i JOIN organizations o ON o.id = i.organization_id WHERE i.id = CAST(:id AS uuid)"
            " UNION SELECT f.name FROM individuals i JOIN former_names f ON f.organization_id = i.organization_id WHERE i.id = CAST(:id AS uuid)"
            " UNION SELECT name FROM former_employers WHERE individual_id = CAST(:id AS uuid)"
            # What a former employer was called later, too.
            " UNION SELECT o.name FROM previous_facts p JOIN organizations o ON o.id = p.organization_id WHERE p.individual_id = CAST(:id AS uuid)"
            " UNION SELECT f.name FROM previous_facts p JOIN former_names f ON f.organization_id = p.organization_id"
            " WHERE p.individual_id = CAST(:id AS uuid) ORDER BY 1"
        ),
        {"id": individual_id},
    )
    return [row.name for row in rows]


def frozen_among(work: UnitOfWork, *, user_id: str, component: str | None, office: bool, officer: bool) -> list[dict[str, Any]]:
    """Return frozen individuals whom this user may find: their own, those whom they recorded, their office's, or all (T21)."""
    rows = work.execute(
        text(
            "SELECT id, first_name, last_name, frozen_request_id, frozen_at IS NOT NULL AS everywhere, owner_id, owner_component FROM individuals"
            " WHERE (frozen_at IS NOT NULL AND (owner_id = CAST(:user AS uuid) OR deputy_id = CAST(:user AS uuid) OR frozen_by = CAST(:user AS uuid)"
            " OR (:office AND owner_component = :component) OR :officer)) OR (frozen_at IS NULL AND :component = ANY(frozen_for))"
            " ORDER BY last_name, first_name, id"
        ),
        {"user": user_id, "component": component or "", "office": office, "officer": officer},
    )
    return plains(rows.mappings())


def hand_over(work: UnitOfWork, individual_id: str, *, owner_id: str, component: str, now: datetime) -> None:
    """Give a record to another owner; a deputy of the former one goes."""
    work.execute(
        text(
            "UPDATE individuals SET owner_id = :owner, owner_component = :component, deputy_id = NULL, updated_at = :now,"
            " version = version + 1 WHERE id = CAST(:id AS uuid)"
        ),
        {"owner": owner_id, "component": component, "id": individual_id, "now": now},
    )


def note_hand_over(work: UnitOfWork, entry: Mapping[str, Any]) -> None:
    """Keep who handed it over to whom."""
    work.execute(
        text(
            "INSERT INTO hand_overs (id, individual_id, at, by_user, by_component, from_user, from_component, to_user,"
            " to_component) VALUES (:id, :individual_id, :at, :by_user, :by_component, :from_user, :from_component,"
            " :to_user, :to_component)"
        ),
        dict(entry),
    )


def hand_overs(work: UnitOfWork, individual_id: str) -> list[dict[str, Any]]:
    """Return an individual's hand-overs, the latest first."""
    rows = work.execute(text("SELECT * FROM hand_overs WHERE individual_id = CAST(:id AS uuid) ORDER BY at DESC"), {"id": individual_id})
    return plains(rows.mappings())
