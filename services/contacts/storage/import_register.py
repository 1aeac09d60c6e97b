"""Who and what is there already, for a block of rows; and writing a block's plan in statements over sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.messages import chunks, new_id
from services.contacts.domain.imports.matching import Person, family_keys, office_keys
from services.contacts.domain.imports.planning import Plan
from services.contacts.domain.imports.records import Office, Record
from services.contacts.domain.imports.register import Organization, Register
from services.contacts.storage import directory
from services.contacts.storage.bulk import array, array_of_bytes, as_json, insert_rows, records
from services.contacts.storage.contact_layer import DIGEST, POINT, ContactLayer, ContactPoint
from services.contacts.storage.digests import Digests
from services.contacts.storage.rows import plains
from services.lexicon.canonical import canonical_name, canonical_organization
from services.lexicon.names import family_key

#: Where an import says that a state was only proposed from an address.
STATE_PROPOSED = "state-proposed"
#: People in one statement: what is sent for them is put together in the event loop.
_PART = 500


def hold_names(work: UnitOfWork, asked: Sequence[Record]) -> None:
    """Let nobody else enter these names until the end of the transaction; one import's block at a time.

    The names of the locks are those that entering by hand takes.
    """
    work.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('contacts imports', 3))"))
    organizations = {f"organization {record.organization_key}" for record in asked if record.organization}
    people = {f"individual {canonical_name(record.name.first_name, record.name.last_name)}" for record in asked if record.is_person}
    for names, seed in ((organizations, 1), (people, 2)):
        work.execute(
            text(
                "SELECT count(pg_advisory_xact_lock(k)) FROM (SELECT DISTINCT hashtextextended(n, :seed) AS k"
                " FROM unnest(CAST(:names AS text[])) AS n ORDER BY 1) AS held"
            ),
            {"names": sorted(names), "seed": seed},
        )


def learn(
    work: UnitOfWork,
    register: Register,
    records: Sequence[Record],
    *,
    digests: Digests,
    component: str,
    heavy: Callable[..., Any],
) -> None:
    """Take into the register whoever and whatever these records may mean: directory layer, and own values (T23).

    :param heavy: runs what is nothing but computing.
    """
    _learn_organizations(work, register, records)
    people = _people(work, records)
    if not people:
        return
    proposed = _proposed(work, [row["id"] for row in people])
    values = _own_values(work, heavy(_lookups, records, digests, component), component=component)
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
        )
        register.learn_person(person, values.get(person.id, ()))


def _people(work: UnitOfWork, records: Sequence[Record]) -> list[dict[str, Any]]:
    families = {key for record in records if record.is_person for key in family_keys(record)}
    offices = {key for record in records if record.is_person for key in office_keys(record)}
    rows = work.execute(
        text(
            "SELECT i.id, i.first_name, i.last_name, i.salutation, i.title, i.state, i.organization_id, i.interests, i.declined,"
            " i.frozen_at IS NOT NULL AS frozen, o.name AS organization"
            " FROM individuals i LEFT JOIN organizations o ON o.id = i.organization_id"
            " WHERE i.family_key = ANY(CAST(:families AS text[])) OR i.organization_id IN"
            " (SELECT id FROM organizations WHERE canonical_name = ANY(CAST(:offices AS text[]))) ORDER BY i.id"
        ),
        {"families": sorted(families), "offices": sorted(offices)},
    )
    return plains(rows.mappings())


def _proposed(work: UnitOfWork, ids: Sequence[str]) -> dict[str, str]:
    rows = work.execute(
        text(
            "SELECT DISTINCT ON (subject_id) subject_id, detail FROM import_effects"
            " WHERE kind = :kind AND subject_id = ANY(CAST(:ids AS uuid[])) ORDER BY subject_id, n DESC"
        ),
        {"kind": STATE_PROPOSED, "ids": array(ids)},
    )
    return {str(row.subject_id): row.detail["state"] for row in rows}


def _lookups(records: Sequence[Record], digests: Digests, component: str) -> dict[bytes, tuple[str, str]]:
    asked: dict[bytes, tuple[str, str]] = {}
    for record in records:
        for family, canonical in record.keys:
            for digest in digests.lookups(component, family, canonical):
                asked[digest] = (family, canonical)
    return asked


def _own_values(work: UnitOfWork, asked: Mapping[bytes, tuple[str, str]], *, component: str) -> dict[str, set[tuple[str, str]]]:
    if not asked:
        return {}
    rows = work.execute(
        text("SELECT individual_id, lookup FROM contact_points WHERE component = :component AND lookup = ANY(CAST(:lookups AS bytea[]))"),
        {"component": component, "lookups": array_of_bytes(asked)},
    )
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(str(row.individual_id), set()).add(asked[bytes(row.lookup)])
    return found


def _learn_organizations(work: UnitOfWork, register: Register, records: Sequence[Record]) -> None:
    names = {record.organization_key for record in records if record.organization}
    rows = plains(
        work.execute(
            text(
                "SELECT id, name, state, sector, group_ids FROM organizations"
                " WHERE canonical_name = ANY(CAST(:names AS text[])) ORDER BY created_at, id"
            ),
            {"names": sorted(names)},
        ).mappings()
    )
    if not rows:
        return
    offices: dict[str, set[str]] = {}
    for office in plains(
        work.execute(
            text("SELECT organization_id, street, city, state, postal_code, phone FROM offices WHERE organization_id = ANY(CAST(:ids AS uuid[]))"),
            {"ids": [row["id"] for row in rows]},
        ).mappings()
    ):
        organization_id = office.pop("organization_id")
        offices.setdefault(organization_id, set()).add(Office(**office).key())
    for row in rows:
        known = register.learn_organization(Organization(**row, offices=offices.get(row["id"], set())))
        known.offices |= offices.get(known.id, set())


def hold_people(work: UnitOfWork, ids: Iterable[str]) -> bool:
    """Hold these individuals' rows until the end of the transaction; say whether all are there and none is frozen."""
    wanted = sorted(set(ids))
    rows = work.execute(
        text("SELECT id FROM individuals WHERE id = ANY(CAST(:ids AS uuid[])) AND frozen_at IS NULL ORDER BY id FOR NO KEY UPDATE"),
        {"ids": array(wanted)},
    ).all()
    return len(rows) == len(wanted)


_FIELDS = ("salutation", "title", "state", "organization_id")


def fill(work: UnitOfWork, changes: Mapping[str, Mapping[str, Any]], *, now: datetime) -> None:
    """Set fields of many individuals in one statement; what is not named stays."""
    if not changes:
        return
    ids = list(changes)
    work.execute(
        text(
            "UPDATE individuals i SET salutation = coalesce(t.salutation, i.salutation), title = coalesce(t.title, i.title),"
            " state = coalesce(t.state, i.state), organization_id = coalesce(t.organization_id, i.organization_id),"
            " updated_at = :now, version = i.version + 1"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:salutation AS text[]), CAST(:title AS text[]), CAST(:state AS text[]),"
            " CAST(:organization_id AS uuid[])) AS t (id, salutation, title, state, organization_id) WHERE i.id = t.id"
        ),
        {"ids": ids, "now": now, **{name: [changes[id_].get(name) for id_ in ids] for name in _FIELDS}},
    )
    _set_interests(work, {id_: changed["interests"] for id_, changed in changes.items() if "interests" in changed})


_ENTERED = {
    "source": "text",
    "owner_id": "uuid",
    "owner_component": "text",
    "created_at": "timestamptz",
    "created_by": "uuid",
    "created_component": "text",
    "updated_at": "timestamptz",
}
_ORGANIZATION = {"id": "uuid", "name": "text", "canonical_name": "text", "state": "text", **_ENTERED}
_PERSON = {
    "id": "uuid",
    "salutation": "text",
    "first_name": "text",
    "last_name": "text",
    "canonical_name": "text",
    "family_key": "text",
    "title": "text",
    "organization_id": "uuid",
    "state": "text",
    "interests": "text[]",
    **_ENTERED,
}
_OFFICE = {
    "id": "uuid",
    "organization_id": "uuid",
    "position": "integer",
    "label": "text",
    "street": "text",
    "city": "text",
    "state": "text",
    "postal_code": "text",
    "country": "text",
    "phone": "text",
}


def insert_organizations(work: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert organizations in one statement."""
    insert_rows(
        work,
        "organizations",
        _ORGANIZATION,
        [{**row, "canonical_name": canonical_organization(row["name"]), "created_at": row["now"], "updated_at": row["now"]} for row in rows],
    )


def insert_people(
    work: UnitOfWork, rows: Sequence[Mapping[str, Any]], organizations: Mapping[str, Organization], *, heavy: Callable[..., Any]
) -> None:
    """Insert individuals, and their lines in the directory: a statement for each, with no look at what was written."""
    for part in chunks(rows, _PART):
        people, lines = heavy(_people_written, part, organizations)
        work.execute(_INSERT_PEOPLE, {"rows": people})
        work.execute(_INSERT_LINES, {"entries": lines})


def _people_written(rows: Sequence[Mapping[str, Any]], organizations: Mapping[str, Organization]) -> tuple[str, str]:
    people, lines = [], []
    for row in rows:
        person = {
            **row,
            "canonical_name": canonical_name(row["first_name"], row["last_name"]),
            "family_key": family_key(row["last_name"]),
            "created_at": row["now"],
            "updated_at": row["now"],
            "last_contacted_at": None,
        }
        people.append(person)
        organization = organizations.get(row["organization_id"])
        known = {"name": organization.name, "sector": organization.sector, "group_ids": organization.group_ids} if organization else None
        lines.append(directory.entry_of_new(person, known))
    return as_json(people), as_json(lines)


def insert_points(
    work: UnitOfWork,
    layer: ContactLayer,
    points: Sequence[ContactPoint],
    *,
    fresh: Collection[str],
    by_user: str,
    now: datetime,
    heavy: Callable[..., Any],
) -> list[str]:
    """Keep values as `ContactLayer.add` does, for thousands of people; return the points' ids, in order.

    :param fresh: who of these people is entered by this transaction, and so has no key yet.
    """
    ids: list[str] = []
    for part in chunks(points, _PART * 3):
        people = list(dict.fromkeys(point.individual_id for point in part))
        keys = layer.vault.new_keys([person_id for person_id in people if person_id in fresh])
        keys |= layer.vault.keys_for([person_id for person_id in people if person_id not in fresh])
        made, rows, digests, waiting = heavy(_points_written, layer, part, keys, by_user, now)
        ids += made
        work.execute(_INSERT_POINTS, {"rows": rows})
        work.execute(_INSERT_DIGESTS, {"rows": digests})
        work.execute(_INSERT_WAITING, {"rows": waiting})
    return ids


def _points_written(
    layer: ContactLayer, points: Sequence[ContactPoint], keys: Mapping[str, bytes], by_user: str, now: datetime
) -> tuple[list[str], str, str, str]:
    rows = layer.rows(points, keys, by_user=by_user, now=now)
    for row in rows:
        row["contact_point_id"] = row["id"]
    waiting = [{"id": new_id(), "individual_id": individual_id} for individual_id in keys]
    return (
        [row["id"] for row in rows],
        as_json([{name: row[name] for name in POINT} for row in rows]),
        as_json([{name: row[name] for name in DIGEST} for row in rows]),
        as_json(waiting),
    )


def _insert(table: str, types: Mapping[str, str]) -> Any:
    columns = ", ".join(types)
    return text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {records('rows', types)}")  # noqa: S608 - names of our own lists


_INSERT_PEOPLE = _insert("individuals", _PERSON)
_INSERT_LINES = text(directory.INSERT)
_INSERT_POINTS = _insert("contact_points", POINT)
_INSERT_DIGESTS = _insert("match_digests", DIGEST)
_INSERT_WAITING = _insert("match_queue", {"id": "uuid", "individual_id": "uuid"})


def insert_offices(work: UnitOfWork, offices: Sequence[tuple[str, str, int, Office]]) -> None:
    """Insert offices behind those that their organizations have: (id, organization id, _, office)."""
    if not offices:
        return
    behind = _positions(work, {organization_id for _, organization_id, _, _ in offices})
    rows = []
    for office_id, organization_id, _, office in offices:
        position = behind.get(organization_id, 0)
        behind[organization_id] = position + 1
        rows.append({"id": office_id, "organization_id": organization_id, "position": position, **asdict(office)})
    insert_rows(work, "offices", _OFFICE, rows)


def _set_interests(work: UnitOfWork, interests: Mapping[str, Sequence[str]]) -> None:
    if interests:
        work.execute(
            text("UPDATE individuals SET interests = CAST(:interests AS text[]) WHERE id = CAST(:id AS uuid)"),
            [{"id": id_, "interests": list(given)} for id_, given in interests.items()],
        )


def _positions(work: UnitOfWork, organization_ids: Iterable[str]) -> dict[str, int]:
    rows = work.execute(
        text(
            "SELECT organization_id, max(position) + 1 AS next FROM offices"
            " WHERE organization_id = ANY(CAST(:ids AS uuid[])) GROUP BY organization_id"
        ),
        {"ids": list(organization_ids)},
    )
    return {str(row.organization_id): row.next for row in rows}


def effects_of(plan: Plan, point_ids: Sequence[str], *, established: Sequence[str], linked: Sequence[str]) -> list[tuple[str, str, Any]]:
    """Return what undoing needs to know of a plan that was carried out, in the order of doing."""
    fresh = {person.id for person in plan.new_people} | {organization.id for organization in plan.new_organizations}
    effects: list[tuple[str, str, Any]] = [("organization-created", organization.id, None) for organization in plan.new_organizations]
    effects += [("office-added", organization_id, {"office": office_id}) for office_id, organization_id, _, _ in plan.new_offices]
    effects += [("individual-created", person.id, None) for person in plan.new_people]
    effects += [("changed", person_id, {"from": plan.former[person_id], "to": dict(changes)}) for person_id, changes in plan.changes.items()]
    effects += [
        ("point-added", person_id, {"point": point_id})
        for (person_id, _, _), point_id in zip(plan.new_points, point_ids, strict=True)
        if person_id not in fresh
    ]
    effects += [("related", stakeholder_id, None) for stakeholder_id in established if stakeholder_id not in fresh]
    effects += [("linked", stakeholder_id, None) for stakeholder_id in linked if stakeholder_id not in fresh]
    effects += [(STATE_PROPOSED, person_id, {"state": state}) for person_id, state in plan.proposed.items()]
    return effects
