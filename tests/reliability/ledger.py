"""Clients who write down every answer they got, and the comparison of that with what the system holds (P1)."""

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
#: What access records of a request, that a session was opened, does not say what was done in it.
_DONE = "SELECT trace_id FROM trail WHERE kind = 'entry' AND service IN ('contacts', 'interactions', 'retention') AND outcome = 'allowed'"
#: A process that was killed leaves a tail that nobody can prove, and is silent until another speaks for it: that is true.
_FINDINGS = "SELECT kind, position, service, stream, n FROM findings WHERE kind NOT IN ('unproven-tail', 'silent')"
#: Of whom a component's system was told the same thing more than once.
_RETOLD = (
    "SELECT DISTINCT subject FROM (SELECT body->>'subject' AS subject FROM outbox WHERE routing_key LIKE 'contacts.integration.%.told'"
    " GROUP BY routing_key, body->>'type', body->>'subject' HAVING count(*) > 1) AS told"
)
#: Of all operations, how many are of which kind; the others read. An import brings in some people at once, and costs as
#: much as two hundred reads: where there are minutes and not hours, fewer are of the kinds that take longest.
SHARES = (
    {"create": 0.15, "log": 0.15, "correct": 0.06, "reveal": 0.1, "erase": 0.01, "take_in": 0.004}
    if SOAK
    else {"create": 0.1, "log": 0.1, "correct": 0.04, "reveal": 0.1, "erase": 0.005, "take_in": 0.002}
)
ROWS = 3
#: Statuses that promise nothing was done, or that it is not known: the same request is sent again.
AGAIN = {429, 500, 502, 503, 504}


@dataclass
class Ledger:
    """What was acknowledged, and what was only tried."""

    #: marker -> id of the individual
    created: dict[str, str] = field(default_factory=dict)
    #: marker -> id of the interaction
    logged: dict[str, str] = field(default_factory=dict)
    #: markers of people whom a committed import brought in
    imported: set[str] = field(default_factory=set)
    #: markers of people whose erasure was acknowledged
    erased: set[str] = field(default_factory=set)
    #: how many corrections were acknowledged
    corrected: int = 0
    #: trace ids of reads and reveals that were answered with data
    reads: list[str] = field(default_factory=list)
    #: trace ids of commands that were acknowledged
    writes: list[str] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    again: int = 0

    @property
    def acknowledged(self) -> int:
        """How many operations were answered with success."""
        return len(self.writes) + len(self.reads)


class Client(threading.Thread):
    """One client: creates, corrects, reveals, imports and erases people, logs interactions with them, until told to stop."""

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
        #: id -> marker of those whom this client works with
        self._mine: dict[str, str] = {}

    def run(self) -> None:
        """Work until told to stop; an operation that was begun is repeated until it is answered."""
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
        """Log an interaction with one of those created."""
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
        """Read one of those created."""
        self._look("")

    def reveal(self) -> None:
        """Ask for the telephones and addresses of one of those created."""
        self._look("/contact-points")

    def correct(self) -> None:
        """Give one of those created another name; after a failure look whether it came through."""
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
        """Create an individual and have it erased as a mistake, as soon as interactions has heard of it."""
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
        """Upload a file of some people, have it checked and committed."""
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
        """Repeat with one key until it is answered.

        :param early: statuses that mean "not yet": interactions, say, may not have heard of the individual.
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
        """Repeat until it is done, or an answer surprised."""
        surprises = len(self.ledger.surprises)
        end = time.monotonic() + seconds
        pause = 0.1
        while time.monotonic() < end:
            if done() or len(self.ledger.surprises) > surprises:
                return
            self.ledger.again += 1
            # Told to stop it waits all the same: a killed process's import is gone on with when its lease of a minute lapses.
            time.sleep(pause)
            # What takes long is asked about less and less often: an answer costs the system as much as any other read.
            pause = min(pause * 1.2, 1.0)
        told = self.person.told[-1]
        self.ledger.surprises.append(f"{what}: never answered; at last {told.status} {told.trace_id}")

    def _is(self, answer: requests.Response | None, *wanted: int, early: Iterable[int] = ()) -> TypeGuard[requests.Response]:
        """Tell whether it has such a status; one that is neither that nor a reason to try again is a surprise."""
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
    """What the databases and the trail say to the ledger."""

    acknowledged: int
    lost: list[str]
    duplicated: list[str]
    ghosts: list[str]
    unaudited: list[str]
    unheard: list[str]
    #: People who are still there though their erasure was acknowledged, by their markers.
    unerased: list[str]
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
    """Compare until there is nothing to say or the time is up: what was delivered last may still be worked off."""
    deadline = time.monotonic() + seconds
    while (found := compare(system, ledgers, tag=tag)).problems and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def wait_drained(system: Any, seconds: float) -> None:
    """Wait until every outbox is shipped, every queue empty and the trail holds every entry.

    What was dead-lettered never drains: nothing that a fault does to a message may end there.
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
