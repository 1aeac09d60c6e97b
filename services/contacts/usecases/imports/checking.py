"""Checking: saying of every row, block by block, what would become of it; nothing changes by it.

A block is decided by the same pure plan for a check and for a commit, so that they differ only in what happened in between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, new_id
from services.contacts.contract.answers.imports import RefusedCell
from services.contacts.domain.imports.planning import Plan, plan
from services.contacts.domain.imports.records import Record
from services.contacts.domain.imports.register import Register
from services.contacts.domain.imports.states import Import, ImportChanges, RowOutcome
from services.contacts.storage.imports import files, imports, outcomes, questions, refused
from services.contacts.storage.vault import Vault
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.parsing import Threads
from services.contacts.usecases.imports.preparing import Prepared
from services.contacts.usecases.imports.working import LEASE, ImportOvertaken, held, require_rights
from services.lexicon.screening import screen


def restart_check(work: UnitOfWork, *, now: datetime, vault: Vault, import_id: str) -> bytes:
    """Begin a check again: what earlier rows planned was in the memory of a process that is gone.

    :returns: the key for the cells of refused rows.
    :raises ImportOvertaken:
    """
    row = imports.find(work, import_id, lock=True)
    if row is None or row.state != "checking":
        raise ImportOvertaken
    imports.update(work, import_id, {"position": 0}, now=now)
    return refused_rows.begin(work, row, vault, now=now)


def check_block(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    import_id: str,
    block: Prepared,
    register: Register,
    refused_key: bytes,
    threads: Threads,
) -> None:
    """Say what would become of a block's rows, and keep the cells of those that are refused."""
    row = held(work, import_id, state="checking", position=block.first)
    require_rights(work, by)
    learn(work, register, block, import_id, by=by, threads=threads, checking=True)
    # Who is suppressed is asked only when rows are taken in: a check would tell it to whoever tries many values (T35).
    made = threads.run(plan, block.records, register, blocked=(), new_id=new_id)
    if block.sealed:
        files.keep_prepared(work, import_id, block.n, block.sealed)
    counts = put_rows(work, row, block, made, threads=threads, hidden=register.planned)
    sealed = threads.run(cells_sealed, import_id, refused_key, block, kept_of(block, made))
    refused.put(work, import_id, sealed, first=block.first, last=block.end - 1)
    last = block.end >= row.rows
    changes: ImportChanges = {"position": block.end, "counts": counts, "lease_until": None if last else now + LEASE}
    if last:
        changes |= {"state": "checked", "acting": None}
    imports.update(work, import_id, changes, now=now)
    shown = [decision.individual_id for decision in made.decisions if decision.individual_id and decision.individual_id not in register.planned]
    work.record("contacts:import:check-rows", subjects=[import_id, *dict.fromkeys(shown)])


def learn(work: UnitOfWork, register: Register, block: Prepared, import_id: str, *, by: Caller, threads: Threads, checking: bool = False) -> None:
    """Take into the register whom and what a block of the caller's import may mean."""
    component = str(by.component)
    questions.learn(work, register, block.questions, component=component, import_id=import_id, checking=checking)
    candidates = threads.run(questions.candidates_of, register, block.records)
    questions.learn_kinds(work, candidates, component=component)


def put_rows(
    work: UnitOfWork, row: Import, block: Prepared, made: Plan, *, threads: Threads, hidden: Collection[str] = frozenset()
) -> dict[str, int]:
    """Say what becomes of each row; return the counts of all the import's rows.

    :param hidden: ids that a check gives nobody: they are only planned.
    """
    before = outcomes.put(work, row.id, threads.run(_rows_written, block, made, hidden), first=block.first, last=block.end - 1)
    counts = Counter(row.counts)
    counts.subtract(before)
    counts.update(decision.outcome for decision in made.decisions)
    return {outcome: many for outcome, many in sorted(counts.items()) if many}


def _rows_written(block: Prepared, made: Plan, hidden: Collection[str]) -> str:
    sheets = {sheet: _harmless(sheet) for sheet in {record.sheet for record in block.records}}
    names: dict[str, str] = {}
    return outcomes.written(
        [
            RowOutcome(
                n=n,
                sheet=sheets[record.sheet],
                number=record.number,
                outcome=decision.outcome,
                reason=decision.reason,
                refused=_not_taken_in(record, decision.outcome, names),
                individual_id=None if decision.individual_id in hidden else decision.individual_id,
                organization_id=None if decision.organization_id in hidden else decision.organization_id,
                candidates=[candidate for candidate in decision.candidates if candidate not in hidden],
            )
            for n, (record, decision) in enumerate(zip(block.records, made.decisions, strict=True), block.first)
        ]
    )


def _not_taken_in(record: Record, outcome: str, names: dict[str, str]) -> list[RefusedCell] | None:
    """Return what of a row is not taken in; of who is blocked nothing is told."""
    if not record.refused or outcome == "blocked":
        return None
    for column, _ in record.refused:
        if column not in names:
            names[column] = _harmless(column) or "A column"
    return [{"column": names[column], "reason": reason} for column, reason in record.refused]


def _harmless(sheet: str | None) -> str | None:
    return None if sheet is None or any(found.klass in {"phone", "email"} for found in screen(sheet)) else sheet


def kept_of(block: Prepared, made: Plan) -> list[int]:
    """Return the rows whose cells are kept: to be mended, or to be decided."""
    decided = enumerate(zip(block.records, made.decisions, strict=True), block.first)
    return [
        n for n, (record, decision) in decided if decision.outcome in {"invalid", "undecided"} or (record.refused and decision.outcome != "blocked")
    ]


def cells_sealed(import_id: str, key: bytes, block: Prepared, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Return the cells of these rows of a block, encrypted."""
    return refused_rows.sealed(import_id, key, block.cells(numbers))
