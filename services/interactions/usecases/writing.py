"""Texts and moments, as all use cases read and write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import overload

from services.chassis.database import UnitOfWork
from services.chassis.messages import wire_value
from services.chassis.validation import Unset
from services.interactions.domain.texts import Written
from services.interactions.storage import texts
from services.interactions.usecases.authorization import component_of_kept_texts

Ids = Callable[[], str]


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


def store_text(
    work: UnitOfWork,
    written: Written,
    *,
    subject_type: str,
    subject_id: str,
    field: str,
    keep_reason: str | None,
    now: datetime,
    new_id: Ids,
    is_new: bool = False,
) -> None:
    """Keep a text with findings for the caller's component; delete the kept text of the field if there are none (T15).

    :param is_new: the subject is new, so that there is no kept text.
    """
    if written.classes and written.text is not None:
        texts.keep(
            work,
            id=new_id(),
            subject_type=subject_type,
            subject_id=subject_id,
            field=field,
            text=written.text,
            reason=keep_reason or "",
            classes=written.classes,
            now=now,
        )
    elif not is_new:
        texts.drop(work, subject_id, field)
