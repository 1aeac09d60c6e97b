"""Run wrk, and read its output."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request of a load."""

    method: str
    path: str
    token: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a load: requests per second, and milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    refused: int
    sample: str


def run(base: str, asks: Sequence[Ask], folder: Path, *, clients: int, seconds: int) -> Result:
    """Send these requests in a loop from so many clients at once, with one thread for all."""
    file = folder / "asks.tsv"
    file.write_text("".join(f"{a.method}\t{a.path}\t{a.token}\t{a.body}\n" for a in asks))
    done = subprocess.run(
        ["wrk", "-t", "1", "-c", str(clients), "-d", f"{seconds}s", "--timeout", "20s", "-s", str(_SCRIPT), base, "--", str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    _, count, microseconds, bad, errors, p50, p95, p99, sample = line.split("\t")
    return Result(
        rate=int(count) / (int(microseconds) / 1e6),
        p50=int(p50) / 1000,
        p95=int(p95) / 1000,
        p99=int(p99) / 1000,
        refused=int(bad) + int(errors),
        sample=sample,
    )
