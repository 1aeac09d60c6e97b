"""Counts that survive a rollback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.chassis.database import Database
from services.chassis.messages import Caller
from services.contacts.contract.refusals import IndividualBlocked
from services.contacts.usecases.preconditions import count_blocked


@contextmanager
def blocked_tries_counted(database: Database, caller: Caller) -> Iterator[None]:
    """Count a blocked entry in a transaction of its own, because a refusal rolls the entry's back (T9)."""
    try:
        yield
    except IndividualBlocked:
        with database.work(caller) as work:
            count_blocked(work, by=caller, now=database.clock())
        raise
