"""P2: without a safeguard, the comparison of P1 finds differences; with it, under the same fault, it finds none.

A message that is handled twice shows in what contacts sends to components' systems; all other handlers are idempotent by
themselves. *Checkpoint without reading again* belongs to P7, in tests/integration/audit.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from deploy.migrations import SERVICES
from services.chassis.topology import ANNOUNCEMENTS, inbox
from tests.journeys.client import Person
from tests.reliability.ledger import Client, compare_settled, wait_drained
from tests.reliability.sabotaged import ENVIRONMENT, LOGGED, SWALLOWED
from tests.rows import SOAK
from tests.support import eventually
from tests.system import Full

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(300), pytest.mark.row("P2")]

_BACK_WITHIN = 90.0
#: The time for messages that were delivered but not handled when the queues became empty.
_SETTLES_WITHIN = 3.0
#: The log event of a failed handler.
_FAILED = ("message.postponed", "message.failed", SWALLOWED)


class Stage:
    """A system with one sabotaged process at a time, and its window."""

    def __init__(self, system: Full, folder: Path) -> None:
        """Create the issue of the interactions."""
        self.system = system
        self._folder = folder
        self._person = Person(system.base).sign_in(system.account("ICE", "contributor"))
        self._issue = self._person.post("/issues", {"name": "Worksite enforcement", "priority": "immigration"})["id"]
        self._acts = 0
        self._sabotaged = ""

    def sabotage(self, name: str, service: str) -> None:
        """Replace a service with a sabotaged one."""
        self._sabotaged = service
        self.system.kill(service)
        self.system.spawn(service, through=["tests.reliability.sabotaged", name], environ={ENVIRONMENT: str(self._folder)})
        self.wait_back()

    def restore(self) -> None:
        """Kill the sabotaged service, if it still runs, and start the real one."""
        service, self._sabotaged = self._sabotaged, ""
        if not service:
            return
        self.system.kill(service)
        (self._folder / "inside").unlink(missing_ok=True)
        self.system.spawn(service)
        self.wait_back()

    def wait_back(self) -> None:
        """Wait until every part answers calls, because calls to a missing part are refused at once."""
        eventually(self.system.answers, _BACK_WITHIN, why="the system answers")
        for service in SERVICES:
            eventually(functools.partial(self.system.takes_calls, service), _BACK_WITHIN, why=f"{service} takes calls")

    def client(self) -> Client:
        """Return a client that has created an individual and logged an interaction, which all services know."""
        self._acts += 1
        client = Client(self._person, self._issue, self._acts, threading.Event(), tag=f"{self._acts:03}-")
        client.create()
        client.log()
        self.wait_heard(client)
        return client

    def wait_heard(self, client: Client) -> None:
        """Wait until contacts knows the newest interaction of the client."""
        newest = list(client.ledger.logged.values())[-1]
        eventually(lambda: self.system.sql("contacts", f"SELECT 1 FROM engagements WHERE source_id = '{newest}'"), 30, why="contacts hears of it")

    @contextmanager
    def in_the_window(self, act: Callable[[], None]) -> Iterator[None]:
        """Start an act, run the block while the sabotaged process is in its window, and wait for the act."""
        (self._folder / "armed").touch()
        acting = threading.Thread(target=act, daemon=True)
        acting.start()
        try:
            eventually((self._folder / "inside").exists, 30, why="the process is in its window")
            yield
        finally:
            (self._folder / "armed").unlink(missing_ok=True)
            (self._folder / "inside").unlink(missing_ok=True)
        acting.join(60)
        assert not acting.is_alive()


def _kill_as_it_creates(stage: Stage, client: Client) -> None:
    with stage.in_the_window(client.create):
        stage.restore()


def _kill_as_it_logs(stage: Stage, client: Client) -> None:
    with stage.in_the_window(client.log):
        stage.restore()


def _kill_as_it_reads(stage: Stage, client: Client) -> None:
    with stage.in_the_window(client.read):
        stage.restore()


def _kill_as_it_passes_on(stage: Stage, client: Client) -> None:
    _kill_as_it_creates(stage, client)
    # A requeued message is delivered first: once this one is passed on, the other was handled again.
    client.create()
    newest = list(client.ledger.created.values())[-1]
    told = f"SELECT 1 FROM outbox WHERE routing_key LIKE 'contacts.integration.%.told' AND body->>'subject' = '{newest}'"
    eventually(lambda: stage.system.sql("contacts", told), 30, why="it is passed on")


def _overtake(stage: Stage, client: Client) -> None:
    """Commit a transaction after a later one was committed and shipped."""
    with stage.in_the_window(client.log):
        client.log()
        stage.wait_heard(client)
    # If the process were killed earlier, the next one would ship the message.
    eventually(lambda: not stage.system.sql("interactions", "SELECT 1 FROM outbox WHERE NOT done"), 30, why="it is shipped, or skipped")


def _break_the_handler(stage: Stage, client: Client) -> None:
    """Cut the database connection of contacts while it handles a message."""
    assert stage.system.postgres
    url = stage.system.postgres.url.set(database="liaison_contacts", drivername="postgresql")
    stopped = "datname = 'liaison_contacts' AND wait_event_type = 'Lock' AND query LIKE '%engagements%'"
    log = stage.system.data / "contacts.log"
    before = len(log.read_text())
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("LOCK TABLE engagements IN ACCESS EXCLUSIVE MODE")
        client.log()
        cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {stopped}"
        eventually(lambda: stage.system.sql("contacts", cut), 30, why="contacts works it off")
    # By then the message is in a retry queue, or lost.
    eventually(lambda: any(word in log.read_text()[before:] for word in _FAILED), 30, why="its failure is dealt with")


def _take_the_binding_away(stage: Stage, client: Client) -> None:
    """Remove the queue binding for announcements of interactions for a moment."""
    with stage.system.look_into_queues() as connection:
        channel = connection.channel()
        channel.queue_unbind(inbox("contacts"), ANNOUNCEMENTS, LOGGED)
        client.log()
        tried = f"SELECT 1 FROM outbox WHERE routing_key = '{LOGGED}' AND (done OR due_at > created_at + interval '0.3 seconds') AND body::text LIKE "
        newest = list(client.ledger.logged.values())[-1]
        eventually(lambda: stage.system.sql("interactions", f"{tried} '%{newest}%'"), 30, why="the relay tried")
        channel.queue_bind(inbox("contacts"), ANNOUNCEMENTS, LOGGED)


#: The safeguard, its service, the fault, and the kind of difference that the comparison must find.
CONTROLS: dict[str, tuple[str, Callable[[Stage, Client], None], str]] = {
    "commit-then-publish": ("interactions", _kill_as_it_logs, "unheard"),
    "acknowledge-before-commit": ("contacts", _kill_as_it_logs, "unheard"),
    "relay-by-id": ("interactions", _overtake, "unheard"),
    "no-inbox": ("contacts", _kill_as_it_passes_on, "retold"),
    "exception-swallowed": ("contacts", _break_the_handler, "unheard"),
    "audit-after-the-answer": ("contacts", _kill_as_it_reads, "unaudited"),
    "unroutable-ignored": ("interactions", _take_the_binding_away, "unheard"),
    "key-forgotten": ("contacts", _kill_as_it_creates, "duplicated"),
}
#: The faults that every run tests with the safeguard; the others take longer and run in `make soak`.
_ALWAYS = ("commit-then-publish", "acknowledge-before-commit", "no-inbox", "audit-after-the-answer")


@pytest.fixture(scope="module")
def stage(rabbitmq_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("controls")
    system = Full(folder / "state", integrations="ICE")
    try:
        yield Stage(system.start(), folder)
    finally:
        system.stop()


def _found(stage: Stage, name: str, control: str) -> dict[str, list[str]]:
    service, fault, _ = CONTROLS[control]
    client = stage.client()
    stage.sabotage(name, service)
    try:
        fault(stage, client)
    finally:
        stage.restore()
    wait_drained(stage.system, 60)
    assert not client.ledger.surprises
    return compare_settled(stage.system, [client.ledger], tag=client.tag, seconds=_SETTLES_WITHIN).problems


@pytest.mark.parametrize("control", CONTROLS)
def test_a_remedy_taken_out_is_noticed(stage: Stage, control: str) -> None:
    problems = _found(stage, control, control)
    print(f"{control}: {problems}")
    assert {kind: len(found) for kind, found in problems.items()} == {CONTROLS[control][2]: 1}


@pytest.mark.parametrize("control", CONTROLS)
def test_with_the_remedy_the_same_fault_does_nothing(stage: Stage, control: str) -> None:
    if not SOAK and control not in _ALWAYS:
        pytest.skip("only under make soak: it takes its time")
    assert _found(stage, f"sound:{control}", control) == {}
