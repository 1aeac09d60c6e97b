"""Computing in several threads at once."""

from __future__ import annotations

import eventlet

from services.contacts.service.threads import threads
from services.lexicon.telephones import telephones


def test_telephones_are_read_in_several_threads_at_once() -> None:
    numbers = [f"+{code} 20 7946 {n:04d}" for code in (44, 49, 33, 39, 34, 31) for n in range(60)]

    def read() -> int:
        return sum(len(telephones(number).found) for number in numbers)

    with eventlet.Timeout(60):
        reading = [eventlet.spawn(threads.run, read) for _ in range(8)]
        assert len({each.wait() for each in reading}) == 1
