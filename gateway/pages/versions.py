"""Forms that mean one version of a record: what changed since is shown, and nothing is replaced unseen.

Such a form bears the tag of the version that it was made from, and the values of it. When the record is another by
now, the form comes back with what was there, what is there and what was typed. Where both changed the same field, it
is sent again only with a box ticked; the tag of the version that was read goes with the box, so that a further change
is noticed as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from services.chassis.messages import Refusal, Stale


@dataclass(frozen=True, slots=True)
class Change:
    """One field that somebody else changed: as it was when the form was opened, as it is, and as it was typed."""

    label: str
    was: str
    now: str
    typed: str | None


@dataclass(frozen=True, slots=True)
class Versions:
    """What a form shows and bears of the versions of its record."""

    tag: str
    was: dict[str, str]
    #: The tag that the box stands for; nothing when there is no box.
    seen: str = ""
    stale: bool = False
    changes: list[Change] = field(default_factory=list)
    #: What the form's fields show.
    values: Mapping[str, object] = field(default_factory=dict)


def submitted_etag() -> str:
    """Return the tag of the version that the form that was sent means."""
    if request.form.get("overwrite") == "yes":
        return request.form.get("seen_match", "")
    return request.form.get("if_match", "")


def changed_values(names: tuple[str, ...]) -> dict[str, str | None]:
    """Return the fields that were changed in the form that was sent; what was emptied is None.

    A field that was left as it was is not sent, so that it replaces nothing.
    """
    typed = {name: request.form[name].strip() for name in names if name in request.form}
    return {name: value or None for name, value in typed.items() if value != request.form.get(f"was_{name}")}


def compare_versions(
    present: Mapping[str, object],
    tag: str,
    labels: Mapping[str, str],
    refusal: Refusal | None,
    *,
    here: bool,
    asks_always: bool = False,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Versions:
    """Return what a form shows of versions.

    :param present: the record as it is, with its `tag`; `labels` names the fields of the form, or those to be watched.
    :param here: this form was sent and comes back.
    :param asks_always: any change is asked about: the form does something to the record as a whole.
    :param words: by field, what people call its codes.
    """
    now = {name: _text(present.get(name)) for name in labels}
    if not here:
        return Versions(tag, now, values=dict(present))
    form = request.form
    was = {name: form.get(f"was_{name}", now[name]) for name in labels}
    typed = {name: form[name].strip() for name in labels if name in form}
    if refusal is None or refusal.code != Stale.code:
        # Refused for something else: the version that was meant stays the one that was read.
        return Versions(form.get("if_match") or tag, was, values={**present, **form.to_dict()})
    moved = [name for name in labels if was[name] != now[name]]
    disputed = [name for name in moved if asks_always or (name in typed and typed[name] not in {was[name], now[name]})]

    def said(name: str, value: str) -> str:
        return ((words or {}).get(name) or {}).get(value, value)

    changes = [
        Change(labels[name], said(name, was[name]), said(name, now[name]), said(name, typed[name]) if name in typed else None) for name in moved
    ]
    values = {name: now[name] if name in moved and value == was[name] else value for name, value in typed.items()}
    return Versions(
        tag=form.get("if_match", "") if disputed else tag,
        # Until the box is ticked the form stays what it was made from, or the same button would replace on the next try.
        was=was if disputed else now,
        seen=tag if disputed else "",
        stale=True,
        changes=changes,
        values={**present, **form.to_dict(), **values},
    )


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
