"""Read the cells of a row: skip empty ones, and refuse by column what can't be stored (T30)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.contacts.domain.imports.forbidden import is_number_of_person
from services.contacts.domain.imports.layouts import Layout
from services.contacts.domain.imports.tables import Row
from services.lexicon.display import tidy
from services.lexicon.folding import fold, words
from services.lexicon.screening import Finding, Screening, screen, screen_address, screen_organization_name, screen_person_name
from services.lexicon.telephones import Telephone, telephones

NOTHING = "It says that there is nothing."
NOT_WORKED_OUT = "It is not a value: a formula failed, or was never worked out."
OF_GOVERNMENT = "Numbers that identify a person to others are not held (R193)."

#: The same lengths as in the schemas for typed input.
LONGEST = {"salutation": 60, "office_street": 300, "office_postal_code": 20, "office_country": 100, "notes": 20_000, "interests": 400}
USUAL = 200

#: Words that people and programs write into empty cells.
_EMPTY = words(
    """
    n/a na n.a. n.a #n/a none null nil nan - -- --- ---- \u2013 \u2014 . .. ? ?? tbd tba unknown unkown [none] (none) <none> (null)
    <null> [blank] (blank) blank n/k not_available undefined missing xxx *
    """
) | {"not available", "not applicable", "not known", "no phone", "no email", "no e-mail", "none given", "not given", "not provided"}
#: Some of these words are names: there are people called Null, None and Na.
_EMPTY_AS_NAME = frozenset(text for text in _EMPTY if not text.isalpha())
_ERRORS = words("#ref! #value! #name? #div/0! #null! #num! #n/a #spill! #calc! #field! #blocked! #getting_data #error!")
_NAMES = frozenset({"name", "first_name", "middle_name", "last_name", "suffix"})
#: How shared fields are screened, as for typed input (T32). Notes and interests are screened separately.
SCREENED: Mapping[str, Screening] = {
    **dict.fromkeys(_NAMES, screen_person_name),
    **dict.fromkeys(("salutation", "title"), screen),
    **dict.fromkeys(("organization", "office_label"), screen_organization_name),
    **dict.fromkeys(("office_street", "office_suite", "office_city", "office_country", "office_address"), screen_address),
}
_WHO = frozenset({"name", "first_name", "last_name"})
#: In these columns a zero means empty.
_ZERO_MAY_BE = frozenset({"work_street", "work_street_2", "office_street", "office_suite", "notes", "work_po_box", "office_po_box"})


@dataclass(slots=True)
class Cells:
    """The cells of a row by the fields of a layout, with their problems."""

    row: Row
    layout: Layout
    problems: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, column: str, reason: str) -> None:
        """Refuse the text of a column; the reason does not repeat it."""
        if (column, reason) not in self.refused:
            self.refused.append((column, reason))

    def refuse_all(self, names: Iterable[str], reason: str) -> None:
        """Refuse the texts of all columns of these fields."""
        for name in names:
            for column, _ in self.of(name):
                self.refuse(column, reason)

    def telephones(self, name: str) -> Iterator[Telephone]:
        """Yield the telephone numbers in the columns of a field, and refuse what is none."""
        for column, text in self.of(name):
            read = telephones(text)
            yield from read.found
            for reason in read.refused:
                self.refuse(column, reason)

    def has(self, name: str) -> bool:
        """Return whether a column of this field has a text."""
        return any(column in self.row.cells for column in self.layout.fields.get(name, ()))

    def of(self, name: str) -> Sequence[tuple[str, str]]:
        """Yield the filled columns of a field with their texts."""
        columns = self.layout.fields.get(name)
        if columns is None:
            return ()
        cells = self.row.cells
        return [(column, text) for column in columns if column in cells and (text := self.said(column, name))]

    def said(self, column: str, name: str) -> str | None:
        """Return the text of a cell on one line, or None if it is empty or may not be stored."""
        text = tidy(self.row.cells[column])
        if len(text) <= 24 and (reason := _is_nothing(text, name)):
            self.refuse(column, reason)
            return None
        if len(text) == 11 and is_number_of_person(text):
            self.refuse(column, OF_GOVERNMENT)
            return None
        if (how := SCREENED.get(name)) and (why := found_by(how, text)):
            self.refuse(column, why)
            if name in _WHO:
                # A shortened name could be that of somebody else.
                self.problems.append(f"{name}: {why}")
            return None
        return text or None

    def get(self, name: str) -> str | None:
        """Return the text of the first column of a field; a text that is too long is refused."""
        found: str | None = None
        if name not in self.layout.fields:
            return None
        for column, text in self.of(name):
            if " ::: " in text:
                # Google joins several values of a field like this.
                text, *more = text.split(" ::: ")  # noqa: PLW2901 - the first of them
                if any(fold(other) != fold(text) for other in more):
                    self.refuse(column, "There are several; only the first is held.")
            if (most := LONGEST.get(name, USUAL)) < len(text):
                self.refuse(column, f"At most {most} characters.")
            elif found is None:
                found = text
            elif fold(found) != fold(text):
                self.refuse(column, "Another column says something else.")
        return found


def unseen(findings: Iterable[Finding]) -> str:
    """Return why a text is not imported; the sentence does not repeat the text."""
    return f"This must not be taken in unseen: {' '.join(dict.fromkeys(finding.why for finding in findings))}"


@lru_cache(maxsize=8192)
def found_by(how: Screening, text: str) -> str | None:
    """Return why a text is not imported. Results are cached, because many rows have the same title."""
    findings = how(text)
    return unseen(findings) if findings else None


def _is_nothing(text: str, name: str) -> str | None:
    lowered = text.lower()
    if lowered in _ERRORS:
        return NOT_WORKED_OUT
    if lowered in (_EMPTY_AS_NAME if name in _NAMES else _EMPTY):
        return NOTHING
    if text in {"0", "0.0", "0.00"} and name not in _ZERO_MAY_BE:
        return NOT_WORKED_OUT
    return None
