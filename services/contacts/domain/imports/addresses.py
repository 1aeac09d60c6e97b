"""Read the addresses of a row: a person's work address, and the offices of an organization (R21, R22, R34)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from services.contacts.domain.imports.cells import Cells
from services.contacts.domain.imports.layouts import Address
from services.lexicon.canonical import canonical_address, canonical_phone
from services.lexicon.display import tidy
from services.lexicon.folding import fold
from services.lexicon.places import STATES, state_code
from services.lexicon.postal import postal_code
from services.lexicon.telephones import kind_said

AT_HOME = "Only the work address is held, not where somebody lives (R34)."
NO_PLACE = "An address needs a street or a city."
_VALUE = 400
_HOME = frozenset({"usa", "us", "united states", "united states of america", "u.s.a.", "u.s."})
ADDRESS_PARTS = ("street", "city", "state", "postal_code", "country")


class Office(Struct, frozen=True, array_like=True):
    """An office of an organization (R21, R22)."""

    label: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None

    def key(self) -> str:
        """Return the key that two spellings of one office share."""
        address = canonical_address(self.street or "", self.city or "", self.state or "", self.postal_code or "")
        return f"{address}|{canonical_phone(self.phone or '') or ''}"


def places_of(cells: Cells) -> tuple[list[Office], list[Office], str | None]:
    """Return the work address, the offices, and a state that has no other part of an address."""
    work: list[Office] = []
    offices: list[Office] = []
    beside = None
    for group in cells.layout.addresses:
        address, state = _address(cells, group)
        beside = beside or state
        if address:
            (work if group.place == "work" else offices).append(address)
    work = _with_whole(cells, "work_address", work)
    offices = _with_whole(cells, "office_address", offices)
    if label := cells.get("office_label"):
        offices = [replace(offices[0], label=label), *offices[1:]] if offices else [Office(label=label)]
    for number in cells.telephones("office_phone"):
        offices = with_phone(offices, number.shown)
    return [address for address in work if _fits(cells, address)], offices, beside


def with_phone(offices: list[Office], phone: str) -> list[Office]:
    """Return the offices with a telephone added: to the first office without one, or as another office."""
    if any(office.phone == phone for office in offices):
        return offices
    free = next((at for at, office in enumerate(offices) if office.phone is None), None)
    if free is None:
        return [*offices, Office(phone=phone)]
    return [*offices[:free], replace(offices[free], phone=phone), *offices[free + 1 :]]


def state_of(text: str) -> str | None:
    """Return the code of a state that is written as "TX", "Texas", "TX - Texas" or "US-TX"."""
    if code := state_code(text):
        return code
    parts = [part for part in re.split(r"[-/(),]| {2,}", text) if part.strip() and part.strip().upper() not in {"US", "USA"}]
    codes = {state_code(part) for part in parts}
    return codes.pop() if len(codes) == 1 and len(parts) <= 3 else None


def _fits(cells: Cells, address: Office) -> bool:
    if len(one_line(address) or "") <= _VALUE:
        return True
    cells.refuse_all(("work_address", "work_street", "work_street_2", "work_city"), f"An address has at most {_VALUE} characters.")
    return False


def _refuse(cells: Cells, found: Iterable[tuple[str, str]], why: str) -> None:
    for column, _ in found:
        cells.refuse(column, why)


def _address(cells: Cells, group: Address) -> tuple[Office | None, str | None]:
    """Return an address of a row, or the state if it is the only part."""
    said: dict[str, list[tuple[str, str]]] = {}
    present = cells.row.cells
    for part, columns in group.parts.items():
        for column in columns:
            if column in present and (text := cells.said(column, f"{group.place}_{part}")):
                said.setdefault(part, []).append((column, text))
    if not said:
        return None, None
    if group.kind and kind_said(present.get(group.kind, "")) == "personal_phone":
        _refuse(cells, (each for part in said.values() for each in part), AT_HOME)
        return None, None
    texts = {part: ", ".join(dict.fromkeys(text for _, text in found)) for part, found in said.items()}
    box = texts.get("po_box")
    lines = (f"PO Box {box}" if box and box.isalnum() else box, texts.get("street"), texts.get("street_2"), texts.get("suite"))
    street = ", ".join(dict.fromkeys(line for line in lines if line)) or None
    city, country = texts.get("city"), _country(texts.get("country"))
    state = state_of(texts["state"]) or texts["state"] if "state" in texts else None
    if group.place == "office" and state and state not in STATES and not country and state not in {"AA", "AE", "AP"}:
        _refuse(cells, said["state"], "Not a state or territory of the United States.")
        state = None
    code = None
    if "postal_code" in texts:
        for column, other in said["postal_code"][1:]:
            if other != said["postal_code"][0][1]:
                cells.refuse(column, "Another column says something else.")
        # A separate state column may repeat the code.
        near = state or _plain_state(cells, group)
        code, why = postal_code(said["postal_code"][0][1], state=near, country=country)
        if why:
            _refuse(cells, said["postal_code"], why)
        elif state is None and near in STATES:
            state = near
    elif state is None and city:
        state = _plain_state(cells, group)
    if not (street or city):
        if group.place == "office" and (state or code):
            return Office(state=state, postal_code=code, country=country), None
        for part, found in said.items():
            for column, _ in found:
                if part != "state" or state not in STATES:
                    cells.refuse(column, NO_PLACE)
        return None, state if state in STATES else None
    for field, text in (("street", street), ("city", city)):
        if text and len(text) > (300 if field == "street" else 200):
            for found in said.values():
                _refuse(cells, found, "It is too long for an address.")
            return None, None
    # Some cards repeat city and state after a street that has the whole address.
    if street and not code and _ENDS_IN_CODE.search(street):
        inside = split_address(street)
        whole = set(fold(one_line(inside) or "").split())
        if inside.postal_code and set(fold(f"{city or ''} {country or ''}").split()) <= whole and state in {None, inside.state}:
            return inside, None
    return Office(street=street, city=city, state=state, postal_code=code, country=country), None


_ENDS_IN_CODE = re.compile(r"\d{5}(?:-\d{4})?\W*$")


def _plain_state(cells: Cells, group: Address) -> str | None:
    """Return the state column that belongs to the plain address columns. The state that a person represents may be another."""
    if "state" in group.parts or len(cells.layout.addresses) > 1:
        return None
    field = "organization_state" if group.place == "office" and cells.has("organization_state") else "state"
    return next((state_of(text) for _, text in cells.of(field)), None)


def _with_whole(cells: Cells, field: str, addresses: list[Office]) -> list[Office]:
    """Add addresses from single cells, unless one repeats the parts of an address."""
    for column, text in cells.of(field):
        if (kind := cells.layout.kinds.get(column)) and kind_said(cells.row.cells.get(kind, "")) == "personal_phone":
            cells.refuse(column, AT_HOME)
            continue
        if len(text) > _VALUE:
            cells.refuse(column, f"An address has at most {_VALUE} characters.")
            continue
        for line in text.split(" ::: "):
            whole = split_address(line)
            if whole.postal_code and (why := postal_code(whole.postal_code, state=whole.state)[1]):
                cells.refuse(column, why)
                continue
            words = set(fold(line).split()) - {"united", "states", "usa", "us"}
            alike = next((at for at, each in enumerate(addresses) if words <= set(fold(one_line(each) or "").split())), None)
            partly = next((at for at, each in enumerate(addresses) if set(fold(one_line(each) or "").split()) < words), None)
            if alike is not None:
                continue
            if partly is not None:
                addresses[partly] = replace(addresses[partly], **{name: getattr(whole, name) for name in ADDRESS_PARTS})
            else:
                addresses = [*addresses, whole]
    return addresses


def _country(text: str | None) -> str | None:
    return None if text is None or text.lower() in _HOME else text


def one_line(office: Office) -> str | None:
    """Return an address in one line, as on an envelope, or None if it is empty."""
    end = " ".join(part for part in (office.state, office.postal_code) if part)
    return ", ".join(part for part in (office.street, office.city, end, office.country) if part) or None


_TAGS = {"PlaceName": "city", "StateName": "state", "ZipCode": "postal_code", "CountryName": "country"}
#: Words that end a street, but that the parser takes for the start of a city.
_ENDS_OF_STREETS = re.compile(r"^(?:(?:Office )?(?:Building|Bldg\.?|Annex|Capitol|Plaza|Center|Tower|Floor)\s+)+", re.IGNORECASE)


#: The most characters of a one-line address.
_LONGEST_LINE = 500


def split_address(line: str) -> Office:
    """Split a one-line address into street, city, state and ZIP code. What can't be split stays in the street."""
    whole = tidy(line).rstrip(",")
    # The parser's time grows with the square of the hyphens in a word.
    if len(whole) > _LONGEST_LINE:
        return Office(street=whole)
    # Most files have address columns, so the parser and its model are loaded on first use.
    import usaddress

    try:
        labelled = usaddress.parse(whole)
    except (ValueError, IndexError):
        return Office(street=whole or None)
    parts: dict[str, list[str]] = {}
    for token, label in labelled:
        parts.setdefault(_TAGS.get(label, "street"), []).append(token.strip())
    state = state_code(" ".join(parts.get("state", [])).strip(" ,."))
    city = " ".join(parts.get("city", [])).strip(" ,")
    postal_code = " ".join(parts.get("postal_code", [])).strip(" ,")
    if state not in STATES or not city:
        return Office(street=whole or None)
    street = " ".join(parts.get("street", [])).strip(" ,")
    if found := _ENDS_OF_STREETS.match(city):
        street, city = f"{street} {found[0].strip()}", city[found.end() :]
    # A split is accepted only if its parts make up the same address again.
    again = canonical_address(f"{street} {city} {state} {postal_code}")
    if not city or again != canonical_address(f"{whole[: whole.rfind(parts['state'][0])]} {state} {postal_code}"):
        return Office(street=whole or None)
    return Office(street=street or None, city=city, state=state, postal_code=postal_code or None)
