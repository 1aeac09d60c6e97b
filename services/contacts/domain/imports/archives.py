"""Check a workbook's archive before it is read: its unpacked size, and the cost of reading it.

The reader and this check must see the same parts. An archive that can be read in two ways is refused: duplicate names,
overlapping parts, or sizes and names that differ from their declarations.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator

from services.contacts.contract.imports import FileUnpacksTooLarge, NotAWorkbook, TooManyParts
from services.contacts.domain.imports.parts import Parts, count_at_a_glance
from services.contacts.domain.imports.tables import MAX_UNPACKED

#: The most files in a workbook's archive: sheets, drawings, pictures.
MAX_PARTS = 5_000
#: The part that lists the sheets.
_INDEX = "xl/_rels/workbook.xml.rels"
#: Parts are unpacked in pieces of this size, so that no whole part is in memory.
_STEP = 1 << 20
_FED = 1 << 16
#: Kinds of workbooks that the reader accepts and this check can't inspect.
_OF_OTHER_KINDS = frozenset({"xl/workbook.bin", "content.xml"})


def check_archive(content: bytes) -> int:
    """Return the number of hidden filled rows in the sheets.

    Refuse an invalid or ambiguous archive, or one that is too costly to read.

    :raises NotAWorkbook, FileUnpacksTooLarge, TooManyParts, TooManyRows, TooManyColumns, TooManyCells, WorkbookTooComplex, CellTooLong:
    """
    # Entries are counted before the archive is opened, because reading a large directory takes a minute.
    if content.count(b"PK\x01\x02") > MAX_PARTS:
        raise TooManyParts
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error, UnicodeError) as error:
        raise NotAWorkbook from error
    _check_end(content, len(entries))
    names = [_known_as(entry) for entry in entries]
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names) or _OF_OTHER_KINDS & set(names):
        raise NotAWorkbook
    if len(set(names)) < len(names):
        raise NotAWorkbook
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise FileUnpacksTooLarge
    entries.sort(key=lambda entry: entry.header_offset)
    places = [_where(content, entry) for entry in entries]
    if any(entry.header_offset < behind for entry, (_, behind) in zip(entries[1:], places, strict=False)):
        raise NotAWorkbook
    packed = [memoryview(content)[begin:end] for begin, end in places]
    seen: Counter[bytes] = Counter()
    for entry, part in zip(entries, packed, strict=True):
        count_at_a_glance(_unpacked(part, entry), seen)
    parts = Parts()
    for entry, part in zip(entries, packed, strict=True):
        parts.look_into(_unpacked(part, entry), is_index=_known_as(entry) == _INDEX)
    parts.check_shared()
    return parts.hidden_rows


def _known_as(entry: zipfile.ZipInfo) -> str:
    """Return the name of a part as readers compare it, ignoring case and the direction of slashes."""
    return entry.filename.replace("\\", "/").lstrip("/").lower()


def _check_end(content: bytes, entries: int) -> None:
    """Refuse an archive whose end record other readers may interpret differently.

    Readers search the end record backwards, and continue to another one if they reject it. A 64-bit
    end record, which some writers always add, must agree with it.
    """
    at = content.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(content):
        raise NotAWorkbook
    disk, first, *told, comment = struct.unpack("<4xHHHHIIH", content[at : at + 22])
    directory_ends, is_wide = at, content[max(at - 20, 0) : max(at - 16, 0)] == b"PK\x06\x07"
    if is_wide:
        directory_ends, told = _wide_end(content, at - 20, told)
    here, everywhere, size, offset = told
    if disk or first or here != entries or everywhere != entries or offset + size != directory_ends or at + 22 + comment != len(content):
        raise NotAWorkbook


def _wide_end(content: bytes, locator: int, told: list[int]) -> tuple[int, list[int]]:
    """Return the start of the 64-bit end record before this locator, with its counts and offsets; `told` is the short record."""
    at = locator - 56
    disk, record, disks = struct.unpack("<4xIQI", content[locator : locator + 20])
    if at < 0 or disk or disks > 1 or record != at or content[at : at + 4] != b"PK\x06\x06":
        raise NotAWorkbook
    length, this, first, *wide = struct.unpack("<4xQ4xIIQQQQ", content[at:locator])
    if length != 44 or this or first:
        raise NotAWorkbook
    # The short record agrees, or defers to the 64-bit one.
    if any(short not in {value, left} for short, value, left in zip(told, wide, (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True)):
        raise NotAWorkbook
    return at, wide


def _where(content: bytes, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return the start and end of a part, if its header agrees with the directory."""
    start = entry.header_offset
    head = content[start : start + 30]
    if len(head) < 30 or head[:4] != b"PK\x03\x04" or entry.flag_bits & 1:
        raise NotAWorkbook
    method, name_length, extra_length = struct.unpack("<8xH16xHH", head)
    begin = start + 30 + name_length + extra_length
    end = begin + entry.compress_size
    if end > len(content) or method != entry.compress_type or content[start + 30 : start + 30 + name_length] != _name_of(entry):
        raise NotAWorkbook
    return begin, end


def _name_of(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437", "replace")


def _unpacked(packed: memoryview, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the unpacked pieces of a part; its real size and checksum must agree with the declared ones."""
    if entry.compress_type == zipfile.ZIP_STORED:
        pieces: Iterator[bytes] = (bytes(packed[at : at + _STEP]) for at in range(0, len(packed), _STEP))
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        pieces = _inflated(packed)
    else:
        raise NotAWorkbook
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > entry.file_size:
            raise NotAWorkbook
        yield piece
    if size != entry.file_size:
        raise NotAWorkbook


def _inflated(packed: memoryview) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(-15)
    try:
        for at in range(0, len(packed), _FED):
            fed: bytes | memoryview = packed[at : at + _FED]
            while fed and not unpacker.eof and (piece := unpacker.decompress(fed, _STEP)):
                yield piece
                fed = unpacker.unconsumed_tail
        while not unpacker.eof and (piece := unpacker.decompress(b"", _STEP)):
            yield piece
    except zlib.error as error:
        raise NotAWorkbook from error
    if not unpacker.eof:
        raise NotAWorkbook
