"""The contact layer: encrypted values behind row-level security, and corrections of them (T3, T5).

Nothing here decides who may see what. Use cases ask the policy first, and row-level security is the second line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, insert, select, text, update

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed, typed_or_none
from services.chassis.messages import new_id
from services.contacts.storage.bulk import as_json, records
from services.contacts.storage.digests import Digests
from services.contacts.storage.frozen import OPEN
from services.contacts.storage.tables.contact_layer import contact_point_grants, contact_points, corrections
from services.contacts.storage.vault import Vault, decrypt, encrypt
from services.lexicon.canonical import canonical_contact_point, compared_as

# Text SQL: one statement writes points, digests and queue together; two others join what row-level security shows.

# Text where digests go as one array, and where tables are joined.


@dataclass(frozen=True, slots=True)
class Lookups:
    """How many values a user may look up in the suppression ledger in a day (T35)."""

    contributor: int = 10_000
    #: Of a component's own system, too.
    steward: int = 400_000


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """A value to store: whose, of which kind, and given to which component."""

    individual_id: str
    component: str
    kind: str
    value: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class HeldPoint:
    """A row of `contact_points`, its value decrypted."""

    id: str
    component: str
    kind: str
    created_at: datetime
    created_by: str
    confirmed_at: datetime
    verified_at: datetime | None
    replaced_at: datetime | None
    value: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A row of `corrections`, its value decrypted."""

    id: str
    component: str
    kind: str
    reported_at: datetime
    value: str


@dataclass(slots=True)
class SealedPoint:
    """A value as it is inserted: encrypted, with the digests by which it is found and compared."""

    id: str
    individual_id: str
    kind: str
    ciphertext: bytes
    lookup: bytes
    digest: bytes
    #: Of each person one point queues them for the matcher.
    is_first: bool
    #: Which of the `SealedPoints` of one statement it is of.
    origin: int = 0


@dataclass(frozen=True, slots=True)
class SealedPoints:
    """Values as they are inserted, and what they have in common."""

    component: str
    key_id: str
    source: str | None
    created_at: datetime
    created_by: str
    import_id: str | None
    points: list[SealedPoint]


class ContactLayer:
    """The contact layer with one vault and one set of digests."""

    def __init__(self, vault: Vault, digests: Digests, lookups: Lookups = Lookups()) -> None:
        """Use these keys and digests, and this daily limit of look-ups in the ledger."""
        self.vault = vault
        self.digests = digests
        self.lookups = lookups

    def under(self, digests: Digests) -> ContactLayer:
        """Return the same with other digests; the daily limit stays."""
        return ContactLayer(self.vault, digests, self.lookups)

    def add(self, work: UnitOfWork, points: Sequence[ContactPoint], *, by_user: str, now: datetime) -> list[str]:
        """Keep these values, encrypted, and queue their people for the matcher; return their ids."""
        if not points:
            return []
        sealed = self.sealed(points, self.vault.keys_for(point.individual_id for point in points), by_user=by_user, now=now)
        insert_points(work, parameters(sealed))
        return [point.id for together in sealed for point in together.points]

    def confirm_own(self, work: UnitOfWork, point: ContactPoint, *, now: datetime) -> str | None:
        """If the caller's component holds this value, even as a previous one, put it first again; return its id, or None."""
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
        """Return the digests that find a component's own rows with one of these values, each with the kind asked for."""
        lookups: dict[bytes, str] = {}
        for kind, value in values:
            lookups |= dict.fromkeys(self._lookups(component, kind, value), kind)
        return lookups

    def holders(self, work: UnitOfWork, component: str, values: Iterable[tuple[str, str]]) -> list[str]:
        """Return the ids of people of whom the component itself holds one of these values (kind, value)."""
        lookups = list(self.lookups_of(component, values))
        if not lookups:
            return []
        statement = text("SELECT DISTINCT individual_id FROM contact_points WHERE component = :component AND lookup = ANY(:lookups)")
        return [str(row.individual_id) for row in work.execute(statement, {"component": component, "lookups": lookups})]

    def file_correction(self, work: UnitOfWork, point: ContactPoint, *, by_user: str, now: datetime) -> str:
        """Insert a correction for whoever holds that kind. The submitter cannot read it (T3)."""
        correction_id = new_id()
        key = self.vault.keys_for([point.individual_id])[point.individual_id]
        filed = {
            "id": correction_id,
            "individual_id": point.individual_id,
            "kind": point.kind,
            "component": point.component,
            "ciphertext": encrypt(key, point.value, bound_to=_correction_bound_to(correction_id, point.individual_id, point.kind)),
            "reported_by": by_user,
            "reported_at": now,
        }
        work.execute(insert(corrections), filed)
        return correction_id

    def read(self, work: UnitOfWork, individual_id: str) -> list[HeldPoint]:
        """Return the contact points of a person that row-level security shows this transaction, decrypted."""
        of = contact_points.c
        columns = (of.id, of.component, of.kind, of.created_at, of.created_by, of.confirmed_at, of.verified_at, of.replaced_at)
        found = select(*columns, of.ciphertext.label("value")).where(of.individual_id == individual_id)
        rows = work.execute(found.order_by(of.confirmed_at.desc(), of.id)).mappings().all()
        key = self.vault.key(individual_id) if rows else b""
        bound = [_bound_to(row["id"], individual_id, row["component"], row["kind"]) for row in rows]
        return [typed(HeldPoint, {**row, "value": decrypt(key, bytes(row["value"]), bound_to=to)}) for row, to in zip(rows, bound, strict=True)]

    def read_corrections(self, work: UnitOfWork, individual_id: str) -> list[Correction]:
        """Return the corrections of a person that this transaction may see, decrypted, latest first."""
        of = corrections.c
        found = select(of.id, of.component, of.kind, of.reported_at, of.ciphertext.label("value")).where(of.individual_id == individual_id)
        rows = work.execute(found.order_by(of.reported_at.desc(), of.id)).mappings().all()
        key = self.vault.key(individual_id) if rows else b""
        bound = [_correction_bound_to(row["id"], individual_id, row["kind"]) for row in rows]
        return [typed(Correction, {**row, "value": decrypt(key, bytes(row["value"]), bound_to=to)}) for row, to in zip(rows, bound, strict=True)]

    def _lookups(self, component: str, kind: str, value: str) -> list[bytes]:
        canonical = canonical_contact_point(kind, value)
        return self.digests.lookups(component, kind, canonical) if canonical else []

    def sealed(self, points: Iterable[ContactPoint], keys: Mapping[str, bytes], *, by_user: str, now: datetime) -> list[SealedPoints]:
        """Return values as they are inserted, encrypted under these keys (individual id → key)."""
        ciphers = {individual_id: AESGCM(key) for individual_id, key in keys.items()}
        before: set[str] = set()
        sealed = []
        for point in points:
            value = (point.individual_id, point.kind, point.value, canonical_contact_point(point.kind, point.value) or point.value)
            together = self._sealed([value], ciphers, {}, before, component=point.component)
            sealed.append(SealedPoints(point.component, self.digests.key_id, point.source, now, by_user, None, together))
        return sealed

    def sealed_together(
        self,
        points: Iterable[tuple[str, str, str, str]],
        keys: Mapping[str, bytes],
        lookups: Mapping[tuple[str, str], Sequence[bytes]],
        *,
        component: str,
        source: str | None,
        by_user: str,
        now: datetime,
        import_id: str,
    ) -> SealedPoints:
        """Return an import's values as they are inserted; nothing but computing.

        :param points: individual id, kind, value, and the value as it is compared.
        :param keys: individual id → key.
        :param lookups: by (family of kinds, value as it is compared), the digests by which they are found.
        """
        ciphers = {individual_id: AESGCM(key) for individual_id, key in keys.items()}
        together = self._sealed(points, ciphers, lookups, set(), component=component)
        return SealedPoints(component, self.digests.key_id, source, now, by_user, import_id, together)

    def _sealed(
        self,
        points: Iterable[tuple[str, str, str, str]],
        ciphers: Mapping[str, AESGCM],
        lookups: Mapping[tuple[str, str], Sequence[bytes]],
        before: set[str],
        *,
        component: str,
    ) -> list[SealedPoint]:
        sealed = []
        for individual_id, kind, value, canonical in points:
            made, point_id = lookups.get((compared_as(kind), canonical)), new_id()
            ciphertext = encrypt(ciphers[individual_id], value, bound_to=_bound_to(point_id, individual_id, component, kind))
            lookup = made[0] if made else self.digests.lookup(component, kind, canonical)
            digest = self.digests.match(kind, canonical)
            sealed.append(SealedPoint(point_id, individual_id, kind, ciphertext, lookup, digest, individual_id not in before))
            before.add(individual_id)
        return sealed


_POINT = {
    **dict.fromkeys(("id", "individual_id"), "uuid"),
    "kind": "text",
    **dict.fromkeys(("ciphertext", "lookup", "digest"), "bytea"),
    "is_first": "boolean",
    "origin": "integer",
}
_COMMON = {
    **dict.fromkeys(("component", "key_id", "source"), "text"),
    "created_at": "timestamptz",
    **dict.fromkeys(("created_by", "import_id"), "uuid"),
}
_ORIGIN = ", ".join(f"{name} {kind}" for name, kind in {"origin": "integer", **_COMMON}.items())
#: Points with what they have in common, which is sent once. Joined: as a list within a list it took twenty times as long.
_SENT = f"{records('points', _POINT)} JOIN json_to_recordset(CAST(:origins AS json)) AS o ({_ORIGIN}) USING (origin)"


def _inserts(points: str) -> dict[str, str]:
    return {
        "points": "INSERT INTO contact_points (id, individual_id, component, kind, ciphertext, lookup, key_id, source, created_at, created_by,"  # noqa: S608 - put together from our own constants
        " confirmed_at, import_id) SELECT id, individual_id, component, kind, ciphertext, lookup, key_id, source, created_at, created_by,"
        f" created_at, import_id FROM {points}",
        "digests": "INSERT INTO match_digests (contact_point_id, individual_id, component, kind, key_id, digest)"  # noqa: S608 - likewise
        f" SELECT id, individual_id, component, kind, key_id, digest FROM {points}",
        # A row of the queue needs an id that no other has: that of the person's first point.
        "queued": f"INSERT INTO match_queue (id, individual_id) SELECT id, individual_id FROM {points} WHERE is_first",  # noqa: S608 - likewise
    }


#: What writes contact points, for a statement that inserts other rows too; `parameters` gives what it takes.
INSERTS = _inserts(_SENT)
_TOGETHER = _inserts("sent")
_INSERT = text(
    f"WITH sent AS MATERIALIZED (SELECT * FROM {_SENT}), digests AS ({_TOGETHER['digests']}),"  # noqa: S608 - put together from our own constants
    f" queued AS ({_TOGETHER['queued']}) {_TOGETHER['points']}"
)


def parameters(sealed: Sequence[SealedPoints]) -> dict[str, str]:
    """Return the parameters of `INSERTS`; nothing but computing."""
    origins = []
    for at, together in enumerate(sealed):
        for point in together.points:
            point.origin = at
        origins.append({**{name: getattr(together, name) for name in _COMMON}, "origin": at})
    return {"points": as_json([point for together in sealed for point in together.points]), "origins": as_json(origins)}


def insert_points(work: UnitOfWork, parameters: Mapping[str, str]) -> None:
    """Insert sealed points with their digests, and queue their people for the matcher.

    The same statement runs whatever is there already, so that neither the answer nor its time tells (T23).
    """
    work.execute(_INSERT, parameters)


def _bound_to(point_id: str, individual_id: str, component: str, kind: str) -> str:
    # A ciphertext moved to another row, person, component or kind does not decrypt.
    return f"contact point {point_id} {individual_id} {component} {kind}"


def _correction_bound_to(correction_id: str, individual_id: str, kind: str) -> str:
    return f"correction {correction_id} {individual_id} {kind}"


def count_own(work: UnitOfWork, individual_id: str, *, kind: str, component: str) -> int:
    """Count a component's values of one kind of a person."""
    of = contact_points.c
    own = select(func.count()).select_from(contact_points).where(of.individual_id == individual_id, of.kind == kind, of.component == component)
    return int(work.execute(own).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPointGrant:
    """A component's grant to another, until an instant, of one contact point or of all that it holds of a person (T5)."""

    id: str
    individual_id: str
    contact_point_id: str | None
    from_component: str
    to_component: str
    reason: str
    granted_by: str
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


def grant(work: UnitOfWork, entry: ContactPointGrant) -> None:
    """Insert a grant."""
    work.execute(insert(contact_point_grants), asdict(entry))


def revoke(work: UnitOfWork, grant_id: str, *, now: datetime) -> bool:
    """End a grant of the caller's component now; return whether there was one."""
    of = contact_point_grants.c
    return work.execute(update(contact_point_grants).where(of.id == grant_id, of.revoked_at.is_(None)).values(revoked_at=now)).rowcount == 1


def grants(work: UnitOfWork, individual_id: str) -> list[ContactPointGrant]:
    """Return the grants on a person that the caller's component gave or was given, in force or not."""
    of = contact_point_grants.c
    found = select(contact_point_grants).where(of.individual_id == individual_id).order_by(of.granted_at)
    return all_typed(ContactPointGrant, work.execute(found).mappings())


@dataclass(frozen=True, slots=True)
class UnseenCorrection:
    """A kind of a person's values with a correction later than the caller's component's last confirmation."""

    individual_id: str
    kind: str
    reported_at: datetime


def unseen_corrections(work: UnitOfWork, *, user_id: str, component: str) -> list[UnseenCorrection]:
    """Return these corrections of people for whom the caller stands."""
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
    return all_typed(UnseenCorrection, rows.mappings())


@dataclass(frozen=True, slots=True)
class UnrevealedPoint:
    """A contact point without its value."""

    individual_id: str
    component: str


def point(work: UnitOfWork, contact_point_id: str) -> UnrevealedPoint | None:
    """Return one contact point without its value, if this transaction may see it."""
    of = contact_points.c
    found = select(of.individual_id, of.component).where(of.id == contact_point_id)
    return typed_or_none(UnrevealedPoint, work.execute(found).mappings().one_or_none())
