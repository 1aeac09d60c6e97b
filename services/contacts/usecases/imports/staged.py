"""Taking an erased person out of files that were sent in and not taken in yet: their rows are emptied, and say so (N3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from services.chassis.database import UnitOfWork
from services.contacts.contract.imports import FileTellsOfErased
from services.contacts.domain.imports.rowwise import plain, row_of
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.sealing import is_told_in
from services.contacts.storage import imports
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt
from services.contacts.usecases.imports import refused
from services.contacts.usecases.imports.apart import Beside, telling
from services.contacts.usecases.imports.representing import ended, layout_of, sealed_layout
from services.contacts.usecases.imports.seeking import bears
from services.contacts.usecases.imports.uploading import fail, forget
from services.lexicon.mentions import REMOVED, FormerValues, Sought

#: What a column is called whose own name went.
NO_NAME = "A column"


def seek(work: UnitOfWork, values: FormerValues, _individual_id: str, *, now: datetime, vault: Vault, beside: Beside) -> list[dict[str, Any]]:
    """As the eraser: empty every staged row that tells of an erased person; return the receipt.

    In doubt a row goes: whoever sent it has it in the file that it came from. Where the names of columns tell of the
    person, they are a row of the file, and the whole file goes. Names of sheets that bear the person go too: with the
    rows they would come back.
    """
    found = 0
    for row in imports.with_staged(work):
        layout = layout_of(vault, row)
        if is_told_in(layout["columns"], values):
            found += row["rows"]
            _give_up(work, row, now=now)
            forget(vault, row["id"])
            continue
        try:
            key = vault.key(row["id"])
        except KeyDestroyed:
            continue
        if shown := _without_names(layout, Sought(values)):
            imports.update(work, row["id"], {"layout": sealed_layout(vault, row["id"], shown)}, now=now)
        for n in imports.block_numbers(work, row["id"]):
            staged = imports.block(work, row["id"], n)
            if staged is None:
                continue
            bound_to = f"import block {row['id']} {n}"
            rows, texts = beside(_opened, key, staged[0], bound_to)
            told = telling(texts, values, beside)
            other = beside(_emptied, key, rows, told, values, bound_to)
            if other is not None:
                imports.replace_block(work, row["id"], n, other)
                found += len(told)
    return [{"store": "contacts.import_blocks", "found": found, "removed": found, "left": 0, "method": "emptied"}]


def _give_up(work: UnitOfWork, row: Mapping[str, Any], *, now: datetime) -> None:
    if row["state"] != "committing" and row["stopped"] != "committing":
        fail(work, row, now=now, refusal=FileTellsOfErased())
        return
    # What is in already stays; of the rest nothing can be read any more.
    imports.drop_staged(work, row["id"])
    imports.leave_rest_out(work, row["id"], first=row["position"], reason=refused.GONE)
    imports.update(work, row["id"], {**ended(row, "committed", now=now), "stopped": None}, now=now)


def _without_names(layout: Mapping[str, Any], sought: Sought) -> dict[str, Any] | None:
    """Return a layout whose hidden sheets bear the person no more; None where none does."""
    hidden = layout.get("hidden")
    if not hidden or not any(bears(name, sought) for name in hidden["sheets"]):
        return None
    return {**layout, "hidden": {**hidden, "sheets": [REMOVED if bears(name, sought) else name for name in hidden["sheets"]]}}


def _opened(key: bytes, ciphertext: bytes, bound_to: str) -> tuple[list[Row], list[bytes]]:
    rows = [row_of(row) for row in orjson.loads(decrypt(key, ciphertext, bound_to=bound_to))]
    return rows, [orjson.dumps(list(row.cells.values())) for row in rows]


def _emptied(key: bytes, rows: Sequence[Row], told: Collection[int], values: FormerValues, bound_to: str) -> bytes | None:
    """Return a block without what these of its rows said, and without names that bear the person; None if nothing of it goes."""
    sought = Sought(values)
    names = {name for row in rows for name in (row.sheet, *(cell for cell, _ in row.refused)) if name}
    gone = {name for name in names if bears(name, sought)}
    if not told and not gone:
        return None
    left = [_without(row, gone, is_told=at in told) for at, row in enumerate(rows)]
    return encrypt(key, orjson.dumps([plain(row) for row in left]).decode(), bound_to=bound_to)


def _without(row: Row, gone: Collection[str], *, is_told: bool) -> Row:
    sheet = None if row.sheet in gone else row.sheet
    if is_told:
        return Row(sheet, row.number, {}, problems=(refused.GONE,))
    return replace(row, sheet=sheet, refused=tuple((NO_NAME if name in gone else name, reason) for name, reason in row.refused))
