"""What an account looked up in the suppression ledger, and which marks it hit: counted even if the entry is refused (T35)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import func, select, text, update

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed, typed
from services.chassis.messages import new_id
from services.contacts.storage.bulk import array
from services.contacts.storage.ledger import Found
from services.contacts.storage.tables.cases import ledger_hits, ledger_lookups

# Text SQL: pages are read over a union of hits and limits.

# Text where rows are counted and added up in one statement, and where many ids go as one array: one parameter, not one for each.

_COUNT = """
    INSERT INTO ledger_lookups AS t (account, day, component, looked, at_most, waiting_since)
    SELECT account, day, min(component), sum(looked), max(at_most), min(waiting_since) FROM json_to_recordset(CAST(:looked AS json))
        AS l (account text, day date, component text, looked bigint, at_most bigint, waiting_since timestamptz)
    GROUP BY account, day ORDER BY account, day
    ON CONFLICT (account, day) DO UPDATE SET looked = t.looked + excluded.looked, at_most = excluded.at_most,
        waiting_since = coalesce(t.waiting_since, excluded.waiting_since)
"""
_HIT = """
    INSERT INTO ledger_hits (account, mark_id, entry_id, case_id, component, kind, day, at)
    SELECT account, mark_id, entry_id, case_id, component, kind, day, at FROM json_to_recordset(CAST(:hits AS json))
        AS h (account text, mark_id uuid, entry_id uuid, case_id uuid, component text, kind text, day date, at timestamptz)
    ORDER BY account, mark_id ON CONFLICT (account, mark_id) DO NOTHING
"""
#: Of an account: what it looked up today, up to where it may go on, its entries of today that hit (all, and those that
#: the privacy officer has seen), and whether the tenth of any day was not seen yet.
_STANDING = """
    SELECT coalesce((SELECT l.looked FROM ledger_lookups l WHERE l.account = :account AND l.day = :day), 0) AS looked,
        coalesce((SELECT l.allowed FROM ledger_lookups l WHERE l.account = :account AND l.day = :day), 0) AS allowed,
        coalesce(max(d.hits) FILTER (WHERE d.day = :day), 0) AS hits, coalesce(max(d.seen) FILTER (WHERE d.day = :day), 0) AS seen,
        coalesce(bool_or(d.hits / :tenth > d.seen / :tenth), false) AS stopped
    FROM (SELECT h.day, count(DISTINCT h.entry_id) AS hits, count(DISTINCT h.entry_id) FILTER (WHERE h.seen_at IS NOT NULL) AS seen
        FROM ledger_hits h WHERE h.account = :account GROUP BY h.day) d
"""
#: The tenth of an account's entries of a day that hit, and each tenth behind it, stops its imports until it is seen.
TENTH = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's counts of a day."""

    looked: int = 0
    allowed: int = 0
    hits: int = 0
    seen: int = 0
    stopped: bool = False

    def stops_with(self, more: int) -> bool:
        """Return whether so many more hits stop the account's imports."""
        return self.stopped or (self.hits + more) // TENTH > self.seen // TENTH


def standing(work: UnitOfWork, account: str, day: date) -> Standing:
    """Return an account's counts of a day."""
    return typed(Standing, work.execute(text(_STANDING), {"account": account, "day": day, "tenth": TENTH}).mappings().one())


def count(work: UnitOfWork, *, account: str, component: str | None, day: date, looked: int, at_most: int, waiting: datetime | None = None) -> None:
    """Count values that an account looked up; the count stays if the entry is refused.

    :param waiting: since when it waits for the privacy officer to allow more.
    """
    row = {"account": account, "day": day.isoformat(), "component": component, "looked": looked, "at_most": at_most, "waiting_since": waiting}
    work.keep("looked", _COUNT, [row])


def hit(work: UnitOfWork, *, account: str, component: str | None, now: datetime, entries: Iterable[Sequence[Found]]) -> None:
    """Store which marks an account's entries hit, each mark once; they stay if the entry is refused."""
    rows = []
    for found in entries:
        entry_id = new_id()
        rows += [
            {
                "account": account,
                "mark_id": mark.id,
                "entry_id": entry_id,
                "case_id": mark.case_id,
                "component": component,
                "kind": mark.kind,
                "day": now.astimezone(UTC).date().isoformat(),
                "at": now,
            }
            for mark in found
        ]
    if rows:
        work.keep("hits", _HIT, rows)


def known(work: UnitOfWork, account: str, marks: Iterable[str]) -> set[str]:
    """Return which of these marks an account has hit before."""
    statement = text("SELECT mark_id FROM ledger_hits WHERE account = :account AND mark_id = ANY(CAST(:marks AS uuid[]))")
    return {str(row.mark_id) for row in work.execute(statement, {"account": account, "marks": array(marks)})}


@dataclass(frozen=True, slots=True)
class Hit:
    """A mark that an account hit, and whose it is while they exist."""

    account: str
    mark_id: str
    case_id: str
    component: str | None
    kind: str
    at: datetime
    individual_id: str | None


def unseen(work: UnitOfWork, *, after: Sequence[str] | None, limit: int) -> list[Hit]:
    """Return the hits that the privacy officer has not seen, oldest first.

    :param after: instant, mark and account of the hit before.
    """
    at, mark, account = after or (None, None, None)
    rows = work.execute(
        text(
            "SELECT h.account, h.mark_id, h.case_id, h.component, h.kind, h.at, s.individual_id"
            " FROM ledger_hits h LEFT JOIN suppressions s ON s.id = h.mark_id WHERE h.seen_at IS NULL AND (CAST(:at AS timestamptz) IS NULL"
            " OR (h.at, h.mark_id, h.account) > (CAST(:at AS timestamptz), CAST(:mark AS uuid), :account))"
            " ORDER BY h.at, h.mark_id, h.account LIMIT :limit"
        ),
        {"limit": limit, "at": at, "mark": mark, "account": account},
    )
    return all_typed(Hit, rows.mappings())


def count_unseen(work: UnitOfWork) -> int:
    """Count the unseen hits."""
    return int(work.execute(select(func.count()).select_from(ledger_hits).where(ledger_hits.c.seen_at.is_(None))).scalar_one())


_WAITING = """
    SELECT a.account, max(a.component) AS component, max(a.day) AS day, sum(a.looked)::bigint AS looked, sum(a.hits)::bigint AS hits,
        bool_or(a.waits) AS waits, min(a.since) AS since
    FROM (
        SELECT account, component, day, looked, 0 AS hits, true AS waits, waiting_since AS since
        FROM ledger_lookups WHERE waiting_since IS NOT NULL
        UNION ALL
        SELECT account, max(component), max(day), 0, count(DISTINCT entry_id), false, min(at)
        FROM ledger_hits WHERE seen_at IS NULL GROUP BY account
    ) a GROUP BY a.account
"""


@dataclass(frozen=True, slots=True)
class WaitingAccount:
    """An account for the privacy officer to look at: it has hits, or has used all look-ups."""

    account: str
    component: str | None
    day: date
    looked: int
    hits: int
    waits: bool
    since: datetime


def waiting(work: UnitOfWork, *, after: str | None, limit: int | None) -> list[WaitingAccount]:
    """Return these accounts in the order of their ids."""
    rows = work.execute(
        text(
            f"SELECT w.* FROM ({_WAITING}) w WHERE CAST(:after AS text) IS NULL OR w.account > :after"  # noqa: S608 - our own constant
            " ORDER BY w.account LIMIT CAST(:limit AS bigint)"
        ),
        {"after": after, "limit": limit},
    )
    return all_typed(WaitingAccount, rows.mappings())


def count_waiting(work: UnitOfWork) -> int:
    """Count these accounts."""
    return int(work.execute(text(f"SELECT count(*) FROM ({_WAITING}) w")).scalar_one())  # noqa: S608 - our own constant


def see(work: UnitOfWork, account: str, *, by: str, now: datetime, more: bool) -> bool:
    """Mark an account's hits as seen and, with `more`, allow as many values again; return False if there was nothing to see."""
    hits, of = ledger_hits.c, ledger_lookups.c
    seen = work.execute(update(ledger_hits).where(hits.account == account, hits.seen_at.is_(None)).values(seen_at=now, seen_by=by)).rowcount
    going = update(ledger_lookups).where(of.account == account, of.waiting_since.is_not(None)).values(waiting_since=None)
    if more:
        going = going.values(allowed=of.looked + of.at_most)
    return bool(work.execute(going).rowcount + seen)
