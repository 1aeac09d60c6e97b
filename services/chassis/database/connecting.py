"""Database connections with timeouts for every way in which a server can fall silent.

The server cancels statements that take too long, and TCP keepalives detect a dead peer. If a proxy keeps the connection
open but forwards nothing, a client-side timeout closes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self, TypedDict, cast

import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.rows import Row
from psycopg.types.string import TextLoader

#: Seconds to wait for an answer; a little less than twice the server's statement timeout.
PATIENCE: Final = 15.0
STATEMENT_MS: Final = 8000


class KeepAlive(TypedDict):
    """libpq's connection parameters for timeouts; `tcp_user_timeout` is in milliseconds, the others in seconds."""

    connect_timeout: int
    keepalives_idle: int
    keepalives_interval: int
    keepalives_count: int
    tcp_user_timeout: int


#: A dead peer is detected within 25 seconds while we wait, and within 15 while we send.
KEPT_ALIVE: Final[KeepAlive] = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}


class Dialed(psycopg.Connection[Row]):
    """A connection whose UUIDs are strings, and that is closed when a statement has no answer in time."""

    patience = PATIENCE

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Connect as psycopg does."""
        connection = super().connect(conninfo, **options)
        # Ids are strings everywhere: an object for each, only to be written out again, costs a read more than its answer.
        connection.adapters.register_loader("uuid", TextLoader)
        return connection

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, as psycopg does, with a default timeout.

        :raises psycopg.OperationalError: there was none in time; the connection is closed.
        """
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except errors._WaitTimeout:  # noqa: SLF001 - psycopg has no public name for it
            if timeout is not None:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError("the database did not answer in time") from None


@contextmanager
def waiting_longer(connection: sa.Connection, seconds: float) -> Iterator[None]:
    """Set the client-side timeout of a connection's statements; the server's must be set to match."""
    dialed = cast("Dialed[Any]", connection.connection.dbapi_connection)
    dialed.patience = seconds
    try:
        yield
    finally:
        dialed.patience = PATIENCE
