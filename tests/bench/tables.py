"""Measurements as tables in Markdown: beside limits of the same run, by CPU time, and beside the aims."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime

#: What is aimed at: requests (or rows) a second, and milliseconds that half of the requests at one client take at most.
_AIMED_RATE = {
    ("read one", 1): 220,
    ("read one", 16): 600,
    ("create", 1): 180,
    ("create", 16): 450,
    ("search by words", 1): 150,
    ("search by words", 16): 350,
    ("count by state and issue", 1): 200,
    ("count by state and issue", 16): 500,
    ("import (commit)", 1): 5000,
    ("import (undo)", 1): 1000,
}
_AIMED_MEDIAN = {"read one": 4.5, "search by words": 6.0, "group state by issue": 15.0}
#: MiB at rest, of all processes but PostgreSQL's.
_AIMED_MEMORY = 400


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    people: int
    what: str
    clients: int
    rate: float
    p50: float
    p99: float
    limit: str
    limit_rate: float
    refused: int
    #: Milliseconds of CPU for one request, by part.
    cpu: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose code a process runs while it is busy with one load, as shares, and the share of time that it waits."""

    people: int
    what: str
    process: str
    shares: dict[str, float]


def table(rows: list[Row], profiles: list[Profile], memory: dict[str, int]) -> str:
    """Return the measurements as a table in Markdown."""
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| people | what | clients | per second | p50 ms | p99 ms | limit in the same run | ratio |",
        "|---:|---|---:|---:|---:|---:|---|---:|",
    ]
    for row in rows:
        limit = f"{row.limit}: {row.limit_rate:,.0f}/s" if row.limit_rate else row.limit
        ratio = f"{row.rate / row.limit_rate:.3f}" if row.limit_rate else ""
        latency = f"{row.p50:.1f} | {row.p99:.1f}" if row.p50 else " | "
        lines.append(f"| {row.people:,} | {row.what} | {row.clients} | {row.rate:,.0f} | {latency} | {limit} | {ratio} |")
    if refused := [f"{row.what} at {row.people:,} with {row.clients}: {row.refused:,}" for row in rows if row.refused]:
        lines += ["", f"Refused, and counted all the same: {'; '.join(refused)}."]
    parts = next(list(row.cpu) for row in rows if row.cpu)
    lines += [
        "",
        "Milliseconds of CPU for one request (of an import: for one row), with what the system does beside it:",
        "",
        f"| people | what | clients | {' | '.join(parts)} | in all |",
        f"|---:|---|---:|{'---:|' * (len(parts) + 1)}",
    ]
    for row in rows:
        if row.cpu:
            spent = " | ".join(f"{row.cpu[part]:.2f}" for part in parts)
            lines.append(f"| {row.people:,} | {row.what} | {row.clients} | {spent} | {sum(row.cpu.values()):.2f} |")
    lines += [
        "",
        "Memory at rest, MiB (proportional share): " + ", ".join(f"{k} {v}" for k, v in memory.items()) + f"; in all {sum(memory.values())}.",
    ]
    return "\n".join([*lines, "", *_aims(rows, memory), "", *_profiles(profiles)]) + "\n"


def _profiles(profiles: list[Profile]) -> list[str]:
    whose = sorted({name for profile in profiles for name in profile.shares} - {"waiting"}, key=str.lower)
    lines = [
        "Where the two processes that answer spend their time at sixteen clients, in hundredths of the time in which they are",
        "busy, by whose code is at the end of the stack (a frame of the standard library counts for its caller):",
        "",
        f"| people | what | process | {' | '.join(whose)} | waits, of all time |",
        f"|---:|---|---|{'---:|' * (len(whose) + 1)}",
    ]
    for profile in profiles:
        shares = " | ".join(f"{100 * profile.shares.get(name, 0):.0f}" for name in [*whose, "waiting"])
        lines.append(f"| {profile.people:,} | {profile.what} | {profile.process} | {shares} |")
    return lines


def _aims(rows: list[Row], memory: dict[str, int]) -> list[str]:
    """Return each aim beside its measurement; a ratio under one is a miss."""
    lines = ["| people | aim | clients | aimed at | measured | ratio |", "|---:|---|---:|---:|---:|---:|"]
    for row in rows:
        if aim := _AIMED_RATE.get((row.what, row.clients)):
            lines.append(f"| {row.people:,} | {row.what}, per second | {row.clients} | ≥ {aim:,} | {row.rate:,.0f} | {row.rate / aim:.2f} |")
        if row.clients == 1 and (median := _AIMED_MEDIAN.get(row.what)):
            lines.append(f"| {row.people:,} | {row.what}, p50 in ms | 1 | ≤ {median} | {row.p50:.1f} | {median / row.p50:.2f} |")
    held = sum(memory.values())
    return [*lines, f"| 0 | memory at rest but for PostgreSQL, MiB | | ≤ {_AIMED_MEMORY} | {held} | {_AIMED_MEMORY / held:.2f} |"]
