"""Business cards (vCard 2.1, 3.0, 4.0) as a table; one card that can't be read does not take the rest.

A reader of our own, in one pass: the usual library takes milliseconds for each card, and a file may hold seventy
thousand. The tests hold the two against each other.
"""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass

from services.contacts.contract.imports import CellTooLong, NestedTooDeep, NotCards, TooManyRows
from services.contacts.domain.imports.tables import MAX_CELL, MAX_COLUMNS, MAX_NESTING, MAX_ROWS, Row, Table

#: What the parts of a structured name are called as columns, in vCard's order.
_NAME = ("Family name", "Given name", "Additional names", "Name prefix", "Name suffix")
_ADDRESS = ("PO box", "Extended address", "Street", "City", "State", "Postal code", "Country")
_SIMPLE = {
    "TITLE": "Job title",
    "NOTE": "Notes",
    "URL": "Web page",
    "BDAY": "Birthday",
    "GENDER": "Gender",
    "X-GENDER": "Gender",
    "ANNIVERSARY": "Anniversary",
    "PHOTO": "Photo",
    "CATEGORIES": "Categories",
    "IMPP": "Instant messaging",
}
_PASSED_OVER = frozenset({"VERSION", "BEGIN", "END", "PRODID", "REV", "UID", "SORT-STRING", "KIND", "SOURCE", "CLASS"})
_PROPERTY = re.compile(r"(?:[\w-]+\.)?([A-Za-z][\w-]*)((?:;(?:[^\":;]|\"[^\"]*\")*)*):(.*)", re.DOTALL)
_PARAMETER = re.compile(r";((?:[^\";]|\"[^\"]*\")*)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PARTS = re.compile(r"(?<!\\);")


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    kinds: frozenset[str]
    value: str

    def parts(self) -> list[str]:
        return [_unescaped(part).strip() for part in _PARTS.split(self.value)]

    def text(self) -> str:
        return _unescaped(self.value).strip()


def read_cards(text: str) -> Table:
    """Read cards; each becomes a row whose number is the card's.

    :raises NotCards, NestedTooDeep, TooManyRows, CellTooLong:
    """
    table = Table("vcf")
    columns: dict[str, None] = {}
    depth = number = 0
    lines: list[str] = []
    for line in _lines(text):
        mark = line.strip().upper() if len(line) < 60 else ""
        if mark.startswith("BEGIN:"):
            # A card that was never closed ends where the next one begins.
            if mark == "BEGIN:VCARD" and depth == 1:
                number = _add(table, columns, lines, number)
                lines, depth = [], 0
            depth += 1
            if depth > MAX_NESTING:
                raise NestedTooDeep
        elif mark.startswith("END:"):
            depth = max(0, depth - 1)
            if depth == 0:
                number = _add(table, columns, lines, number)
                lines = []
        elif depth == 1:
            lines.append(line)
    if depth:
        _add(table, columns, lines, number)
    if not table.rows:
        raise NotCards
    table.columns = list(columns)
    return table


def _lines(text: str) -> list[str]:
    """Return the logical lines: unfolded, and with the soft breaks of quoted-printable undone."""
    logical: list[list[str]] = []
    soft = False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if soft:
            logical[-1].append(line)
            soft = line.endswith("=")
        elif line[:1] in {" ", "\t"} and logical:
            logical[-1].append(line[1:])
        else:
            logical.append([line])
            soft = line.endswith("=") and "QUOTED-PRINTABLE" in line.upper()
        if soft:
            logical[-1][-1] = logical[-1][-1][:-1]
    return ["".join(parts) for parts in logical]


def _add(table: Table, columns: dict[str, None], lines: list[str], number: int) -> int:
    number += 1
    cells: dict[str, str] = {}
    for line in lines:
        if found := _property(line):
            _put(cells, found)
    # Nested cards and empty ones leave nothing.
    cells = {column: text for column, text in cells.items() if text}
    if not cells:
        return number
    if len(table.rows) >= MAX_ROWS:
        raise TooManyRows
    if any(len(text) * 4 > MAX_CELL and len(text.encode("utf-8", "replace")) > MAX_CELL for text in cells.values()):
        raise CellTooLong
    for column in cells:
        if column not in columns and len(columns) < MAX_COLUMNS:
            columns[column] = None
    table.rows.append(Row(None, number, {column: text for column, text in cells.items() if column in columns}))
    return number


def _property(line: str) -> _Property | None:
    found = _PROPERTY.fullmatch(line)
    if not found:
        return None
    name, value = found[1].upper(), found[3]
    kinds: set[str] = set()
    charset, quoted = "utf-8", False
    for parameter in _PARAMETER.findall(found[2]):
        key, equals, setting = parameter.partition("=")
        key, setting = (key.strip().upper(), setting.strip().strip('"')) if equals else ("TYPE", key.strip())
        if key == "TYPE":
            kinds.update(kind.strip().upper() for kind in setting.split(","))
            quoted = quoted or setting.upper() == "QUOTED-PRINTABLE"
        elif key == "ENCODING":
            quoted = quoted or setting.upper() == "QUOTED-PRINTABLE"
        elif key == "CHARSET":
            charset = setting
    if quoted:
        raw = quopri.decodestring(value.encode("utf-8", "replace"))
        try:
            value = raw.decode(charset)
        except (UnicodeDecodeError, LookupError):
            value = raw.decode("cp1252", "replace")
    return _Property(name, frozenset(kinds), value)


def _put(cells: dict[str, str], found: _Property) -> None:
    name = found.name
    if name == "N":
        for column, part in zip(_NAME, found.parts(), strict=False):
            cells.setdefault(column, part.replace(",", " ") if column in {"Additional names", "Name prefix"} else part)
    elif name == "FN":
        cells.setdefault("Full name", found.text())
    elif name == "ORG":
        cells.setdefault("Organization", found.parts()[0])
    elif name == "TEL":
        cells.setdefault(_phone_column(found.kinds), _without_scheme(found.text()))
    elif name == "EMAIL":
        _numbered(cells, "E-mail", _without_scheme(found.text()))
    elif name == "ADR":
        home = "HOME" in found.kinds and "WORK" not in found.kinds
        if home:
            cells.setdefault("Home address", "refused")
        else:
            for column, part in zip(_ADDRESS, found.parts(), strict=False):
                cells.setdefault(f"Work {column.lower()}", part)
    elif name in _SIMPLE:
        cells.setdefault(_SIMPLE[name], found.text() if name != "PHOTO" else "refused")
    elif name not in _PASSED_OVER:
        # Its name is told, so that it is refused by name; what it says is let go here already.
        cells.setdefault(f"Card field {name[:40]}", "refused")


def _phone_column(kinds: frozenset[str]) -> str:
    if "FAX" in kinds:
        return "Fax"
    if kinds & {"CELL", "MOBILE"}:
        return "Mobile phone"
    if "HOME" in kinds and "WORK" not in kinds:
        return "Home phone"
    return "Work phone"


def _numbered(cells: dict[str, str], column: str, text: str) -> None:
    if column not in cells:
        cells[column] = text
    elif cells[column] != text:
        cells.setdefault(f"{column} 2", text)


def _without_scheme(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    return rest if colon and scheme.lower() in {"tel", "mailto", "sms"} else text


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
