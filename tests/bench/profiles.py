"""Where a busy process spends its time: stacks sampled by py-spy, grouped by whose code is at the end of each."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

#: Samples a second; more of them slow the process down.
_RATE = 200
#: The package of a frame's file → what it is called.
_WHOSE = {
    "services": "Liaison",
    "gateway": "Liaison",
    "deploy": "Liaison",
    "sqlalchemy": "SQLAlchemy",
    "psycopg": "psycopg",
    "eventlet": "eventlet",
    "kombu": "kombu, amqp",
    "amqp": "kombu, amqp",
    "marshmallow": "marshmallow",
    "flask": "Flask, Werkzeug",
    "werkzeug": "Flask, Werkzeug",
    "nameko": "nameko",
}
_FILE = re.compile(r"\(([^()]*)\)$")
_WAITS = "do_poll"
#: A thread of the pool that has nothing to do; it is sampled now and then though it sleeps.
_IDLE = re.compile(r"tworker \(eventlet.*wait \(threading\.py:\d+\)$")


class Profiler:
    """Samples one process for so many seconds."""

    def __init__(self, pid: int, folder: Path, seconds: int) -> None:
        """Begin to sample.

        :raises RuntimeError: py-spy is not installed.
        """
        spy = shutil.which("py-spy", path=str(Path(sys.executable).parent))
        if spy is None:
            message = "py-spy is not installed"
            raise RuntimeError(message)
        self._written = folder / f"profile-{pid}.txt"
        self._spy = subprocess.Popen(
            [spy, "record", "-p", str(pid), "-r", str(_RATE), "-d", str(seconds), "-f", "raw", "-o", str(self._written)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def shares(self) -> dict[str, float]:
        """Wait for the end; return each group's share of the busy samples, largest first, and the share of waiting in all samples.

        A frame of the standard library counts for its caller.

        :raises RuntimeError: the process may not be sampled.
        """
        _, said = self._spy.communicate()
        if self._spy.returncode:
            message = f"py-spy: {said.strip()}"
            raise RuntimeError(message)
        return shares_of(self._written.read_text())


def shares_of(written: str) -> dict[str, float]:
    """Return the shares of stacks in py-spy's format: frames separated by semicolons, a space, and a count."""
    found: Counter[str] = Counter()
    waiting = 0
    for line in written.splitlines():
        stack, count = line.rsplit(" ", 1)
        frames = stack.split(";")
        if _IDLE.search(stack):
            continue
        if _WAITS in frames[-1]:
            waiting += int(count)
        else:
            found[next((whose for frame in reversed(frames) if (whose := _whose(frame))), "other")] += int(count)
    busy = found.total()
    shares = {whose: count / busy for whose, count in found.most_common()} if busy else {}
    return {**shares, "waiting": waiting / (busy + waiting)} if busy + waiting else {}


def _whose(frame: str) -> str | None:
    file = _FILE.search(frame)
    return _WHOSE.get(file[1].split("/")[0]) if file else None
