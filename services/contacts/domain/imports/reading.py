"""From a file's bytes to a table: workbooks, delimited text, cards; what can't be read is refused by its code.

What reads one kind of file only is loaded with the first of its kind.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache

from services.contacts.contract.imports import (
    CellTooLong,
    FileEmpty,
    FileTooLarge,
    FileTypeUnknown,
    FileUnpacksTooLarge,
    NotAWorkbook,
    NotText,
    TooManyColumns,
    TooManyParts,
    TooManyRows,
)
from services.contacts.domain.imports.cards import read_cards
from services.contacts.domain.imports.columns import is_recognised, is_single
from services.contacts.domain.imports.encodings import decoded, in_one_encoding
from services.contacts.domain.imports.tables import LOST, MAX_COLUMNS, MAX_FILE, MAX_ROWS, MAX_UNPACKED, Known, Table, add_sheet, finished

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: A cell that holds something: a formatted one that is empty takes no place.
_CELL_AT = re.compile(rb"""<(?:\w+:)?c\b[^>]*?\br\s*=\s*["']([A-Z]{1,7})(\d{1,10})["'][^>]*(?<!/)>(?!</)""")
#: A row whose cells don't say where they stand.
_ROW_AT = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["'](\d{1,10})["'][^>]*>\s*<(?:\w+:)?c(?![^>]*\br\s*=)""")
_SHARED = re.compile(rb"<(?:\w+:)?si\b.*?</(?:\w+:)?si\s*>", re.DOTALL)
_SHARED_AT = re.compile(rb"""\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>\s*(\d{1,9})\s*<""")
_FOLD = re.compile(rb"\r?\n[ \t]")
_DELIMITERS = ",;\t|"
_SAMPLE = 64 << 10
#: So much of a file may be swallowed by a quotation mark that is never closed, and so many of them are mended.
_LONGEST_CELL = 64 << 10
_UNCLOSED = 200
_KNOWN = Known(is_recognised, is_single)


_ENDINGS = frozenset({"xlsx", "xls", "csv", "txt", "tsv", "vcf", "vcard"})


def nameless(filename: str) -> str:
    """Return what is left of a file's name when it may not say any more whose it is: its kind."""
    ending = filename.lower().rpartition(".")[2]
    return f"file.{ending}" if ending in _ENDINGS else "file"


def read(filename: str, content: bytes) -> Table:
    """Read a file by its name's ending.

    :raises FileTooLarge, FileTypeUnknown, FileEmpty, NotAWorkbook, NotText, NotCards, FileUnpacksTooLarge, TooManyRows,
        TooManyColumns, CellTooLong, HeaderDuplicate, NestedTooDeep: each with its code and a sentence.
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
            # A fold may part a character: only what is unfolded tells the encoding.
            _, encoding = in_one_encoding(_FOLD.sub(b"", content))
        return finished(read_cards(content, encoding))
    return _read_delimited(decoded(content))


def _read_delimited(text: str) -> Table:
    table = Table("csv")
    add_sheet(table, None, _records(text, _delimiter(text)), known=_KNOWN)
    return finished(table)


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Give the records of a delimited text; a quotation mark that is never closed spoils its own line and no other."""
    # The limit is the process's; this one is as long as a file may be.
    csv.field_size_limit(MAX_FILE)
    lines = io.StringIO(text, newline="").readlines()
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
        # What it swallowed are other people's rows: it is its own line's alone.
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
    """Return the delimiter that parts the first lines most evenly."""
    lines = [line for line in text[:_SAMPLE].splitlines()[:20] if line.strip()]

    def evenness(delimiter: str) -> tuple[int, int]:
        counts = [_QUOTED.sub("", line).count(delimiter) for line in lines]
        usual = max(set(counts), key=lambda count: (counts.count(count), count), default=0)
        return (counts.count(usual) if usual else 0, usual)

    return max(_DELIMITERS, key=evenness)


_QUOTED = re.compile(r'"[^"\n]*"')


def _read_workbook(content: bytes) -> Table:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound, ZipError

    if content.startswith(b"PK"):
        _check_archive(content)
    elif not content.startswith(_OLE):
        raise NotAWorkbook
    table = Table("xlsx" if content.startswith(b"PK") else "xls")
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            try:
                sheet = book.get_sheet_by_name(name)
            except WorksheetNotFound:
                continue  # a sheet of charts has no cells
            _check_size(sheet.width, sheet.height)
            # Rows are numbered from the sheet's first one, not from the first that is filled.
            add_sheet(table, name[:100], iter(sheet.to_python(skip_empty_area=False)), known=_KNOWN)
    except (CalamineError, PasswordError, ZipError, OSError, ValueError, OverflowError) as error:
        raise NotAWorkbook from error
    # The reader is compiled: what goes wrong inside it surfaces as something that is not even an Exception.
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise NotAWorkbook from error
        raise
    return finished(table)


def _check_size(width: int, height: int) -> None:
    if width > MAX_COLUMNS:
        raise TooManyColumns
    if height > MAX_ROWS + 20:
        raise TooManyRows


#: Files in a workbook's archive: sheets, drawings, pictures.
MAX_PARTS = 5_000


def _check_archive(content: bytes) -> None:
    """Look into a workbook's archive before the reader does: sizes as they are, not as they are declared.

    :raises NotAWorkbook, FileUnpacksTooLarge, TooManyParts, TooManyRows, TooManyColumns:
    """
    # Counted before the archive is opened: reading its directory alone would take a minute.
    if content.count(b"PK\x01\x02") > MAX_PARTS:
        raise TooManyParts
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error, UnicodeError) as error:
        raise NotAWorkbook from error
    names = {entry.filename.replace("\\", "/").lstrip("/") for entry in entries}
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise NotAWorkbook
    left = MAX_UNPACKED
    sheets: list[bytes] = []
    longest, shared = 0, b""
    for entry in entries:
        unpacked = _inflated(content, entry, left)
        left -= len(unpacked)
        name = entry.filename.replace("\\", "/").lower()
        if name.endswith(".xml") and b"<!ENTITY" in unpacked:
            raise NotAWorkbook
        if "sharedstrings" in name:
            shared = unpacked
            longest = max((len(text) for text in _SHARED.findall(shared)), default=0)
        elif name.endswith(".xml") and "worksheets/" in name:
            sheets.append(unpacked)
    for sheet in sheets:
        _check_extent(sheet)
    cells = sum(sheet.count(b"<c ") + sheet.count(b":c ") for sheet in sheets)
    if cells * longest > MAX_UNPACKED:
        # One long text may stand in a million cells: only now is it worth adding up what they really point at.
        lengths = [len(text) for text in _SHARED.findall(shared)]
        total = sum(lengths[at] for sheet in sheets for found in _SHARED_AT.finditer(sheet) if (at := int(found[1])) < len(lengths))
        if total > MAX_UNPACKED:
            raise FileUnpacksTooLarge


def _inflated(content: bytes, entry: zipfile.ZipInfo, left: int) -> bytes:
    start = entry.header_offset
    head = content[start : start + 30]
    if len(head) < 30 or head[:4] != b"PK\x03\x04" or entry.flag_bits & 1:
        raise NotAWorkbook
    name_length, extra_length = struct.unpack("<HH", head[26:30])
    begin = start + 30 + name_length + extra_length
    packed = content[begin : begin + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        unpacked = packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        try:
            unpacked = zlib.decompressobj(-15).decompress(packed, left + 1)
        except zlib.error as error:
            raise NotAWorkbook from error
    else:
        raise NotAWorkbook
    if len(unpacked) > left:
        raise FileUnpacksTooLarge
    return unpacked


def _check_extent(sheet: bytes) -> None:
    # The reader lays a sheet out from its first to its last cell: one cell far away would cost gigabytes.
    for found in _CELL_AT.finditer(sheet):
        if int(found[2]) > MAX_ROWS + 20:
            raise TooManyRows
        if _column(found[1]) > MAX_COLUMNS:
            raise TooManyColumns
    if any(int(found[1]) > MAX_ROWS + 20 for found in _ROW_AT.finditer(sheet)):
        raise TooManyRows


@lru_cache(maxsize=1024)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
