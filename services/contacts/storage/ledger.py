"""The suppression ledger (T9), and the counts of what a user did today (T9, T11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.messages import new_id
from services.contacts.domain.likeness import asked_words, kept_words
from services.contacts.domain.suppression import Mark
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.digests import Digests

_NAME = "likeness"


def write(work: UnitOfWork, digests: Digests, marks: Iterable[Mark], *, first_name: str, last_name: str, now: datetime) -> int:
    """Write an erased person's marks as digests; return how many. Only no-contact and declined come here (T9)."""
    entry_id = new_id()
    likenesses = [digests.suppression(_NAME, word) for word in sorted(kept_words(first_name, last_name))]
    rows = [
        {
            "id": new_id(),
            "entry_id": entry_id,
            "kind": mark.kind,
            "digest": digests.suppression(mark.kind, mark.canonical),
            "alone": mark.alone,
            "likenesses": likenesses,
            "key_id": digests.key_id,
            "now": now,
        }
        for mark in marks
    ]
    if rows:
        work.execute(
            text(
                "INSERT INTO suppressions (id, entry_id, kind, digest, alone, likenesses, key_id, written_at)"
                " VALUES (:id, :entry_id, :kind, :digest, :alone, CAST(:likenesses AS bytea[]), :key_id, :now)"
            ),
            rows,
        )
    return len(rows)


#: Which candidate, by which of their values, and the words of their name.
Question = tuple[int, bytes, list[bytes]]


def suppressed(work: UnitOfWork, digests: Digests, candidates: Sequence[tuple[str, str, Sequence[Mark]]]) -> list[bool]:
    """Say of each candidate (first name, last name, marks) whether the ledger knows them; one statement for all."""
    asked = questions(digests, candidates)
    known = answers(asked, written(work, array_of_bytes({digest for _, digest, _ in asked})) if asked else ())
    return [at in known for at in range(len(candidates))]


def written(work: UnitOfWork, digests: str) -> list[tuple[bytes, bool, list[bytes]]]:
    """Return what the ledger has under these digests, an array of them: digest, alone, likenesses."""
    rows = work.execute(
        text("SELECT digest, alone, likenesses FROM suppressions WHERE digest = ANY(CAST(:digests AS bytea[]))"), {"digests": digests}
    )
    return [(bytes(row.digest), row.alone, [bytes(item) for item in row.likenesses]) for row in rows]


def questions(digests: Digests, candidates: Sequence[tuple[str, str, Sequence[Mark]]]) -> list[Question]:
    """Return what the ledger is asked of these candidates."""
    asked: list[Question] = []
    for at, (first_name, last_name, marks) in enumerate(candidates):
        if not marks:
            continue
        likenesses = [digest for word in sorted(asked_words(first_name, last_name)) for digest in digests.suppressions(_NAME, word)]
        asked += [(at, digest, likenesses) for mark in marks for digest in digests.suppressions(mark.kind, mark.canonical)]
    return asked


def answers(asked: Sequence[Question], rows: Iterable[tuple[bytes, bool, Iterable[bytes]]]) -> set[int]:
    """Return which candidates the ledger knows, by its rows (digest, alone, likenesses) of the digests asked for."""
    kept: dict[bytes, list[tuple[bool, set[bytes]]]] = {}
    for digest, alone, likenesses in rows:
        kept.setdefault(digest, []).append((alone, set(likenesses)))
    return {at for at, digest, words in asked if any(alone or known & set(words) for alone, known in kept.get(digest, ()))}


def count_reveal(work: UnitOfWork, user_id: str, day: date) -> int:
    """Count one more, and hold the count until the end of the transaction; return it."""
    return _count(work, "reveals", user_id, day)


def blocked_today(work: UnitOfWork, user_id: str, day: date) -> int:
    """Return how many of the user's entries were blocked on that day."""
    return int(
        work.execute(
            text("SELECT coalesce(max(count), 0) FROM blocked_tries WHERE user_id = CAST(:user AS uuid) AND day = :day"),
            {"user": user_id, "day": day},
        ).scalar_one()
    )


def count_blocked(work: UnitOfWork, user_id: str, day: date) -> int:
    """Count one more blocked entry; return how many there are."""
    return _count(work, "blocked_tries", user_id, day)


def _count(work: UnitOfWork, table: str, user_id: str, day: date) -> int:
    return int(
        work.execute(
            text(
                f"INSERT INTO {table} AS t (user_id, day, count) VALUES (CAST(:user AS uuid), :day, 1)"  # noqa: S608 - one of two tables of ours
                " ON CONFLICT (user_id, day) DO UPDATE SET count = t.count + 1 RETURNING count"
            ),
            {"user": user_id, "day": day},
        ).scalar_one()
    )


def keep_reveal_reason(work: UnitOfWork, *, individual_id: str, user_id: str, reason: str, now: datetime) -> None:
    """Keep why somebody who had revealed many went on (T11)."""
    work.execute(
        text(
            "INSERT INTO reveal_reasons (id, individual_id, user_id, at, reason)"
            " VALUES (:id, CAST(:individual AS uuid), CAST(:user AS uuid), :now, :reason)"
        ),
        {"id": new_id(), "individual": individual_id, "user": user_id, "now": now, "reason": reason},
    )
