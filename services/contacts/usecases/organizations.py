"""Register, read and change organizations; all of it is directory layer (T4)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import Unpack

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, entity_tags, new_id, require_match
from services.contacts.contract.announcements import (
    OrganizationChanged,
    OrganizationRegistered,
    RelationshipEstablished,
)
from services.contacts.contract.answers.organizations import Address, OfficeAnswer, OrganizationAnswer, PossibleOrganization
from services.contacts.contract.commands import GivenLink, GivenOffice, GivenOrganization
from services.contacts.contract.refusals import ContactPointInvalid, IndividualBlocked, OrganizationDuplicate, OwnerUnsuitable
from services.contacts.domain import representations
from services.contacts.domain.stakeholders import Office, Organization, OrganizationChanges, SameName
from services.contacts.domain.suppression import organization_form
from services.contacts.storage import directory, ledger, links, organizations
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.ledger import Found
from services.contacts.usecases import looking
from services.contacts.usecases.authorization import require_contributor, visible_organization
from services.contacts.usecases.preconditions import require_entries_left
from services.lexicon.canonical import canonical_organization, canonical_phone
from services.lexicon.postal import postal_code
from services.lexicon.refusals import IssueUnknown, TextNeedsReview
from services.lexicon.screening import screen_address, screen_organization_name
from services.lexicon.telephones import telephone


def register_organization(
    work: UnitOfWork, *, by: Caller, now: datetime, layer: ContactLayer, owner_id: str | None = None, **given: Unpack[GivenOrganization]
) -> OrganizationAnswer:
    """Register an organization; the caller owns it, and their component has a relationship.

    :param owner_id: another owner of the same component, where a component's system registers for its people (T13).
    :raises IndividualBlocked: an office's telephone is one of somebody who asked not to be contacted (T25).
    :raises OrganizationDuplicate: there is one of this name, and `duplicate_ok` was not given.
    """
    require_contributor(by, "create")
    if by.component is None:
        raise OwnerUnsuitable
    owner_id = owner_id or by.id
    _require_clean(given)
    organizations.hold_name(work, given["name"])
    known = organizations.of_name(work, given["name"])
    if known and not given.get("duplicate_ok"):
        raise OrganizationDuplicate(extra={"possible_duplicates": [_likeness(row) for row in known]})
    offices = _offices(given)
    _require_nobody_s(work, layer, offices, by=by, now=now)
    organization_id = new_id()
    of_offices = (office.address["state"] for office in offices if office.address)
    state = given.get("state") or next(of_offices, None)
    organizations.insert(
        work,
        Organization(
            id=organization_id,
            name=given["name"],
            canonical_name=canonical_organization(given["name"]),
            sector=given.get("sector"),
            state=state,
            group_ids=given.get("group_ids") or [],
            source=given.get("source"),
            source_url=given.get("source_url"),
            owner_id=owner_id,
            owner_component=by.component,
            created_at=now,
            created_by=owner_id,
            created_component=by.component,
            updated_at=now,
        ),
    )
    organizations.insert_offices(work, organization_id, offices)
    wanted: list[GivenLink] = [*(given.get("issues") or []), *(GivenLink(issue_id=issue, kind="engaged") for issue in given.get("issue_ids") or [])]
    _require_known(work, wanted)
    links.add_issues(work, organization_id, wanted)
    links.establish(work, [(organization_id, by.component)], user_id=owner_id, since=now)
    directory.index_organizations(work, [organization_id])
    work.announce(OrganizationRegistered(organization_id, state, given.get("sector")))
    work.announce(RelationshipEstablished("organization", organization_id, by.component, now.date().isoformat()))
    work.record("contacts:organization:create", subjects=[organization_id], fields=given)
    row = organizations.find(work, organization_id)
    assert row is not None  # noqa: S101 - it was inserted above
    return representations.organization(row)


def read_organization(work: UnitOfWork, *, by: Caller, organization_id: str) -> OrganizationAnswer:
    """Return an organization.

    :raises OrganizationUnknown: there is none.
    """
    representation = representations.organization(visible_organization(work, organization_id, by=by))
    work.record("contacts:organization:read", subjects=[organization_id], fields=representation)
    return representation


def change_organization(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    organization_id: str,
    if_match: str | None,
    **given: Unpack[GivenOrganization],
) -> OrganizationAnswer:
    """Change an organization, whoever owns it (T2).

    :raises PreconditionMissing, Stale, OrganizationUnknown, ContributorsOnly, IndividualBlocked: see there.
    """
    # Before any row is held: whoever freezes somebody holds it alone.
    ledger.hold_shared(work)
    organizations.lock(work, organization_id)
    row = visible_organization(work, organization_id, by=by)
    for name in given:
        require_contributor(by, "change", name)
    representation = representations.organization(row)
    require_match(if_match, entity_tags(representation))
    _require_clean(given)
    changes = _changes(given)
    organizations.update(work, organization_id, changes, now=now)
    if "name" in changes and organization_form(changes["name"]) != organization_form(row.name):
        # Whoever is marked as of this organization is known again under its new name (T25).
        ledger.follow_rename(work, layer.digests, former=organization_form(row.name), present=organization_form(changes["name"]))
    present = {office["id"] for office in representation["offices"]}
    offices: list[Office] | None = None
    if "offices" in given:
        offices = _offices(given, present=present)
    elif "address" in given or "office_phone" in given:
        first: OfficeAnswer = {"id": new_id(), "label": None, "address": None, "phone": None}
        first, *others = representation["offices"] or [first]
        merged: OfficeAnswer = {**first}
        if "address" in given:
            merged["address"] = given["address"]
        if "office_phone" in given:
            merged["phone"] = given["office_phone"]
        offices = _offices({"offices": [GivenOffice(**office) for office in (merged, *others)]}, present=present)
    if offices is not None:
        kept = [office["phone"] for office in representation["offices"] if office["phone"]]
        _require_nobody_s(work, layer, offices, by=by, now=now, known=kept)
        organizations.replace_offices(work, organization_id, offices)
    if "issues" in given:
        _require_known(work, given["issues"])
        links.set_issues(work, organization_id, given["issues"])
    directory.index_organizations(work, [organization_id])
    if {"name", "sector", "group_ids"} & set(changes):
        directory.index_people_of(work, organization_id)
    changed = organizations.find(work, organization_id)
    assert changed is not None  # noqa: S101 - its row is locked
    work.announce(OrganizationChanged(organization_id, changed.state, changed.sector, changed.version))
    work.record("contacts:organization:change", subjects=[organization_id], fields=given)
    return representations.organization(changed)


def _changes(given: GivenOrganization) -> OrganizationChanges:
    changes: OrganizationChanges = {}
    if "name" in given:
        changes["name"] = given["name"]
    if "sector" in given:
        changes["sector"] = given["sector"]
    if "state" in given:
        changes["state"] = given["state"]
    if "group_ids" in given:
        changes["group_ids"] = given["group_ids"] or []
    if "source" in given:
        changes["source"] = given["source"]
    if "source_url" in given:
        changes["source_url"] = given["source_url"]
    return changes


def _require_clean(given: GivenOrganization) -> None:
    """Require that screening finds nothing in names, labels and addresses (T32)."""
    addresses = [("address", given.get("address"))]
    labels = []
    for at, office in enumerate(given.get("offices") or ()):
        labels.append((f"offices.{at}.label", office.get("label"), screen_organization_name))
        addresses.append((f"offices.{at}.address", office.get("address")))
    streets = []
    for path, address in addresses:
        if address:
            parts = (("street", address.get("street")), ("city", address.get("city")), ("country", address.get("country")))
            streets += [(f"{path}.{name}", written, screen_address) for name, written in parts]
    TextNeedsReview.unless_clean([("name", given.get("name"), screen_organization_name), *labels, *streets])


def _offices(given: GivenOrganization, *, present: Container[str] = ()) -> list[Office]:
    """Return the offices that are meant, standardized (R80); a present one keeps its id.

    :raises ContactPointInvalid: a telephone number or ZIP code is impossible; the message does not repeat it.
    """
    wanted = given.get("offices") or []
    at = "offices.{}."
    if not wanted and (given.get("address") or given.get("office_phone")):
        wanted, at = [{"address": given.get("address"), "phone": given.get("office_phone")}], ""
    return [
        Office(
            # An id that is not of this organization's offices is another's, or made up.
            id=known if (known := office.get("id")) and known in present else new_id(),
            label=office.get("label"),
            address=_address(office.get("address"), field=f"{at.format(n)}address.postal_code"),
            phone=_phone(office.get("phone"), field=f"{at.format(n)}phone" if at else "office_phone"),
        )
        for n, office in enumerate(wanted)
    ]


def _require_nobody_s(
    work: UnitOfWork, layer: ContactLayer, offices: Iterable[Office], *, by: Caller, now: datetime, known: Iterable[str] = ()
) -> None:
    """Require that no office telephone is the own number of somebody who asked not to be contacted (T25).

    A line shared at work stays an office's: its mark blocks nobody whose name is not similar.

    :param known: telephones that the organization has already; they stop no other change.
    :raises IndividualBlocked: one is such a number.
    :raises BlockedTooOften: too many of the caller's entries were blocked today (T9).
    :raises LookupsExhausted: the caller has used all look-ups of today (T35).
    """
    phones = {canonical_phone(office.phone) for office in offices if office.phone} - {canonical_phone(phone) for phone in known} - {None}
    asked = [digest for phone in phones if phone for digest in layer.digests.suppressions("work_phone", phone)]
    if not asked:
        return
    require_entries_left(work, by=by, now=now)
    ledger.hold_shared(work)
    if looking.look(work, layer, by=by, now=now, digests=asked, values=len(phones), answer=_somebody_s):
        raise IndividualBlocked


def _somebody_s(found: Sequence[Found]) -> dict[int, list[Found]]:
    return {0: own} if (own := [mark for mark in found if mark.alone]) else {}


def _phone(written: str | None, *, field: str) -> str | None:
    if not written:
        return None
    read = telephone(written)
    if isinstance(read, str):
        raise ContactPointInvalid(errors={field: [read]})
    return read.shown


def _address(written: Address | None, *, field: str) -> Address | None:
    if not written or not (given := written.get("postal_code")):
        return written
    kept, why = postal_code(given, state=written.get("state"), country=written.get("country"))
    if why:
        raise ContactPointInvalid(errors={field: [why]})
    return {**written, "postal_code": kept}


def _require_known(work: UnitOfWork, wanted: Sequence[GivenLink]) -> None:
    if wanted and links.unknown_issues(work, [link["issue_id"] for link in wanted]):
        raise IssueUnknown(errors={"issues": ["An issue that was deleted."]})


def _likeness(row: SameName) -> PossibleOrganization:
    return {"id": row.id, "name": row.name, "state": row.state, "owner": representations.owner_of(row)}
