"""Workbooks whose archive is made to hurt or to deceive: refused before the reader opens it."""

from __future__ import annotations

import io
import time
import warnings
import zipfile

import openpyxl
import pytest

from services.chassis.messages import Refusal
from services.contacts.contract.imports import FileUnpacksTooLarge, NotAWorkbook, TooManyColumns, TooManyParts, TooManyRows
from services.contacts.domain.imports.archives import _STEP, check_archive
from services.contacts.domain.imports.reading import read


@pytest.mark.requirement("R77")
@pytest.mark.parametrize("payload", [b"", b"<a/>"])
def test_a_workbook_of_very_many_parts_is_refused_before_it_is_read(payload: bytes) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for n in range(12_000):
            archive.writestr(zipfile.ZipInfo(f"xl/{n}"), payload)
    began = time.perf_counter()
    with pytest.raises(TooManyParts):
        read("list.xlsx", file.getvalue())
    print(f"refused in {time.perf_counter() - began:.3f} s")


TYPES = "[Content_Types].xml"
SHEET = "xl/worksheets/sheet1.xml"


def zipped(*parts: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two parts of one name
        archive.writestr(TYPES, "<Types/>")
        for name, content in parts:
            archive.writestr(name, content)
    return file.getvalue()


def sheet(rows: bytes) -> bytes:
    return b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"


def lying() -> bytes:
    """A part whose directory says one byte where there are a thousand."""
    content = bytearray(zipped((SHEET, b"x" * 1000)))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (1).to_bytes(4, "little")
    return bytes(content)


def overlapping() -> bytes:
    """Two entries of the directory, of two names, that are one part."""
    content = bytearray(zipped(("xl/a.xml", b"<a/>"), ("xl/b.xml", b"<a/>")))
    first, last = content.index(b"PK\x01\x02", 1), content.rindex(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    assert second < last
    content[last + 42 : last + 46] = content[second + 42 : second + 46]
    return bytes(content)


FAR = b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'


@pytest.mark.requirement("R77")
@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (zipped((SHEET, sheet(b"")), (SHEET, sheet(b"<c/>"))), NotAWorkbook),
        (zipped((SHEET, sheet(b"")), (SHEET.upper(), sheet(b"<c/>"))), NotAWorkbook),
        (lying(), NotAWorkbook),
        (overlapping(), NotAWorkbook),
        (zipped((SHEET, b'<!DOCTYPE a [<!ENTITY a "b">]>' + sheet(b""))), NotAWorkbook),
        (zipped((SHEET, b'<!DOCTYPE a [<!ENTITY a "b">]><!-- <svg -->' + sheet(b""))), NotAWorkbook),
        (zipped(("xl/sharedStrings.xml.bak", b"x" * (101 << 20)), (SHEET, sheet(b""))), FileUnpacksTooLarge),
        (zipped(("xl/media/picture.svg", sheet(FAR))), TooManyRows),
        (zipped(("xl/anything", sheet(b'<c r="XFD1"><v>1</v></c>'))), TooManyColumns),
        (zipped((SHEET, sheet(b"<row><c/></row>" * 40_000 + FAR + b"<c/>" * 40_000))), TooManyRows),
        (zipped((SHEET, sheet(b'<row r="1048576">' + b" " * 90 + b"<c><v>1</v></c></row>"))), TooManyRows),
    ],
    ids=["twice", "in capitals", "lying", "overlapping", "entities", "entities and a picture", "decoy", "a picture", "anything",
         "behind many", "without places"],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_or_lies_about_its_size_is_refused(content: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        check_archive(content)


@pytest.mark.requirement("R77")
def test_a_far_cell_is_seen_wherever_it_stands() -> None:
    """Parts are searched in steps; no place is between two of them."""
    for before in range(_STEP - 80, _STEP + 8, 3):
        with pytest.raises(TooManyRows):
            check_archive(zipped((SHEET, sheet(b" " * before + b"<a></a>" + FAR))))
        with pytest.raises(TooManyRows):
            check_archive(zipped((SHEET, sheet(b" " * before + b'<row r="1048576"><c><v>1</v></c></row>'))))
        check_archive(zipped((SHEET, sheet(b" " * before + b'<c r="A1048576"></c><c r="A1048576"/>'))))


@pytest.mark.requirement("R77")
def test_a_picture_with_a_document_type_and_entities_is_no_reason_to_refuse() -> None:
    drawn = b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "" [<!ENTITY ns_svg "x">]><svg xmlns="&ns_svg;"/>'
    check_archive(zipped((SHEET, sheet(b"")), ("xl/media/image1.svg", drawn)))


@pytest.mark.requirement("R77")
@pytest.mark.parametrize("short", ["says the same", "leaves it to the other"])
def test_a_workbook_is_read_whose_writer_always_adds_an_end_of_64_bits(monkeypatch: pytest.MonkeyPatch, short: str) -> None:
    # As Java's streaming writers do.
    book = openpyxl.Workbook()
    for row in (("First name", "Last name"), ("Dov", "Adler")):
        book.active.append(row)
    usual, wide = io.BytesIO(), io.BytesIO()
    book.save(usual)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 0)
    with zipfile.ZipFile(usual) as parts, zipfile.ZipFile(wide, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in parts.namelist():
            with archive.open(name, "w", force_zip64=True) as part:
                part.write(parts.read(name))
    content = bytearray(wide.getvalue())
    assert content[-42:-38] == b"PK\x06\x07"
    if short == "leaves it to the other":
        content[-14:-2] = b"\xff" * 12
    assert list(read("list.xlsx", bytes(content)).rows) == list(read("list.xlsx", usual.getvalue()).rows)
