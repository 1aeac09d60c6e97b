"""No expression of the product is slow on any text: twice the text takes about twice the work."""

from __future__ import annotations

import contextlib
import gc
import io
import time
import zipfile
from collections.abc import Callable

import pytest

from services.chassis.messages import Refusal
from services.contacts.domain.imports.reading import read
from tests.proofs.expressions import Expression, against, found, worked

pytestmark = pytest.mark.row("P19")

#: A text that takes less is not looked at more closely.
_QUICK = 0.004


def _seconds(expression: Expression, begin: str, repeated: str, size: int, end: str) -> float:
    text = (begin + repeated * (size // len(repeated) + 1))[:size] + end
    least = 9.0
    for _ in range(5):
        before = time.process_time()
        worked(expression.pattern, text, searches=expression.searches)
        least = min(least, time.process_time() - before)
        if least < _QUICK:
            break
    return least


def test_every_expression_is_found_in_the_source_and_linear() -> None:
    expressions, unread = found()
    assert unread == []
    slow = {}
    for expression in expressions:
        for begin, repeated in against(expression.pattern):
            for end in ("", "\x00", "!"):
                for _ in range(3):
                    once = _seconds(expression, begin, repeated, 2000, end)
                    if once < _QUICK or (ratio := _seconds(expression, begin, repeated, 4000, end) / once) <= 2.5:
                        break
                else:
                    slow[expression.where] = (round(ratio, 1), begin, repeated, end)
    assert slow == {}


def _card(inside: bytes) -> bytes:
    return b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Levi;Dov\r\n" + inside + b"END:VCARD\r\n"


def _sheet(rows: bytes, shared: bytes = b"") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")
        archive.writestr("xl/sharedStrings.xml", b"<sst>" + shared + b"</sst>")
    return file.getvalue()


#: A file of so many of something: of each kind of part that a card, a table and a workbook have, whole and broken off.
FILES: dict[str, tuple[str, Callable[[int], bytes], int]] = {
    "folds": ("a.vcf", lambda n: _card(b"NOTE:x" + b"\r\n y" * n + b"\r\n"), 100_000),
    "soft breaks": ("a.vcf", lambda n: _card(b"NOTE;ENCODING=QUOTED-PRINTABLE:" + b"=41=\r\n" * n + b"\r\n"), 50_000),
    "packed": ("a.vcf", lambda n: _card(b"PHOTO;ENCODING=B:" + b"QUFB\r\n" * n), 50_000),
    "telephones": ("a.vcf", lambda n: _card(b"".join(b"TEL:202555%07d\r\n" % at for at in range(n))), 5_000),
    "one telephone": ("a.vcf", lambda n: _card(b"TEL:2025550101\r\n" * n), 5_000),
    "notes": ("a.vcf", lambda n: _card(b"".join(b"NOTE:the %d day\r\n" % at for at in range(n))), 5_000),
    "addresses": ("a.vcf", lambda n: _card(b"".join(b"ADR;TYPE=WORK:;;%d Main St;Albany;NY;;\r\n" % at for at in range(n))), 2_000),
    "fields": ("a.vcf", lambda n: _card(b"".join(b"X-F%d:1\r\n" % at for at in range(n))), 5_000),
    "groups": ("a.vcf", lambda n: _card(b"".join(b"i%d.TEL:1\r\ni%d.X-ABLABEL:Home\r\n" % (at, at) for at in range(n))), 5_000),
    "agents": ("a.vcf", lambda n: _card((b"AGENT:\r\n" + _card(b"")) * n), 2_000),
    "begins": ("a.vcf", lambda n: b"BEGIN:VCARD\r\n" * n, 5_000),
    "ends": ("a.vcf", lambda n: b"BEGIN:VCARD\r\n" + b"END:VCARD\r\n" * n, 5_000),
    "kinds": ("a.vcf", lambda n: _card(b"TEL" + b";TYPE=a" * n + b":1\r\n"), 10_000),
    "colons": ("a.vcf", lambda n: _card(b"TEL" + b":" * n + b"\r\n"), 100_000),
    "escapes": ("a.vcf", lambda n: _card(b"N:" + b"\\;" * n + b"\r\n"), 50_000),
    "charset": ("a.vcf", lambda n: _card(b"FN;CHARSET=punycode:" + b"a" * n + b"-" + b"z" * n + b"\r\n"), 5_000),
    "blank lines": ("a.csv", lambda n: b"Last name\n" + b"\n" * n, 100_000),
    "open quotes": ("a.csv", lambda n: b"Last name\n" + b'"' * n, 50_000),
    "open rows": ("a.csv", lambda n: b"Last name\n" + b'"Levi\n' * n, 1_000),
    "columns": ("a.csv", lambda n: b"," * n + b"\n", 50_000),
    "one cell": ("a.csv", lambda n: b"Last name\n" + b"a" * n, 100_000),
    "blanks": ("a.csv", lambda n: b"Last name\n" + b" " * n + b"x\n", 100_000),
    "rows": ("a.csv", lambda n: b"Last name,First name\n" + b"Levi,Dov\n" * n, 5_000),
    "opened texts": ("a.xlsx", lambda n: _sheet(b"", b"<si " * n), 100_000),
    "texts": ("a.xlsx", lambda n: _sheet(b"", b"<si><t>a</t></si>" * n), 20_000),
    "opened cells": ("a.xlsx", lambda n: _sheet(b"<c " * n), 100_000),
    "cells": ("a.xlsx", lambda n: _sheet(b'<c r="A1" t="s"><v>0</v></c>' * n), 20_000),
    "opened rows": ("a.xlsx", lambda n: _sheet(b"<row " * n), 100_000),
    "rows of nothing": ("a.xlsx", lambda n: _sheet(b'<row r="1">' * n), 50_000),
    "one tag": ("a.xlsx", lambda n: _sheet(b"<c " + b'r="A1" ' * n), 50_000),
    "prefixes": ("a.xlsx", lambda n: _sheet(b"<" + b"a:" * n), 50_000),
}


@pytest.mark.requirement("R77")
@pytest.mark.parametrize("kind", FILES)
def test_a_file_twice_as_long_takes_about_twice_the_work(kind: str) -> None:
    name, made, size = FILES[kind]
    short, long = made(size), made(2 * size)
    # Beside other work a round is too high or too low by half; of work that grows with its square, none is near 2.
    for _ in range(5):
        once, twice = _least(name, short, long)
        if twice < _QUICK or twice / once <= 2.5:
            break
    print(f"{kind}: {once * 1000:.0f} ms of CPU for {size}, {twice / once:.1f} times as much for twice")
    assert twice < _QUICK or twice / once <= 2.5


def _least(name: str, *contents: bytes) -> list[float]:
    """Return the least CPU time of five in seconds for each content, in turns, so that a slow moment affects all."""
    least = [9.0] * len(contents)
    gc.collect()
    gc.disable()  # Else it goes through all that other tests have left, at each so many objects.
    try:
        for _ in range(5):
            for at, content in enumerate(contents):
                before = time.process_time()
                with contextlib.suppress(Refusal):
                    read(name, content)
                least[at] = min(least[at], time.process_time() - before)
    finally:
        gc.enable()
    return least
