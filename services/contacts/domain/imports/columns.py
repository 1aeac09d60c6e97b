"""Propose a field for each column by its name and contents, and refuse forbidden columns (R13)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from services.contacts.contract.answers.imports import MappedColumn, RefusedColumnAnswer
from services.contacts.contract.imports import PLURAL_FIELDS, ColumnRefused, MappingIncomplete, MappingInvalid
from services.contacts.domain.imports import forbidden
from services.contacts.domain.imports.headers import field_of, plain_part_of
from services.contacts.domain.imports.tables import Rows
from services.lexicon.folding import fold, words
from services.lexicon.mailboxes import mailboxes
from services.lexicon.names import known_as
from services.lexicon.places import state_code
from services.lexicon.telephones import telephones

#: Fields whose column names are often used for other contents.
_VAGUE = frozenset({"name", "title", "organization", "notes", "office_label", "work_address", "work_phone", "personal_phone", "email", "cell"})
#: With one of these words, a column does not contain e-mail addresses or phone numbers.
_NOT_A_VALUE = words(
    "type label kind status opt out sent bounced consent verified valid date time count display owner id assistant assistants asst manager managers"
)

_SALUTATIONS = words("mr mrs ms miss mx dr prof hon rev sir madam the honorable reverend doctor")


def refused(columns: Iterable[str], rows: Rows | None = None) -> list[RefusedColumnAnswer]:
    """Return the forbidden columns (R13, R41, R193), by their names or contents."""
    found: list[RefusedColumnAnswer] = []
    for column in columns:
        reason = _refusal(column)
        if reason is None and rows and field_of(column) is None:
            reason = forbidden.by_contents(rows.sample(column))
        if reason:
            found.append({"column": column, "reason": reason[0], "requirement": reason[1]})
    return found


def propose(columns: Sequence[str], rows: Rows) -> dict[str, str]:
    """Propose a field for each column, by its name and contents.

    If two columns match a field that a person has only once, the first gets it. Other columns are not imported.
    """
    kept = [column for column in columns if not _refusal(column)]
    found = {column: field for column in kept if (field := field_of(column))}
    _by_contents(kept, rows, found)
    _titles(found, rows)
    _addresses(kept, found)
    taken: set[str] = set()
    mapping: dict[str, str] = {}
    for column in kept:
        field = found.get(column)
        if field and (field in PLURAL_FIELDS or field not in taken):
            mapping[column] = field
            taken.add(field)
    categories = next((column for column in kept if fold(column) == "categories"), None)
    if categories and "state" not in taken and _are_states(categories, rows):
        mapping[categories] = "state"
    return {column: mapping[column] for column in columns if column in mapping}


def checked(mapping: Sequence[MappedColumn], columns: Sequence[str], refused_columns: Iterable[RefusedColumnAnswer]) -> dict[str, str]:
    """Return the requested mapping, column → field. Several columns may have the same field if a person can have several values.

    :raises ColumnRefused, MappingInvalid: by the column's name.
    """
    by_name = {refusal["column"]: refusal for refusal in refused_columns}
    found: dict[str, str] = {}
    for entry in mapping:
        column, field = entry["column"], entry["field"]
        if column not in columns:
            if column in by_name and field is not None:
                raise ColumnRefused(f"{column}: {by_name[column]['reason']} ({by_name[column]['requirement']})", extra={"column": column})
            if column in by_name:
                continue
            raise MappingInvalid("There is no such column.", errors={"mapping": [f"No column is called {column[:60]!r}."]})
        if field is None:
            found.pop(column, None)
            continue
        if field not in PLURAL_FIELDS and field in found.values():
            raise MappingInvalid("Two columns are mapped to the same field.", errors={"mapping": [f"Two columns are mapped to {field}."]})
        found[column] = field
    return found


def require_enough(mapping: Mapping[str, str]) -> None:
    """Require a name of a person or an organization.

    :raises MappingIncomplete: the mapping has neither.
    """
    if not is_enough(mapping):
        raise MappingIncomplete


def is_enough(mapping: Mapping[str, str]) -> bool:
    """Return whether rows can become people or organizations."""
    return bool({"name", "last_name", "organization"} & set(mapping.values()))


def _by_contents(columns: Sequence[str], rows: Rows, found: dict[str, str]) -> None:
    """Return the field of a column by its contents, if its name is unknown or misleading."""
    for column in columns:
        field = found.get(column)
        if field is not None and field not in _VAGUE:
            continue
        if field is None and _NOT_A_VALUE & set(forbidden.words_of(column)):
            continue
        values = rows.sample(column)
        if not values:
            continue
        emails = sum("@" in value and bool(mailboxes(value).found) for value in values)
        if emails * 5 >= len(values) * 4 and field != "email":
            found[column] = "email"
        elif field in {"cell", "personal_phone", "work_phone"}:
            continue
        elif _are_phones(values):
            found[column] = "work_phone"
        elif field is None and "state" not in found.values() and len(values) > 1 and all(len(v) == 2 and state_code(v) for v in values):
            found[column] = "state"
    if not {"name", "last_name", "first_name", "organization"} & set(found.values()):
        _names_by_contents(columns, rows, found)


def _names_by_contents(columns: Sequence[str], rows: Rows, found: dict[str, str]) -> None:
    free = [column for column in columns if column not in found]
    for at, column in enumerate(free):
        values = rows.sample(column)
        given = sum(len(known_as(fold(value.split()[0]))) > 1 for value in values if value.split())
        if values and given * 3 >= len(values):
            one_word = sum(len(value.split()) == 1 for value in values) * 3 >= len(values) * 2
            if one_word and at + 1 < len(free):
                found[column], found[free[at + 1]] = "first_name", "last_name"
            elif not one_word:
                found[column] = "name"
            return


def _titles(found: dict[str, str], rows: Rows) -> None:
    # Outlook calls the salutation "Title" if it has a "Job Title" too. HubSpot has a separate "Salutation".
    titles = [column for column, field in found.items() if field == "title"]
    plain = next((column for column in titles if fold(column) == "title"), None)
    if plain is None or "salutation" in found.values():
        return
    values = rows.sample(plain)
    if any(fold(column) == "job title" for column in titles) or (values and all(set(fold(value).split()) <= _SALUTATIONS for value in values)):
        found[plain] = "salutation"


def _addresses(columns: Sequence[str], found: dict[str, str]) -> None:
    """Decide whose address the plain address columns are, and whether "Address" is the street or the whole address."""
    plain = {column: part for column in columns if column not in found and (part := plain_part_of(column))}
    fields = set(found.values())
    # Rows of offices have a suite or a label, so their other columns describe the office.
    person = bool({"name", "first_name", "last_name"} & fields)
    office = not person or bool({"office_suite", "office_label", "office_address", "office_state"} & fields)
    if office and person and "organization" not in fields:
        office = False
    for column, part in plain.items():
        found[column] = f"{'office' if office else 'work'}_{part}"
    cities = {stem(column) for column, field in found.items() if field in {"work_city", "office_city"}}
    for column, field in list(found.items()):
        if field in {"work_address", "office_address"} and "formatted" not in fold(column) and stem(column) in cities:
            beside = f"{'office' if office and stem(column) == '' else field.partition('_')[0]}_street"
            if beside not in {other for name, other in found.items() if stem(name) == stem(column)}:
                found[column] = beside
    # In a row of an office, the columns next to the city describe the office too.
    if office and "office_street" in found.values():
        for column, field in list(found.items()):
            if field in {"work_street", "work_street_2", "work_po_box"} and stem(column) == "":
                found[column] = {"work_street": "office_street", "work_street_2": "office_suite", "work_po_box": "office_po_box"}[field]


_QUALIFIERS = words("business work other mailing office organization company billing shipping primary agency headquarters hq district")
_GROUP = re.compile(r"^(?:address )?(\d+)(?= )")


@lru_cache(maxsize=4096)
def stem(column: str) -> str:
    """Return the address to which a part belongs, as in "Business Street 2" and "Business City", or "Address 2 - City"."""
    folded = fold(column)
    first, _, rest = folded.partition(" ")
    if first in _QUALIFIERS and rest:
        number = _GROUP.match(rest)
        return f"{first} {number[1]}" if number else first
    number = re.match(r"^(?:address|addr) (\d+) (?=\w)", folded)
    return number[1] if number else ""


def _are_states(column: str, rows: Rows) -> bool:
    values = {row.cells[column] for row in rows if column in row.cells}
    return bool(values) and all(state_code(value) for value in values)


def _are_phones(values: Sequence[str]) -> bool:
    alike = [value for value in values if sum(c.isdigit() for c in value) >= 7]
    return len(alike) * 5 >= len(values) * 4 and sum(bool(telephones(value).found) for value in alike) * 5 >= len(values) * 4


@lru_cache(maxsize=4096)
def _refusal(column: str) -> forbidden.Reason | None:
    if field_of(column) or plain_part_of(column):
        return None
    return forbidden.by_name(column)
