"""Choose faults of a system by a seed, one after another."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from deploy.migrations import SERVICES

_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'liaison_{service}'"


def faults(system: Any, chance: random.Random) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield faults without end: each with its name, and a function that causes it and restores the part."""

    def killed(name: str) -> Callable[[], None]:
        def bring_about() -> None:
            system.kill(name)
            system.spawn(name)

        return bring_about

    def broker() -> None:
        system.broker.crash()
        system.broker.start()

    def postgres() -> None:
        system.postgres.crash()
        system.postgres.start()

    def connections(service: str) -> Callable[[], None]:
        return lambda: system.sql("audit", _CUT.format(service=service))

    def cut_amqp() -> None:
        system.broker.control("close_all_connections", "a fault")

    kinds: list[tuple[str, Callable[[], None]]] = [
        *((f"kill {name}", killed(name)) for name in (*SERVICES, "gateway")),
        *((f"kill {name}", killed(name)) for name in ("contacts", "interactions", "audit")),
        *((f"cut the database connections of {name}", connections(name)) for name in ("contacts", "interactions", "access", "audit")),
        ("cut every broker connection", cut_amqp),
        ("kill the broker", broker),
        ("stop PostgreSQL at once", postgres),
    ]
    while True:
        # Each kind occurs once before any repeats, in an order given by the seed.
        yield from chance.sample(kinds, len(kinds))
