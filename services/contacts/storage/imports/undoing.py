"""What taking an import back asks of the database, in statements over sets. All of it as the eraser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text

from services.chassis.database import UnitOfWork
from services.contacts.domain.imports.states import Effect, EffectDetail, FieldValue
from services.contacts.storage import erasing, likenesses
from services.contacts.storage.bulk import array, as_json, records
from services.contacts.storage.frozen import OPEN
from services.contacts.storage.imports import traces
from services.lexicon.canonical import canonical_name
from services.lexicon.names import family_key

# Text SQL: a block is undone in one statement for each table, under conditions on other tables.

_LATEST = text("SELECT n, kind, subject_id, detail FROM import_effects WHERE import_id = CAST(:id AS uuid) ORDER BY n DESC LIMIT :limit")
# By the subjects first: what knows the import alone would read every effect that is left, for each block and even for each person.
_EARLIER_ON_ENTERED = text(
    """
    WITH theirs AS MATERIALIZED (SELECT * FROM import_effects WHERE subject_id = ANY(CAST(:subjects AS uuid[])))
    SELECT n, kind, subject_id, detail FROM theirs WHERE import_id = CAST(:id AS uuid) AND n < :before
    AND subject_id IN (SELECT subject_id FROM theirs WHERE kind = 'individual-created' AND import_id = CAST(:id AS uuid)) ORDER BY n DESC
    """
)


def last_effects(work: UnitOfWork, import_id: str, *, limit: int) -> list[Effect]:
    """Return the latest effects that are left, and every one on the people whom the import entered among these, the latest first."""
    latest = _effects(work.execute(_LATEST, {"id": import_id, "limit": limit}))
    if len(latest) < limit:
        return latest
    subjects = array(dict.fromkeys(effect.subject_id for effect in latest))
    return latest + _effects(work.execute(_EARLIER_ON_ENTERED, {"id": import_id, "subjects": subjects, "before": latest[-1].n}))


def _effects(rows: Iterable[Row[tuple[object, ...]]]) -> list[Effect]:
    return [Effect(row.n, row.kind, str(row.subject_id), row.detail or EffectDetail()) for row in rows]


# Only what the importer's component may see counts: another's values, corrections and kept notes are hidden from it, and
# what became of the record would tell of them (T17). A relationship, a note, a conversation and a hand-over are told to all.
_UNTOUCHED = text(
    f"""
    SELECT i.id FROM individuals i WHERE i.id = ANY(CAST(:ids AS uuid[])) AND {OPEN}
    AND i.owner_id = CAST(:owner AS uuid) AND i.last_contacted_at IS NULL AND i.verified_at IS NULL
    -- Every change moves the version; those of this import are known.
    AND i.version = 1 + (SELECT count(*) FROM import_effects f WHERE f.subject_id = i.id AND f.import_id = CAST(:import AS uuid)
        AND f.kind = 'changed')
    AND NOT EXISTS (SELECT FROM engagements e WHERE e.stakeholder_id = i.id)
    AND NOT EXISTS (SELECT FROM notes x WHERE x.individual_id = i.id AND (x.component = :component OR NOT x.kept OR x.released_at IS NOT NULL)
        AND NOT (x.updated_at = x.created_at AND EXISTS (SELECT FROM import_effects f WHERE f.subject_id = i.id
            AND f.import_id = CAST(:import AS uuid) AND f.kind = 'note-added' AND f.detail ->> 'note' = x.id::text)))
    AND NOT EXISTS (SELECT FROM hand_overs h WHERE h.individual_id = i.id)
    AND NOT EXISTS (SELECT FROM contact_points p WHERE p.individual_id = i.id AND p.component = :component AND p.created_at <> i.created_at
        AND NOT EXISTS (SELECT FROM import_effects f WHERE f.subject_id = i.id AND f.import_id = CAST(:import AS uuid)
            AND f.kind = 'point-added' AND f.detail ->> 'point' = p.id::text))
    AND NOT EXISTS (SELECT FROM relationships r WHERE r.stakeholder_id = i.id AND r.component <> :component)
    AND NOT EXISTS (SELECT FROM import_effects f JOIN imports m ON m.id = f.import_id WHERE f.subject_id = i.id
        AND f.import_id <> CAST(:import AS uuid) AND m.component = :component AND f.kind <> 'state-proposed')
    ORDER BY i.id
    """  # noqa: S608 - our own constant
)


def untouched(work: UnitOfWork, ids: Sequence[str], *, owner_id: str, component: str, import_id: str) -> list[str]:
    """Hold these individuals, and return those with whom nobody has worked since the import entered them."""
    if not ids:
        return []
    work.execute(text("SELECT id FROM individuals WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"), {"ids": array(ids)})
    rows = work.execute(_UNTOUCHED, {"ids": array(ids), "owner": owner_id, "component": component, "import": import_id})
    return [str(row.id) for row in rows]


def erase_individuals(work: UnitOfWork, ids: Sequence[str], *, now: datetime) -> None:
    """Delete every row about these individuals, as an erasure of each does, and keep their ids."""
    if not ids:
        return
    traces.forget_individuals(work, ids)
    erasing.delete_all_linked(work, ids)
    erasing.insert_tombstones(work, ids, now=now)


_FIELDS = {"salutation": "text", "first_name": "text", "last_name": "text", "title": "text", "state": "text", "organization_id": "uuid"}
_LISTS = {"interests": "text[]"}
_PUT_FIELDS = {**_FIELDS, **_LISTS}


def lock_individuals(work: UnitOfWork, ids: Iterable[str]) -> dict[str, dict[str, FieldValue]]:
    """Hold these individuals, and return the fields of those that are there and not frozen, by id."""
    rows = work.execute(
        text(f"SELECT id, {', '.join(_PUT_FIELDS)} FROM individuals i WHERE i.id = ANY(CAST(:ids AS uuid[])) AND {OPEN} ORDER BY i.id FOR UPDATE"),  # noqa: S608 - our own constant
        {"ids": array(dict.fromkeys(ids))},
    )
    return {str(row.id): {name: _text(getattr(row, name)) for name in _PUT_FIELDS} for row in rows}


def _text(value: UUID | FieldValue) -> FieldValue:
    return str(value) if isinstance(value, UUID) else value


_WORKED_OUT = {"canonical_name": "text", "family_key": "text"}
_PUT_BACK = text(
    f"""
    UPDATE individuals i SET
        {", ".join(f"{name} = CASE WHEN '{name}' = ANY(t.fields) THEN t.{name} ELSE i.{name} END" for name in _PUT_FIELDS)},
        canonical_name = t.canonical_name, family_key = t.family_key, version = i.version + 1, updated_at = :now
    FROM {records("rows", {"id": "uuid", "fields": "text[]", **_PUT_FIELDS, **_WORKED_OUT})} WHERE i.id = t.id
    """  # noqa: S608 - put together from our own constants
)


_TAKE_STATES_BACK = text(
    "UPDATE organizations o SET state = NULL, version = o.version + 1, updated_at = :now"  # noqa: S608 - put together from our own constants
    f" FROM {records('rows', {'id': 'uuid', 'state': 'text'})} WHERE o.id = t.id AND o.state = t.state RETURNING o.id"
)


def take_states_back(work: UnitOfWork, states: Mapping[str, str], *, now: datetime) -> set[str]:
    """Take the states of these organizations back, where they still are what the import wrote; return which those are."""
    if not states:
        return set()
    rows = as_json([{"id": organization_id, "state": state} for organization_id, state in states.items()])
    return {str(row.id) for row in work.execute(_TAKE_STATES_BACK, {"now": now, "rows": rows})}


def put_back(
    work: UnitOfWork, back: Mapping[str, Mapping[str, FieldValue]], people: Mapping[str, Mapping[str, FieldValue]], *, now: datetime
) -> None:
    """Set fields of many individuals to what they were, null included.

    :param people: by id, as they then are.
    """
    rows = []
    for individual_id, fields in back.items():
        first, last = str(people[individual_id]["first_name"]), str(people[individual_id]["last_name"])
        worked_out = {"canonical_name": canonical_name(first, last), "family_key": family_key(last)}
        rows.append({"id": individual_id, "fields": list(fields), **fields, **worked_out})
    if rows:
        work.execute(_PUT_BACK, {"rows": as_json(rows), "now": now})


def delete_points(work: UnitOfWork, points: Sequence[tuple[str, str]], *, component: str) -> None:
    """Delete contact points with what hangs on them, and with the likenesses that only they gave rise to.

    Those between two components go when the matcher comes by: how long an undo takes must not tell of them (T17).

    :param points: (individual id, id).
    """
    if points:
        ids, people = array(point for _, point in points), [individual_id for individual_id, _ in points]
        for statement in ("match_digests WHERE contact_point_id", "contact_point_grants WHERE contact_point_id", "contact_points WHERE id"):
            work.execute(text(f"DELETE FROM {statement} = ANY(CAST(:ids AS uuid[]))"), {"ids": ids})  # noqa: S608 - names of our own list
        likenesses.forget_untrue(work, people, component=component)
        likenesses.wait(work, people)


def delete_notes(work: UnitOfWork, ids: Sequence[str]) -> None:
    """Delete notes, but for those that somebody has written into since."""
    if ids:
        work.execute(text("DELETE FROM notes WHERE id = ANY(CAST(:ids AS uuid[])) AND updated_at = created_at"), {"ids": array(ids)})


def end_relationships(work: UnitOfWork, stakeholder_ids: Sequence[str], *, component: str) -> None:
    """End relationships that the import began, where the component has no other cause for one."""
    if stakeholder_ids:
        work.execute(
            text(
                "DELETE FROM relationships r WHERE r.stakeholder_id = ANY(CAST(:ids AS uuid[])) AND r.component = :component"
                " AND r.last_contact_at IS NULL"
                " AND NOT EXISTS (SELECT FROM contact_points p WHERE p.individual_id = r.stakeholder_id AND p.component = r.component)"
                " AND NOT EXISTS (SELECT FROM individuals i WHERE i.id = r.stakeholder_id AND i.owner_component = r.component)"
                " AND NOT EXISTS (SELECT FROM organizations o WHERE o.id = r.stakeholder_id AND o.owner_component = r.component)"
            ),
            {"ids": array(stakeholder_ids), "component": component},
        )


def unlink(work: UnitOfWork, links: Sequence[tuple[str, str, str]]) -> None:
    """Take links to issues away that nobody made since: (stakeholder id, issue id, kind)."""
    if links:
        work.execute(
            text(
                "DELETE FROM stakeholder_issues s USING unnest(CAST(:stakeholders AS uuid[]), CAST(:issues AS uuid[]), CAST(:kinds AS text[]))"
                " AS t (stakeholder, issue, kind)"
                " WHERE s.stakeholder_id = t.stakeholder AND s.issue_id = t.issue AND s.kind = t.kind AND NOT s.derived"
            ),
            {"stakeholders": array(s for s, _, _ in links), "issues": array(i for _, i, _ in links), "kinds": array(k for _, _, k in links)},
        )


def delete_offices(work: UnitOfWork, ids: Sequence[str]) -> None:
    """Delete offices."""
    if ids:
        work.execute(text("DELETE FROM offices WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": array(ids)})


def unused(work: UnitOfWork, ids: Sequence[str], *, component: str, committed: datetime) -> list[str]:
    """Hold these organizations, and return those that nobody has anything to do with since."""
    if not ids:
        return []
    work.execute(text("SELECT id FROM organizations WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"), {"ids": array(ids)})
    rows = work.execute(
        text(
            "SELECT o.id FROM organizations o WHERE o.id = ANY(CAST(:ids AS uuid[]))"
            " AND NOT EXISTS (SELECT FROM individuals WHERE organization_id = o.id)"
            " AND NOT EXISTS (SELECT FROM offices WHERE organization_id = o.id)"
            " AND NOT EXISTS (SELECT FROM engagements WHERE stakeholder_id = o.id)"
            " AND NOT EXISTS (SELECT FROM relationships WHERE stakeholder_id = o.id AND component <> :component)"
            " AND NOT (o.version > 1 AND o.updated_at > :committed) ORDER BY o.id"
        ),
        {"ids": array(ids), "component": component, "committed": committed},
    )
    return [str(row.id) for row in rows]


def erase_organizations(work: UnitOfWork, ids: Sequence[str], *, now: datetime) -> None:
    """Delete every row about these organizations, and keep their ids."""
    if ids:
        erasing.delete_all_linked_to_organizations(work, ids)
        erasing.insert_tombstones(work, ids, now=now)
