"""Normalize a row: a person, contact points, the organization they work for, and an office of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from services.contacts.domain.imports.addresses import ADDRESS_PARTS, Office, one_line, places_of, state_of, with_phone
from services.contacts.domain.imports.cells import LONGEST, USUAL, Cells, found_by, unseen
from services.contacts.domain.imports.layouts import layout_of
from services.contacts.domain.imports.offices import is_own_office, keys_of, names_of, title_of
from services.contacts.domain.imports.tables import Row
from services.lexicon.canonical import canonical_contact_point, canonical_name, canonical_organization, compared_as
from services.lexicon.display import display_name, tidy, tidy_lines
from services.lexicon.folding import even_signs, fold
from services.lexicon.mailboxes import mailboxes
from services.lexicon.names import family_key
from services.lexicon.places import STATES, propose_state
from services.lexicon.screening import screen, screen_address
from services.lexicon.splitting import PersonName, are_two_people, join_name, split_name, without_party
from services.lexicon.telephones import FAX, NO_VOICE, kind_said, telephones

NO_PERSON = "The row has no person; of an organization this is not held (R13)."
ANOTHER_NAME = "It says another name than the columns beside it."
PARTY = "It says a party, which is not held (R13); the rest of it is."
NO_STATE = "Not a state or territory of the United States."
ANOTHER_STATE = "It has no place of its own, and another column says another state."
ANOTHER_EXTENSION = "The same number stands here with another extension."


class Signs(Struct, frozen=True, array_like=True):
    """The values by which a record's person and organization are recognized, in the form that is compared."""

    #: The person's name and the name in their own office, with the family name of each.
    names: tuple[PersonName, ...]
    families: tuple[str, ...]
    #: The possible names of their own office, and whether it is the record's organization.
    offices: tuple[str, ...]
    own: bool
    organization: str
    title: str | None
    canonical_name: str
    #: (family of kinds, canonical value)
    values: frozenset[tuple[str, str]]


#: The version of the stored form of `Record` and `Signs`: blocks of another version are computed again.
FORM = 3
_NOT_GIVEN = Signs((), (), (), own=False, organization="", title=None, canonical_name="", values=frozenset())


class Record(Struct, frozen=True, array_like=True):
    """A normalized row. A row with `problems`, which are sentences, is not imported."""

    sheet: str | None
    number: int
    name: PersonName
    title: str | None = None
    organization: str | None = None
    organization_state: str | None = None
    state: str | None = None
    #: Whether the state comes from an address; a state column comes first.
    state_proposed: bool = False
    interests: tuple[str, ...] = ()
    #: The screened notes, without forbidden text.
    notes: tuple[str, ...] = ()
    #: Kind, value, and the compared form if there is one.
    points: tuple[tuple[str, str, str | None], ...] = ()
    offices: tuple[Office, ...] = ()
    problems: tuple[str, ...] = ()
    #: Parts of the row that are not imported: (column, reason), never the value (T30).
    refused: tuple[tuple[str, str], ...] = ()
    #: Computed if not given; stored with the record, because reading them is faster.
    signs: Signs = _NOT_GIVEN

    def __post_init__(self) -> None:
        """Compute the signs if they are not given."""
        if self.signs is _NOT_GIVEN:
            force_setattr(self, "signs", _signs_of(self))

    @property
    def is_person(self) -> bool:
        """Return whether the row has a name; otherwise it is about an organization only."""
        return bool(self.name.last_name)


def _signs_of(record: Record) -> Signs:
    own = is_own_office(record.organization, record.name.last_name)
    title = title_of(record.title, record.organization, own=own)
    names = names_of(record.name, record.title, record.organization, own=own)
    return Signs(
        names=names,
        families=tuple(family_key(name.last_name) for name in names),
        offices=keys_of(record.name, title if record.title else None, record.organization, own=own),
        own=own,
        organization=canonical_organization(record.organization) if record.organization else "",
        title=title,
        canonical_name=canonical_name(record.name.first_name, record.name.last_name),
        values=frozenset((compared_as(kind), canonical) for kind, _, canonical in record.points if canonical),
    )


def record_of(row: Row, mapping: Mapping[str, str]) -> Record:
    """Read a row by the mapping (column → field). It never raises."""
    cells = Cells(row, layout_of(mapping), list(row.problems), list(row.refused))
    if row.too_long:
        cells.problems.append("The row has more cells than there are columns.")
    organization = even_signs(cells.get("organization") or "") or None
    name = _name(cells, organization)
    if not name.last_name and not organization:
        cells.problems.append("The row has neither a name nor an organization.")
    if (not name.last_name and name.first_name) or (name.last_name and not family_key(name.last_name)):
        # A name of signs only can't be compared: the same row would become another person each time.
        cells.problems.append("last_name: missing.")
    person = bool(name.last_name)
    state, says_state = _state(cells, "state")
    organization_state, _ = _state(cells, "organization_state")
    work, offices, beside = places_of(cells)
    if person:
        points = _points(cells, work)
        if not organization:
            # An address without an organization is the work address of the person.
            points += _of_no_organization(cells, offices)
            offices = []
    else:
        offices += [Office(**{name: getattr(address, name) for name in ADDRESS_PARTS}) for address in _for_everybody(cells, work)]
        for number in cells.telephones("work_phone"):
            offices = with_phone(offices, number.shown)
        points, organization_state, state = [], organization_state or state or beside, None
        cells.refuse_all(_OF_PEOPLE, NO_PERSON)
    proposed = None
    if person and state is None and not says_state:
        # The state is derived from the address once, and then stays (T18).
        addresses = (value for kind, value in points if kind == "work_address")
        proposed = next((office.state for office in offices if office.state in STATES), None) or propose_state(next(addresses, None)) or beside
    told = {state, proposed, organization_state, *(address.state for address in (*work, *offices))}
    for field in ("work_state", "office_state"):
        for column, text in cells.of(field):
            if (code := state_of(text)) in STATES and code not in told:
                cells.refuse(column, ANOTHER_STATE)
    return Record(
        sheet=row.sheet,
        number=row.number,
        name=name,
        title=cells.get("title") if person else None,
        organization=organization,
        organization_state=organization_state,
        state=state or proposed,
        state_proposed=state is None and proposed is not None,
        interests=_interests(cells) if person else (),
        notes=_notes(cells) if person else (),
        points=_compared(cells, points),
        offices=tuple(dict.fromkeys(offices)),
        problems=tuple(cells.problems),
        refused=tuple(cells.refused),
    )


class Unseen(Struct, frozen=True, array_like=True):
    """A text about a person that screening stopped, and that may be kept with a reason."""

    column: str
    field: str
    text: str
    reason: str


def unseen_in(row: Row, mapping: Mapping[str, str]) -> list[Unseen]:
    """Return the texts about a person that screening stops in a row: salutation, title, interests and notes."""
    found = []
    for column, field in mapping.items():
        said = row.cells.get(column, "")
        if field in {"salutation", "title"}:
            texts = [tidy(said)]
        elif field == "interests":
            texts = _parts(tidy(said))
        else:
            texts = [tidy_lines(said)] if field == "notes" else []
        found += [Unseen(column, field, text, why) for text in texts if len(text) <= LONGEST["notes"] and (why := found_by(screen, text))]
    return found


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip() for part in text.replace(" ::: ", ";").split(";")) if part]


def _name(cells: Cells, organization: str | None) -> PersonName:
    whole, first, last = _bare(cells, "name"), _bare(cells, "first_name"), _bare(cells, "last_name")
    middle, suffix, salutation = _bare(cells, "middle_name"), _bare(cells, "suffix"), _bare(cells, "salutation")
    if whole and not last and not first and organization and fold(whole) == fold(organization):
        # Lists of organizations repeat the name of the organization as a person's name.
        whole = ""
    if whole and last:
        said = set(fold(f"{salutation} {first} {middle} {last} {suffix}").split())
        if not set(fold(whole).split()) <= said:
            _refuse_all(cells, "name", ANOTHER_NAME)
        whole = ""
    if not last and not whole and len(first.split()) > 1:
        whole, first = " ".join(filter(None, (first, middle, suffix))), ""
        middle = suffix = ""
    if whole:
        name = split_name(whole)
        for field, text in (("first_name", first), ("middle_name", middle), ("suffix", suffix)):
            if text and not set(fold(text).split()) <= set(fold(whole).split()):
                _refuse_all(cells, field, ANOTHER_NAME)
    else:
        name = join_name(first=first, middle=middle, last=last, suffix=suffix)
    if not name.last_name:
        # A single word is the family name, which is required.
        name = PersonName(name.salutation, "", name.first_name)
    if are_two_people(name.first_name):
        cells.problems.append("first_name: two people; give each a row of their own.")
    salutation = salutation or name.salutation
    if len(salutation) > LONGEST["salutation"]:
        cells.problems.append(f"salutation: at most {LONGEST['salutation']} characters.")
    shown = PersonName(salutation, display_name(name.first_name), display_name(name.last_name, given=not name.first_name))
    for text, of in ((shown.first_name, "first_name"), (shown.last_name, "last_name")):
        if len(text) > USUAL:
            cells.problems.append(f"{of}: at most {USUAL} characters.")
    return shown


def _bare(cells: Cells, field: str) -> str:
    """Return a part of a name, without a party after it, which is refused (R13)."""
    text = cells.get(field) or ""
    bare = without_party(text)
    if bare != text:
        _refuse_all(cells, field, PARTY)
    return bare


def _refuse_all(cells: Cells, field: str, reason: str) -> None:
    for column in cells.layout.fields.get(field, ()):
        if column in cells.row.cells:
            cells.refuse(column, reason)


def _for_everybody(cells: Cells, addresses: Iterable[Office]) -> list[Office]:
    """Return offices without what screening finds, because everybody sees them; a person's address stays."""
    shown, stopped = [], ""
    for address in addresses:
        clean = {part: why for part in ("street", "city", "country") if (why := found_by(screen_address, getattr(address, part) or ""))}
        shown.append(replace(address, **dict.fromkeys(clean)) if clean else address)
        stopped = stopped or next(iter(clean.values()), "")
    said = {word for address in shown for word in fold(one_line(address) or "").split()}
    for field in ("work_address", "work_street", "work_street_2", "work_po_box", "work_suite", "work_city", "work_country"):
        for column, text in cells.of(field):
            # The rest of the line is refused with it, and is reported too.
            if why := found_by(screen_address, text) or (stopped if not set(fold(text).split()) <= said else ""):
                cells.refuse(column, why)
    return shown


_OF_PEOPLE = ("salutation", "first_name", "middle_name", "suffix", "title", "interests", "notes", "cell", "personal_phone", "email")


def _points(cells: Cells, addresses: Iterable[Office]) -> list[tuple[str, str]]:
    points: dict[tuple[str, str], None] = {}
    for field in ("cell", "personal_phone", "work_phone"):
        for column, text in cells.of(field):
            said = _kind_beside(cells, column)
            if said in {"fax", "pager"}:
                cells.refuse(column, FAX if said == "fax" else NO_VOICE)
                continue
            read = telephones(text)
            for number in read.found:
                points[number.kind or said or field, number.shown] = None
            for reason in read.refused:
                cells.refuse(column, reason)
    for column, text in cells.of("email"):
        boxes = mailboxes(text)
        _kind_beside(cells, column)
        for address in boxes.found:
            points["email", address] = None
        for reason in boxes.refused:
            cells.refuse(column, reason)
    for place in addresses:
        if line := one_line(place):
            points["work_address", line] = None
    _kinds_without_values(cells)
    return list(points)


def _kind_beside(cells: Cells, column: str) -> str | None:
    """Return the kind of a value that the next column names."""
    kind = cells.layout.kinds.get(column)
    if kind is None or kind not in cells.row.cells:
        return None
    said = kind_said(cells.row.cells[kind])
    if said is None:
        cells.refuse(kind, "It says no kind that is known here.")
    return said or None


def _kinds_without_values(cells: Cells) -> None:
    beside: dict[str, bool] = {}
    for column, kind in cells.layout.kinds.items():
        beside[kind] = beside.get(kind, False) or column in cells.row.cells
    for kind, is_used in beside.items():
        if kind in cells.row.cells and not is_used:
            cells.refuse(kind, "There is no value beside it.")


def _of_no_organization(cells: Cells, offices: Iterable[Office]) -> list[tuple[str, str]]:
    points = []
    cells.refuse_all(["office_label"], "An office belongs to an organization; the row has none.")
    for office in offices:
        if line := one_line(office):
            points.append(("work_address", line))
        if office.phone:
            points.append(("work_phone", office.phone))
    return points


def _compared(cells: Cells, points: Iterable[tuple[str, str]]) -> tuple[tuple[str, str, str | None], ...]:
    """Return contact points with their compared form. Of a number with and without an extension, the longer one is kept."""
    found: dict[tuple[str, str | None], tuple[str, str, str | None]] = {}
    for kind, value in points:
        canonical = canonical_contact_point(kind, value)
        key = (compared_as(kind), canonical)
        before = found.get(key)
        if before is None or before[1] in value:
            found[key] = (before[0] if before else kind, value, canonical)
        elif value not in before[1] and compared_as(kind) == "phone":
            cells.refuse(_column_of(cells, value), ANOTHER_EXTENSION)
    return tuple(found.values())


def _column_of(cells: Cells, value: str) -> str:
    for field in ("cell", "personal_phone", "work_phone", "office_phone"):
        for column, text in cells.of(field):
            if any(number.shown == value for number in telephones(text).found):
                return column
    return "work_phone"


def _state(cells: Cells, field: str) -> tuple[str | None, bool]:
    """Return the code of a state, and whether the row has a state."""
    code, says = None, False
    for column, text in cells.of(field):
        says = True
        read = state_of(text)
        if read is None:
            cells.refuse(column, NO_STATE)
        elif code is None:
            code = read
        elif code != read:
            cells.refuse(column, "Another column says something else.")
    return code, says


def _interests(cells: Cells) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for column, text in cells.of("interests"):
        for part in _parts(text):
            if len(part) > USUAL:
                cells.refuse(column, f"At most {USUAL} characters.")
            elif why := found_by(screen, part):
                cells.refuse(column, why)
            else:
                found[part] = None
    return tuple(found)


def _notes(cells: Cells) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for column, text in cells.of("notes"):
        note = tidy_lines(cells.row.cells[column])
        if len(text) > LONGEST["notes"]:
            cells.refuse(column, f"At most {LONGEST['notes']} characters.")
        elif findings := screen(note):
            cells.refuse(column, unseen(findings))
        else:
            found[note] = None
    return tuple(found)
