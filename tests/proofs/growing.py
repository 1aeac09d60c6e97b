"""Every function that reads text from a request, found in the code, and texts that grow in it.

The fields of every request are found in the schemas, and functions that take a text in the modules of the product's rules.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import io
import pkgutil
import time
import typing
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from types import ModuleType, UnionType
from typing import Any, Union
from xml.sax.saxutils import escape

from marshmallow import fields, validate
from marshmallow.fields import Field

import gateway
import services
from services.chassis.validation import Closed
from services.contacts.contract.imports import IMPORT_FIELDS
from services.contacts.domain.imports.reading import read
from services.contacts.domain.imports.records import record_of
from services.contacts.domain.imports.tables import Row
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring
from services.contacts.usecases.imports.preparing import _block

#: What people write, and what attackers do: the beginning of a text, what is repeated in it, and its end.
ALPHABETS: dict[str, tuple[str, str, str]] = {
    "letters": ("", "a", ""),
    "capitals": ("", "A", "!"),
    "words": ("", "Dov ", ""),
    "digits": ("", "5", ""),
    "telephones": ("", "202-555-0147 ", ""),
    "spoken": ("", "two oh two ", ""),
    "spaces": ("a", " ", "b"),
    "blanks": ("", " \t\u00a0\u3000", "x"),
    "lines": ("", "\r\n", "x"),
    "dots": ("", ".", "a"),
    "labels": ("a@", "a.", ""),
    "ats": ("", "@", ""),
    "mailboxes": ("", "a@b.", ""),
    "spoken mailboxes": ("", "a at b dot ", ""),
    "dashes": ("", "-", "a"),
    "dashed digits": ("", "5-", "x"),
    "hyphens": ("a", "\u2010\u2013", "b"),
    "apostrophes": ("O", "'\u2019", ""),
    "quotes": ("", '"', ""),
    "brackets": ("", "(", ""),
    "pairs of brackets": ("", "()", ""),
    "angles": ("", "<", ""),
    "commas": ("", "a, ", ""),
    "semicolons": ("", ";", ""),
    "slashes": ("https://a", "/", ""),
    "questions": ("https://a?", "a=&", ""),
    "percent signs": ("https://", "%41", ""),
    "colons": ("", ":", ""),
    "stars": ("", "*", ""),
    "plus signs": ("", "+", "1"),
    "initials": ("", "J. ", "Smith"),
    "particles": ("", "de la ", ""),
    "honorifics": ("", "Dr. ", "Levi"),
    "suffixes": ("Levi ", "Jr., ", ""),
    "couples": ("", "Dov & ", ""),
    "persons": ("", "he is a ", ""),
    "terms": ("", "Muslim, ", ""),
    "births": ("", "born 01/01/19 ", ""),
    "streets": ("", "1 Main St ", ""),
    "states": ("", "TX 78701 ", ""),
    "dates": ("2026-01-01T", "0:", "Z"),
    "zones": ("2026-01-01T00:00:00.", "0", "+00:00"),
    "identifiers": ("", "0-", ""),
    "combining": ("", "e\u0301", ""),
    "marks": ("a", "\u0301", ""),
    "marks out of order": ("a", "\u0315\u0300", ""),
    "marks in one": ("a", "\u0f73\u0f35", ""),
    "narrow marks": ("a", "\uff9e\u0300", ""),
    "ligatures": ("", "\ufdfa", ""),
    "invisible": ("a", "\u200b", "b"),
    "overridden": ("", "\u202e", "a"),
    "Han": ("", "漢", ""),
    "Hangul": ("", "\u1100\u1161\u11a8", ""),
    "Arabic": ("", "مسلم ", ""),
    "Hebrew with points": ("", "\u05d9\u05b0\u05b9", ""),
    "Turkish": ("", "İı", ""),
    "Cyrillic": ("", "Иван ", ""),
    "full width": ("", "\uff11\uff0d", ""),
    "Arabic digits": ("", "\u0661", ""),
    "emoji": ("", "👩\u200d👩\u200d👧", ""),
    "controls": ("a", "\x00", ""),
    "punycode": ("a@xn--", "a-9", ".org"),
    "mixed": ("", "aA5 -.@,'(é漢\u0301\u202e😀", ""),
}


def grown(alphabet: str, size: int) -> str:
    """Return a text of so many characters."""
    begin, repeated, end = ALPHABETS[alphabet]
    inside = max(0, size - len(begin) - len(end))
    return (begin + (repeated * (inside // len(repeated) + 1))[:inside] + end)[:size]


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of a text: where it is, what it calls, and how long its text may be.

    :ivar made: builds the reader's input; this work is not measured.
    """

    where: str
    read: Callable[[Any], object]
    most: int
    made: Callable[[str], Any] = str


# --- fields of requests -------------------------------------------------------------------------------------------------


def modules(*packages: ModuleType) -> Iterator[ModuleType]:
    """Load the product's modules."""
    for package in packages:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "__main__", "testing", "green", "child"} & set(found.name.split(".")):
                yield importlib.import_module(found.name)


def _under(schema: type[Closed]) -> Iterator[type[Closed]]:
    for below in schema.__subclasses__():
        yield below
        yield from _under(below)


def schemas_of_requests() -> list[type[Closed]]:
    """Return the schemas of all requests."""
    list(modules(services, gateway))
    ours = [schema for schema in set(_under(Closed)) if schema.__module__.startswith(("services.", "gateway."))]
    return sorted(ours, key=lambda each: f"{each.__module__}.{each.__name__}")


def fields_of_requests(longest: int) -> Iterator[Reader]:
    """Yield every field of every request that may contain a text, and every name of one.

    :param longest: for a field without a limit, the length of a request's whole text.
    """
    for schema in schemas_of_requests():
        loader = schema()
        where = f"{schema.__module__}.{schema.__name__}"
        yield Reader(f"{where} (a name)", lambda text, loader=loader: loader.load({text: 1}), longest)  # type: ignore[misc]  # bound for each
        yield Reader(f"{where} (names)", loader.load, longest, lambda text: {f"{at}{text[at]}": 1 for at in range(len(text))})
        for name, field in loader.load_fields.items():
            known_as = field.data_key or name
            for inside, wrapped in _texts_in(field):
                yield Reader(
                    f"{where}.{known_as}{inside}",
                    lambda text, loader=loader, known_as=known_as, wrapped=wrapped: loader.load({known_as: wrapped(text)}),  # type: ignore[misc]  # bound for each
                    min(longest, 2 * (_limit(field) or longest)),
                )


def _limit(field: Field) -> int | None:
    limits = [most for most in (getattr(field, "most", None), *(each.max for each in field.validators if isinstance(each, validate.Length))) if most]
    return max(limits, default=None)


def _texts_in(field: Field) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """Yield the places of a field that may contain a text, and how to reach them; what is no text is read as text, too."""
    if isinstance(field, fields.List):
        for inside, wrapped in _texts_in(field.inner):
            yield f"[]{inside}", lambda text, wrapped=wrapped: [wrapped(text)]  # type: ignore[misc]  # bound for each
        yield "[many]", list
    elif isinstance(field, fields.Tuple):
        for at, inner in enumerate(field.tuple_fields):
            for inside, wrapped in _texts_in(inner):
                yield (
                    f"({at}){inside}",
                    lambda text, wrapped=wrapped, at=at: [wrapped(text) if n == at else None for n in range(len(field.tuple_fields))],
                )  # type: ignore[misc]  # bound for each
    elif isinstance(field, fields.Nested):
        for name, inner in field.schema.load_fields.items():
            for inside, wrapped in _texts_in(inner):
                body: Callable[[str], Any] = lambda text, wrapped=wrapped, name=inner.data_key or name: {name: wrapped(text)}  # type: ignore[misc]  # bound for each  # noqa: E731
                yield f".{name}{inside}", (lambda text, body=body: [body(text)]) if field.many else body  # type: ignore[misc]  # bound for each
    else:
        yield "", lambda text: text


# --- functions of a text ------------------------------------------------------------------------------------------------


def functions_of_texts(packages: tuple[ModuleType, ...], bounded: Collection[str], longest: int) -> Iterator[Reader]:
    """Yield the functions that take only texts; of several texts, each grows while the others are short.

    :param bounded: functions that are left out.
    """
    for module in modules(*packages):
        for name, function in sorted(vars(module).items()):
            plainly = inspect.unwrap(function) if callable(function) else None
            if not inspect.isfunction(plainly) or plainly.__module__ != module.__name__ or inspect.isgeneratorfunction(plainly):
                continue
            try:
                hints = typing.get_type_hints(plainly)
            except NameError:
                continue
            needed = [each.name for each in inspect.signature(plainly).parameters.values() if each.default is inspect.Parameter.empty]
            texts = [each for each in needed if _takes_text(hints.get(each))]
            if not texts or texts != needed or f"{module.__name__}.{name}" in bounded:
                continue
            for grows in texts:
                yield Reader(
                    f"{module.__name__}.{name}({grows})",
                    lambda text, plainly=plainly, needed=needed, grows=grows: _used(
                        plainly(**{each: text if each == grows else "Levi" for each in needed})
                    ),  # type: ignore[misc]  # bound for each
                    longest,
                )


def _takes_text(hint: object) -> bool:
    return hint is str or (typing.get_origin(hint) in {Union, UnionType} and str in typing.get_args(hint))


def _used(made: object) -> None:
    if inspect.isgenerator(made) or isinstance(made, Iterator):
        for _ in made:
            pass


# --- work ---------------------------------------------------------------------------------------------------------------

#: What takes less is not looked at more closely: nobody notices it, and a busy machine adds as much.
QUICK = 0.008
#: What two measurements show to grow by no more is not measured again.
PLAINLY = 2.2


def is_linear(reader: Reader, alphabet: str, size: int) -> float | None:
    """Return the factor by which the work grows if it is more than 2.5 for twice the text, else None.

    The work is the least CPU time of five, or of two if it is clearly less; short and long alternate. A finding is measured
    three times, and must hold for four times the text, too: filling the processor's cache grows more than twice, but once.
    """
    long = grown(alphabet, size)
    if _seconds(reader, long) < QUICK:
        return None
    short, ratio = grown(alphabet, size // 2), 0.0
    for _ in range(3):
        once = twice = 9.0
        for number in range(5):
            once, twice = min(once, _seconds(reader, short)), min(twice, _seconds(reader, long))
            if number == 1 and twice <= PLAINLY * once:
                return None
        ratio = twice / once
        if twice < QUICK or ratio <= 2.5:
            return None
    quarter = min(_seconds(reader, grown(alphabet, size // 4)) for _ in range(5))
    return ratio if twice > 2.5**2 * quarter else None


def _seconds(reader: Reader, text: str) -> float:
    given = reader.made(text)
    gc.disable()
    try:
        before = time.process_time()
        # What it refuses, or what it is not made for, is no matter here: how long it takes is.
        with contextlib.suppress(Exception):
            reader.read(given)
        return time.process_time() - before
    finally:
        gc.enable()


# --- files --------------------------------------------------------------------------------------------------------------


def cells_of_imports(longest: int) -> Iterator[Reader]:
    """Yield every field that an import's cell may be: read, screened, and in its form for the register and the ledger."""
    digests = Digests(Keyring([bytes(32)]))
    for name in IMPORT_FIELDS:
        mapping = {"Known": "organization" if name == "last_name" else "last_name", "Grown": name}

        def read_row(text: str, mapping: dict[str, str] = mapping) -> None:
            _block(0, [record_of(Row(None, 1, {"Known": "Levi", "Grown": text}), mapping)], digests, "ICE")

        yield Reader(f"a cell: {name}", read_row, longest)


def parts_of_files(longest: int) -> Iterator[Reader]:
    """Yield every place of a card, a table and a workbook that may contain a text."""
    for name in PROPERTIES:
        yield Reader(f"a card: {name}", lambda text, name=name: _read("a.vcf", _card(f"{name}:{text}")), longest)  # type: ignore[misc]  # bound for each
    yield Reader("a card: what it is of", lambda text: _read("a.vcf", _card(f"TEL;TYPE={text}:1")), longest)
    yield Reader("a card: its name", lambda text: _read("a.vcf", _card(f"{text}:1")), longest)
    yield Reader("a card: its label", lambda text: _read("a.vcf", _card(f"i.TEL:1\r\ni.X-ABLABEL:{text}")), longest)
    yield Reader("a table: a name", lambda text: _read("a.csv", f"Last name,{_quoted(text)}\nLevi,x\n"), longest)
    yield Reader("a table: a cell", lambda text: _read("a.csv", f"Last name,Notes\nLevi,{_quoted(text)}\n"), longest)
    yield Reader("a table: unquoted", lambda text: _read("a.csv", f"Last name,Notes\nLevi,{text}\n"), longest)
    for name, sheet in SHEETS.items():
        yield Reader(f"a workbook: {name}", lambda text, sheet=sheet: read("a.xlsx", workbook(*sheet(_escaped(text)))), longest)  # type: ignore[misc]  # bound for each


PROPERTIES = [
    *("FN", "N", "NICKNAME", "TEL", "EMAIL", "ADR", "ORG", "TITLE", "ROLE", "NOTE", "URL", "BDAY", "ANNIVERSARY", "PHOTO", "LOGO", "CATEGORIES"),
    *("AGENT", "KEY", "REV", "UID", "SOUND", "LABEL", "GEO", "TZ", "IMPP", "RELATED", "VERSION", "CHARSET", "X-FOO", "X-MANAGER", "item1.ADR"),
    *("ADR;TYPE=HOME", "ORG;CHARSET=utf-8", "NOTE;ENCODING=QUOTED-PRINTABLE", "PHOTO;ENCODING=B", "TEL;VALUE=uri"),
]
#: Rows of a sheet, shared texts.
SHEETS: dict[str, Callable[[str], tuple[str, str]]] = {
    "a cell": lambda text: (f'<row r="2"><c r="A2" t="inlineStr"><is><t>{text}</t></is></c></row>', ""),
    "a number": lambda text: (f'<row r="2"><c r="A2"><v>{text}</v></c></row>', ""),
    "a formula": lambda text: (f'<row r="2"><c r="A2"><f>{text}</f><v>1</v></c></row>', ""),
    "a place": lambda text: (f'<row r="2"><c r="{text}"><v>1</v></c></row>', ""),
    "a kind": lambda text: (f'<row r="2"><c r="A2" t="{text}"><v>1</v></c></row>', ""),
    "a row": lambda text: (f'<row r="{text}"><c r="A2"><v>1</v></c></row>', ""),
    "a shared text": lambda text: ('<row r="2"><c r="A2" t="s"><v>0</v></c></row>', f"<si><t>{text}</t></si>"),
}


def workbook(rows: str, shared: str = "") -> bytes:
    """Return a workbook of one sheet."""
    main, relations = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    leads = f'<Relationships xmlns="{package}"><Relationship Id="r%d" Type="{relations}/%s" Target="%s"/>'
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>Last name</t></is></c></row>'
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": leads % (1, "officeDocument", "xl/workbook.xml") + "</Relationships>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": leads % (1, "worksheet", "worksheets/sheet1.xml")
        + f'<Relationship Id="r2" Type="{relations}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{shared}</sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{head}{rows}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content.encode("utf-8", "surrogatepass"))
    return file.getvalue()


def _card(inside: str) -> str:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Levi;Dov\r\n{inside}\r\nEND:VCARD\r\n"


def _escaped(text: str) -> str:
    # What XML can't hold at all is refused before anything reads it.
    return escape(text.translate({code: None for code in range(32) if chr(code) not in "\t\n\r"}), {'"': "&quot;"})


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _read(name: str, content: str) -> None:
    read(name, content.encode())
