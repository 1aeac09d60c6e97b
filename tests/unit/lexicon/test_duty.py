"""Who has the duty to erase, and by when."""

from datetime import UTC, date, datetime

import pytest

from services.lexicon.duty import duty_to_erase, owner_erases_by

# A Wednesday before Thanksgiving: Thursday is a federal holiday, so two working days later is Monday.
ASKED = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
MONDAY = date(2026, 11, 30)
WEDNESDAY = date(2026, 12, 2)


def at(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, 12, 0, tzinfo=UTC)


@pytest.mark.requirement("R165", "T10")
@pytest.mark.parametrize(
    ("now", "owner_is_active", "has_administrator", "of", "due_on"),
    [
        (ASKED, True, True, "owner", date(2026, 11, 27)),
        (at(27), True, True, "owner", date(2026, 11, 27)),
        (at(28), True, True, "office_administrator", date(2026, 12, 1)),
        (at(28), True, False, "system_owner", date(2026, 11, 28)),
        (at(1, 12), True, True, "office_administrator", date(2026, 12, 1)),
        (at(2, 12), True, True, "system_owner", date(2026, 12, 1)),
        (ASKED, False, True, "office_administrator", date(2026, 11, 27)),
        (ASKED, False, False, "system_owner", date(2026, 11, 27)),
    ],
)
def test_the_duty_passes_from_the_owner_to_the_office_to_the_system_owner(now, owner_is_active, has_administrator, of, due_on):
    # Recorded on Tuesday evening; Wednesday and Friday are the two working days (Thursday is Thanksgiving).
    recorded = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    found = duty_to_erase(recorded_at=recorded, owner_is_active=owner_is_active, office_has_administrator=has_administrator, now=now)
    assert (found.of, found.due_on) == (of, due_on)


def test_weekends_and_holidays_are_no_working_days():
    found = duty_to_erase(recorded_at=ASKED, owner_is_active=True, office_has_administrator=True, now=ASKED)
    assert found.due_on == MONDAY
    later = duty_to_erase(recorded_at=ASKED, owner_is_active=True, office_has_administrator=True, now=at(1, 12))
    assert (later.of, later.due_on) == ("office_administrator", WEDNESDAY)


def test_the_owner_has_two_federal_working_days():
    assert owner_erases_by(datetime(2026, 11, 23, 9, tzinfo=UTC)) == date(2026, 11, 25)
