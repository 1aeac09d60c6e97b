"""The days of the outbox: made before they begin, and dropped whole when nothing of them is needed any more.

A day is dropped a week after it was over, when all of it is shipped and every numbered row of it stands in the trail,
under a checkpoint that this service has seen signed and continued. What is not, stays, and so does its day: a row that
audit does not have may be the only one. Audit is asked for ranges of numbers (`ask`), never told to forget anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from services.chassis.database.connecting import waiting_longer
from services.chassis.logs import Log
from services.chassis.messages import Caller
from services.chassis.signals import is_asked_to_stop

if TYPE_CHECKING:
    from services.chassis.database import Database

_log = Log(__name__)

#: So many whole days stay, for an operator to look into.
KEPT = 7
#: Numbers that are asked for at a time: what audit counts well within a call.
ASKED = 10_000
_MOST_RANGES = 500
#: A day of a busy service has millions of rows, and nobody waits for their numbers to be read.
_PATIENT = "SET LOCAL statement_timeout = '10min'"
#: A little longer than that.
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


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of one stream without a gap, from `first` to `last`: of entries, or of commits that failed (`void`)."""

    stream: str
    first: int
    last: int
    void: bool


#: Asks audit which of these ranges it does not wholly have, under the checkpoint of a size: (size, ranges) → their places.
Ask = Callable[[int, Sequence[dict[str, Any]]], Sequence[int]]


def partition_functions(service: str) -> str:
    """Return the statements that make the functions in a service's database; its migration runs them."""
    return _FUNCTIONS.replace("{role}", f"liaison_{service}").replace("{kept}", str(KEPT))


class OutboxPartitions:
    """The days in the tables of one service's database."""

    def __init__(self, database: Database) -> None:
        """Serve the rows of one service's database."""
        self._database = database

    def make(self) -> None:
        """Make the coming days' partitions, and forget operations and messages that nobody repeats any more."""
        with self._database.system_transaction() as connection:
            connection.execute(text("SELECT outbox_roll()"))
            connection.execute(text("DELETE FROM operations WHERE created_at < clock_timestamp() - interval '25 hours'"))
            connection.execute(text("DELETE FROM inbox WHERE received_at < clock_timestamp() - interval '30 days'"))

    def drop_covered(self, ask: Ask, caller: Caller) -> list[date]:
        """Drop every day that is over, shipped and covered by a checkpoint seen here; return which.

        No transaction is open while audit is asked. Asked to stop, it leaves the other days to the next process.
        """
        days = takewhile(lambda _: not is_asked_to_stop(), self._over())
        return [day for day in days if self._is_covered(day, ask) and self._drop(day, caller)]

    def _over(self) -> list[date]:
        with self._database.system_transaction() as connection:
            return list(connection.execute(text("SELECT outbox_days_over()")).scalars())

    def _is_covered(self, day: date, ask: Ask) -> bool:
        with self._database.system_transaction() as connection:
            size = connection.execute(text("SELECT max(size) FROM checkpoints_seen")).scalar_one()
            connection.exec_driver_sql(_PATIENT)
            with waiting_longer(connection, _PATIENCE):
                ranges = [Range(*row) for row in connection.execute(_RANGES, {"day": day})]
        if size is None:
            return not ranges
        for part in _parts(ranges):
            if is_asked_to_stop():
                return False
            if lacking := ask(size, [asdict(each) for each in part]):
                first = part[lacking[0]]
                _log.warning("day.uncovered", day=day.isoformat(), size=size, stream=first.stream, first=first.first, last=first.last)
                return False
        return True

    def _drop(self, day: date, caller: Caller) -> bool:
        with self._database.work(caller) as work:
            dropped: bool = work.execute(text("SELECT outbox_drop(CAST(:day AS date))"), {"day": day}).scalar_one()
            if dropped:
                work.record(f"{self._database.service}:outbox-day:drop", rule=day.isoformat())
        return dropped


# Marks have negative numbers, and are no rows of anybody's doing: whatever they said of a stream, later ones say again.
_RANGES = text(
    "SELECT stream::text, min(n), max(n), void FROM (SELECT stream, n, void, n - row_number() OVER (PARTITION BY stream, void ORDER BY n) AS island"
    " FROM (SELECT stream, n, body ->> 'void' IS NOT NULL AS void FROM entries WHERE day = :day AND n > 0) AS numbered) AS islands"
    " GROUP BY stream, void, island ORDER BY 1, 2"
)


def _parts(ranges: Iterable[Range]) -> Iterator[list[Range]]:
    """Cut ranges into parts of at most `ASKED` numbers."""
    part: list[Range] = []
    room = ASKED
    for whole in ranges:
        first = whole.first
        while first <= whole.last:
            last = min(whole.last, first + room - 1)
            part.append(Range(whole.stream, first, last, whole.void))
            room -= last - first + 1
            first = last + 1
            if room == 0 or len(part) == _MOST_RANGES:
                yield part
                part, room = [], ASKED
    if part:
        yield part
