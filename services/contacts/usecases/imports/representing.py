"""Representing: an import as its owner sees it, and what every use case requires of it first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import orjson

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.answers.imports import ImportAnswer, ImportRowAnswer
from services.contacts.contract.imports import ImportStateUnsuitable, ImportUnknown
from services.contacts.domain.imports.reading import nameless
from services.contacts.domain.imports.states import Acting, FileLayout, Import, ImportChanges, RowOutcome
from services.contacts.storage.imports import imports
from services.contacts.storage.rows import instant
from services.contacts.storage.vault import KeyDestroyed, Vault, decrypt, encrypt


def layout_of(vault: Vault, row: Import) -> FileLayout:
    """Return the columns and the mapping, which are gone with the key when the import has ended."""
    if row.layout is None:
        return FileLayout()
    try:
        key = vault.key(row.id)
    except KeyDestroyed:
        return FileLayout()
    return FileLayout(**orjson.loads(decrypt(key, row.layout, bound_to=f"import layout {row.id}")))


def sealed_layout(vault: Vault, import_id: str, layout: FileLayout) -> bytes:
    """Encrypt the columns and the mapping under the import's key."""
    key = vault.keys_for([import_id])[import_id]
    return encrypt(key, orjson.dumps(layout).decode(), bound_to=f"import layout {import_id}")


def own(work: UnitOfWork, import_id: str, *, by: Caller, lock: bool = False, states: Collection[str] = ()) -> Import:
    """Return an import of the caller's.

    :param states: in one of which it must be.
    :raises ImportUnknown: it is not there, or another's.
    :raises ImportStateUnsuitable: it is in another state.
    """
    row = imports.find(work, import_id, lock=lock)
    if row is None or row.owner_id != by.id or row.component != by.component:
        raise ImportUnknown
    if states and row.state not in states:
        raise ImportStateUnsuitable(f"The import is {row.state}.", extra={"state": row.state})
    return row


def acting(by: Caller) -> Acting:
    """Return the session that asks for work in the background."""
    return {
        "level": by.level,
        "roles": sorted(by.roles),
        "session_id": by.session_id,
        "acknowledgement_id": by.acknowledgement_id,
        "jti": by.jti,
        "policy_version": by.policy_version,
        "trace_id": by.trace_id,
    }


def actor_of(row: Import) -> Caller:
    """Return the caller in whose name an import is worked on."""
    told = row.acting
    assert told is not None  # noqa: S101 - whoever asks for work is noted with it
    return Caller(
        kind="user",
        id=row.owner_id,
        component=row.component,
        level=told["level"],
        roles=frozenset(told["roles"]),
        session_id=told["session_id"],
        acknowledgement_id=told["acknowledgement_id"],
        jti=told["jti"],
        policy_version=told["policy_version"],
        trace_id=told["trace_id"],
    )


def ended(row: Import, state: str, *, now: datetime) -> ImportChanges:
    """Return the changes that end an import; of the file's name, which may name a person, only the type is kept."""
    return {
        "lease_until": None,
        "acting": None,
        "refused_layout": None,
        "refused_until": None,
        "state": state,
        "filename": nameless(row.filename),
        "finished_at": now,
    }


def line_of(row: RowOutcome) -> ImportRowAnswer:
    """Return what became of a row as it is listed: `n` is its number within the import, `row` that within its sheet."""
    return {
        "row": row.number,
        "n": row.n,
        "sheet": row.sheet,
        "outcome": row.outcome,
        "reason": row.reason,
        "individual_id": row.individual_id,
        "organization_id": row.organization_id,
        "candidates": row.candidates,
        "decided": row.decided,
        "refused": row.refused or [],
    }


def representation(vault: Vault, row: Import) -> ImportAnswer:
    """Return an import as its owner sees it."""
    layout = layout_of(vault, row)
    uploading = row.state == "uploading"
    return {
        "id": row.id,
        "filename": row.filename,
        "format": row.format,
        "state": row.state,
        "stopped": row.stopped,
        "deciding": row.deciding["decision"] if row.deciding else None,
        "progress": {"done": 0 if uploading else row.position, "of": row.total},
        "counts": row.counts,
        "rows": row.rows,
        "mapping": [{"column": column, "field": layout.mapping.get(column)} for column in layout.columns],
        "refused_columns": row.refused_columns,
        "hidden": layout.hidden,
        "issues": row.issues,
        "source": row.source,
        "owner": {"user": row.owner_id, "component": row.component},
        "problem": {"code": row.problem_code, "detail": row.problem_detail} if row.problem_code else None,
        "refused_rows_until": instant(row.refused_until),
        "created_at": instant(row.created_at),
        "finished_at": instant(row.finished_at),
    }


def as_it_is(work: UnitOfWork, vault: Vault, import_id: str) -> ImportAnswer:
    """Return an import that is locked, as `representation` does."""
    row = imports.find(work, import_id)
    assert row is not None  # noqa: S101 - it is locked
    return representation(vault, row)
