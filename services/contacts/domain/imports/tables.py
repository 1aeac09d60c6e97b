"""Define a table as read from a file: named columns and numbered rows of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import overload

import msgspec
from msgspec import Struct

from services.contacts.contract.imports import NOT_TAKEN_IN, FileEmpty, HeaderDuplicate, TooManyCells, TooManyColumns, TooManyRows
from services.contacts.domain.imports.headers import is_recognised, is_single
from services.lexicon.cells import as_written
from services.lexicon.folding import fold
from services.lexicon.names import known_as
from services.lexicon.places import state_code

MAX_FILE = 10 << 20
MAX_UNPACKED = 100 << 20
MAX_ROWS = 100_000
#: The most lines of a file, filled or blank, as many as a sheet has rows. Lines of cards are counted unfolded.
MOST_LINES = 1 << 20
MAX_COLUMNS = 100
#: The most filled cells: a hundred thousand rows of twenty.
MAX_CELLS = 2_000_000
#: Rows in a block, which has one ciphertext and one transaction. The transaction is a tenth of the cost of a block.
BLOCK = 1000
#: The largest area from the first to the last filled cell, which the reader allocates: 49,000 rows of Outlook's 92 columns.
MAX_PLACES = 4_500_000
#: The number of filled cells that represent a column.
SAMPLE = 200
#: The characters of a cell that are kept: more than any field accepts, so that a longer cell is refused.
MAX_CELL = 64 << 10
MAX_NESTING = 20

DAMAGED = "A letter in this row can't be read in the encoding of the file."
#: The replacement of invalid bytes.
LOST = "\ufffd"

_RETURNED = fold(NOT_TAKEN_IN)
#: The number of first rows in which a header is searched.
_HEADER_WITHIN = 20


class Row(Struct, frozen=True, array_like=True):
    """A row: its number in the file, and its filled cells by column. In JSON it is an array."""

    sheet: str | None
    number: int
    cells: dict[str, str]
    #: Whether it has cells after the last column.
    too_long: bool = False
    #: Parts that are not imported, reported by the reader: (name, reason).
    refused: tuple[tuple[str, str], ...] = ()
    #: Why the row can't be imported.
    problems: tuple[str, ...] = ()


class Rows(Sequence[Row]):
    """The rows of a file. All except the first ones are packed, because two million texts would take 200 megabytes."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        """Create the rows from these."""
        self._rows: list[Row | bytes] = []
        self._samples: dict[str, list[str]] = {}
        for row in rows:
            self.append(row)

    def append(self, row: Row) -> None:
        """Append a row."""
        tells = False
        for column, text in row.cells.items():
            sample = self._samples.setdefault(column, [])
            if text and len(sample) < SAMPLE:
                sample.append(text)
                tells = True
        self._rows.append(row if tells else msgspec.json.encode(row))

    def sample(self, column: str) -> list[str]:
        """Return the first filled cells of a column."""
        return self._samples.get(column, [])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Row: ...

    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...  # type: ignore[explicit-any]  # as a Sequence has it

    def __getitem__(self, at: int | slice) -> Row | list[Row]:  # type: ignore[explicit-any]  # likewise
        """Return a row, or a slice of rows."""
        found = self._rows[at]
        return [_unpacked(row) for row in found] if isinstance(found, list) else _unpacked(found)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in order."""
        return map(_unpacked, self._rows)


def _unpacked(row: Row | bytes) -> Row:
    return row if isinstance(row, Row) else msgspec.json.decode(row, type=Row)


@dataclass(slots=True)
class Table:
    """The contents of a file: format, columns in order, and rows."""

    format: str
    columns: list[str] = field(default_factory=list)
    rows: Rows = field(default_factory=Rows)
    #: Hidden sheets by name, and the number of hidden filled rows; they are imported like the others.
    hidden_sheets: list[str] = field(default_factory=list)
    hidden_rows: int = 0
    #: The number of filled cells in all rows.
    cells: int = 0


def text_of(cell: object) -> str:
    """Return a cell as text: whole numbers without ".0", dates in ISO 8601, other values unchanged."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def add_sheet(table: Table, sheet: str | None, rows: Iterator[Sequence[object]]) -> None:
    """Add the rows of a sheet, without titles above the header, blank rows and empty columns.

    Without a header, the columns are named by position.

    :raises HeaderDuplicate, TooManyColumns, TooManyRows:
    """
    top: list[tuple[int, list[str]]] = []
    for number, cells in enumerate(rows, 1):
        if texts := _texts(cells):
            top.append((number, texts))
        if len(top) == _HEADER_WITHIN:
            break
    if not top:
        return
    found = _header_at([texts for _, texts in top])
    names = _named(top[found][1]) if found is not None else _by_place(max(len(texts) for _, texts in top))
    # A corrected file of refused rows: its column of reasons is skipped, and signs that kept cells from being
    # formulas are removed.
    returned = [at for at, name in enumerate(names) if fold(name) == _RETURNED]
    if returned:
        names = ["" if at in returned else as_written(name) for at, name in enumerate(names)]
    _add_columns(table, names)
    after = top[-1][0]
    below = ((number, _texts(cells)) for number, cells in enumerate(rows, after + 1))
    for number, texts in chain(top[0 if found is None else found + 1 :], below):
        if returned:
            texts = ["" if place in returned else as_written(text) for place, text in enumerate(texts)]  # noqa: PLW2901 - the same row, as written
        if found is None and len(texts) > len(names):
            more = _by_place(len(texts))[len(names) :]
            names += more
            _add_columns(table, more)
        _add_row(table, sheet, number, names, texts)


def finished(table: Table) -> Table:
    """Return the complete table.

    :raises FileEmpty: it has no rows.
    """
    if not table.rows:
        raise FileEmpty
    return table


def check_columns(count: int) -> None:
    """Require at most 100 columns.

    :raises TooManyColumns: there are more.
    """
    if count > MAX_COLUMNS:
        raise TooManyColumns


def _texts(cells: Sequence[object]) -> list[str]:
    texts = [cell.strip() if type(cell) is str else text_of(cell).strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return [text if len(text) <= MAX_CELL else text[:MAX_CELL] for text in texts]


# Signs of data: an e-mail address, a phone number, a date, an amount, a ZIP code.
_DATA = re.compile(
    r"[+(]?\d[\d ().,/-]{5,}+(?:\s*+(?:x|ext).*)?|[$€£]?\d+(?:[.,]\d+)*%?|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}.*|https?://.*",
    re.IGNORECASE | re.DOTALL,
)
#: A word from the first sign of an address on.
_MAILBOX = re.compile(r"(?<=\S)@\S*+")
#: The beginning of a longer text is enough.
_LONGEST_VALUE = 500


def _is_value(text: str) -> bool:
    """Return whether a cell looks like data and not like a column name."""
    text = text[:_LONGEST_VALUE]
    return _DATA.fullmatch(text) is not None or any("." in found[0][2:-1] for found in _MAILBOX.finditer(text))


def _header_at(top: list[list[str]]) -> int | None:
    """Return the index of the header among the first rows, or None if all are data.

    A header has known names and no values. Rows above it may only be titles, which are narrower: rows of the same width are
    data.
    """
    filled = [[text for text in texts if text] for texts in top]
    best, most = None, 0
    for at, texts in enumerate(filled):
        count = sum(map(is_recognised, texts))
        if count > most and not any(map(_is_value, texts)) and count * 3 >= len(texts) and _only_titles(filled[:at], len(texts)):
            best, most = at, count
    if best is not None:
        return best
    widest = max(map(len, filled))
    at = next(at for at, texts in enumerate(filled) if len(texts) * 2 >= widest)
    return at if _only_titles(filled[:at], len(filled[at])) and _reads_as_names(top, at) else None


def _only_titles(above: list[list[str]], width: int) -> bool:
    """Return whether the rows above a header are titles: narrower, and without values."""
    return all(len(texts) <= max(1, width // 2) and not any(map(_is_value, texts)) for texts in above)


def _reads_as_names(top: list[list[str]], at: int) -> bool:
    """Return whether a row of unknown words looks like a header: it has no values, and the rows below it do."""
    texts = [text for text in top[at] if text]
    below = top[at + 1 :]
    if any(map(_is_value, texts)) or not below:
        return False
    folded = [fold(text) for text in texts]
    if len(set(folded)) < len(folded) or any(len(text) > 60 for text in texts):
        return False
    seen = {fold(text) for row in below for text in row if text}
    if any(name in seen for name in folded) or any(len(text) == 2 and text.isupper() and state_code(text) for text in texts):
        return False
    if any(len(known_as(word)) > 1 for name in folded for word in name.split()[:2]):
        return False
    for place, text in enumerate(top[at]):
        values = [row[place] for row in below if place < len(row) and row[place]]
        # A column of numbers or addresses has a heading if its first cell is something else.
        if text and values and sum(map(_is_value, values)) * 2 > len(values):
            return True
    said = sum(is_recognised(word) for text in texts for word in text.split())
    return said * 2 >= len(texts) or all("_" in text or text.islower() for text in texts)


def _by_place(width: int) -> list[str]:
    check_columns(width)
    return [f"Column {place}" for place in range(1, width + 1)]


def _named(texts: list[str]) -> list[str]:
    check_columns(len(texts))
    names = [" ".join(text.split())[:190] for text in texts]
    seen: dict[str, int] = {}
    for at, name in enumerate(names, start=1):
        if not name:
            continue
        first = seen.setdefault(name.casefold(), at)
        if first == at:
            continue
        if is_single(name):
            # It is unknown which of the two is meant.
            raise HeaderDuplicate(f"Columns {first} and {at} have the same name.", extra={"columns": [first, at]})
        number = next(number for number in range(2, MAX_COLUMNS + 2) if f"{name} ({number})".casefold() not in seen)
        names[at - 1] = f"{name} ({number})"
        seen[names[at - 1].casefold()] = at
    return names


def _add_columns(table: Table, header: list[str]) -> None:
    # "first name" in the second sheet is the same column as "First Name" in the first.
    written = {column.casefold(): column for column in table.columns}
    for at, name in enumerate(header):
        if not name:
            continue
        if name.casefold() in written:
            header[at] = written[name.casefold()]
        else:
            table.columns.append(name)
    check_columns(len(table.columns))


def _add_row(table: Table, sheet: str | None, number: int, header: list[str], texts: list[str]) -> None:
    if not any(texts):
        return
    if len(table.rows) >= MAX_ROWS:
        raise TooManyRows
    if "" in header:
        for place, text in enumerate(texts[: len(header)]):
            if text and not header[place]:
                # An unnamed column is named by its position, so that its cells are not skipped.
                header[place] = next(name for name in (f"Column {place + 1}", f"Column {place + 1} (2)") if name not in header)
                if header[place] not in table.columns:
                    _add_columns(table, [header[place]])
    cells = {name: text for name, text in zip(header, texts, strict=False) if name and text}
    table.cells += len(cells)
    if table.cells > MAX_CELLS:
        raise TooManyCells
    said = "".join(texts)
    problems = (DAMAGED,) if not said.isascii() and LOST in said else ()
    table.rows.append(Row(sheet, number, cells, len(texts) > len(header), (), problems))
