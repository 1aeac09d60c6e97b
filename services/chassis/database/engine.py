"""The database of one service, accessed under the service's own role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, create_engine

from services.chassis.database.connecting import KEPT_ALIVE, STATEMENT_MS
from services.chassis.database.errors import translated
from services.chassis.database.locks import Lock, as_json
from services.chassis.database.logins import Logins
from services.chassis.database.stream import Stream
from services.chassis.database.unit_of_work import AutocommitReader, OnCommit, UnitOfWork
from services.chassis.messages import Caller


class Database:
    """The engine, the audit stream and the units of work of one service."""

    def __init__(
        self,
        url: str,
        *,
        service: str,
        stream: Stream,
        pool_size: int = 10,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Create the engine; the first unit of work connects."""
        self.service = service
        self.stream = stream
        #: Former streams of this process: nothing new is written to them, but numbers may still be unsettled.
        self.ending: list[Stream] = []
        self.clock = clock
        #: Called after every commit with audit entries or announcements.
        self.on_commit: OnCommit = lambda *, announced: None  # noqa: ARG005 - until the relay sets it
        self.logins = Logins(url)
        self.engine = create_engine(
            self.logins.first,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_use_lifo=True,
            pool_recycle=1800,
            # Otherwise error texts quote parameters, which are personal data.
            hide_parameters=True,
            json_serializer=as_json,
            json_deserializer=orjson.loads,
            connect_args={
                **KEPT_ALIVE,
                "options": f"-c statement_timeout={STATEMENT_MS} -c lock_timeout=5000 -c idle_in_transaction_session_timeout=30000 -c timezone=UTC",
            },
        )
        self.logins.attach_to(self.engine)

    def renew(self, url: str) -> None:
        """Use other URLs for new connections; open ones stay.

        :raises ValueError: a URL is malformed, or there is none.
        """
        self.logins.renew(url)

    def switch_stream(self, stream: Stream) -> None:
        """Write to another stream, with its own key, from the next commit on."""
        self.ending.append(self.stream)
        self.stream = stream
        self.on_commit(announced=False)

    def work(self, caller: Caller, *, role: str | None = None, locks: Iterable[Lock] = ()) -> UnitOfWork:
        """Return a unit of work for `caller`, as a context manager.

        :param role: one of the service's narrow database roles, such as `eraser`.
        :param locks: locks to try without waiting; `held` has those that it got. With `locks`, the lock on the caller's
            Idempotency-Key is not taken automatically.
        """
        return UnitOfWork(self, caller, role, tuple(locks))

    def reading(self, caller: Caller) -> AutocommitReader:
        """Return a unit of work that only reads, and only what every caller may see, as a context manager."""
        return AutocommitReader(self, caller, None)

    @contextmanager
    def system_transaction(self) -> Iterator[Connection]:
        """Open a transaction without a caller, for the chassis's own tables.

        :raises DatabaseUnavailable: the database is unreachable or too busy.
        """
        with translated(), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
