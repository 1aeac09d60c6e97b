"""What counts as an instant or a day (T29)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from services.chassis.instants import Day, Instant
from services.interactions.contract.schemas import InteractionCreateSchema
from tests.incoming import incoming
from tests.moments import ENDS, NEVER, NO_TEXT


@pytest.mark.requirement("T29")
@pytest.mark.parametrize("field", [Day(), Instant()], ids=["day", "instant"])
@pytest.mark.parametrize("value", [*NEVER, "", *NO_TEXT], ids=repr)
def test_what_cannot_be_is_neither_a_day_nor_an_instant(field: fields.Field[Any], value: Any) -> None:
    with pytest.raises(ValidationError):
        field.deserialize(value)


@pytest.mark.requirement("T29")
def test_what_lies_at_the_ends_is_taken_and_can_still_be_reckoned_with() -> None:
    for value in ENDS["date"]:
        assert Day().deserialize(value) - timedelta(days=400)
    for value in ENDS["date-time"]:
        moment = Instant().deserialize(value)
        assert moment.tzinfo is UTC
        assert moment.astimezone() + timedelta(days=400)


def test_an_instant_is_kept_in_utc_whatever_its_offset() -> None:
    assert Instant().deserialize("2026-11-28T14:05:00-05:00") == datetime(2026, 11, 28, 19, 5, tzinfo=UTC)
    assert Instant().deserialize("2026-11-28T14:05:00.1234567Z").microsecond == 123456
    assert Day().deserialize("2026-11-28") == date(2026, 11, 28)


def test_a_plus_that_a_query_lost_is_told_as_such() -> None:
    with pytest.raises(ValidationError, match="%2B"):
        Instant().deserialize("2026-11-28T10:00:00 05:00")


@given(st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30)), st.integers(-12 * 60, 14 * 60))  # noqa: DTZ001 - the offset follows
def test_every_instant_that_python_writes_is_read_back(local: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    read = Instant().deserialize(f"{local.isoformat()}{sign}{hours:02}:{rest:02}")
    assert read == local.replace(tzinfo=UTC) - timedelta(minutes=minutes)


@given(st.text(max_size=40) | st.from_regex(r"\d{1,6}-\d{1,3}-\d{1,3}([Tt ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?", fullmatch=True))
def test_no_text_breaks_a_day_or_an_instant(text: str) -> None:
    for field in (Day(), Instant()):
        with suppress(ValidationError):
            field.deserialize(text)


@pytest.mark.requirement("T29")
def test_every_day_and_instant_of_a_body_or_query_is_checked() -> None:
    # What comes in is closed; what goes out is ours.
    for schema in incoming():
        for field_name, field in schema().fields.items():
            inner = field.inner if isinstance(field, fields.List) else field
            if isinstance(inner, fields.DateTime | fields.Date | fields.Time):
                assert isinstance(inner, Day | Instant), f"{schema.__name__}.{field_name}"


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_blank_text_is_none_and_breaks_nothing(blank: str) -> None:
    body = {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "individual_ids": ["0197f2a0-0000-7000-8000-000000000001"], "outcome": blank}
    assert InteractionCreateSchema().load(body).outcome is None
