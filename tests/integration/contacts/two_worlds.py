"""Two worlds that differ only in hidden values, each with a gateway and the five services, in one process (P14).

Requests go through the application, as over HTTP. Answers are compared whole: status, headers and bytes, and also the
statements and calls that they took. Ids, tokens, seals and cursors are counters, and the clock stands, in both alike.
Instead of a broker, a delivery ends before the next request: every announcement is then handled by all others.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from flask import Flask
from marshmallow import ValidationError
from sqlalchemy import create_engine, event, make_url, text

from gateway.app import create_app
from gateway.context import context_of
from gateway.identity import SessionCache, csrf_token
from services.access.service import POLICY_VERSION, AccessService
from services.access.service.dependencies import Dependencies
from services.access.usecases import seeding
from services.access.usecases.seeding import Account
from services.audit.service import AuditService
from services.chassis.config import Settings
from services.chassis.cursors import Cursors
from services.chassis.database import Database
from services.chassis.database.batching import BatchedReads
from services.chassis.entrypoints.consumers import AnnouncementHandler
from services.chassis.keyed import Keyed
from services.chassis.messages import Caller, Invalid, Operation, Refusal, new_id, wire_value
from services.chassis.passport import PassportVerifier
from services.chassis.revocations import Revocations
from services.contacts.domain import representations
from services.contacts.service import ContactsService
from services.contacts.storage import individuals, likenesses
from services.interactions.service import InteractionsService
from services.retention.service import RetentionService
from services.retention.service.saga import Saga
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, EVERYBODY, FARID, GRACE
from tests.integration.access.conftest import a_key
from tests.integration.contacts.conftest import Desk, called, open_desk
from tests.stirring import STIRRED, TABLES, UNSEEN, moves
from tests.support import Databases

SYSTEM = Caller.service("contacts")
#: Somebody of a third component, whom the Private Sector Office may learn as little of as of ICE.
FEMA = replace(CHLOE, id="01900000-0000-7000-8000-000000000034", component="FEMA")
PEOPLE = (*EVERYBODY, FEMA)
#: Services with a database of their own beside contacts.
OTHERS = ("access", "interactions", "retention", "audit")
_SECRET = base64.b64encode(bytes(32)).decode()
#: How many worlds there were: the databases of each have names of their own.
_WORLDS = itertools.count(1)
_PASSWORD = "a password of tests"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: of the API, or of a page where `page` says so."""

    method: str
    path: str
    given: Mapping[str, Any] = field(default_factory=dict)
    by: Caller = CHLOE
    page: bool = False


class Plain(Dependencies):
    """Access's use cases, without the cost of hashing a password."""

    def is_right(self, stored_password: str, password: str) -> bool:
        """Compare."""
        return stored_password == password


class OneProcess:
    """A bus whose services are all in the process: a call is a method, for the passport's user."""

    def __init__(self, public_key: str, clock: Callable[[], datetime]) -> None:
        """Begin without services."""
        self.services: dict[str, Any] = {}
        self.clock = clock
        #: What was called since somebody last looked.
        self.called: list[str] = []
        self._verifiers = {service: PassportVerifier(public_key, service) for service in ("contacts", *OTHERS)}

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
        caller = self._verifiers[service].verify(passport, self.clock()) if passport else Caller.anonymous(trace_id="")
        return self.ask(service, method, caller.within(trace_id=str(trace_id), operation=operation), **kwargs)

    def ask(self, service: str, method: str, caller: Caller, **kwargs: Any) -> Any:
        """Answer a service or the gateway; both directions go through JSON."""
        self.called.append(f"{service}.{method}")
        try:
            answering = self.services[service]
            return _sent(called(getattr(answering, method), answering.database)(caller, **_sent(kwargs)))
        except ValidationError as error:
            raise Invalid(errors=dict(error.messages_dict)) from error
        except Refusal as refusal:
            raise Refusal.from_wire(_sent(refusal.to_wire())) from refusal


class World:
    """One of the two: five services with databases of their own, and a gateway before them."""

    def __init__(self, desk: Desk, databases: Mapping[str, Database], keys: tuple[str, str], *, hidden: bool) -> None:
        """Compose it, with nobody registered."""
        self.desk, self.hidden = desk, hidden
        self.databases = {"contacts": desk.database, **databases}
        #: By service, the last entry of the trail that was looked at, and the last announcement that was heard.
        self.read_until, self.heard_until = dict.fromkeys(self.databases, 0), dict.fromkeys(self.databases, "")
        self.statements: list[str] = []
        #: Services that were called by what was last asked, and those that announced something since it was last delivered.
        self._asked: set[str] = set()
        self._told: set[str] = set()
        #: Entries of contacts about what was hidden.
        self._behind: set[int] = set()
        self._tokens: dict[str, tuple[datetime, str]] = {}
        private_key, public_key = keys
        self.bus = OneProcess(public_key, lambda: desk.now)
        for name, database in self.databases.items():
            database.clock = lambda: desk.now
            self._count_statements(name, database.engine)
        self._count_statements("keys", desk.layer.vault._engine)
        address = make_url(desk.addresses.superuser)
        self._superuser = {
            name: create_engine(address.set(database=self.databases[name].engine.url.database), isolation_level="AUTOCOMMIT") for name in STIRRED
        }
        self._stirred: dict[str, list[str]] = {}
        services: dict[str, Any] = {
            "access": AccessService(),
            "contacts": ContactsService(),
            "interactions": InteractionsService(),
            "retention": RetentionService(),
            "audit": AuditService(),
        }
        self.bus.services |= services
        for name, service in services.items():
            # In the place of what a container gives them.
            service.database, service.bus = self.databases[name], SimpleNamespace(call=self.bus.ask, send_heartbeat=lambda *_: None)
            service.settings = Settings(service=name, cursor_key=_SECRET, service_master_secret="a master secret of tests")
        self.contacts = services["contacts"]
        self.reads = BatchedReads(desk.database, individuals.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
        self.contacts.dependencies = SimpleNamespace(
            layer=desk.layer,
            cursors=Cursors(_SECRET, "contacts"),
            reads=self.reads,
            registrations=desk.registrations(),
            keyed=Keyed("a key of tests", "contacts sent in"),
        )
        services["access"].dependencies = Plain(private_key, public_key, lambda: desk.now)
        services["audit"].dependencies = SimpleNamespace(cursors=Cursors(_SECRET, "audit"))
        services["interactions"].dependencies = SimpleNamespace(cursors=Cursors(_SECRET, "interactions"))
        saga = Saga(databases["retention"], self.bus.ask, clock=lambda: desk.now)
        services["retention"].dependencies = SimpleNamespace(saga=saga, cursors=Cursors(_SECRET, "retention"))
        self.app = _application(self.bus)
        self.client = self.app.test_client(use_cookies=False)
        self._let_in()
        self.deliver()

    def _let_in(self) -> None:
        """Give the cast accounts with the ids that every test knows."""
        for by in PEOPLE:
            ids = iter([by.id])
            account = Account(f"user{by.id[-4:]}", f"Somebody {by.id[-2:]}", str(by.component), by.level, _PASSWORD, by.roles)
            with self.databases["access"].work(Caller.operator("tests")) as work:
                seeding.seed_accounts(work, [account], now=self.desk.now, new_id=lambda ids=ids: next(ids, None) or new_id())  # type: ignore[misc]

    def _count_statements(self, service: str, engine: Any) -> None:
        def count(_connection: Any, _cursor: Any, statement: str, _given: Any, _context: Any, many: bool) -> None:
            self.statements.append(f"{service}: {'many ' if many else ''}{' '.join(statement.split())}")

        event.listen(engine, "before_cursor_execute", count)

    def token(self, by: Caller) -> str:
        """Return the token of a user's session of today."""
        day, token = self._tokens.get(by.id, (None, ""))
        if day != self.desk.now:
            given = {"json": {"username": f"user{by.id[-4:]}", "password": _PASSWORD}}
            token = self.client.post("/api/v1/sessions", **given).json["token"]
            said = {"json": {"statements_version": "2.4-1", "accepted": True}, "headers": {"Authorization": f"Bearer {token}"}}
            assert self.client.post("/api/v1/sessions/current/acknowledgement", **said).status_code < 300
            self._tokens[by.id] = (self.desk.now, token)
        return token

    def send(self, ask: Ask) -> tuple[bytes, Any, list[str]]:
        """Send a request; return what is compared (status, headers, body and the user's entries), the answer's JSON, and its cost."""
        token = self.token(ask.by)
        headers = {"Cookie": f"liaison_session={token}", "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": csrf_token(token)}
        if not ask.page:
            headers = {"Authorization": f"Bearer {token}"}
        given = {name: value for name, value in ask.given.items() if name != "headers"}
        self.took()
        response = self.client.open(
            ask.path if ask.page else f"/api/v1{ask.path}", method=ask.method, headers={**headers, **ask.given.get("headers", {})}, **given
        )
        body = response.get_data()
        took = self.took()
        said = f"{response.status}\n{response.headers}".encode() + body + orjson.dumps(self._trail(ask.by))
        self.deliver()
        return said, orjson.loads(body) if response.is_json else None, took

    def part(self) -> None:
        """Close the superuser's connections."""
        for engine in self._superuser.values():
            engine.dispose()

    def stir(self) -> None:
        """Move rows of every table to other places in it, as hidden writes do."""
        for store, engine in self._superuser.items():
            with engine.connect() as connection:
                if store not in self._stirred:
                    self._stirred[store] = list(moves(connection.execute(text(TABLES)).all()))
                for statement in (UNSEEN, *self._stirred[store]):
                    connection.execute(text(statement))

    def took(self) -> list[str]:
        """Return the statements and calls since the last call."""
        took = [*self.bus.called, *self.statements]
        self._asked = {called.partition(".")[0] for called in self.bus.called}
        self._told |= {said.partition(":")[0] for said in self.statements if "INTO outbox" in said}
        self.bus.called.clear()
        self.statements.clear()
        return took

    def _trail(self, by: Caller) -> list[Any]:
        """Return the user's audit entries since the last call."""
        trail = []
        for service in sorted({"contacts", "interactions", "retention"} & self._asked):
            rows = self._rows(service, "SELECT n, body FROM entries WHERE n > :after ORDER BY n", after=self.read_until[service])
            self.read_until[service] = max((row.n for row in rows), default=self.read_until[service])
            # What a service did of itself, such as freeing twins, is in the trail, which the security officer alone reads.
            own = [
                row.body
                for row in rows
                if row.body["actor"] == by.id and row.body["subjects"] and not (service == "contacts" and row.n in self._behind)
            ]
            trail += [[entry[key] for key in ("action", "subjects", "fields", "outcome", "rule")] for entry in own]
        return trail

    def deliver(self) -> None:
        """Deliver announcements, and those that follow, until none is left."""
        while heard := self._announcements():
            for topic, fields in heard:
                for name, service in self.bus.services.items():
                    for listener in _listeners(type(service)).get(topic, ()):
                        announcement = listener.announcement.from_wire(fields)
                        with self.databases[name].work(Caller.service(name), role=listener.role) as work:
                            getattr(service, listener.method_name)(work, [announcement] if listener.batch else announcement)

    def _announcements(self) -> list[tuple[str, Any]]:
        self.took()
        services, self._told = sorted(self._told), set()
        return [told for service in services for told in self._announced(service)]

    def _announced(self, service: str) -> list[tuple[str, Any]]:
        rows = self._rows(
            service, "SELECT id::text, routing_key, body FROM outbox WHERE id::text > :after ORDER BY id", after=self.heard_until[service]
        )
        self.heard_until[service] = max((row.id for row in rows), default=self.heard_until[service])
        return [(row.routing_key, row.body["fields"]) for row in rows if "fields" in row.body]

    def _rows(self, service: str, statement: str, **given: Any) -> list[Any]:
        with self.databases[service].system_transaction() as connection:
            return list(connection.execute(text(statement), given))

    def work(self) -> None:
        """Do the waiting work of imports."""
        while self.contacts.work_on_one_import(SYSTEM) or self.contacts.work_on_one_import(SYSTEM, undoing=True):
            self.deliver()
        self.deliver()

    def wait(self) -> None:
        """Let a minute pass."""
        self.desk.later(minutes=1)

    def match(self) -> None:
        """Run the matcher over everybody who waits: the number of others is load, which delays only."""
        with self.desk.work(SYSTEM, role="matcher") as work:
            while likenesses.match_waiting(work):
                pass

    def hide(self, by: Caller, individual_id: str, value: str) -> None:
        """Give a component a value, in the world that has hidden values."""
        if self.hidden:
            before = self._last_entry()
            self.desk.add(by, individual_id, kind_of(value), value)
            # In the name of somebody who may be asked next, and nothing of what they asked.
            self._behind.update(range(before + 1, self._last_entry() + 1))
        # In both: what nobody has heard of yet, interactions asks contacts about.
        self.deliver()

    def _last_entry(self) -> int:
        return int(self._rows("contacts", "SELECT coalesce(max(n), 0) AS n FROM entries")[0].n)

    def hold(self, individual_id: str) -> None:
        """Have the privacy officer place a hold on a record, in the world that has hidden values (T24)."""
        if self.hidden:
            self.bus.ask("retention", "place_hold", FARID, body={"subject_id": individual_id})


def kind_of(value: str) -> str:
    """Return what a value is."""
    return "email" if "@" in value else "cell"


@contextmanager
def a_world(databases: Databases, count_from: Callable[[int], None], keys: tuple[str, str], *, hidden: bool = True) -> Iterator[World]:
    """Yield one, with nobody in it."""
    with ExitStack() as stack:
        # Names of databases are made of ids, too, and these are to differ.
        count_from(next(_WORLDS) << 24)
        desk = stack.enter_context(contextmanager(open_desk)(databases))
        opened = {name: stack.enter_context(databases.opened(name)) for name in OTHERS}
        count_from(0)
        world = World(desk, opened, keys, hidden=hidden)
        stack.callback(world.reads.close)
        stack.callback(world.part)
        yield world


@contextmanager
def two_worlds(databases: Databases, count_from: Callable[[int], None]) -> Iterator[tuple[World, World]]:
    """Yield both, with nobody in them."""
    keys = a_key()
    with a_world(databases, count_from, keys) as one, a_world(databases, count_from, keys, hidden=False) as other:
        yield one, other


@contextmanager
def counted_ids(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Replace every new id by a count, restarted for each world, so that what one world stores for itself shifts no later id."""
    state = {"count": 0}

    def chance(size: int) -> bytes:
        state["count"] += 1
        # Of the last digit nothing goes into an id.
        return (state["count"] << 4).to_bytes(size)

    def token(_size: int = 32) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(chance(10)).digest()).decode().rstrip("=")

    monkeypatch.setattr("services.chassis.messages.os", SimpleNamespace(urandom=chance))
    monkeypatch.setattr("services.chassis.messages.time", SimpleNamespace(time_ns=lambda: 1_795_446_000_000_000_000))
    monkeypatch.setattr("services.access.domain.sessions.secrets", SimpleNamespace(token_urlsafe=token))
    for module in ("gateway.sealer", "services.chassis.cursors"):
        monkeypatch.setattr(f"{module}.os", SimpleNamespace(urandom=bytes))
    for module in ("layout", "times"):
        monkeypatch.setattr(f"gateway.pages.{module}.datetime", _Standing)
    # What a child reads, it reads under other limits and in the same way.
    for module in ("imports", "threads"):
        monkeypatch.setattr(f"services.contacts.service.{module}.pool", lambda: SimpleNamespace(run=lambda act, *given, **_: act(*given)))
    yield lambda at: state.update(count=at)


class _Standing(datetime):
    """A standing clock, for what pages say of the present minute."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """Return the day on which the worlds begin."""
        return datetime(2026, 11, 23, 15, 0, tzinfo=tz)


def _listeners(kind: type[Any]) -> dict[str, list[AnnouncementHandler]]:
    found: dict[str, list[AnnouncementHandler]] = {}
    for name in dir(kind):
        for entrypoint in getattr(getattr(kind, name), "nameko_entrypoints", ()):
            if isinstance(entrypoint, AnnouncementHandler):
                entrypoint.method_name = name
                found.setdefault(entrypoint.announcement.routing_key(), []).append(entrypoint)
    return found


def _application(bus: OneProcess) -> Flask:
    revocations = Revocations(monotonic=lambda: 0.0)
    revocations.hear(1, [], POLICY_VERSION)
    app = create_app(bus, revocations, Settings(service="gateway", cookie_secure=False, cursor_key=_SECRET, form_key=_SECRET))
    # A passport is kept until it is refused, and not by a clock that differs between the worlds.
    context_of(app).sessions = SessionCache(bus, revocations, clock=lambda: 0.0)
    return app


def _sent(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=wire_value))


__all__ = ["AMINA", "BRUNO", "CHLOE", "EDDA", "FARID", "FEMA", "GRACE", "SYSTEM", "Ask", "World", "a_world", "counted_ids", "kind_of", "two_worlds"]
