"""Clients who write down every answer they got, and the comparison of that with what the system holds (P1)."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from services.chassis.testing import eventually
from tests.journeys.client import Person

_WAITING = "SELECT (SELECT count(*) FROM entries WHERE NOT done) + (SELECT count(*) FROM outbox WHERE NOT done)"
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

    def __init__(self, person: Person, issue: str, seed: int, stop: threading.Event) -> None:
        """Take an acknowledged session."""
        super().__init__(daemon=True, name=f"client-{seed}")
        self.person = person
        self.issue = issue
        self.ledger = Ledger()
        self._chance = random.Random(seed)
        self._stop_asked = stop
        self._mine: list[str] = []

    def run(self) -> None:
        """Work until told to stop; an operation that was begun is repeated until it is answered."""
        while not self._stop_asked.is_set():
            dice = self._chance.random()
            if dice < 0.35 or not self._mine:
                self._create()
            elif dice < 0.6:
                self._log()
            else:
                self._read()

    def _create(self) -> None:
        marker = f"Ledger-{uuid.uuid4().hex}"
        answer = self._until_answered(
            "POST", "/individuals", marker, {"first_name": "Ada", "last_name": marker, "state": "TX", "issue_ids": [self.issue]}
        )
        if answer is not None:
            self.ledger.created[marker] = answer.json()["id"]
            self._mine.append(answer.json()["id"])

    def _log(self) -> None:
        marker = f"Outcome-{uuid.uuid4().hex}"
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

    def _read(self) -> None:
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

    @property
    def problems(self) -> dict[str, list[str]]:
        """Return what is not as it must be, the first few of each kind."""
        kinds = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "ghosts": self.ghosts,
            "unaudited": self.unaudited,
            "unheard": self.unheard,
        }
        return {name: found[:5] for name, found in kinds.items() if found}


def compare(system: Any, ledgers: list[Ledger]) -> Comparison:
    """Compare the ledgers with contacts, interactions and the trail, once everything is drained."""
    created = {marker: i for ledger in ledgers for marker, i in ledger.created.items()}
    logged = {marker: i for ledger in ledgers for marker, i in ledger.logged.items()}
    tried = {marker for ledger in ledgers for marker in ledger.tried}
    traces = {trace for ledger in ledgers for trace in (*ledger.reads, *ledger.writes)}

    held = system.sql("contacts", "SELECT last_name, id::text FROM individuals WHERE last_name LIKE 'Ledger-%'")
    noted = system.sql("interactions", "SELECT outcome, id::text FROM interactions WHERE outcome LIKE 'Outcome-%'")
    heard = [row[0] for row in system.sql("contacts", "SELECT source_id::text FROM engagements")]
    audited = {row[0] for row in system.sql("audit", "SELECT trace_id FROM trail WHERE kind = 'entry'")}
    rows = [(str(marker), str(i)) for marker, i in (*held, *noted)]
    by_marker: dict[str, list[str]] = {}
    for marker, i in rows:
        by_marker.setdefault(marker, []).append(i)
    acknowledged = {**created, **logged}
    return Comparison(
        acknowledged=sum(ledger.acknowledged for ledger in ledgers),
        lost=[marker for marker, i in acknowledged.items() if i not in by_marker.get(marker, [])],
        duplicated=[marker for marker, ids in by_marker.items() if len(ids) > 1] + [i for i in set(heard) if heard.count(i) > 1][:5],
        ghosts=[marker for marker in by_marker if marker not in tried],
        unaudited=sorted(traces - audited),
        unheard=[i for i in logged.values() if i not in set(heard)],
    )


def wait_drained(system: Any, seconds: float) -> None:
    """Wait until every outbox is shipped, every queue empty and the trail holds every entry."""

    def is_drained() -> bool:
        waiting = 0
        for service in ("contacts", "interactions", "access", "retention"):
            waiting += system.sql(service, "SELECT (SELECT count(*) FROM entries WHERE NOT done) + (SELECT count(*) FROM outbox WHERE NOT done)")[0][
                0
            ]
        listed = system.broker.control("list_queues", "--vhost", "liaison", "name", "messages", "--formatter", "json")
        return waiting == 0 and not any(_unread(listed))

    eventually(is_drained, seconds, why="everything is drained")


def _unread(listed: str) -> Iterator[str]:
    """Yield the durable queues that hold something; what belongs to one connection comes and goes."""
    for queue in json.loads(listed):
        if queue["messages"] and not queue["name"].startswith(("reply.", "hearing.")):
            yield queue["name"]
