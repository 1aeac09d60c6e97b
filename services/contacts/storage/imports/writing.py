"""The records that a block of rows brings, in statements over sets. What they send is put together in threads, part by part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from msgspec.structs import asdict
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.messages import new_id
from services.contacts.contract.answers.shared import LinkedIssue
from services.contacts.domain.imports.addresses import Office
from services.contacts.domain.imports.matching import Person
from services.contacts.domain.imports.planning import Plan
from services.contacts.domain.imports.register import Organization
from services.contacts.domain.imports.states import EffectDetail, FieldValue, NewEffect
from services.contacts.storage import directory
from services.contacts.storage.bulk import array, as_json, insert_rows, records
from services.contacts.storage.contact_layer import ContactLayer, parameters
from services.contacts.storage.imports.questions import STATE_PROPOSED
from services.lexicon.canonical import canonical_organization
from services.lexicon.folding import fold

# Text SQL: a block's rows of several tables are written in one statement.


@dataclass(frozen=True, slots=True)
class Entry:
    """What everything that an import enters has in common."""

    user_id: str
    component: str
    source: str | None
    now: datetime
    import_id: str
    issues: Sequence[LinkedIssue]

    def parameters(self) -> dict[str, object]:
        """Return it as statements take it."""
        return {
            "user": self.user_id,
            "component": self.component,
            "source": self.source,
            "now": self.now,
            "import": self.import_id,
            "issues": orjson.dumps(self.issues).decode(),
        }


_ORGANIZATION = {"id": "uuid", "name": "text", "canonical_name": "text", "state": "text"}
_INSERT_ORGANIZATIONS = text(
    f"""
    INSERT INTO organizations (id, name, canonical_name, state, source, owner_id, owner_component, created_at, created_by,
        created_component, updated_at)
    SELECT id, name, canonical_name, state, :source, CAST(:user AS uuid), :component, :now, CAST(:user AS uuid), :component, :now
    FROM {records("rows", _ORGANIZATION)}
    """  # noqa: S608 - put together from our own constants
)


def insert_organizations(work: UnitOfWork, organizations: Sequence[Organization], entry: Entry) -> None:
    """Insert organizations."""
    if organizations:
        rows = [{"id": o.id, "name": o.name, "canonical_name": canonical_organization(o.name), "state": o.state} for o in organizations]
        work.execute(_INSERT_ORGANIZATIONS, {**entry.parameters(), "rows": as_json(rows)})


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
    # Of their line in the directory alone.
    "name": "text",
    "sort_name": "text",
    "organization_name": "text",
    "sector": "text",
    "group_ids": "uuid[]",
    "letters": "text",
}
_LINK = {"issue_id": "uuid", "kind": "text", "since": "date", "ended_on": "date"}
#: Nothing of a new person is there: no statement looks at what another one wrote.
_INSERT_PEOPLE = text(
    f"""
    WITH people AS MATERIALIZED (SELECT * FROM {records("rows", _PERSON)}), entered AS (
        INSERT INTO individuals (id, salutation, first_name, last_name, canonical_name, family_key, title, organization_id, state,
            interests, source, owner_id, owner_component, created_at, created_by, created_component, updated_at)
        SELECT id, salutation, first_name, last_name, canonical_name, family_key, title, organization_id, state,
            interests, :source, CAST(:user AS uuid), :component, :now, CAST(:user AS uuid), :component, :now
        FROM people
    ), related AS (
        INSERT INTO relationships (stakeholder_id, component, since, user_id)
        SELECT id, :component, :now, CAST(:user AS uuid) FROM people
    ), linked AS (
        INSERT INTO stakeholder_issues (stakeholder_id, state, {", ".join(_LINK)})
        SELECT people.id, people.state, {", ".join(f"t.{name}" for name in _LINK)} FROM {records("issues", _LINK)}, people
    )
    {
        directory.insert(
            "(SELECT *, 'individual' AS type, CAST(:user AS uuid) AS owner_id, CAST(:component AS text) AS owner_component,"
            " CAST(:now AS timestamptz) AS created_at, CAST(NULL AS timestamptz) AS last_contacted_at FROM people) AS t"
        )
    }
    """  # noqa: S608 - put together from our own constants
)


def people_written(people: Iterable[Person], organizations: Mapping[str, Organization]) -> str:
    """Return new individuals as `insert_people` sends them; nothing but computing.

    :param organizations: theirs, by id.
    """
    return as_json([_written(person, organizations.get(person.organization_id or "")) for person in people])


def _written(person: Person, organization: Organization | None) -> dict[str, object]:
    name = f"{person.first_name} {person.last_name}".strip(" ")
    shown = (name, person.title, organization.name if organization else None, *person.interests)
    return {
        "id": person.id,
        "salutation": person.salutation,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "canonical_name": person.canonical_name,
        "family_key": person.family,
        "title": person.title,
        "organization_id": person.organization_id,
        "state": person.state,
        "interests": person.interests,
        "name": name,
        "sort_name": fold(f"{person.last_name} {person.first_name}"),
        "organization_name": organization.name if organization else None,
        "sector": organization.sector if organization else None,
        "group_ids": organization.group_ids if organization else [],
        "letters": directory.letters(shown),
    }


def insert_people(work: UnitOfWork, written: str, entry: Entry) -> None:
    """Insert individuals with everything of theirs but contact points: relationship, issues, line in the directory."""
    work.execute(_INSERT_PEOPLE, {**entry.parameters(), "rows": written})


def points_written(
    layer: ContactLayer,
    points: Sequence[tuple[str, str, str, str]],
    keys: Mapping[str, bytes],
    lookups: Mapping[tuple[str, str], Sequence[bytes]],
    entry: Entry,
) -> tuple[list[str], dict[str, str]]:
    """Return the ids of contact points, and what `contact_layer.insert_points` takes of them, encrypted; nothing but computing.

    :param points: individual id, kind, value, and the value as it is compared.
    :param lookups: digests by which values are found.
    """
    sealed = layer.sealed_together(
        points,
        keys,
        lookups,
        component=entry.component,
        source=entry.source,
        by_user=entry.user_id,
        now=entry.now,
        import_id=entry.import_id,
    )
    return [point.id for point in sealed.points], parameters([sealed])


_FILL_STATES = text(
    "UPDATE organizations o SET state = t.state, updated_at = :now, version = o.version + 1"  # noqa: S608 - put together from our own constants
    f" FROM {records('rows', {'id': 'uuid', 'state': 'text'})} WHERE o.id = t.id AND o.state IS NULL"
)


def fill_states(work: UnitOfWork, states: Mapping[str, str], *, now: datetime) -> None:
    """Set the state of organizations that had none."""
    if states:
        work.execute(_FILL_STATES, {"now": now, "rows": as_json([{"id": each, "state": state} for each, state in states.items()])})


_NOTE = {"id": "uuid", "individual_id": "uuid", "text": "text"}
_INSERT_NOTES = text(
    f"""
    INSERT INTO notes (id, individual_id, text, component, author_id, created_at, updated_at)
    SELECT id, individual_id, text, :component, CAST(:user AS uuid), :now, :now FROM {records("rows", _NOTE)}
    """  # noqa: S608 - put together from our own constants
)


def insert_notes(work: UnitOfWork, notes: Sequence[tuple[str, str]], entry: Entry) -> list[str]:
    """Keep notes (individual id, text), which were screened; return their ids, in order."""
    rows = [{"id": new_id(), "individual_id": individual_id, "text": note} for individual_id, note in notes]
    if rows:
        work.execute(_INSERT_NOTES, {**entry.parameters(), "rows": as_json(rows)})
    return [row["id"] for row in rows]


_FIELDS = {
    "salutation": "text",
    "first_name": "text",
    "last_name": "text",
    "canonical_name": "text",
    "title": "text",
    "state": "text",
    "organization_id": "uuid",
    "interests": "text[]",
}
_FILL = text(
    f"""
    UPDATE individuals i SET {", ".join(f"{name} = coalesce(t.{name}, i.{name})" for name in _FIELDS)},
        updated_at = :now, version = i.version + 1
    FROM {records("rows", {"id": "uuid", **_FIELDS})} WHERE i.id = t.id
    """  # noqa: S608 - put together from our own constants
)


def fill(work: UnitOfWork, changes: Mapping[str, Mapping[str, FieldValue]], names: Mapping[str, str], *, now: datetime) -> None:
    """Set fields of many individuals; what is not named stays. A better spelling leaves the family's key as it is.

    :param names: the canonical names of those whose name changes.
    """
    if changes:
        rows = [{"id": id_, **changed, "canonical_name": names.get(id_)} for id_, changed in changes.items()]
        work.execute(_FILL, {"now": now, "rows": as_json(rows)})


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


def _positions(work: UnitOfWork, organization_ids: Iterable[str]) -> dict[str, int]:
    rows = work.execute(
        text(
            "SELECT organization_id, max(position) + 1 AS next FROM offices"
            " WHERE organization_id = ANY(CAST(:ids AS uuid[])) GROUP BY organization_id"
        ),
        {"ids": array(organization_ids)},
    )
    return {str(row.organization_id): row.next for row in rows}


_LINK_KNOWN = text(
    f"""
    INSERT INTO stakeholder_issues (stakeholder_id, {", ".join(_LINK)})
    SELECT s, {", ".join(f"t.{name}" for name in _LINK)} FROM {records("issues", _LINK)}, unnest(CAST(:subjects AS uuid[])) AS s
    ON CONFLICT DO NOTHING RETURNING stakeholder_id, issue_id, kind
    """  # noqa: S608 - put together from our own constants
)


def link(work: UnitOfWork, stakeholder_ids: Collection[str], entry: Entry) -> dict[str, list[tuple[str, str]]]:
    """Link stakeholders who were there before to the import's issues; return which of the links are new."""
    found: dict[str, list[tuple[str, str]]] = {}
    if stakeholder_ids and entry.issues:
        for row in work.execute(_LINK_KNOWN, {**entry.parameters(), "subjects": array(stakeholder_ids)}):
            found.setdefault(str(row.stakeholder_id), []).append((str(row.issue_id), row.kind))
    return found


def effects_of(
    plan: Plan,
    point_ids: Sequence[str],
    note_ids: Sequence[str],
    *,
    established: Sequence[str],
    linked: Mapping[str, list[tuple[str, str]]],
    turned: Mapping[str, EffectDetail],
) -> list[NewEffect]:
    """Return what undoing needs to know of a plan that was carried out, in the order of doing."""
    fresh = {person.id for person in plan.new_people} | {organization.id for organization in plan.new_organizations}
    effects: list[NewEffect] = [("organization-created", organization.id, None) for organization in plan.new_organizations]
    effects += [("office-added", organization_id, {"office": office_id}) for office_id, organization_id, _, _ in plan.new_offices]
    effects += [("individual-created", person.id, None) for person in plan.new_people]
    effects += [("changed", person_id, {"from": plan.former[person_id], "to": dict(changes)}) for person_id, changes in plan.changes.items()]
    effects += [
        ("point-added", person_id, {"point": point_id})
        for (person_id, _, _, _), point_id in zip(plan.new_points, point_ids, strict=True)
        if person_id not in fresh
    ]
    effects += [("points-turned", person_id, points) for person_id, points in turned.items()]
    effects += [("organization-state", each, {"state": state}) for each, state in plan.organization_states.items()]
    effects += [("note-added", person_id, {"note": note_id}) for (person_id, _), note_id in zip(plan.new_notes, note_ids, strict=True)]
    effects += [("related", stakeholder_id, None) for stakeholder_id in established if stakeholder_id not in fresh]
    effects += [(STATE_PROPOSED, person_id, {"state": state}) for person_id, state in plan.proposed.items()]
    effects += [("linked", stakeholder_id, {"issues": pairs}) for stakeholder_id, pairs in linked.items()]
    return effects


def refresh_statistics(work: UnitOfWork) -> None:
    """Let the planner know at once who came: on old statistics it reads everybody to find one."""
    work.execute(text("SELECT refresh_statistics()"))
