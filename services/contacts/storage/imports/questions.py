"""What a block of rows asks of the database: who and what is there already (T23), and what is locked meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.contacts.domain.imports.addresses import Office
from services.contacts.domain.imports.matching import Person
from services.contacts.domain.imports.records import Record
from services.contacts.domain.imports.register import MOST_COLLEAGUES, MOST_HOLDERS, Organization, Register, families_besides, swapped, words_of
from services.contacts.storage.bulk import array, array_of_bytes, as_list, texts
from services.contacts.storage.digests import Digests
from services.contacts.storage.frozen import OPEN
from services.lexicon.canonical import compared_as

# Text SQL: one statement asks about a whole block, with a plan that a test checks.

#: Where an import says that a state was only proposed from an address.
STATE_PROPOSED = "state-proposed"


@dataclass(frozen=True, slots=True)
class Questions:
    """What a block's records ask, as statements take it: nothing but computing, done beforehand."""

    #: By which organizations and people are found, and whose names are held.
    organizations: str
    families: str
    offices: str
    held_organizations: str
    held_people: str
    #: The names with their fields swapped, and by which own values somebody is reached, whatever they are called.
    names: str
    reached: str
    #: Who works where a record says and bears a word of its name: organizations, and beside each a given name.
    workplaces: str
    givens: str
    #: Notes that the records bring, by which known ones are found.
    notes: str
    #: By which own values are found; and what digests each value (family of kinds, canonical) has, the first of them in use.
    lookups: str
    digests: Mapping[tuple[str, str], list[bytes]]

    @classmethod
    def of(cls, records: Sequence[Record], digests: Digests, component: str) -> Self:
        """Work out what these records ask."""
        organizations = sorted({record.signs.organization for record in records if record.organization})
        people = [record for record in records if record.is_person]
        colleagues = sorted({(record.signs.organization, given) for record in people if record.organization for given in words_of(record)})
        values = {value: digests.lookups(component, *value) for record in records for value in record.signs.values}
        return cls(
            organizations=as_list(organizations),
            families=as_list(sorted({key for record in people for key in (*record.signs.families, *families_besides(record))} - {""})),
            offices=as_list(sorted({key for record in people for key in record.signs.offices})),
            held_organizations=as_list(f"organization {name}" for name in organizations),
            held_people=as_list(f"individual {name}" for name in sorted({record.signs.canonical_name for record in people})),
            names=as_list(sorted({swapped(record) for record in people} - {""})),
            reached=array_of_bytes(digest for (family, _), made in values.items() if family != "work_address" for digest in made),
            workplaces=as_list(organization for organization, _ in colleagues),
            givens=as_list(given for _, given in colleagues),
            notes=as_list(sorted({note for record in people for note in record.notes})),
            lookups=array_of_bytes(digest for made in values.values() for digest in made),
            digests=values,
        )


_HOLD_NAMES = text(
    "SELECT count(pg_advisory_xact_lock(k)) FROM (SELECT DISTINCT hashtextextended(n, :seed) AS k"  # noqa: S608 - put together from our own constants
    f" FROM unnest({texts('names')}) AS n ORDER BY 1) AS held"
)


def hold_names(work: UnitOfWork, asked: Questions) -> None:
    """Let nobody else enter these names until the end of the transaction; one import's block at a time.

    The names of the locks are those that entering by hand takes.
    """
    work.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('contacts imports', 3))"))
    for names, seed in ((asked.held_organizations, 1), (asked.held_people, 2)):
        work.execute(_HOLD_NAMES, {"names": names, "seed": seed})


def learn(work: UnitOfWork, register: Register, asked: Questions, *, component: str, import_id: str | None = None, checking: bool = False) -> None:
    """Take into the register whoever and whatever is meant: directory layer, and own values (T23).

    :param import_id: the import that asks: what it said before, or a later one, is not replaced by it.

    :param checking: leave frozen people out: that somebody is blocked is told after a commit alone (T35).
    """
    _learn_organizations(work, register, asked)
    reached = [str(row.individual_id) for row in work.execute(_REACHED, {"lookups": asked.reached, "component": component, "most": MOST_HOLDERS})]
    beside = {"workplaces": asked.workplaces, "givens": asked.givens, "most": MOST_COLLEAGUES}
    reached += [str(row.id) for row in work.execute(_COLLEAGUES, beside)]
    given = {"families": asked.families, "offices": asked.offices, "names": asked.names, "reached": array(reached), "component": component}
    people = [row for row in work.execute(_PEOPLE, given).mappings() if not (checking and row["frozen"])]
    if not people:
        return
    proposed = _proposed(work, [row["id"] for row in people])
    values, replaced = _own_values(work, asked, [row["id"] for row in people], component=component)
    settled = _settled(work, [row["id"] for row in people], import_id) if import_id else {}
    notes = _notes(work, asked, [row["id"] for row in people])
    for row in people:
        person = Person(
            id=row["id"],
            first_name=row["first_name"],
            last_name=row["last_name"],
            salutation=row["salutation"],
            title=row["title"],
            state=row["state"],
            state_proposed=row["state"] is not None and proposed.get(row["id"]) == row["state"],
            organization_id=row["organization_id"],
            organization=row["organization"],
            interests=tuple(row["interests"]),
            declined=frozenset(row["declined"]),
            frozen=row["frozen"],
            own=row["owner_component"] == component,
            family=row["family_key"],
            canonical_name=row["canonical_name"],
            notes=notes.get(row["id"], set()),
            settled=settled.get(row["id"], set()),
            replaced=replaced.get(row["id"], set()),
        )
        register.learn_person(person, values.get(person.id, ()))


_PEOPLE = text(
    "SELECT i.id, i.first_name, i.last_name, i.salutation, i.title, i.state, i.organization_id, i.interests, i.declined,"  # noqa: S608 - put together from our own constants
    " i.family_key, i.canonical_name, i.owner_component, (i.frozen_at IS NOT NULL OR :component = ANY(i.frozen_for)) AS frozen,"
    " o.name AS organization"
    " FROM individuals i LEFT JOIN organizations o ON o.id = i.organization_id"
    f" WHERE i.family_key = ANY({texts('families')}) OR i.organization_id ="
    f" ANY(ARRAY(SELECT id FROM organizations WHERE canonical_name = ANY({texts('offices')})))"
    f" OR i.canonical_name = ANY({texts('names')}) OR i.id = ANY(CAST(:reached AS uuid[])) ORDER BY i.id"
)
# Whoever works there and bears that given name, unless many do.
_COLLEAGUES = text(
    "SELECT few.id FROM unnest("  # noqa: S608 - put together from our own constants
    f"{texts('workplaces')}, {texts('givens')}) AS a (workplace, given) JOIN organizations o ON o.canonical_name = a.workplace"
    " CROSS JOIN LATERAL (SELECT id, count(*) OVER () AS many FROM (SELECT id FROM individuals i"
    " WHERE i.organization_id = o.id AND split_part(i.canonical_name, ' ', 1) = a.given LIMIT :most + 1) AS found) AS few WHERE few.many <= :most"
)
# Whoever has one of these values, unless it is a switchboard's.
_REACHED = text(
    "SELECT held.individual_id FROM unnest(CAST(:lookups AS bytea[])) AS l (lookup) CROSS JOIN LATERAL"
    " (SELECT individual_id, count(*) OVER () AS many FROM (SELECT individual_id FROM contact_points p"
    " WHERE p.component = :component AND p.lookup = l.lookup LIMIT :most + 1) AS few) AS held WHERE held.many <= :most"
)


def _proposed(work: UnitOfWork, ids: Sequence[str]) -> dict[str, str]:
    rows = work.execute(
        text(
            "SELECT DISTINCT ON (subject_id) subject_id, detail FROM import_effects"
            " WHERE kind = :kind AND subject_id = ANY(CAST(:ids AS uuid[])) ORDER BY subject_id, n DESC"
        ),
        {"kind": STATE_PROPOSED, "ids": array(ids)},
    )
    return {str(row.subject_id): row.detail["state"] for row in rows}


# An office's telephone may be thousands of people's: only theirs are fetched whom the rows may mean by name. Whom they may
# mean are more than the values that the rows have, so these come first.
_OWN_VALUES = text(
    "SELECT held.individual_id, held.kind, l.lookup, held.replaced FROM"
    " (SELECT DISTINCT lookup FROM unnest(CAST(:lookups AS bytea[])) AS u (lookup)) AS l"
    " CROSS JOIN LATERAL (SELECT individual_id, kind, replaced_at IS NOT NULL AS replaced FROM contact_points p"
    " WHERE p.component = :component AND p.lookup = l.lookup OFFSET 0) AS held WHERE held.individual_id = ANY(CAST(:people AS uuid[]))"
)


def _own_values(
    work: UnitOfWork, asked: Questions, people: Sequence[str], *, component: str
) -> tuple[dict[str, set[tuple[str, str]]], dict[str, set[tuple[str, str]]]]:
    """Return by individual which values are held, as (kind, canonical); and of which another took the place, as (family, canonical)."""
    if not asked.digests:
        return {}, {}
    rows = work.execute(_OWN_VALUES, {"component": component, "lookups": asked.lookups, "people": array(people)})
    values = {digest: canonical for (_, canonical), made in asked.digests.items() for digest in made}
    found: dict[str, set[tuple[str, str]]] = {}
    replaced: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        canonical = values[bytes(row.lookup)]
        found.setdefault(str(row.individual_id), set()).add((row.kind, canonical))
        if row.replaced:
            replaced.setdefault(str(row.individual_id), set()).add((compared_as(row.kind), canonical))
    return found, replaced


# Which of two files is newer is told by their uploads; what the same one says once more, or a later one has said, stays.
_SETTLED = text(
    "SELECT e.subject_id, e.kind, e.detail FROM import_effects e JOIN imports m ON m.id = e.import_id"
    " JOIN imports own ON own.id = CAST(:import AS uuid) WHERE e.subject_id = ANY(CAST(:people AS uuid[]))"
    " AND ((e.import_id = own.id AND e.kind IN ('individual-created', 'changed'))"
    " OR (m.created_at > own.created_at AND m.component = own.component AND e.kind IN ('individual-created', 'changed', 'points-turned')))"
)


def _settled(work: UnitOfWork, people: Sequence[str], import_id: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in work.execute(_SETTLED, {"import": import_id, "people": array(people)}):
        said = {
            "individual-created": {"title", "organization_id"},
            "points-turned": {"work_address"},
            "changed": {"title", "organization_id"} & (row.detail or {}).get("to", {}).keys(),
        }[row.kind]
        found.setdefault(str(row.subject_id), set()).update(said)
    return found


def candidates_of(register: Register, records: Sequence[Record]) -> dict[str, list[Person]]:
    """Return whoever these records may mean, by id; nothing but computing."""
    found: dict[str, list[Person]] = {}
    for record in records:
        if record.is_person:
            for person in register.candidates(record):
                if not person.fresh:
                    found.setdefault(person.id, []).append(person)
    return found


def learn_kinds(work: UnitOfWork, candidates: Mapping[str, Sequence[Person]], *, component: str) -> None:
    """Let these know of which kinds the component holds values of theirs: one that differs contradicts (T28)."""
    if candidates:
        for row in work.execute(_KINDS, {"component": component, "people": array(candidates)}):
            for person in candidates[str(row.individual_id)]:
                person.kinds.add(row.kind)


_KINDS = text("SELECT DISTINCT individual_id, kind FROM contact_points WHERE component = :component AND individual_id = ANY(CAST(:people AS uuid[]))")


_NOTES = text(
    "SELECT individual_id, text FROM notes WHERE individual_id = ANY(CAST(:people AS uuid[]))"  # noqa: S608 - put together from our own constants
    f" AND text = ANY({texts('notes')})"
)


def _notes(work: UnitOfWork, asked: Questions, people: Sequence[str]) -> dict[str, set[str]]:
    """Return which of the notes that the rows bring are there already, of those that the importer may see."""
    if asked.notes == "[]":
        return {}
    found: dict[str, set[str]] = {}
    for row in work.execute(_NOTES, {"people": array(people), "notes": asked.notes}):
        found.setdefault(str(row.individual_id), set()).add(row.text)
    return found


_ORGANIZATIONS = text(
    "SELECT id, name, state, sector, group_ids FROM organizations"  # noqa: S608 - put together from our own constants
    f" WHERE canonical_name = ANY({texts('names')}) ORDER BY created_at, id"
)


def _learn_organizations(work: UnitOfWork, register: Register, asked: Questions) -> None:
    rows = work.execute(_ORGANIZATIONS, {"names": asked.organizations}).mappings().all()
    if not rows:
        return
    offices: dict[str, set[str]] = {}
    found = work.execute(
        text("SELECT organization_id, street, city, state, postal_code, phone FROM offices WHERE organization_id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": [row["id"] for row in rows]},
    )
    for office in map(dict, found.mappings()):
        organization_id = office.pop("organization_id")
        offices.setdefault(organization_id, set()).add(Office(**office).key())
    for row in rows:
        known = register.learn_organization(Organization(**row, offices=offices.get(row["id"], set())))
        known.offices |= offices.get(known.id, set())


def hold_people(work: UnitOfWork, ids: Iterable[str]) -> bool:
    """Hold these individuals' rows until the end of the transaction; say whether all are there and none is frozen."""
    wanted = sorted(set(ids))
    rows = work.execute(
        text(f"SELECT i.id FROM individuals i WHERE i.id = ANY(CAST(:ids AS uuid[])) AND {OPEN} ORDER BY i.id FOR NO KEY UPDATE"),  # noqa: S608 - our own constant
        {"ids": array(wanted)},
    ).all()
    return len(rows) == len(wanted)
