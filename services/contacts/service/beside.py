"""Computing beside the loop: in threads and processes, and one step ahead of whoever uses it."""

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


class BesideTheLoop:
    """Runs what takes more than twenty milliseconds of computing: ours in a thread, what strangers wrote in a process."""

    def __call__(self, function: Callable[P, Made], *args: P.args, **kwargs: P.kwargs) -> Made:
        """Run it in a thread, and let others work until it is done."""
        made: Made = tpool.execute(function, *args, **kwargs)
        return made

    def apart(self, function: Callable[[*Given], Made], *args: *Given, refusal: type[Refusal], is_long: bool) -> Made:
        """Run a function of a module in a process of its own, and let others work until it is done."""
        made: Made = pool().run(function, *args, refusal=refusal, is_long=is_long)
        return made

    def ahead(self, function: Callable[[T], Made], of: Iterable[T]) -> Iterator[Made]:
        """Give what it makes of each; while one is used, the next is being made."""
        return one_ahead(lambda item: self(function, item), of)


def one_ahead(function: Callable[[T], Made], of: Iterable[T]) -> Iterator[Made]:
    """Give what a function makes of each, the next one of which is being made, in a greenlet, while one is used."""
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


beside = BesideTheLoop()
