"""Read business cards (vCard 2.1, 3.0, 4.0) as a table. An unreadable card does not affect the others.

This parser makes one pass, because the usual library needs milliseconds for each of up to seventy thousand cards. Tests
compare the two.
"""

from __future__ import annotations

import io
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.contacts.contract.imports import NestedTooDeep, NotCards, TooManyRows
from services.contacts.domain.imports.encodings import SHIFTING, character_set
from services.contacts.domain.imports.tables import DAMAGED, LOST, MAX_CELL, MAX_COLUMNS, MAX_NESTING, MAX_ROWS, MOST_LINES, Row, Table
from services.lexicon.folding import fold, words

CUT_OFF = "The card is cut off: its end is missing."
NESTED = "A card within a card is not taken in."
A_GROUP = "This card is of a group, not of a person or an organization."
IN_UNKNOWN_LETTERS = "This card says that it is written in a character set that can't be read here."
UNREADABLE = "This line of the card can't be read."
#: The most lines of a card, which are in memory together.
_MOST_OF_A_CARD = 200_000
#: The most parameters of a line; ten million take ten seconds.
_MOST_PARAMETERS = 1_000
#: The most units of an organization that are kept apart.
_UNITS = 100
#: The most cards of a file, including empty and nested ones.
_MOST_BEGINS = MAX_ROWS * 3 // 2
_TOO_MANY = "A file has at most 100 kinds of entries."

#: The columns for the parts of a structured name, in the order of vCard.
_NAME = ("Family name", "Given name", "Additional names", "Name prefix", "Name suffix")
_ADDRESS = ("PO box", "Extended address", "Street", "City", "State", "Postal code", "Country")
_TEXTS = {"FN": "Full name", "ROLE": "Role", "TITLE": "Job title", "NICKNAME": "Nickname", "CATEGORIES": "Categories"}
#: Properties whose values are dropped on reading; their presence is reported.
_NEVER = {
    "URL": "Web page",
    "BDAY": "Birthday",
    "GENDER": "Gender",
    "X-GENDER": "Gender",
    "SEX": "Gender",
    "ANNIVERSARY": "Anniversary",
    "X-ANNIVERSARY": "Anniversary",
    "PHOTO": "Photo",
    "IMPP": "Instant messaging",
    "X-SPOUSE": "Card field X-SPOUSE",
}
#: Properties that describe the card and not its person.
_PASSED_OVER = words(
    """
    VERSION BEGIN END PRODID REV UID SORT-STRING KIND SOURCE CLASS NAME PROFILE MAILER CLIENTPIDMAP XML X-ABLABEL X-ABADR X-ABUID
    X-ABSHOWAS X-ADDRESSBOOKSERVER-KIND X-EVOLUTION-FILE-AS X-MS-OL-DEFAULT-POSTAL-ADDRESS X-MS-OL-DESIGN X-IMAGEHASH
    X-PHONETIC-FIRST-NAME X-PHONETIC-LAST-NAME X-MOZILLA-HTML SORT-AS X-ABORDER X-IMAGETYPE
    """
)
# Possessive quantifiers: backtracking would keep a position for each of ten million letters.
_PROPERTY = re.compile(r"(?:([\w-]+)\.)?([A-Za-z][\w-]*)((?:;(?:[^\":;]++|\"[^\"]*+\")*+)*+):(.*)", re.DOTALL)
_PARAMETER = re.compile(r";((?:[^\";]++|\"[^\"]*+\")*+)")
_WORD = re.compile(r"[^,]++")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PARTS = re.compile(r"(?<!\\);")
_LABEL = re.compile(r"^_\$!<(.*)>!\$_$")
_BASE64 = re.compile(rb"\s*[A-Za-z0-9+/=]{1,}\s*")


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    kinds: frozenset[str]
    value: str
    group: str = ""
    #: The preference: 1 comes first. From PREF of vCard 4, or the type "pref".
    preference: int = 101
    #: Whether it names an unknown character set.
    is_unknown: bool = False

    def parts(self, most: int) -> list[str]:
        """Return the parts of the value; the rest after the last part is one more."""
        return [_unescaped(part).strip() for part in _PARTS.split(self.value, maxsplit=most)]

    def names(self) -> list[str]:
        """Return the parts of the value, each with its list items joined by blanks."""
        return [" ".join(part.replace(",", " ").split()) for part in self.parts(len(_NAME))]

    def text(self) -> str:
        return _unescaped(self.value).strip()


@dataclass(slots=True)
class _Card:
    """The contents of a card, before they become a row."""

    cells: dict[str, str] = field(default_factory=dict)
    refused: dict[tuple[str, str], None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    kind: str = ""
    notes: list[str] = field(default_factory=list)
    #: The texts of columns with the same name.
    _said: dict[str, set[str]] = field(default_factory=dict)

    def put(self, column: str, text: str) -> None:
        """Store a text in a column, or in the next free one of that name, such as "Work phone 2"."""
        text = text.strip()
        said = self._said.setdefault(column, set())
        if text and text not in said:
            said.add(text)
            self.cells[column if len(said) == 1 else f"{column} {len(said)}"] = text


def _least_lines(content: bytes) -> int:
    """Return a fast lower bound for the number of logical lines."""
    ends = max(content.count(b"\n"), content.count(b"\r"))
    return ends - sum(content.count(goes_on) for goes_on in (b"\n ", b"\n\t", b"\r ", b"\r\t", b"=\n", b"=\r"))


def read_cards(content: bytes, encoding: str) -> Table:
    """Read cards into a table; each card becomes the row with its number.

    :raises NotCards, NestedTooDeep, TooManyRows:
    """
    # Cards that never end make no row, but cost as much as others.
    if content.upper().count(b"BEGIN:") > _MOST_BEGINS or _least_lines(content) > MOST_LINES:
        raise TooManyRows
    table = Table("vcf")
    columns: dict[str, None] = {}
    lines = _lines(content)
    for number, (first, last, inner, closed) in enumerate(_cards(lines), 1):
        card = _Card()
        own = lines[first:last] if not inner else _outside(lines, first, last, inner)
        if len(own) > _MOST_OF_A_CARD:
            raise TooManyRows
        _read(card, own, encoding)
        if inner:
            card.refused["Agent", NESTED] = None
        if not closed:
            card.problems.append(CUT_OFF)
        _add(table, columns, card, number)
    if not table.rows:
        raise NotCards
    table.columns = list(columns)
    return table


def _outside(lines: list[bytes], first: int, last: int, inner: list[tuple[int, int]]) -> list[bytes]:
    outside: list[bytes] = []
    for begin, end in inner:
        outside += lines[first : min(begin, last)]
        first = end + 1
    return outside + lines[first:last]


def _lines(content: bytes) -> list[bytes]:
    """Return the logical lines, without folds and soft breaks. Bytes are unfolded, because a fold may split a character.

    :raises TooManyRows:
    """
    logical: list[bytes] = []
    line_so_far = bytearray()
    soft = packed = False
    for ended in io.BytesIO(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")):
        line = ended.rstrip(b"\n")
        if soft:
            # After a soft break the line is taken as it is: a leading blank is part of the text.
            line_so_far += line
            soft = line.endswith(b"=")
        elif line[:1] in {b" ", b"\t"} and (line_so_far or logical):
            line_so_far += line[1:]
        elif packed and _BASE64.fullmatch(line) and b":" not in line:
            line_so_far += line.strip()
        else:
            _end_line(logical, line_so_far)
            line_so_far = bytearray(line)
            head = line.partition(b":")[0].upper()
            soft = line.endswith(b"=") and b"QUOTED-PRINTABLE" in head
            packed = b"BASE64" in head or b"ENCODING=B" in head
        if soft:
            del line_so_far[-1:]
    _end_line(logical, line_so_far)
    return logical


def _end_line(logical: list[bytes], line: bytearray) -> None:
    if len(logical) >= MOST_LINES:
        raise TooManyRows
    if line.strip():
        logical.append(bytes(line))


def _cards(lines: list[bytes]) -> Iterator[tuple[int, int, list[tuple[int, int]], bool]]:
    """Yield the outer cards: first line, line after the last, nested lines, and whether the card is closed.

    1. BEGIN and END pair like brackets. 2. An inner card is nested if an agent is announced, or if the outer card continues
    after it. If another card follows, the outer card was cut off.

    :raises NestedTooDeep: the nesting is deeper than 20.
    """
    marks: list[tuple[int, bool, bool]] = []
    for at, line in enumerate(lines):
        mark = line.strip().upper() if len(line) < 60 else b""
        if mark.startswith((b"BEGIN:", b"END:")):
            marks.append((at, mark.startswith(b"BEGIN:"), mark.endswith(b":VCARD")))
    partner = _paired(marks)
    following = {at: (marks[n + 1] if n + 1 < len(marks) else None) for n, (at, _, _) in enumerate(marks)}
    depths: list[int] = []  # where what is nested and open ends
    begins = [(at, is_card) for at, is_begin, is_card in marks if is_begin]
    starts: list[tuple[int, bool, list[tuple[int, int]]]] = []
    end_of_outer = -1
    for at, is_card in begins:
        while depths and depths[-1] < at:
            depths.pop()
        end = partner.get(at)
        outer_open = bool(starts) and (end_of_outer > at or end_of_outer == -1)
        nested = outer_open and (not is_card or _announced(lines, at) or (end is not None and _goes_on(lines, end, following[end])))
        if nested:
            depths.append(end if end is not None else len(lines))
            if len(depths) >= MAX_NESTING:
                raise NestedTooDeep
            if len(depths) == 1:
                starts[-1][2].append((at, end if end is not None else len(lines)))
            continue
        depths.clear()
        starts.append((at, is_card, []))
        end_of_outer = -1 if end is None else end
    for n, (at, is_card, inner) in enumerate(starts):
        end = partner.get(at)
        following_start = starts[n + 1][0] if n + 1 < len(starts) else len(lines)
        closed = end is not None and end < following_start
        if is_card:
            yield at + 1, end if closed and end is not None else following_start, inner, closed


def _paired(marks: list[tuple[int, bool, bool]]) -> dict[int, int]:
    open_: list[int] = []
    partner: dict[int, int] = {}
    for at, is_begin, _ in marks:
        if is_begin:
            open_.append(at)
        elif open_:
            partner[open_.pop()] = at
    return partner


def _announced(lines: list[bytes], at: int) -> bool:
    before = next((line for line in reversed(lines[max(0, at - 3) : at]) if line.strip()), b"")
    return re.fullmatch(rb"(?:[\w-]+\.)?AGENT(?:;[^:]*)?:\s*", before, re.IGNORECASE) is not None


def _goes_on(lines: list[bytes], end: int, following: tuple[int, bool, bool] | None) -> bool:
    """Return whether a card continues after an inner card: with a property, or with its end."""
    until = following[0] if following else len(lines)
    return any(line.strip() for line in lines[end + 1 : until]) or (following is not None and not following[1])


def _read(card: _Card, lines: list[bytes], encoding: str) -> None:
    found: list[_Property] = []
    labels: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            continue
        read = _property(line, encoding)
        if read is None:
            card.refused["A line", UNREADABLE] = None
        elif read.name == "X-ABLABEL":
            label = read.text()
            labels[read.group] = (_LABEL.sub(r"\1", label)).upper()
        elif read.name == "AGENT":
            card.refused["Agent", NESTED] = None
        else:
            found.append(read)
    if any(LOST in read.value for read in found):
        card.problems.append(DAMAGED)
    if any(read.is_unknown for read in found):
        card.problems.append(IN_UNKNOWN_LETTERS)
    by_name: dict[str, list[_Property]] = {}
    for read in found:
        by_name.setdefault(read.name, []).append(read)
    kind = next((read.text().lower() for name in ("KIND", "X-ADDRESSBOOKSERVER-KIND") for read in by_name.get(name, [])), "")
    company = any(read.text().upper() == "COMPANY" for read in by_name.get("X-ABSHOWAS", []))
    if kind == "group":
        card.problems.append(A_GROUP)
    for read in sorted(found, key=lambda read: read.preference):
        _put(card, read, labels.get(read.group, "") if read.group else "")
    card.put("Notes", "\n".join(filter(None, card.notes)))
    _roles(card)
    _whose(card, kind=kind, company=company)


def _put(card: _Card, read: _Property, label: str) -> None:
    name, kinds = read.name, read.kinds | ({_KINDS[label]} if label in _KINDS else frozenset())
    if name == "N":
        for column, part in zip(_NAME, read.names(), strict=False):
            card.put(column, part)
    elif name == "ORG":
        organization, *units = [part for part in read.parts(_UNITS) if part] or [""]
        card.put("Organization", organization)
        card.put("Department", ", ".join(units))
    elif name == "TEL":
        card.put(_phone_column(kinds), _without_scheme(read.text()))
    elif name == "EMAIL":
        card.put("E-mail", _without_scheme(read.text()))
    elif name == "ADR":
        _put_address(card, read, kinds)
    elif name == "LABEL":
        if not ("HOME" in kinds and "WORK" not in kinds):
            card.put("Address label", " ".join(read.text().split()))
        else:
            card.put("Home address", "refused")
    elif name == "NOTE":
        card.notes.append(read.text())
    elif name in _TEXTS:
        card.put(_TEXTS[name], read.text())
    elif name in _NEVER:
        card.put(_NEVER[name], "refused" if read.value.strip() else "")
    elif name not in _PASSED_OVER and read.value.strip(" ;"):
        # Its name is reported, so that the column is refused; its value is dropped here.
        card.put(f"Card field {name[:40]}", "refused")


def _put_address(card: _Card, read: _Property, kinds: frozenset[str]) -> None:
    parts = dict(zip(_ADDRESS, read.parts(len(_ADDRESS)), strict=False))
    if not any(parts.values()):
        return
    if "HOME" in kinds and "WORK" not in kinds:
        card.put("Home address", "refused")
        return
    names = {part: f"Work {part.lower()}" for part in _ADDRESS}
    if not any(name in card.cells for name in names.values()):
        for part, text in parts.items():
            card.put(names[part], text)
        return
    if all(card.cells.get(names[part], "") == text for part, text in parts.items()):
        return
    box = parts["PO box"]
    line = [f"PO Box {box}" if box.isdigit() else box, *(parts.get(part, "") for part in ("Street", "Extended address", "City"))]
    line += [" ".join(filter(None, (parts.get("State"), parts.get("Postal code")))), parts.get("Country", "")]
    card.put("Work address formatted", ", ".join(filter(None, line)))


def _roles(card: _Card) -> None:
    # A role is the title of a card without one; the column is reported either way.
    if "Job title" not in card.cells and "Role" in card.cells:
        card.cells["Job title"] = card.cells.pop("Role")
    if "Address label" in card.cells:
        label = card.cells.pop("Address label")
        if not any(column.startswith("Work ") and column != "Work phone" and not column.startswith("Work phone") for column in card.cells):
            card.put("Work address formatted", label)
        else:
            # This property repeats the address in lines, as on an envelope.
            said = set(fold(" ".join(text for column, text in card.cells.items() if column.startswith("Work "))).split())
            if not set(fold(label).split()) <= said:
                card.put("Work address formatted", label)


def _whose(card: _Card, *, kind: str, company: bool) -> None:
    """Return whether a card is of a person, or of an organization only, without a person's name."""
    cells = card.cells
    own = kind in {"org", "organization", "location"}
    joined = " ".join(cells[column] for column in _NAME[:3] if cells.get(column))
    full, organization = cells.get("Full name", ""), cells.get("Organization", "")
    if not own:
        person = joined or ("" if company else full)
        if person and (not organization or fold(person) != fold(organization)) and not (company and not organization):
            return
        if not person and not organization and not company:
            return
    name = (full or organization if own else organization or full) or joined
    for column in ("Full name", "Organization", *_NAME):
        text = cells.pop(column, "")
        if not set(fold(text).split()) <= set(fold(name).split()):
            card.refused[column, "This card is of an organization; it has one name, and no person's."] = None
    if name:
        cells["Organization"] = name


def _add(table: Table, columns: dict[str, None], card: _Card, number: int) -> None:
    cells = {column: text if len(text) <= MAX_CELL else text[:MAX_CELL] for column, text in card.cells.items() if text}
    # Empty cards make no row.
    if not cells and not card.refused:
        return
    if len(table.rows) >= MAX_ROWS:
        raise TooManyRows
    for column in list(cells):
        if column not in columns:
            if len(columns) >= MAX_COLUMNS:
                del cells[column]
                card.refused[column, _TOO_MANY] = None
            else:
                columns[column] = None
    table.rows.append(Row(None, number, cells, refused=tuple(card.refused), problems=tuple(card.problems)))


def _property(line: bytes, encoding: str) -> _Property | None:
    text = _decoded(line, encoding)
    found = _PROPERTY.fullmatch(text)
    if not found or found[3].count(";") > _MOST_PARAMETERS:
        return None
    group, name, value = (found[1] or "").upper(), found[2].upper(), found[4]
    kinds: set[str] = set()
    charset, quoted, preference = "", False, 101
    for parameter in _PARAMETER.finditer(found[3]):
        key, equals, setting = parameter[1].partition("=")
        key, setting = (key.strip().upper(), setting.strip().strip('"')) if equals else ("TYPE", key.strip())
        if key == "TYPE":
            kinds.update(kind for word in _WORD.finditer(setting) if (kind := word[0].strip().upper()) in _MEANT)
            quoted = quoted or setting.upper() == "QUOTED-PRINTABLE"
        elif key == "ENCODING":
            quoted = quoted or setting.upper() == "QUOTED-PRINTABLE"
        elif key == "CHARSET":
            charset = setting
        elif key == "PREF" and setting.isdigit():
            preference = min(preference, int(setting))
    if "PREF" in kinds:
        preference = 1
    codec = character_set(charset) if charset else "cp1252 or utf-8"
    # A value in an unknown character set is shown as well as possible, and not imported.
    if quoted:
        value = _decoded(quopri.decodestring(_value_of(line)), codec or "utf-8")
    elif charset:
        value = _decoded(_value_of(line), codec or "utf-8")
    return _Property(name, frozenset(kinds), value, group, preference, codec is None)


def _decoded(raw: bytes, encoding: str) -> str:
    """Decode bytes; what is invalid in the encoding and in UTF-8 becomes U+FFFD."""
    if raw.isascii() and encoding not in SHIFTING:
        return raw.decode("ascii")
    for tried in ("utf-8", "cp1252") if encoding == "cp1252 or utf-8" else (encoding, "utf-8"):
        try:
            return raw.decode(tried)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def _value_of(line: bytes) -> bytes:
    """Return the value of a line: the part after the first colon outside quotation marks."""
    found = _HEAD.match(line)
    return line[found.end() :] if found else b""


_HEAD = re.compile(rb'(?:[^":]++|"[^"]*+")*+:')

_KINDS = {
    "MOBILE": "CELL", "CELL": "CELL", "IPHONE": "CELL", "CAR": "CELL", "APPLE WATCH": "CELL", "HOME": "HOME", "WORK": "WORK", "MAIN": "MAIN",
    "HOMEFAX": "FAX", "WORKFAX": "FAX", "OTHERFAX": "FAX", "FAX": "FAX", "HOME FAX": "FAX", "WORK FAX": "FAX", "OTHER FAX": "FAX", "PAGER": "PAGER",
    "PERSONAL": "HOME", "PRIVATE": "HOME", "OFFICE": "WORK", "BUSINESS": "WORK", "COMPANY": "WORK",
}  # fmt: skip


_PAGERS = frozenset({"PAGER", "TEXTPHONE", "MODEM", "BBS", "ISDN", "TTY-TDD", "X-TTY"})
_MOBILES = frozenset({"CELL", "MOBILE", "IPHONE", "CAR"})
#: The types that affect the import; others are dropped.
_MEANT = _PAGERS | _MOBILES | {"FAX", "HOME", "WORK", "PREF"}


def _phone_column(kinds: frozenset[str]) -> str:
    if "FAX" in kinds:
        return "Fax"
    if kinds & _PAGERS:
        return "Pager"
    if kinds & _MOBILES:
        return "Mobile phone"
    if "HOME" in kinds and "WORK" not in kinds:
        return "Home phone"
    return "Work phone"


def _without_scheme(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() not in {"tel", "mailto", "sms"}:
        return text
    number, _, parameters = rest.partition(";")
    extension = next((part[4:] for part in parameters.split(";") if part.lower().startswith("ext=")), "")
    return f"{number} ext. {extension}" if extension else number if scheme.lower() != "mailto" else rest


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
