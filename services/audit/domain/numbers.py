"""The numbers of one stream: those that arrived, those that are missing, and those that a crash excuses.

Every line of a process is numbered (stream, n). The stream's mark says up to where each number is settled: committed,
or void. A number up to the mark that never comes was taken away between the commit and us.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

#: A mark this far beyond what came is not believed. A service refuses work when its entries are 15 minutes late, and no
#: process writes a thousand a second for that long.
FURTHEST: Final = 1_000_000


@dataclass(slots=True)
class Numbers:
    """Numbers that arrived. All up to `contiguous` arrived or were given up; those in `ahead` arrived beyond it."""

    contiguous: int = 0
    ahead: set[int] = field(default_factory=set)
    mark: int = 0
    #: The last number known of a process that crashed; what is missing between mark and this one is excused.
    crashed: int | None = None
    closed: bool = False

    def came(self, n: int) -> None:
        """Note that this number arrived, for the first time or again."""
        if n <= self.contiguous:
            return
        self.ahead.add(n)
        self._advance()

    def settled(self, mark: int, *, closed: bool = False, highest: int | None = None) -> bool:
        """Note the stream's mark, and its end if the mark closes it.

        Return False for a mark that jumps: it is not noted, and the caller reports it (T37).
        """
        if max(mark, highest or 0) > max(self.highest, self.mark) + FURTHEST:
            return False
        self.mark = max(self.mark, mark)
        self.closed = self.closed or closed
        if highest is not None:
            self.crashed = max(self.crashed or 0, highest)
        return True

    def lives(self) -> None:
        """Note that a process lives that another process had reported as crashed."""
        if self.crashed is not None:
            self.crashed, self.closed = None, False

    def missing(self) -> list[range]:
        """Return the numbers up to the mark that did not arrive, as ranges in order."""
        return list(_gaps(self.contiguous, self.mark, self.ahead))

    def excused(self) -> list[range]:
        """Return the numbers that a crashed process may have taken without committing them."""
        if self.crashed is None:
            return []
        return list(_gaps(max(self.contiguous, self.mark), self.crashed, self.ahead))

    def give_up(self, gap: range) -> None:
        """Stop waiting for the first gap: it was reported or excused.

        :raises ValueError: an earlier gap is still open.
        """
        if gap.start > self.contiguous + 1:
            raise ValueError(f"The numbers from {self.contiguous + 1} on are still waited for.")
        self.contiguous = max(self.contiguous, gap.stop - 1)
        self.ahead = {n for n in self.ahead if n > self.contiguous}
        self._advance()

    @property
    def highest(self) -> int:
        """The highest number that arrived."""
        return max(self.ahead, default=self.contiguous)

    def _advance(self) -> None:
        while self.contiguous + 1 in self.ahead:
            self.contiguous += 1
            self.ahead.discard(self.contiguous)


def _gaps(after: int, until: int, present: set[int]) -> Iterator[range]:
    start = after + 1
    for n in sorted(number for number in present if after < number <= until):
        if n > start:
            yield range(start, n)
        start = n + 1
    if start <= until:
        yield range(start, until + 1)
