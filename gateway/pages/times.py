"""Times in the user's own zone: that of the profile, else that of the browser (T29)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from flask import g, request
from jinja2.filters import do_mark_safe

from gateway.pages.unsent_forms import form_value
from services.chassis.messages import Invalid
from services.lexicon import zones

#: An instant as services write it.
Instant: TypeAlias = str | datetime
#: Our own script sets it; it is no secret.
ZONE_COOKIE = "liaison_zone"


def zone_name() -> str:
    """Return the zone in which this request's user reads and writes times."""
    session = g.get("session")
    chosen = session.details.get("time_zone") if session is not None else None
    for name in (chosen, request.cookies.get(ZONE_COOKIE)):
        if zones.is_zone(name):
            return str(name)
    return zones.DEFAULT


def zone_shown() -> dict[str, str]:
    """Return the zone with its common name, for pages."""
    name = zone_name()
    return {"name": name, "label": zones.label(name)}


def now_typed() -> str:
    """Return the current minute as a form's `datetime-local` shows it."""
    return local_input(datetime.now(UTC))


def today() -> date:
    """Return the current day in the user's zone."""
    return datetime.now(zones.zone(zone_name())).date()


def instant_from_form(name: str) -> str:
    """Return the instant of a form's `datetime-local` field, with its offset.

    Text that is no local time is returned unchanged, and the schema refuses it.

    :raises Invalid: the time does not exist, or exists twice and the form does not say which one is meant.
    """
    value = (form_value(name) or "").strip()
    local = _local(value)
    if local is None:
        return value
    zone = _zone_of_form(name)
    try:
        found = zones.instants(local, zone)
        if not found:
            before, after = zones.jump(local, zone)
            said = f"This time does not exist: clocks go from {zones.clock(before)} to {zones.clock(after)} on this day. Enter another time."
            raise Invalid(errors={name: [said]})
    except OverflowError:
        return f"{value}Z"
    if len(found) == 1:
        return found[0].isoformat()
    fold = form_value(f"{name}_fold")
    if fold not in {"0", "1"}:
        raise Invalid(errors={name: ["Clocks go back on this day, so this time comes twice. Choose which one you mean."]})
    return found[int(fold)].isoformat()


def bound_of_day(value: str, *, end: bool = False) -> str:
    """Return the first or the last instant of a typed day in the user's zone.

    Text that is no day is returned unchanged, and the schema refuses it.
    """
    try:
        on = datetime.fromisoformat(f"{value}T00:00:00").replace(tzinfo=zones.zone(zone_name()))
        return (on + timedelta(days=1, microseconds=-1) if end else on).isoformat()
    except (ValueError, OverflowError):
        return value


def choices_of_moment(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the instants to choose from when a typed time exists twice."""
    local = _local((values.get(name) or "").strip()) if values else None
    try:
        found = zones.instants(local, _zone_of_form(name)) if local is not None else []
    except OverflowError:
        return {}
    if len(found) < 2:
        return {}
    apart = (found[0].utcoffset() or timedelta()) - (found[1].utcoffset() or timedelta())
    order = ("the first", "an hour later" if apart == timedelta(hours=1) else "the second")
    return {str(n): f"{zones.clock(one)} {zones.abbreviation(one)}, {order[n]}" for n, one in enumerate(found)}


def local_input(value: Instant | None) -> str:
    """Return an instant in the user's zone, in the format of a `datetime-local` field."""
    return f"{_moment(value).astimezone(zones.zone(zone_name())):%Y-%m-%dT%H:%M}" if value else ""


def day(value: Instant | None) -> str:
    """Return a date, or the day of an instant in the user's zone, in words."""
    if not value:
        return ""
    text = str(value)
    on = date.fromisoformat(text[:10]) if len(text) == 10 else _moment(value).astimezone(zones.zone(zone_name())).date()
    return f"{on:%B} {on.day}, {on.year}"


def minute_words(value: Instant | None) -> str:
    """Return an instant to the minute in the user's zone, as plain text."""
    return zones.written(_moment(value), zone_name()) if value else ""


def minute(value: Instant | None) -> str:
    """Return an instant to the minute in the user's zone, as HTML that shows UTC on hover and in print."""
    if not value:
        return ""
    utc = f"{_moment(value).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    instant = _moment(value).astimezone(UTC).isoformat(timespec="minutes")
    # It contains digits and names of months and zones, and nothing that was typed.
    return do_mark_safe(f'<time datetime="{instant}" title="{utc}" data-utc="{utc}">{minute_words(value)}</time>')


def ago(value: Instant | None) -> str:
    """Return how many days ago an instant was, by days in the user's zone."""
    if not value:
        return "never"
    days = (today() - _moment(value).astimezone(zones.zone(zone_name())).date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


FILTERS = (day, minute, minute_words, ago, local_input)


def _moment(value: Instant) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _local(value: str) -> datetime | None:
    # A day without a time does not mean midnight.
    if len(value) < len("2026-11-28T14:05"):
        return None
    try:
        local = datetime.fromisoformat(value)
    except ValueError:
        return None
    return local if local.tzinfo is None else None


def _zone_of_form(name: str) -> str:
    # The zone of the form when it was shown, because another tab may have changed the profile since.
    said = form_value(f"{name}_zone")
    return str(said) if zones.is_zone(said) else zone_name()
