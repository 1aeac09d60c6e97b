"""How a process is connected to a database, and how long it waits for one that says nothing.

The server ends a statement that takes too long; whether the server still hears us, the kernel asks. Neither helps where
something in between keeps the connection open and carries nothing: then whoever waits gives up by itself, and the
connection is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.rows import Row

#: A little less than twice what the server gives a statement.
PATIENCE: Final = 15.0
STATEMENT_MS: Final = 8000
#: A peer that is gone is noticed within 25 seconds while we wait, and within 15 while we send.
KEPT_ALIVE: Final[Mapping[str, Any]] = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}


class Dialed(psycopg.Connection[Row]):
    """A connection that ends when a statement is not answered in time."""

    patience = PATIENCE

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer.

        :raises psycopg.OperationalError: there was none in time; the connection is closed.
        """
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except errors._WaitTimeout:  # noqa: SLF001 - psycopg has no other name for it
            if timeout is not None:
                raise
            self.pgconn.finish()
            message = "the database did not answer in time"
            raise psycopg.OperationalError(message) from None


@contextmanager
def waiting_longer(connection: sa.Connection, seconds: float) -> Iterator[None]:
    """Wait so long for statements of this connection, which the server gives as much."""
    dialed = cast("Dialed[Any]", connection.connection.dbapi_connection)
    dialed.patience = seconds
    try:
        yield
    finally:
        dialed.patience = PATIENCE
