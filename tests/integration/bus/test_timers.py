"""What runs at intervals, and at once when there is work."""

from __future__ import annotations

from typing import Any, ClassVar

import eventlet
import pytest

from services.chassis.entrypoints import DatabaseProvider, Wakeup, timer
from services.chassis.messages import Caller
from tests.integration.bus.conftest import World
from tests.support import eventually

WAKEUP = Wakeup()


class Clerk:
    """Does waiting work, and looks for it once an hour."""

    name = "clerk"
    database = DatabaseProvider()
    waiting: ClassVar[list[int]] = []
    done: ClassVar[list[int]] = []
    under_way: ClassVar[Any] = None

    @timer(seconds=3600, action="clerk:work:do", wakeup=WAKEUP)
    def work(self, _caller: Caller) -> None:
        taken = list(Clerk.waiting)
        Clerk.waiting.clear()
        if Clerk.under_way:
            Clerk.under_way.wait()
        Clerk.done.extend(taken)


@pytest.fixture
def clerk(world: World) -> World:
    Clerk.waiting.clear()
    Clerk.done.clear()
    Clerk.under_way = None
    world.declare(Clerk)
    world.run(Clerk)
    return world


def test_a_wakeup_runs_the_timer_at_once(clerk: World) -> None:
    Clerk.waiting.append(1)
    WAKEUP.wake()
    eventually(lambda: Clerk.done == [1])


def test_a_wakeup_during_a_run_causes_another_run_after_it(clerk: World) -> None:
    Clerk.under_way = eventlet.event.Event()
    Clerk.waiting.append(1)
    WAKEUP.wake()
    eventually(lambda: Clerk.waiting == [])
    Clerk.waiting.append(2)
    WAKEUP.wake()
    Clerk.under_way.send()
    eventually(lambda: Clerk.done == [1, 2])
