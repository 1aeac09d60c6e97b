"""Clients who write down every answer they got, and the comparison of that with what the system holds (P1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests

from deploy.provision import service_classes
from services.chassis.migrations import SERVICES
from services.chassis.process import topology_of
from services.chassis.testing import eventually
from tests.journeys.client import Person

_WAITING = "SELECT (SELECT count(*) FROM entries WHERE NOT done), (SELECT count(*) FROM outbox WHERE NOT done)"
#: What access records of a request, that a session was opened, does not say what was done in it.
_DONE = "SELECT trace_id FROM trail WHERE kind = 'entry' AND service IN ('contacts', 'interactions') AND outcome = 'allowed'"
#: Of whom a component's system was told the same thing more than once.
_RETOLD = (
    "SELECT DISTINCT subject FROM (SELECT body->>'subject' AS subject FROM outbox WHERE routing_key LIKE 'contacts.integration.%.told'"
    " GROUP BY routing_key, body->>'type', body->>'subject' HAVING count(*) > 1) AS told"
)
#: Of all operations, how many create an individual or log an interaction; the others read.
CREATES, LOGS = 0.2, 0.2
#: Statuses that promise nothing was done, or that it is not known: the same request is sent again.
AGAIN = {429, 500, 502, 503, 504}


@dataclass
class Ledger:
    """What was acknowledged, and what was only tried."""

    #: marker -> id of the individual
    created: dict[str, str] = field(default_factory=dict)
    #: marker -> id of the interaction
    logged: dict[str, str] = field(default_factory=dict)
    #: trace ids of reads that were answered with data
    reads: list[str] = field(default_factory=list)
    #: trace ids of commands that were acknowledged
    writes: list[str] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    again: int = 0

    @property
    def acknowledged(self) -> int:
        """How many operations were answered with success."""
        return len(self.created) + len(self.logged) + len(self.reads)


class Client(threading.Thread):
    """One client: creates people, logs interactions with them, reads them, until told to stop."""

    def __init__(self, person: Person, issue: str, seed: int, stop: threading.Event, *, tag: str = "") -> None:
        """Take an acknowledged session.

        :param tag: stands in every marker, so that what this client did can be compared by itself.
        """
        super().__init__(daemon=True, name=f"client-{seed}")
        self.person = person
        self.issue = issue
        self.tag = tag
        self.ledger = Ledger()
        self._chance = random.Random(seed)
        self._stop_asked = stop
        self._mine: list[str] = []

    def run(self) -> None:
        """Work until told to stop; an operation that was begun is repeated until it is answered."""
        while not self._stop_asked.is_set():
            dice = self._chance.random()
            if dice < CREATES or not self._mine:
                self.create()
            elif dice < CREATES + LOGS:
                self.log()
            else:
                self.read()

    def create(self) -> None:
        """Create an individual."""
        marker = f"Ledger-{self.tag}{uuid.uuid4().hex}"
        answer = self._until_answered(
            "POST", "/individuals", marker, {"first_name": "Ada", "last_name": marker, "state": "TX", "issue_ids": [self.issue]}
        )
        if answer is not None:
            self.ledger.created[marker] = answer.json()["id"]
            self._mine.append(answer.json()["id"])

    def log(self) -> None:
        """Log an interaction with one of those created."""
        marker = f"Outcome-{self.tag}{uuid.uuid4().hex}"
        body = {
            "held_at": (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "mode": "letter",
            "individual_ids": [self._chance.choice(self._mine)],
            "issue_ids": [self.issue],
            "outcome": marker,
        }
        answer = self._until_answered("POST", "/interactions", marker, body, early=True)
        if answer is not None:
            self.ledger.logged[marker] = answer.json()["id"]

    def read(self) -> None:
        """Read one of those created."""
        answer = self._ask("GET", f"/individuals/{self._chance.choice(self._mine)}", {}, None)
        if answer is None or answer.status_code in AGAIN:
            self.ledger.again += 1
        elif answer.status_code == requests.codes.ok:
            self.ledger.reads.append(answer.headers["X-Request-Id"])
        else:
            self.ledger.surprises.append(f"GET: {answer.status_code} {answer.text[:200]}")

    def _until_answered(self, method: str, path: str, marker: str, body: dict[str, Any], *, early: bool = False) -> requests.Response | None:
        """Repeat with one key until it is answered.

        :param early: interactions may not yet have heard of the individual; then 404 or 422 means "not yet".
        """
        self.ledger.tried.add(marker)
        headers = {"Idempotency-Key": marker}
        for _ in range(400):
            answer = self._ask(method, path, headers, body)
            if answer is not None and answer.status_code == requests.codes.created:
                self.ledger.writes.append(answer.headers["X-Request-Id"])
                return answer
            if answer is not None and answer.status_code not in AGAIN and not (early and answer.status_code in {404, 422}):
                self.ledger.surprises.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
                return None
            self.ledger.again += 1
            self._stop_asked.wait(0.1)
        self.ledger.surprises.append(f"{method} {path}: never answered")
        return None

    def _ask(self, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None) -> requests.Response | None:
        try:
            return self.person.ask(method, path, headers=headers, json=body)
        except requests.RequestException:
            return None


@dataclass(frozen=True)
class Comparison:
    """What the databases and the trail say to the ledger."""

    acknowledged: int
    lost: list[str]
    duplicated: list[str]
    ghosts: list[str]
    unaudited: list[str]
    unheard: list[str]
    #: Individuals of whom a component's own system was told twice.
    retold: list[str]
    #: What the audit service itself complains of: holes, contradictions, passports that nobody issued.
    findings: list[str]

    @property
    def problems(self) -> dict[str, list[str]]:
        """Return what is not as it must be, the first few of each kind."""
        kinds = dataclasses.asdict(self)
        return {name: found[:5] for name, found in kinds.items() if isinstance(found, list) and found}

    @property
    def figures(self) -> str:
        """Return how many of each kind there are."""
        kinds = dataclasses.asdict(self)
        return ", ".join(f"{name} {len(found)}" for name, found in kinds.items() if isinstance(found, list))


def compare(system: Any, ledgers: list[Ledger], *, tag: str = "") -> Comparison:
    """Compare the ledgers, of clients of one tag, with contacts, interactions and the trail, once everything is drained."""
    created = {marker: i for ledger in ledgers for marker, i in ledger.created.items()}
    logged = {marker: i for ledger in ledgers for marker, i in ledger.logged.items()}
    tried = {marker for ledger in ledgers for marker in ledger.tried}
    traces = {trace for ledger in ledgers for trace in (*ledger.reads, *ledger.writes)}

    held = system.sql("contacts", f"SELECT last_name, id::text FROM individuals WHERE last_name LIKE 'Ledger-{tag}%'")
    noted = system.sql("interactions", f"SELECT outcome, id::text FROM interactions WHERE outcome LIKE 'Outcome-{tag}%'")
    heard = Counter(row[0] for row in system.sql("contacts", "SELECT source_id::text FROM engagements"))
    audited = {row[0] for row in system.sql("audit", _DONE)}
    retold = {row[0] for row in system.sql("contacts", _RETOLD)}
    findings = [" ".join(str(word) for word in row) for row in system.sql("audit", "SELECT kind, position, stream, n FROM findings")]
    rows = [(str(marker), str(i)) for marker, i in (*held, *noted)]
    by_marker: dict[str, list[str]] = {}
    for marker, i in rows:
        by_marker.setdefault(marker, []).append(i)
    acknowledged = {**created, **logged}
    return Comparison(
        acknowledged=sum(ledger.acknowledged for ledger in ledgers),
        lost=[marker for marker, i in acknowledged.items() if i not in by_marker.get(marker, [])],
        duplicated=[marker for marker, ids in by_marker.items() if len(ids) > 1] + [i for i, times in heard.items() if times > 1],
        ghosts=[marker for marker in by_marker if marker not in tried],
        unaudited=sorted(traces - audited),
        unheard=[i for i in logged.values() if i not in heard],
        retold=[i for i in created.values() if i in retold],
        findings=findings,
    )


def compare_settled(system: Any, ledgers: list[Ledger], *, seconds: float, tag: str = "") -> Comparison:
    """Compare until there is nothing to say or the time is up: what was delivered last may still be worked off."""
    deadline = time.monotonic() + seconds
    while (found := compare(system, ledgers, tag=tag)).problems and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def wait_drained(system: Any, seconds: float) -> None:
    """Wait until every outbox is shipped, every queue empty and the trail holds every entry.

    What was parked never drains: nothing that a fault does to a message may end there.
    """

    queues = [queue.name for queue in topology_of(service_classes().values()).queues if not queue.name.startswith("rpc-")]

    def is_drained() -> bool:
        waiting = {service: sum(system.sql(service, _WAITING)[0]) for service in SERVICES}
        assert not any(waiting.values()), f"not shipped: {waiting}"
        with system.look_into_queues() as connection:
            channel = connection.channel()
            held = {name: n for name in queues if (n := channel.queue_declare(name, passive=True).message_count)}
        assert not held, f"not read: {held}"
        return True

    eventually(is_drained, seconds, why="everything is drained")
