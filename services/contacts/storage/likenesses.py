"""Records that may be of one person, because both hold a value; and what the privacy officer proposes of two records (T34).

A pair is stored once, lower id first, so it does not show whose value came first or the order of the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import typed_or_none
from services.chassis.messages import new_id
from services.contacts.storage.bulk import array, insert_rows
from services.contacts.storage.frozen import OPEN
from services.contacts.storage.scopes import TaskScope
from services.contacts.storage.tables.contact_layer import likenesses, match_queue, merge_proposals

# Text SQL: the matcher compares sets of people in one statement, with a plan that a test checks.

# Text where values are compared across all rows, and for conditions that other statements take up.
#: In place of a component: two hold the value, and neither is told (T34).
ACROSS = "*"
_PERSONAL = "('cell', 'personal_phone', 'email')"
# One of the two was given the value as a personal one. A work address says nothing: many have the same.
_AGREE = f"one.digest = other.digest AND 'work_address' NOT IN (one.kind, other.kind) AND (one.kind IN {_PERSONAL} OR other.kind IN {_PERSONAL})"
#: A value that more people hold is a shared mailbox or line, and evidence of nothing. Without a bound, pairs are the square of people.
_MOST_HOLDERS = 10


def _is_shared(scope: str) -> str:
    """Return the SQL of whether too many people within a scope hold the value of `one` for it to be evidence."""
    holders = f"SELECT DISTINCT every.individual_id FROM match_digests every WHERE every.digest = one.digest{scope} LIMIT {_MOST_HOLDERS + 1}"  # noqa: S608 - put together from our own constants
    return f"(SELECT count(*) FROM ({holders}) held) > {_MOST_HOLDERS}"  # noqa: S608 - likewise


_SHARED_WITHIN, _SHARED = _is_shared(" AND every.component = one.component"), _is_shared("")
# Who is frozen is compared, too: it is not shown while they are, and must not be missing when they are freed (T36).
_FIND = text(
    f"""
    INSERT INTO likenesses (holder_component, held_id, other_id)
    SELECT DISTINCT CASE WHEN one.component = other.component THEN one.component ELSE :across END,
        least(one.individual_id, other.individual_id), greatest(one.individual_id, other.individual_id)
    FROM (SELECT one.*, {_SHARED} AS shared FROM match_digests one
        WHERE one.individual_id = ANY(CAST(:people AS uuid[])) AND NOT {_SHARED_WITHIN}) one
    JOIN match_digests other ON {_AGREE} AND other.individual_id <> one.individual_id AND (other.component = one.component OR NOT one.shared)
    ON CONFLICT DO NOTHING
    """  # noqa: S608 - put together from our own constants
)
# Whoever holds a value of these people, too: one holder more may have made it a shared one.
_HOLDERS = text(
    "SELECT DISTINCT every.individual_id FROM match_digests one JOIN match_digests every ON every.digest = one.digest"
    " WHERE one.individual_id = ANY(CAST(:people AS uuid[]))"
)
_UNTRUE = f"""
    DELETE FROM likenesses l WHERE (l.held_id = ANY(CAST(:people AS uuid[])) OR l.other_id = ANY(CAST(:people AS uuid[])))
    AND l.settled_at IS NULL AND NOT EXISTS (SELECT FROM match_digests one JOIN match_digests other ON {_AGREE}
        WHERE one.individual_id = l.held_id AND other.individual_id = l.other_id
        AND CASE WHEN l.holder_component = '{ACROSS}' THEN one.component <> other.component AND NOT {_SHARED}
            ELSE one.component = l.holder_component AND other.component = l.holder_component AND NOT {_SHARED_WITHIN} END)
    """  # noqa: S608 - put together from our own constants


def wait(work: UnitOfWork, people: Iterable[str]) -> None:
    """Queue people whose values changed for the matcher."""
    insert_rows(
        work, "match_queue", {"id": "uuid", "individual_id": "uuid"}, [{"id": new_id(), "individual_id": each} for each in dict.fromkeys(people)]
    )


def match_waiting(work: UnitOfWork, *, limit: int = 200) -> int:
    """Compare queued people's values with everybody's; insert likenesses, and delete those that hold no longer. The role is `matcher`.

    A likeness between two components is the privacy officer's only; one within a component is that component's.
    """
    of = match_queue.c
    queued = work.execute(select(of.id, of.individual_id).order_by(of.id).limit(limit).with_for_update(skip_locked=True)).all()
    if not queued:
        return 0
    changed = dict.fromkeys(row.individual_id for row in queued)
    holders = map(str, work.execute(_HOLDERS, {"people": array(changed)}).scalars())
    work.execute(text(_UNTRUE), {"people": array(changed | dict.fromkeys(holders))})
    work.execute(_FIND, {"people": array(changed), "across": ACROSS})
    work.execute(delete(match_queue).where(of.id.in_([row.id for row in queued])))
    return len(queued)


def forget_untrue(work: UnitOfWork, people: Iterable[str], *, component: str) -> None:
    """Delete likenesses that a component's own values no longer support, as `eraser`. Across components the matcher does (T17)."""
    work.execute(text(f"{_UNTRUE} AND l.holder_component = :component"), {"people": array(dict.fromkeys(people)), "component": component})


#: Pairs `l` of people for whom the caller's own component holds the same value, as their owners there and stewards are told (T34).
OWN = (
    "likenesses l WHERE l.holder_component = :component AND l.settled_at IS NULL"  # noqa: S608 - our own constant
    f" AND (SELECT count(*) FROM individuals i WHERE i.id IN (l.held_id, l.other_id) AND {OPEN}) = 2"
    " AND (:steward OR EXISTS (SELECT FROM individuals i WHERE i.id IN (l.held_id, l.other_id) AND i.owner_id = CAST(:user AS uuid)))"
)
#: As the caseworker: pairs `l` for whom two components hold the same value, and of whom no merge is proposed yet (T34).
BETWEEN = (
    f"likenesses l WHERE l.holder_component = '{ACROSS}' AND l.settled_at IS NULL"  # noqa: S608 - our own constant
    " AND NOT EXISTS (SELECT FROM merge_proposals m WHERE m.held_id = l.held_id AND m.other_id = l.other_id)"
    " AND (SELECT count(*) FROM individuals i WHERE i.id IN (l.held_id, l.other_id) AND i.frozen_at IS NULL) = 2"
)
#: Pairs `l` of which the caller owns a record that they have not answered for, and may see both.
PROPOSED = (
    "merge_proposals l JOIN individuals a ON a.id = l.held_id JOIN individuals b ON b.id = l.other_id"  # noqa: S608 - our own constant
    f" WHERE (SELECT count(*) FROM individuals i WHERE i.id IN (l.held_id, l.other_id) AND {OPEN}) = 2"
    " AND 'different' IS DISTINCT FROM l.held_answer AND 'different' IS DISTINCT FROM l.other_answer"
    " AND (a.owner_id = CAST(:user AS uuid) AND l.held_answer IS NULL OR b.owner_id = CAST(:user AS uuid) AND l.other_answer IS NULL)"
)


def is_among(work: UnitOfWork, pairs: str, pair: tuple[str, str], *, scope: TaskScope) -> bool:
    """Return whether a pair is one of `OWN`, `BETWEEN` or `PROPOSED` for the caller."""
    statement = text(f"SELECT EXISTS (SELECT FROM {pairs} AND l.held_id = CAST(:one AS uuid) AND l.other_id = CAST(:other AS uuid))")  # noqa: S608 - our own constants
    return bool(work.execute(statement, {**scope.parameters(), "one": pair[0], "other": pair[1]}).scalar_one())


def settle(work: UnitOfWork, pair: tuple[str, str], *, holder: str, by: str, now: datetime) -> bool:
    """Store that the two are different people, so that nobody is told again; return whether there was such a likeness."""
    of = likenesses.c
    settled = update(likenesses).where(of.holder_component == holder, of.held_id == pair[0], of.other_id == pair[1], of.settled_at.is_(None))
    return work.execute(settled.values(settled_at=now, settled_by=by)).rowcount == 1


def propose(work: UnitOfWork, pair: tuple[str, str], *, by: str, now: datetime) -> None:
    """Ask both owners whether the two are one person, as `caseworker`. A repeated call changes nothing."""
    proposed = insert(merge_proposals).values(held_id=pair[0], other_id=pair[1], proposed_by=by, proposed_at=now)
    work.execute(proposed.on_conflict_do_nothing())


def withdraw(work: UnitOfWork, pair: tuple[str, str]) -> bool:
    """Withdraw the question to both owners, as `caseworker`; return whether there was one."""
    return work.execute(delete(merge_proposals).where(_of(pair))).rowcount == 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question to both owners, and each one's answer."""

    proposed_at: datetime
    held_answer: str | None
    held_answered_by: str | None
    other_answer: str | None
    other_answered_by: str | None


def proposal(work: UnitOfWork, pair: tuple[str, str]) -> Proposal | None:
    """Return what is proposed of a pair, locked until the end of the transaction."""
    columns = [merge_proposals.c[each.name] for each in fields(Proposal)]
    return typed_or_none(Proposal, work.execute(select(*columns).where(_of(pair)).with_for_update()).mappings().one_or_none())


def answer(work: UnitOfWork, pair: tuple[str, str], answers: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Store the answer of one record's owner, or of both: `held` or `other` → *same* or *different*."""
    for side, said in answers.items():
        values = {f"{side}_answer": said, f"{side}_answered_by": by, f"{side}_answered_at": now}
        work.execute(update(merge_proposals).where(_of(pair)).values(values))


def _of(pair: tuple[str, str]) -> ColumnElement[bool]:
    return and_(merge_proposals.c.held_id == pair[0], merge_proposals.c.other_id == pair[1])
