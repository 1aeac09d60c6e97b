"""Erasing: taking an erased person out of the files that imports keep (N3).

Staged rows that tell of the person are emptied, and say so. People name files and sheets after people: such a name is
nobody else's record, so nothing is left to decide, and what bears the person goes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import orjson
from msgspec import structs

from services.chassis.database import UnitOfWork
from services.contacts.contract.answers.erasing import ReceiptAnswer
from services.contacts.contract.imports import FileTellsOfErased
from services.contacts.domain.imports.reading import nameless
from services.contacts.domain.imports.states import FileLayout, Import
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.sealing import is_told_in
from services.contacts.storage.imports import files, imports, outcomes, traces
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.parsing import Threads, telling
from services.contacts.usecases.imports.representing import ended, layout_of, sealed_layout
from services.contacts.usecases.imports.uploading import fail, forget
from services.lexicon.folding import fold
from services.lexicon.mentions import REMOVED, FormerValues, Sought
from services.lexicon.names import family_key

#: What a column is called whose own name went.
NO_NAME = "A column"


def forget_individual(work: UnitOfWork, individual_id: str) -> dict[str, int]:
    """Delete what imports keep about an individual; return how many rows in each store."""
    return traces.forget_individual(work, individual_id)


def seek_in_names(work: UnitOfWork, values: FormerValues, _individual_id: str) -> list[ReceiptAnswer]:
    """Clear the names of files, sheets and columns that bear the person's family name, a phone or an e-mail of theirs; return receipts."""
    sought = Sought(values)
    others = {name: nameless(name) for name in traces.filenames(work) if bears(name, sought)}
    sheets = [name for name in traces.sheets(work) if bears(name, sought)]
    columns = [name for name in traces.refused_names(work) if bears(name, sought)]
    whole = [name for name in traces.refused_columns(work) if bears(name, sought)]
    counts = {
        "contacts.imports.filename": traces.rename_files(work, others),
        "contacts.import_rows.sheet": traces.clear_sheets(work, sheets),
        "contacts.import_rows.refused": traces.clear_refused_names(work, columns),
        "contacts.imports.refused_columns": traces.clear_refused_columns(work, whole),
    }
    return [{"store": store, "found": count, "removed": count, "left": 0, "method": "cleared"} for store, count in counts.items()]


def bears(name: str, sought: Sought) -> bool:
    """Whether the name of a file, a sheet or a column bears the person's family name, or tells of them otherwise."""
    family = family_key(sought.values.last_name)
    return bool(sought.find(name)) or (bool(family) and family in fold(name).split())


def seek_in_rows(
    work: UnitOfWork, values: FormerValues, _individual_id: str, *, now: datetime, vault: Vault, threads: Threads
) -> list[ReceiptAnswer]:
    """As the eraser: empty every staged row that tells of an erased person; return the receipt.

    In doubt a row goes: whoever sent it has it in the file that it came from. Where the names of columns tell of the
    person, they are a row of the file, and the whole file goes. Names of sheets that bear the person go too: with the
    rows they would come back.
    """
    found = 0
    for row in files.imports_with_blocks(work):
        layout = layout_of(vault, row)
        if is_told_in(layout.columns, values):
            found += row.rows
            _give_up(work, row, now=now)
            forget(vault, row.id)
            continue
        try:
            key = vault.key(row.id)
        except KeyDestroyed:
            continue
        if shown := _without_names(layout, Sought(values)):
            imports.update(work, row.id, {"layout": sealed_layout(vault, row.id, shown)}, now=now)
        for n in files.block_numbers(work, row.id):
            staged = files.block(work, row.id, n)
            if staged is None:
                continue
            bound_to = f"import block {row.id} {n}"
            rows, texts = threads.run(_opened, key, staged[0], bound_to)
            told = telling(texts, values, threads)
            other = threads.run(_emptied, key, rows, told, values, bound_to)
            if other is not None:
                files.replace_block(work, row.id, n, other)
                found += len(told)
    return [{"store": "contacts.import_blocks", "found": found, "removed": found, "left": 0, "method": "emptied"}]


def _give_up(work: UnitOfWork, row: Import, *, now: datetime) -> None:
    if row.state != "committing" and row.stopped != "committing":
        fail(work, row, now=now, refusal=FileTellsOfErased())
        return
    # What is in already stays; of the rest nothing can be read any more.
    files.drop_staged(work, row.id)
    outcomes.leave_rest_out(work, row.id, first=row.position, reason=refused_rows.GONE)
    imports.update(work, row.id, {**ended(row, "committed", now=now), "stopped": None}, now=now)


def _without_names(layout: FileLayout, sought: Sought) -> FileLayout | None:
    """Return a layout whose hidden sheets bear the person no more; None where none does."""
    sheets = layout.hidden["sheets"]
    if not any(bears(name, sought) for name in sheets):
        return None
    return replace(layout, hidden={**layout.hidden, "sheets": [REMOVED if bears(name, sought) else name for name in sheets]})


def _opened(key: bytes, ciphertext: bytes, bound_to: str) -> tuple[list[Row], list[bytes]]:
    rows = msgspec.json.decode(decrypt(key, ciphertext, bound_to=bound_to), type=list[Row])
    return rows, [orjson.dumps(list(row.cells.values())) for row in rows]


def _emptied(key: bytes, rows: Sequence[Row], told: Collection[int], values: FormerValues, bound_to: str) -> bytes | None:
    """Return a block without what these of its rows said, and without names that bear the person; None if nothing of it goes."""
    sought = Sought(values)
    names = {name for row in rows for name in (row.sheet, *(cell for cell, _ in row.refused)) if name}
    gone = {name for name in names if bears(name, sought)}
    if not told and not gone:
        return None
    left = [_without(row, gone, is_told=at in told) for at, row in enumerate(rows)]
    return encrypt(key, msgspec.json.encode(left).decode(), bound_to=bound_to)


def _without(row: Row, gone: Collection[str], *, is_told: bool) -> Row:
    sheet = None if row.sheet in gone else row.sheet
    if is_told:
        return Row(sheet, row.number, {}, problems=(refused_rows.GONE,))
    return structs.replace(row, sheet=sheet, refused=tuple((NO_NAME if name in gone else name, reason) for name, reason in row.refused))
