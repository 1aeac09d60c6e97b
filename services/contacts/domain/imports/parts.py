"""Count what the parts of a workbook would cost the reader, piece by piece, before it reads them.

The content of a part tells its type, because the archive itself names the sheets. Every tag of the reader must be a tag
here, so that a sheet with ambiguous tags is refused.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from services.contacts.contract.imports import (
    CellTooLong,
    FileUnpacksTooLarge,
    NotAWorkbook,
    TooManyCells,
    TooManyColumns,
    TooManyRows,
    WorkbookTooComplex,
)
from services.contacts.domain.imports.tables import MAX_CELLS, MAX_COLUMNS, MAX_PLACES, MAX_ROWS, MAX_UNPACKED

#: Rows above and between the imported ones.
_MORE_ROWS = 20
#: Styles, merged cells, names and sheets, which the reader keeps in memory. A workbook has at most 65,490 styles.
MAX_THINGS = 200_000
#: Empty rows and cells with a format. No real file of a hundred megabytes has more.
MOST_EMPTY = 6_000_000
_MOST_ROWS = 2 << 20
#: A cell or a shared text with its formats; the text alone is at most 64 KiB.
_LONGEST = 8 << 20
#: The entry of a sheet, whose name has at most 31 letters.
_LONGEST_SHEET = 64 << 10
#: The most digits of a number that is read.
_DIGITS = 10

_NAMED = rb"(?:[^\s<>/:\"']*+:)?"
_KEPT = rb"xf|numFmt|mergeCell|definedName|sheet|Relationship"
#: The usual form of a cell, up to its text.
_USUAL = rb'<c r="([A-Z]{1,3})(\d{1,7})"(?: s="\d{1,6}")?(?: t="(\w{1,9})")?'
#: Runs of such cells with a text or number, counted together because a file has millions of them.
_RUN = (
    rb'(?:<c r="[A-Z]{1,3}\d{1,7}"(?: s="\d{1,6}")?(?: t="\w{1,9}")?>'
    rb"(?:<f>[^<]*+</f>)?(?:<v>[^<]*+</v>|<is><t(?: xml:space=\"preserve\")?>[^<]*+</t></is>)</c>)++"
)
#: A whole tag, so that each byte is read once. A tag that contains `<` does not end here.
_TAG = re.compile(
    rb"(" + _RUN + rb")|" + _USUAL + rb"\s{0,20}(/?)>|<(?!/c>)(/?)" + _NAMED + rb"(c|row|si|sst|sheetData|" + _KEPT + rb")"
    rb"(?=[\s/>])((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)(>?)",
)
_PLACED = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')
_POINTING = re.compile(rb'<c r="\w++"(?: s="\d++")? t="s">(?:<v>\s{0,100}+(\d{1,9})\s{0,100}+<)?')
_EDGE = re.compile(rb"</?" + _NAMED + rb"(?:c|row|si|sst|sheetData|" + _KEPT + rb")(?=[\s/>])")
_OPENED = re.compile(rb"<" + _NAMED + rb"(?:c|row|si|sheetData)(?=[\s/>])")
_ATTRIBUTE = re.compile(rb"""(?<![^\s"'])([^\s=<>"'/]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_PLACE = re.compile(rb"\$?([A-Za-z]{1,7})?\$?(\d{1,10})")
_VALUE = re.compile(rb"\s{0,100}+<" + _NAMED + rb"v(?:\s[^<>]{0,1000}+)?>\s{0,100}+(\d{1,9})\s{0,100}+</")


def count_at_a_glance(pieces: Iterable[bytes], so_far: Counter[bytes]) -> None:
    """Count the usual forms of cells in a part, so that far too large parts are refused quickly.

    :raises TooManyCells, TooManyRows, WorkbookTooComplex:
    """
    behind = b""
    for piece in pieces:
        buffer = behind + piece
        for tag in _GLANCED_AT:
            so_far[tag] += buffer.count(tag, max(0, len(behind) - len(tag) + 1))
        behind = buffer[-8:]
        if so_far[b"</v>"] > MAX_CELLS or so_far[b"<si>"] + so_far[b"<si/>"] > MAX_CELLS or so_far[b"<c/>"] > MOST_EMPTY:
            raise TooManyCells
        if so_far[b"<row"] > _MOST_ROWS:
            raise TooManyRows
        if so_far[b"<xf"] > MAX_THINGS:
            raise WorkbookTooComplex


_GLANCED_AT = (b"</v>", b"<si>", b"<si/>", b"<c/>", b"<row", b"<xf")


class Parts:
    """The counts in all parts of a workbook."""

    def __init__(self) -> None:
        """Begin with zero counts."""
        #: The number of hidden filled rows.
        self.hidden_rows = 0
        self._rows = self._cells = self._empty = 0
        self._things = 0
        #: The shared texts that cells use, and the lengths of the texts in each part.
        self._pointers = array("I")
        self._unread = 0
        self._texts: list[array[int]] = []

    def look_into(self, pieces: Iterable[bytes], *, is_index: bool = False) -> None:
        """Count a part.

        :param is_index: whether the part lists the sheets.
        :raises NotAWorkbook, TooManyRows, TooManyColumns, TooManyCells, WorkbookTooComplex, CellTooLong:
        """
        self._is_sheet = self._is_drawing = self._has_entities = self._is_hidden = False
        self._row = self._column = 0
        self._is_index = is_index
        #: The ids and targets of the sheets. Each occurs once, because the reader reads a sheet as often as it is named.
        self._named: set[bytes] = set()
        #: The first and last filled row and column.
        self._top, self._left, self._bottom, self._right = _MOST_ROWS, MAX_COLUMNS, 0, 0
        #: The offset of the buffer in the part, and the start of an unfinished text.
        self._base, self._begin = 0, -1
        self._lengths = array("I")
        buffer = b""
        for piece in pieces:
            buffer += piece
            if at := _last_edge(buffer):
                self._count(buffer, at)
                buffer = buffer[at:]
            elif _OPENED.match(buffer):
                # A cell or text continues in the next piece.
                if len(buffer) > _LONGEST:
                    raise CellTooLong
            else:
                buffer = self._passed_over(buffer)
        self._count(buffer, len(buffer))
        # Drawing programs write entities into pictures.
        if self._has_entities and (self._is_sheet or not self._is_drawing):
            raise NotAWorkbook
        if self._lengths:
            self._texts.append(self._lengths)

    def check_shared(self) -> None:
        """Refuse shared texts that unpack too large: a long text may be used in a million cells.

        :raises FileUnpacksTooLarge:
        """
        for lengths in self._texts:
            longest = max(lengths)
            if longest * (len(self._pointers) + self._unread) <= MAX_UNPACKED:
                continue
            size = sum(lengths[at] for at in self._pointers if at < len(lengths))
            if size + longest * self._unread > MAX_UNPACKED:
                raise FileUnpacksTooLarge

    def _passed_over(self, buffer: bytes) -> bytes:
        """Return the rest of an irrelevant piece: a tag that is not closed yet."""
        at = buffer.rfind(b"<")
        if at < 0:
            return b""
        if len(buffer) - at > _LONGEST:
            if self._is_sheet:
                raise NotAWorkbook
            if _EDGE.match(buffer, at):
                raise WorkbookTooComplex
            return b""
        # A complete relevant tag may be at its beginning.
        self._count(buffer, at)
        return buffer[at:]

    def _note(self, buffer: bytes, end: int) -> None:
        self._has_entities = self._has_entities or buffer.find(b"<!ENTITY", 0, end) >= 0
        self._is_drawing = self._is_drawing or buffer.find(b"<svg", 0, end) >= 0

    def _count(self, buffer: bytes, end: int) -> None:
        self._note(buffer, end)
        for found in _TAG.finditer(buffer, 0, end):
            run, letters, row, kind, ends, closes, name, attributes, closed = found.groups()
            if run:
                if self._is_sheet:
                    self._count_run(run)
            elif letters:
                if self._is_sheet:
                    self._column = _column(letters)
                    self._count_place(buffer, found.end(), int(row), kind, is_empty=bool(ends) or buffer.startswith(b"</", found.end()))
            elif name == b"c":
                if closes or not self._is_sheet:
                    continue
                self._count_cell(buffer, found, attributes, closed)
            elif name == b"row":
                if not closes and self._is_sheet:
                    self._count_row(attributes, closed)
            elif not closed:
                # Pictures contain them by chance, but never this many.
                self._things += 1
            elif name == b"si":
                self._count_text(self._base + found.start(), closes=bool(closes), is_empty=attributes.endswith(b"/"))
            elif name == b"sst":
                _check_counts(attributes)
            elif name == b"sheetData":
                self._is_sheet = True
            elif not closes:
                self._things += 1
                if name == b"sheet" or (self._is_index and name == b"Relationship"):
                    self._note_sheet(attributes)
            if self._things > MAX_THINGS:
                raise WorkbookTooComplex
        self._base += end

    def _note_sheet(self, attributes: bytes) -> None:
        if len(attributes) > _LONGEST_SHEET:
            raise WorkbookTooComplex
        for name, value in _attributes(attributes):
            if name == b"Target":
                known = value.lower().replace(b"\\", b"/").lstrip(b"/").removeprefix(b"xl/")
            elif name.rpartition(b":")[2] == b"id":
                known = b"id " + value
            else:
                continue
            if known in self._named or b"&" in known:
                raise NotAWorkbook
            self._named.add(known)

    def _count_row(self, attributes: bytes, closed: bytes) -> None:
        if not closed:
            raise NotAWorkbook
        self._row += 1
        self._rows += 1
        if self._rows > _MOST_ROWS:
            raise TooManyRows
        self._column = 0
        self._is_hidden = False
        for name, value in _attributes(attributes):
            if name == b"r" and value:
                self._row = max(_place(value)[1], 1)
            elif (name == b"hidden" and value in {b"1", b"true"}) or (name == b"ht" and value in {b"0", b"0.0"}):
                self._is_hidden = True

    def _count_cell(self, buffer: bytes, found: re.Match[bytes], attributes: bytes, closed: bytes) -> None:
        if not closed:
            raise NotAWorkbook
        self._column += 1
        row, kind = self._row, b""
        for name, value in _attributes(attributes) if attributes else ():
            if name == b"r" and value:
                letters, row = _place(value)
                self._column = max(_column(letters), self._column) if letters else self._column
            elif name == b"t":
                kind = value
        self._count_place(buffer, found.end(), row, kind, is_empty=attributes.endswith(b"/") or buffer.startswith(b"</", found.end()))

    def _count_run(self, run: bytes) -> None:
        letters, rows = zip(*_PLACED.findall(run), strict=True)
        columns = {*map(_column, set(letters))}
        self._column = min(columns)
        self._take_place(len(letters), min(map(int, set(rows))))
        self._column = max(columns)
        self._take_place(0, max(map(int, set(rows))))
        self._column = _column(letters[-1])
        if b' t="s">' in run:
            points = _POINTING.findall(run)
            self._pointers.extend(int(at) for at in points if at)
            self._unread += points.count(b"")

    def _count_place(self, buffer: bytes, behind: int, row: int, kind: bytes | None, *, is_empty: bool) -> None:
        # An empty formatted cell is not counted.
        if is_empty:
            self._empty += 1
            if self._empty > MOST_EMPTY:
                raise TooManyCells
            return
        self._take_place(1, row)
        if kind == b"s":
            if points := _VALUE.match(buffer, behind):
                self._pointers.append(int(points[1]))
            else:
                self._unread += 1

    def _take_place(self, cells: int, row: int) -> None:
        # The reader allocates the area from the first to the last cell: one distant cell would cost gigabytes.
        self._cells += cells
        if self._cells > MAX_CELLS:
            raise TooManyCells
        if row > MAX_ROWS + _MORE_ROWS:
            raise TooManyRows
        if self._column > MAX_COLUMNS:
            raise TooManyColumns
        self._top, self._bottom = min(row, self._top), max(row, self._bottom)
        self._left, self._right = min(self._column, self._left), max(self._column, self._right)
        if (self._bottom - self._top + 1) * (self._right - self._left + 1) > MAX_PLACES:
            raise TooManyCells
        if self._is_hidden:
            self.hidden_rows += 1
            self._is_hidden = False

    def _count_text(self, at: int, *, closes: bool, is_empty: bool) -> None:
        if self._begin >= 0:
            self._lengths.append(at - self._begin)
        elif is_empty:
            self._lengths.append(0)
        if len(self._lengths) > MAX_CELLS:
            raise TooManyCells
        self._begin = -1 if closes or is_empty else at


def _check_counts(attributes: bytes) -> None:
    """Refuse too many declared shared texts, because the reader allocates memory for their declared number."""
    for name, value in _attributes(attributes):
        if name.rpartition(b":")[2] in {b"count", b"uniqueCount"} and value:
            if not value.isdigit():
                raise NotAWorkbook
            if len(value) > _DIGITS or int(value) > MAX_CELLS:
                raise TooManyCells


def _last_edge(buffer: bytes) -> int:
    """Return the start of the last relevant tag; everything before it is complete."""
    span = 4096
    while True:
        begin = max(0, len(buffer) - span)
        last = 0
        for found in _EDGE.finditer(buffer, begin):
            last = found.start()
        if last or not begin:
            return last
        span *= 16


def _attributes(text: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, double or single) for name, double, single in _ATTRIBUTE.findall(text)]


def _place(text: bytes) -> tuple[bytes, int]:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise NotAWorkbook
    return found[1] or b"", int(found[2])


@lru_cache(maxsize=1024)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
