"""Daily partitions of the outbox: create them in advance, and drop them when they are no longer needed.

A day is dropped a week after its end, once all its rows are shipped and every numbered row is in the trail, under a
signed checkpoint that this service has verified. Otherwise the whole day stays, because its rows may be the only copy.
The service asks audit which ranges of numbers it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import takewhile
from typing import TYPE_CHECKING, TypedDict

from sqlalchemy import text

from services.chassis.database.connecting import waiting_longer
from services.chassis.logs import Log
from services.chassis.messages import Caller
from services.chassis.signals import is_asked_to_stop

if TYPE_CHECKING:
    from services.chassis.database import Database

# Text SQL: the tables are the chassis's own in each database, made by scripts and not declared.

_log = Log(__name__)

#: Whole days to keep for operators.
KEPT = 7
#: Numbers in one call to audit, which it counts well within the deadline.
ASKED = 10_000
_MOST_RANGES = 500
#: A busy day has millions of rows, and no caller waits for this query.
_PATIENT = "SET LOCAL statement_timeout = '10min'"
#: The client-side timeout, in seconds: a little longer than that.
_PATIENCE = 630.0

_FUNCTIONS = """
CREATE FUNCTION outbox_roll() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $roll$
DECLARE
    parent text;
    first date := (timezone('utc', clock_timestamp()))::date;
    missing boolean := false;
BEGIN
    FOREACH parent IN ARRAY ARRAY['outbox', 'entries'] LOOP
        FOR ahead IN 1..2 LOOP
            missing := missing OR to_regclass(parent || '_' || to_char(first + ahead, 'YYYYMMDD')) IS NULL;
        END LOOP;
    END LOOP;
    IF NOT missing THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('outbox_roll'));
    -- A new partition takes the parent for itself. In the order in which every transaction writes, or they would wait for
    -- each other; and not for long, because whoever comes after waits behind this. The next hour tries again.
    LOCK TABLE entries, outbox IN ACCESS EXCLUSIVE MODE;
    FOREACH parent IN ARRAY ARRAY['outbox', 'entries'] LOOP
        -- Only tomorrow and the day after: rows of today may already sit in the default partition.
        FOR ahead IN 1..2 LOOP
            IF to_regclass(parent || '_' || to_char(first + ahead, 'YYYYMMDD')) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    parent || '_' || to_char(first + ahead, 'YYYYMMDD'), parent, first + ahead, first + ahead + 1);
            END IF;
        END LOOP;
    END LOOP;
EXCEPTION WHEN lock_not_available THEN
    RETURN;
END $roll$;

-- OutboxPartitions that are over, with nothing of them waiting: those with partitions of their own, and those in the default ones.
CREATE FUNCTION outbox_days_over() RETURNS SETOF date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $over$
    SELECT day FROM (
        SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('outbox'::regclass, 'entries'::regclass) AND c.relname ~ '_[0-9]{8}$'
        UNION SELECT day FROM entries_default UNION SELECT day FROM outbox_default) AS known
    WHERE day < (timezone('utc', clock_timestamp()))::date - {kept}
      AND NOT EXISTS (SELECT FROM entries e WHERE e.day = known.day AND NOT e.done)
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.day = known.day AND NOT o.done)
    ORDER BY day
$over$;

CREATE FUNCTION outbox_drop(over date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $drop$
DECLARE
    parent text;
    part text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('outbox_roll'));
    LOCK TABLE entries, outbox IN ACCESS EXCLUSIVE MODE;
    -- Asked again under the lock: another process may have been faster, and nobody may drop what waits or is young.
    IF over NOT IN (SELECT outbox_days_over()) THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['outbox', 'entries'] LOOP
        part := parent || '_' || to_char(over, 'YYYYMMDD');
        IF to_regclass(part) IS NOT NULL THEN
            EXECUTE format('DROP TABLE %I', part);
        END IF;
        EXECUTE format('DELETE FROM %I WHERE day = %L', parent || '_default', over);
    END LOOP;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END $drop$;

REVOKE ALL ON FUNCTION outbox_roll(), outbox_days_over(), outbox_drop(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION outbox_roll(), outbox_days_over(), outbox_drop(date) TO {role};
"""


class Range(TypedDict):
    """Consecutive numbers of one stream, from `first` to `last`: all entries, or with `void` all voids."""

    stream: str
    first: int
    last: int
    void: bool


#: Returns the indexes of the ranges that audit lacks in part, under the checkpoint of a size: (size, ranges) → indexes.
FindUncovered = Callable[[int, Sequence[Range]], Sequence[int]]


def partition_functions(service: str) -> str:
    """Return the SQL that creates the partition functions in a service's database, for its migration."""
    return _FUNCTIONS.replace("{role}", f"liaison_{service}").replace("{kept}", str(KEPT))


class OutboxPartitions:
    """The daily partitions in one service's database."""

    def __init__(self, database: Database) -> None:
        """Use the database of one service."""
        self._database = database

    def make(self) -> None:
        """Create the partitions of the next two days, and delete operations after 25 hours and inbox rows after 30 days."""
        with self._database.system_transaction() as connection:
            connection.execute(text("SELECT outbox_roll()"))
            connection.execute(text("DELETE FROM operations WHERE created_at < clock_timestamp() - interval '25 hours'"))
            connection.execute(text("DELETE FROM inbox WHERE received_at < clock_timestamp() - interval '30 days'"))

    def drop_covered(self, find_uncovered: FindUncovered, caller: Caller) -> list[date]:
        """Drop every past day that is shipped and covered by a checkpoint seen here; return those days.

        No transaction is open during calls to audit. When the process stops, the remaining days are left to the next one.
        """
        days = takewhile(lambda _: not is_asked_to_stop(), self._over())
        return [day for day in days if self._is_covered(day, find_uncovered) and self._drop(day, caller)]

    def _over(self) -> list[date]:
        with self._database.system_transaction() as connection:
            return list(connection.execute(text("SELECT outbox_days_over()")).scalars())

    def _is_covered(self, day: date, find_uncovered: FindUncovered) -> bool:
        with self._database.system_transaction() as connection:
            size = connection.execute(text("SELECT max(size) FROM checkpoints_seen")).scalar_one()
            connection.exec_driver_sql(_PATIENT)
            with waiting_longer(connection, _PATIENCE):
                ranges = [
                    Range(stream=row.stream, first=row.first, last=row.last, void=row.void) for row in connection.execute(_RANGES, {"day": day})
                ]
        if size is None:
            return not ranges
        for part in _parts(ranges):
            if is_asked_to_stop():
                return False
            if lacking := find_uncovered(size, part):
                first = part[lacking[0]]
                _log.warning("day.uncovered", day=day.isoformat(), size=size, stream=first["stream"], first=first["first"], last=first["last"])
                return False
        return True

    def _drop(self, day: date, caller: Caller) -> bool:
        with self._database.work(caller) as work:
            dropped: bool = work.execute(text("SELECT outbox_drop(CAST(:day AS date))"), {"day": day}).scalar_one()
            if dropped:
                work.record(f"{self._database.service}:outbox-day:drop", rule=day.isoformat())
        return dropped


# Marks have negative numbers and need no cover: later marks repeat what they say.
_RANGES = text(
    "SELECT stream::text AS stream, min(n) AS first, max(n) AS last, void"
    " FROM (SELECT stream, n, void, n - row_number() OVER (PARTITION BY stream, void ORDER BY n) AS island"
    " FROM (SELECT stream, n, body ->> 'void' IS NOT NULL AS void FROM entries WHERE day = :day AND n > 0) AS numbered) AS islands"
    " GROUP BY stream, void, island ORDER BY 1, 2"
)


def _parts(ranges: Iterable[Range]) -> Iterator[list[Range]]:
    """Split ranges into parts of at most `ASKED` numbers and 500 ranges."""
    part: list[Range] = []
    room = ASKED
    for whole in ranges:
        first = whole["first"]
        while first <= whole["last"]:
            last = min(whole["last"], first + room - 1)
            part.append({**whole, "first": first, "last": last})
            room -= last - first + 1
            first = last + 1
            if room == 0 or len(part) == _MOST_RANGES:
                yield part
                part, room = [], ASKED
    if part:
        yield part
