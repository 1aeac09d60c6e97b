"""Forms that change one version of a record, so that nobody overwrites changes unseen.

A form has the ETag and the values of the version that it shows. After a change by somebody else it is shown again with
the old, the current and the typed values. Where both changed the same field, the user ticks a box to overwrite it; the
box holds the ETag of the version that the user has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from services.chassis.messages import Refusal, Stale


@dataclass(frozen=True, slots=True)
class Change:
    """A field that somebody else changed: the old, the current and the typed value."""

    label: str
    was: str
    now: str
    typed: str | None


@dataclass(frozen=True, slots=True)
class Versions:
    """What a form shows and holds of the versions of its record."""

    tag: str
    was: dict[str, str]
    #: The ETag for the box; empty when there is no box.
    seen: str = ""
    stale: bool = False
    changes: list[Change] = field(default_factory=list)
    #: The values in the form's fields.
    values: Mapping[str, object] = field(default_factory=dict)


def submitted_etag() -> str:
    """Return the ETag of the version that the form changes."""
    if request.form.get("overwrite") == "yes":
        return request.form.get("seen_match", "")
    return request.form.get("if_match", "")


def changed_values(names: tuple[str, ...]) -> dict[str, str | None]:
    """Return the fields that the user changed; an emptied one is None.

    An unchanged field is left out, so that it overwrites nothing.
    """
    typed = {name: request.form[name].strip() for name in names if name in request.form}
    return {name: value or None for name, value in typed.items() if value != request.form.get(f"was_{name}")}


def compare_versions(
    present: Mapping[str, object],
    tag: str,
    labels: Mapping[str, str],
    refusal: Refusal | None,
    *,
    asks_always: bool = False,
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Versions:
    """Compare the submitted form with the current record, and return what the form shows.

    :param present: the current record, with its ETag in `tag`; `labels` names the fields to compare.
    :param refusal: the refusal of this form, which is shown again.
    :param asks_always: ask about each change, because the form affects the whole record.
    :param words: the words for codes, by field.
    """
    now = {name: _text(present.get(name)) for name in labels}
    if refusal is None:
        return Versions(tag, now, values=dict(present))
    form = request.form
    was = {name: form.get(f"was_{name}", now[name]) for name in labels}
    typed = {name: form[name].strip() for name in labels if name in form}
    if refusal.code != Stale.code:
        # Refused for another reason: the form keeps its version.
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
        # Until the box is ticked the form keeps its version, or the same button would overwrite on the next try.
        was=was if disputed else now,
        seen=tag if disputed else "",
        stale=True,
        changes=changes,
        values={**present, **form.to_dict(), **values},
    )


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
