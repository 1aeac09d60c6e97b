"""Mentions of an erased person in rows about others: search, show to the privacy officer, settle (T27, N3).

Units of work here have the role `eraser`. Only retention's saga calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from services.chassis.database import UnitOfWork
from services.contacts.contract.answers.erasing import (
    HitOfErasure,
    MentionsAnswer,
    NamesakeAnswer,
    PlaceAnswer,
    ReceiptAnswer,
    ShownMention,
    SoughtAnswer,
)
from services.contacts.storage import erasing, texts
from services.lexicon.mentions import AT_ONCE, DECIDED, LATER, REMOVED, FormerValues, Sought, excerpts, redact
from services.lexicon.names import are_names_alike, family_key
from services.lexicon.refusals import SealUnknown
from services.lexicon.seal import open_seal
from services.lexicon.splitting import PersonName

#: What another part of this service adds to the search: (work, former values, individual id) → receipts.
AlsoSeek = Callable[[UnitOfWork, FormerValues, str], list[ReceiptAnswer]]

_AT_ONCE = frozenset({AT_ONCE})
_SURE = frozenset({AT_ONCE, LATER})
_EVERYTHING = frozenset({AT_ONCE, LATER, DECIDED})


def seek(
    work: UnitOfWork,
    *,
    erasure_id: str,
    individual_id: str,
    sealed: str,
    key: str | None,
    look: str | None = None,
    redact_in: Collection[Sequence[str]] = (),
    redact_sure_in: Collection[Sequence[str]] = (),
    leave_in: Collection[Sequence[str]] = (),
    also: Collection[AlsoSeek] = (),
) -> SoughtAnswer:
    """Search all text about others for the person's former values. A repeated search gets the same answer.

    Take out the sure mentions; return the rest as hits, unless they were decided.

    :param look: the saga's id of this search, which identifies a repetition.
    :param redact_in: places (store, row, field) from which every mention is taken out.
    :param redact_sure_in: places from which only sure mentions are taken out.
    :param leave_in: places where somebody else is meant.
    :returns: `receipts` [{store, found, removed, left, method}], `hits` [{store, id, field, kinds, sure}], and the places
        whose decision this search has `carried_out`. A repetition may ask for other places; the answer is of the first.
    :raises SealUnknown: nothing was ever sealed for this erasure, or the seal is broken.
    """
    course = erasing.erasure(work, erasure_id)
    if course is None:
        raise SealUnknown
    if course.sought is not None and look is not None and look == course.look:
        work.record("contacts:erasure:seek", subjects=[individual_id, erasure_id])
        return course.sought
    if key is None:
        raise SealUnknown
    values = open_seal(sealed, key, erasure_id=erasure_id)
    sought = Sought(values)
    everything, sure, decided = _places(redact_in), _places(redact_sure_in), _places([*redact_in, *redact_sure_in, *leave_in])
    receipts: dict[str, ReceiptAnswer] = {}
    hits: list[HitOfErasure] = []
    changed: list[texts.Written] = []
    for written in texts.that_may_hold(work, besides=individual_id, needles=sorted(sought.needles)):
        place = written.place
        going = _EVERYTHING if place in everything else _SURE if place in sure else _AT_ONCE
        mentions = [mention for string in written.strings for mention in sought.find(string)]
        gone = [mention for mention in mentions if mention.goes in going]
        if gone:
            _take_out(work, written, sought, going)
            changed.append(written)
        left = [] if place in decided or (gone and written.column.cleared) else [mention for mention in mentions if mention.goes not in going]
        if left:
            hits.append({**_at(place), "kinds": sorted({mention.kind for mention in left}), "sure": any(each.goes == LATER for each in left)})
        receipt = receipts.setdefault(place[0], {"store": place[0], "found": 0, "removed": 0, "left": 0, "method": "searched"})
        receipt["found"] += len(gone) + len(left)
        receipt["removed"] += len(gone)
        receipt["left"] += len(left)
    texts.index(work, changed)
    answers = list(receipts.values())
    for seeker in also:
        answers += seeker(work, values, individual_id)
    answer: SoughtAnswer = {"receipts": answers, "hits": hits, "carried_out": [list(place) for place in sorted(decided)]}
    erasing.note_erasure(work, erasure_id, sought=answer, look=look)
    work.record("contacts:erasure:seek", subjects=[individual_id, erasure_id, *(hit["id"] for hit in hits)])
    return answer


def seek_in_former_names(work: UnitOfWork, values: FormerValues, _individual_id: str) -> list[ReceiptAnswer]:
    """Delete former names of organizations and employers that name the person. Nobody reads them, so nothing is decided."""
    sought = Sought(values)
    counts = erasing.forget_former_names(work, sorted(sought.needles), lambda name: bool(sought.find(name)))
    return [{"store": f"contacts.{store}", "found": many, "removed": many, "left": 0, "method": "deleted"} for store, many in counts.items()]


def show(work: UnitOfWork, *, erasure_id: str, sealed: str, key: str | None, places: Collection[Sequence[str]]) -> MentionsAnswer:
    """Return the mentions in these places with the text around them. Retention checks that the caller is the privacy officer.

    :returns: `items` [{store, id, field, excerpts}], without places where nothing is found any more.
    :raises SealUnknown: the seal is broken, so mentions cannot be found any more.
    """
    if key is None:
        raise SealUnknown
    sought = Sought(open_seal(sealed, key, erasure_id=erasure_id))
    items: list[ShownMention] = []
    for written in texts.read(work, sorted(_places(places))):
        found = [excerpt for string in written.strings for excerpt in excerpts(string, sought.find(string))]
        if found:
            items.append({**_at(written.place), "excerpts": found})
    work.record("contacts:erasure:show-mentions", subjects=[erasure_id, *dict.fromkeys(item["id"] for item in items)])
    return {"items": items}


def namesake(work: UnitOfWork, *, erasure_id: str, sealed: str, key: str | None) -> NamesakeAnswer:
    """Return whether a living record of any component, frozen or not, bears the erased person's name.

    :raises SealUnknown: the seal is broken.
    """
    if key is None:
        raise SealUnknown
    values = open_seal(sealed, key, erasure_id=erasure_id)
    erased = PersonName("", values.first_name, values.last_name)
    living = erasing.names_of_family(work, family_key(values.last_name))
    work.record("contacts:erasure:namesake", subjects=[erasure_id])
    return {"living": any(are_names_alike(erased, PersonName("", first, last)) for first, last in living)}


def _take_out(work: UnitOfWork, written: texts.Written, sought: Sought, going: Collection[str]) -> None:
    def without(string: str) -> str:
        mentions = [mention for mention in sought.find(string) if mention.goes in going]
        if mentions and written.column.cleared:
            return REMOVED
        return redact(string, mentions)

    texts.rewrite(work, written, without)


def _places(given: Collection[Sequence[str]]) -> set[texts.Place]:
    return {(str(store), str(row_id), str(field)) for store, row_id, field in given}


def _at(place: texts.Place) -> PlaceAnswer:
    return {"store": place[0], "id": place[1], "field": place[2]}
