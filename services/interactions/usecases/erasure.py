"""Erase an individual, and search the texts for what is left. Only the saga calls this, for every cause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.interactions.contract.announcements import InteractionWithdrawn
from services.interactions.contract.answers import Erased, Hit, Place, Receipt, ShownMentions, ShownPlace
from services.interactions.contract.answers import Sought as Answer
from services.interactions.storage import coordination, directory, erasure
from services.lexicon.mentions import AT_ONCE, DECIDED, LATER, Sought, excerpts, redact
from services.lexicon.refusals import SealUnknown
from services.lexicon.seal import open_seal

#: Under this word the answer to `erase` is kept; a search has a word of the saga's.
_ERASE = "erase"


def erase(work: UnitOfWork, *, now: datetime, erasure_id: str, individual_id: str, cause: str) -> Erased:
    """Delete the rows of an individual; a repetition answers with the same receipts.

    Interactions that are left without a person are deleted; others stay, and `seek` redacts their text.
    """
    erasure.lock(work, erasure_id)
    given: Erased | None = erasure.answer_given(work, erasure_id, _ERASE)
    if given is not None:
        work.record("interactions:individual:erase", subjects=[individual_id, erasure_id], rule=cause)
        return given
    erasure.store_links(work, erasure_id, individual_id)
    reached = _remove(work, individual_id, now=now)
    subjects = [individual_id, erasure_id, *reached.deleted, *reached.requests]
    work.record("interactions:individual:erase", subjects=subjects, rule=cause)
    answer: Erased = {"receipts": _receipts(reached)}
    erasure.store_answer(work, erasure_id, _ERASE, answer)
    return answer


def seek(
    work: UnitOfWork,
    *,
    now: datetime,
    erasure_id: str,
    individual_id: str,
    sealed: str,
    key: str | None,
    look: str | None = None,
    redact_in: Collection[Sequence[str]] = (),
    redact_sure_in: Collection[Sequence[str]] = (),
    leave_in: Collection[Sequence[str]] = (),
) -> Answer:
    """Search every text for the individual's former values, and redact them; a repetition answers the same.

    In rows that were linked to them everything goes; in others what goes at once, and the rest is a hit, unless it was
    decided.

    :param look: the saga's word for this search, by which a repetition is known.
    :param redact_in: places (store, row, field) from which every mention goes.
    :param redact_sure_in: places from which those go that may go without the privacy officer.
    :param leave_in: places where somebody else is meant.
    :returns: `receipts` [{store, found, removed, left, method}], `hits` [{store, id, field, kinds, sure}], and the places
        whose decision this search has `carried_out`: a repetition was asked with others, and answers of the first.
    :raises SealUnknown: the seal is broken, so that nothing can be searched for.
    """
    erasure.lock(work, erasure_id)
    given: Answer | None = erasure.answer_given(work, erasure_id, look) if look is not None else None
    if given is not None:
        work.record("interactions:individual:seek", subjects=[individual_id, erasure_id])
        return given
    if key is None:
        raise SealUnknown
    sought = Sought(open_seal(sealed, key, erasure_id=erasure_id))
    # A talk that was logged between erasing and seeking, by somebody who still had the page open, is reached here.
    erasure.store_links(work, erasure_id, individual_id)
    receipts = _receipts(_remove(work, individual_id, now=now))
    linked = erasure.links(work, erasure_id)
    everything, sure, decided = _places(redact_in), _places(redact_sure_in), _places([*redact_in, *redact_sure_in, *leave_in])
    touched: list[str] = []
    hits: list[Hit] = []
    for table, column in erasure.TEXTS:
        store = f"interactions.{table.name}"
        found = removed = left = 0
        for row in erasure.suspects(work, table, column, needles=sought.needles, linked=linked):
            place = (store, row.id, column)
            mentions = sought.find(row.text, linked=row.subject_id in linked)
            going = {AT_ONCE, LATER, DECIDED} if place in everything else {AT_ONCE, LATER} if place in sure else {AT_ONCE}
            gone = [mention for mention in mentions if mention.goes in going]
            if gone:
                erasure.rewrite(work, table, column, row.id, redact(row.text, gone))
                touched.append(row.subject_id)
            stay = [] if place in decided else [mention for mention in mentions if mention not in gone]
            if stay:
                kinds = sorted({mention.kind for mention in stay})
                hits.append({**_hit(place), "kinds": kinds, "sure": any(mention.goes == LATER for mention in stay)})
            found, removed, left = found + len(gone) + len(stay), removed + len(gone), left + len(stay)
        receipts.append({"store": f"{store}.{column}", "found": found, "removed": removed, "left": left, "method": "redacted"})
    subjects = [individual_id, erasure_id, *dict.fromkeys(touched), *(hit["id"] for hit in hits)]
    work.record("interactions:individual:seek", subjects=subjects)
    answer: Answer = {"receipts": receipts, "hits": hits, "carried_out": [list(place) for place in sorted(decided)]}
    if look is not None:
        erasure.store_answer(work, erasure_id, look, answer)
    return answer


def show(work: UnitOfWork, *, erasure_id: str, sealed: str, key: str | None, places: Collection[Sequence[str]]) -> ShownMentions:
    """Return the mentions in these places with the text around them, for the privacy officer only (retention checks that).

    :returns: `items` [{store, id, field, excerpts}]; a place where nothing is found any more is left out.
    :raises SealUnknown: the seal is broken, so that nothing can be searched for.
    """
    if key is None:
        raise SealUnknown
    sought = Sought(open_seal(sealed, key, erasure_id=erasure_id))
    linked = erasure.links(work, erasure_id)
    items: list[ShownPlace] = []
    for place in sorted(_places(places)):
        row = erasure.text_in(work, *place)
        found = excerpts(row.text, sought.find(row.text, linked=row.subject_id in linked)) if row else []
        if found:
            items.append({**_hit(place), "excerpts": found})
    work.record("interactions:erasure:show-mentions", subjects=[erasure_id, *dict.fromkeys(item["id"] for item in items)])
    return {"items": items}


def erasure_completed(work: UnitOfWork, *, erasure_id: str, individual_id: str, now: datetime) -> None:
    """Delete the links and answers of an erasure that is done, and keep the tombstone."""
    directory.insert_tombstone(work, individual_id, kind="individual", now=now)
    erasure.delete_steps(work, erasure_id)


def undone(work: UnitOfWork, *, individual_ids: Sequence[str], import_id: str, cause: str, now: datetime) -> None:
    """Delete the rows of individuals who were erased with an import, as `erase` does for one."""
    reached = _remove(work, *individual_ids, now=now)
    subjects = [import_id, *individual_ids, *reached.deleted, *reached.requests]
    work.record("interactions:individual:erase", subjects=subjects, rule=cause)


def _remove(work: UnitOfWork, *individual_ids: str, now: datetime) -> erasure.Reached:
    directory.insert_tombstones(work, individual_ids, kind="individual", now=now)
    reached = erasure.remove_individuals(work, individual_ids)
    for request in reached.asked:
        coordination.notify(work, request.requested_by, "coordination-request-erased", [request], now=now)
    for interaction_id in reached.deleted:
        work.announce(InteractionWithdrawn(interaction_id))
    return reached


def _receipts(reached: erasure.Reached) -> list[Receipt]:
    counts = {
        "interactions.interactions": (len(reached.deleted), "deleted"),
        "interactions.interaction_individuals": (reached.unlinked, "unlinked"),
        "interactions.attendances": (reached.attendances, "deleted"),
        "interactions.coordination_requests": (len(reached.requests), "deleted"),
        "interactions.people": (reached.people, "deleted"),
    }
    return [{"store": store, "found": count, "removed": count, "left": 0, "method": method} for store, (count, method) in counts.items()]


def _places(given: Collection[Sequence[str]]) -> set[tuple[str, str, str]]:
    return {(str(store), str(row_id), str(field)) for store, row_id, field in given}


def _hit(place: tuple[str, str, str]) -> Place:
    return {"store": place[0], "id": place[1], "field": place[2]}
