"""Local times: how they are written, and which instants they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.lexicon.zones import DEFAULT, NAMES, instants, is_zone, jump, label, written, zones


@pytest.mark.requirement("T29")
@pytest.mark.parametrize(
    ("at", "zone", "said"),
    [
        ("2026-11-28T19:05:00Z", DEFAULT, "November 28, 2026, 2:05 p.m. EST"),
        ("2026-07-04T04:00:00Z", DEFAULT, "July 4, 2026, 12:00 a.m. EDT"),
        ("2026-07-04T16:00:00Z", DEFAULT, "July 4, 2026, 12:00 p.m. EDT"),
        ("2026-11-28T02:05:00Z", "Pacific/Guam", "November 28, 2026, 12:05 p.m. ChST"),
        ("2026-11-28T19:05:00Z", "America/Phoenix", "November 28, 2026, 12:05 p.m. MST"),
        ("2026-11-28T19:05:00Z", "UTC", "November 28, 2026, 7:05 p.m. UTC"),
        ("2026-11-28T19:05:00Z", "Asia/Dubai", "November 28, 2026, 11:05 p.m. UTC+04"),
        ("9999-12-31T23:59:00Z", "Pacific/Guam", "December 31, 9999, 11:59 p.m. UTC"),
    ],
)
def test_an_instant_is_written_as_in_the_users_zone(at: str, zone: str, said: str) -> None:
    assert written(datetime.fromisoformat(at), zone) == said


@pytest.mark.parametrize("zone", ["America/New_York", "America/Denver", "Europe/Berlin", "Australia/Lord_Howe", "America/Phoenix", "Asia/Kolkata"])
def test_every_local_time_of_a_year_is_one_instant_but_where_clocks_are_moved(zone: str) -> None:
    none, twice = 0, 0
    for quarter in range(366 * 96):
        local = datetime(2026, 1, 1) + timedelta(minutes=15 * quarter)  # noqa: DTZ001 - a local time
        found = instants(local, zone)
        none += not found
        twice += len(found) == 2
        assert len({moment.astimezone(UTC) for moment in found}) == len(found)
        if not found:
            before, after = jump(local, zone)
            assert before <= local < after
    hours = {"America/Phoenix": 0, "Asia/Kolkata": 0, "Australia/Lord_Howe": 2}.get(zone, 4)
    assert (none, twice) == (hours, hours)


def test_clocks_jump_from_two_to_three_in_march() -> None:
    before, after = jump(datetime(2026, 3, 8, 2, 30), DEFAULT)  # noqa: DTZ001 - a local time
    assert (before.hour, before.minute, after.hour, after.minute) == (2, 0, 3, 0)


def test_zones_are_known_by_their_names_alone() -> None:
    assert set(NAMES) <= zones()
    assert not any(is_zone(name) for name in (None, "", "localtime", "../etc/passwd", "EST5EDT4,M3"))
    assert label("America/New_York") == "Eastern Time"
    assert label("America/Argentina/Buenos_Aires") == "America/Argentina/Buenos Aires"
