"""Deciding: the owner says whether a row is about a person who is here already (T28), for one row or for all alike.

A row waits encrypted, for a week, and nothing of it is taken in meanwhile. A decision takes it in as a commit would,
under the rights, the ledger and the locks of that moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.cases import TaskAnswer
from services.contacts.contract.answers.imports import Candidate, ImportAnswer, ImportCell, ImportRowAnswer, ImportRowDetailAnswer
from services.contacts.contract.imports import CandidateGone, DecisionAlreadyMade, NothingToDecide, RowDecision, RowNotKept, RowUnknown
from services.contacts.domain import representations
from services.contacts.domain.imports.comparing import Generation
from services.contacts.domain.imports.matching import Evidence, Person, best, evidence_of
from services.contacts.domain.imports.planning import Answer, Decision
from services.contacts.domain.imports.register import Register
from services.contacts.domain.imports.states import Deciding, Import, ImportChanges, RowOutcome
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.stakeholders import Individual
from services.contacts.storage import individuals, ledger
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.imports import imports, outcomes, questions, refused
from services.contacts.usecases import looking
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.committing import take_in
from services.contacts.usecases.imports.parsing import Threads, unseen_of
from services.contacts.usecases.imports.preparing import Prepared, of_rows
from services.contacts.usecases.imports.representing import acting, line_of, own, representation
from services.contacts.usecases.imports.uploading import require_may_import
from services.contacts.usecases.imports.working import LEASE, ImportOvertaken, require_rights

#: Rows that are decided in one transaction.
AT_ONCE = 200
SKIPPED = "You decided to leave this row out."
OTHERS_CAME = "Somebody else who may be the same person was entered meanwhile. Decide again."


def decide_row(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    import_id: str,
    n: int,
    command: RowDecision,
    threads: Threads,
) -> ImportRowAnswer:
    """Take a row in as its importer decides, or leave it out; the same decision again answers the same.

    Of *same* without an id it is the only one who was shown.

    :raises RowUnknown, DecisionAlreadyMade, CandidateGone, RowNotKept:
    :raises PeopleMoved: roll back, and try again.
    :raises LookupsExhausted, ImportsStopped: the privacy officer looks first (T35).
    """
    decision, individual_id = command.decision, command.individual_id
    row = own(work, import_id, by=by, lock=True, states={"committed"})
    require_may_import(by, rows=0)
    require_rights(work, by)
    entry = outcomes.find(work, import_id, n)
    if entry is None:
        raise RowUnknown
    work.record("contacts:import:decide", subjects=[import_id, *([individual_id] if individual_id else [])], rule=decision)
    if entry.outcome != "undecided":
        if entry.decided == decision and individual_id in {None, entry.individual_id}:
            return line_of(entry)
        raise DecisionAlreadyMade(extra={"outcome": entry.outcome})
    answer = _answer(entry, decision, individual_id)
    if answer is None:
        became = Decision("skipped", SKIPPED)
    else:
        block = _block(work, layer, row, [entry], by=by, threads=threads)
        became = take_in(work, row, block, by=by, now=now, layer=layer, threads=threads, answers={0: answer}).decisions[0]
        if became.outcome == "undecided" and decision == "same":
            raise CandidateGone
        _count_blocked(work, [became], by=by, now=now)
    _settle(work, row, [(entry, became)], decision=decision, now=now)
    after = outcomes.find(work, import_id, n)
    assert after is not None  # noqa: S101 - it was found above
    return line_of(after)


def _answer(entry: RowOutcome, decision: str, individual_id: str | None) -> Answer | None:
    if decision == "skip":
        return None
    if decision == "another":
        return Answer("another", besides=frozenset(entry.candidates))
    if individual_id is None and len(entry.candidates) != 1:
        raise CandidateGone(errors={"individual_id": ["Say which person it is."]})
    return Answer("same", individual_id or entry.candidates[0])


def decide_all(work: UnitOfWork, *, by: Caller, now: datetime, layer: ContactLayer, import_id: str, decision: str) -> ImportAnswer:
    """Ask for all rows that wait to be decided alike; the work goes on in the background.

    :raises NothingToDecide: no row waits.
    :raises DecisionAlreadyMade: another decision is being carried out.
    :raises ImportsStopped: the privacy officer looks at the caller's entries first (T35).
    """
    row = own(work, import_id, by=by, lock=True, states={"committed"})
    require_may_import(by, rows=0)
    looking.require_going_on(work, by=by, now=now)
    waiting = row.counts.get("undecided", 0)
    if row.deciding is None:
        if not waiting:
            raise NothingToDecide
        going: Deciding = {"decision": decision, "after": -1}
        imports.update(work, import_id, {"deciding": going, "position": 0, "total": waiting, "acting": acting(by), "lease_until": None}, now=now)
    elif row.deciding["decision"] != decision:
        raise DecisionAlreadyMade
    work.record("contacts:import:decide-all", subjects=[import_id], rule=decision)
    again = imports.find(work, import_id)
    assert again is not None  # noqa: S101 - it is locked
    return representation(layer.vault, again)


def decide_block(work: UnitOfWork, *, by: Caller, now: datetime, layer: ContactLayer, import_id: str, threads: Threads) -> bool:
    """Decide the next rows of those that are decided all alike; say whether these were the last.

    Of *same*, a row of which several people are as likely still waits; of *another*, one that is like somebody who came since.

    :raises PeopleMoved, ImportOvertaken, ImportsForContributors:
    """
    row = imports.find(work, import_id, lock=True)
    if row is None or row.state != "committed" or row.deciding is None:
        raise ImportOvertaken
    require_rights(work, by)
    decision, after = row.deciding["decision"], row.deciding["after"]
    entries = outcomes.find_many(work, import_id, outcomes=["undecided"], after=after, limit=AT_ONCE)
    became: Sequence[Decision] = [Decision("skipped", SKIPPED) for _ in entries]
    if decision != "skip" and entries:
        block = _block(work, layer, row, entries, by=by, threads=threads)
        answers = {at: _alike(entry, decision) for at, entry in enumerate(entries)}
        became = take_in(work, row, block, by=by, now=now, layer=layer, threads=threads, answers=answers).decisions
        _count_blocked(work, became, by=by, now=now)
    _settle(work, row, list(zip(entries, became, strict=True)), decision=decision, now=now)
    last = len(entries) < AT_ONCE
    going: ImportChanges = {"lease_until": None, "acting": None, "deciding": None}
    if not last:
        going = {"lease_until": now + LEASE, "deciding": {"decision": decision, "after": entries[-1].n}}
    imports.update(work, import_id, {"position": row.position + len(entries), **going}, now=now)
    work.record("contacts:import:decide", subjects=[import_id], rule=decision)
    return last


def _alike(entry: RowOutcome, decision: str) -> Answer:
    return Answer("same") if decision == "same" else Answer("another", besides=frozenset(entry.candidates))


def read_row(work: UnitOfWork, *, by: Caller, layer: ContactLayer, import_id: str, n: int, threads: Threads) -> ImportRowDetailAnswer:
    """Return a row with its cells, and beside it whoever it may be about: directory layer, and what speaks for and against it.

    :raises RowUnknown: the import has no such row.
    """
    row = own(work, import_id, by=by)
    entry = outcomes.find(work, import_id, n)
    if entry is None:
        raise RowUnknown
    layout, key = refused_rows.opened(layer.vault, row)
    kept = refused.find(work, import_id, [n]) if key else {}
    cells = refused_rows.cells_of(import_id, key, kept).get(n) if key else None
    people: list[Candidate] = []
    if cells is not None and entry.outcome == "undecided":
        block = of_rows([Row(entry.sheet, entry.number, cells)], layout.mapping, layer.digests, str(by.component), threads=threads)
        people = _people(work, block, by=by)
    work.record("contacts:import:read-row", subjects=[import_id, *(each["individual"]["id"] for each in people)], fields=["cells"])
    mapping = layout.mapping
    shown: list[ImportCell] = [{"column": name, "field": mapping.get(name), "value": cells.get(name, "")} for name in layout.columns] if cells else []
    return {**line_of(entry), "cells": shown, "people": people, "keepable": _keepable(entry, cells, mapping, threads)}


def _keepable(entry: RowOutcome, cells: Mapping[str, str] | None, mapping: Mapping[str, str], threads: Threads) -> list[str]:
    """Return the columns of which screening stopped something that may be kept with a reason."""
    if cells is None or entry.individual_id is None or entry.outcome == "undecided":
        return []
    still = {each["column"] for each in entry.refused or ()}
    found = unseen_of(Row(entry.sheet, entry.number, dict(cells)), mapping, threads) if still else []
    return list(dict.fromkeys(each.column for each in found if each.column in still))


def _people(work: UnitOfWork, block: Prepared, *, by: Caller) -> list[Candidate]:
    register, component, record = Register(), str(by.component), block.records[0]
    questions.learn(work, register, block.questions, component=component)
    questions.learn_kinds(work, questions.candidates_of(register, block.records), component=component)
    match = best(record, register.candidates(record))
    people: Sequence[Person] = match.candidates or ([match.person] if match.person else [])
    # Frozen ones are left out (T21).
    found = individuals.find_many(work, [person.id for person in people])
    return [_candidate(found[person.id], evidence_of(record, person), person) for person in people if person.id in found]


def _candidate(individual: Individual, evidence: Evidence, person: Person) -> Candidate:
    """Return what speaks for and against, in a closed list of words, and of which kinds the caller's component holds values."""
    kinship = evidence.kinship
    agrees = {
        "name": kinship.is_whole,
        "personal_contact": evidence.personal,
        "home_phone": evidence.home,
        "work_email": evidence.work_mail,
        "work_phone": evidence.work_phone,
        "organization": evidence.organization is True,
        "title": evidence.title is True,
        "state": evidence.state is True,
    }
    differs = {
        "name": not kinship.is_whole,
        "suffix": kinship.generation is not Generation.EQUAL,
        "middle_name": kinship.middle_differs,
        "email": evidence.mail_differs,
        "phone": evidence.direct_differs,
        "work_phone": evidence.work_phone_differs,
        "work_address": evidence.address_differs,
        "organization": evidence.organization is False,
        "title": evidence.title is False,
        "state": evidence.state is False,
    }
    return {
        "individual": representations.individual(individual),
        "agrees": [word for word, holds in agrees.items() if holds],
        "differs": [word for word, holds in differs.items() if holds],
        "held_kinds": sorted(person.kinds),
    }


def row_as_it_is(work: UnitOfWork, *, by: Caller, import_id: str, n: int) -> ImportRowAnswer:
    """Return what became of a row, for a decision that was taken already.

    :raises RowUnknown: the import has no such row.
    """
    own(work, import_id, by=by)
    entry = outcomes.find(work, import_id, n)
    if entry is None:
        raise RowUnknown
    work.record("contacts:import:read-row", subjects=[import_id])
    return line_of(entry)


def list_tasks(work: UnitOfWork, *, by: Caller) -> list[TaskAnswer]:
    """Return the caller's imports with rows to decide, as tasks."""
    if by.kind != "user" or by.component is None:
        return []
    return [
        {
            "id": f"decide-import-rows.{import_id}",
            "kind": "decide-import-rows",
            "notice": False,
            "subject": {"type": "import", "id": import_id},
            "due_on": until.astimezone(UTC).date().isoformat(),
            "link": f"/api/v1/imports/{import_id}/rows?outcome=undecided",
        }
        for import_id, until in imports.waiting_for_decisions(work, by.id, by.component)
    ]


def _block(work: UnitOfWork, layer: ContactLayer, row: Import, entries: Sequence[RowOutcome], *, by: Caller, threads: Threads) -> Prepared:
    layout, key = refused_rows.opened(layer.vault, row)
    kept = refused.find(work, row.id, [entry.n for entry in entries]) if key else {}
    if key is None or len(kept) < len(entries):
        raise RowNotKept
    cells = threads.run(refused_rows.cells_of, row.id, key, kept)
    rows = [Row(entry.sheet, entry.number, cells[entry.n]) for entry in entries]
    return of_rows(rows, layout.mapping, layer.digests, str(by.component), threads=threads)


def _settle(work: UnitOfWork, row: Import, became: Sequence[tuple[RowOutcome, Decision]], *, decision: str, now: datetime) -> None:
    """Say what became of rows, and count it; cells that wait for nothing any more are dropped."""
    if not became:
        return
    written = []
    for entry, one in became:
        waits = one.outcome == "undecided"
        others = waits and decision == "another" and set(one.candidates) != set(entry.candidates)
        written.append(
            replace(
                entry,
                outcome=one.outcome,
                reason=OTHERS_CAME if others else one.reason,
                individual_id=one.individual_id,
                organization_id=one.organization_id,
                # Of whom it was said that it is not them, it is not asked again.
                candidates=list(dict.fromkeys([*one.candidates, *(entry.candidates if others else ())])),
                decided=None if waits else decision,
            )
        )
    outcomes.settle(work, row.id, written)
    counted = Counter(one.outcome for _, one in became)
    counted.subtract({"undecided": len(became)})
    imports.update(work, row.id, {"counts": outcomes.recounted(row.counts, counted)}, now=now)
    refused.drop(work, row.id, [entry.n for entry, one in became if one.outcome not in {"undecided", "invalid"}])


def _count_blocked(work: UnitOfWork, became: Sequence[Decision], *, by: Caller, now: datetime) -> None:
    for _ in range(sum(one.outcome == "blocked" for one in became)):
        ledger.count_blocked(work, by.id, now.astimezone(UTC).date())
