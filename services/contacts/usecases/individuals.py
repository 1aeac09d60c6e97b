"""Register, read, list, change and hand over individuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Unpack

from services.chassis.answers import Part
from services.chassis.database import UnitOfWork
from services.chassis.database.batching import BatchedReads
from services.chassis.messages import Caller, Invalid, Refusal, entity_tags, new_id, require_match, wire_value
from services.contacts.contract.announcements import (
    IndividualChanged,
    OwnerChanged,
    PreferencesChanged,
    RelationshipEstablished,
)
from services.contacts.contract.answers.individuals import FrozenIndividualAnswer, HistoryItem, IndividualAnswer
from services.contacts.contract.commands import GivenIndividual, GivenLink
from services.contacts.contract.refusals import OrganizationUnknown, OwnerUnchanged, OwnerUnsuitable
from services.contacts.domain import representations
from services.contacts.domain.preferences import spans_of
from services.contacts.domain.previous import replaced
from services.contacts.domain.stakeholders import Employer, Individual, IndividualChanges
from services.contacts.storage import directory, individuals, ledger, links, notes, organizations, previous, projections, registration, verifications
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.individuals import HandOver
from services.contacts.usecases.authorization import (
    duty,
    facts_of,
    may_own,
    open_individual,
    require,
    require_contributor,
    truly,
    visible_individual,
)
from services.contacts.usecases.keeping import kept_apart, notes_of
from services.contacts.usecases.organizations import register_organization
from services.contacts.usecases.preconditions import require_not_suppressed
from services.contacts.usecases.registration import (
    register,
    registration_of,
    unique_links,
)
from services.lexicon.display import display_name
from services.lexicon.policy import Facts, decide
from services.lexicon.refusals import IssueUnknown, OwnerOnly


def register_individual(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    owner_id: str | None = None,
    individual_id: str | None = None,
    **given: Unpack[GivenIndividual],
) -> IndividualAnswer:
    """Register an individual; the caller owns the record, and their component has a relationship (R42, R43).

    :param owner_id: another owner of the same component, where a component's system registers for its people (T13).
    :returns: the representation, with `possible_duplicates` if there are any (T23).
    :raises ContributorsOnly, KindDeclined, ContactPointInvalid, OrganizationUnknown, IssueUnknown: see there.
    :raises IndividualBlocked: the suppression ledger has this person, or they are frozen (T9).
    :raises IndividualDuplicate: this organization already has somebody of this name.
    """
    entry = registration_of(given, by=by, owner_id=owner_id, individual_id=individual_id)
    # The card's state is the organization's, too, when the card makes it known (T18).
    organization = _organization(work, {**given, "state": entry.state}, by=by, now=now, layer=layer, owner_id=entry.owner_id)
    registration.hold_name(work, entry.first_name, entry.last_name)
    (outcome,) = register(work, layer, [(entry, organization)], now=now)
    if isinstance(outcome, Refusal):
        raise outcome
    assert outcome is not None  # noqa: S101 - the organization is there
    return outcome


def read_individual(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str) -> IndividualAnswer | FrozenIndividualAnswer:
    """Return an individual's directory layer (T4), or what T21 leaves of a frozen one.

    :raises IndividualUnknown: there is none, or the caller may not know of it.
    """
    row = visible_individual(work, individual_id, by=by, now=now)
    representation = representations.individual(row)
    work.record("contacts:individual:read", subjects=[individual_id], fields=representation)
    return representation


def read_gathered(reads: BatchedReads, *, by: Caller, individual_id: str) -> IndividualAnswer | FrozenIndividualAnswer | None:
    """Return an individual's directory layer if every account sees it alike, read and audited together with others (T4).

    Return None if it is missing or frozen, or if the caller's account sees no stakeholders; `read_individual` tells which.
    """
    if not decide(by, "read", "first_name", Facts(by_exact_id=True)):
        return None
    row = reads.read(by, individual_id)
    # A possible twin of somebody who asked not to be contacted is shown otherwise to a component that holds their value.
    return representations.individual(individuals.of_row(row)) if row and by.component not in row["frozen_for"] else None


def change_individual(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    individual_id: str,
    if_match: str | None,
    **given: Unpack[GivenIndividual],
) -> IndividualAnswer | FrozenIndividualAnswer:
    """Change fields of an individual's directory layer, whoever owns it (T2).

    :raises PreconditionMissing, Stale: If-Match is missing, or names an earlier version.
    :raises IndividualFrozen, IndividualUnknown, ContributorsOnly, IndividualBlocked, OwnerOnly, TextNeedsReview: see there.
    """
    ledger.hold_shared(work)
    row = open_individual(work, individual_id, by=by, now=now, lock=True)
    for name in given:
        if name not in {"deputy", "keep_reason"}:
            require_contributor(by, "change", "organization_id" if name == "organization" else name, facts_of(row))
    require_match(if_match, entity_tags(representations.individual(row)))
    reason = given.get("keep_reason")
    shared, kept = kept_apart(given)
    changes = _changes(row, shared)
    if "organization" in given or "organization_id" in given:
        organization = _organization(work, shared, by=by, now=now, layer=layer)
        changes["organization_id"] = organization.id if organization else None
    if "deputy" in given:
        require(decide(by, "name_deputy", None, facts_of(row)), OwnerOnly)
        if given["deputy"] is not None:
            _require_deputy(work, given["deputy"], row)
        changes["deputy_id"] = given["deputy"]
    if set(row.declined) - set(changes.get("declined", row.declined)):
        raise Invalid(errors={"declined": ["A declined mark goes when a verification withdraws it."]})
    _require_name_not_suppressed(work, layer, row, changes, by=by, now=now, kept=[written for _, written in kept])
    if "use_preferences" in changes:
        changes["preference_spans"] = spans_of(row.preference_spans, changes["use_preferences"], now=now)
    if changes:
        individuals.update(work, individual_id, changes, now=now)
        previous.keep(work, {individual_id: replaced(row, changes)}, now=now)
    for note in notes_of(kept, individual_id=individual_id, by=by, author_id=by.id, reason=reason, now=now):
        notes.insert(work, note)
        work.record("contacts:note:create", subjects=[individual_id, note.id], fields=["notes"], rule="T15")
    if "issues" in given:
        _require_known(work, given["issues"])
        links.set_issues(work, individual_id, unique_links(given["issues"]))
        if not changes:
            individuals.update(work, individual_id, {}, now=now)
    directory.index_individuals(work, [individual_id])
    changed = individuals.find(work, individual_id)
    assert changed is not None  # noqa: S101 - its row is locked
    work.announce(IndividualChanged(individual_id, changed.organization_id, changed.state, changed.version))
    if changed.preference_spans != row.preference_spans:
        work.announce(PreferencesChanged(individual_id, list(changed.preference_spans), changed.version))
    if changed.deputy_id != row.deputy_id:
        owner = (changed.owner_id, changed.owner_component)
        work.announce(OwnerChanged(individual_id, *owner, revision=changed.version, deputy_id=changed.deputy_id))
    work.record("contacts:individual:change", subjects=[individual_id], fields=shared)
    return representations.individual(changed)


def hand_over(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, owner: str) -> IndividualAnswer | FrozenIndividualAnswer:
    """Give a record to another owner (R45); contact points stay with their components (T5).

    :raises OwnerOnly: the caller is neither its owner nor the administrator of the owner's office.
    :raises OwnerUnsuitable: the new owner is not an active contributor.
    """
    row = truly(visible_individual(work, individual_id, by=by, now=now, lock=True))
    require(decide(by, "hand_over", None, replace(facts_of(row), duty_of=duty(work, row, now=now))), OwnerOnly)
    if owner == row.owner_id:
        raise OwnerUnchanged
    new_owner = projections.user(work, owner)
    if new_owner is None or not new_owner.component or not may_own(new_owner):
        raise OwnerUnsuitable(errors={"owner": ["An active contributor."]})
    component = new_owner.component
    individuals.hand_over(work, individual_id, owner_id=owner, component=component, now=now)
    individuals.insert_hand_over(
        work, HandOver(new_id(), individual_id, now, by.id, by.component or "", row.owner_id, row.owner_component, owner, component)
    )
    if row.frozen_at is None:
        for stakeholder_id, established in links.establish(work, [(individual_id, component)], user_id=owner, since=now):
            work.announce(RelationshipEstablished("individual", stakeholder_id, established, now.date().isoformat()))
    directory.index_individuals(work, [individual_id])
    changed = individuals.find(work, individual_id)
    assert changed is not None  # noqa: S101 - its row is locked
    work.announce(OwnerChanged(individual_id, owner, component, changed.version))
    work.record("contacts:individual:hand-over", subjects=[individual_id], fields=["owner"])
    return representations.individual(changed)


def record_history(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    limit: int = 50,
    after: tuple[datetime, str] | None = None,
) -> Part[HistoryItem]:
    """Return contacts' part of a record's timeline, latest first, after a position: hand-overs, verifications, creation."""
    row = open_individual(work, individual_id, by=by, now=now)
    moments: list[tuple[datetime, str, HistoryItem]] = [
        (
            entry.at,
            entry.id,
            {
                "kind": "handed_over",
                "by": entry.by_user,
                "component": entry.by_component,
                "from": {"user": entry.from_user, "component": entry.from_component},
                "to": {"user": entry.to_user, "component": entry.to_component},
            },
        )
        for entry in individuals.hand_overs(work, individual_id)
    ]
    moments += [
        (
            entry.verified_at,
            entry.id,
            {
                "kind": "verified",
                "by": entry.by_user,
                "component": entry.by_component,
                "medium": entry.medium,
                "withdrawn": entry.withdrawn,
            },
        )
        for entry in verifications.of_individual(work, individual_id)
    ]
    moments.append((row.created_at, row.id, {"kind": "registered", "by": row.created_by, "component": row.created_component}))
    work.record("contacts:individual:history", subjects=[individual_id], fields=["history"])
    moments.sort(key=lambda moment: (moment[0], moment[1]), reverse=True)
    rest = [moment for moment in moments if after is None or (moment[0], moment[1]) < after]
    items: list[HistoryItem] = [{**item, "at": str(wire_value(at)), "position": [at.isoformat(), key]} for at, key, item in rest[:limit]]
    return {"items": items, "more": len(rest) > limit, "total": len(moments)}


def _changes(row: Individual, given: GivenIndividual) -> IndividualChanges:
    """Return the columns to set, with names in their stored form."""
    changes: IndividualChanges = {}
    if "salutation" in given:
        changes["salutation"] = given["salutation"]
    if "first_name" in given:
        changes["first_name"] = display_name(given["first_name"] or "")
    if "last_name" in given:
        changes["last_name"] = display_name(given["last_name"], given=not changes.get("first_name", row.first_name))
    if "title" in given:
        changes["title"] = given["title"]
    if "state" in given:
        changes["state"] = given["state"]
    if "interests" in given:
        changes["interests"] = given["interests"] or []
    if "source" in given:
        changes["source"] = given["source"]
    if "declined" in given:
        changes["declined"] = given["declined"]
    if "use_preferences" in given:
        changes["use_preferences"] = given["use_preferences"]
    return changes


def _organization(
    work: UnitOfWork, given: GivenIndividual, *, by: Caller, now: datetime, layer: ContactLayer, owner_id: str | None = None
) -> Employer | None:
    """Return the organization that is meant; register it if there is none of this name.

    :raises OrganizationUnknown: there is none with this id.
    """
    if organization_id := given.get("organization_id"):
        found = organizations.find(work, organization_id)
        if found is None:
            raise OrganizationUnknown(errors={"organization_id": ["There is no such organization."]})
        return Employer(found.id, found.name, found.sector, found.group_ids)
    if name := given.get("organization"):
        organizations.hold_name(work, name)
        for known in organizations.of_name(work, name):
            return Employer(known.id, known.name, known.sector, known.group_ids)
        made = register_organization(work, by=by, now=now, layer=layer, owner_id=owner_id, name=name, state=given.get("state"))
        return Employer(made["id"], made["name"], made["sector"], made["group_ids"])
    return None


def _require_known(work: UnitOfWork, wanted: Sequence[GivenLink]) -> None:
    if wanted and links.unknown_issues(work, [link["issue_id"] for link in wanted]):
        raise IssueUnknown(errors={"issues": ["An issue that was deleted."]})


def _require_deputy(work: UnitOfWork, user_id: str, row: Individual) -> None:
    colleague = projections.user(work, user_id)
    if colleague is None or colleague.component != row.owner_component or not may_own(colleague):
        raise OwnerUnsuitable(errors={"deputy": ["An active contributor of the owner's office."]})
    if user_id == row.owner_id:
        raise OwnerUnsuitable(errors={"deputy": ["Somebody else than the owner."]})


def _require_name_not_suppressed(
    work: UnitOfWork, layer: ContactLayer, row: Individual, changes: IndividualChanges, *, by: Caller, now: datetime, kept: list[str]
) -> None:
    renamed = bool({"first_name", "last_name"} & changes.keys())
    first, last = changes.get("first_name", row.first_name), changes.get("last_name", row.last_name)
    organization_id = changes.get("organization_id", row.organization_id)
    # Under another name everything is new; under the same name, only what is changed.
    texts: list[str | None] = [*kept]
    if renamed or "title" in changes:
        texts.append(changes.get("title", row.title))
    if renamed or "interests" in changes:
        texts += changes.get("interests", row.interests)
    if organization_id and (renamed or "organization_id" in changes):
        organization = organizations.find(work, organization_id)
        texts.append(organization.name if organization else None)
    if renamed:
        texts += [first, last]
    if texts:
        require_not_suppressed(work, layer, by=by, now=now, first_name=first, last_name=last, texts=texts)
