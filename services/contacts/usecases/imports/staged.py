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
from services.contacts.usecases.imports.representing import ended, layout_of
from services.contacts.usecases.imports.uploading import fail, forget
from services.lexicon.folding import fold
from services.lexicon.mentions import FormerValues, Sought


def seek(work: UnitOfWork, values: FormerValues, _individual_id: str, *, now: datetime, vault: Vault, beside: Beside) -> list[dict[str, Any]]:
    """As the eraser: empty every staged row that tells of an erased person; return the receipt.

    In doubt a row goes: whoever sent it has it in the file that it came from. Where the names of columns tell of the
    person, they are a row of the file, and the whole file goes.
    """
    found = 0
    for row in imports.with_staged(work):
        if is_told_in(layout_of(vault, row)["columns"], values):
            found += row["rows"]
            _give_up(work, row, now=now)
            forget(vault, row["id"])
            continue
        try:
            key = vault.key(row["id"])
        except KeyDestroyed:
            continue
        for n in imports.block_numbers(work, row["id"]):
            staged = imports.block(work, row["id"], n)
            emptied, ciphertext = beside(_emptied, row["id"], n, key, staged[0], values) if staged else (0, b"")
            if emptied:
                imports.replace_block(work, row["id"], n, ciphertext)
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


def _emptied(import_id: str, n: int, key: bytes, ciphertext: bytes, values: FormerValues) -> tuple[int, bytes]:
    """Return in how many rows of a block the person was, and the block without them; nothing but computing."""
    bound_to = f"import block {import_id} {n}"
    written = decrypt(key, ciphertext, bound_to=bound_to)
    # Most blocks hold no run of letters or digits of theirs, and are read no further.
    squeezed = fold(written).replace(" ", "")
    if not any(needle in squeezed for needle in Sought(values).needles):
        return 0, ciphertext
    emptied = 0
    rows = orjson.loads(written)
    for at, (sheet, number, cells, _, _, _) in enumerate(rows):
        if is_told_in(cells.values(), values):
            rows[at] = [sheet, number, {}, False, [], [refused.GONE]]
            emptied += 1
    return emptied, encrypt(key, orjson.dumps(rows).decode(), bound_to=bound_to) if emptied else ciphertext
