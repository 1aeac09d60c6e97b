"""Parsing: rows that strangers wrote are read in child processes; our own long computing runs in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ParamSpec, Protocol, TypeVar, TypeVarTuple

import msgspec

from services.chassis.messages import Refusal
from services.contacts.contract.imports import FileTooCostly
from services.contacts.domain.imports import rowwise
from services.contacts.domain.imports.records import Record, Unseen
from services.contacts.domain.imports.tables import Row
from services.lexicon.mentions import FormerValues

T = TypeVar("T")
Made = TypeVar("Made")
P = ParamSpec("P")
Given = TypeVarTuple("Given")

#: Characters of rows that a process reads at once: at most about two seconds of work. Of usual rows, a whole block fits.
_AT_ONCE = 256 << 10
#: Fewer characters are short work, which does not wait behind a file.
_LITTLE = 32 << 10
#: After so many rows of one call have each ended a process, the rest is not read.
_MOST_COSTLY = 3


class Threads(Protocol):
    """Runs long computing, so that the event loop goes on."""

    def run(self, function: Callable[P, Made], *args: P.args, **kwargs: P.kwargs) -> Made:
        """Run a function in a thread, and wait for it; nothing in it is slow on any text."""

    def prefetch(self, function: Callable[[T], Made], of: Iterable[T]) -> Iterator[Made]:
        """Yield what a function makes of each item; while one is used, the next is made."""

    def in_process(self, function: Callable[[*Given], Made], *args: *Given, refusal: type[Refusal], is_long: bool) -> Made:
        """Run a function of a module in a child process, and wait for it.

        :raises Refusal: that one, where the process can't do it within its limits, or at all.
        """


def records_of(rows: Sequence[Row], mapping: Mapping[str, str], threads: Threads, *, between: Callable[[], None] = lambda: None) -> list[Record]:
    """Read rows as records; of a row that no process can read, the record has only the reason.

    :param between: called between two questions.
    """
    written = threads.run(_written, rows)
    made = _each(threads, rowwise.recorded, written, dict(mapping), between=between)
    return threads.run(_read, written, made)


def unseen_of(row: Row, mapping: Mapping[str, str], threads: Threads) -> list[Unseen]:
    """Return what screening stops in a row and may be kept with a reason; nothing, if the row can't be read."""
    (made,) = _each(threads, rowwise.unseen, _written([row]), dict(mapping))
    return msgspec.json.decode(made, type=list[Unseen]) if isinstance(made, bytes) else []


def telling(rows: Sequence[bytes], values: FormerValues, threads: Threads) -> list[int]:
    """Return the positions of rows that tell of an erased person; in doubt a row does.

    :param rows: of each the texts of its cells, as JSON.
    """
    told = _each(threads, rowwise.telling, rows, values)
    return [at for at, tells in enumerate(told) if tells]


def _written(rows: Iterable[Row]) -> list[bytes]:
    return [msgspec.json.encode(row) for row in rows]


def _read(written: Sequence[bytes], made: Sequence[bytes | str]) -> list[Record]:
    return [
        msgspec.json.decode(one, type=Record) if isinstance(one, bytes) else rowwise.costly(row, one) for row, one in zip(written, made, strict=True)
    ]


def _each(
    threads: Threads,
    function: Callable[[Sequence[bytes], *Given], list[Made]],
    rows: Sequence[bytes],
    *given: *Given,
    between: Callable[[], None] = lambda: None,
) -> list[Made | str]:
    """Return what the function makes of each row; for a row that no process could do, the reason."""
    made: list[Made | str] = []
    spoiled = 0
    for part in _parts(rows):
        if made:
            between()
        is_long = sum(map(len, part)) > _LITTLE
        try:
            made += threads.in_process(function, part, *given, refusal=FileTooCostly, is_long=is_long)
            continue
        except FileTooCostly:
            # Whether one of them is to blame, or the process died of something else: each has a process that it can't spoil.
            pass
        for row in part:
            if spoiled == _MOST_COSTLY:
                made.append(rowwise.UNREAD)
                continue
            between()
            try:
                made += threads.in_process(function, [row], *given, refusal=FileTooCostly, is_long=is_long)
            except FileTooCostly:
                spoiled += 1
                made.append(rowwise.COSTLY)
    return made


def _parts(rows: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for row in rows:
        if part and size + len(row) > _AT_ONCE:
            yield part
            part, size = [], 0
        part.append(row)
        size += len(row)
    if part:
        yield part
