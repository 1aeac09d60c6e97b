"""Find and remove an individual's rows, and the texts that may mention them. For the eraser's role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Column, Table, Text, any_, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.chassis.database import Lock, UnitOfWork
from services.chassis.database.rows import all_typed, typed_or_none
from services.interactions.domain.records import CoordinationRequest, TextFound
from services.interactions.storage import dictionary
from services.interactions.storage.tables import (
    attendances,
    coordination_requests,
    erasure_answers,
    erasure_links,
    follow_ups,
    interaction_individuals,
    interactions,
    kept_texts,
    metadata,
    people,
)

#: Every column that people write into, as the data dictionary says.
TEXTS: tuple[tuple[Table, str], ...] = tuple((metadata.tables[table.name], column.name) for table in dictionary.TABLES for column in table.searched)


@dataclass(frozen=True, slots=True)
class Reached:
    """The rows of an individual that were removed."""

    unlinked: int
    #: Interactions that were with nobody else.
    deleted: list[str]
    attendances: int
    requests: list[str]
    people: int
    #: The requests as they were, for those who get a notice.
    asked: list[CoordinationRequest]


def store_links(work: UnitOfWork, erasure_id: str, individual_id: str) -> None:
    """Store which rows the individual is linked to, before the links are removed."""
    linked = select(interaction_individuals.c.interaction_id).where(interaction_individuals.c.individual_id == individual_id)
    attended = select(attendances.c.event_id).where(attendances.c.individual_id == individual_id)
    for kind, ids in (
        ("interaction", linked),
        ("follow_up", select(follow_ups.c.id).where(follow_ups.c.interaction_id.in_(linked))),
        ("event", attended),
    ):
        rows = [{"erasure_id": erasure_id, "subject_type": kind, "subject_id": one} for one in work.execute(ids).scalars()]
        if rows:
            work.execute(upsert(erasure_links).on_conflict_do_nothing(), rows)


def links(work: UnitOfWork, erasure_id: str) -> set[str]:
    """Return the ids of the rows that the individual was linked to."""
    return set(work.execute(select(erasure_links.c.subject_id).where(erasure_links.c.erasure_id == erasure_id)).scalars())


def lock(work: UnitOfWork, erasure_id: str) -> None:
    """Lock an erasure until the transaction ends: a repeated step waits for the first, and then reads its answer."""
    work.hold(Lock(0, erasure_id))


def answer_given(work: UnitOfWork, erasure_id: str, step: str) -> Any:
    """Return the stored answer of a step, or None when the step is new."""
    query = select(erasure_answers.c.answer).where(erasure_answers.c.erasure_id == erasure_id, erasure_answers.c.step == step)
    return work.execute(query).scalar_one_or_none()


def store_answer(work: UnitOfWork, erasure_id: str, step: str, answer: Mapping[str, object]) -> None:
    """Store the answer of a step in the transaction of its effect, because a repetition finds nothing to count."""
    work.execute(insert(erasure_answers).values(erasure_id=erasure_id, step=step, answer=answer))


def delete_steps(work: UnitOfWork, erasure_id: str) -> None:
    """Delete links and answers, after the erasure is done."""
    for table in (erasure_links, erasure_answers):
        work.execute(delete(table).where(table.c.erasure_id == erasure_id))


def remove_individuals(work: UnitOfWork, individual_ids: Sequence[str]) -> Reached:
    """Delete every row with the id of one of these individuals, and the interactions that are left without a person."""
    ids = literal(list(individual_ids), ARRAY(people.c.id.type))
    # 1. Whoever logs something about them holds their row: erasing waits for it, and what comes later finds nobody.
    gone = work.execute(delete(people).where(people.c.id == any_(ids))).rowcount
    # 2. Locked in one order: whoever corrects one of these talks meanwhile waits, or was first.
    mine = select(interaction_individuals.c.interaction_id).where(interaction_individuals.c.individual_id == any_(ids))
    work.execute(select(interactions.c.id).where(interactions.c.id.in_(mine)).order_by(interactions.c.id).with_for_update()).all()
    unlinked = _ids(
        work,
        delete(interaction_individuals)
        .where(interaction_individuals.c.individual_id == any_(ids))
        .returning(interaction_individuals.c.interaction_id),
    )
    alone = _ids(
        work,
        select(interactions.c.id).where(
            interactions.c.id.in_(unlinked),
            ~exists().where(interaction_individuals.c.interaction_id == interactions.c.id),
        ),
    )
    promised = _ids(work, select(follow_ups.c.id).where(follow_ups.c.interaction_id.in_(alone)))
    about_them = delete(coordination_requests).where(coordination_requests.c.individual_id == any_(ids))
    asked = all_typed(CoordinationRequest, work.execute(about_them.returning(coordination_requests)).mappings())
    requests = [request.id for request in asked]
    work.execute(delete(kept_texts).where(kept_texts.c.subject_id.in_([*alone, *promised, *requests])))
    work.execute(delete(interactions).where(interactions.c.id.in_(alone)))
    left = work.execute(delete(attendances).where(attendances.c.individual_id == any_(ids))).rowcount
    return Reached(len(unlinked), alone, left, requests, gone, asked)


def suspects(work: UnitOfWork, table: Table, column: str, *, needles: Iterable[str], linked: set[str]) -> list[TextFound]:
    """Return the texts of linked rows, and those that hold one of the needles."""
    text = table.c[column]
    subject: Column[Any] = table.c.get("subject_id", table.c.id)
    found = [func.squeezed(text).like(any_(literal([f"%{needle}%" for needle in needles], ARRAY(Text))))]
    if linked:
        found.append(subject.in_(linked))
    query = select(table.c.id, text.label("text"), subject.label("subject_id")).where(text.is_not(None), or_(*found))
    return all_typed(TextFound, work.execute(query.order_by(table.c.id).with_for_update()).mappings())


def text_in(work: UnitOfWork, store: str, row_id: str, field: str) -> TextFound | None:
    """Return the text of one place, or None when it is gone or empty."""
    for table, column in TEXTS:
        if (f"interactions.{table.name}", column) == (store, field):
            text = table.c[column]
            subject: Column[Any] = table.c.get("subject_id", table.c.id)
            query = select(table.c.id, text.label("text"), subject.label("subject_id")).where(table.c.id == row_id, text.is_not(None))
            return typed_or_none(TextFound, work.execute(query).mappings().one_or_none())
    return None


def rewrite(work: UnitOfWork, table: Table, column: str, row_id: str, text: str) -> None:
    """Replace one text."""
    work.execute(update(table).where(table.c.id == row_id).values({column: text}))


def _ids(work: UnitOfWork, statement: Any) -> list[str]:
    return list(work.execute(statement).scalars())
