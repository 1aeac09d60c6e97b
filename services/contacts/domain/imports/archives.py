"""A workbook's archive, looked into before the reader is: what it unpacks to, and how large its sheets would be laid out.

The reader and this guard must see the same parts, so an archive that can be read in two ways is refused: two parts of one
name, parts that overlap, a size or a name that is declared otherwise than it is. What a part is, its content tells, not its
name: the archive itself says which part is a sheet.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache

from services.contacts.contract.imports import FileUnpacksTooLarge, NotAWorkbook, TooManyColumns, TooManyParts, TooManyRows
from services.contacts.domain.imports.tables import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED

#: Files in a workbook's archive: sheets, drawings, pictures.
MAX_PARTS = 5_000
#: Rows that stand above and between those that are taken in.
_MORE_ROWS = 20
#: A part larger than this is unpacked in steps, so that a bomb never lies in memory as a whole.
_STEP = 1 << 20
#: Parts are searched in spans, so that other threads get their turn between two.
_SPAN = 1 << 18

#: One tag: a tag is passed over as a whole, so that each byte is read once.
_CELL = re.compile(rb"<(?:\w{1,40}:)?c\s([^<>]*+)>(?!</)")
_ROW = re.compile(rb"<(?:\w{1,40}:)?row\s([^<>]*+)>\s{0,100}+<(?:\w{1,40}:)?c\b([^<>]*+)>")
_TAG_ENDS = re.compile(rb"[<>]")
_PLACE = re.compile(rb"""(?<![\w:.-])r\s{0,20}+=\s{0,20}+["']([A-Z]{1,7})?(\d{1,10})["']""")
_SHARED_CELL = re.compile(rb"""(?<![\w:.-])t\s{0,20}+=\s{0,20}+["']s["']""")
_VALUE = re.compile(rb"\s{0,100}+<(?:\w{1,40}:)?v[^<>]*+>\s{0,100}+(\d{1,9})")
#: Where a shared text begins and ends.
_ITEM = re.compile(rb"<(/?)(?:\w{1,40}:)?si(?=[\s/>])")


def check_archive(content: bytes) -> None:
    """Refuse an archive that is none, that can be read in two ways, or that would unpack to more than the reader may hold.

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
    names = [entry.filename.replace("\\", "/").lstrip("/").lower() for entry in entries]
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise NotAWorkbook
    if len(set(names)) < len(names):
        raise NotAWorkbook
    left = MAX_UNPACKED
    behind = 0
    lengths: list[int] = []
    pointers: list[int] = []
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < behind:
            raise NotAWorkbook
        unpacked, behind = _unpacked(content, entry, left)
        left -= len(unpacked)
        if b"sheetData" in unpacked:
            pointers += _shared_in(unpacked)
            _check_rows(unpacked)
        if b"<si" in unpacked or b":si" in unpacked:
            lengths = max(lengths, _lengths_of_shared(unpacked), key=sum)
    _check_shared(lengths, pointers)


def _unpacked(content: bytes, entry: zipfile.ZipInfo, left: int) -> tuple[bytes, int]:
    """Return a part as it is, not as it is declared, and where the next one may begin."""
    start = entry.header_offset
    head = content[start : start + 30]
    if len(head) < 30 or head[:4] != b"PK\x03\x04" or entry.flag_bits & 1:
        raise NotAWorkbook
    method, name_length, extra_length = struct.unpack("<8xH16xHH", head)
    begin = start + 30 + name_length + extra_length
    end = begin + entry.compress_size
    if end > len(content) or method != entry.compress_type or content[start + 30 : start + 30 + name_length] != _name_of(entry):
        raise NotAWorkbook
    if entry.file_size > left:
        raise FileUnpacksTooLarge
    packed = content[begin:end]
    if entry.compress_type == zipfile.ZIP_STORED:
        unpacked = packed
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        unpacked = _inflated(packed, entry.file_size)
    else:
        raise NotAWorkbook
    if len(unpacked) != entry.file_size:
        raise NotAWorkbook
    # Programs that draw write entities into their pictures.
    if b"<!ENTITY" in unpacked and (b"<svg" not in unpacked or b"sheetData" in unpacked):
        raise NotAWorkbook
    return unpacked, end


def _name_of(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437", "replace")


def _inflated(packed: bytes, declared: int) -> bytes:
    unpacker = zlib.decompressobj(-15)
    parts: list[bytes] = []
    size = 0
    try:
        while not unpacker.eof and (part := unpacker.decompress(packed, _STEP)):
            parts.append(part)
            size += len(part)
            if size > declared:
                raise NotAWorkbook
            packed = unpacker.unconsumed_tail
    except zlib.error as error:
        raise NotAWorkbook from error
    if not unpacker.eof:
        raise NotAWorkbook
    return b"".join(parts)


def _found(pattern: re.Pattern[bytes], part: bytes) -> Iterator[re.Match[bytes]]:
    """Give what `finditer` gives, for expressions of one tag, or of one and the beginning of the next."""
    at = 0
    while at < len(part):
        cut = part.find(b"<", at + _SPAN)
        if cut < 0:
            yield from pattern.finditer(part, at)
            return
        # A tag that begins before the cut ends before it; the next one, and what is behind it, may be looked at.
        behind = _TAG_ENDS.search(part, cut + 1)
        for match in pattern.finditer(part, at, behind.end() + 2 if behind else len(part)):
            if match.start() >= cut:
                break
            yield match
        at = cut


def _shared_in(part: bytes) -> list[int]:
    """Return which shared texts a sheet's cells point at.

    The reader lays a sheet out from its first to its last cell: one cell far away would cost gigabytes. A formatted cell
    that is empty takes no place.
    """
    pointers: list[int] = []
    for found in _found(_CELL, part):
        if not found[1].endswith(b"/") and (place := _PLACE.search(found[1])):
            _check_place(place[1], int(place[2]))
        if _SHARED_CELL.search(found[1]) and (value := _VALUE.match(part, found.end())):
            pointers.append(int(value[1]))
    return pointers


def _check_rows(part: bytes) -> None:
    for found in _found(_ROW, part):
        # A row whose cells don't say where they stand.
        if (place := _PLACE.search(found[1])) and not _PLACE.search(found[2]):
            _check_place(None, int(place[2]))


def _check_place(letters: bytes | None, row: int) -> None:
    if row > MAX_ROWS + _MORE_ROWS:
        raise TooManyRows
    if letters and _column(letters) > MAX_COLUMNS:
        raise TooManyColumns


def _lengths_of_shared(part: bytes) -> list[int]:
    lengths: list[int] = []
    begin = -1
    for found in _found(_ITEM, part):
        if begin >= 0:
            lengths.append(found.start() - begin)
        begin = -1 if found[1] else found.start()
    return lengths


def _check_shared(lengths: list[int], pointers: list[int]) -> None:
    """Refuse what would unpack once more: one long text may stand in a million cells."""
    longest = max(lengths, default=0)
    if longest * len(pointers) > MAX_UNPACKED and sum(lengths[at] for at in pointers if at < len(lengths)) > MAX_UNPACKED:
        raise FileUnpacksTooLarge


@lru_cache(maxsize=1024)
def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
