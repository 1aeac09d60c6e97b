"""What every entry is asked, by whichever door it comes: form, declined, suppressed, already there (T9, T20, T23)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.refusals import (
    BlockedTooOften,
    ContactPointInvalid,
    IndividualBlocked,
    IssueUnknown,
    KindDeclined,
)
from services.contacts.domain import representations
from services.contacts.domain.suppression import marks_of
from services.contacts.storage import ledger, registration
from services.contacts.storage.contact_layer import ContactLayer
from services.lexicon.canonical import canonical_contact_point, canonical_name
from services.lexicon.display import display_email, display_phone, tidy
from services.lexicon.names import PersonName, are_names_alike

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


def demand_enterable(
    work: UnitOfWork,
    layer: ContactLayer,
    *,
    by: Caller,
    now: datetime,
    first_name: str,
    last_name: str,
    organization: Mapping[str, Any] | None,
    state: str | None,
    contact_points: Sequence[tuple[str, str]],
    issue_ids: Iterable[str],
) -> tuple[list[dict[str, Any]], bool]:
    """Go on only if nothing stands against entering this person; others who enter the same name wait.

    :returns: who this may be (T23), and whether somebody of this name is already there at this organization. What
        another component holds changes nothing in it; the matcher finds that later, for its holder.
    :raises BlockedTooOften: too many of the caller's entries were blocked today (T9).
    :raises IssueUnknown: one of the issues was deleted.
    :raises IndividualBlocked: the suppression ledger knows this person (T9), somebody of this name at this organization
        asked not to be contacted, or somebody did who has one of these values as the caller's component knows them. What
        other components hold is not asked: the answer would tell of it (T10, T17, T21).
    """
    marks = marks_of(organization=organization["name"] if organization else None, contact_points=contact_points)
    asked = ledger.questions(layer.digests, [(first_name, last_name, marks)])
    known = registration.hold_name(
        work,
        first_name=first_name,
        last_name=last_name,
        user_id=by.id if by.kind == "user" else None,
        day=now.astimezone(UTC).date(),
        digests={digest for _, digest, _ in asked},
        issue_ids=list(issue_ids),
    )
    if known.blocked_today >= BLOCKED_A_DAY:
        raise BlockedTooOften
    if known.erased_issues:
        raise IssueUnknown(errors={"issues": ["An issue that was deleted."]})
    if ledger.answers(asked, known.suppressions):
        raise IndividualBlocked
    component = str(by.component)
    lookups = layer.lookups_of(component, contact_points)
    personal = layer.lookups_of(component, [point for point in contact_points if point[0] in _PERSONAL])
    alike = registration.alike(work, first_name=first_name, last_name=last_name, component=component, lookups=lookups, personal=personal)
    organization_id = organization["id"] if organization else None
    same = [row for row in alike.same if row["organization_id"] == organization_id]
    # A name without an organization is too many people's.
    if alike.frozen_holder or (organization_id and any(row["frozen_at"] is not None for row in same)):
        raise IndividualBlocked
    reasons: dict[str, list[str]] = {}
    rows: dict[str, dict[str, Any]] = {}
    name = PersonName("", first_name, last_name)
    canonical = canonical_name(first_name, last_name)
    for row in alike.family:
        likely = are_names_alike(name, PersonName("", row["first_name"], row["last_name"]))
        near = (organization_id and row["organization_id"] == organization_id) or (state and row["state"] == state)
        if row["canonical_name"] == canonical or (likely and near):
            rows[row["id"]] = row
            reasons[row["id"]] = ["name"]
    kinds: dict[str, set[str]] = {}
    for row in alike.holders:
        rows.setdefault(row["id"], row)
        kinds.setdefault(row["id"], set()).add(lookups[bytes(row["lookup"])])
    for individual_id, held in kinds.items():
        reasons.setdefault(individual_id, []).extend(sorted(held))
    likenesses = [representations.likeness(row, reasons[row["id"]]) for row in rows.values() if row["frozen_at"] is None]
    return likenesses[:10], bool(same and organization_id)
