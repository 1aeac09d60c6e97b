"""Contacts with its database and key store, which knows the cast."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.cursors import Cursors
from services.chassis.database import CommandCall, Database, UnitOfWork
from services.chassis.database.stream import Stream
from services.chassis.messages import Caller, entity_tag, new_id
from services.contacts.contract.schemas.individuals import IndividualChangeSchema, IndividualCreateSchema
from services.contacts.contract.schemas.organizations import OrganizationCreateSchema
from services.contacts.contract.schemas.search import StakeholderQuerySchema
from services.contacts.service.erasure import ErasureMethods
from services.contacts.service.registrations import Registrations
from services.contacts.storage import projections
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring, Vault
from services.contacts.usecases import (
    announcement_handlers,
    contact_points,
    freezing,
    individuals,
    notes,
    organizations,
    search,
    tasks,
)
from services.contacts.usecases.registration import register_together
from services.lexicon.tasks import position
from tests.cast import AMINA, DOV, EVERYBODY
from tests.support import Databases
from tests.support.databases import Addresses
from tests.support.keys import key_of

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
RETENTION = Caller.service("retention")


def creating(database: Database, caller: Caller) -> CommandCall:
    """Return a caller's call that creates an individual."""
    return CommandCall(database, caller, action="contacts:individual:create", status=201, created="id")


def called(method: Any, database: Database) -> Any:
    """Return a service's method without a bus, so that a caller may call it even if it is a command."""
    commands = [each for each in getattr(method, "nameko_entrypoints", ()) if getattr(each, "command", False)]
    if not commands:
        return method
    (entrypoint,) = commands
    described = {"action": entrypoint.action, "status": entrypoint.status, "created": entrypoint.created}
    return lambda caller, **given: method(CommandCall(database, caller, **described, subject_id=given.get(entrypoint.subject)), **given)


class Called:
    """Lets a caller call the commands of a service class."""

    database: Database

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return called(found, self.database) if hasattr(found, "nameko_entrypoints") else found


@dataclass
class Desk:
    """The use cases of contacts, each in its own unit of work."""

    database: Database
    addresses: Addresses
    keys: Addresses
    layer: ContactLayer
    cursors: Cursors
    now: datetime = NOW

    @contextmanager
    def work(self, by: Caller, role: str | None = None) -> Iterator[UnitOfWork]:
        """Open a unit of work for a caller."""
        with self.database.work(by, role=role) as work:
            yield work

    def do(self, by: Caller, use_case: Callable[..., Any], *, role: str | None = None, **given: Any) -> Any:
        """Run a use case as a caller."""
        names = use_case.__code__.co_varnames[: use_case.__code__.co_argcount + use_case.__code__.co_kwonlyargcount]
        told = {"by": by, "now": self.now, "layer": self.layer, "cursors": self.cursors}
        with self.work(by, role) as work:
            return use_case(work, **{name: value for name, value in told.items() if name in names}, **given)

    def registrations(self) -> Registrations:
        """Return what registers together those who come at the same moment."""
        return Registrations(self.database, lambda work, entries: register_together(work, self.layer, entries, now=self.database.clock()))

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)

    # The doors, as their schemas let things in

    def register(self, by: Caller = AMINA, **body: Any) -> dict[str, Any]:
        """Register somebody; Dov unless another name is given."""
        given = body if "last_name" in body else DOV.body(**body)
        command = IndividualCreateSchema().load(given)
        found: dict[str, Any] = self.do(by, individuals.register_individual, **command)
        return found

    def dov(self, by: Caller = AMINA, *, reached: bool = True, **body: Any) -> str:
        """Register Dov with the cell and the e-mail that he gave; return his id."""
        points = [{"kind": "cell", "value": DOV.cell}, {"kind": "email", "value": DOV.email}] if reached else []
        return str(self.register(by, **{"organization": DOV.organization, "contact_points": points, **body})["id"])

    def read(self, by: Caller, individual_id: str) -> dict[str, Any]:
        """Read an individual."""
        found: dict[str, Any] = self.do(by, individuals.read_individual, individual_id=individual_id)
        return found

    def change(self, by: Caller, individual_id: str, **body: Any) -> dict[str, Any]:
        """Change an individual in its present version."""
        command = IndividualChangeSchema().load(body)
        tag = entity_tag(self.read(by, individual_id))
        found: dict[str, Any] = self.do(by, individuals.change_individual, individual_id=individual_id, if_match=tag, **command)
        return found

    def organization(self, by: Caller = AMINA, **body: Any) -> dict[str, Any]:
        """Register an organization."""
        command = OrganizationCreateSchema().load({"name": DOV.organization, **body})
        found: dict[str, Any] = self.do(by, organizations.register_organization, **command)
        return found

    def rename(self, organization: Mapping[str, Any], name: str, by: Caller = AMINA) -> None:
        """Rename an organization."""
        tag = entity_tag(organization)
        self.do(by, organizations.change_organization, organization_id=organization["id"], if_match=tag, name=name)

    def reveal(self, by: Caller, individual_id: str, **given: Any) -> dict[str, Any]:
        """Reveal somebody's contact points."""
        found: dict[str, Any] = self.do(by, contact_points.reveal, individual_id=individual_id, **given)
        return found

    def values(self, by: Caller, individual_id: str) -> list[str]:
        """Return the values that a reveal shows."""
        return [item["value"] for item in self.reveal(by, individual_id)["items"]]

    def add(self, by: Caller, individual_id: str, kind: str, value: str) -> dict[str, Any]:
        """Add a contact point."""
        found: dict[str, Any] = self.do(by, contact_points.add_contact_point, individual_id=individual_id, kind=kind, value=value)
        return found

    def correct(self, by: Caller, individual_id: str, kind: str, value: str) -> dict[str, Any]:
        """Report a correction."""
        found: dict[str, Any] = self.do(by, contact_points.correct_contact_point, individual_id=individual_id, kind=kind, value=value)
        return found

    def note(self, by: Caller, individual_id: str, words: str, **given: Any) -> dict[str, Any]:
        """Write a note."""
        found: dict[str, Any] = self.do(by, notes.add_note, individual_id=individual_id, text=words, **given)
        return found

    def notes(self, by: Caller, individual_id: str) -> list[str]:
        """Return the texts of the notes that a user sees."""
        return [note["text"] for note in self.do(by, notes.list_notes, individual_id=individual_id, limit=50)["items"]]

    def search(self, by: Caller = AMINA, **query: Any) -> dict[str, Any]:
        """Search."""
        asked = StakeholderQuerySchema().load({name: str(value) for name, value in query.items()})
        found: dict[str, Any] = self.do(by, search.search_stakeholders, query=asked)
        return found

    def found(self, by: Caller = AMINA, **query: Any) -> list[str]:
        """Return the names that a search finds."""
        return [item["name"] for item in self.search(by, **query)["items"]]

    def freeze(self, by: Caller, individual_id: str, **given: Any) -> str:
        """Record a no-contact request; return its id."""
        request_id = new_id()
        self.do(
            by,
            freezing.freeze,
            role="caseworker",
            request_id=request_id,
            individual_id=individual_id,
            medium="phone",
            received_on=self.now.date(),
            **given,
        )
        return request_id

    def tasks(self, by: Caller) -> list[tuple[str, str]]:
        """Return kinds and subjects of a user's tasks."""
        return [(task["kind"], task["subject"]["id"]) for task in self.waiting(by)]

    def waiting(self, by: Caller, *, role: str | None = None, limit: int = 200) -> list[dict[str, Any]]:
        """Return all of a user's tasks, page by page."""
        found: list[dict[str, Any]] = []
        after, more = None, True
        while more:
            page = self.do(by, tasks.list_tasks, role=role, after=after, limit=limit)
            more = page["more"]
            assert len(page["items"]) == limit or not more
            found += page["items"]
            after = position(found[-1]) if found else None
        assert page["total"] == len(found)
        return found

    def talked(self, by: Caller, *individual_ids: str, issues: tuple[str, ...] = (), ago: timedelta = timedelta(hours=1), **told: Any) -> str:
        """Handle interactions' announcement that somebody spoke with somebody; return the interaction."""
        interaction_id = str(told.pop("source_id", None) or new_id())
        self.do(
            Caller.service("contacts"),
            announcement_handlers.note_engagement,
            **{
                "source_id": interaction_id,
                "individual_ids": list(individual_ids),
                "organization_ids": [],
                "issue_ids": list(issues),
                "component": str(by.component),
                "user_id": by.id,
                "held_at": (self.now - ago).isoformat().replace("+00:00", "Z"),
                "mode": "phone",
                **told,
            },
        )
        return interaction_id

    def issue(self, *, parent: str | None = None, priority: str = "immigration") -> str:
        """Handle interactions' announcement of an issue."""
        issue_id = new_id()
        with self.work(Caller.service("contacts")) as work:
            projections.upsert_issue_projection(work, issue_id=issue_id, priority=priority, parent_id=parent, active=True)
        return issue_id

    def know(self, somebody: Caller, *, active: bool = True) -> None:
        """Handle access's announcement of an employee."""
        with self.work(Caller.service("contacts")) as work:
            projections.upsert_user_projection(
                work,
                {
                    "id": somebody.id,
                    "component": somebody.component,
                    "level": somebody.level,
                    "roles": sorted(somebody.roles),
                    "active": active,
                },
            )

    def erase(self, individual_id: str, *, cause: str = "no_contact") -> dict[str, Any]:
        """Erase as the service does, key included, and search; return the erase's receipts and the search's answer."""
        erasure_id = new_id()
        case = {"erasure_id": erasure_id, "individual_id": individual_id}
        erased = self.answer("erase", **case, cause=cause)
        key = self.answer("unseal_key", erasure_id=erasure_id)["key"]
        unsealing = {"sealed": erased["sealed"], "key": key}
        sought = self.answer("seek", **case, **unsealing)
        return {**case, **unsealing, **erased, "sought": sought}

    def seek(self, erased: dict[str, Any], **decided: Any) -> dict[str, Any]:
        """Search again for an erased person, with the decisions since."""
        found: dict[str, Any] = self.answer("seek", **{name: erased[name] for name in ("erasure_id", "individual_id", "sealed", "key")}, **decided)
        return found

    def answer(self, method: str, **given: Any) -> Any:
        """Answer a call of retention's saga by the service's own method."""
        service: Any = ErasureMethods()
        service.database, service.dependencies = self.database, SimpleNamespace(layer=self.layer)
        former, self.database.clock = self.database.clock, lambda: self.now
        try:
            return getattr(service, method)(RETENTION, **given)
        finally:
            self.database.clock = former

    # What is behind

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        """Query the database with the runtime role, without a component."""
        with self.database.system_transaction() as connection:
            return list(connection.execute(text(statement), parameters))

    def announced(self, name: str) -> list[dict[str, Any]]:
        """Return the fields of the announcements of a name, in order."""
        return [row.body["fields"] for row in self.rows("SELECT body FROM outbox ORDER BY id") if row.body["name"] == name]

    def entries(self) -> list[dict[str, Any]]:
        """Return the audit entries, in order."""
        return [row.body for row in self.rows("SELECT body FROM entries WHERE n > 0 ORDER BY n")]


def open_desk(databases: Databases) -> Iterator[Desk]:
    """Yield contacts with its own databases."""
    addresses, keys = databases.make("contacts"), databases.make("keys")
    database = Database(addresses.runtime, service="contacts", stream=Stream(key_of("contacts")), pool_size=5)
    vault = Vault(keys.runtime, Keyring([os.urandom(32)]))
    secret = base64.b64encode(os.urandom(32)).decode()
    desk = Desk(database, addresses, keys, ContactLayer(vault, Digests(Keyring.read(secret))), Cursors("a key of tests", "contacts"))
    for somebody in EVERYBODY:
        desk.know(somebody)
    try:
        yield desk
    finally:
        database.close()
        vault.close()
        databases.drop(addresses)
        databases.drop(keys)


@pytest.fixture
def desk(databases: Databases) -> Iterator[Desk]:
    """Contacts, with this test's own databases."""
    yield from open_desk(databases)


def an_id() -> str:
    """Return an id of nothing."""
    return str(uuid.uuid4())
