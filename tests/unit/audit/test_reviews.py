"""Weeks wait for the ISSO's sign-off."""

from datetime import date

import pytest

from services.audit.domain.weeks import monday_of, state_of, weeks_between

MONDAY = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 11, 16), "open"),
        (date(2026, 11, 22), "open"),
        (date(2026, 11, 23), "due"),
        (date(2026, 11, 29), "due"),
        (date(2026, 11, 30), "overdue"),
    ],
)
def test_a_week_is_due_when_it_is_over_and_overdue_a_week_later(today, state):
    assert state_of(MONDAY, today=today, signed=False) == state
    assert state_of(MONDAY, today=today, signed=True) == "signed"


def test_weeks_begin_on_mondays_also_over_the_new_year():
    assert monday_of(date(2027, 1, 3)) == date(2026, 12, 28)
    assert list(weeks_between(date(2026, 12, 30), date(2027, 1, 12))) == [date(2027, 1, 11), date(2027, 1, 4), date(2026, 12, 28)]
