"""Entering an individual in three statements: what is known, who is like them, and every row that they get.

Each statement is a turn of the event loop and a way to the server, so that what belongs together goes together. All of
it runs whatever is there, so that neither the answer nor its time tells what other components hold (T23).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.messages import new_id
from services.contacts.storage import directory
from services.contacts.storage.bulk import as_json, records
from services.contacts.storage.contact_layer import DIGEST, POINT
from services.contacts.storage.individuals import FIELDS
from services.contacts.storage.rows import plain
from services.lexicon.canonical import canonical_name
from services.lexicon.names import family_key


@dataclass(frozen=True, slots=True)
class Known:
    """What stands against an entry, whoever it is like."""

    blocked_today: int
    #: (digest, alone, likenesses) of the suppression ledger.
    suppressions: list[tuple[bytes, bool, list[bytes]]]
    erased_issues: list[str]


@dataclass(frozen=True, slots=True)
class Alike:
    """Whom an entry may be the same as; rows without `frozen_at` are the open ones."""

    #: Of exactly this name, of this family name, and holders of a value (with its digest as `lookup`).
    same: list[dict[str, Any]]
    family: list[dict[str, Any]]
    holders: list[dict[str, Any]]
    #: Whether one of those who hold a personal value is frozen.
    frozen_holder: bool


_KNOWN = text(
    """
    SELECT pg_advisory_xact_lock(hashtextextended(:name, 2)),
        (SELECT coalesce(max(count), 0) FROM blocked_tries WHERE user_id = CAST(:user AS uuid) AND day = :day) AS blocked_today,
        (SELECT array_agg(digest ORDER BY id) FROM suppressions WHERE digest = ANY(CAST(:digests AS bytea[]))) AS digests,
        (SELECT array_agg(alone ORDER BY id) FROM suppressions WHERE digest = ANY(CAST(:digests AS bytea[]))) AS alones,
        (SELECT json_agg(likenesses ORDER BY id) FROM suppressions WHERE digest = ANY(CAST(:digests AS bytea[]))) AS likenesses,
        (SELECT array_agg(id) FROM erased_issues WHERE id = ANY(CAST(:issues AS uuid[]))) AS erased_issues
    """
)


def hold_name(
    work: UnitOfWork, *, first_name: str, last_name: str, user_id: str | None, day: date, digests: Collection[bytes], issue_ids: Collection[str]
) -> Known:
    """Return what is known, and let nobody else enter this name until the transaction ends.

    :param user_id: whose blocked entries of that day are counted; None counts none.
    """
    row = work.execute(
        _KNOWN,
        {
            "name": f"individual {canonical_name(first_name, last_name)}",
            "user": user_id,
            "day": day,
            "digests": list(digests),
            "issues": list(issue_ids),
        },
    ).one()
    likenesses = [[bytes.fromhex(word.removeprefix("\\x")) for word in words] for words in row.likenesses or ()]
    return Known(
        int(row.blocked_today),
        [(bytes(digest), alone, words) for digest, alone, words in zip(row.digests or (), row.alones or (), likenesses, strict=True)],
        [str(issue) for issue in row.erased_issues or ()],
    )


_COMPARED = "i.id, i.first_name, i.last_name, i.canonical_name, i.organization_id, i.owner_id, i.owner_component, i.frozen_at, i.state"
_ALIKE = text(
    f"""
    (SELECT 'same' AS why, {_COMPARED}, NULL::bytea AS lookup FROM individuals i WHERE i.canonical_name = :canonical ORDER BY i.id LIMIT 50)
    UNION ALL
    (SELECT 'family', {_COMPARED}, NULL FROM individuals i WHERE i.family_key = :family ORDER BY i.id LIMIT 50)
    UNION ALL
    (SELECT 'holder', {_COMPARED}, p.lookup FROM (SELECT individual_id, lookup FROM contact_points
        WHERE component = :component AND lookup = ANY(CAST(:lookups AS bytea[])) ORDER BY individual_id LIMIT 50) p
        JOIN individuals i ON i.id = p.individual_id ORDER BY i.id)
    UNION ALL
    (SELECT 'frozen', {_COMPARED}, p.lookup FROM contact_points p JOIN individuals i ON i.id = p.individual_id
        WHERE p.component = :component AND p.lookup = ANY(CAST(:personal AS bytea[])) AND i.frozen_at IS NOT NULL LIMIT 1)
    """  # noqa: S608 - put together from our own constants
)


def alike(work: UnitOfWork, *, first_name: str, last_name: str, component: str, lookups: Collection[bytes], personal: Collection[bytes]) -> Alike:
    """Return whom an entry may be the same as: by name, and by values that the caller's own component holds.

    In a statement after `hold_name`, for a statement sees only what was committed when it began.
    """
    rows = work.execute(
        _ALIKE,
        {
            "canonical": canonical_name(first_name, last_name),
            "family": family_key(last_name),
            "component": component,
            "lookups": list(lookups),
            "personal": list(personal),
        },
    ).mappings()
    found: dict[str, list[dict[str, Any]]] = {"same": [], "family": [], "holder": [], "frozen": []}
    for row in rows:
        found[row["why"]].append(plain(row))
    return Alike(found["same"], found["family"], found["holder"], bool(found["frozen"]))


_LINK = {"issue_id": "uuid", "kind": "text", "since": "date", "ended_on": "date"}
_ENTER = text(
    f"""
    WITH individual AS (
        INSERT INTO individuals (id, salutation, first_name, last_name, canonical_name, family_key, title, organization_id,
            state, interests, source, declined, use_preferences, deputy_id, owner_id, owner_component, created_at, created_by,
            created_component, updated_at)
        VALUES (:id, :salutation, :first_name, :last_name, :canonical_name, :family_key, :title, :organization_id, :state,
            CAST(:interests AS text[]), :source, CAST(:declined AS text[]), CAST(:use_preferences AS text[]), :deputy_id,
            :owner_id, :owner_component, :created_at, :created_by, :created_component, :created_at)
    ), related AS (
        INSERT INTO relationships (stakeholder_id, component, since, user_id) VALUES (:id, :owner_component, :created_at, :owner_id)
    ), linked AS (
        INSERT INTO stakeholder_issues (stakeholder_id, state, {", ".join(_LINK)})
        SELECT CAST(:id AS uuid), CAST(:state AS text), {", ".join(_LINK)} FROM {records("links", _LINK)}
    ), reached AS (
        INSERT INTO contact_points ({", ".join(POINT)}) SELECT {", ".join(POINT)} FROM {records("points", POINT)}
    ), digested AS (
        INSERT INTO match_digests ({", ".join(DIGEST)}) SELECT {", ".join(DIGEST)} FROM {records("digests", DIGEST)}
    ), queued AS (
        INSERT INTO match_queue (id, individual_id) SELECT CAST(:queue_id AS uuid), CAST(:id AS uuid)
        WHERE json_array_length(CAST(:digests AS json)) > 0
    )
    {directory.INSERT}
    """  # noqa: S608 - put together from our own constants
)
#: What a new row has besides what is given, as a read of it gives it.
_NEW: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    "interests": [],
    "declined": [],
    "use_preferences": [],
    "version": 1,
    **dict.fromkeys(("verified_at", "last_contacted_at", "last_contact_by", "last_contact_component", "last_contact_mode", "frozen_at")),
}


def enter(
    work: UnitOfWork,
    given: Mapping[str, Any],
    *,
    organization: Mapping[str, Any] | None,
    issues: Iterable[Mapping[str, Any]],
    points: Sequence[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """Enter an individual with everything about them; return the row as `individuals.find` would.

    :param given: of `individuals.FIELDS`, with id, owner and creator.
    :param organization: theirs, with name, sector and groups.
    :param points: rows of the contact layer.
    """
    row = {**_NEW, **given, "created_at": now, "updated_at": now}
    links = sorted(({name: link.get(name) for name in _LINK} for link in issues), key=lambda link: (link["issue_id"], link["kind"]))
    digests = [{**{name: point.get(name) for name in DIGEST}, "contact_point_id": point["id"]} for point in points]
    work.execute(
        _ENTER,
        {
            **row,
            "canonical_name": canonical_name(row["first_name"], row["last_name"]),
            "family_key": family_key(row["last_name"]),
            "links": as_json(links),
            "points": as_json([{name: point.get(name) for name in POINT} for point in points]),
            "digests": as_json(digests),
            "queue_id": new_id(),
            "entries": as_json([directory.entry_of_new(row, organization)]),
        },
    )
    since = {"component": row["owner_component"], "since": now.astimezone(UTC).date().isoformat(), "last_contact_at": None}
    return {
        **row,
        "organization_name": organization["name"] if organization else None,
        "relationships": [since],
        "issues": [{**link, **{name: _day(link[name]) for name in ("since", "ended_on")}} for link in links],
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
