"""Rows that were refused or wait to be decided: they are kept for their owner until a date.

Their cells are encrypted under a key of their own, so that the commit destroys the import's key, and with it all other
staged rows. Rows that tell of an erased person are not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import orjson

from services.chassis.cursors import Cursors
from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.erasing import ReceiptAnswer
from services.contacts.contract.answers.imports import PageOfRefusedRows, RefusedRow
from services.contacts.domain.imports.states import FileLayout, Import
from services.contacts.domain.sealing import is_told_in
from services.contacts.storage.imports import imports, outcomes, refused
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt
from services.contacts.usecases.imports.parsing import Threads, telling
from services.contacts.usecases.imports.representing import layout_of, own
from services.lexicon.mentions import FormerValues

#: How long after the commit: rows of a Friday can still be corrected on Thursday.
KEPT = timedelta(days=7)
LAPSED = "Nobody decided within a week; this row was not imported."
UNDONE = "The import was undone before this row was decided."
GONE = "What this row said is no longer kept; it was not imported."
#: Characters of cells in one page: what goes over the bus in one message.
_PAGE = 256 << 10
_SOUGHT_AT_ONCE = 500


def key_of(import_id: str) -> str:
    """Return the id of the key of an import's refused rows."""
    return str(uuid5(UUID(import_id), "refused"))


def begin(work: UnitOfWork, row: Import, vault: Vault, *, now: datetime) -> bytes:
    """Keep in which columns the cells stood, and what these are, for a check that begins; return the key for them."""
    key = key_for(vault, row.id)
    layout = layout_of(vault, row)
    written = orjson.dumps({"columns": layout.columns, "mapping": layout.mapping}).decode()
    imports.update(work, row.id, {"refused_layout": encrypt(key, written, bound_to=_columns_as(row.id))}, now=now)
    return key


def key_for(vault: Vault, import_id: str) -> bytes:
    """Return the key for the cells of refused rows, making it the first time."""
    return vault.keys_for([key_of(import_id)])[key_of(import_id)]


def sealed(import_id: str, key: bytes, rows: Iterable[tuple[int, Mapping[str, str]]]) -> list[tuple[int, bytes]]:
    """Encrypt rows (number within the import, cells by column); nothing but computing."""
    return [(n, encrypt(key, orjson.dumps(cells).decode(), bound_to=_row_as(import_id, n))) for n, cells in rows]


def give_back(
    work: UnitOfWork, *, by: Caller, vault: Vault, cursors: Cursors, import_id: str, limit: int, cursor: str | None = None
) -> PageOfRefusedRows:
    """Return a page of the refused rows of an import of the caller's: with their cells, as long as these are kept."""
    row = own(work, import_id, by=by)
    asked = {"import_id": import_id}
    position = cursors.open(cursor, of="refused-rows", user_id=by.id, query=asked)
    after = -1 if position is None else position
    work.record("contacts:import:list-refused-rows", subjects=[import_id], fields=["cells"])
    found = outcomes.find_many(work, import_id, outcomes=["invalid", "undecided"], after=after, limit=limit + 1, to_mend=True)
    layout, key = opened(vault, row)
    kept = refused.find(work, import_id, [each.n for each in found]) if key else {}
    items: list[RefusedRow] = []
    size = 0
    for each in found[:limit]:
        if size > _PAGE:
            break
        text = decrypt(key, kept[each.n], bound_to=_row_as(import_id, each.n)) if key and each.n in kept else "null"
        size += len(text)
        items.append({"row": each.number, "sheet": each.sheet, "reason": each.reason, "refused": each.refused or [], "cells": orjson.loads(text)})
    following = cursors.seal(found[len(items) - 1].n, of="refused-rows", user_id=by.id, query=asked) if len(items) < len(found) else None
    return {"columns": layout.columns, "items": items, "next": following}


def let_go(work: UnitOfWork, import_id: str) -> int:
    """Keep nothing any more of an import's refused rows, and say how many there were; the key goes after the commit."""
    refused.forget_columns(work, import_id)
    return refused.drop(work, import_id)


def is_any_kept(work: UnitOfWork, import_id: str) -> bool:
    """Return whether cells of an import's refused rows are kept until a date."""
    row = imports.find(work, import_id)
    return row is not None and row.refused_until is not None


def let_go_due(work: UnitOfWork, *, now: datetime) -> list[str]:
    """Keep nothing any more of what was kept until now; return the imports, for the keys to be destroyed."""
    due = refused.imports_due(work, now=now)
    for import_id in due:
        outcomes.lapse(work, import_id, LAPSED)
        let_go(work, import_id)
    if due:
        work.record("contacts:import:forget-refused-rows", subjects=due, rule="kept-until")
    return due


def forget(vault: Vault, import_id: str) -> None:
    """Destroy the key of an import's refused rows."""
    vault.destroy(key_of(import_id))


def seek(work: UnitOfWork, values: FormerValues, _individual_id: str, *, vault: Vault, threads: Threads) -> list[ReceiptAnswer]:
    """As the eraser: delete every kept row that tells of an erased person; return the receipt.

    In doubt a row goes: whoever wants to mend it has it in the file that it came from.
    """
    found = 0
    for row in refused.imports_with_cells(work):
        layout, key = opened(vault, row)
        if key is None:
            continue
        # Where a file has no header, its first row is somebody's data.
        if is_told_in(layout.columns, values):
            outcomes.lapse(work, row.id, GONE)
            found += let_go(work, row.id)
            continue
        after = -1
        while part := refused.find_after(work, row.id, after=after, limit=_SOUGHT_AT_ONCE):
            numbers = [n for n, _ in part]
            told = [numbers[at] for at in telling(threads.run(_texts, row.id, key, part), values, threads)]
            outcomes.lapse(work, row.id, GONE, told)
            found += refused.drop(work, row.id, told)
            after = part[-1][0]
    return [{"store": "contacts.import_refused", "found": found, "removed": found, "left": 0, "method": "deleted"}]


def _texts(import_id: str, key: bytes, rows: Sequence[tuple[int, bytes]]) -> list[bytes]:
    cells = (orjson.loads(decrypt(key, ciphertext, bound_to=_row_as(import_id, n))) for n, ciphertext in rows)
    return [orjson.dumps(list(by_column.values())) for by_column in cells]


def opened(vault: Vault, row: Import) -> tuple[FileLayout, bytes | None]:
    """Return the columns and what they are, and the key, as long as there are any."""
    if row.refused_layout is None:
        return FileLayout(), None
    try:
        key = vault.key(key_of(row.id))
    except KeyDestroyed:
        return FileLayout(), None
    return FileLayout(**orjson.loads(decrypt(key, row.refused_layout, bound_to=_columns_as(row.id)))), key


def cells_of(import_id: str, key: bytes, rows: Mapping[int, bytes]) -> dict[int, dict[str, str]]:
    """Decrypt the cells of rows (by number within the import); nothing but computing."""
    return {n: orjson.loads(decrypt(key, ciphertext, bound_to=_row_as(import_id, n))) for n, ciphertext in rows.items()}


def _row_as(import_id: str, n: int) -> str:
    return f"refused import row {import_id} {n}"


def _columns_as(import_id: str) -> str:
    return f"columns of refused import rows {import_id}"
