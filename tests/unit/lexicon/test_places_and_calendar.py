"""States, regions, the one-year clock and working days."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lexicon import calendar, places, vocabulary
from services.lexicon.policy.decision import at_least

REGIONS = """1 CT ME MA NH RI VT · 2 NJ NY PR VI · 3 DE DC MD PA VA WV · 4 AL FL GA KY MS NC SC TN · 5 IL IN MI MN OH WI ·
6 AR LA NM OK TX · 7 IA KS MO NE · 8 CO MT ND SD UT WY · 9 AZ CA HI NV AS GU MP · 10 AK ID OR WA"""


@pytest.mark.requirement("R102", "T12")
def test_the_56_states_lie_in_the_regions_that_fema_says():
    expected = {code: int(row.split()[0]) for row in REGIONS.split("·") for code in row.split()[1:]}
    assert {code: state.region for code, state in places.STATES.items()} == expected
    assert len(expected) == 56
    assert {code: region for region, codes in places.REGIONS.items() for code in codes} == expected
    assert places.fema_region("TX") == places.fema_region("NM") == 6
    assert places.fema_region(None) is None
    assert places.fema_region("XX") is None


@pytest.mark.requirement("R80", "T18")
@pytest.mark.parametrize(
    ("written", "code"),
    [("TX", "TX"), ("texas", "TX"), ("Tex.", "TX"), ("N. Mex.", "NM"), ("District of Columbia", "DC"), ("D.C.", "DC"), ("Virgin Islands", "VI")],
)
def test_a_state_is_read_as_people_write_it(written, code):
    assert places.state_code(written) == code


@pytest.mark.parametrize("written", ["", None, "XX", "Ontario", "Democrat"])
def test_what_is_no_state_is_none(written):
    assert places.state_code(written) is None


@pytest.mark.requirement("T18")
@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("511 Hart Senate Office Building Washington DC 20510", "DC"),
        ("1 Main St, Santa Fe, New Mexico 87501-1234", "NM"),
        ("12 Washington Ave, Albany, NY", "NY"),
        ("12 Washington Street, Houston, Texas", "TX"),
        ("1 W. Main St, Charleston, West Virginia 25301", "WV"),
        ("5 OR Street", None),
        ("12 High Street, London SW1A 1AA", None),
        ("", None),
    ],
)
def test_a_state_is_proposed_from_an_address_that_shows_one_plainly(address, code):
    assert places.propose_state(address) == code


@given(st.text(max_size=80))
def test_no_address_breaks_the_proposal(text):
    assert places.propose_state(text) in {None, *places.STATES}


@pytest.mark.requirement("T6")
@pytest.mark.parametrize(
    ("contact", "expiry"),
    [
        (dt.date(2025, 3, 4), dt.date(2026, 3, 4)),
        (dt.date(2024, 2, 29), dt.date(2025, 3, 1)),
        (dt.date(2023, 2, 28), dt.date(2024, 2, 28)),
        (dt.datetime(2025, 12, 31, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5))), dt.date(2027, 1, 1)),
    ],
)
def test_a_record_expires_on_the_same_day_of_the_next_year(contact, expiry):
    assert calendar.expires_on(contact) == expiry


def test_an_instant_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        calendar.expires_on(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


@given(st.datetimes(min_value=dt.datetime(1990, 1, 1), max_value=dt.datetime(2090, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001
def test_a_year_is_never_shorter_than_365_days_and_never_longer_than_366(instant):
    span = calendar.expires_on(instant) - instant.date()
    assert dt.timedelta(days=365) <= span <= dt.timedelta(days=366)


@pytest.mark.requirement("T10")
@pytest.mark.parametrize(
    "closed",
    ["2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07", "2026-10-12", "2026-11-11",
     "2026-11-26", "2026-12-25", "2027-12-31", "2026-11-22"],
)  # fmt: skip
def test_federal_holidays_and_weekends_are_no_working_days(closed):
    assert not calendar.is_working_day(dt.date.fromisoformat(closed))


@pytest.mark.requirement("T10")
def test_two_working_days_after_the_eve_of_thanksgiving_is_the_monday():
    assert calendar.add_working_days(dt.date(2026, 11, 25), 2) == dt.date(2026, 11, 30)
    assert calendar.add_working_days(dt.date(2026, 11, 23), 2) == dt.date(2026, 11, 25)


@pytest.mark.requirement("R65", "R168")
def test_the_closed_lists_are_the_pia_s():
    assert list(vocabulary.PRIORITIES.values()) == ["Immigration", "Secure Borders", "Disaster Response", "Counterterrorism", "OneDHS"]
    assert set(vocabulary.SECTORS) == {"general_public", "private_sector", "state", "local", "tribal", "territorial", "international"}
    assert set(vocabulary.REQUEST_MEDIA) == {"in_person", "phone", "email", "letter", "other"}


def test_levels_are_ordered_and_an_unknown_one_reaches_nothing():
    assert at_least("steward", "reader")
    assert at_least("contributor", "contributor")
    assert not at_least("reader", "contributor")
    assert not at_least(None, "reader")
    assert not at_least("root", "reader")
    assert not at_least("steward", "root")
