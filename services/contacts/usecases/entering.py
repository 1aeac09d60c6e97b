"""What every entry is asked, by whichever door it comes: form, declined, suppressed, already there (T9, T20, T23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.refusals import (
    BlockedTooOften,
    ContactPointInvalid,
    IndividualBlocked,
    KindDeclined,
)
from services.contacts.domain import representations
from services.contacts.domain.suppression import marks_of
from services.contacts.storage import individuals, ledger
from services.contacts.storage.contact_layer import ContactLayer
from services.lexicon.canonical import canonical_contact_point, canonical_name
from services.lexicon.display import display_email, display_phone, tidy
from services.lexicon.names import PersonName, are_names_alike, family_key

#: Kinds whose values are one person's alone.
_PERSONAL = frozenset({"cell", "personal_phone", "email"})
#: Blocked entries of one user and day after which nothing more is taken (T9).
BLOCKED_A_DAY = 20


def standardized(kind: str, value: str, *, field: str) -> str:
    """Return a contact point's value as it is kept (R80).

    :raises ContactPointInvalid: it can't be a value of that kind; the sentence doesn't repeat it.
    """
    if canonical_contact_point(kind, value) is None:
        names = {"email": "an e-mail address", "work_address": "an address"}
        raise ContactPointInvalid(errors={field: [f"Not {names.get(kind, 'a telephone number')}."]})
    if kind == "email":
        return display_email(value) or tidy(value)
    if kind == "work_address":
        return tidy(value)
    return display_phone(value) or tidy(value)


def standardized_points(points: Iterable[Mapping[str, Any]], *, declined: Iterable[str]) -> list[dict[str, Any]]:
    """Return new contact points as they are kept; one given twice is kept once.

    :raises KindDeclined: the person declined to give one of these kinds (T20).
    :raises ContactPointInvalid: a value can't be of its kind.
    """
    refused = set(declined)
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for at, point in enumerate(points):
        if point["kind"] in refused:
            raise KindDeclined
        value = standardized(point["kind"], point["value"], field=f"contact_points.{at}.value")
        kept.setdefault((point["kind"], value), {"kind": point["kind"], "value": value, "source": point.get("source")})
    return list(kept.values())


def demand_entries_left(work: UnitOfWork, *, by: Caller, now: datetime) -> None:
    """Go on only if not too many of the caller's entries were blocked today (T9).

    :raises BlockedTooOften: they were.
    """
    if by.kind == "user" and ledger.blocked_today(work, by.id, now.astimezone(UTC).date()) >= BLOCKED_A_DAY:
        raise BlockedTooOften


def demand_not_suppressed(
    work: UnitOfWork,
    layer: ContactLayer,
    *,
    first_name: str,
    last_name: str,
    organization: str | None,
    contact_points: Iterable[tuple[str, str]],
) -> None:
    """Go on only if the suppression ledger doesn't know this person (T9).

    :raises IndividualBlocked: it does.
    """
    marks = marks_of(organization=organization, contact_points=contact_points)
    if any(ledger.suppressed(work, layer.digests, [(first_name, last_name, marks)])):
        raise IndividualBlocked


def same_people(work: UnitOfWork, *, first_name: str, last_name: str, organization_id: str | None) -> tuple[list[dict[str, Any]], bool]:
    """Return people of this name at this organization, and whether one of them asked not to be contacted.

    Others who enter the same name wait until this transaction ends.
    """
    canonical = canonical_name(first_name, last_name)
    work.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 2))"), {"name": f"individual {canonical}"})
    rows = [row for row in individuals.of_name(work, canonical=canonical) if row["organization_id"] == organization_id]
    frozen = any(row["frozen_at"] is not None for row in rows)
    return [row for row in rows if row["frozen_at"] is None], frozen


def demand_not_frozen(work: UnitOfWork, layer: ContactLayer, *, by: Caller, contact_points: Sequence[tuple[str, str]]) -> None:
    """Go on only if nobody who asked not to be contacted has one of these values, as the caller's component knows them.

    What other components hold is not asked: the answer would tell of it (T17).

    :raises IndividualBlocked: somebody has (T10, T21).
    """
    if by.component is None or not contact_points:
        return
    holders = layer.holders_of(work, component=by.component, values=[point for point in contact_points if point[0] in _PERSONAL])
    if individuals.any_frozen(work, holders):
        raise IndividualBlocked


def possible_duplicates(
    work: UnitOfWork,
    layer: ContactLayer,
    *,
    by: Caller,
    first_name: str,
    last_name: str,
    organization_id: str | None,
    state: str | None,
    contact_points: Sequence[tuple[str, str]],
    but: str | None = None,
) -> list[dict[str, Any]]:
    """Return who this may be, by the directory layer and by the values of the caller's own component (T23).

    What another component holds changes nothing here; the matcher finds that later, for its holder.
    """
    reasons: dict[str, list[str]] = {}
    rows: dict[str, dict[str, Any]] = {}
    name = PersonName("", first_name, last_name)
    canonical = canonical_name(first_name, last_name)
    for row in individuals.of_like_name(work, family=family_key(last_name)):
        alike = are_names_alike(name, PersonName("", row["first_name"], row["last_name"]))
        near = (organization_id and row["organization_id"] == organization_id) or (state and row["state"] == state)
        if row["canonical_name"] == canonical or (alike and near):
            rows[row["id"]] = row
            reasons[row["id"]] = ["name"]
    if by.component and contact_points:
        holders = layer.holders_of(work, component=by.component, values=contact_points)
        rows |= individuals.find_many(work, [holder for holder in holders if holder not in rows])
        for individual_id, kinds in holders.items():
            reasons.setdefault(individual_id, []).extend(sorted(set(kinds)))
    return [representations.likeness(row, reasons[row["id"]]) for row in rows.values() if row["frozen_at"] is None and row["id"] != but][:10]
