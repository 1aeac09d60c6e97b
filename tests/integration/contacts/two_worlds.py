"""Two worlds that differ in hidden values alone, each with a gateway before the services, in one process (P14).

What is asked goes through the application, as HTTP: its answers are compared whole, status, headers and bytes. Ids are
counted and the clock stands, in both alike; of an answer only cursors, which are encrypted, are left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from flask import Flask
from marshmallow import ValidationError

from gateway.app import create_app
from services.chassis.config import Settings
from services.chassis.database import Database
from services.chassis.gathering import GatheredReads
from services.chassis.keyed import Keyed
from services.chassis.messages import Caller, Invalid, NotFound, Operation, Refusal, wire_value
from services.chassis.revocations import Revocations
from services.chassis.testing import Databases
from services.contacts.domain import representations
from services.contacts.service import ContactsService
from services.contacts.service.registrations import Registrations
from services.contacts.storage import individuals, likenesses
from services.retention.service import RetentionService
from services.retention.service.saga import Saga
from tests.cast import AMINA, BRUNO, CHLOE, EVERYBODY, FARID, GRACE
from tests.integration.contacts.conftest import Desk, open_desk
from tests.unit.gateway.fakes import STATEMENTS

SYSTEM = Caller.service("contacts")
#: Somebody of a third component, whom the Private Sector Office may learn as little of as of ICE.
FEMA = replace(CHLOE, id="01900000-0000-7000-8000-000000000034", component="FEMA")
PEOPLE = {one.id: one for one in (*EVERYBODY, FEMA)}
#: Interactions is not here: nobody said anything, and nothing of anybody is found there.
NOTHING: Mapping[str, Any] = {"items": [], "next": None, "more": False, "total": 0}
INTERACTIONS: Mapping[str, Any] = {
    "list_tasks": NOTHING,
    "list_history": NOTHING,
    "erase": {"receipts": []},
    "seek": {"receipts": [], "hits": [], "carried_out": []},
}
_CURSOR = re.compile(rb'"next":"[^"]+"')


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    method: str
    path: str
    given: Mapping[str, Any] = field(default_factory=dict)
    by: Caller = CHLOE


class OneProcess:
    """The bus, where every service is in the process: a call is a method, in the name of whom the passport names."""

    def __init__(self) -> None:
        """Begin without services."""
        self.services: dict[str, Any] = {}

    def call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        *,
        passport: str | None = None,
        trace_id: str | None = None,
        operation: Operation | None = None,
    ) -> Any:
        """Answer the gateway."""
        if service == "access":
            return _session(str(kwargs["token"])) if method == "open_session" else None
        if service == "interactions":
            return INTERACTIONS[method]
        caller = PEOPLE[str(passport)].within(trace_id=str(trace_id), operation=operation)
        return self.ask(service, method, caller, **kwargs)

    def ask(self, service: str, method: str, caller: Caller, **kwargs: Any) -> Any:
        """Answer a service, or the gateway: what goes either way goes as JSON."""
        if service == "interactions":
            return INTERACTIONS[method]
        try:
            return _sent(getattr(self.services[service], method)(caller, **_sent(kwargs)))
        except ValidationError as error:
            raise Invalid(errors=dict(error.messages_dict)) from error
        except Refusal as refusal:
            raise Refusal.from_wire(_sent(refusal.to_wire())) from refusal


class World:
    """One of the two: contacts and retention with databases of their own, and a gateway before them."""

    def __init__(self, desk: Desk, retention: Database, *, hidden: bool) -> None:
        """Put it together; nobody is registered yet."""
        self.desk, self.hidden = desk, hidden
        #: The last entry of the trail that was looked at.
        self.read_until = 0
        self.bus = OneProcess()
        desk.database.clock = retention.clock = lambda: desk.now
        desk.know(FEMA)
        self.contacts, service = ContactsService(), RetentionService()
        # In the place of what a container gives them.
        contacts: Any = self.contacts
        contacts.database, contacts.bus = desk.database, SimpleNamespace(call=self.bus.ask)
        self.reads = GatheredReads(desk.database, individuals.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
        contacts.parts = SimpleNamespace(
            layer=desk.layer,
            cursors=desk.cursors,
            reads=self.reads,
            registrations=Registrations(desk.database, desk.layer),
            keyed=Keyed("a key of tests", "contacts sent in"),
        )
        keeping: Any = service
        keeping.database, keeping.bus, keeping.settings = retention, contacts.bus, Settings(service="retention")
        keeping.saga = Saga(retention, self.bus.ask, clock=lambda: desk.now)
        self.bus.services |= {"contacts": contacts, "retention": keeping}
        self.app = _application(self.bus)
        self.client = self.app.test_client(use_cookies=False)

    def send(self, ask: Ask) -> tuple[bytes, Any]:
        """Ask; return what is compared, status, headers, body and the asker's entries in the trail, and the answer's JSON."""
        headers = {"Authorization": f"Bearer {ask.by.id}", **ask.given.get("headers", {})}
        given = {name: value for name, value in ask.given.items() if name != "headers"}
        response = self.client.open(f"/api/v1{ask.path}", method=ask.method, headers=headers, **given)
        body = response.get_data()
        rows = self.desk.rows("SELECT n, body FROM entries WHERE n > :n ORDER BY n", n=self.read_until)
        self.read_until = max((row.n for row in rows), default=self.read_until)
        entries = [row.body for row in rows]
        # What a service did of itself, such as freeing twins, is in the trail, which the security officer alone reads.
        own = [entry for entry in entries if entry["actor"] == ask.by.id and entry["subjects"]]
        trail = [[entry[key] for key in ("action", "subjects", "fields", "outcome", "rule")] for entry in own]
        said = f"{response.status}\n{response.headers}".encode() + _CURSOR.sub(b'"next":"cursor"', body) + orjson.dumps(trail)
        return said, orjson.loads(body) if response.is_json else None

    def work(self) -> None:
        """Do what waits of imports."""
        while self.contacts.work_on_one_import(SYSTEM) or self.contacts.work_on_one_import(SYSTEM, undoing=True):
            pass

    def wait(self) -> None:
        """Let a minute pass."""
        self.desk.later(minutes=1)

    def match(self) -> None:
        """Compare whoever waits, all of them: how many others enter is their load, and delays whom it delays."""
        with self.desk.work(SYSTEM, role="matcher") as work:
            while likenesses.match_waiting(work):
                pass

    def hide(self, by: Caller, individual_id: str, value: str) -> None:
        """Let a component be given a value, in the world where there are any."""
        if self.hidden:
            self.desk.add(by, individual_id, kind_of(value), value)

    def hold(self, individual_id: str) -> None:
        """Let the privacy officer hold somebody's record, in the world where there is anything to hide (T24)."""
        if self.hidden:
            self.bus.ask("retention", "place_hold", FARID, body={"subject_id": individual_id})


def kind_of(value: str) -> str:
    """Return what a value is."""
    return "email" if "@" in value else "cell"


@contextmanager
def two_worlds(databases: Databases, count_from: Callable[[int], None]) -> Iterator[tuple[World, World]]:
    """Give both, with nobody in them."""
    opened = [contextmanager(open_desk)(databases) for _ in range(2)]
    kept = [databases.opened("retention") for _ in range(2)]
    with opened[0] as one, opened[1] as other, kept[0] as keeping, kept[1] as keeping_too:
        count_from(0)
        with_them, without = World(one, keeping, hidden=True), World(other, keeping_too, hidden=False)
        try:
            yield with_them, without
        finally:
            with_them.reads.close()
            without.reads.close()


@contextmanager
def counted_ids(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Make every new id a count, which is begun anew for each world: what one had to keep for itself shifts none of the next ids."""
    state = {"count": 0}

    def chance(size: int) -> bytes:
        state["count"] += 1
        # Of the last digit nothing goes into an id.
        return (state["count"] << 4).to_bytes(size)

    monkeypatch.setattr("services.chassis.messages.os", SimpleNamespace(urandom=chance))
    monkeypatch.setattr("services.chassis.messages.time", SimpleNamespace(time_ns=lambda: 1_795_446_000_000_000_000))
    # What a child reads, it reads under other limits and in the same way.
    for module in ("imports", "beside"):
        monkeypatch.setattr(f"services.contacts.service.{module}.pool", lambda: SimpleNamespace(run=lambda act, *given, **_: act(*given)))
    yield lambda at: state.update(count=at)


def _application(bus: OneProcess) -> Flask:
    # Nobody's heartbeat was heard, so that access is asked on every request, in both worlds alike.
    return create_app(bus, Revocations(), Settings(service="gateway", cookie_secure=False, cursor_key=base64.b64encode(bytes(32)).decode()))


def _session(token: str) -> dict[str, Any]:
    by = PEOPLE.get(token)
    if by is None:
        raise NotFound
    user = {"id": by.id, "username": "somebody", "name": "Somebody", "component": by.component, "level": by.level, "roles": sorted(by.roles)}
    session = {
        "session_id": by.id,
        "user": user,
        **{name: user[name] for name in ("component", "level", "roles")},
        "acknowledged": True,
        "statements": STATEMENTS,
        "statements_version": "2.4-1",
        "expires_at": "2026-11-23T02:00:00Z",
        "idle_expires_at": "2026-11-22T14:15:00Z",
    }
    return {"session": session, "passports": dict.fromkeys(("access", "contacts", "interactions", "retention", "audit"), by.id)}


def _sent(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=wire_value))


__all__ = ["AMINA", "BRUNO", "CHLOE", "FARID", "FEMA", "GRACE", "Ask", "World", "counted_ids", "kind_of", "two_worlds"]
