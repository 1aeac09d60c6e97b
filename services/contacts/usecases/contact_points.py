"""The contact layer: reveal, add, correct without seeing, and share with another component (T3, T5, T11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound, new_id
from services.contacts.contract.answers.contact_points import ContactPointAnswer, CorrectionAnswer, GrantAnswer, HolderOfPoints, RevealAnswer
from services.contacts.contract.refusals import (
    ContactLayerWithheld,
    KindDeclined,
    OwnerUnsuitable,
    RevealReasonRequired,
    RevealsExhausted,
    StewardsOnly,
    TooManyContactPoints,
)
from services.contacts.domain.representations import instant
from services.contacts.domain.stakeholders import Individual
from services.contacts.storage import contact_layer, ledger, likenesses, links
from services.contacts.storage.contact_layer import ContactLayer, ContactPoint, ContactPointGrant, Correction, HeldPoint
from services.contacts.usecases.authorization import facts_of, open_individual, require, require_contributor
from services.contacts.usecases.preconditions import require_clean, require_not_suppressed
from services.contacts.usecases.registration import standardized
from services.lexicon.canonical import canonical_contact_point
from services.lexicon.policy import Facts, Grant, Withheld, decide
from services.lexicon.policy.rules import REASON_FROM, REFUSED_FROM
from services.lexicon.refusals import PreferenceStands
from services.lexicon.vocabulary import CONTACT_POINT_KINDS, VALUES_OF_A_KIND


def reveal(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    individual_id: str,
    reason: str | None = None,
) -> RevealAnswer:
    """Reveal one person's contact points: the `items` that the caller may see, and who else has a relationship (T11).

    Count each reveal of a person whom the caller does not own, even if there was nothing to show. From the fiftieth of a
    day on a reason is required; the hundredth is refused.

    :raises IndividualFrozen: the record is frozen (T21).
    :raises TextNeedsReview: screening stops the reason; a reason cannot be kept against a finding.
    :raises RevealReasonRequired, RevealsExhausted: the caller revealed many today.
    :raises ContactLayerWithheld: the caller's level or role has no contact layer.
    """
    row = open_individual(work, individual_id, by=by, now=now)
    require_clean(reason or "")
    facts = _count(work, row, by=by, now=now, reason=reason)
    # 1. The decision, before the table is touched; what is unknown is withheld.
    if not any(decide(by, "reveal", kind, replace(facts, point_component=by.component)) for kind in CONTACT_POINT_KINDS):
        raise ContactLayerWithheld
    # 2. The values, of which row-level security lets through the caller's component's and what was granted to it.
    # What was granted before somebody wanted nothing shared is withheld as long as they do (T33).
    grants = contact_layer.grants(work, individual_id) if "no_sharing" not in row.use_preferences else []
    own = [
        point
        for point in layer.read(work, individual_id)
        if decide(by, "reveal", point.kind, replace(facts, point_component=point.component, grants=_grants_on(point, grants)))
    ]
    reported = [
        correction
        for correction in layer.read_corrections(work, individual_id)
        if any(point.kind == correction.kind and point.component == by.component for point in own)
    ]
    items = _items(own, reported, component=by.component)
    held_by: list[HolderOfPoints] = [
        {
            "component": relationship.component,
            "owner": row.owner_id if relationship.component == row.owner_component else relationship.user_id,
        }
        for relationship in links.relationships_of(work, individual_id)
        if relationship.component != by.component
    ]
    if reason:
        ledger.keep_reveal_reason(work, individual_id=individual_id, user_id=by.id, reason=reason, now=now)
    work.record("contacts:individual:reveal", subjects=[individual_id], fields={item["kind"] for item in items}, rule="T11")
    return {"items": items, "held_by": held_by, "use_preferences": row.use_preferences}


def add_contact_point(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    individual_id: str,
    kind: str,
    value: str,
    source: str | None = None,
) -> ContactPointAnswer:
    """Add a contact point that was given to the caller's component (T5).

    If the component holds the value already, put it first again; that also settles a report of another value (T3).

    :raises KindDeclined, IndividualBlocked, IndividualFrozen, ContributorsOnly, ContactPointInvalid: see there.
    """
    point = _entry(work, layer, by=by, now=now, individual_id=individual_id, kind=kind, value=value, action="add_contact_point")
    point = ContactPoint(point.individual_id, point.component, kind, point.value, source)
    point_id = layer.confirm_own(work, point, now=now) or _added(work, layer, point, by=by, now=now)
    work.record("contacts:individual:add-contact-point", subjects=[individual_id], fields=[kind])
    return {
        "id": point_id,
        "kind": kind,
        "value": point.value,
        "component": point.component,
        "created_at": instant(now),
        "verified_at": None,
        "reported": None,
        "previous": False,
        "replaced_at": None,
    }


def correct_contact_point(
    work: UnitOfWork, *, by: Caller, now: datetime, layer: ContactLayer, individual_id: str, kind: str, value: str
) -> CorrectionAnswer:
    """Accept a correction of a value that the caller does not see (T3).

    Store it for the caller's component, and show it to every component that holds that kind. The answer is always the
    same, whoever holds what.

    :raises PreferenceStands: the person wants nothing shared, and the value would be shown to other components (T33).
    """
    _require_sharing(open_individual(work, individual_id, by=by, now=now, share=True))
    point = _entry(work, layer, by=by, now=now, individual_id=individual_id, kind=kind, value=value, action="correct_contact_point")
    if layer.confirm_own(work, point, now=now) is None:
        _added(work, layer, point, by=by, now=now)
    layer.file_correction(work, point, by_user=by.id, now=now)
    work.record("contacts:individual:correct-contact-point", subjects=[individual_id], fields=[kind])
    return _received(individual_id, kind, by)


def _added(work: UnitOfWork, layer: ContactLayer, point: ContactPoint, *, by: Caller, now: datetime) -> str:
    if contact_layer.count_own(work, point.individual_id, kind=point.kind, component=point.component) >= VALUES_OF_A_KIND:
        raise TooManyContactPoints(errors={"kind": [f"{VALUES_OF_A_KIND} of this kind are there."]})
    return layer.add(work, [point], by_user=by.id, now=now)[0]


def repeat_correction(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, kind: str) -> CorrectionAnswer:
    """Answer a repeated correction as the first one (T3)."""
    open_individual(work, individual_id, by=by, now=now)
    work.record("contacts:individual:correct-contact-point", subjects=[individual_id], fields=[kind])
    return _received(individual_id, kind, by)


def grant(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    component: str,
    reason: str,
    expires_at: datetime,
    contact_point_id: str | None = None,
) -> GrantAnswer:
    """Share one contact point, or all that the caller's component holds of a person, with another component (T5).

    :raises StewardsOnly: the caller is no steward.
    :raises TextNeedsReview: screening stops the reason.
    :raises PreferenceStands: the person does not want it (T33).
    """
    row = open_individual(work, individual_id, by=by, now=now, share=True)
    require(decide(by, "grant", "email", Facts(point_component=by.component)), StewardsOnly)
    require_clean(reason)
    _require_sharing(row)
    if expires_at <= now:
        raise Invalid(errors={"expires_at": ["In the future."]})
    if component == by.component:
        raise Invalid(errors={"component": ["Another component than your own."]})
    if contact_point_id is not None:
        point = contact_layer.point(work, contact_point_id)
        if point is None or point.component != by.component or point.individual_id != individual_id:
            raise NotFound
    entry = ContactPointGrant(
        id=new_id(),
        individual_id=individual_id,
        contact_point_id=contact_point_id,
        # A steward who is none of a component's may grant nothing, as the policy said.
        from_component=str(by.component),
        to_component=component,
        reason=reason,
        granted_by=by.id,
        granted_at=now,
        expires_at=expires_at,
    )
    contact_layer.grant(work, entry)
    work.record("contacts:individual:grant", subjects=[individual_id], fields=["contact_points"])
    return _describe_grant(entry)


def repeat_grant(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, grant_id: str) -> GrantAnswer:
    """Answer a repeated `grant` as the first one; change nothing."""
    open_individual(work, individual_id, by=by, now=now, share=True)
    work.record("contacts:individual:grant", subjects=[individual_id], fields=["contact_points"], outcome="replayed")
    return next(_describe_grant(entry) for entry in contact_layer.grants(work, individual_id) if entry.id == grant_id)


def _describe_grant(entry: ContactPointGrant) -> GrantAnswer:
    return {
        "id": entry.id,
        "individual_id": entry.individual_id,
        "contact_point_id": entry.contact_point_id,
        "component": entry.to_component,
        "reason": entry.reason,
        "expires_at": instant(entry.expires_at),
    }


def _require_sharing(row: Individual) -> None:
    if "no_sharing" in row.use_preferences:
        raise PreferenceStands(extra={"preferences": ["no_sharing"]})


def revoke_grant(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, grant_id: str) -> None:
    """End a grant of the caller's component at once.

    :raises NotFound: the component has no such grant.
    """
    require(decide(by, "revoke_grant", "email", Facts(point_component=by.component)), StewardsOnly)
    if not contact_layer.revoke(work, grant_id, now=now):
        raise NotFound
    work.record("contacts:individual:revoke-grant", subjects=[individual_id], fields=["contact_points"])


def match_waiting(work: UnitOfWork) -> int:
    """Find who shares a value with people whose values changed, and who no longer does (T34). The role is `matcher`."""
    matched = likenesses.match_waiting(work)
    if matched:
        work.record("contacts:likeness:match", rule="T34")
    return matched


def _received(individual_id: str, kind: str, by: Caller) -> CorrectionAnswer:
    return {"individual_id": individual_id, "kind": kind, "component": by.component, "status": "received"}


def _count(work: UnitOfWork, row: Individual, *, by: Caller, now: datetime, reason: str | None) -> Facts:
    """Count a reveal of somebody else's record; return the facts with the new count."""
    count = 0
    if by.id != row.owner_id and by.kind == "user":
        # What is refused is rolled back, and counts for nothing.
        count = ledger.count_reveal(work, by.id, now.astimezone(UTC).date())
        if count >= REFUSED_FROM:
            raise RevealsExhausted
        if count >= REASON_FROM and not reason:
            raise RevealReasonRequired(errors={"reason": ["Say what for."]})
    return replace(facts_of(row), now=now, reveals_today=count, reason_given=bool(reason))


def _grants_on(point: HeldPoint, grants: Iterable[ContactPointGrant]) -> tuple[Grant, ...]:
    return tuple(
        Grant(grant.to_component, grant.expires_at)
        for grant in grants
        if grant.revoked_at is None and grant.from_component == point.component and grant.contact_point_id in {None, point.id}
    )


def _items(own: Sequence[HeldPoint], reported: Sequence[Correction], *, component: str | None) -> list[ContactPointAnswer]:
    """Return what is shown of each kind: first reports since its holder last looked, then the held values (T3)."""
    items: list[ContactPointAnswer] = []
    for kind in CONTACT_POINT_KINDS:
        held = [point for point in own if point.kind == kind]
        looked = max((point.confirmed_at for point in held if point.component == component), default=None)
        known = {canonical_contact_point(kind, point.value) for point in held}
        news = []
        for correction in reported:
            canonical = canonical_contact_point(kind, correction.value)
            if correction.kind == kind and looked and correction.reported_at > looked and canonical not in known:
                known.add(canonical)
                news.append(correction)
        items += [_reported(correction) for correction in news]
        # What another component granted is theirs, and no report to us makes it a previous one.
        shown = [_held(point, previous=point.replaced_at is not None or (bool(news) and point.component == component)) for point in held]
        items += sorted(shown, key=lambda point: point["replaced_at"] is not None)
    return items


def _held(point: HeldPoint, *, previous: bool) -> ContactPointAnswer:
    return {
        "id": point.id,
        "kind": point.kind,
        "value": point.value,
        "component": point.component,
        "created_at": instant(point.created_at),
        "verified_at": instant(point.verified_at),
        "reported": None,
        "previous": previous,
        "replaced_at": instant(point.replaced_at),
    }


def _reported(correction: Correction) -> ContactPointAnswer:
    return {
        "id": correction.id,
        "kind": correction.kind,
        "value": correction.value,
        "component": correction.component,
        "created_at": instant(correction.reported_at),
        "verified_at": None,
        "reported": {"component": correction.component, "on": correction.reported_at.astimezone(UTC).date().isoformat(), "verified": False},
        "previous": False,
        "replaced_at": None,
    }


def _entry(
    work: UnitOfWork,
    layer: ContactLayer,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    kind: str,
    value: str,
    action: str,
) -> ContactPoint:
    """Check a new contact point in every way, and return it as it will be stored."""
    ledger.hold_shared(work)
    row = open_individual(work, individual_id, by=by, now=now, share=True)
    decision = decide(by, action, kind, facts_of(row))
    if isinstance(decision, Withheld) and decision.rule == "T20":
        raise KindDeclined
    require_contributor(by, action, kind, facts_of(row))
    if by.component is None:
        raise OwnerUnsuitable
    kept = standardized(kind, value, field="value")
    require_not_suppressed(
        work,
        layer,
        by=by,
        now=now,
        first_name=row.first_name,
        last_name=row.last_name,
        # The name at its organization was entered already; only the value is new.
        contact_points=[(kind, kept)],
    )
    return ContactPoint(individual_id, by.component, kind, kept)
