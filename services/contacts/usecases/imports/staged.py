"""Taking an erased person out of files that were sent in and not taken in yet: their rows are emptied, and say so (N3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from services.chassis.database import UnitOfWork
from services.contacts.contract.imports import FileTellsOfErased
from services.contacts.domain.sealing import is_told_in
from services.contacts.storage import imports
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt
from services.contacts.usecases.imports import refused
from services.contacts.usecases.imports.preparing import Beside
from services.contacts.usecases.imports.representing import ended, layout_of, sealed_layout
from services.contacts.usecases.imports.seeking import bears
from services.contacts.usecases.imports.uploading import fail, forget
from services.lexicon.folding import fold
from services.lexicon.mentions import REMOVED, FormerValues, Sought
from services.lexicon.names import family_key

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
            emptied, other = beside(_emptied, row["id"], n, key, staged[0], values) if staged else (0, None)
            if other is not None:
                imports.replace_block(work, row["id"], n, other)
                found += emptied
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


def _emptied(import_id: str, n: int, key: bytes, ciphertext: bytes, values: FormerValues) -> tuple[int, bytes | None]:
    """Return in how many rows of a block the person was, and the block without them if anything of it went; nothing but computing."""
    bound_to = f"import block {import_id} {n}"
    written = decrypt(key, ciphertext, bound_to=bound_to)
    # Most blocks hold no run of letters or digits of theirs, and are read no further.
    squeezed, sought = fold(written).replace(" ", ""), Sought(values)
    if not any(needle in squeezed for needle in {*sought.needles, family_key(values.last_name)} - {""}):
        return 0, None
    before = orjson.loads(written)
    names = {name for sheet, _, _, _, refused_of, _ in before for name in (sheet, *(cell for cell, _ in refused_of)) if name}
    gone = {name for name in names if bears(name, sought)}
    rows, emptied = [], 0
    for sheet, number, cells, too_long, refused_of, problems in before:
        of = None if sheet in gone else sheet
        if is_told_in(cells.values(), values):
            rows.append([of, number, {}, False, [], [refused.GONE]])
            emptied += 1
        else:
            left = [[NO_NAME if name in gone else name, reason] for name, reason in refused_of]
            rows.append([of, number, cells, too_long, left, problems])
    return emptied, encrypt(key, orjson.dumps(rows).decode(), bound_to=bound_to) if rows != before else None
