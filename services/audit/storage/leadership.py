"""Leadership: an advisory lock that one connection holds as long as it lives."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, text

# Text SQL: a test reads which settings outlive their transaction.

#: One sequencer per trail: whoever holds this lock leads. The number is ours alone.
LEADERSHIP = 7_031_977_206
# The server notices within five seconds that the leader's machine is gone, and gives the lock to another. As text, so that a test
# can read which settings outlive their transaction.
_KEEPALIVE = text(
    "SELECT set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),"
    " set_config('tcp_keepalives_count', '3', false)"
)


def take_lead(connection: Connection) -> bool:
    """Try to become the leader for as long as this connection lives; return whether that worked."""
    with connection.begin():
        connection.execute(_KEEPALIVE)
        return bool(connection.execute(select(func.pg_try_advisory_lock(LEADERSHIP))).scalar_one())


def check(connection: Connection) -> None:
    """Check that the connection still lives.

    :raises SQLAlchemyError: it does not, and so does not hold the lock.
    """
    with connection.begin():
        connection.execute(select(1))
