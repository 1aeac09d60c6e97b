"""Two records that may be of one person: who is told, what the privacy officer proposes, and what is decided (T34).

Within a component its owners and stewards are told, because they may see its values; across components only the
privacy officer is. The officer may propose any two, so an asked owner sees two directory records and no cause.
"""

from __future__ import annotations

from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid
from services.contacts.contract.answers.cases import PairAnswer, PairDecidedAnswer, PairOfRecords
from services.contacts.contract.refusals import PairUnknown
from services.contacts.domain import representations
from services.contacts.storage import individuals, likenesses
from services.contacts.storage.likenesses import Proposal
from services.contacts.usecases.authorization import is_officer, require_contributor, require_officer, task_scope
from services.lexicon.refusals import IndividualFrozen

Pair = tuple[str, str]
_OFFICER = ("propose", "different")


def read_pair(work: UnitOfWork, *, by: Caller, individual_id: str, other_id: str) -> PairOfRecords:
    """Return two records side by side, why they are shown, and what the caller may decide.

    :raises PairUnknown: the caller may not decide about them, or one of them is frozen or gone.
    """
    pair = _ordered(individual_id, other_id)
    officer = is_officer(by)
    because, decisions = _for_officer(work, pair, by=by) if officer else _for_others(work, pair, by=by)
    found = individuals.find_many(work, pair)
    if set(pair) - found.keys():
        raise PairUnknown
    proposed = likenesses.proposal(work, pair) if officer else None
    work.record("contacts:duplicate:read", subjects=pair, fields=representations.INDIVIDUAL_FIELDS, rule="T34")
    return {
        "individuals": [representations.individual(found[each]) for each in pair],
        "because": because,
        "decisions": decisions,
        "proposal": {"proposed_at": representations.instant(proposed.proposed_at), "answers": _answers(pair, proposed)} if proposed else None,
    }


def decide_pair(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, other_id: str, decision: str) -> PairDecidedAnswer:
    """Decide that two records are *different* people, or one and the *same*; the privacy officer may *propose* it to both owners.

    :raises PairUnknown: the caller may not decide about them, or it was decided already.
    :raises Forbidden: only the privacy officer proposes.
    :raises Invalid: nobody asked whether they are the same.
    :raises IndividualFrozen: a frozen record is not proposed.
    """
    pair = _ordered(individual_id, other_id)
    if is_officer(by):
        _decide_as_officer(work, pair, by=by, now=now, decision=decision)
    else:
        _decide_as_owner(work, pair, by=by, now=now, decision=decision)
    work.record("contacts:duplicate:decide", subjects=pair, rule=decision)
    return {"decision": decision}


def repeat_decision(work: UnitOfWork, *, individual_id: str, other_id: str, decision: str) -> PairDecidedAnswer:
    """Answer a repeated `decide_pair` as the first one; change nothing."""
    work.record("contacts:duplicate:decide", subjects=[individual_id, other_id], outcome="replayed")
    return {"decision": decision}


def _decide_as_officer(work: UnitOfWork, pair: Pair, *, by: Caller, now: datetime, decision: str) -> None:
    if decision not in _OFFICER:
        raise Invalid(errors={"decision": ["That is for the owners to say."]})
    rows = [individuals.find(work, each) for each in pair]
    if None in rows:
        raise PairUnknown
    if decision == "propose":
        if any(row is not None and row.frozen_at is not None for row in rows):
            raise IndividualFrozen
        likenesses.propose(work, pair, by=by.id, now=now)
        return
    settled = likenesses.settle(work, pair, holder=likenesses.ACROSS, by=by.id, now=now)
    if not likenesses.withdraw(work, pair) and not settled:
        raise PairUnknown


def _decide_as_owner(work: UnitOfWork, pair: Pair, *, by: Caller, now: datetime, decision: str) -> None:
    if decision == "propose":
        require_officer(by)
    because, decisions = _for_others(work, pair, by=by)
    require_contributor(by, "change")
    if decision not in decisions:
        raise Invalid(errors={"decision": ["Nobody asked whether they are the same."]})
    if "proposed" in because:
        # Held first: the officer may be taking it back.
        likenesses.proposal(work, pair)
        found = individuals.find_many(work, pair)
        sides = [side for side, each in zip(("held", "other"), pair, strict=True) if found[each].owner_id == by.id]
        likenesses.answer(work, pair, dict.fromkeys(sides, decision), by=by.id, now=now)
    if "same_value" in because and by.component is not None and decision == "different":
        likenesses.settle(work, pair, holder=by.component, by=by.id, now=now)


def _for_officer(work: UnitOfWork, pair: Pair, *, by: Caller) -> tuple[list[str], list[str]]:
    return (["same_value"] if likenesses.is_among(work, likenesses.BETWEEN, pair, scope=task_scope(by)) else []), list(_OFFICER)


def _for_others(work: UnitOfWork, pair: Pair, *, by: Caller) -> tuple[list[str], list[str]]:
    """Return why a pair is shown to the caller, and what they may decide.

    :raises PairUnknown: it is not shown to them.
    """
    scope = task_scope(by)
    alike = scope.sees_values and likenesses.is_among(work, likenesses.OWN, pair, scope=scope)
    asked = likenesses.is_among(work, likenesses.PROPOSED, pair, scope=scope)
    if not alike and not asked:
        raise PairUnknown
    return [*(["same_value"] if alike else []), *(["proposed"] if asked else [])], [*(["same"] if asked else []), "different"]


def _answers(pair: Pair, proposed: Proposal) -> list[PairAnswer]:
    held, other = pair
    return [
        {"individual_id": held, "answer": proposed.held_answer, "by": proposed.held_answered_by},
        {"individual_id": other, "answer": proposed.other_answer, "by": proposed.other_answered_by},
    ]


def _ordered(individual_id: str, other_id: str) -> Pair:
    if individual_id == other_id:
        raise PairUnknown
    return (individual_id, other_id) if individual_id < other_id else (other_id, individual_id)
