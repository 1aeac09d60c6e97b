"""A workbook's archive, looked into before the reader is: what it unpacks to, and what it would cost to read.

The reader and this guard must see the same parts, so an archive that can be read in two ways is refused: two parts of one
name, parts that overlap, a size or a name that is declared otherwise than it is.
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

#: Files in a workbook's archive: sheets, drawings, pictures.
MAX_PARTS = 5_000
#: The part that says where each sheet is.
_INDEX = "xl/_rels/workbook.xml.rels"
#: A part is unpacked and looked at in steps, so that it never lies in memory as a whole.
_STEP = 1 << 20
_FED = 1 << 16
#: Workbooks of other kinds, which the reader would read and this guard can't look into.
_OF_OTHER_KINDS = frozenset({"xl/workbook.bin", "content.xml"})


def check_archive(content: bytes) -> int:
    """Return how many filled rows of its sheets are hidden.

    Refuse an archive that is none, that can be read in two ways, or that would cost more than the reader may hold.

    :raises NotAWorkbook, FileUnpacksTooLarge, TooManyParts, TooManyRows, TooManyColumns, TooManyCells, WorkbookTooComplex, CellTooLong:
    """
    # Counted before the archive is opened: reading its directory alone would take a minute.
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
    """Return a part's name as readers take it, who look at neither case nor which way a stroke leans."""
    return entry.filename.replace("\\", "/").lstrip("/").lower()


def _check_end(content: bytes, entries: int) -> None:
    """Refuse an archive whose end another reader would pass over, or would look for its directory elsewhere.

    Readers look for the end from the last byte on, and one that finds it wrong goes on to what may be another archive's. An end
    of 64 bits, which some writers always add, must say the same.
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
    """Return where the end of 64 bits before this locator begins, and its counts and places; `told` is what the short end says."""
    at = locator - 56
    disk, record, disks = struct.unpack("<4xIQI", content[locator : locator + 20])
    if at < 0 or disk or disks > 1 or record != at or content[at : at + 4] != b"PK\x06\x06":
        raise NotAWorkbook
    length, this, first, *wide = struct.unpack("<4xQ4xIIQQQQ", content[at:locator])
    if length != 44 or this or first:
        raise NotAWorkbook
    # The short end says the same, or that it leaves it to the other.
    if any(short not in {value, left} for short, value, left in zip(told, wide, (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True)):
        raise NotAWorkbook
    return at, wide


def _where(content: bytes, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where a part begins and ends, if it is there as it is declared."""
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
    """Give a part piece by piece, as it is and not as it is declared; the two must agree."""
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
