"""Keeping: what screening stopped in a row becomes notes of the importer's component, with a reason (T15, T32)."""

from __future__ import annotations

from datetime import datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.imports import ImportRowAnswer
from services.contacts.contract.imports import NothingToKeep, RowNotKept, RowUnknown
from services.contacts.domain.imports.tables import Row
from services.contacts.storage import ledger, notes
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.imports import effects, outcomes, refused
from services.contacts.usecases.authorization import open_individual, require
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.parsing import Threads, unseen_of
from services.contacts.usecases.imports.representing import line_of, own
from services.contacts.usecases.imports.uploading import require_may_import
from services.contacts.usecases.imports.working import require_rights
from services.contacts.usecases.keeping import notes_of
from services.contacts.usecases.preconditions import require_not_suppressed
from services.lexicon.policy import decide
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import contact_values


def keep_cells(
    work: UnitOfWork, *, by: Caller, now: datetime, layer: ContactLayer, import_id: str, n: int, keep_reason: str | None, threads: Threads
) -> ImportRowAnswer:
    """Keep what screening stopped in a row as notes of the importer's component, each with the reason.

    :raises RowUnknown, RowNotKept: there is no such row, or its cells are gone.
    :raises NothingToKeep: screening stopped nothing in it that can be kept, or nobody was taken in.
    :raises TextNeedsReview: the reason holds what no text of ours may.
    """
    row = own(work, import_id, by=by, lock=True, states={"committed"})
    require_may_import(by, rows=0)
    require_rights(work, by)
    require(decide(by, "write_note"))
    TextNeedsReview.unless_clean([("keep_reason", keep_reason, contact_values)])
    entry = outcomes.find(work, import_id, n)
    if entry is None:
        raise RowUnknown
    if entry.individual_id is None or entry.outcome not in {"create", "update", "duplicate"}:
        raise NothingToKeep
    layout, key = refused_rows.opened(layer.vault, row)
    cells = refused_rows.cells_of(import_id, key, refused.find(work, import_id, [n])).get(n) if key else None
    if cells is None:
        raise NothingToKeep if not entry.refused else RowNotKept
    still = {each["column"] for each in entry.refused or ()}
    found = [each for each in unseen_of(Row(entry.sheet, entry.number, cells), layout.mapping, threads) if each.column in still]
    if not found:
        raise NothingToKeep
    ledger.hold_shared(work)
    person = open_individual(work, entry.individual_id, by=by, now=now, share=True)
    texts = [each.text for each in found]
    require_not_suppressed(work, layer, by=by, now=now, first_name=person.first_name, last_name=person.last_name, texts=texts)
    kept = notes_of([(each.field, each.text) for each in found], individual_id=person.id, by=by, author_id=by.id, reason=keep_reason, now=now)
    for note in kept:
        notes.insert(work, note)
    effects.add(work, import_id, [("note-added", person.id, {"note": note.id}) for note in kept])
    settled = {(each.column, each.reason) for each in found}
    left = [each for each in entry.refused or () if (each["column"], each["reason"]) not in settled]
    outcomes.leave_refused(work, import_id, n, left)
    work.record("contacts:note:create", subjects=[person.id, *(note.id for note in kept)], fields=["notes"], rule="T15")
    work.record("contacts:import:decide", subjects=[import_id, person.id], rule="keep")
    after = outcomes.find(work, import_id, n)
    assert after is not None  # noqa: S101 - it was found above
    return line_of(after)
