"""A table as a file gives it: named columns and numbered rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.contacts.contract.imports import NOT_TAKEN_IN, CellTooLong, FileEmpty, HeaderDuplicate, TooManyColumns, TooManyRows
from services.lexicon.cells import as_written
from services.lexicon.folding import fold

MAX_FILE = 10 << 20
MAX_UNPACKED = 100 << 20
MAX_ROWS = 100_000
MAX_COLUMNS = 100
MAX_CELL = 64 << 10
MAX_NESTING = 20

_RETURNED = fold(NOT_TAKEN_IN)
#: A header is looked for in this many rows from the top.
_HEADER_WITHIN = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stood in the file, and its cells by column; empty ones are left out."""

    sheet: str | None
    number: int
    cells: dict[str, str]
    #: It has cells beyond the last column.
    too_long: bool = False


@dataclass(slots=True)
class Table:
    """What a file holds: its format, its columns in order, its rows."""

    format: str
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def text_of(cell: object) -> str:
    """Return a cell as text: whole numbers without ".0", dates in ISO 8601, the rest as it is written."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def add_sheet(table: Table, sheet: str | None, rows: Iterator[Sequence[object]], *, known: frozenset[str]) -> None:
    """Add a sheet's rows: a title above the header, blank rows and empty columns are passed over.

    `known` are folded names of columns that are recognised; they tell the header from a title.

    :raises HeaderDuplicate, TooManyColumns, TooManyRows, CellTooLong:
    """
    top: list[list[str]] = []
    header: list[str] | None = None
    number = 0
    for number, cells in enumerate(rows, 1):
        top.append(_texts(cells))
        if number == _HEADER_WITHIN:
            break
    found = _header_at(top, known)
    if found is None:
        return
    header = _header(top[found])
    # A file of refused rows that comes back: why they were refused is passed over, and signs that kept cells from being
    # formulas are taken off.
    returned = [at for at, name in enumerate(header) if fold(name) == _RETURNED]
    if returned:
        header = ["" if at in returned else as_written(name) for at, name in enumerate(header)]
    _add_columns(table, header)

    def add(at: int, texts: list[str]) -> None:
        if returned:
            texts = ["" if place in returned else as_written(text) for place, text in enumerate(texts)]
        _add_row(table, sheet, at, header, texts)

    for at, texts in enumerate(top[found + 1 :], found + 2):
        add(at, texts)
    for at, cells in enumerate(rows, number + 1):
        add(at, _texts(cells))


def finished(table: Table) -> Table:
    """Return the table once all of it is read.

    :raises FileEmpty: there is no row in it.
    """
    if not table.rows:
        raise FileEmpty
    return table


def check_columns(count: int) -> None:
    """:raises TooManyColumns: there are more than 100."""
    if count > MAX_COLUMNS:
        raise TooManyColumns


def _texts(cells: Sequence[object]) -> list[str]:
    texts = [text_of(cell).strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    for text in texts:
        # A character has up to four bytes: the long ones are counted.
        if len(text) * 4 > MAX_CELL and len(text.encode("utf-8", "replace")) > MAX_CELL:
            raise CellTooLong
    return texts


def _header_at(top: list[list[str]], known: frozenset[str]) -> int | None:
    """Return which of the first rows is the header: the one with the most recognised names, else the first wide one."""
    filled = [(at, [text for text in texts if text]) for at, texts in enumerate(top)]
    filled = [(at, texts) for at, texts in filled if texts]
    if not filled:
        return None
    recognised = [(sum(fold(text) in known for text in texts), -at) for at, texts in filled]
    most, at = max(recognised)
    if most:
        return -at
    widest = max(len(texts) for _, texts in filled)
    return next(at for at, texts in filled if len(texts) * 2 >= widest)


def _header(texts: list[str]) -> list[str]:
    check_columns(len(texts))
    names = [" ".join(text.split())[:200] for text in texts]
    seen: dict[str, int] = {}
    for at, name in enumerate(names, start=1):
        if not name:
            continue
        first = seen.setdefault(name.casefold(), at)
        if first != at:
            # By their places: where a file has no header, its first row is somebody's data.
            raise HeaderDuplicate(f"Columns {first} and {at} have the same name.", extra={"columns": [first, at]})
    return names


def _add_columns(table: Table, header: list[str]) -> None:
    # A second sheet's "first name" is the first sheet's "First Name".
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
    cells = {name: text for name, text in zip(header, texts, strict=False) if name and text}
    table.rows.append(Row(sheet, number, cells, too_long=len(texts) > len(header)))
