"""The key store: one wrapped key for each person, in a database of its own that ordinary backups leave out (N17).

Destroying a person's key makes every copy of their contact points unreadable, also in dumps and backups.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Executable, Row, create_engine, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.chassis.database.connecting import KEPT_ALIVE, STATEMENT_MS
from services.chassis.database.logins import Logins
from services.chassis.keyed import key_id, parts_of
from services.chassis.messages import Unavailable
from services.contacts.domain.encryption import decrypt as decrypt  # noqa: PLC0414 - whoever has the keys has both
from services.contacts.domain.encryption import encrypt as encrypt  # noqa: PLC0414 - likewise
from services.contacts.storage.bulk import array, array_of_bytes
from services.contacts.storage.key_tables import seal_keys, subject_keys

# Text SQL: each statement is a transaction of its own, in a database without a unit of work.

# Text where ids and keys go as one array.

_NONCE = 12
_KEY = 32


class KeyStoreAway(Unavailable):
    """The key store does not answer; try again shortly."""


class KeyDestroyed(Exception):
    """There is no key: it was destroyed, and what it encrypted cannot be read any more."""


class Keyring(Mapping[str, bytes]):
    """Secrets by the id that rows store. The first is active; the others are retired, and still needed by their rows."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        """Take secrets of 32 bytes; an id is derived from the secret and reveals nothing of it."""
        self._secrets = {key_id(secret): secret for secret in secrets}
        if not self._secrets or any(len(secret) != _KEY for secret in self._secrets.values()):
            message = "a keyring holds secrets of 32 bytes"
            raise ValueError(message)
        self.active = next(iter(self._secrets))

    @classmethod
    def read(cls, setting: str) -> Keyring:
        """Read base64 secrets separated by commas, the active one first."""
        return cls(base64.b64decode(part, validate=True) for part in parts_of(setting))

    def __getitem__(self, name: str) -> bytes:
        return self._secrets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)


class Vault:
    """Keys by the id of their person. No key stays in memory after its use, so that a destroyed one is gone."""

    def __init__(self, url: str, master: Keyring, *, pool_size: int = 5) -> None:
        """Create the engine; connect nothing."""
        self._use(master)
        self._logins = Logins(url)
        self._engine = create_engine(
            self._logins.first,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            # Each statement is a transaction of its own, without a way to the server for its beginning and its end.
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={**KEPT_ALIVE, "options": f"-c statement_timeout={STATEMENT_MS}"},
        )

        self._logins.attach_to(self._engine)

    def renew(self, url: str, master: Keyring) -> None:
        """Use other master keys and another password, from the next statement and connection on."""
        self._logins.renew(url)
        self._use(master)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def key(self, subject_id: str) -> bytes:
        """Return a person's key.

        :raises KeyDestroyed: there is none.
        """
        keys = self.keys([subject_id])
        if subject_id not in keys:
            raise KeyDestroyed
        return keys[subject_id]

    def keys(self, subject_ids: Iterable[str]) -> dict[str, bytes]:
        """Return the keys of those who have one, by id."""
        rows = self._execute(
            text("SELECT subject_id, key_id, wrapped FROM subject_keys WHERE subject_id = ANY(CAST(:ids AS uuid[]))"),
            {"ids": array(subject_ids)},
        )
        return {str(row.subject_id): self._unwrap(row.key_id, row.wrapped, str(row.subject_id)) for row in rows}

    def keys_for(self, subject_ids: Iterable[str]) -> dict[str, bytes]:
        """Return a key for each id; make the missing ones."""
        wanted = list(dict.fromkeys(subject_ids))
        if not wanted:
            return {}
        found = self.keys(wanted)
        return found | self.new_keys([subject_id for subject_id in wanted if subject_id not in found])

    def new_keys(self, subject_ids: Iterable[str]) -> dict[str, bytes]:
        """Make keys for ids that have none, and return them; an id that has one after all keeps it."""
        made = {subject_id: os.urandom(_KEY) for subject_id in subject_ids}
        if not made:
            return {}
        active = self._master.active
        (kept,) = self._execute(
            text(
                "WITH kept AS (INSERT INTO subject_keys (subject_id, key_id, wrapped)"
                " SELECT s, :key_id, w FROM unnest(CAST(:ids AS uuid[]), CAST(:wrapped AS bytea[])) AS t (s, w)"
                " ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) AS many FROM kept"
            ),
            {
                "ids": array(made),
                "key_id": active,
                "wrapped": array_of_bytes(self._wrap(key, subject_id, under=active) for subject_id, key in made.items()),
            },
        )
        # Another process may have made one of them first.
        return made if kept.many == len(made) else self.keys(made)

    def destroy(self, subject_id: str) -> bool:
        """Destroy a person's key for good; return whether there was one."""
        return bool(self._execute(delete(subject_keys).where(subject_keys.c.subject_id == subject_id).returning(subject_keys.c.subject_id)))

    def destroy_all(self, subject_ids: Iterable[str]) -> None:
        """Destroy the keys of these ids for good."""
        ids = list(subject_ids)
        if ids:
            self._execute(text("DELETE FROM subject_keys WHERE subject_id = ANY(CAST(:ids AS uuid[]))"), {"ids": array(ids)})

    def seal_key(self, erasure_id: str) -> bytes:
        """Return the one-time key of an erasure's seal; make it the first time."""
        active = self._master.active
        wrapped = self._wrap(os.urandom(_KEY), erasure_id, under=active)
        self._execute(insert(seal_keys).values(erasure_id=erasure_id, key_id=active, wrapped=wrapped).on_conflict_do_nothing())
        key = self.unseal_key(erasure_id)
        if key is None:
            raise KeyDestroyed
        return key

    def unseal_key(self, erasure_id: str) -> bytes | None:
        """Return the one-time key of a seal, or None if it is broken."""
        rows = self._execute(select(seal_keys.c.key_id, seal_keys.c.wrapped).where(seal_keys.c.erasure_id == erasure_id))
        return self._unwrap(rows[0].key_id, rows[0].wrapped, erasure_id) if rows else None

    def break_seal(self, erasure_id: str) -> None:
        """Destroy the one-time key of a seal."""
        self._execute(delete(seal_keys).where(seal_keys.c.erasure_id == erasure_id))

    def rotate(self, *, limit: int = 1000) -> int:
        """Rewrap the keys of people and seals that are under a retired master key; return how many."""
        active = self._master.active
        with self._transaction() as connection:
            done = 0
            for table, whose in ((subject_keys, subject_keys.c.subject_id), (seal_keys, seal_keys.c.erasure_id)):
                retired = select(whose, table.c.key_id, table.c.wrapped).where(table.c.key_id != active)
                rows = connection.execute(retired.limit(limit - done).with_for_update(skip_locked=True)).all()
                also = {"rotated_at": func.clock_timestamp()} if table is subject_keys else {}
                for each_id, under, wrapped in rows:
                    again = self._wrap(self._unwrap(under, wrapped, each_id), each_id, under=active)
                    connection.execute(update(table).where(whose == each_id).values(key_id=active, wrapped=again, **also))
                done += len(rows)
        return done

    def under(self, master: str) -> int:
        """Count the keys that only this master key opens."""
        tables = "SELECT 1 FROM subject_keys WHERE key_id = :id UNION ALL SELECT 1 FROM seal_keys WHERE key_id = :id"
        return int(self._execute(text(f"SELECT count(*) AS many FROM ({tables}) AS t"), {"id": master})[0].many)  # noqa: S608 - our own constants

    def _use(self, master: Keyring) -> None:
        self._wrapping = {name: AESGCM(secret) for name, secret in master.items()}
        self._master = master

    def _wrap(self, key: bytes, subject_id: str, *, under: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._wrapping[under].encrypt(nonce, key, subject_id.encode())

    def _unwrap(self, master: str, wrapped: bytes, subject_id: str) -> bytes:
        try:
            return self._wrapping[master].decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject_id.encode())
        except (KeyError, InvalidTag) as error:
            raise KeyDestroyed from error

    def _execute(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> list[Row[Any]]:
        """Run one statement, twice if needed: the first try finds out whether a pooled connection died while idle."""
        for attempt in (1, 2):
            try:
                with self._engine.connect() as connection:
                    result = connection.execute(statement, parameters)
                    return list(result) if result.returns_rows else []
            except DBAPIError as error:
                if attempt == 2 or not error.connection_invalidated:
                    raise KeyStoreAway from error
            except PoolTimeout as error:
                raise KeyStoreAway from error
        raise AssertionError  # pragma: no cover - the loop returns or raises

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
                yield connection
        except (PoolTimeout, DBAPIError) as error:
            raise KeyStoreAway from error
