"""Workbooks from several programs, and an attacker's changes to them: tags, attributes, texts, parts, the archive itself."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import openpyxl
import xlsxwriter
from openpyxl.comments import Comment

from tests.proofs.growing import workbook

Parts = list[tuple[str, bytes]]
DATA = Path(__file__).parents[1] / "data"
_PEOPLE = [("Last name", "First name", "E-mail", "Met on", "Notes"), *(("Levi", f"Dov{n}", f"dov{n}@example.org", None, "x") for n in range(8))]
_TOKEN = re.compile(rb"<[^<>]*>|[^<]+|<")
_ATTRIBUTE = re.compile(rb"([\w:]+)=(\"[^\"]*\"|'[^']*')")
_NAME = re.compile(rb"</?([\w:]+)")


@cache
def whole() -> list[Parts]:
    """Return workbooks as several programs write them, as parts."""
    return [_parts(made) for made in (_by_hand(), _by_xlsxwriter(), _by_openpyxl(), _of_a_house())]


def _parts(content: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def _by_hand() -> bytes:
    cell = '<c r="A%d" t="s"><v>0</v></c><c r="B%d"><v>45000.5</v></c><c r="C%d" t="inlineStr"><is><t>Dov</t></is></c>'
    cell += '<c r="D%d"><f>1+1</f><v>2</v></c>'
    return workbook("".join(f'<row r="{n}">{cell % (n, n, n, n)}</row>' for n in range(2, 12)), "<si><t>Levi</t></si>")


def _by_xlsxwriter() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as made:
        sheet, dated = made.add_worksheet("People"), made.add_format({"num_format": "yyyy-mm-dd", "bold": True})
        for at, row in enumerate(_PEOPLE):
            sheet.write_row(at, 0, row)
            sheet.write_datetime(at + 1, 3, dt.date(2026, 1, at + 1), dated)
        sheet.write_formula(4, 5, "=SUM(1,2)", None, 3)
        sheet.write_boolean(5, 5, 1)
        sheet.write_url(6, 5, "https://example.org")
        sheet.merge_range(12, 0, 12, 3, "Together")
        sheet.set_row(3, None, None, {"hidden": True})
        sheet.data_validation(1, 0, 5, 0, {"validate": "list", "source": ["a", "b"]})
        sheet.conditional_format(1, 0, 5, 0, {"type": "no_blanks", "format": dated})
        hidden = made.add_worksheet("Hidden")
        hidden.write_row(0, 0, _PEOPLE[0])
        hidden.write_row(1, 0, _PEOPLE[1])
        hidden.hide()
        made.define_name("Whole", "=People!$A$1:$F$9")
        made.add_chart({"type": "line"})
    return file.getvalue()


def _by_openpyxl() -> bytes:
    file, made = io.BytesIO(), openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for row in _PEOPLE:
        sheet.append(row)
    sheet["F2"] = "=1/0"
    sheet["F3"] = dt.date(2026, 1, 1)
    sheet["A2"].comment = Comment("A comment", "Somebody")
    sheet.merge_cells("A12:C12")
    sheet.freeze_panes = "A2"
    made.create_sheet("Two").append(("Last name", "Organization"))
    made.save(file)
    return file.getvalue()


def _of_a_house() -> bytes:
    """The first rows of the list of the House's offices: a file of two thousand would take as long as thirty small ones."""
    parts = dict(_parts((DATA / "district-offices.xlsx").read_bytes()))
    rows = re.compile(rb"<row .*?</row>", re.DOTALL)
    sheet = next(name for name in parts if name.startswith("xl/worksheets/sheet"))
    found = rows.findall(parts[sheet])
    parts[sheet] = parts[sheet].replace(b"".join(found[12:]), b"")
    used = max(map(int, re.findall(rb't="s"[^>]*><v>(\d+)', b"".join(found[:12]))), default=0)
    if texts := parts.get("xl/sharedStrings.xml"):
        items = re.findall(rb"<si>.*?</si>", texts, re.DOTALL)
        parts["xl/sharedStrings.xml"] = texts.replace(b"".join(items[used + 1 :]), b"")
    return packed(list(parts.items()))


def packed(parts: Parts, way: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return parts as an archive."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", way) as archive:
        warnings.simplefilter("ignore")  # two parts of one name
        for name, content in parts:
            archive.writestr(name, content)
    return file.getvalue()


# --- inside a part ------------------------------------------------------------------------------------------------------

_NUMBERS = [b"0", b"1", b"-1", b"00", b"2", b"7", b"65536", b"1048577", b"2147483648", b"4294967296", b"9" * 30, b"1.5", b"1e9", b"NaN", b"", b" 1 "]
_PLACES = [
    b"A1",
    b"a1",
    b"B2",
    b"$C$3",
    b"XFD1048576",
    b"XFE1",
    b"A0",
    b"A1:B2",
    b"A1048577",
    b"ZZZZZZZ9",
    b"1A",
    b"A",
    b"1",
    b"CV99999",
    b"A-1",
    b"",
]
_TEXTS = [
    *(
        b"Levi",
        b"",
        b" ",
        b"&amp;",
        b"&#0;",
        b"&#x110000;",
        b"&#xD800;",
        b"&b;",
        b"&",
        b"]]>",
        b"<![CDATA[x]]>",
        b"<!-- x -->",
        b"<?x y?>",
        b"a" * 70_000,
    ),
    *(
        b"=1+1",
        b"_x000D_",
        b"_xFFFF_",
        "Ünï".encode(),
        b"\xff\xfe",
        b"\xed\xa0\x80",
        "\u202e".encode(),
        "\u0315\u0300".encode() * 300,
        b"45000.5",
        b"#N/A",
    ),
    *(
        b"1e999",
        b"-1e-999",
        b"TRUE",
        b"2026-01-01T00:00:00Z",
        b"P1Y",
        b"<r><t>a</t></r>",
        b"<t>a</t><t>b</t>",
        b"<c r='A1'/>",
        b"99999999999",
        b"-693595",
    ),
]
_TARGETS = [
    *(b"worksheets/sheet1.xml", b"/xl/worksheets/sheet1.xml", b"../../../etc/passwd", b"http://127.0.0.1:1/x", b"file:///dev/zero", b"xl\\a.xml"),
    *(b"worksheets/sheet9.xml", b"", b".", b"sharedStrings.xml", b"workbook.xml", b"styles.xml", b"a" * 5_000, b"//x", b"worksheets/../styles.xml"),
]  # fmt: skip
#: What is put into attributes, by their names.
_VALUES: dict[bytes, list[bytes]] = {
    name: values
    for names, values in (
        (b"r ref sqref topLeftCell activeCell", _PLACES + _NUMBERS[:8]),
        (b"s count uniqueCount min max sheetId localSheetId numFmtId xfId fontId ht hidden si", _NUMBERS),
        (b"t", [b"s", b"n", b"b", b"e", b"d", b"str", b"inlineStr", b"shared", b"array", b"", b"S", b"x"]),
        (b"spans", [b"1:4", b"1:999999999", b"4:1", b"x", b""]),
        (b"state", [b"visible", b"hidden", b"veryHidden", b"x", b""]),
        (b"date1904", [b"0", b"1", b"true", b"x"]),
        (b"formatCode", [b"General", b"yyyy-mm-dd", b"[h]:mm", b"0;" * 500, b"[$-409]d", b'"', b"\\", b"[", b"@", b""]),
        (b"TargetMode", [b"External", b"Internal", b"x"]),
        (b"Id r:id id", [b"rId1", b"rId2", b"rId99", b"", b"r" * 5_000]),
        (b"Target PartName name Extension", _TARGETS),
    )
    for name in names.split()
}
_OTHERWISE = [*_NUMBERS, *_PLACES, *_TEXTS[:12], b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"x", b"preserve", b"default"]
_TAGS = [
    *(
        b"c",
        b"row",
        b"v",
        b"f",
        b"t",
        b"is",
        b"si",
        b"r",
        b"rPh",
        b"sheetData",
        b"sheet",
        b"sst",
        b"mergeCell",
        b"dimension",
        b"xf",
        b"cellXfs",
        b"numFmt",
    ),
    *(b"definedName", b"Relationship", b"worksheet", b"workbook", b"x:c", b"x", b"cols", b"col", b"tablePart", b"Override", b"extLst", b"a.b-c:row"),
]
_ADDED = [
    *(
        b"<!-- -->",
        b"<!---->",
        b"<!-- <c r='XFD9'><v>1</v></c> -->",
        b"<![CDATA[<c/>]]>",
        b"<?x?>",
        b"<",
        b">",
        b"/>",
        b"</",
        b"</x>",
        b"&",
        b"\x00",
        b"\xef\xbb\xbf",
    ),
    *(b"<row r='1048577'/>", b"<c r='XFE1'/>", b"<c r='A1' t='s'><v>-1</v></c>", b"<c r='A2' t='s'><v>99</v></c>", b"<c r=\"B2\" t='b'><v>7</v></c>"),
    *(b"<c><v>1</v></c>", b"<row><c><v>1</v></c></row>", b"<mergeCell ref='A1:XFD1048576'/>", b"<dimension ref='A1:XFD1048576'/>", b"<x>" * 3_000),
    *(
        b"<x a='" + b"a" * 9_000 + b"'/>",
        b"<x" + b" a='1'" * 3_000 + b"/>",
        b"<c r='A3'><v>1</v></c>" * 2_000,
        b"<row>" * 500,
        b"<si><t>a</t></si>" * 500,
    ),
    *(b"<sheet name='a' sheetId='1' r:id='rId1'/>" * 9, b"<f t='shared' ref='A1:XFD1048576' si='0'>A1</f>", b"<v>1e999</v>", b"<v>NaN</v>", b"<v/>"),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'http://127.0.0.1:1/'>]>&b;"),
    b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'>" + b"".join(b"<!ENTITY b%d '%s'>" % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 10)) + b"]>",
]


def _inside(content: bytes, rng: random.Random) -> bytes:
    """Return a part with a few changed tags, attributes or texts."""
    tokens = _TOKEN.findall(content)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        if tokens:
            rng.choice(_INSIDE)(tokens, rng)
    return b"".join(tokens)


def _attribute(tokens: list[bytes], rng: random.Random) -> None:
    for _ in range(20):
        at = rng.randrange(len(tokens))
        found = list(_ATTRIBUTE.finditer(tokens[at]))
        if found and not tokens[at].startswith(b"<?"):
            one = rng.choice(found)
            value = rng.choice(_VALUES.get(one[1], _OTHERWISE))
            put = rng.choice(
                [one[1] + b'="%s"' % value.replace(b'"', b"&quot;")] * 5 + [b"", one[0] * 2, one[0] + b" " + one[0], one[0].swapcase(), value]
            )
            tokens[at] = tokens[at][: one.start()] + put + tokens[at][one.end() :]
            return


def _text(tokens: list[bytes], rng: random.Random) -> None:
    texts = [at for at, token in enumerate(tokens) if not token.startswith(b"<") and token.strip()]
    if texts:
        tokens[rng.choice(texts)] = rng.choice(_TEXTS + _NUMBERS)


def _tag(tokens: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(tokens))
    if found := _NAME.match(tokens[at]):
        name = rng.choice([*_TAGS, b"x:" + found[1], found[1].upper()])
        tokens[at] = tokens[at][: found.start(1)] + name + tokens[at][found.end(1) :]


def _added(tokens: list[bytes], rng: random.Random) -> None:
    tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(_ADDED))


def _run(tokens: list[bytes], rng: random.Random) -> tuple[int, int]:
    """Return the begin and end of an element of the part, or of some run of tokens."""
    at = rng.randrange(len(tokens))
    found = _NAME.match(tokens[at])
    if found is None or tokens[at].startswith(b"</") or tokens[at].endswith(b"/>"):
        return at, at + 1
    end = next((n for n in range(at, len(tokens)) if tokens[n].startswith(b"</" + found[1] + b">")), at + rng.randrange(9))
    return at, end + 1


def _left_out(tokens: list[bytes], rng: random.Random) -> None:
    begin, end = _run(tokens, rng)
    del tokens[begin:end]


def _again(tokens: list[bytes], rng: random.Random) -> None:
    begin, end = _run(tokens, rng)
    tokens[begin:begin] = tokens[begin:end] * (rng.choice([1, 2, 30]) if end - begin < 200 else 1)


def _elsewhere(tokens: list[bytes], rng: random.Random) -> None:
    begin, end = _run(tokens, rng)
    moved = tokens[begin:end]
    del tokens[begin:end]
    at = rng.randrange(len(tokens) + 1)
    tokens[at:at] = moved


def _broken_off(tokens: list[bytes], rng: random.Random) -> None:
    at = rng.randrange(len(tokens))
    tokens[at:] = [tokens[at][: rng.randrange(len(tokens[at]) + 1)]]


def _far(tokens: list[bytes], rng: random.Random) -> None:
    """Move one of the workbook's own cells or rows to another place."""
    placed = [at for at, token in enumerate(tokens) if re.match(rb'<(?:c|row) [^>]*r="', token)]
    if placed:
        at = rng.choice(placed)
        tokens[at] = re.sub(rb' r="[^"]*"', b' r="%s"' % rng.choice(_PLACES if tokens[at].startswith(b"<c") else _NUMBERS), tokens[at])


_INSIDE: list[Callable[[list[bytes], random.Random], None]] = [
    *(_attribute, _attribute, _attribute, _text, _text, _tag, _added, _left_out, _again, _elsewhere, _far),
    _broken_off,
]


def _encoded(content: bytes, rng: random.Random) -> bytes:
    """Return a part in another encoding, or with a false declaration of it."""
    text = content.decode("utf-8", "replace")
    declared = text.replace("UTF-8", rng.choice(["UTF-16", "ISO-8859-1", "utf-7", "x", "EBCDIC-CP-BE"]))
    return rng.choice([text.encode("utf-16"), text.encode("utf-16-be"), declared.encode(), declared.encode("utf-16"), b"\xef\xbb\xbf" * 2 + content])


# --- parts and the archive ----------------------------------------------------------------------------------------------


def _other_parts(parts: Parts, rng: random.Random) -> None:
    at = rng.randrange(len(parts))
    name, content = parts[at]
    way = rng.randrange(6)
    if way == 0:
        del parts[at]
    elif way == 1:
        parts[at] = (name, rng.choice(parts)[1])
    elif way == 2:
        parts[at] = (
            rng.choice([name.upper(), "/" + name, name.replace("/", "\\"), "./" + name, name + "\x00", name.replace("x", "\u0445"), "../" + name]),
            content,
        )
    elif way == 3:
        parts.append(
            (rng.choice([name, name.upper(), "xl/worksheets/sheet2.xml", "../a", "xl/" * 50 + "a", "xl/vbaProject.bin", "xl/a.zip"]), content)
        )
    elif way == 4:
        parts.append(("xl/embeddings/a.xlsx", packed(parts)))
    else:
        parts += [(f"xl/a{n}.xml", b"<a/>") for n in range(rng.choice([10, 300, 5_100]))]


def of_lies(content: bytes, rng: random.Random) -> bytes:
    """Return an archive with false headers."""
    data = bytearray(content)
    heads = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    local = [struct.unpack_from("<I", data, at + 42)[0] for at in heads]
    end = data.rindex(b"PK\x05\x06")
    head, place = rng.choice(heads), rng.choice(local)
    number = rng.choice([0, 1, 7, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, len(data)])
    way = rng.randrange(10)
    if way == 0:  # a size, a sum, a place, a method, a flag, in the directory
        at, form = rng.choice([(8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I"), (28, "<H"), (30, "<H"), (32, "<H"), (42, "<I")])
        struct.pack_into(form, data, head + at, number & (0xFFFF if form == "<H" else 0xFFFFFFFF))
    elif way == 1:  # or before the part itself
        at, form = rng.choice([(6, "<H"), (8, "<H"), (14, "<I"), (18, "<I"), (22, "<I"), (26, "<H"), (28, "<H")])
        struct.pack_into(form, data, place + at, number & (0xFFFF if form == "<H" else 0xFFFFFFFF))
    elif way == 2:  # or in its end
        at, form = rng.choice([(4, "<H"), (6, "<H"), (8, "<H"), (10, "<H"), (12, "<I"), (16, "<I"), (20, "<H")])
        struct.pack_into(form, data, end + at, number & (0xFFFF if form == "<H" else 0xFFFFFFFF))
    elif way == 3:  # a flag: encrypted, sizes behind the part, strong encryption, UTF-8
        for at in (head + 8, place + 6):
            struct.pack_into("<H", data, at, rng.choice([1, 8, 64, 0x800, 0x2000]))
    elif way == 4:
        return bytes(data) + rng.choice([b"\x00" * 30, bytes(data[end:]), b"PK\x05\x06", bytes(data), b"x" * 70_000])
    elif way == 5:
        return rng.choice([b"x" * 30, bytes(data), b"PK\x03\x04", b"MZ"]) + bytes(data)
    elif way == 6:  # a comment that has an end of its own
        struct.pack_into("<H", data, end + 20, rng.choice([22, 21, 60]))
        return bytes(data) + bytes(data[end : end + 22])
    elif way == 7:  # numbers of 64 bits
        struct.pack_into("<HHII", data, end + 8, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        size, begin = end - heads[0], heads[0]
        told = struct.pack(
            "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, len(heads), rng.choice([len(heads), 1 << 40]), size, rng.choice([begin, 1 << 50])
        )
        return bytes(data[:end]) + told + struct.pack("<4sIQI", b"PK\x06\x07", 0, rng.choice([end, 0, 1 << 60]), 1) + bytes(data[end:])
    elif way == 8:  # two entries that are one part
        struct.pack_into("<I", data, head + 42, rng.choice(local))
    else:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


def changed(rng: random.Random) -> bytes:
    """Return a changed workbook: mostly changed inside a part, where its reader sees it."""
    parts = list(rng.choice(whole()))
    way = rng.random()
    if way < 0.85:
        for _ in range(rng.choice([1, 1, 2])):
            # The sheets are read longest.
            wanted = [
                at
                for at, (name, _) in enumerate(parts)
                if name.endswith((".xml", ".rels")) and (rng.random() < 0.3 or "sheet" in name or "shared" in name)
            ]
            at = rng.choice(wanted or range(len(parts)))
            parts[at] = (parts[at][0], _encoded(parts[at][1], rng) if rng.random() < 0.03 else _inside(parts[at][1], rng))
    if 0.8 < way < 0.93:
        _other_parts(parts, rng)
    content = packed(parts, rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]))
    return of_lies(content, rng) if way >= 0.93 else content
