"""Contacts' part of an erasure: seal and erase in one transaction (N3, T8, T9, T16, T27). Only retention's saga calls it.

Units of work here have the role `eraser`. The service's method destroys the person's key after the commit. Destroyed
before it, a failed transaction would leave rows that nobody can read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import IndividualErased, OrganizationErased
from services.contacts.contract.answers.erasing import ErasedAnswer, ReceiptAnswer, ReceiptsAnswer, UnsealedKey
from services.contacts.contract.refusals import OrganizationUnknown
from services.contacts.domain.sealing import former_values
from services.contacts.domain.stakeholders import Individual
from services.contacts.storage import directory, erasing, individuals, notices, organizations
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.usecases import suppressing
from services.lexicon.canonical import canonical_contact_point, canonical_phone, compared_as
from services.lexicon.folding import fold
from services.lexicon.refusals import SealUnknown
from services.lexicon.seal import open_seal, seal

#: Causes whose erased people are not to be entered again (T9); expiry, mistakes and undoing are none.
SUPPRESSING = frozenset({"no_contact", "declined"})

#: What another part of this service adds to an erasure: (work, individual id) → rows removed, by store.
Also = Callable[[UnitOfWork, str], Mapping[str, int]]


def erase_individual(
    work: UnitOfWork,
    *,
    now: datetime,
    layer: ContactLayer,
    erasure_id: str,
    individual_id: str,
    cause: str,
    also: Collection[Also] = (),
) -> ErasedAnswer:
    """Seal an individual's former values and erase every row about them, in one transaction.

    A repeated call returns the same seal and receipts. If the person is unknown, or erased already, nothing is sealed.

    :returns: `sealed` (None if there was nothing to seal), `receipts` [{store, found, removed, left, method}].
    """
    # Whoever adds to the record at this moment commits first, and is reached, or finds it gone.
    individuals.lock(work, individual_id)
    course = erasing.erasure(work, erasure_id)
    if course is not None and course.receipts:
        work.record("contacts:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
        return {"sealed": course.sealed, "receipts": course.receipts}
    row = individuals.find(work, individual_id)
    if row is None:
        # Another erasure reached them first, or there never was anybody of that id.
        work.record("contacts:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
        return {"sealed": None, "receipts": []}
    erasing.open_erasure(work, erasure_id, individual_id, now=now)
    sealed = _sealed(work, layer, row, erasure_id)
    counts: dict[str, int] = {}
    if cause in SUPPRESSING:
        _suppress(work, layer, row, erasure_id, now=now)
        notices.tell_holders(work, individual_id, now=now)
    notices.forget(work, individual_id)
    for reach in also:
        counts |= reach(work, individual_id)
    counts |= erasing.delete_linked(work, individual_id)
    work.announce(IndividualErased(individual_id, cause))
    erasing.insert_tombstone(work, individual_id, now=now)
    remaining = erasing.left(work, individual_id)
    receipts: list[ReceiptAnswer] = [
        {
            "store": f"contacts.{store}",
            "found": count,
            "removed": count,
            "left": remaining.get(store, 0),
            "method": "deleted",
        }
        for store, count in counts.items()
    ]
    receipts.append({"store": "keys.subject_keys", "found": 1, "removed": 1, "left": 0, "method": "key destroyed"})
    erasing.note_erasure(work, erasure_id, erased_at=now, sealed=sealed, receipts=receipts)
    work.record("contacts:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
    return {"sealed": sealed, "receipts": receipts}


def unseal_key(work: UnitOfWork, *, layer: ContactLayer, erasure_id: str) -> UnsealedKey:
    """Return the one-time key (base64) while the seal is whole, and null once it is broken.

    :raises SealUnknown: nothing was ever sealed for this erasure.
    """
    if erasing.erasure(work, erasure_id) is None:
        raise SealUnknown
    key = layer.vault.unseal_key(erasure_id)
    work.record("contacts:erasure:unseal-key", subjects=[erasure_id])
    return {"key": base64.b64encode(key).decode() if key else None}


def close(work: UnitOfWork, *, now: datetime, layer: ContactLayer, erasure_id: str, individual_id: str) -> ReceiptsAnswer:
    """Delete the sealed values once every mention is settled. The caller destroys the one-time key after the commit.

    The database's samples of columns may still hold the person's words, so they are taken again.

    :returns: `receipts` of what is left of the person here: nothing.
    :raises SealUnknown: nothing was ever sealed for this erasure.
    """
    course = erasing.erasure(work, erasure_id)
    if course is None:
        raise SealUnknown
    left = sum(erasing.left(work, individual_id).values())
    if course.sealed and (key := layer.vault.unseal_key(erasure_id)):
        values = open_seal(course.sealed, key, erasure_id=erasure_id)
        erasing.forget_in_statistics(work, sorted({*fold(f"{values.first_name} {values.last_name}").split()}))
    erasing.note_erasure(work, erasure_id, sealed=None, sought=None, closed_at=course.closed_at or now)
    work.record("contacts:erasure:close", subjects=[individual_id, erasure_id])
    receipts: list[ReceiptAnswer] = [
        {"store": "contacts.linked", "found": left, "removed": 0, "left": left, "method": "searched"},
        {"store": "keys.seal_keys", "found": 1, "removed": 1, "left": 0, "method": "key destroyed"},
    ]
    return {"receipts": receipts}


def erase_organization(work: UnitOfWork, *, now: datetime, erasure_id: str, organization_id: str, cause: str) -> ReceiptsAnswer:
    """Erase an organization; its people stay, without it.

    :raises OrganizationUnknown: there is none, and it was not erased before.
    """
    erasing.open_erasure(work, erasure_id, organization_id, now=now)
    course = erasing.erasure(work, erasure_id)
    assert course is not None  # noqa: S101 - it was just opened
    if course.receipts:
        work.record("contacts:organization:erase", subjects=[organization_id, erasure_id], rule=cause)
        return {"receipts": course.receipts}
    if organizations.find(work, organization_id) is None:
        raise OrganizationUnknown
    people = erasing.people_of(work, organization_id)
    counts = erasing.delete_linked_to_organization(work, organization_id)
    erasing.insert_tombstone(work, organization_id, now=now)
    directory.index_individuals(work, people)
    receipts: list[ReceiptAnswer] = [
        {"store": f"contacts.{store}", "found": count, "removed": count, "left": 0, "method": "deleted"} for store, count in counts.items()
    ]
    erasing.note_erasure(work, erasure_id, erased_at=now, receipts=receipts, closed_at=now)
    work.announce(OrganizationErased(organization_id, cause))
    work.record("contacts:organization:erase", subjects=[organization_id, erasure_id], rule=cause)
    return {"receipts": receipts}


def _suppress(work: UnitOfWork, layer: ContactLayer, row: Individual, erasure_id: str, *, now: datetime) -> None:
    """Write a suppression mark for a person who has none. A freeze writes it, so this is only for people who were never frozen (T25)."""
    if row.frozen_request_id is None:
        suppressing.mark_erased(work, layer, row, case_id=erasure_id, now=now)


def _sealed(work: UnitOfWork, layer: ContactLayer, row: Individual, erasure_id: str) -> str:
    values = _values(work, layer, row.id)
    former = former_values(row.first_name, row.last_name, values, held=_held(work, layer, row.id, values))
    return seal(former, layer.vault.seal_key(erasure_id), erasure_id=erasure_id)


def _held(work: UnitOfWork, layer: ContactLayer, individual_id: str, values: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which of a person's values a living record of any component holds, too: shared lines, switchboards."""
    found = {(compared_as(kind), canonical) for kind, value in values if (canonical := canonical_contact_point(kind, value))}
    lines = {value for kind, value in found if kind == "phone"}
    offices = {canonical_phone(phone) for phone in erasing.phones_of_offices(work, sorted(line[-7:] for line in lines))} & lines
    return {
        (kind, value) for kind, value in found if value in offices or erasing.is_held(work, layer.digests.matches(kind, value), besides=individual_id)
    }


def _values(work: UnitOfWork, layer: ContactLayer, individual_id: str) -> list[tuple[str, str]]:
    held = [(point.kind, point.value) for point in layer.read(work, individual_id)]
    return held + [(each.kind, each.value) for each in layer.read_corrections(work, individual_id)]
