"""A page of a user's tasks, in SQL: the kinds that grow with people. None of them has a due date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed
from services.contacts.storage import likenesses, notices
from services.contacts.storage.scopes import TaskScope
from services.lexicon.tasks import NO_DAY

# Text SQL: a page is read over a union of all kinds.

#: More are not counted.
COUNTED = 10_000

_PAIR = "l.held_id || '-' || l.other_id AS key, l.held_id AS subject_id, ARRAY[l.held_id, l.other_id] AS individual_ids"
#: Records that may be of somebody who asked (T26), values to keep or drop (T25), values that two components hold (T34).
_OFFICER = (
    (
        "SELECT 'twin_to_decide' AS kind, t.case_id || '-' || t.individual_id AS key, t.individual_id AS subject_id,"
        " ARRAY[t.individual_id] AS individual_ids FROM twins t JOIN individuals i ON i.id = t.individual_id WHERE t.decision IS NULL"
    ),
    "SELECT 'value_to_decide', s.id::text, s.case_id, array_remove(ARRAY[s.individual_id], NULL) FROM suppressions s WHERE NOT s.stands",
    f"SELECT 'same_value' AS kind, {_PAIR} FROM {likenesses.BETWEEN}",  # noqa: S608 - our own constants
)
_PROPOSED = f"SELECT 'merge_proposed' AS kind, {_PAIR} FROM {likenesses.PROPOSED}"  # noqa: S608 - likewise
_OF_COMPONENT = (
    f"SELECT 'possible_no_contact' AS kind, i.id::text AS key, i.id AS subject_id, ARRAY[i.id] AS individual_ids FROM {notices.TWINS}",  # noqa: S608 - likewise
    f"SELECT 'erased_notice', n.id::text, n.id, CAST('{{}}' AS uuid[]) FROM {notices.WAITING}",  # noqa: S608 - likewise
    _PROPOSED,
)
_OWN = f"SELECT 'duplicate' AS kind, {_PAIR} FROM {likenesses.OWN}"  # noqa: S608 - likewise


@dataclass(frozen=True, slots=True)
class Task:
    """A task of a kind that grows with people."""

    kind: str
    key: str
    subject_id: str
    individual_ids: Sequence[str]


def first_after(work: UnitOfWork, *, scope: TaskScope, after: Sequence[str] | None, limit: int) -> tuple[list[Task], int]:
    """Return the first tasks after a position, at most `limit` and one more, and their total.

    For the privacy officer the role is `caseworker`.

    :param after: due date, kind and key of the task before.
    :return: the tasks, and their number, which is exact up to 10,000.
    """
    theirs = (*(_OF_COMPONENT if scope.component else (_PROPOSED,)), *((_OWN,) if scope.sees_values else ()))
    # Text, for a page is cut from all kinds at once.
    every = " UNION ALL ".join(_OFFICER if scope.is_officer else theirs)
    given = scope.parameters()
    total = work.execute(text(f"SELECT count(*) FROM (SELECT FROM ({every}) AS t LIMIT {COUNTED + 1}) AS c"), given).scalar_one()  # noqa: S608 - likewise
    behind = ""
    if after is not None and after[0] >= NO_DAY:
        behind = 'WHERE (t.kind COLLATE "C", t.key COLLATE "C") > (:kind, :key)'
        given |= {"kind": after[1], "key": after[2]}
    page = f'SELECT * FROM ({every}) AS t {behind} ORDER BY t.kind COLLATE "C", t.key COLLATE "C" LIMIT :most'  # noqa: S608 - likewise
    return all_typed(Task, work.execute(text(page), {**given, "most": limit + 1}).mappings()), int(total)
