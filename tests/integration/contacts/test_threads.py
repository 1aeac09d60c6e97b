"""Computing in several threads at once, beside the event loop."""

from __future__ import annotations

import eventlet

from services.contacts.service.beside import beside
from services.lexicon.display import display_phone


def test_telephones_are_read_in_several_threads_at_once() -> None:
    numbers = [f"+{code} 20 7946 {n:04d}" for code in (44, 49, 33, 39, 34, 31) for n in range(60)]

    def read() -> int:
        return sum(display_phone(number) is not None for number in numbers)

    with eventlet.Timeout(60):
        threads = [eventlet.spawn(beside, read) for _ in range(8)]
        assert len({thread.wait() for thread in threads}) == 1
