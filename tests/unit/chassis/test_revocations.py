"""What a process knows of ended sessions, and what it does when it has heard nothing."""

from __future__ import annotations

import pytest

from services.chassis.messages import Caller, Unavailable
from services.chassis.refusals import PassportStale, SessionEnded
from services.chassis.revocations import Revocations
from tests.support import a_caller


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_ended_session_is_refused_from_the_next_heartbeat_on() -> None:
    amina, bruno = a_caller(), a_caller()
    revocations = Revocations()
    revocations.hear(1, [], "1")
    revocations.check(amina)
    revocations.hear(2, [str(amina.session_id)], "1")
    with pytest.raises(SessionEnded):
        revocations.check(amina)
    revocations.check(bruno)
    revocations.hear(3, [], "1")
    with pytest.raises(SessionEnded):
        revocations.check(amina)


@pytest.mark.parametrize(("silence", "asked"), [(0.0, 0), (2.9, 0), (3.1, 1), (3600.0, 1)])
def test_after_three_seconds_of_silence_access_is_asked_on_every_request(silence: float, asked: int) -> None:
    questions: list[Caller] = []

    def ask(caller: Caller) -> bool:
        questions.append(caller)
        return True

    clock = Clock()
    revocations = Revocations(ask, monotonic=clock)
    revocations.hear(1, [], "1")
    clock.now += silence
    for _ in range(3):
        revocations.check(a_caller())
    assert len(questions) == 3 * asked


def test_a_process_that_never_heard_access_asks_and_fails_closed() -> None:
    lives = [True]
    revocations = Revocations(lambda _: lives[0])
    revocations.check(a_caller())
    lives[0] = False
    with pytest.raises(SessionEnded):
        revocations.check(a_caller())

    def away(_: Caller) -> bool:
        raise TimeoutError

    for cannot_ask in (Revocations(away), Revocations()):
        with pytest.raises(Unavailable):
            cannot_ask.check(a_caller())


def test_a_passport_of_another_policy_is_stale() -> None:
    revocations = Revocations()
    revocations.hear(1, [], "2")
    with pytest.raises(PassportStale):
        revocations.check(a_caller())


def test_a_service_has_no_session_that_could_end() -> None:
    Revocations().check(Caller.service("retention"))


def test_what_it_remembers_does_not_grow_for_ever() -> None:
    clock = Clock()
    revocations = Revocations(monotonic=clock)
    for n in range(5000):
        clock.now += 1
        revocations.hear(n, [f"session-{n}"], "1")
    assert len(revocations._ended) < 1200
    assert "session-4999" in revocations._ended
