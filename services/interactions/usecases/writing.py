"""Rows, texts and moments, as all use cases read and write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Protocol, TypeVar, cast, overload

from services.chassis.database import UnitOfWork
from services.chassis.messages import NotFound, new_id, wire_value
from services.chassis.validation import Unset
from services.interactions.domain.records import KeptText
from services.interactions.domain.texts import Written
from services.interactions.storage import texts
from services.interactions.usecases.authorization import component_of_kept_texts

Row = TypeVar("Row")
Answer = TypeVar("Answer")


class Stored(Protocol):
    """A row that is named by its id."""

    @property
    def id(self) -> str:
        """The id."""


def found(row: Row | None) -> Row:
    """Return a row that was looked up.

    :raises NotFound: there is none.
    """
    if row is None:
        raise NotFound
    return row


def answer_of(shape: type[Answer], row: Stored, kept: texts.Kept = MappingProxyType({}), **others: object) -> Answer:
    """Return an answer with the fields of a row, in their JSON form.

    :param kept: kept texts, which stand in the place of texts that the row has not.
    :param others: fields that are not the row's.
    """
    answer: dict[str, object] = {}
    for name in shape.__annotations__:
        value = others[name] if name in others else getattr(row, name)
        if value is None:
            value = kept.get((row.id, name))
        elif isinstance(value, date):
            value = wire_value(value)
        answer[name] = value
    return cast(Answer, answer)


@overload
def wire(moment: date) -> str: ...


@overload
def wire(moment: None) -> None: ...


def wire(moment: date | None) -> str | None:
    """Return the JSON form of an instant or a date, and None for None."""
    return None if moment is None else str(wire_value(moment))


def reworded(*texts_given: tuple[str, str | Unset | None, str | None]) -> list[tuple[str, str | None]]:
    """Return the texts that a change rewords, as (path, text).

    :param texts_given: (path, the text of the change or UNSET, the text that the caller read).
    """
    return [(path, text) for path, text, former in texts_given if not isinstance(text, Unset) and text != former]


def kept_texts(work: UnitOfWork, subject_ids: Sequence[str]) -> texts.Kept:
    """Return the kept texts of these subjects that the caller may read (T15)."""
    component = component_of_kept_texts(work.caller)
    return texts.read(work, component, subject_ids) if component is not None and subject_ids else {}


def store_text(work: UnitOfWork, written: Written, subject_type: str, subject_id: str, *, now: datetime, is_new: bool = False) -> None:
    """Keep a text with findings for the caller's component; delete the kept text of the field if there are none (T15).

    :param is_new: the subject is new, so that there is no kept text.
    """
    field = written.path.rpartition(".")[2]
    if written.classes and written.text is not None:
        caller = work.caller
        about = (new_id(), subject_type, subject_id, field, str(caller.component))
        texts.keep(work, KeptText(*about, written.text, written.reason, list(written.classes), caller.id, now))
    elif not is_new:
        texts.drop(work, subject_id, field)
