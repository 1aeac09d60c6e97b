"""Pauses double, up to the longest."""

from __future__ import annotations

from itertools import islice

from services.chassis.backoff import pause_after, pauses


def test_pauses_double_up_to_the_longest_and_never_end() -> None:
    assert list(islice(pauses(first=0.5, longest=3), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert pause_after(0, first=1, longest=60) == 1
    assert pause_after(6, first=1, longest=60) == 60
    assert pause_after(10**9, first=1, longest=60) == 60
