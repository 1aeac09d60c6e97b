"""Erasing an individual, and seeking what may be left of them. Called by the saga alone, for every cause."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from services.chassis.database import UnitOfWork
from services.contacts.contract.refusals import SealUnknown
from services.interactions.contract import InteractionWithdrawn
from services.interactions.domain.redaction import Sought, find, redact
from services.interactions.storage import coordination, directory, erasure
from services.lexicon.seal import open_seal

#: Under this word the answer to `erase` is kept; a search has a word of the saga's.
_ERASE = "erase"


def erase(work: UnitOfWork, *, now: datetime, erasure_id: str, individual_id: str, cause: str) -> dict[str, Any]:
    """Remove an individual from everything that bears their id; the same again answers with the same receipts.

    Interactions that are left without a person are deleted; others stay, and `seek` takes the person out of their text.
    """
    erasure.one_at_a_time(work, erasure_id)
    if (given := erasure.answer_given(work, erasure_id, _ERASE)) is not None:
        work.record("interactions:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
        return given
    erasure.remember_links(work, erasure_id, individual_id)
    reached = _remove(work, individual_id, now=now)
    subjects = [individual_id, erasure_id, *reached.deleted, *reached.requests]
    work.record("interactions:individual:erase", subjects=subjects, rule=cause)
    answer = {"receipts": _receipts(reached)}
    erasure.keep_answer(work, erasure_id, _ERASE, answer)
    return answer


def seek(
    work: UnitOfWork,
    *,
    now: datetime,
    erasure_id: str,
    individual_id: str,
    sealed: str,
    key: str | None,
    kept: Collection[str] = (),
    look: str | None = None,
) -> dict[str, Any]:
    """Look for the individual's former values in every text, and remove them; the same look again answers the same.

    In rows that were linked to them, names too; in others a name is a hit that the privacy officer decides.

    :param kept: ids of rows of which the privacy officer decided that they stay as they are.
    :param look: the saga's word for this search, by which a repetition is known.
    :returns: `receipts` [{store, found, removed, left, method}], `hits` [{store, id, field}], `clean`.
    :raises SealUnknown: the seal is broken, so that nobody can look any more.
    """
    erasure.one_at_a_time(work, erasure_id)
    if look is not None and (given := erasure.answer_given(work, erasure_id, look)) is not None:
        work.record("interactions:individual:seek", subjects=[individual_id, erasure_id])
        return given
    if key is None:
        raise SealUnknown
    sought = Sought.of(open_seal(sealed, key, erasure_id=erasure_id))
    # A talk that was logged between erasing and seeking, by somebody who still had the page open, is reached here.
    erasure.remember_links(work, erasure_id, individual_id)
    receipts = _receipts(_remove(work, individual_id, now=now))
    linked = erasure.links(work, erasure_id)
    touched: list[str] = []
    hits: list[dict[str, str]] = []
    for table, column in erasure.TEXTS:
        store = f"interactions.{table.name}.{column}"
        found = removed = left = 0
        for row in erasure.suspects(work, table, column, needles=sought.needles, linked=linked):
            is_linked = row.subject_id in linked
            seen = find(row.text, sought, linked=is_linked)
            gone = [hit for hit in seen if is_linked or hit.kind in {"phone", "email"}]
            found, removed = found + len(seen), removed + len(gone)
            if gone:
                erasure.rewrite(work, table, column, row.id, redact(row.text, gone))
                touched.append(row.subject_id)
            if len(gone) < len(seen) and row.id not in kept:
                left += len(seen) - len(gone)
                hits.append({"store": store, "id": row.id, "field": column})
        receipts.append({"store": store, "found": found, "removed": removed, "left": left, "method": "redacted"})
    subjects = [individual_id, erasure_id, *dict.fromkeys(touched), *(hit["id"] for hit in hits)]
    work.record("interactions:individual:seek", subjects=subjects)
    answer = {"receipts": receipts, "hits": hits, "clean": not hits}
    if look is not None:
        erasure.keep_answer(work, erasure_id, look, answer)
    return answer


def erasure_completed(work: UnitOfWork, *, erasure_id: str, individual_id: str, now: datetime) -> None:
    """The case is closed: what was linked and answered need not be known any more, and the tombstone stays."""
    directory.bury(work, individual_id, kind="individual", now=now)
    erasure.forget_course(work, erasure_id)


def _remove(work: UnitOfWork, individual_id: str, *, now: datetime) -> erasure.Reached:
    directory.bury(work, individual_id, kind="individual", now=now)
    reached = erasure.remove_individual(work, individual_id)
    for request in reached.asked:
        coordination.tell(work, request.requested_by, "coordination-request-erased", [request], now=now)
    for interaction_id in reached.deleted:
        work.announce(InteractionWithdrawn(interaction_id))
    return reached


def _receipts(reached: erasure.Reached) -> list[dict[str, Any]]:
    counts = {
        "interactions.interactions": (len(reached.deleted), "deleted"),
        "interactions.interaction_individuals": (reached.unlinked, "unlinked"),
        "interactions.attendances": (reached.attendances, "deleted"),
        "interactions.coordination_requests": (len(reached.requests), "deleted"),
        "interactions.people": (reached.people, "deleted"),
    }
    return [{"store": store, "found": count, "removed": count, "left": 0, "method": method} for store, (count, method) in counts.items()]
