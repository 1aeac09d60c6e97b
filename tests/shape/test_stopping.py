"""Every background or long task has a test that it stops in time and resumes, or a reason why it is short."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from deploy.migrations import SERVICES
from deploy.provision import service_classes
from services.chassis.entrypoints.timers import Timer

ROOT = Path(__file__).parents[2]
MIDDLE = "tests/reliability/test_stopping.py"
BUS = "tests/integration/bus/test_process.py"
IMPORT = f"{MIDDLE}::test_an_import_that_is_stopped_in_the_middle_of_a_step_goes_on_with_it"
DAYS = "tests/integration/audit/test_days.py::test_asked_to_stop_it_leaves_the_other_days_to_the_next_process"
WHATEVER = f"{BUS}::test_asked_to_stop_a_process_ends_within_its_grace_whatever_it_is_doing"

#: What runs at intervals.
REGISTERED = {
    "access.beat": "short: one message",
    "access.sweep": "tests/integration/access/test_sessions.py::test_asked_to_stop_the_sweep_ends_behind_its_page",
    "contacts.match_waiting": "tests/integration/contacts/test_stopping.py"
    "::test_the_matcher_killed_in_a_step_does_it_again_and_tells_of_each_likeness_once",
    "contacts.work_on_imports": IMPORT,
    "contacts.undo_imports": IMPORT,
    "contacts.let_go_of_people_set_aside": "short: one statement over those whose hold has ended",
    "contacts.cancel_imports_left_behind": "short: at most twenty of each kind, in one transaction",
    "retention.drive": f"{MIDDLE}::test_erasures_that_are_stopped_in_the_middle_go_on",
    **{f"{service}.drop_covered_days": DAYS for service in SERVICES},
}
#: What begins a greenlet of its own: module → (how many, the test or the reason).
SPAWNED = {
    "deploy/embedded.py": (4, "tests/journeys/test_running.py::test_asked_to_stop_it_stops_and_leaves_nothing_running"),
    "gateway/__main__.py": (2, f"{MIDDLE}::test_requests_that_never_end_do_not_keep_the_system_from_stopping"),
    "gateway/connections.py": (2, f"{MIDDLE}::test_requests_that_never_end_do_not_keep_the_system_from_stopping"),
    "services/audit/service/dependencies.py": (
        1,
        "tests/integration/audit/test_service.py::test_asked_to_stop_it_stops_though_entries_keep_coming_and_the_next_leader_takes_them_all",
    ),
    "services/audit/service/entries_consumer.py": (1, "short: one message"),
    "services/chassis/sandbox/pool.py": (2, "tests/unit/chassis/test_apart.py::test_a_child_ends_with_whoever_started_it"),
    "services/chassis/entrypoints/rpc.py": (1, "short: one answer"),
    "services/chassis/transport/rpc_client.py": (
        2,
        "tests/reliability/test_away.py::test_a_service_that_is_stopped_is_missed_at_once_and_nothing_else_is",
    ),
    "services/chassis/entrypoints/container.py": (1, WHATEVER),
    "services/chassis/entrypoints/consumers.py": (1, WHATEVER),
    "services/chassis/transport/presence.py": (1, "short: one look"),
    "services/chassis/outbox/relay.py": (2, f"{BUS}::test_a_backlog_in_the_outbox_keeps_no_process_from_ending_and_the_next_one_ships_the_rest"),
    "services/chassis/entrypoints/timers.py": (1, WHATEVER),
    "services/chassis/transport/connection.py": (
        3,
        "tests/reliability/test_away.py::test_asked_to_stop_every_process_ends_within_its_grace_though_what_it_waits_for_is_away",
    ),
    "services/chassis/transport/embedded.py": (1, "tests/journeys/test_running.py::test_asked_to_stop_it_stops_and_leaves_nothing_running"),
    "services/chassis/database/batching.py": (1, "short: one transaction over what waits"),
    "services/chassis/entrypoints/context.py": (1, f"{BUS}::test_sigterm_lets_a_call_finish_ships_the_outbox_and_leaves_nothing_running"),
    "services/chassis/runtime/process.py": (4, f"{BUS}::test_sigterm_lets_a_call_finish_ships_the_outbox_and_leaves_nothing_running"),
    "services/contacts/service/threads.py": (1, IMPORT),
    "services/contacts/service/dependencies.py": (2, "short: a thousand keys, and then it asks whether it is to stop"),
    "services/retention/service/dependencies.py": (1, f"{MIDDLE}::test_erasures_that_are_stopped_in_the_middle_go_on"),
}
#: Commands that take as long as their work does.
COMMANDS = {
    "import": "tests/integration/deploy/test_command_line.py::test_asked_to_stop_an_import_ends_with_its_session_and_says_how_to_go_on",
}


def _registered() -> set[str]:
    found = set()
    for service, kind in service_classes().items():
        for name in dir(kind):
            if any(isinstance(each, Timer) for each in getattr(getattr(kind, name), "nameko_entrypoints", ())):
                found.add(f"{service}.{name}")
    return found


def _spawned() -> dict[str, int]:
    found = {}
    for part in ("services", "gateway", "deploy"):
        for path in sorted((ROOT / part).rglob("*.py")):
            if "testing" not in path.parts and (many := len(re.findall(r"\bspawn(?:_n|_after|_managed_thread)?\(", path.read_text()))):
                found[str(path.relative_to(ROOT))] = many
    return found


def test_whatever_runs_at_intervals_is_in_the_table() -> None:
    assert _registered() == set(REGISTERED)


def test_whatever_begins_a_greenlet_of_its_own_is_in_the_table() -> None:
    assert _spawned() == {name: many for name, (many, _) in SPAWNED.items()}


@pytest.mark.parametrize("shown", sorted({*REGISTERED.values(), *COMMANDS.values(), *(shown for _, shown in SPAWNED.values())}))
def test_each_has_its_test_or_is_short(shown: str) -> None:
    if shown.startswith("short: "):
        return
    path, _, name = shown.partition("::")
    names = {node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)}
    assert name in names
