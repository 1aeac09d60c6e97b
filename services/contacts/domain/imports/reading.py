"""Read a file into a table: workbooks, delimited text or cards. An unreadable file is refused with a code.

Modules for one kind of file are loaded with the first file of that kind.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from services.contacts.contract.imports import (
    CellTooLong,
    FileEmpty,
    FileTooLarge,
    FileTypeUnknown,
    NotAWorkbook,
    NotText,
    OldWorkbook,
    TooManyCells,
    TooManyColumns,
    TooManyRows,
)
from services.contacts.domain.imports.archives import check_archive
from services.contacts.domain.imports.cards import read_cards
from services.contacts.domain.imports.encodings import decoded, in_one_encoding
from services.contacts.domain.imports.tables import LOST, MAX_COLUMNS, MAX_FILE, MAX_PLACES, MAX_ROWS, MOST_LINES, Table, add_sheet, finished

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FOLD = re.compile(rb"\r?\n[ \t]")
_DELIMITERS = ",;\t|"
_SAMPLE = 64 << 10
#: The most text that an unclosed quotation mark may swallow, and the most marks that are repaired.
_LONGEST_CELL = 64 << 10
_UNCLOSED = 200
_ENDINGS = frozenset({"xlsx", "xls", "csv", "txt", "tsv", "vcf", "vcard"})


def nameless(filename: str) -> str:
    """Return a file name without the part that may name a person: its extension."""
    ending = filename.lower().rpartition(".")[2]
    return f"file.{ending}" if ending in _ENDINGS else "file"


def read(filename: str, content: bytes) -> Table:
    """Read a file by its extension.

    :raises FileTooLarge, FileTypeUnknown, FileEmpty, NotAWorkbook, OldWorkbook, NotText, NotCards, FileUnpacksTooLarge, TooManyParts,
        WorkbookTooComplex, TooManyRows, TooManyColumns, TooManyCells, CellTooLong, HeaderDuplicate, NestedTooDeep: each with its code and a sentence.
    """
    if len(content) > MAX_FILE:
        raise FileTooLarge
    ending = filename.lower().rpartition(".")[2]
    if ending not in _ENDINGS:
        raise FileTypeUnknown
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise FileEmpty
    if ending in {"xlsx", "xls"}:
        return _read_workbook(content)
    if ending in {"vcf", "vcard"}:
        content, encoding = in_one_encoding(content)
        if encoding != "utf-8":
            # A fold may split a character, so the encoding is detected after unfolding.
            _, encoding = in_one_encoding(_FOLD.sub(b"", content))
        return finished(read_cards(content, encoding))
    text, table = decoded(content), Table("csv")
    add_sheet(table, None, _records(text, _delimiter(text)))
    return finished(table)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the records of a delimited text. An unclosed quotation mark affects only its own line."""
    # The field size limit is global to the process; it is the limit of a file.
    csv.field_size_limit(MAX_FILE)
    lines = io.StringIO(text, newline="").readlines()
    if len(lines) > MOST_LINES:
        raise TooManyRows
    start = 0
    for _ in range(_UNCLOSED):
        reader = csv.reader(lines[start:], delimiter=delimiter)
        before = line = 0
        last: list[str] | None = None
        try:
            for cells in reader:
                if last is not None:
                    yield _in_width(last)
                last, before, line = cells, line, reader.line_num
        except csv.Error as error:
            raise NotText from error
        if last is None or line - before < 2 or not _is_unclosed(lines[start + before :], delimiter):
            if last is not None:
                yield _in_width(last)
            return
        if sum(map(len, lines[start + before :])) > _LONGEST_CELL:
            raise CellTooLong
        # The quotation mark swallowed other rows, so it is limited to its own line.
        yield _in_width([LOST + cell for cell in lines[start + before].rstrip("\r\n").replace('"', "").split(delimiter)])
        start += before + 1
    raise NotText


def _is_unclosed(lines: list[str], delimiter: str) -> bool:
    try:
        for _ in csv.reader(lines, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _in_width(cells: list[str]) -> list[str]:
    if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
        raise TooManyColumns
    return cells[:MAX_COLUMNS]


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the first lines most evenly."""
    lines = [line for line in text[:_SAMPLE].splitlines()[:20] if line.strip()]

    def evenness(delimiter: str) -> tuple[int, int]:
        counts = [_QUOTED.sub("", line).count(delimiter) for line in lines]
        usual = max(set(counts), key=lambda count: (counts.count(count), count), default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(_DELIMITERS, key=evenness)


_QUOTED = re.compile(r'"[^"\n]*"')


def _read_workbook(content: bytes) -> Table:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum, WorksheetNotFound, ZipError

    # An old or password-protected workbook, which the checks can't inspect before the reader.
    if content.startswith(_OLE):
        raise OldWorkbook
    if not content.startswith(b"PK"):
        raise NotAWorkbook
    table = Table("xlsx", hidden_rows=check_archive(content))
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        visible = {sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible}
        for name in book.sheet_names:
            before = len(table.rows)
            try:
                sheet = book.get_sheet_by_name(name)
            except WorksheetNotFound:
                continue  # a sheet of charts has no cells
            _check_size(sheet.total_width, sheet.total_height, sheet.width * sheet.height)
            # Rows and columns are numbered from the first of the sheet, not from the first filled one.
            left = [""] * sheet.start[1] if sheet.start else []
            add_sheet(table, name[:100], ([*left, *row] for row in sheet.iter_rows()))
            if name not in visible and len(table.rows) > before:
                table.hidden_sheets.append(name[:100])
    except (CalamineError, PasswordError, ZipError, OSError, ValueError, OverflowError) as error:
        raise NotAWorkbook from error
    # The reader is compiled: what goes wrong inside it surfaces as something that is not even an Exception.
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise NotAWorkbook from error
        raise
    return finished(table)


def _check_size(width: int, height: int, places: int) -> None:
    if width > MAX_COLUMNS:
        raise TooManyColumns
    if height > MAX_ROWS + 20:
        raise TooManyRows
    if places > MAX_PLACES:
        raise TooManyCells
