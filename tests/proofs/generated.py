"""Tables, cards and workbooks that hypothesis generates: valid in form, with hostile content."""

from __future__ import annotations

import base64
import quopri
from typing import Any

from hypothesis import strategies as st

from tests.proofs.growing import ALPHABETS, PROPERTIES, grown, workbook
from tests.proofs.workbooks import packed

Draw = Any

_NAMES = [
    *("Last name", "First name", "Name", "E-mail", "Phone", "Mobile", "Company", "Title", "Address", "City", "State", "Zip", "Notes", "Interests"),
    *("Gender", "Religion", "Birthday", "SSN", "Office phone", "Office 2 street", "Not taken in", "=1+1", "", " ", "a" * 300, "\u202e", "0", "x\ny"),
]
_SAID = [
    *(
        "Levi",
        "Dov",
        "dov@example.org",
        "202-555-0147",
        "two oh two five five five",
        "1 Main St, Albany NY 12203",
        "TX",
        "he is Jewish",
        "123-45-6789",
    ),
    *(
        "=cmd|' /C calc'!A0",
        "+1",
        "@SUM(1)",
        "-1",
        '"',
        '""',
        "'",
        "\\",
        "a;b",
        "a,b",
        "a\tb",
        "a\nb",
        "\r",
        "\x00",
        "\ufeff",
        "\ufffd",
        "\ud7ff",
        "1e999",
        "#REF!",
    ),
]
_SIZES = st.sampled_from([0, 1, 2, 30, 300, 2_100, 9_000])


def _texts(most: int) -> Draw:
    """Yield texts of a few letters, and texts that grow to so many characters."""
    sizes = _SIZES.map(lambda size: min(size, most))
    return st.one_of(
        st.sampled_from(_SAID),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.builds(grown, st.sampled_from(list(ALPHABETS)), st.one_of(sizes, st.sampled_from([min(most, 65_536), min(most, 65_537)]))),
    )


def _repeated(most: int, *counts: int) -> Draw:
    return st.one_of(st.just(1), st.sampled_from([min(count, most) for count in counts]))


@st.composite
def tables(draw: Draw, most: int) -> bytes:
    """Make a table of at most about so many bytes, in an encoding or none."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", "", ", "]))
    names = draw(st.lists(st.one_of(st.sampled_from(_NAMES), _texts(60)), min_size=1, max_size=12))
    names *= draw(st.sampled_from([1, 1, 1, 9, 12]))
    cells = _texts(min(most // 4, 70_000))
    rows = draw(st.lists(st.lists(cells, max_size=len(names) + 2), max_size=6))
    quoted = draw(st.sampled_from(["all", "none", "open", "odd"]))

    def written(cell: str) -> str:
        if quoted == "none":
            return cell
        if quoted == "open":
            return '"' + cell
        return '"' + (cell if quoted == "odd" else cell.replace('"', '""')) + '"'

    ended = draw(st.sampled_from(["\r\n", "\n", "\r", "\n\n", "\r\r\n", "\u2028"]))
    head = draw(st.sampled_from(["", "A title" + ended, ended * 30, "sep=;" + ended]))
    head += delimiter.join(map(written, names)) + ended
    body = "".join(delimiter.join(map(written, row)) + ended for row in rows)
    size = len(body.encode("utf-8", "replace")) or 1
    body *= draw(_repeated(max(1, most // size), 2, 100, 100_000))
    encoding = draw(
        st.sampled_from(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1251", "gb18030", "shift_jis", "utf-7"])
    )
    content: bytes = (head + body).encode(encoding, "replace")
    return content + draw(st.sampled_from([b"", b"", b"\xff", b"\x00" * 9, b'"', b"\x1a", b"\xed\xa0\x80"]))


_SETS = ["utf-8", "UTF-16", "iso-2022-jp", "hz", "punycode", "zlib", "unicode_escape", "", "x" * 200, "windows-1252", "Shift_JIS", '"utf-8"']


@st.composite
def _properties(draw: Draw, most: int) -> bytes:
    name = draw(
        st.one_of(st.sampled_from(PROPERTIES), st.sampled_from(["item1.TEL", "item1.X-ABLABEL", "KIND", "X-ABSHOWAS", "BEGIN", "END", "", ":", "ä"]))
    )
    told = draw(
        st.lists(
            st.one_of(
                st.sampled_from(["TYPE=HOME", "TYPE=WORK,FAX", "PREF", "PREF=99999999999", 'TYPE="', "TYPE=" + "a," * 900, "=", "", 'X="a:b;c"']),
                st.sampled_from(["CHARSET=" + name for name in _SETS]),
                st.sampled_from(["ENCODING=QUOTED-PRINTABLE", "QUOTED-PRINTABLE", "ENCODING=B", "ENCODING=BASE64", "ENCODING=8BIT", "VALUE=uri"]),
            ),
            max_size=3,
        )
    )
    text = draw(st.one_of(_texts(most), st.lists(_texts(30), max_size=8).map(";".join)))
    raw = text.replace("\r", " ").encode("utf-8", "replace")
    way = draw(st.sampled_from(["plain", "plain", "quoted", "packed", "folded", "escaped", "broken"]))
    if way == "quoted":
        raw = quopri.encodestring(raw).replace(b"\n", b"\r\n")
    elif way == "packed":
        raw = base64.encodebytes(raw).replace(b"\n", b"\r\n ")
    elif way == "folded":
        raw = b"\r\n ".join(raw[at : at + 40] for at in range(0, len(raw), 40))
    elif way == "escaped":
        raw = raw.replace(b"\\", b"\\\\").replace(b",", b"\\,").replace(b";", b"\\;").replace(b"\n", b"\\n")
    elif way == "broken":
        raw = b"=\r\n".join(raw[at : at + 3] for at in range(0, len(raw), 3))
    return b";".join([name.encode(), *(each.encode() for each in told)]) + b":" + raw + b"\r\n"


@st.composite
def cards(draw: Draw, most: int) -> bytes:
    """Make cards, some nested, some without an end."""
    depth = draw(st.sampled_from([0, 0, 0, 1, 2, 19, 20, 21, 200]))
    inside = b"".join(draw(st.lists(_properties(min(most // 8, 70_000)), max_size=6)))
    inside *= draw(_repeated(max(1, most // (len(inside) or 1) // 2), 2, 200, 100_000))
    begin, end = b"BEGIN:VCARD\r\n", draw(st.sampled_from([b"END:VCARD\r\n"] * 4 + [b"", b"END:VCARD", b"END:X\r\n", b"end:vcard\n"]))
    agent = draw(st.sampled_from([b"AGENT:\r\n", b"AGENT;X=1:\r\n", b"", b"NOTE:x\r\n"]))
    version = draw(st.sampled_from([b"VERSION:3.0\r\n", b"VERSION:2.1\r\n", b"VERSION:4.0\r\n", b""])) + b"N:Levi;Dov\r\n"
    card = begin + version + inside
    for _ in range(depth):
        card = begin + version + agent + card + end
    card += end
    return card * draw(_repeated(max(1, most // len(card)), 2, 50, 100_000))


def _escaped(text: str) -> str:
    kept = "".join(letter for letter in text if letter in "\t\n\r" or letter >= " ").replace("\ufffe", "").replace("\uffff", "")
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@st.composite
def _cells(draw: Draw, row: int, at: int, most: int, *, odd: bool) -> str:
    column = chr(65 + at) if at < 26 else "A" + chr(39 + at)
    places, styles, numbers = (
        [f' r="{column}{row}"', f' r="{column}{row}"', ""],
        ["", ' s="1"'],
        ["0", "1", "-1", "45000", "45000.5", "1e300", "99999999999"],
    )
    if odd:
        places += [f' r="{column.lower()}{row}"', f" r='{column}{row}'", f' r="${column}${row}"', ' r="A1"', ' r="CV1"', ' r="x"']
        styles += [' s="99999"', ' s="-1"']
        numbers += ["1e999", "-0", "NaN", "", "x", " 1 ", "&#0;"]
    begin = "<c" + draw(st.sampled_from(places)) + draw(st.sampled_from(styles))
    number, text = draw(st.sampled_from(numbers)), _escaped(draw(_texts(most)))
    ways = [
        f'{begin} t="inlineStr"><is><t>{text}</t></is></c>',
        f'{begin} t="inlineStr"><is><r><t>{text}</t></r><r><t xml:space="preserve"> x</t></r></is></c>',
        f'{begin} t="str"><f>A1</f><v>{text}</v></c>',
        f"{begin}><v>{number}</v></c>",
        f'{begin} t="s"><v>0</v></c>',
        f'{begin} t="b"><v>1</v></c>',
        f'{begin} t="d"><v>2026-01-01</v></c>',
        f'{begin} t="e"><v>#N/A</v></c>',
        f"{begin}/>",
    ]
    if odd:
        ways += [
            f'{begin} t="s"><v>{number}</v></c>',
            f'{begin} t="b"><v>{text}</v></c>',
            f'{begin} t="{number}"><v>{text}</v></c>',
            f"{begin}><v>{text}</v></c>",
        ]
    return draw(st.sampled_from(ways))


@st.composite
def workbooks(draw: Draw, most: int) -> bytes:
    """Make a workbook whose parts unpack to at most about so many bytes."""
    width, odd = draw(st.sampled_from([1, 3, 5, 12, 40])), draw(st.sampled_from([False, False, True]))
    begin = draw(st.sampled_from([2, 2, 2, 3, 900, 99_990]))
    rows = []
    for row in range(begin, begin + draw(st.integers(1, 5))):
        places = [f' r="{row}"', "", f' r="{row}" hidden="1"', f' r="{row}" spans="1:16384" ht="0"'] + (
            [' r="1"', f' r="0{row}"', ' r="-1"'] if odd else []
        )
        cells = "".join(draw(_cells(row, at, min(most // 16, 70_000), odd=odd)) for at in range(draw(st.integers(1, width))))
        rows.append(f"<row{draw(st.sampled_from(places))}>{cells}</row>")
    body = "".join(rows)
    texts = "<si><t>Levi</t></si>" + "".join(
        f"<si><t>{_escaped(text)}</t></si>" for text in draw(st.lists(_texts(min(most // 16, 70_000)), max_size=4))
    )
    again = draw(_repeated(max(1, most // (len(body) or 1) // 4), 2, 50, 3_000))
    content = workbook(body * again, texts * draw(_repeated(max(1, most // (len(texts) or 1) // 4), 2, 50, 3_000)))
    if draw(st.sampled_from([False, False, False, True])):
        more = draw(st.sampled_from(["styles", "sharedStrings", "theme/theme1", "worksheets/sheet2", "externalLinks/a", "tables/t"]))
        return packed([("xl/more.xml", _MORE[more] * draw(_repeated(max(1, most // 64), 2, 100, 100_000))), *_unpacked(content)])
    return content


_MORE = {
    "styles": b'<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy"/></numFmts><cellXfs><xf numFmtId="164"/><xf/></cellXfs></styleSheet>',
    "sharedStrings": b"<sst><si><t>a</t></si><si/></sst>",
    "theme/theme1": b"<a:theme/>",
    "worksheets/sheet2": b'<worksheet><dimension ref="A1:XFD1048576"/><mergeCells><mergeCell ref="A1:B2"/></mergeCells></worksheet>',
    "externalLinks/a": b'<externalLink><Relationship Target="file:///dev/zero" TargetMode="External"/></externalLink>',
    "tables/t": b'<table ref="A1:XFD1048576"><definedName name="a">a</definedName></table>',
}


def _unpacked(content: bytes) -> list[tuple[str, bytes]]:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


GENERATED = {"csv": tables, "vcf": cards, "xlsx": workbooks}
