"""Run long computing in threads and processes, so that the event loop goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec, TypeVar, TypeVarTuple

import eventlet
from eventlet import patcher, tpool
from phonenumbers.phonemetadata import PhoneMetadata

from services.chassis.messages import Refusal
from services.chassis.sandbox.pool import pool

# Two threads ask for a region at once, and a lock of the loop's own, which cannot wait in a thread, would hang both.
PhoneMetadata._metadata_lock = patcher.original("threading").Lock()  # noqa: SLF001 - it has no other door

T = TypeVar("T")
Made = TypeVar("Made")
P = ParamSpec("P")
Given = TypeVarTuple("Given")


class EventletThreads:
    """Runs what takes more than twenty milliseconds: our own computing in a thread, what strangers wrote in a process."""

    def run(self, function: Callable[P, Made], *args: P.args, **kwargs: P.kwargs) -> Made:
        """Run a function in a thread, and let others work until it is done."""
        made: Made = tpool.execute(function, *args, **kwargs)
        return made

    def in_process(self, function: Callable[[*Given], Made], *args: *Given, refusal: type[Refusal], is_long: bool) -> Made:
        """Run a function of a module in a child process, and let others work until it is done."""
        made: Made = pool().run(function, *args, refusal=refusal, is_long=is_long)
        return made

    def prefetch(self, function: Callable[[T], Made], of: Iterable[T]) -> Iterator[Made]:
        """Yield what a function makes of each item in a thread; while one is used, the next is made."""
        return prefetched(lambda item: self.run(function, item), of)


def prefetched(function: Callable[[T], Made], of: Iterable[T]) -> Iterator[Made]:
    """Yield what a function makes of each item in a greenlet; while one is used, the next is made."""
    making: eventlet.greenthread.GreenThread | None = None
    try:
        for item in of:
            made, making = making, eventlet.spawn(function, item)
            if made is not None:
                yield made.wait()
        if making is not None:
            yield making.wait()
    finally:
        if making is not None:
            making.kill()


threads = EventletThreads()
