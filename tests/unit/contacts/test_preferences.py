"""The spans of a preference: none is lost, and at any moment it is clear which were in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.contacts.domain.preferences import Span, spans_of
from services.lexicon.vocabulary import USE_PREFERENCES

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
STATED = some.lists(some.sampled_from(sorted(USE_PREFERENCES)), unique=True)


def stood(spans: list[Span], at: datetime) -> set[str | None]:
    moment = at.isoformat()
    return {name for name, since, until in spans if str(since) <= moment and (until is None or moment < until)}


@pytest.mark.requirement("R169", "T33")
@given(some.lists(STATED, max_size=6))
def test_at_every_moment_exactly_what_was_stated_last_stood(course: list[list[str]]) -> None:
    spans: list[Span] = []
    for hours, stated in enumerate(course):
        spans = spans_of(spans, stated, now=BEGIN + timedelta(hours=hours))
    for hours, stated in enumerate(course):
        assert stood(spans, BEGIN + timedelta(hours=hours, minutes=30)) == set(stated)
    assert stood(spans, BEGIN - timedelta(minutes=1)) == set()


def test_the_same_stated_again_begins_nothing_anew() -> None:
    once = spans_of([], ["no_phone"], now=BEGIN)
    assert spans_of(once, ["no_phone", "no_phone"], now=BEGIN + timedelta(days=1)) == once
