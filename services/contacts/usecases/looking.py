"""Look values up in the suppression ledger. Only this module does, and it counts each value and each hit (T9, T35).

The count is stored even if the entry is refused and its transaction rolls back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.refusals import ImportsStopped, LookupsExhausted
from services.contacts.storage import ledger, lookups, registration
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.ledger import Found
from services.contacts.storage.registration import Known, Question
from services.contacts.usecases.authorization import may_look_up_in_bulk


def look(
    work: UnitOfWork,
    layer: ContactLayer,
    *,
    by: Caller,
    now: datetime,
    digests: Iterable[bytes] | str,
    values: int,
    answer: Callable[[Sequence[Found]], Mapping[int, Sequence[Found]]],
    in_bulk: bool = False,
) -> Mapping[int, Sequence[Found]]:
    """Return which entries the ledger knows, each with its marks; count what was asked for the caller.

    :param digests: the digests to look up, or an array of them.
    :param values: how many telephones, e-mail addresses, and names with an organization these are.
    :param answer: turns the ledger's rows into the result.
    :param in_bulk: whether an import asks; the tenth hit of a day stops it.
    :raises LookupsExhausted: it is more than the caller may look up today; nothing was looked up.
    :raises ImportsStopped: the privacy officer has not seen the day's tenth hit; this hit is not told.
    """
    day = now.astimezone(UTC).date()
    standing = lookups.standing(work, by.id, day)
    if in_bulk and standing.stopped:
        raise ImportsStopped
    _require_left(work, layer, by=by, now=now, looked=standing.looked, allowed=standing.allowed, values=values)
    found = ledger.written(work, digests if isinstance(digests, str) else array_of_bytes(digests))
    hits = answer(found) if found else {}
    _count(work, layer, by=by, now=now, values=values, hits=list(hits.values()))
    if in_bulk and hits:
        known = lookups.known(work, by.id, {mark.id for marks in hits.values() for mark in marks})
        if standing.stops_with(sum(any(mark.id not in known for mark in marks) for marks in hits.values())):
            raise ImportsStopped
    return hits


def look_together(work: UnitOfWork, questions: Sequence[Question], *, component: str, now: datetime) -> list[Known]:
    """Return what is known of entries, with the ledger's marks; `weigh` then returns which marks count for each."""
    return registration.look(work, questions, component=component, day=now.astimezone(UTC).date())


def weigh(
    work: UnitOfWork,
    layer: ContactLayer,
    known: Known,
    asked: Sequence[ledger.Question],
    *,
    by: Caller,
    now: datetime,
    name: tuple[str, str],
    values: int,
    before: int,
) -> Sequence[Found]:
    """Return the marks by which the ledger knows one of these entries; count what was asked for the caller.

    :param values: as in `look`.
    :param before: values that the caller looked up beside this entry since `known` was read.
    :raises LookupsExhausted: it is more than the caller may look up today.
    """
    _require_left(work, layer, by=by, now=now, looked=known.looked + before, allowed=known.allowed, values=values)
    marks = ledger.answers(layer.digests, asked, known.suppressions, {0: name}).get(0, [])
    _count(work, layer, by=by, now=now, values=values, hits=[marks] if marks else [])
    return marks


def require_going_on(work: UnitOfWork, *, by: Caller, now: datetime) -> None:
    """Require that no tenth hit of the caller's imports is unseen.

    :raises ImportsStopped: one is.
    """
    if lookups.standing(work, by.id, now.astimezone(UTC).date()).stopped:
        raise ImportsStopped


def _at_most(layer: ContactLayer, by: Caller) -> int:
    return layer.lookups.steward if may_look_up_in_bulk(by) else layer.lookups.contributor


def _require_left(work: UnitOfWork, layer: ContactLayer, *, by: Caller, now: datetime, looked: int, allowed: int, values: int) -> None:
    at_most = _at_most(layer, by)
    if looked + values > max(at_most, allowed):
        day = now.astimezone(UTC).date()
        lookups.count(work, account=by.id, component=by.component, day=day, looked=0, at_most=at_most, waiting=now)
        raise LookupsExhausted


def _count(work: UnitOfWork, layer: ContactLayer, *, by: Caller, now: datetime, values: int, hits: Sequence[Sequence[Found]]) -> None:
    day = now.astimezone(UTC).date()
    lookups.count(work, account=by.id, component=by.component, day=day, looked=values, at_most=_at_most(layer, by))
    lookups.hit(work, account=by.id, component=by.component, now=now, entries=hits)
