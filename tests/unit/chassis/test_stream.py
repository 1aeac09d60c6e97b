"""The numbers of a stream: none is given twice, and the mark passes no number that is not settled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.outbox import Stream


def test_the_mark_waits_for_the_oldest_number_that_is_not_settled() -> None:
    stream = Stream()
    first, second, third = stream.take(3)
    assert stream.mark == 0
    stream.committed([second, third])
    assert stream.mark == 0
    stream.committed([first])
    assert stream.mark == 3


def test_a_number_whose_commit_failed_is_handed_out_once_to_be_shipped_as_void() -> None:
    stream = Stream()
    numbers = stream.take(2)
    stream.voided(numbers, unknown=False)
    assert stream.take_voids() == [(1, False), (2, False)]
    assert stream.take_voids() == []
    assert stream.mark == 0, "a void number is settled when its void entry is durable"
    stream.committed(numbers)
    assert stream.mark == 2


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["commit", "void", "wait"])), max_size=40))
def test_whatever_happens_numbers_are_unique_and_the_mark_never_passes_an_open_one(
    steps: list[tuple[int, str]],
) -> None:
    stream = Stream()
    waiting: set[int] = set()
    given_out: list[int] = []
    for count, fate in steps:
        numbers = stream.take(count)
        given_out += numbers
        if fate == "commit":
            stream.committed(numbers)
        else:
            waiting.update(numbers)
            if fate == "void":
                stream.voided(numbers, unknown=False)
        assert all(number > stream.mark for number in waiting)
    assert given_out == list(range(1, len(given_out) + 1))
