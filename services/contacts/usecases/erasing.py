"""Contacts' part of an erasure: seal, erase, seek (N3, T8, T9, T16). Retention's saga calls it, and nobody else.

A unit of work here has the role `eraser`. The person's key is destroyed after the commit (by the service's method):
before it, a transaction that failed would have left rows that nobody can read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import orjson

from services.chassis.database import UnitOfWork
from services.contacts.contract.announcements import IndividualErased, OrganizationErased
from services.contacts.contract.refusals import (
    ErasureNotSealed,
    IndividualUnknown,
    OrganizationUnknown,
    SealUnknown,
)
from services.contacts.domain.sealing import REMOVED, FormerValues, names_in, redact, seal, unseal
from services.contacts.domain.suppression import marks_of
from services.contacts.storage import directory, erasing, individuals, ledger, organizations
from services.contacts.storage.contact_layer import ContactLayer
from services.lexicon.folding import fold
from services.lexicon.names import family_key

#: Causes whose erased people are not to be entered again (T9); expiry, mistakes and undoing are none.
SUPPRESSING = frozenset({"no_contact", "declined"})

#: What another part of this service adds to an erasure: (work, individual id) → rows removed, by store.
Also = Callable[[UnitOfWork, str], Mapping[str, int]]
#: What it adds to the search: (work, former values, individual id) → receipts, with `hits`.
AlsoSeek = Callable[[UnitOfWork, FormerValues, str], list[dict[str, Any]]]


def seal_individual(work: UnitOfWork, *, now: datetime, layer: ContactLayer, erasure_id: str, individual_id: str) -> dict[str, Any]:
    """Seal a person's former values under the erasure's one-time key, for the other services to search with.

    :raises IndividualUnknown: there is nobody of that id (any more).
    """
    row = individuals.find(work, individual_id)
    if row is None:
        raise IndividualUnknown
    erasing.open_erasure(work, erasure_id, individual_id, now=now)
    values = FormerValues.of(row["first_name"], row["last_name"], _values(work, layer, individual_id))
    sealed = seal(values, layer.vault.seal_key(erasure_id), erasure_id=erasure_id)
    work.record("contacts:erasure:seal", subjects=[individual_id, erasure_id], fields=["first_name", "last_name", "contact_points"])
    return {"sealed": sealed}


def unseal_key(work: UnitOfWork, *, layer: ContactLayer, erasure_id: str) -> dict[str, Any]:
    """Return the one-time key (base64) while the seal is whole, and null once it is broken.

    :raises SealUnknown: nothing was ever sealed for this erasure.
    """
    if erasing.erasure(work, erasure_id) is None:
        raise SealUnknown
    key = layer.vault.unseal_key(erasure_id)
    work.record("contacts:erasure:unseal-key", subjects=[erasure_id])
    return {"key": base64.b64encode(key).decode() if key else None}


def erase_individual(
    work: UnitOfWork,
    *,
    now: datetime,
    layer: ContactLayer,
    erasure_id: str,
    individual_id: str,
    cause: str,
    also: Collection[Also] = (),
) -> dict[str, Any]:
    """Erase every row about an individual; the same again answers with the same receipts.

    :returns: `receipts` [{store, found, removed, left, method}].
    :raises ErasureNotSealed: it must be sealed first.
    """
    course = erasing.erasure(work, erasure_id)
    if course is None and erasing.is_tombstone(work, individual_id):
        # Another erasure reached them first: nothing was there to be sealed.
        work.record("contacts:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
        return {"receipts": []}
    if course is None or course["subject_id"] != individual_id:
        raise ErasureNotSealed
    if course["receipts"]:
        work.record("contacts:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
        return {"receipts": course["receipts"]}
    # Whoever adds to the record at this moment commits first, and is reached, or finds it gone.
    individuals.lock(work, individual_id)
    row = individuals.find(work, individual_id)
    counts: dict[str, int] = {}
    if row is not None:
        if cause in SUPPRESSING:
            _suppress(work, layer, row, now=now)
        for reach in also:
            counts |= reach(work, individual_id)
        counts |= erasing.delete_linked(work, individual_id)
        work.announce(IndividualErased(individual_id, cause))
    erasing.bury(work, individual_id, now=now)
    remaining = erasing.left(work, individual_id)
    receipts = [
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
    erasing.note_erasure(work, erasure_id, {"erased_at": now, "receipts": orjson.dumps(receipts).decode()})
    work.record("contacts:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
    return {"receipts": receipts}


def seek_individual(
    work: UnitOfWork,
    *,
    now: datetime,
    erasure_id: str,
    individual_id: str,
    sealed: str,
    key: str | None,
    kept: Collection[str] = (),
    look: str | None = None,
    also: Collection[AlsoSeek] = (),
) -> dict[str, Any]:
    """Search all text that is about others for the person's former values; the same look again answers the same.

    Phones and e-mails are taken out; a name is a hit that the privacy officer decides.

    :param kept: ids of rows of which the privacy officer decided that they stay as they are.
    :param look: the saga's word for this search, by which a repetition is known.
    :returns: `receipts` [{store, found, removed, left, method}], `hits` [{store, id, field}], `clean`.
    """
    course = erasing.erasure(work, erasure_id)
    if course is None:
        raise SealUnknown
    if course["sought"] is not None and (key is None or (look is not None and look == course["look"])):
        work.record("contacts:erasure:seek", subjects=[individual_id, erasure_id])
        return dict(course["sought"])
    if key is None:
        raise SealUnknown
    values = unseal(sealed, base64.b64decode(key), erasure_id=erasure_id)
    receipts: dict[str, dict[str, Any]] = {}
    hits: list[dict[str, str]] = []
    families = list({values.last_name.split()[-1] if values.last_name else "", family_key(values.last_name), fold(values.last_name)})
    digits = [phone[-7:] for phone in values.phones]
    changed: set[str] = set()
    for column, row_id, words in erasing.texts_that_may_hold(work, besides=individual_id, families=families, digits=digits):
        receipt = receipts.setdefault(column.store, _receipt(f"contacts.{column.store}"))
        redacted, found = redact(words, values)
        # A name inside an address that was taken out is gone with it.
        named = names_in(redacted, values)
        if column.cleared and (found or named):
            found, redacted, named = found + int(named), REMOVED, False
        if found:
            erasing.rewrite(work, column, row_id, redacted)
            receipt["removed"] += found
            if column.store == "organizations":
                changed.add(row_id)
        receipt["found"] += found
        if named and row_id not in kept:
            receipt["found"] += 1
            receipt["left"] += 1
            hits.append({"store": f"contacts.{column.store}", "id": row_id, "field": column.column})
    directory.index_organizations(work, changed)
    answers = list(receipts.values())
    for seeker in also:
        for answer in seeker(work, values, individual_id):
            hits += [hit for hit in answer.pop("hits", []) if hit["id"] not in kept]
            answers.append(answer)
    left = sum(erasing.left(work, individual_id).values()) if course["erased_at"] else 0
    answers.append({"store": "contacts.linked", "found": left, "removed": 0, "left": left, "method": "searched"})
    answer = {"receipts": answers, "hits": hits, "clean": not hits and left == 0}
    columns: dict[str, Any] = {"sought": orjson.dumps(answer).decode(), "look": look}
    if answer["clean"] and course["erased_at"]:
        columns["closed_at"] = now
    erasing.note_erasure(work, erasure_id, columns)
    work.record("contacts:erasure:seek", subjects=[individual_id, erasure_id, *(hit["id"] for hit in hits)])
    return answer


def is_closed(work: UnitOfWork, erasure_id: str) -> bool:
    """Whether the rows are gone and the search was clean or decided: then the seal may be broken."""
    course = erasing.erasure(work, erasure_id)
    return course is not None and course["closed_at"] is not None


def erase_organization(work: UnitOfWork, *, now: datetime, erasure_id: str, organization_id: str, cause: str) -> dict[str, Any]:
    """Erase an organization; its people stay, without it.

    :raises OrganizationUnknown: it is not there, and was not erased before.
    """
    erasing.open_erasure(work, erasure_id, organization_id, now=now)
    course = erasing.erasure(work, erasure_id)
    assert course is not None  # noqa: S101 - it was just opened
    if course["receipts"]:
        work.record("contacts:organization:erase", subjects=[organization_id, erasure_id], rule=cause)
        return {"receipts": course["receipts"]}
    if organizations.find(work, organization_id) is None:
        raise OrganizationUnknown
    people = erasing.people_of(work, organization_id)
    counts = erasing.delete_linked_to_organization(work, organization_id)
    erasing.bury(work, organization_id, now=now)
    directory.index_individuals(work, people)
    receipts = [{"store": f"contacts.{store}", "found": count, "removed": count, "left": 0, "method": "deleted"} for store, count in counts.items()]
    erasing.note_erasure(work, erasure_id, {"erased_at": now, "receipts": orjson.dumps(receipts).decode(), "closed_at": now})
    work.announce(OrganizationErased(organization_id, cause))
    work.record("contacts:organization:erase", subjects=[organization_id, erasure_id], rule=cause)
    return {"receipts": receipts}


def _suppress(work: UnitOfWork, layer: ContactLayer, row: Mapping[str, Any], *, now: datetime) -> None:
    marks = marks_of(organization=row["organization_name"], contact_points=_values(work, layer, row["id"]))
    ledger.write(work, layer.digests, marks, first_name=row["first_name"], last_name=row["last_name"], now=now)


def _values(work: UnitOfWork, layer: ContactLayer, individual_id: str) -> list[tuple[str, str]]:
    rows = [*layer.read(work, individual_id), *layer.read_corrections(work, individual_id)]
    return [(row["kind"], row["value"]) for row in rows]


def _receipt(store: str) -> dict[str, Any]:
    return {"store": store, "found": 0, "removed": 0, "left": 0, "method": "searched"}
