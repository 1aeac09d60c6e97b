"""What a row says, normalised: a person, how to reach them, the organization they work for, and an office of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from services.contacts.contract.imports import IMPORT_FIELDS
from services.contacts.domain.imports.offices import is_own_office, keys_of, names_of, title_of
from services.contacts.domain.imports.tables import Row
from services.lexicon.canonical import (
    canonical_address,
    canonical_contact_point,
    canonical_name,
    canonical_organization,
    canonical_phone,
    compared_as,
)
from services.lexicon.display import display_email, display_name, display_phone, display_postal_code, tidy
from services.lexicon.folding import even_signs, fold
from services.lexicon.names import PersonName, family_key, join_name, split_name
from services.lexicon.places import STATES, propose_state, state_code

#: As long as the same fields are when they are typed.
_LONGEST = {"salutation": 60, "office_street": 300, "office_postal_code": 20, "office_country": 100}
_USUAL = 200
#: Longer than no field may be.
_SHORT = min(*_LONGEST.values(), _USUAL)
_VALUE = 400
_OF_WORK_ADDRESS = frozenset(name for name in IMPORT_FIELDS if name.startswith("work_") and name != "work_phone")
_OF_OFFICE = frozenset(name for name in IMPORT_FIELDS if name.startswith("office_"))
_HOME = frozenset({"usa", "us", "united states", "united states of america", "u.s.a.", "u.s."})


@dataclass(frozen=True, slots=True)
class Office:
    """One office of an organization (R21, R22)."""

    label: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None

    def key(self) -> str:
        """Return what two spellings of one office have in common."""
        address = canonical_address(self.street or "", self.city or "", self.state or "", self.postal_code or "")
        return f"{address}|{canonical_phone(self.phone or '') or ''}"

    def to_wire(self) -> dict[str, Any]:
        """Return it as an organization's office is written."""
        return {
            "label": self.label,
            "address": {
                "street": self.street,
                "city": self.city,
                "state": self.state,
                "postal_code": self.postal_code,
                "country": self.country,
            },
            "phone": self.phone,
        }


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a record's person and organization are known again, as all of it is compared."""

    #: The person's name, and the one that their own office bears; the family name of each.
    names: tuple[PersonName, ...]
    families: tuple[str, ...]
    #: What their own office may be called, and whether the record's organization is that.
    offices: tuple[str, ...]
    own: bool
    organization: str
    title: str | None
    first_name: str
    canonical_name: str
    #: (family of kinds, canonical value)
    values: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Record:
    """A row, normalised; `problems` are sentences, and a row that has one is not imported.

    Without slots: its signs are worked out once.
    """

    sheet: str | None
    number: int
    name: PersonName
    title: str | None = None
    organization: str | None = None
    state: str | None = None
    #: The state was only proposed from an address; a column that says it goes before.
    state_proposed: bool = False
    interests: tuple[str, ...] = ()
    #: Kind, value, and the value as it is compared, where there is one.
    points: tuple[tuple[str, str, str | None], ...] = ()
    office: Office | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether there is a name in it; else it is about an organization alone."""
        return bool(self.name.last_name)

    @cached_property
    def signs(self) -> Signs:
        """Return by what it is known again."""
        own = is_own_office(self.organization, self.name.last_name)
        title = title_of(self.title, self.organization, own=own)
        names = names_of(self.name, self.title, self.organization, own=own)
        return Signs(
            names=names,
            families=tuple(family_key(name.last_name) for name in names),
            offices=keys_of(self.name, title if self.title else None, self.organization, own=own),
            own=own,
            organization=canonical_organization(self.organization) if self.organization else "",
            title=title,
            first_name=fold(self.name.first_name),
            canonical_name=canonical_name(self.name.first_name, self.name.last_name),
            values=values_of(self.points),
        )


def values_of(points: Iterable[tuple[str, str, str | None]]) -> frozenset[tuple[str, str]]:
    """Return the values of contact points as they are compared."""
    return frozenset((compared_as(kind), canonical) for kind, _, canonical in points if canonical)


@dataclass(slots=True)
class _Cells:
    """A row's cells by field; what is wrong with them is gathered."""

    by_field: dict[str, str]
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, row: Row, mapping: Mapping[str, str]) -> Self:
        return cls({field: tidy(row.cells[column]) for column, field in mapping.items() if column in row.cells})

    def get(self, name: str) -> str | None:
        text = self.by_field.get(name)
        if text and len(text) > _SHORT and len(text) > _LONGEST.get(name, _USUAL):
            self.problems.append(f"{name}: at most {_LONGEST.get(name, _USUAL)} characters.")
            return None
        return text or None

    def have(self, names: frozenset[str]) -> bool:
        return not names.isdisjoint(self.by_field)


def record_of(row: Row, mapping: Mapping[str, str]) -> Record:
    """Read a row by the mapping (column → field); never raises."""
    cells = _Cells.of(row, mapping)
    if row.too_long:
        cells.problems.append("The row has more cells than there are columns.")
    name = _name(cells)
    organization = even_signs(cells.get("organization") or "") or None
    if not name.last_name and not organization:
        cells.problems.append("The row has neither a name nor an organization.")
    if (not name.last_name and name.first_name) or (name.last_name and not family_key(name.last_name)):
        # What is nothing but signs can be compared with nothing: the same row again would be somebody else.
        cells.problems.append("last_name: missing.")
    points = _points(cells)
    office = _office(cells)
    if office and not organization:
        cells.problems.append("organization: missing; an office belongs to one.")
    state = _state(cells, "state")
    proposed = None
    if state is None and not cells.by_field.get("state"):
        # Once, from an address, and from then on it stands by itself (T18).
        address = next((value for kind, value, _ in points if kind == "work_address"), None)
        proposed = (office.state if office else None) or propose_state(address)
    return Record(
        sheet=row.sheet,
        number=row.number,
        name=name,
        title=cells.get("title"),
        organization=organization,
        state=state or proposed,
        state_proposed=state is None and proposed is not None,
        interests=tuple(part for part in map(str.strip, (cells.get("interests") or "").split(";")) if part),
        points=tuple(points),
        office=office,
        problems=tuple(cells.problems),
    )


def _name(cells: _Cells) -> PersonName:
    whole = cells.get("name")
    if whole and not cells.by_field.get("last_name"):
        name = split_name(whole)
    else:
        name = join_name(
            first=cells.get("first_name") or "",
            middle=cells.get("middle_name") or "",
            last=cells.get("last_name") or "",
            suffix=cells.get("suffix") or "",
        )
    if not name.last_name:
        # One word alone is a family name: there must be one.
        name = PersonName(name.salutation, "", name.first_name)
    salutation = cells.get("salutation") or name.salutation
    first, last = display_name(name.first_name), display_name(name.last_name, given=not name.first_name)
    for text, of in ((first, "first_name"), (last, "last_name")):
        if len(text) > _USUAL:
            cells.problems.append(f"{of}: at most {_USUAL} characters.")
    return PersonName(salutation[:60], first, last)


def _points(cells: _Cells) -> list[tuple[str, str, str | None]]:
    points: list[tuple[str, str]] = []
    for kind in ("cell", "personal_phone", "work_phone"):
        if text := cells.get(kind):
            if shown := display_phone(text):
                points.append((kind, shown))
            else:
                cells.problems.append(f"{kind}: not a phone number.")
    if text := cells.by_field.get("email"):
        shown = display_email(text)
        if shown and len(shown) <= 254:
            points.append(("email", shown))
        else:
            cells.problems.append("email: not an e-mail address.")
    if address := _work_address(cells):
        if len(address) > _VALUE:
            cells.problems.append(f"work_address: at most {_VALUE} characters.")
        else:
            points.append(("work_address", address))
    return [(kind, value, canonical_contact_point(kind, value)) for kind, value in points]


def _work_address(cells: _Cells) -> str | None:
    if not cells.have(_OF_WORK_ADDRESS):
        return None
    if whole := cells.by_field.get("work_address"):
        return one_line(split_address(whole))
    street = ", ".join(part for part in (cells.by_field.get("work_street"), cells.by_field.get("work_street_2")) if part)
    city, state = cells.by_field.get("work_city"), cells.by_field.get("work_state")
    postal_code = cells.by_field.get("work_postal_code")
    if not (street or city):
        return None
    # Some cards put all of the address into the street, and city and state once more beside it.
    inside = split_address(street)
    if inside.postal_code and not postal_code:
        return one_line(inside)
    return one_line(
        Office(
            street=street or None,
            city=city,
            state=state_code(state) or state,
            postal_code=display_postal_code(postal_code) if postal_code else None,
            country=_country(cells.by_field.get("work_country")),
        )
    )


def _office(cells: _Cells) -> Office | None:
    if not cells.have(_OF_OFFICE):
        return None
    office = Office()
    if whole := cells.get("office_address"):
        office = split_address(whole)
    # The suite goes with the street.
    street = ", ".join(part for part in (cells.get("office_street") or office.street, cells.get("office_suite")) if part)
    phone = None
    if text := cells.get("office_phone"):
        phone = display_phone(text)
        if phone is None:
            cells.problems.append("office_phone: not a phone number.")
    postal_code = cells.get("office_postal_code") or office.postal_code
    state = _state(cells, "office_state") if cells.by_field.get("office_state") else office.state
    office = Office(
        label=cells.get("office_label"),
        street=street or None,
        city=cells.get("office_city") or office.city,
        state=state,
        postal_code=display_postal_code(postal_code) if postal_code else None,
        country=_country(cells.get("office_country") or office.country),
        phone=phone,
    )
    return None if office == Office() else office


def _state(cells: _Cells, name: str) -> str | None:
    text = cells.by_field.get(name)
    if not text:
        return None
    code = state_code(text)
    if code is None:
        cells.problems.append(f"{name}: not a state or territory of the United States.")
    return code


def _country(text: str | None) -> str | None:
    return None if text is None or text.lower() in _HOME else text


def one_line(office: Office) -> str | None:
    """Write an address in one line, as it is put on an envelope, or None if there is nothing of it."""
    end = " ".join(part for part in (office.state, office.postal_code) if part)
    return ", ".join(part for part in (office.street, office.city, end, office.country) if part) or None


_TAGS = {"PlaceName": "city", "StateName": "state", "ZipCode": "postal_code", "CountryName": "country"}
#: Words that the parser takes for the beginning of a city, and that end a street.
_ENDS_OF_STREETS = re.compile(r"^(?:(?:Office )?(?:Building|Bldg\.?|Annex|Capitol|Plaza|Center|Tower|Floor)\s+)+", re.IGNORECASE)


def split_address(line: str) -> Office:
    """Split an address in one line into street, city, state and ZIP code; what it can't, it leaves in the street."""
    # Most addresses come in columns; the parser and its model are loaded for the first line that does not.
    import usaddress

    whole = tidy(line).rstrip(",")
    try:
        labelled = usaddress.parse(whole)
    except (ValueError, IndexError):
        return Office(street=whole or None)
    parts: dict[str, list[str]] = {}
    for token, label in labelled:
        parts.setdefault(_TAGS.get(label, "street"), []).append(token.strip())
    state = state_code(" ".join(parts.get("state", [])).strip(" ,."))
    city = " ".join(parts.get("city", [])).strip(" ,")
    postal_code = display_postal_code(" ".join(parts.get("postal_code", [])).strip(" ,"))
    if state not in STATES or not city:
        return Office(street=whole or None)
    street = " ".join(parts.get("street", [])).strip(" ,")
    if found := _ENDS_OF_STREETS.match(city):
        street, city = f"{street} {found[0].strip()}", city[found.end() :]
    # Only an address that is put together again as it was is known to be split rightly.
    again = canonical_address(f"{street} {city} {state} {postal_code}")
    if not city or again != canonical_address(f"{whole[: whole.rfind(parts['state'][0])]} {state} {postal_code}"):
        return Office(street=whole or None)
    return Office(street=street or None, city=city, state=state, postal_code=postal_code or None)
