"""Calls, announcements and timers, on the in-process broker and on RabbitMQ alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from services.chassis.database import CommandCall, UnitOfWork
from services.chassis.entrypoints import BusProvider, DatabaseProvider, SettingsProvider, announcement_handler, rpc, timer
from services.chassis.messages import Announcement, Caller, Conflict
from tests.integration.bus.conftest import World
from tests.support import a_caller, a_command, eventually


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "probe:somebody:moved"
    somebody_id: str


class Occupied(Conflict):
    """Somebody lives there."""

    code = "occupied"


class Probe:
    """Answers calls, announces moves, and handles its own announcements."""

    name = "probe"
    database = DatabaseProvider()
    bus = BusProvider()
    settings = SettingsProvider()

    heard: ClassVar[list[str]] = []
    ticks: ClassVar[list[Caller]] = []

    @rpc("probe:thing:read", subject="thing_id")
    def read(self, caller: Caller, thing_id: str) -> dict[str, Any]:
        with self.database.work(caller) as work:
            work.record("probe:thing:read", subjects=[thing_id], fields=["title"])
        return {"id": thing_id, "actor": caller.id, "component": caller.component}

    @rpc("probe:somebody:move", subject="somebody_id", command=True, status=201)
    def move(self, call: CommandCall, somebody_id: str) -> dict[str, Any]:
        def move(work: UnitOfWork) -> None:
            work.announce(Moved(somebody_id))
            work.record("probe:somebody:move", subjects=[somebody_id])

        call.run(move)
        return {"operation": call.caller.operation.id if call.caller.operation else None}

    @rpc("probe:place:occupy", subject="place_id")
    def occupy(self, caller: Caller, place_id: str) -> dict[str, Any]:
        raise Occupied(extra={"since": "2026-01-01"})

    @announcement_handler(Moved)
    def moved(self, work: Any, announcement: Moved) -> None:
        self.heard.append(announcement.somebody_id)

    @timer(seconds=0.1, action="probe:clock:tick")
    def tick(self, caller: Caller) -> None:
        self.ticks.append(caller)


@pytest.fixture
def probe(world: World) -> World:
    Probe.heard.clear()
    Probe.ticks.clear()
    world.declare(Probe)
    world.run(Probe)
    return world


THING = "0192f0c1-0000-7000-8000-000000000001"


def test_a_query_is_answered_to_whom_access_vouches_for(probe: World) -> None:
    amina = a_caller("ICE")
    answer = probe.client().call("probe", "read", {"thing_id": THING}, passport=probe.passport(amina), trace_id=amina.trace_id)
    assert answer == {"id": THING, "actor": amina.id, "component": "ICE"}
    (entry,) = probe.entries()
    assert (entry["actor"], entry["trace_id"], entry["subjects"]) == (amina.id, amina.trace_id, [THING])


def test_a_refusal_crosses_with_its_code_and_is_recorded_before_it_leaves(probe: World) -> None:
    amina = a_caller("ICE")
    with pytest.raises(Conflict) as refused:
        probe.client().call("probe", "occupy", {"place_id": THING}, passport=probe.passport(amina))
    assert (refused.value.code, refused.value.detail, refused.value.extra) == ("occupied", "Somebody lives there.", {"since": "2026-01-01"})
    (entry,) = probe.entries()
    assert (entry["outcome"], entry["rule"], entry["subjects"]) == ("refused", "occupied", [THING])


def test_an_announcement_of_a_command_is_worked_off_once(probe: World) -> None:
    amina = a_command(a_caller("ICE"))
    answer = probe.client().call("probe", "move", {"somebody_id": THING}, passport=probe.passport(amina), operation=amina.operation)
    assert amina.operation is not None
    assert answer == {"operation": amina.operation.id}
    eventually(lambda: Probe.heard == [THING])
    probe.drained()
    assert Probe.heard == [THING]


def test_timed_work_is_done_as_the_service_itself(probe: World) -> None:
    eventually(lambda: len(Probe.ticks) >= 2)
    assert {(caller.kind, caller.id) for caller in Probe.ticks} == {("service", "probe")}
