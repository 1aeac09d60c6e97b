"""The engine of one service's database, under the service's own role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import orjson
from sqlalchemy import Connection, create_engine

from services.chassis.database.connecting import KEPT_ALIVE, STATEMENT_MS
from services.chassis.database.errors import translated
from services.chassis.database.locks import Lock, as_json
from services.chassis.database.logins import Logins
from services.chassis.database.unit_of_work import AutocommitReader, UnitOfWork
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database.stream import Stream


class Committed(Protocol):
    """What is told of a commit that left something to ship."""

    def __call__(self, *, announced: bool) -> None:
        """Take note; `announced` says whether an announcement is among it."""


class Database:
    """One service's database, under the service's own role."""

    def __init__(
        self,
        url: str,
        *,
        service: str,
        stream: Stream,
        pool_size: int = 10,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Make the engine; nothing is connected before the first unit of work."""
        self.service = service
        self.stream = stream
        #: Former streams of this process, under which nothing new is written; what was begun is still to be settled.
        self.ending: list[Stream] = []
        self.clock = clock
        #: Called after every commit that left something to ship, with `announced`: whether there is an announcement in it.
        self.on_commit: Committed = lambda *, announced: None  # noqa: ARG005 - nobody has asked to be told yet
        self.logins = Logins(url)
        self.engine = create_engine(
            self.logins.first,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_use_lifo=True,
            pool_recycle=1800,
            # Error texts quote parameters otherwise, and those are people's values.
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
        """Connect with another password from now on; who is connected stays so.

        :raises ValueError: that is no address.
        """
        self.logins.renew(url)

    def switch_stream(self, stream: Stream) -> None:
        """Write under another stream, with a key of its own, from the next commit on."""
        self.ending.append(self.stream)
        self.stream = stream
        self.on_commit(announced=False)

    def work(self, caller: Caller, *, role: str | None = None, locks: Iterable[Lock] = ()) -> UnitOfWork:
        """Return a unit of work for `caller`, as a context manager.

        :param role: one of the service's narrow roles, such as `eraser`.
        :param locks: what it would like to hold; it waits for none, and `held` tells which it has. The caller's own
            operation is then not held by itself.
        """
        return UnitOfWork(self, caller, role, tuple(locks))

    def reading(self, caller: Caller) -> AutocommitReader:
        """Return a unit of work that reads what everyone may see alike, as a context manager."""
        return AutocommitReader(self, caller, None)

    @contextmanager
    def system_transaction(self) -> Iterator[Connection]:
        """Give a transaction without caller or component: for the chassis's own tables.

        :raises DatabaseUnavailable: the database cannot be reached.
        """
        with translated(), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
