"""What is made of rows that strangers wrote, row by row: screened and scanned in a process of its own, which has no key.

Each row crosses as JSON and so does what is made of it, so that the loop has nothing to unpack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from typing import Any

import orjson

from services.contacts.domain.imports.kept import kept
from services.contacts.domain.imports.records import Record, record_of, unseen_in
from services.contacts.domain.imports.tables import Row
from services.contacts.domain.sealing import is_told_in
from services.lexicon.folding import fold
from services.lexicon.mentions import FormerValues, Sought
from services.lexicon.names import PersonName, family_key

#: What is said of a row that no process could read within its limits, and of those behind too many of such rows.
COSTLY = "Reading this row takes more time or memory than one row may have."
UNREAD = "This row was not read, as others beside it took too long. Send it again without them."


def plain(row: Row) -> list[Any]:
    """Return a row as it is staged."""
    return [row.sheet, row.number, row.cells, row.too_long, row.refused, row.problems]


def row_of(staged: Sequence[Any]) -> Row:
    """Return the row that was staged so."""
    sheet, number, cells, too_long, refused, problems = staged
    return Row(sheet, number, cells, too_long, tuple((column, reason) for column, reason in refused), tuple(problems))


def recorded(rows: Sequence[bytes], mapping: Mapping[str, str]) -> list[bytes]:
    """Read rows by the mapping (column → field), as records that are kept."""
    return [orjson.dumps(kept(record_of(row_of(orjson.loads(row)), mapping))) for row in rows]


def costly(row: bytes, reason: str) -> Record:
    """Return a row of which nothing is taken in, as it could not be read."""
    sheet, number, *_ = orjson.loads(row)
    return Record(sheet, number, PersonName("", "", ""), problems=(reason,))


def unseen(rows: Sequence[bytes], mapping: Mapping[str, str]) -> list[bytes]:
    """Find what screening stops in each row of what may be kept with a reason."""
    return [orjson.dumps([astuple(each) for each in unseen_in(row_of(orjson.loads(row)), mapping)]) for row in rows]


def telling(rows: Sequence[bytes], values: FormerValues) -> list[bool]:
    """Say of each row, given as the texts of its cells, whether it tells of an erased person."""
    cells = [orjson.loads(row) for row in rows]
    # Most hold no run of letters or digits of theirs, and are read no further.
    squeezed = fold(" ".join(" ".join(texts) for texts in cells)).replace(" ", "")
    if not any(needle in squeezed for needle in {*Sought(values).needles, family_key(values.last_name)} - {""}):
        return [False] * len(cells)
    return [is_told_in(texts, values) for texts in cells]
