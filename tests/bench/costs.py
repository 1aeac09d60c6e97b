"""CPU time of a load by part, from the operating system's accounts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the CPU time of processes and all their children, ended ones included."""
    return sum(_spent(pid) for top in pids for pid in _tree(top))


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return each part's CPU time in between, in seconds."""
    return {part: after[part] - before.get(part, 0.0) for part in after}


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _tree(int(child))


def _spent(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime, and the same of children that were waited for (proc(5)).
    return sum(int(each) for each in fields[11:15]) / _TICKS
