"""Records that may be of one person, because both hold a value; and what the privacy officer proposes of two records (T34).

A pair is kept once, its lower id first: neither whose value came first nor in what order the queue is worked off shows in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import plain, plains
from services.chassis.messages import Caller, new_id
from services.contacts.storage.bulk import array, insert_rows
from services.contacts.storage.frozen import OPEN
from services.lexicon.vocabulary import at_least

#: In place of a component: two hold the value, and neither is told (T34).
ACROSS = "*"
_PERSONAL = "('cell', 'personal_phone', 'email')"
# One of the two was given the value as a personal one. A work address says nothing: many have the same.
_AGREE = f"one.digest = other.digest AND 'work_address' NOT IN (one.kind, other.kind) AND (one.kind IN {_PERSONAL} OR other.kind IN {_PERSONAL})"
#: A value that more people hold is a shared mailbox or line, and evidence of nothing. Without a bound, pairs are the square of people.
_MOST_HOLDERS = 10


def _is_shared(scope: str) -> str:
    """Return the SQL that says whether more people hold the value of `one` than make it evidence, within a scope."""
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
    """As the matcher: compare queued people's values with everybody's; leave likenesses, and take away what is true no longer.

    One between two components is for the privacy officer alone; one within a component is that component's.
    """
    queued = plains(
        work.execute(text("SELECT id, individual_id FROM match_queue ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"), {"limit": limit}).mappings()
    )
    if not queued:
        return 0
    changed = dict.fromkeys(row["individual_id"] for row in queued)
    holders = map(str, work.execute(_HOLDERS, {"people": array(changed)}).scalars())
    work.execute(text(_UNTRUE), {"people": array(changed | dict.fromkeys(holders))})
    work.execute(_FIND, {"people": array(changed), "across": ACROSS})
    work.execute(text("DELETE FROM match_queue WHERE id = ANY(CAST(:ids AS uuid[]))"), {"ids": [row["id"] for row in queued]})
    return len(queued)


def forget_untrue(work: UnitOfWork, people: Iterable[str], *, component: str) -> None:
    """As the eraser: take away what a component's own values say no longer; the matcher does it across components (T17)."""
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


def is_among(work: UnitOfWork, pairs: str, pair: tuple[str, str], *, by: Caller) -> bool:
    """Say whether a pair is one of `OWN`, `BETWEEN` or `PROPOSED` for the caller."""
    statement = text(f"SELECT EXISTS (SELECT FROM {pairs} AND l.held_id = CAST(:one AS uuid) AND l.other_id = CAST(:other AS uuid))")  # noqa: S608 - our own constants
    return bool(work.execute(statement, {**whose(by), "one": pair[0], "other": pair[1]}).scalar_one())


def whose(by: Caller) -> dict[str, Any]:
    """Return the parameters of these pairs."""
    return {"component": by.component, "user": by.id, "steward": at_least(by.level, "steward")}


def settle(work: UnitOfWork, pair: tuple[str, str], *, holder: str, by: str, now: datetime) -> bool:
    """Keep that the two are different people, so that they are told of no more; say whether there was such a likeness."""
    settled = work.execute(
        text(
            "UPDATE likenesses SET settled_at = :now, settled_by = CAST(:by AS uuid) WHERE holder_component = :holder"
            " AND held_id = CAST(:one AS uuid) AND other_id = CAST(:other AS uuid) AND settled_at IS NULL"
        ),
        {"now": now, "by": by, "holder": holder, "one": pair[0], "other": pair[1]},
    )
    return bool(settled.rowcount == 1)


def propose(work: UnitOfWork, pair: tuple[str, str], *, by: str, now: datetime) -> None:
    """As the caseworker: ask both owners whether the two are one person. Asked again, nothing changes."""
    work.execute(
        text(
            "INSERT INTO merge_proposals (held_id, other_id, proposed_by, proposed_at)"
            " VALUES (CAST(:one AS uuid), CAST(:other AS uuid), CAST(:by AS uuid), :now) ON CONFLICT DO NOTHING"
        ),
        {"one": pair[0], "other": pair[1], "by": by, "now": now},
    )


def withdraw(work: UnitOfWork, pair: tuple[str, str]) -> bool:
    """As the caseworker: ask nobody any more; say whether somebody was asked."""
    gone = work.execute(
        text("DELETE FROM merge_proposals WHERE held_id = CAST(:one AS uuid) AND other_id = CAST(:other AS uuid)"),
        {"one": pair[0], "other": pair[1]},
    )
    return bool(gone.rowcount == 1)


def proposal(work: UnitOfWork, pair: tuple[str, str]) -> dict[str, Any] | None:
    """Return what is proposed of a pair, held until the end of the transaction."""
    row = (
        work.execute(
            text("SELECT * FROM merge_proposals WHERE held_id = CAST(:one AS uuid) AND other_id = CAST(:other AS uuid) FOR UPDATE"),
            {"one": pair[0], "other": pair[1]},
        )
        .mappings()
        .one_or_none()
    )
    return plain(row) if row else None


def answer(work: UnitOfWork, pair: tuple[str, str], answers: Mapping[str, str], *, by: str, now: datetime) -> None:
    """Keep what the owner of one record, or of both, says: `held` or `other` → *same* or *different*."""
    for side, said in answers.items():
        work.execute(
            text(
                f"UPDATE merge_proposals SET {side}_answer = :said, {side}_answered_by = CAST(:by AS uuid), {side}_answered_at = :now"  # noqa: S608 - held or other
                " WHERE held_id = CAST(:one AS uuid) AND other_id = CAST(:other AS uuid)"
            ),
            {"said": said, "by": by, "now": now, "one": pair[0], "other": pair[1]},
        )
