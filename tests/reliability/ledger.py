"""Run clients that record all answers, and compare the records with the data of the system (P1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import requests

from deploy.migrations import SERVICES
from deploy.provision import service_classes
from services.chassis.runtime.process import topology_of
from tests.journeys.client import Person
from tests.rows import SOAK
from tests.support import eventually

_WAITING = "SELECT (SELECT count(*) FROM entries WHERE NOT done), (SELECT count(*) FROM outbox WHERE NOT done)"
#: Entries of access about opened sessions, which do not name the operation.
_DONE = "SELECT trace_id FROM trail WHERE kind = 'entry' AND service IN ('contacts', 'interactions', 'retention') AND outcome = 'allowed'"
#: Findings that a killed process causes rightly: an unproven tail, and silence until another process continues.
_FINDINGS = "SELECT kind, position, service, stream, n FROM findings WHERE kind NOT IN ('unproven-tail', 'silent')"
#: Individuals about whom a component's system got the same message twice.
_RETOLD = (
    "SELECT DISTINCT subject FROM (SELECT body->>'subject' AS subject FROM outbox WHERE routing_key LIKE 'contacts.integration.%.told'"
    " GROUP BY routing_key, body->>'type', body->>'subject' HAVING count(*) > 1) AS told"
)
#: The shares of the kinds of operations; the rest are reads. An import creates several people at once, and costs as
#: much as two hundred reads, so short runs have fewer of the slow kinds.
SHARES = (
    {"create": 0.15, "log": 0.15, "correct": 0.06, "reveal": 0.1, "erase": 0.01, "take_in": 0.004}
    if SOAK
    else {"create": 0.1, "log": 0.1, "correct": 0.04, "reveal": 0.1, "erase": 0.005, "take_in": 0.002}
)
ROWS = 3
#: Statuses after which the same request is sent again: nothing was done, or the outcome is unknown.
AGAIN = {429, 500, 502, 503, 504}


@dataclass
class Ledger:
    """The acknowledged and the attempted operations of a client."""

    #: marker -> id of the individual
    created: dict[str, str] = field(default_factory=dict)
    #: marker -> id of the interaction
    logged: dict[str, str] = field(default_factory=dict)
    #: markers of people in committed imports
    imported: set[str] = field(default_factory=set)
    #: markers of people whose erasure was acknowledged
    erased: set[str] = field(default_factory=set)
    #: number of acknowledged corrections
    corrected: int = 0
    #: trace ids of reads and reveals that returned data
    reads: list[str] = field(default_factory=list)
    #: trace ids of acknowledged commands
    writes: list[str] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    again: int = 0

    @property
    def acknowledged(self) -> int:
        """Return the number of acknowledged operations."""
        return len(self.writes) + len(self.reads)


class Client(threading.Thread):
    """A client that creates, corrects, reveals, imports and erases people and logs interactions, until it is stopped."""

    def __init__(self, person: Person, issue: str, seed: int, stop: threading.Event, *, tag: str = "") -> None:
        """Create a client with an acknowledged session.

        :param tag: part of every marker, so that the data of this client can be compared separately.
        """
        super().__init__(daemon=True, name=f"client-{seed}")
        self.person = person
        self.issue = issue
        self.tag = tag
        self.ledger = Ledger()
        self._chance = random.Random(seed)
        self._stop_asked = stop
        #: id -> marker of the individuals of this client
        self._mine: dict[str, str] = {}

    def run(self) -> None:
        """Work until stopped. An operation that has begun is repeated until it is answered."""
        kinds, weights = zip(*SHARES.items(), strict=True)
        while not self._stop_asked.is_set():
            kind = self._chance.choices([*kinds, "read"], [*weights, 1 - sum(weights)])[0] if self._mine else "create"
            getattr(self, kind)()

    def create(self) -> None:
        """Create an individual."""
        marker = self._marker()
        if (i := self._created(marker)) is not None:
            self._mine[i] = marker

    def log(self) -> None:
        """Log an interaction with a created individual."""
        marker = f"Outcome-{self.tag}{uuid.uuid4().hex}"
        self.ledger.tried.add(marker)
        body = {
            "held_at": (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "mode": "letter",
            "individual_ids": [self._chance.choice(list(self._mine))],
            "issue_ids": [self.issue],
            "outcome": marker,
        }
        answer = self._until_answered("POST", "/interactions", marker, body, early={404, 422})
        if answer is not None:
            self.ledger.logged[marker] = answer.json()["id"]

    def read(self) -> None:
        """Read a created individual."""
        self._look("")

    def reveal(self) -> None:
        """Reveal the contact points of a created individual."""
        self._look("/contact-points")

    def correct(self) -> None:
        """Rename a created individual; after a failure, check whether the change was made."""
        i, old = self._chance.choice(list(self._mine.items()))
        new = self._marker()
        self.ledger.tried.add(new)

        def corrected() -> bool:
            seen = self._ask("GET", f"/individuals/{i}")
            if not self._is(seen, requests.codes.ok):
                return False
            if seen.json()["last_name"] != new:
                answer = self._ask("PATCH", f"/individuals/{i}", {"If-Match": seen.headers["ETag"]}, {"last_name": new})
                if not self._is(answer, requests.codes.ok, early={412}):
                    return False
                self.ledger.writes.append(answer.headers["X-Request-Id"])
            del self.ledger.created[old]
            self.ledger.created[new] = i
            self._mine[i] = new
            self.ledger.corrected += 1
            return True

        self._until(corrected, f"correct {i}")

    def erase(self) -> None:
        """Create an individual and erase it as a mistake, as soon as interactions knows it."""
        marker = self._marker()
        if (i := self._created(marker)) is None:
            return

        def erased() -> bool:
            seen = self._ask("GET", f"/individuals/{i}")
            if not self._is(seen, requests.codes.ok, requests.codes.not_found):
                return False
            if seen.status_code == requests.codes.ok:
                answer = self._ask("DELETE", f"/individuals/{i}", {"If-Match": seen.headers["ETag"]}, {"reason": "mistake"})
                if not self._is(answer, requests.codes.accepted, early={404, 409, 412, 422}):
                    return False
                self.ledger.writes.append(answer.headers["X-Request-Id"])
            del self.ledger.created[marker]
            self.ledger.erased.add(marker)
            return True

        self._until(erased, f"erase {i}")

    def take_in(self) -> None:
        """Import a file of some people."""
        markers = [self._marker() for _ in range(ROWS)]
        self.ledger.tried.update(markers)
        file = ("people.csv", "\n".join(["First Name,Last Name", *(f"Ada,{marker}" for marker in markers), ""]).encode(), "text/csv")
        made = self._until_answered("POST", "/imports", f"{markers[0]}-file", files={"file": file})
        if made is None:
            return
        path = f"/imports/{made.json()['id']}"

        def committed() -> bool:
            seen = self._ask("GET", path)
            if not self._is(seen, requests.codes.ok):
                return False
            state = seen.json()["state"]
            if state == "failed":
                self.ledger.surprises.append(f"GET {path}: {seen.text[:300]}")
                return True
            if state == "committed":
                self.ledger.imported.update(markers)
                return True
            if (step := {"uploaded": "dry-run", "mapped": "dry-run", "checked": "commit"}.get(state)) is not None:
                answer = self._ask("POST", f"{path}/{step}")
                if self._is(answer, requests.codes.accepted, early={409}):
                    self.ledger.writes.append(answer.headers["X-Request-Id"])
            return False

        self._until(committed, f"commit {path}", seconds=360)

    def _marker(self) -> str:
        return f"Ledger-{self.tag}{uuid.uuid4().hex}"

    def _created(self, marker: str) -> str | None:
        body = {"first_name": "Ada", "last_name": marker, "state": "TX", "issue_ids": [self.issue]}
        self.ledger.tried.add(marker)
        answer = self._until_answered("POST", "/individuals", marker, body)
        if answer is None:
            return None
        self.ledger.created[marker] = str(answer.json()["id"])
        return self.ledger.created[marker]

    def _look(self, at: str) -> None:
        answer = self._ask("GET", f"/individuals/{self._chance.choice(list(self._mine))}{at}")
        if self._is(answer, requests.codes.ok):
            self.ledger.reads.append(answer.headers["X-Request-Id"])
        else:
            self.ledger.again += 1

    def _until_answered(
        self, method: str, path: str, key: str, body: dict[str, Any] | None = None, *, early: Iterable[int] = (), **given: Any
    ) -> requests.Response | None:
        """Repeat a request with one key until it is answered.

        :param early: statuses that mean "not yet", for example because interactions does not know the individual.
        """
        made: list[requests.Response] = []

        def answered() -> bool:
            answer = self._ask(method, path, {"Idempotency-Key": key}, body, **given)
            if not self._is(answer, requests.codes.created, early=early):
                return False
            self.ledger.writes.append(answer.headers["X-Request-Id"])
            made.append(answer)
            return True

        self._until(answered, f"{method} {path}")
        return made[0] if made else None

    def _until(self, done: Callable[[], bool], what: str, *, seconds: float = 180.0) -> None:
        """Repeat until it is done, or an answer is unexpected."""
        surprises = len(self.ledger.surprises)
        end = time.monotonic() + seconds
        pause = 0.1
        while time.monotonic() < end:
            if done() or len(self.ledger.surprises) > surprises:
                return
            self.ledger.again += 1
            # A stopped client waits too: the import of a killed process continues when its lease of a minute lapses.
            time.sleep(pause)
            # The pauses grow, because each status request costs as much as another read.
            pause = min(pause * 1.2, 1.0)
        told = self.person.told[-1]
        self.ledger.surprises.append(f"{what}: never answered; at last {told.status} {told.trace_id}")

    def _is(self, answer: requests.Response | None, *wanted: int, early: Iterable[int] = ()) -> TypeGuard[requests.Response]:
        """Return whether the answer has such a status; one that is not a reason to retry either is recorded as unexpected."""
        if answer is None or answer.status_code in {*AGAIN, *early}:
            return False
        if answer.status_code in wanted:
            return True
        self.ledger.surprises.append(f"{answer.request.method} {answer.request.path_url}: {answer.status_code} {answer.text[:300]}")
        return False

    def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: dict[str, Any] | None = None, **given: Any
    ) -> requests.Response | None:
        try:
            return self.person.ask(method, path, headers=headers or {}, json=body, **given)
        except requests.RequestException:
            return None


@dataclass(frozen=True)
class Comparison:
    """The differences between the ledgers, the databases and the trail."""

    acknowledged: int
    lost: list[str]
    duplicated: list[str]
    ghosts: list[str]
    unaudited: list[str]
    unheard: list[str]
    #: Markers of people who still exist after an acknowledged erasure.
    unerased: list[str]
    #: Individuals about whom a component's system got a message twice.
    retold: list[str]
    #: Findings of the audit service: gaps, contradictions, passports that were not issued.
    findings: list[str]

    @property
    def problems(self) -> dict[str, list[str]]:
        """Return the differences, the first few of each kind."""
        kinds = dataclasses.asdict(self)
        return {name: found[:5] for name, found in kinds.items() if isinstance(found, list) and found}

    @property
    def figures(self) -> str:
        """Return the number of differences of each kind."""
        kinds = dataclasses.asdict(self)
        return ", ".join(f"{name} {len(found)}" for name, found in kinds.items() if isinstance(found, list))


def compare(system: Any, ledgers: list[Ledger], *, tag: str = "") -> Comparison:
    """Compare the ledgers of clients with one tag with contacts, interactions and the trail, after everything is drained."""
    created = {marker: i for ledger in ledgers for marker, i in ledger.created.items()}
    logged = {marker: i for ledger in ledgers for marker, i in ledger.logged.items()}
    tried = {marker for ledger in ledgers for marker in ledger.tried}
    traces = {trace for ledger in ledgers for trace in (*ledger.reads, *ledger.writes)}

    held = system.sql("contacts", f"SELECT last_name, id::text FROM individuals WHERE last_name LIKE 'Ledger-{tag}%'")
    noted = system.sql("interactions", f"SELECT outcome, id::text FROM interactions WHERE outcome LIKE 'Outcome-{tag}%'")
    heard = Counter(row[0] for row in system.sql("contacts", "SELECT source_id::text FROM engagements"))
    audited = {row[0] for row in system.sql("audit", _DONE)}
    retold = {row[0] for row in system.sql("contacts", _RETOLD)}
    findings = [" ".join(str(word) for word in row) for row in system.sql("audit", _FINDINGS)]
    rows = [(str(marker), str(i)) for marker, i in (*held, *noted)]
    by_marker: dict[str, list[str]] = {}
    for marker, i in rows:
        by_marker.setdefault(marker, []).append(i)
    acknowledged = {**created, **logged}
    imported = {marker for ledger in ledgers for marker in ledger.imported}
    erased = {marker for ledger in ledgers for marker in ledger.erased}
    return Comparison(
        acknowledged=sum(ledger.acknowledged for ledger in ledgers),
        lost=[*(marker for marker, i in acknowledged.items() if i not in by_marker.get(marker, [])), *sorted(imported - by_marker.keys())],
        duplicated=[marker for marker, ids in by_marker.items() if len(ids) > 1] + [i for i, times in heard.items() if times > 1],
        ghosts=[marker for marker in by_marker if marker not in tried],
        unaudited=sorted(traces - audited),
        unheard=[i for i in logged.values() if i not in heard],
        unerased=sorted(erased & by_marker.keys()),
        retold=[i for i in created.values() if i in retold],
        findings=findings,
    )


def compare_settled(system: Any, ledgers: list[Ledger], *, seconds: float, tag: str = "") -> Comparison:
    """Compare until there is no difference or the time is up, because the last messages may still be handled."""
    deadline = time.monotonic() + seconds
    while (found := compare(system, ledgers, tag=tag)).problems and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def wait_drained(system: Any, seconds: float) -> None:
    """Wait until all outboxes and queues are empty and the trail has all entries.

    Dead letters never drain: no fault may send a message there.
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
