"""What the machine allows: the same work without the system."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from statistics import median

import psycopg

from services.chassis.messages import new_id


def rate(make: Callable[[], Callable[[], object]], *, clients: int, seconds: float) -> tuple[float, float]:
    """Run what `make` returns (one per client) for so long; return runs per second and the median in milliseconds."""
    counts: list[list[float]] = [[] for _ in range(clients)]
    begin = threading.Barrier(clients + 1)
    stop_at = [0.0]

    def client(times: list[float]) -> None:
        once = make()
        begin.wait()
        while (before := time.perf_counter()) < stop_at[0]:
            once()
            times.append(time.perf_counter() - before)

    threads = [threading.Thread(target=client, args=(times,)) for times in counts]
    for thread in threads:
        thread.start()
    stop_at[0] = time.perf_counter() + seconds
    started = time.perf_counter()
    begin.wait()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    times = [t for each in counts for t in each]
    return len(times) / took, median(times) * 1000


def statement(url: str, sql: str, parameters: Sequence[dict[str, object]]) -> Callable[[], Callable[[], object]]:
    """Return a maker of clients, each of which runs a statement with the next parameters in its own transaction."""

    def make() -> Callable[[], object]:
        connection = psycopg.connect(url, autocommit=True)
        place = [int(new_id()[-4:], 16) % len(parameters)]

        def once() -> object:
            place[0] = (place[0] + 1) % len(parameters)
            cursor = connection.execute(sql, parameters[place[0]], prepare=True)
            return cursor.fetchall() if cursor.description else None

        return once

    return make
