"""Translate connection-level driver errors into `DatabaseUnavailable`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.chassis.messages import Unavailable


class DatabaseUnavailable(Unavailable):
    """The database does not answer; try again shortly."""

    code = Unavailable.code


@contextmanager
def translated() -> Iterator[None]:
    """Raise `DatabaseUnavailable` for driver errors that mean the database is unreachable or too busy."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if is_unavailable(error):
            raise DatabaseUnavailable from error
        raise


#: SQLSTATEs: shutting down, starting up, too many connections, statement timeout, lock timeout, deadlock.
_UNAVAILABLE_STATES = {"57P01", "57P02", "57P03", "53300", "57014", "55P03", "40P01"}


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the error means that the database is unreachable or too busy."""
    state = getattr(error.orig, "sqlstate", None)
    return bool(error.connection_invalidated) or state in _UNAVAILABLE_STATES or (isinstance(error, OperationalError) and state is None)
