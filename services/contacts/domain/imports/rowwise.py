"""Screen and parse rows of untrusted files one by one, in a separate process without keys.

Rows and results cross the process boundary as JSON, so that the event loop does not unpack them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import orjson

from services.contacts.domain.imports.records import Record, record_of, unseen_in
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.sealing import is_told_in
from services.lexicon.folding import fold
from services.lexicon.mentions import FormerValues, Sought
from services.lexicon.names import family_key
from services.lexicon.splitting import PersonName

#: The problem of a row that exceeded the limits of the process, and of rows after too many of them.
COSTLY = "Reading this row takes more time or memory than one row may have."
UNREAD = "This row was not read, as others beside it took too long. Send it again without them."


def recorded(rows: Sequence[bytes], mapping: Mapping[str, str]) -> list[bytes]:
    """Read rows by the mapping (column → field) into records."""
    return [msgspec.json.encode(record_of(msgspec.json.decode(row, type=Row), mapping)) for row in rows]


def costly(row: bytes, reason: str) -> Record:
    """Return the record of a row that could not be read and is not imported."""
    sheet, number, *_ = orjson.loads(row)
    return Record(sheet, number, PersonName("", "", ""), problems=(reason,))


def unseen(rows: Sequence[bytes], mapping: Mapping[str, str]) -> list[bytes]:
    """Return the texts of each row that screening stops and that may be kept with a reason."""
    return [msgspec.json.encode(unseen_in(msgspec.json.decode(row, type=Row), mapping)) for row in rows]


def telling(rows: Sequence[bytes], values: FormerValues) -> list[bool]:
    """Return for each row, given as the texts of its cells, whether it mentions an erased person."""
    cells = [orjson.loads(row) for row in rows]
    # Most rows contain none of the person's letters or digits, and are skipped.
    squeezed = fold(" ".join(" ".join(texts) for texts in cells)).replace(" ", "")
    if not any(needle in squeezed for needle in {*Sought(values).needles, family_key(values.last_name)} - {""}):
        return [False] * len(cells)
    return [is_told_in(texts, values) for texts in cells]
