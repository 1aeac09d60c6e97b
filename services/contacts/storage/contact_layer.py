"""The contact layer: encrypted values behind row-level security, and the corrections filed over them (T3, T5).

Nothing here decides who may see what: use cases ask the policy first, and the database stands behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plain, plains
from services.chassis.messages import new_id
from services.contacts.storage.bulk import as_json, insert_from
from services.contacts.storage.digests import Digests
from services.contacts.storage.frozen import OPEN
from services.contacts.storage.vault import Vault, decrypt, encrypt
from services.lexicon.canonical import canonical_contact_point, compared_as


@dataclass(frozen=True, slots=True)
class Lookups:
    """Values that a user may look up in the suppression ledger in a day (T35)."""

    contributor: int = 10_000
    #: Of a component's own system, too.
    steward: int = 400_000


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """A value to be kept: whose, of which kind, and given to which component."""

    individual_id: str
    component: str
    kind: str
    value: str
    source: str | None = None


class ContactLayer:
    """The contact layer under one vault and one set of digests."""

    def __init__(self, vault: Vault, digests: Digests, lookups: Lookups = Lookups()) -> None:
        """Take where keys are kept, what digests are made with, and how many values a user may look up in the ledger in a day."""
        self.vault = vault
        self.digests = digests
        self.lookups = lookups

    def under(self, digests: Digests) -> ContactLayer:
        """Return the same with other digests; how many values a user may look up stays."""
        return ContactLayer(self.vault, digests, self.lookups)

    def add(self, work: UnitOfWork, points: Sequence[ContactPoint], *, by_user: str, now: datetime) -> list[str]:
        """Keep these values, encrypted, and queue their people for the matcher; return their ids.

        The same statements run whatever is there already, so that neither the answer nor its time tells (T23).
        """
        if not points:
            return []
        rows = self.rows(points, self.vault.keys_for(point.individual_id for point in points), by_user=by_user, now=now)
        for name, of_table in rows_by_table(rows).items():
            work.execute(_ADD[name], {name: as_json(of_table)})
        return [row["id"] for row in rows]

    def confirm_own(self, work: UnitOfWork, point: ContactPoint, *, now: datetime) -> str | None:
        """If the caller's component holds this value itself, put it first again, a previous one too; return its id, or None."""
        row = work.execute(
            text(
                "UPDATE contact_points SET confirmed_at = :now, replaced_at = NULL, replaced_import = NULL"
                " WHERE individual_id = CAST(:id AS uuid) AND kind = :kind"
                " AND component = :component AND lookup = ANY(CAST(:lookups AS bytea[])) RETURNING id"
            ),
            {
                "now": now,
                "id": point.individual_id,
                "kind": point.kind,
                "component": point.component,
                "lookups": self._lookups(point.component, point.kind, point.value),
            },
        ).first()
        return str(row.id) if row else None

    def lookups_of(self, component: str, values: Iterable[tuple[str, str]]) -> dict[bytes, str]:
        """Return by which digests a component's own rows with one of these values are found, each with the kind asked for."""
        lookups: dict[bytes, str] = {}
        for kind, value in values:
            lookups |= dict.fromkeys(self._lookups(component, kind, value), kind)
        return lookups

    def holders(self, work: UnitOfWork, component: str, values: Iterable[tuple[str, str]]) -> list[str]:
        """Return whose points of the component's own have one of these values (kind, value), as ids."""
        lookups = list(self.lookups_of(component, values))
        if not lookups:
            return []
        statement = text("SELECT DISTINCT individual_id FROM contact_points WHERE component = :component AND lookup = ANY(:lookups)")
        return [str(row.individual_id) for row in work.execute(statement, {"component": component, "lookups": lookups})]

    def file_correction(self, work: UnitOfWork, point: ContactPoint, *, by_user: str, now: datetime) -> str:
        """File a correction for whoever holds that kind; insert-only, and the submitter cannot read it (T3)."""
        correction_id = new_id()
        key = self.vault.keys_for([point.individual_id])[point.individual_id]
        work.execute(
            text(
                "INSERT INTO corrections (id, individual_id, kind, component, ciphertext, reported_by, reported_at)"
                " VALUES (:id, :individual_id, :kind, :component, :ciphertext, :by, :now)"
            ),
            {
                "id": correction_id,
                "individual_id": point.individual_id,
                "kind": point.kind,
                "component": point.component,
                "ciphertext": encrypt(key, point.value, bound_to=f"correction {correction_id} {point.individual_id} {point.kind}"),
                "by": by_user,
                "now": now,
            },
        )
        return correction_id

    def read(self, work: UnitOfWork, individual_id: str) -> list[dict[str, Any]]:
        """Return what row-level security lets this transaction see of a person's contact points, decrypted."""
        rows = plains(
            work.execute(
                text("SELECT * FROM contact_points WHERE individual_id = CAST(:id AS uuid) ORDER BY confirmed_at DESC, id"),
                {"id": individual_id},
            ).mappings()
        )
        return self._decrypted(individual_id, rows, _bound_to)

    def read_corrections(self, work: UnitOfWork, individual_id: str) -> list[dict[str, Any]]:
        """Return the corrections that this transaction may see of a person, decrypted, the latest first."""
        rows = plains(
            work.execute(
                text("SELECT * FROM corrections WHERE individual_id = CAST(:id AS uuid) ORDER BY reported_at DESC, id"),
                {"id": individual_id},
            ).mappings()
        )
        return self._decrypted(individual_id, rows, lambda row: f"correction {row['id']} {row['individual_id']} {row['kind']}")

    def _decrypted(self, individual_id: str, rows: list[dict[str, Any]], bound_to: Any) -> list[dict[str, Any]]:
        if not rows:
            return []
        key = self.vault.key(individual_id)
        return [{**row, "value": decrypt(key, bytes(row["ciphertext"]), bound_to=bound_to(row))} for row in rows]

    def _lookups(self, component: str, kind: str, value: str) -> list[bytes]:
        canonical = canonical_contact_point(kind, value)
        return self.digests.lookups(component, kind, canonical) if canonical else []

    def rows(self, points: Sequence[ContactPoint], keys: Mapping[str, bytes], *, by_user: str, now: datetime) -> list[dict[str, Any]]:
        """Return rows of values, encrypted under these keys (individual id → key); columns of `POINT` and `DIGEST`."""
        entered = {"created_by": by_user, "created_at": now, "confirmed_at": now, "key_id": self.digests.key_id}
        values = [(p.individual_id, p.component, p.kind, p.value, canonical_contact_point(p.kind, p.value) or p.value) for p in points]
        return [{**row, **entered, "source": point.source} for point, row in zip(points, self.sealed(values, keys), strict=True)]

    def sealed(
        self,
        points: Iterable[tuple[str, str, str, str, str]],
        keys: Mapping[str, bytes],
        lookups: Mapping[Any, Sequence[bytes]] = MappingProxyType({}),
    ) -> list[dict[str, Any]]:
        """Return what differs between rows of values, encrypted under these keys (individual id → key).

        :param points: individual id, component, kind, value, and the value as it is compared.
        :param lookups: by (family of kinds, value as it is compared), what is made already of the digests by which they are found.
        """
        ciphers = {individual_id: AESGCM(key) for individual_id, key in keys.items()}
        rows = []
        for individual_id, component, kind, value, canonical in points:
            made = lookups.get((compared_as(kind), canonical))
            row = {
                "id": new_id(),
                "individual_id": individual_id,
                "component": component,
                "kind": kind,
                "lookup": made[0] if made else self.digests.lookup(component, kind, canonical),
                "digest": self.digests.match(kind, canonical),
            }
            row["ciphertext"] = encrypt(ciphers[individual_id], value, bound_to=_bound_to(row))
            rows.append(row)
        return rows


#: Columns with their types.
POINT = {
    "id": "uuid",
    "individual_id": "uuid",
    "component": "text",
    "kind": "text",
    "ciphertext": "bytea",
    "lookup": "bytea",
    "key_id": "text",
    "source": "text",
    "created_at": "timestamptz",
    "created_by": "uuid",
    "confirmed_at": "timestamptz",
    "import_id": "uuid",
}
DIGEST = {
    "contact_point_id": "uuid",
    "individual_id": "uuid",
    "component": "text",
    "kind": "text",
    "key_id": "text",
    "digest": "bytea",
}


_QUEUED = {"id": "uuid", "individual_id": "uuid"}
#: The one place that inserts contact points, but for the blocks of an import: by the name of their parameter.
INSERTS = {
    "points": insert_from("contact_points", POINT, "points"),
    "digests": insert_from("match_digests", DIGEST, "digests"),
    "queued": insert_from("match_queue", _QUEUED, "queued"),
}
_ADD = {name: text(statement) for name, statement in INSERTS.items()}


def rows_by_table(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return what `INSERTS` inserts for rows of `ContactLayer.rows`; each person is queued for the matcher once."""
    return {
        "points": [{name: point.get(name) for name in POINT} for point in points],
        "digests": [{**{name: point.get(name) for name in DIGEST}, "contact_point_id": point["id"]} for point in points],
        "queued": [{"id": new_id(), "individual_id": each} for each in dict.fromkeys(point["individual_id"] for point in points)],
    }


def _bound_to(row: Mapping[str, Any]) -> str:
    # A ciphertext moved to another row, person, component or kind does not decrypt.
    return f"contact point {row['id']} {row['individual_id']} {row['component']} {row['kind']}"


def count_own(work: UnitOfWork, individual_id: str, *, kind: str, component: str) -> int:
    """Count a component's values of one kind of a person."""
    return int(
        work.execute(
            text("SELECT count(*) FROM contact_points WHERE individual_id = CAST(:id AS uuid) AND kind = :kind AND component = :component"),
            {"id": individual_id, "kind": kind, "component": component},
        ).scalar_one()
    )


def grant(work: UnitOfWork, entry: Mapping[str, Any]) -> None:
    """Share a contact point, or all of one's component's of a person, with another component until a day (T5)."""
    work.execute(
        text(
            "INSERT INTO contact_point_grants (id, individual_id, contact_point_id, from_component, to_component, reason,"
            " granted_by, granted_at, expires_at) VALUES (:id, :individual_id, :contact_point_id, :from_component,"
            " :to_component, :reason, :granted_by, :granted_at, :expires_at)"
        ),
        dict(entry),
    )


def revoke(work: UnitOfWork, grant_id: str, *, now: datetime) -> bool:
    """End a grant of the caller's component now; say whether there was one."""
    return (
        work.execute(
            text("UPDATE contact_point_grants SET revoked_at = :now WHERE id = CAST(:id AS uuid) AND revoked_at IS NULL"),
            {"id": grant_id, "now": now},
        ).rowcount
        == 1
    )


def grants(work: UnitOfWork, individual_id: str) -> list[dict[str, Any]]:
    """Return the grants on a person that the caller's component gave or was given, whether in force or not."""
    rows = work.execute(
        text("SELECT * FROM contact_point_grants WHERE individual_id = CAST(:id AS uuid) ORDER BY granted_at"),
        {"id": individual_id},
    )
    return plains(rows.mappings())


def unseen_corrections(work: UnitOfWork, *, user_id: str, component: str) -> list[dict[str, Any]]:
    """Return people with a correction later than what the caller's component confirmed, for whom the caller stands."""
    rows = work.execute(
        text(
            "SELECT DISTINCT c.individual_id, c.kind, max(c.reported_at) AS reported_at FROM corrections c"  # noqa: S608 - our own constant
            f" JOIN individuals i ON i.id = c.individual_id AND {OPEN}"
            " JOIN contact_points p ON p.individual_id = c.individual_id AND p.kind = c.kind AND p.component = :component"
            " WHERE (i.owner_id = CAST(:user AS uuid) OR p.created_by = CAST(:user AS uuid))"
            " GROUP BY c.individual_id, c.kind HAVING max(c.reported_at) > max(p.confirmed_at) ORDER BY 3"
        ),
        {"user": user_id, "component": component},
    )
    return plains(rows.mappings())


def point(work: UnitOfWork, contact_point_id: str) -> dict[str, Any] | None:
    """Return one contact point's row without its value, if this transaction may see it."""
    row = (
        work.execute(
            text("SELECT id, individual_id, component, kind FROM contact_points WHERE id = CAST(:id AS uuid)"),
            {"id": contact_point_id},
        )
        .mappings()
        .one_or_none()
    )
    return plain(row) if row else None
