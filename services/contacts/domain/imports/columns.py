"""What each column is: proposed by its name, and refused by its name where the system must not hold it (R13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from services.contacts.contract.imports import NOT_TAKEN_IN, ColumnRefused, MappingIncomplete, MappingInvalid
from services.contacts.domain.imports.tables import Row
from services.lexicon.folding import fold
from services.lexicon.places import state_code

#: Field → the names under which it is found, folded; the first field that knows a name has it.
_NAMES: dict[str, str] = {
    "name": "name|full name|member|contact|contact name|person|display name|stakeholder|attendee|point of contact|poc|fn",
    "salutation": "salutation|prefix|name prefix|courtesy title|honorific|mr ms",
    "first_name": "first name|first|given name|forename|firstname|given|fname",
    "middle_name": "middle name|middle|additional names|middle initial|mi|middlename",
    "last_name": "last name|last|surname|family name|lastname|family|lname",
    "suffix": "suffix|name suffix|generation",
    "title": "title|job title|position|role|jobtitle|office held",
    "organization": "organization|organisation|company|employer|agency|org|firm|institution|affiliation|company name",
    "state": "state|state code|state or territory|represents",
    "interests": "interests|interest",
    "cell": "cell|cell phone|mobile|mobile phone|cell number|mobile number|cellphone|cellular|mobile phone number",
    "personal_phone": "home phone|personal phone|other phone|primary phone|home telephone",
    "work_phone": "work phone|business phone|phone|telephone|dc phone|direct phone|direct line|phone number|tel|work telephone|company main phone",
    "email": "e mail|email|e mail address|email address|mail|work email|business email|e mail 1 value",
    "work_address": "work address|business address|address|dc office|mailing address|full address|dc address",
    "work_street": "business street|work street|street address|business address street|address 1|address line 1",
    "work_street_2": "business street 2|work extended address|address 2|address line 2|work street 2",
    "work_city": "business city|work city|business address city",
    "work_state": "business state|work state|business address state",
    "work_postal_code": "business postal code|work postal code|business zip|work zip|business address postal code",
    "work_country": "business country region|work country|business country|business address country",
    "office_label": "office|office name|office label|location|branch",
    "office_address": "office address|district office|field office address",
    "office_street": "office street|street",
    "office_suite": "suite|office suite|room|unit|ste|suite room",
    "office_city": "office city|city|town",
    "office_state": "office state|st",
    "office_postal_code": "office zip|office postal code|zip|zip code|postal code|postcode|zipcode",
    "office_country": "office country|country",
    "office_phone": "office phone|district phone|main phone|office telephone|switchboard",
}

_NOT_HELD = "The system does not hold this."
#: Words in a column's name → (reason, requirement). The reason is shown to whoever imports.
_REFUSED: tuple[tuple[str, str, str], ...] = (
    (
        "party| political party| political affiliation| party affiliation| caucus party| pac",
        "Party affiliation is not held.",
        "R13",
    ),
    (
        "dob| date of birth| birth date| birthdate| birthday| birth| born| birthplace| age",
        "Dates of birth are not held.",
        "R193",
    ),
    (
        "gender| sex| pronouns",
        "Gender is not held.",
        "R193",
    ),
    (
        "race| ethnicity| ethnic group| religion| faith| denomination| tribe membership",
        "Race, ethnicity and religion are not documented.",
        "R41",
    ),
    (
        "nationality| citizenship| immigration status| country of birth| language| languages",
        "Such attributes are not documented.",
        "R41",
    ),
    (
        "fax| business fax| home fax| other fax| fax number| office fax| dc fax| telex| isdn| tty tdd phone",
        "Fax numbers are not held.",
        "R13",
    ),
    (
        "web site| website| web page| url| homepage| home page| personal web page| link| internet free busy",
        "Web sites of individuals are not held.",
        "R13",
    ),
    (
        "contact form| form| rss| twitter| facebook| youtube| instagram| linkedin| social media| instant messaging",
        "The system does not hold this.",
        "R13",
    ),
    (
        "ssn| social security number| passport| passport number| driver license| government id number| account|billing information",
        "Numbers that identify a person to others are not held.",
        "R193",
    ),
    (
        (
            "home address| home street| home street 2| home street 3| home city| home state| home postal code| home zip|"
            "home country region| home country| home address po box"
        ),
        "Only the work address is held, not where somebody lives.",
        "R34",
    ),
    (
        "spouse| children| anniversary| hobby| marital status| partner| family members| referred by",
        "The private life of a person is not held.",
        "R193",
    ),
    (
        "photo| picture| image| photograph",
        "Pictures are not held.",
        "R13",
    ),
    (
        "salary| income| health| disability| medical",
        "Such attributes are not held.",
        "R193",
    ),
)
_REFUSED_WORDS = {
    "dob": "R193", "birthday": "R193", "birth": "R193", "gender": "R193", "religion": "R41", "ethnicity": "R41", "race": "R41",
    "party": "R13", "fax": "R13", "ssn": "R193", "website": "R13", "url": "R13", "spouse": "R193", "passport": "R193",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RefusedColumn:
    """A column that the system must not hold, the reason in a sentence, and the requirement."""

    column: str
    reason: str
    requirement: str


@cache
def recognised() -> frozenset[str]:
    """Return the folded names of all columns that are known, proposed or refused; they tell where the header is."""
    return frozenset(_field_by_name()) | frozenset(_refusals()) | {"categories", "notes", "department", fold(NOT_TAKEN_IN)}


def refused(columns: Iterable[str]) -> list[RefusedColumn]:
    """Return those of these columns that the system must not hold (R13, R41, R193)."""
    return [found for column in columns if (found := _refusal(column))]


def propose(columns: Sequence[str], rows: Iterable[Row]) -> dict[str, str]:
    """Propose what each column is, by its name; of two columns for one field the first has it.

    `rows` tell whether Outlook's Categories are states. What is not proposed is left out.
    """
    names = {column: fold(column) for column in columns}
    taken: dict[str, str] = {}
    # Outlook calls the salutation "Title", and has "Job Title" beside it.
    has_job_title = "job title" in names.values()
    # An address in one column, and its parts: the column "State" beside a city is a part of the address only if
    # another column says whom the person speaks for.
    for column, name in names.items():
        if _refusal(column):
            continue
        field = _field_by_name().get(name)
        if name == "title" and has_job_title:
            field = "salutation"
        if field and field not in taken:
            taken[field] = column
    if "name" in taken and ("last_name" in taken or "first_name" in taken):
        del taken["name"]
    categories = next((column for column, name in names.items() if name == "categories"), None)
    if categories and "state" not in taken and _are_states(categories, rows):
        taken["state"] = categories
    mapping = {column: field for field, column in taken.items()}
    return {column: mapping[column] for column in columns if column in mapping}


def checked(mapping: Sequence[Mapping[str, str | None]], columns: Sequence[str], refused_columns: Iterable[RefusedColumn]) -> dict[str, str]:
    """Return a mapping as it was asked for: column → field.

    :raises ColumnRefused, MappingInvalid: by the column's name.
    """
    by_name = {refusal.column: refusal for refusal in refused_columns}
    found: dict[str, str] = {}
    for entry in mapping:
        column, field = entry["column"], entry["field"]
        if column is None or column not in columns:
            if column in by_name and field is not None:
                raise ColumnRefused(f"{column}: {by_name[column].reason} ({by_name[column].requirement})", extra={"column": column})
            if column in by_name:
                continue
            raise MappingInvalid("There is no such column.", errors={"mapping": [f"No column is called {str(column)[:60]!r}."]})
        if field is None:
            found.pop(column, None)
            continue
        if field in found.values():
            raise MappingInvalid("Two columns are mapped to the same field.", errors={"mapping": [f"Two columns are mapped to {field}."]})
        found[column] = field
    return found


def demand_enough(mapping: Mapping[str, str]) -> None:
    """:raises MappingIncomplete: neither a person's name nor an organization is in it."""
    if not is_enough(mapping):
        raise MappingIncomplete


def is_enough(mapping: Mapping[str, str]) -> bool:
    """Whether a row can become a person or an organization."""
    return bool({"name", "last_name", "organization"} & set(mapping.values()))


def _are_states(column: str, rows: Iterable[Row]) -> bool:
    values = {row.cells[column] for row in rows if column in row.cells}
    return bool(values) and all(state_code(value) for value in values)


@cache
def _field_by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for field, names in _NAMES.items():
        for name in names.split("|"):
            found.setdefault(name, field)
    return found


@cache
def _refusals() -> dict[str, tuple[str, str]]:
    return {fold(name): (reason, requirement) for names, reason, requirement in _REFUSED for name in names.split("|")}


def _refusal(column: str) -> RefusedColumn | None:
    name = fold(column)
    if name in _field_by_name():
        return None
    known = _refusals().get(name)
    if known is None and name.startswith("card field "):
        known = ("This is not among what the system holds.", "R13")
    if known is None:
        # "Member's party", "Fax 2": the telling word may stand among others.
        word = next((word for word in name.split() if word in _REFUSED_WORDS), None)
        if word:
            known = _refusals().get(word) or (_NOT_HELD, _REFUSED_WORDS[word])
    return RefusedColumn(column, *known) if known else None
