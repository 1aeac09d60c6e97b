"""The numbers of a stream: what is missing, what a crash excuses, and one content for each number."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.numbers import Numbers


def after(*came, mark=0, crashed=None):
    numbers = Numbers()
    for n in came:
        numbers.came(n)
    numbers.settled(mark, highest=crashed)
    return numbers


def test_nothing_is_missing_before_it_is_settled():
    assert after(1, 5, 9).missing() == []
    assert after(1, 5, 9, mark=1).missing() == []


def test_what_is_settled_and_did_not_come_is_missing_from_both_ends_too():
    assert after(2, 3, 6, mark=8).missing() == [range(1, 2), range(4, 6), range(7, 9)]


def test_a_mark_never_goes_back():
    numbers = after(1, mark=3)
    numbers.settled(2)
    assert numbers.missing() == [range(2, 4)]


def test_a_stream_is_open_until_it_is_closed_and_stays_closed():
    numbers = after(1, mark=1)
    assert not numbers.closed
    numbers.settled(1, closed=True)
    numbers.settled(1)
    assert numbers.closed


def test_a_crash_excuses_what_lies_beyond_the_mark_and_nothing_before_it():
    numbers = after(1, 3, 6, mark=4, crashed=7)
    assert numbers.missing() == [range(2, 3), range(4, 5)]
    assert numbers.excused() == [range(5, 6), range(7, 8)]
    assert after(1, mark=4).excused() == []


def test_what_was_given_up_is_not_asked_for_again_and_may_still_come():
    numbers = after(1, 4, mark=5)
    for gap in numbers.missing():
        numbers.give_up(gap)
    assert (numbers.missing(), numbers.contiguous, numbers.ahead) == ([], 5, set())
    numbers.came(2)
    assert numbers.contiguous == 5


@given(st.sets(st.integers(1, 40)), st.integers(0, 40), st.randoms())
def test_missing_and_present_together_are_every_settled_number(came, mark, chance):
    order = list(came)
    chance.shuffle(order)
    numbers = after(*order, mark=mark)
    missing = set(itertools.chain(*numbers.missing()))
    assert missing == set(range(1, mark + 1)) - came
    assert numbers.highest == max(came, default=0)
