"""Files at each limit, and just beyond it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import xlsxwriter

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class AtLimit:
    """A file at a limit: its name, its content, and how reading it ends.

    :ivar takes_long: it takes seconds, and is read only in the soak.
    """

    name: str
    made: Callable[[], bytes]
    ends: str = "read"
    takes_long: bool = True


def _table(columns: int, rows: int, cell: str) -> bytes:
    head = ",".join(["Last name", *(f"C{n}" for n in range(columns - 1))])
    return (head + "\n" + (",".join([cell] * columns) + "\n") * rows).encode()


def _filled(columns: int, cell: int) -> bytes:
    """Return a table of just less than ten megabytes."""
    line = len(",".join(["a" * cell] * columns)) + 1
    return _table(columns, (10 * MIB - 2_000) // line, "a" * cell)


def _book(rows: int, columns: int, cell: Callable[[int, int], str | float], *, shared: bool = False) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": not shared}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["Last name", *(f"C{n}" for n in range(columns - 1))])
        for row in range(rows):
            sheet.write_row(row + 1, 0, [cell(row, column) for column in range(columns)])
    return file.getvalue()


def _card(inside: bytes) -> bytes:
    return b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Levi;Dov\r\n" + inside + b"END:VCARD\r\n"


def _nested(depth: int) -> bytes:
    card = _card(b"")
    for _ in range(depth):
        card = _card(b"AGENT:\r\n" + card)
    return card


_USUAL = (
    b"ORG:Food Bank;Board\r\nTITLE:Director\r\nTEL;TYPE=WORK:202-555-0147\r\nEMAIL:dov@example.org\r\nADR;TYPE=WORK:;;1 Main St;Albany;NY;12203;\r\n"
)
AT_THE_LIMITS = {
    "a table of 100 columns": AtLimit("a.csv", lambda: _table(100, 3, "a"), takes_long=False),
    "a table of 101 columns": AtLimit("a.csv", lambda: _table(101, 3, "a"), "too-many-columns", takes_long=False),
    "a cell of 64 KiB": AtLimit("a.csv", lambda: _table(2, 1, "a" * 65_536), takes_long=False),
    "a cell of 9 MiB": AtLimit("a.csv", lambda: _table(1, 1, "a" * (9 * MIB)), takes_long=False),
    "cards 18 deep": AtLimit("a.vcf", lambda: _nested(18), takes_long=False),
    "cards 21 deep": AtLimit("a.vcf", lambda: _nested(21), "nested-too-deep", takes_long=False),
    "a cell of a workbook of 32,767 letters": AtLimit("a.xlsx", lambda: _book(1, 2, lambda *_: "a" * 32_767), takes_long=False),
    "two cells and ten million places": AtLimit(
        "a.xlsx", lambda: _book(99_999, 100, lambda row, at: "a" if row % 9_999 == at else ""), "too-many-cells"
    ),
    "a table of 100,000 rows": AtLimit("a.csv", lambda: _table(2, 100_000, "a")),
    "a table of 100,001 rows": AtLimit("a.csv", lambda: _table(2, 100_001, "a"), "too-many-rows"),
    "a table of 10 MiB in 20 columns": AtLimit("a.csv", lambda: _filled(20, 5)),
    "a table of 10 MiB in 100 columns": AtLimit("a.csv", lambda: _filled(100, 5)),
    "a table of 10 MiB in cells of 64 KiB": AtLimit("a.csv", lambda: _filled(2, 65_000)),
    "a table of 10 MiB in letters of four bytes": AtLimit("a.csv", lambda: _table(4, 150_000, "😀😀😀😀")[: 10 * MIB], "too-many-rows"),
    "a table of ten million blank lines": AtLimit("a.csv", lambda: b"Last name\n" + b"\n" * (10 * MIB - 20), "too-many-rows"),
    "a table of ten million quotation marks": AtLimit("a.csv", lambda: b"Last name\n" + b'"' * (10 * MIB - 20)),
    "a table of five million short lines": AtLimit("a.csv", lambda: b"Last name\n" + b"a\n" * (5 * MIB - 20), "too-many-rows"),
    "a table of three million short lines in two encodings": AtLimit(
        "a.csv", lambda: b"Last name\n" + b"\xe9\n\xc3\xa9\n\xe9\n" * (MIB + MIB // 4), "too-many-rows"
    ),
    "a table of a million lines in two encodings": AtLimit(
        "a.csv", lambda: b"Last name\n" + b"\xe9\n\xc3\xa9\n\xe9\n" * (MIB // 3 - 10), "too-many-rows"
    ),
    "a table of marked letters and one that is none": AtLimit("a.csv", lambda: b"Last name\n" + b"\xc3\xa9" * (5 * MIB - 20) + b"\n\xe9\n"),
    "a table in an older encoding": AtLimit("a.csv", lambda: b"Last name\n" + b"\xe9\xe8 Le\xe9\n" * MIB, "too-many-rows"),
    "a card of marked letters and one that is none": AtLimit("a.vcf", lambda: _card(b"NOTE:" + b"\xc3\xa9" * (5 * MIB - 99) + b"\xe9\r\n")),
    "a card whose name has ten million parts": AtLimit("a.vcf", lambda: _card(b"ADR:" + b";" * (10 * MIB - 199) + b"\r\n")),
    "a card whose organization has ten million units": AtLimit("a.vcf", lambda: _card(b"ORG:a" + b";b" * (5 * MIB - 99) + b"\r\n")),
    "a card with ten million parameters": AtLimit("a.vcf", lambda: _card(b"TEL" + b";" * (10 * MIB - 199) + b":2025550147\r\n")),
    "a card with three million kinds": AtLimit(
        "a.vcf", lambda: _card(b"TEL;TYPE=" + b",".join(b"%x" % n for n in range(MIB + MIB // 3)) + b":2025550147\r\n")
    ),
    "cards of 10 MiB": AtLimit("a.vcf", lambda: _card(_USUAL) * (10 * MIB // len(_card(_USUAL)))),
    "100,000 cards": AtLimit("a.vcf", lambda: b"BEGIN:VCARD\nN:Levi\nTEL:1\nEND:VCARD\n" * 100_000),
    "100,001 cards": AtLimit("a.vcf", lambda: b"BEGIN:VCARD\nN:Levi\nTEL:1\nEND:VCARD\n" * 100_001, "too-many-rows"),
    "a card of five million lines": AtLimit("a.vcf", lambda: _card(b"a\n" * (5 * MIB - 100)), "too-many-rows"),
    "a card of a million lines": AtLimit("a.vcf", lambda: _card(b"X-A:123\n" * MIB)[: 8 * MIB], "too-many-rows"),
    "a card of 10 MiB in one folded line": AtLimit("a.vcf", lambda: _card(b"NOTE:x" + b"\r\n y" * (10 * MIB // 4 - 99) + b"\r\n")),
    "a card of 10 MiB in soft breaks": AtLimit(
        "a.vcf", lambda: _card(b"NOTE;ENCODING=QUOTED-PRINTABLE:" + b"=41=\r\n" * (10 * MIB // 6 - 99) + b"\r\n")
    ),
    "a card with a picture of 10 MiB": AtLimit("a.vcf", lambda: _card(b"PHOTO;ENCODING=B:" + (b"QUFB" * 18 + b"\r\n ") * (10 * MIB // 75 - 99))),
    "a card with a picture in lines of four letters": AtLimit(
        "a.vcf", lambda: _card(b"PHOTO;ENCODING=B:" + b"QUFB\r\n" * (10 * MIB // 6 - 99)), "too-many-rows"
    ),
    "a card of a hundred thousand telephones": AtLimit("a.vcf", lambda: _card(b"".join(b"TEL:202555%06d\r\n" % n for n in range(100_000)))),
    "a workbook of 1,900,000 cells": AtLimit("a.xlsx", lambda: _book(99_900, 19, lambda row, at: f"{row % 500}x{at}" if at > 2 else "Levi")),
    "a workbook of 1,900,000 numbers": AtLimit("a.xlsx", lambda: _book(99_900, 19, lambda row, at: row % 100 + at)),
    "a workbook of 1,000,000 shared texts": AtLimit("a.xlsx", lambda: _book(50_000, 20, lambda row, at: f"{row}x{at}", shared=True)),
    "a workbook of 40,000 rows and 100 columns": AtLimit("a.xlsx", lambda: _book(40_000, 100, lambda row, at: "a" if (row + at) % 5 == 0 else "")),
}
