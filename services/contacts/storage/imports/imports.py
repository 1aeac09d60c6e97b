"""Imports: whose each is, how far it has come, and who works on it.

Whatever a file says is encrypted under the import's own key, which is destroyed when the import ends (N17).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plain, plains

_JSON = frozenset({"refused_columns", "issues", "acting", "counts", "deciding"})


def insert(work: UnitOfWork, values: Mapping[str, Any]) -> None:
    """Begin an import: `id`, `owner_id`, `component`, `filename`, `state`, `size`, `now`."""
    work.execute(
        text(
            "INSERT INTO imports (id, owner_id, component, filename, state, size, created_at, changed_at)"
            " VALUES (:id, :owner_id, :component, :filename, :state, :size, :now, :now)"
        ),
        dict(values),
    )


def find(work: UnitOfWork, import_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    """Return an import's row; with `lock`, held until the end of the transaction."""
    statement = f"SELECT * FROM imports WHERE id = CAST(:id AS uuid){' FOR UPDATE' if lock else ''}"  # noqa: S608 - one of two words of ours
    row = work.execute(text(statement), {"id": import_id}).mappings().one_or_none()
    return plain(row) if row else None


def of_owner(work: UnitOfWork, owner_id: str, *, before: tuple[datetime, str] | None, limit: int) -> list[dict[str, Any]]:
    """Return a user's imports, the latest first, from behind a position on."""
    rows = work.execute(
        text(
            "SELECT * FROM imports WHERE owner_id = CAST(:owner AS uuid)"
            " AND (CAST(:at AS timestamptz) IS NULL OR (created_at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid)))"
            " ORDER BY created_at DESC, id DESC LIMIT :limit"
        ),
        {"owner": owner_id, "at": before[0] if before else None, "id": before[1] if before else None, "limit": limit},
    )
    return plains(rows.mappings())


def count_of_owner(work: UnitOfWork, owner_id: str) -> int:
    """Count a user's imports."""
    return int(work.execute(text("SELECT count(*) FROM imports WHERE owner_id = CAST(:owner AS uuid)"), {"owner": owner_id}).scalar_one())


def update(work: UnitOfWork, import_id: str, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Set columns of an import; their names are this service's own."""
    sets = [f"{name} = {f'CAST(:{name} AS json)' if name in _JSON else f':{name}'}" for name in changes]
    values = {name: orjson.dumps(value).decode() if name in _JSON and value is not None else value for name, value in changes.items()}
    work.execute(
        text(f"UPDATE imports SET {', '.join([*sets, 'changed_at = :now'])} WHERE id = CAST(:id AS uuid)"),  # noqa: S608 - names of our own
        {**values, "id": import_id, "now": now},
    )


def claim(work: UnitOfWork, *, now: datetime, until: datetime, undoing: bool = False) -> dict[str, Any] | None:
    """Take the import that waits longest and that nobody works on; the lease tells others for how long.

    :param undoing: one that is taken back, and no other: neither kind of work holds up the other.
    """
    condition = "state = 'undoing'" if undoing else "(state IN ('checking', 'committing') OR deciding IS NOT NULL)"
    row = (
        work.execute(
            text(
                "UPDATE imports SET lease_until = :until WHERE id = (SELECT id FROM imports"  # noqa: S608 - one of two conditions of ours
                f" WHERE {condition} AND (lease_until IS NULL OR lease_until < :now)"
                " ORDER BY changed_at LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *"
            ),
            {"now": now, "until": until},
        )
        .mappings()
        .one_or_none()
    )
    return plain(row) if row else None


def hold_on(work: UnitOfWork, import_id: str, *, until: datetime) -> None:
    """Hold an import longer, if it is still held."""
    work.execute(
        text("UPDATE imports SET lease_until = :until WHERE id = CAST(:id AS uuid) AND lease_until IS NOT NULL"),
        {"id": import_id, "until": until},
    )


def left_behind(work: UnitOfWork, *, before: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Return imports that nobody committed or gave up since then."""
    rows = work.execute(
        text(
            "SELECT * FROM imports WHERE (state IN ('uploading', 'uploaded', 'mapped', 'checked') OR (state = 'stopped' AND stopped = 'checking'))"
            " AND changed_at < :before"
            " ORDER BY changed_at LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"before": before, "limit": limit},
    )
    return plains(rows.mappings())


def interrupted(work: UnitOfWork, *, before: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Return uploads of which nothing came since then."""
    return _waiting(work, "state = 'uploading'", before=before, limit=limit)


def left_stopped(work: UnitOfWork, *, before: datetime, limit: int = 20) -> list[dict[str, Any]]:
    """Return commits that were stopped before then; one that waits for the privacy officer is given a week more (T35)."""
    left = "state = 'stopped' AND stopped = 'committing' AND (problem_code IS NULL OR changed_at < :before - interval '7 days')"
    return _waiting(work, left, before=before, limit=limit)


def go_on(work: UnitOfWork, owner_id: str, *, why: Collection[str], now: datetime) -> list[str]:
    """Let a user's imports go on that were stopped for one of these reasons; return them."""
    rows = work.execute(
        text(
            "UPDATE imports SET state = stopped, stopped = NULL, problem_code = NULL, problem_detail = NULL, lease_until = NULL, changed_at = :now"
            " WHERE CAST(owner_id AS text) = :owner AND state = 'stopped' AND problem_code = ANY(:why) RETURNING id"
        ),
        {"owner": owner_id, "why": list(why), "now": now},
    )
    return [str(row.id) for row in rows]


def _waiting(work: UnitOfWork, condition: str, *, before: datetime, limit: int) -> list[dict[str, Any]]:
    rows = work.execute(
        text(
            f"SELECT * FROM imports WHERE {condition} AND changed_at < :before ORDER BY changed_at LIMIT :limit FOR UPDATE SKIP LOCKED"  # noqa: S608 - conditions of our own
        ),
        {"before": before, "limit": limit},
    )
    return plains(rows.mappings())


def waiting_for_decisions(work: UnitOfWork, owner_id: str, component: str) -> list[dict[str, Any]]:
    """Return the imports of a user with rows that wait to be decided: id, and until when their cells are kept."""
    rows = work.execute(
        text(
            "SELECT id, refused_until FROM imports WHERE owner_id = CAST(:owner AS uuid) AND component = :component AND state = 'committed'"
            " AND refused_until IS NOT NULL AND (counts ->> 'undecided') IS NOT NULL ORDER BY refused_until"
        ),
        {"owner": owner_id, "component": component},
    )
    return plains(rows.mappings())
