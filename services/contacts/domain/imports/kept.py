"""Store records between the check and the commit as plain lists, which are faster to read than to compute again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from services.contacts.domain.imports.addresses import Office
from services.contacts.domain.imports.records import Record, Signs, values_of
from services.lexicon.splitting import PersonName

#: The version of the form: records of another version are computed again.
FORM = 2


Name = tuple[str, str, str]
Texts = Sequence[str]
#: The stored form of a record: the fields of `Record`, and then those of `Signs` without the values.
KeptRecord = tuple[
    str | None,
    int,
    Name,
    str | None,
    str | None,
    str | None,
    str | None,
    bool,
    Texts,
    Texts,
    Sequence[tuple[str, str, str | None]],
    Sequence[Sequence[str | None]],
    Texts,
    Sequence[tuple[str, str]],
    Sequence[Name],
    Texts,
    Texts,
    bool,
    str,
    str | None,
    str,
    str,
]


def kept(record: Record) -> KeptRecord:
    """Return a record with its signs in the stored form."""
    signs = record.signs
    return (
        record.sheet,
        record.number,
        astuple_of(record.name),
        record.title,
        record.organization,
        record.organization_state,
        record.state,
        record.state_proposed,
        record.interests,
        record.notes,
        record.points,
        [astuple(office) for office in record.offices],
        record.problems,
        record.refused,
        [astuple_of(name) for name in signs.names[1:]],
        signs.families,
        signs.offices,
        signs.own,
        signs.organization,
        signs.title,
        signs.first_name,
        signs.canonical_name,
    )


def record_of_kept(written: KeptRecord) -> Record:
    """Return the record of a stored form."""
    # fmt: off
    (sheet, number, name, title, organization, its_state, state, proposed, interests, notes, said, addresses, problems, refused,
     names, families, offices, own, organization_key, title_key, first_name, canonical_name) = written
    # fmt: on
    person, points = PersonName(*name), tuple((kind, value, canonical) for kind, value, canonical in said)
    record = Record(
        sheet,
        number,
        person,
        title,
        organization,
        its_state,
        state,
        proposed,
        tuple(interests),
        tuple(notes),
        points,
        tuple(Office(*office) for office in addresses),
        tuple(problems),
        tuple((column, reason) for column, reason in refused),
    )
    # Fill the cached property of the instance.
    record.__dict__["signs"] = Signs(
        (person, *(PersonName(*other) for other in names)),
        tuple(families),
        tuple(offices),
        own,
        organization_key,
        title_key,
        first_name,
        canonical_name,
        values_of(points),
    )
    return record


def astuple_of(name: PersonName) -> tuple[str, str, str]:
    """Return the parts of a name. `dataclasses.astuple` copies deeply and takes ten times as long."""
    return name.salutation, name.first_name, name.last_name
