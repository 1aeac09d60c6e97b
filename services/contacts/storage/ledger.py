"""The suppression ledger (T9, T25), and the counts of what a user did today (T9, T11, T36)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import Table, delete, func, insert, not_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.chassis.messages import new_id
from services.contacts.domain.likeness import asked_words, kept_words
from services.contacts.domain.stakeholders import Individual
from services.contacts.domain.suppression import Mark
from services.contacts.storage.bulk import array_of_bytes
from services.contacts.storage.digests import Digests
from services.contacts.storage.rows import position
from services.contacts.storage.tables.cases import freeze_counts, ledger_hits, suppressions
from services.contacts.storage.tables.contact_layer import blocked_tries, reveal_reasons, reveals

# Text SQL: a digest array is looked up by its index, and marks are copied within the table.

# Text for locks, for digests that go as one array, and where marks are made of marks.
_NAME = "likeness"
#: Whoever enters somebody shares it; whoever freezes has it alone. So no entry is made between the looking and the
#: marking: one that began before a freeze is seen by it, and one that begins after it sees the marks.
_LOCK = Lock(4, "contacts suppressions")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a mark blocks nothing until the privacy officer says so (T25)."""

    #: `recorder` or `correction`.
    because: str
    contact_point_id: str
    component: str
    added_by: str
    added_at: datetime


def hold_shared(work: UnitOfWork) -> None:
    """Let nobody freeze anybody until the end of the transaction. Call it in a statement before the ledger is read."""
    work.hold(_LOCK, shared=True)


def hold_alone(work: UnitOfWork) -> None:
    """Let nobody register anybody until the end of the transaction; wait for registrations under way."""
    work.hold(_LOCK)


def write(
    work: UnitOfWork,
    digests: Digests,
    marks: Iterable[Mark],
    *,
    case_id: str,
    whose: Individual,
    now: datetime,
    waiting: Iterable[tuple[Mark, Waiting]] = (),
) -> int:
    """Write a person's marks as digests, each with its case; return how many. Only no-contact and declined come here (T9).

    :param waiting: marks that block nothing until the privacy officer keeps them (T25).
    """
    likenesses = [digests.suppression(_NAME, word) for word in sorted(kept_words(whose.first_name, whose.last_name))]
    rows = []
    for mark, why in [*((mark, None) for mark in marks), *waiting]:
        rows.append(
            {
                "id": new_id(),
                "case_id": case_id,
                "individual_id": whose.id,
                "kind": mark.kind,
                "digest": digests.suppression(mark.kind, mark.canonical),
                "alone": mark.alone,
                "likenesses": likenesses,
                "key_id": digests.key_id,
                "written_at": now,
                "stands": why is None,
                **{each.name: getattr(why, each.name) if why else None for each in fields(Waiting)},
            }
        )
    if rows:
        work.execute(insert(suppressions), rows)
    return len(rows)


def drop(work: UnitOfWork, case_id: str) -> int:
    """Delete a case's marks; return how many. A value stays blocked while another case holds it."""
    work.execute(delete(ledger_hits).where(ledger_hits.c.case_id == case_id))
    return work.execute(delete(suppressions).where(suppressions.c.case_id == case_id)).rowcount


@dataclass(frozen=True, slots=True)
class WaitingMark:
    """A mark that the privacy officer has to decide."""

    id: str
    case_id: str
    individual_id: str | None
    kind: str
    because: str
    contact_point_id: str | None
    component: str
    added_by: str
    added_at: datetime
    written_at: datetime


_WAITS = not_(suppressions.c.stands)


def waiting(work: UnitOfWork, *, limit: int, after: Sequence[str] | None = None) -> list[WaitingMark]:
    """Return the undecided marks, oldest first.

    :param after: instant and id of the mark before.
    """
    order = (suppressions.c.written_at, suppressions.c.id)
    found = select(*(suppressions.c[each.name] for each in fields(WaitingMark))).where(_WAITS).order_by(*order).limit(limit)
    if after is not None:
        found = found.where(tuple_(*order) > position(order, after))
    return all_typed(WaitingMark, work.execute(found).mappings())


def count_waiting(work: UnitOfWork) -> int:
    """Count the undecided marks."""
    return int(work.execute(select(func.count()).select_from(suppressions).where(_WAITS)).scalar_one())


@dataclass(frozen=True, slots=True)
class SettledMark:
    """A decided mark: whose it was, and of which kind."""

    case_id: str
    individual_id: str | None
    kind: str


def settle(work: UnitOfWork, mark_id: str, *, keep: bool) -> SettledMark | None:
    """Let an undecided mark block from now on, or delete it; return what it was, or None if there is none."""
    changed = update(suppressions).values(stands=True) if keep else delete(suppressions)
    columns = [suppressions.c[each.name] for each in fields(SettledMark)]
    return typed_or_none(SettledMark, work.execute(changed.where(suppressions.c.id == mark_id, _WAITS).returning(*columns)).mappings().one_or_none())


def follow_rename(work: UnitOfWork, digests: Digests, *, former: str, present: str) -> int:
    """Mark an organization's new name wherever its former one is marked; return how many marks that made."""
    return work.execute(
        text(
            "INSERT INTO suppressions (id, case_id, individual_id, kind, digest, alone, likenesses, key_id, written_at, stands)"
            " SELECT gen_random_uuid(), s.case_id, s.individual_id, s.kind, :present, s.alone, s.likenesses, s.key_id, s.written_at, true"
            " FROM suppressions s WHERE s.digest = ANY(CAST(:former AS bytea[])) AND s.stands AND NOT EXISTS (SELECT FROM suppressions p"
            " WHERE p.case_id = s.case_id AND p.individual_id = s.individual_id AND p.digest = :present)"
        ),
        {"present": digests.suppression("organization", present), "former": array_of_bytes(digests.suppressions("organization", former))},
    ).rowcount


#: Which candidate, by which of their values.
Question = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """A mark that the ledger has under a digest that was looked up."""

    id: str
    case_id: str
    kind: str
    digest: bytes
    alone: bool
    likenesses: frozenset[bytes]


def written(work: UnitOfWork, digests: str) -> list[Found]:
    """Return what the ledger has under these digests, an array. Only `usecases.looking` calls it, and counts (T35)."""
    rows = work.execute(
        text("SELECT id, case_id, kind, digest, alone, likenesses FROM suppressions WHERE stands AND digest = ANY(CAST(:digests AS bytea[]))"),
        {"digests": digests},
    )
    return [
        Found(str(row.id), str(row.case_id), row.kind, bytes(row.digest), row.alone, frozenset(bytes(item) for item in row.likenesses))
        for row in rows
    ]


def questions(digests: Digests, candidates: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]) -> list[Question]:
    """Return the digests to look up for these candidates."""
    return [(at, digest) for at, (_, _, values) in enumerate(candidates) for kind, value in values for digest in digests.suppressions(kind, value)]


def answers(digests: Digests, asked: Iterable[Question], found: Iterable[Found], names: Mapping[int, tuple[str, str]]) -> dict[int, list[Found]]:
    """Return which candidates the ledger knows, each with its marks.

    :param names: first and last name of each candidate; digests are made only where a value was found.
    """
    kept: dict[bytes, list[Found]] = {}
    for mark in found:
        kept.setdefault(mark.digest, []).append(mark)
    known: dict[int, dict[str, Found]] = {}
    words: dict[int, set[bytes]] = {}
    for at, digest in asked if kept else ():
        if digest not in kept:
            continue
        if at not in words:
            words[at] = {each for word in asked_words(*names[at]) for each in digests.suppressions(_NAME, word)}
        for mark in kept[digest]:
            if mark.alone or mark.likenesses & words[at]:
                known.setdefault(at, {})[mark.id] = mark
    return {at: list(marks.values()) for at, marks in known.items()}


def count_freeze(work: UnitOfWork, user_id: str, day: date) -> int:
    """Add one to the people whom the user had frozen on that day; return the count (T36)."""
    return _count(work, freeze_counts, user_id, day)


def count_reveal(work: UnitOfWork, user_id: str, day: date) -> int:
    """Add one to the user's reveals, locked until the end of the transaction; return the count."""
    return _count(work, reveals, user_id, day)


def blocked_today(work: UnitOfWork, user_id: str, day: date) -> int:
    """Return how many of the user's entries were blocked on that day."""
    of = blocked_tries.c
    return work.execute(select(of["count"]).where(of.user_id == user_id, of.day == day)).scalar_one_or_none() or 0


def count_blocked(work: UnitOfWork, user_id: str, day: date) -> int:
    """Add one to the user's blocked entries; return the count."""
    return _count(work, blocked_tries, user_id, day)


def _count(work: UnitOfWork, table: Table, user_id: str, day: date) -> int:
    counted = upsert(table).values(user_id=user_id, day=day, count=1)
    more = counted.on_conflict_do_update(index_elements=["user_id", "day"], set_={"count": table.c["count"] + 1})
    return int(work.execute(more.returning(table.c["count"])).scalar_one())


def keep_reveal_reason(work: UnitOfWork, *, individual_id: str, user_id: str, reason: str, now: datetime) -> None:
    """Store the reason of somebody who revealed many (T11)."""
    kept = {"id": new_id(), "individual_id": individual_id, "user_id": user_id, "at": now, "reason": reason}
    work.execute(insert(reveal_reasons), kept)
