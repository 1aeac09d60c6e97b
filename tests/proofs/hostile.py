"""Malicious files: valid ones, changed at random by their number, and read under measurement."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.proofs import workbooks
from tests.proofs.growing import workbook

DATA = Path(__file__).parents[1] / "data"
#: What an attacker puts into a file.
SPLICED = [
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n ", b"\r\n=", b"=3D", b"=\r\n", b"\\", b"\\n"),
    *(
        b"<",
        b">",
        b"/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"&b;",
        b"&#0;",
        b"&#x110000;",
        b"<![CDATA[",
        b"]]>",
        b"<row r='1048577'/>",
        b"<c r='XFE1'/>",
    ),
    *(b"<c r='A1' t='s'><v>-1</v></c>", b"<v>1e999</v>", b"<v>NaN</v>", b"<mergeCell ref='A1:XFD1048576'/>", b"t='e'", b"spans='1:999999999'"),
    *(b"BEGIN:VCARD\r\n", b"END:VCARD\r\n", b"AGENT:\r\n", b";CHARSET=punycode:", b";ENCODING=QUOTED-PRINTABLE:", b";ENCODING=b:", b"item1."),
    *(
        b'=HYPERLINK("x")',
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"9" * 400,
        b"a" * 5_000,
        b" " * 5_000,
        "\u0315\u0300".encode() * 500,
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
    ),
]


@cache
def whole(kind: str) -> list[bytes]:
    """Return whole files of a kind."""
    if kind == "xlsx":
        return [workbooks.packed(parts) for parts in workbooks.whole()]
    if kind == "csv":
        usual = 'Last name,First name,E-mail,Notes\r\nLevi,Dov,dov@example.org,"A ""note"",\r\nof two lines"\r\nRosen;Rivka\tx\r\n'
        return [
            usual.encode(),
            usual.encode("utf-16"),
            usual.replace("o", "ö").encode("cp1252"),
            _beginning("congress.csv", 20),
        ]
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Levi;Dov;;;\r\nFN:Dov Levi\r\nTEL;TYPE=WORK:202-555-0147\r\n"
    card += "ADR:;;1 Main St;Albany;NY;;\r\nNOTE:x\r\n y\r\nEND:VCARD\r\n"
    quoted = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:L=C3=A9vi;Dov\r\nEND:VCARD\r\n"
    return [card.encode(), (card + quoted).encode(), _beginning("cards.vcf", 60)]


def _beginning(name: str, lines: int) -> bytes:
    return b"".join((DATA / name).read_bytes().splitlines(keepends=True)[:lines])


def changed(kind: str, number: int) -> bytes:
    """Return the file of that number."""
    rng = random.Random(f"{kind} {number}")
    if kind == "xlsx" and rng.random() < 0.95:
        return workbooks.changed(rng)
    return _mutated(rng.choice(whole(kind)), rng)


def _mutated(content: bytes, rng: random.Random) -> bytes:
    ways: list[Callable[[bytes, int, int], bytes]] = [
        lambda data, a, _b: data[:a] + rng.choice(SPLICED) + data[a:],
        lambda data, a, b: data[:a] + data[b:],
        lambda data, a, b: data[:a] + data[a:b] * rng.choice([2, 3, 50]) + data[b:],
        lambda data, a, _b: data[:a] + rng.randbytes(rng.randint(1, 20)) + data[a + 4 :],
        lambda data, a, _b: data[:a],
        lambda data, a, b: data[:a] + data[a:b][::-1] + data[b:],
        lambda data, a, b: data[:a] + data[a:b].swapcase() + data[b:],
    ]
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        a = rng.randrange(len(content) + 1)
        content = rng.choice(ways)(content, a, min(len(content), a + rng.choice([1, 10, 200, 5_000])))[: 2 << 20]
    return content


def read_measured(name: str, content: bytes) -> tuple[str, float, int]:
    """Read a file as an import does; return how that ended, its CPU time, and the peak of additional memory."""
    from services.chassis.messages import Refusal
    from services.contacts.domain.imports.reading import read
    from services.contacts.domain.imports.records import record_of
    from services.contacts.domain.imports.staging import laid_out

    _warm(name.rpartition(".")[2])
    # From now on the peak is counted anew; what another reading has left is none of this one's.
    Path("/proc/self/clear_refs").write_bytes(b"5")
    before, began = _peak(), time.process_time()
    try:
        table = read(name, content)
        mapping = laid_out("an import", table, bytes(32)).mapping
        for row in table.rows[:20]:
            record_of(row, mapping)
        how = "read"
    except Refusal as refusal:
        how = refusal.code
    except BaseException as error:  # noqa: BLE001 - what is no refusal is what is looked for
        how = f"{type(error).__name__}: no refusal"
    return how, time.process_time() - began, _peak() - before


@cache
def _warm(ending: str) -> None:
    """Load what readers of that kind need, once, because it belongs to the process and not to a file."""
    from services.contacts.domain.imports.reading import read

    known = {
        "xlsx": workbook('<row r="2"><c r="A2"><v>1</v></c></row>'),
        "vcf": b"BEGIN:VCARD\r\nN:Levi\r\nEND:VCARD\r\n",
        "csv": b"Last name\nLevi\n",
    }
    read(f"a.{ending}", known[ending])


def _peak() -> int:
    """Return this process's peak memory in bytes. `getrusage` would include that of its parent."""
    said = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) << 10 for line in said.splitlines() if line.startswith("VmHWM:"))
