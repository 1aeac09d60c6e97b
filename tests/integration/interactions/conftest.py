"""An interactions database in which contacts and access have announced the cast and a few stakeholders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_type_hints

import pytest
from sqlalchemy import text

from services.access.contract import UserChanged
from services.chassis.cursors import Cursors
from services.chassis.database import Database, UnitOfWork
from services.chassis.messages import Caller, entity_tag, new_id
from services.contacts.contract.announcements import IndividualFrozen, IndividualRegistered, OrganizationRegistered
from services.interactions.contract.commands import FollowUpGiven
from services.interactions.usecases import announcement_handlers, coordination, events, interactions, issues, reading, tasks
from tests.cast import AMINA, EVERYBODY

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CURSORS = Cursors("a key of tests", "interactions")


def a_promise(**given: Any) -> dict[str, Any]:
    """Return a follow-up as the schema loads it."""
    return {"text": "Send the guidance", "due_on": None, "mode": None, "assignee": None, "done_at": None, **given}


def _given(promise: dict[str, Any]) -> FollowUpGiven:
    """Return a follow-up that is given, or given back as it was read, as the schema loads it."""
    due_on = promise.get("due_on")
    return FollowUpGiven(
        promise.get("id"),
        promise.get("text"),
        date.fromisoformat(due_on) if isinstance(due_on, str) else due_on,
        promise.get("mode"),
        promise.get("assignee"),
        datetime.fromisoformat(done_at) if isinstance(done_at := promise.get("done_at"), str) else done_at,
    )


@dataclass
class Office:
    """The use cases, each in a unit of work of its own."""

    database: Database
    now: datetime = NOW
    heard: Caller = field(default_factory=lambda: Caller.service("interactions"))
    named: int = 0

    @contextmanager
    def work(self, by: Caller, role: str | None = None) -> Iterator[UnitOfWork]:
        """Open a unit of work for a caller."""
        with self.database.work(by, role=role) as work:
            yield work

    def do(self, by: Caller, use_case: Callable[..., Any], **given: Any) -> Any:
        """Run a use case as a caller, at the office's time where it asks for it; its command or query is made of the fields that are given."""
        told = {"now": self.now, "cursors": CURSORS}
        asked = get_type_hints(use_case)
        for name in {name for name in ("command", "query") if is_dataclass(asked.get(name))}:
            given |= given.pop(name, {})
            if "follow_ups" in given:
                given["follow_ups"] = [_given(promise) for promise in given["follow_ups"]]
            own = {field.name for field in fields(asked[name])} - asked.keys()
            given[name] = asked[name](**{field: given.pop(field) for field in own & given.keys()})
        with self.work(by) as work:
            return use_case(work, **{name: value for name, value in told.items() if name in asked}, **given)

    def hear(self, listener: Callable[..., Any], announcement: Any) -> None:
        """Handle an announcement."""
        names = listener.__code__.co_varnames[: listener.__code__.co_argcount + listener.__code__.co_kwonlyargcount]
        with self.work(self.heard) as work:
            listener(work, announcement, **({"now": self.now} if "now" in names else {}))

    def individual(self, owner: Caller = AMINA, *, state: str | None = "TX", organization_id: str | None = None) -> str:
        """Handle contacts' announcement of an individual."""
        individual_id = new_id()
        self.hear(
            announcement_handlers.individuals_registered,
            [IndividualRegistered(individual_id, organization_id, owner.id, str(owner.component), state)],
        )
        return individual_id

    def organization(self, *, state: str | None = "TX") -> str:
        """Handle contacts' announcement of an organization."""
        organization_id = new_id()
        self.hear(announcement_handlers.organization_registered, OrganizationRegistered(organization_id, state, "private_sector"))
        return organization_id

    def freeze(self, individual_id: str, recorded_by: Caller) -> str:
        """Handle contacts' announcement that an individual is frozen; return the request."""
        request_id = new_id()
        self.hear(
            announcement_handlers.individual_frozen,
            IndividualFrozen(individual_id, request_id, "phone", "2026-11-23", recorded_by.id, recorded_by.component),
        )
        return request_id

    def issue(self, by: Caller = AMINA, **given: Any) -> str:
        """Register an issue with a unique name."""
        self.named += 1
        name = f"Worksite enforcement {self.named}"
        return str(self.do(by, issues.register_issue, **{"name": name, "priority": "immigration", **given})["id"])

    def talk(self, by: Caller = AMINA, *, ago: timedelta = timedelta(hours=1), **given: Any) -> dict[str, Any]:
        """Log a call."""
        found: dict[str, Any] = self.do(by, interactions.log_interaction, **{"held_at": self.now - ago, "mode": "phone", **given})
        return found

    def correct(self, by: Caller, talk: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Change an interaction as it was read."""
        found: dict[str, Any] = self.do(by, interactions.change_interaction, interaction_id=talk["id"], if_match=entity_tag(talk), **changes)
        return found

    def read(self, by: Caller, interaction_id: str) -> dict[str, Any]:
        """Read an interaction."""
        found: dict[str, Any] = self.do(by, interactions.read_interaction, interaction_id=interaction_id)
        return found

    def talks(self, by: Caller, **query: Any) -> dict[str, Any]:
        """List interactions."""
        found: dict[str, Any] = self.do(by, interactions.list_interactions, query={"limit": 50, **query})
        return found

    def event(self, by: Caller = AMINA, *, ago: timedelta = timedelta(days=1), **given: Any) -> str:
        """Enter an event."""
        return str(self.do(by, events.register_event, **{"name": "Roundtable", "starts_at": self.now - ago, **given})["id"])

    def attend(self, by: Caller, event_id: str, *individual_ids: str, organization_ids: tuple[str, ...] = ()) -> dict[str, Any]:
        """Record attendance."""
        found: dict[str, Any] = self.do(
            by, events.add_attendees, event_id=event_id, individual_ids=list(individual_ids), organization_ids=list(organization_ids)
        )
        return found

    def ask(self, by: Caller, individual_id: str, **given: Any) -> dict[str, Any]:
        """Send a coordination request."""
        found: dict[str, Any] = self.do(
            by, coordination.request_coordination, **{"individual_id": individual_id, "message": "Please pass on the guidance.", **given}
        )
        return found

    def answer(self, by: Caller, request: dict[str, Any], status: str, **given: Any) -> dict[str, Any]:
        """Move a coordination request, as its mover reads it now or `as_read`."""
        as_read = given.pop("as_read", None) or self.do(by, coordination.read_coordination_request, request_id=request["id"])
        found: dict[str, Any] = self.do(
            by,
            coordination.move_coordination_request,
            request_id=request["id"],
            if_match=entity_tag(as_read),
            status=status,
            **given,
        )
        return found

    def tasks(self, by: Caller) -> list[tuple[str, str]]:
        """Return kinds and subjects of a user's tasks."""
        return [(task["kind"], task["subject"]["id"]) for task in self.do(by, tasks.list_tasks, query={"limit": 200, "after": None})["items"]]

    def state(self, by: Caller, code: str, **query: Any) -> dict[str, Any]:
        """Return one state's row of the report `spoken-to`."""
        report = self.do(by, reading.report_spoken_to, query=query)
        (row,) = [state for region in report["regions"] for state in region["states"] if state["state"] == code]
        return dict(row)

    def announced(self, name: str) -> list[dict[str, Any]]:
        """Return the fields of what was announced under a name, in order."""
        with self.database.system_transaction() as connection:
            rows = connection.execute(text("SELECT body FROM outbox ORDER BY id")).scalars().all()
        return [row["fields"] for row in rows if row["name"] == name]

    def entries(self) -> list[dict[str, Any]]:
        """Return the audit entries, in order."""
        with self.database.system_transaction() as connection:
            return list(connection.execute(text("SELECT body FROM entries WHERE n > 0 ORDER BY n")).scalars())


@pytest.fixture
def office(fresh_database: Callable[[str], Database]) -> Office:
    """Interactions, with the cast known to it."""
    office = Office(fresh_database("interactions"))
    for somebody in EVERYBODY:
        office.hear(
            announcement_handlers.user_changed,
            UserChanged(somebody.id, somebody.component, somebody.level, tuple(somebody.roles), active=True),
        )
    return office
