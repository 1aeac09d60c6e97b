"""A retention database, and the other services as the saga meets them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.messages import Caller, Refusal, new_id
from services.retention.contract import DecisionsSchema
from services.retention.service.saga import Saga
from services.retention.storage import requests as stored
from services.retention.storage.erased_ids import ErasedIds
from services.retention.usecases import erasing, requests, saga_steps
from tests.cast import AMINA, FARID, GRACE
from tests.support import a_caller

#: Chloé's colleague, who heard on the phone that somebody wants no more contact.
DENIS = a_caller("PSO", "contributor", id="01900000-0000-7000-8000-000000000010")

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone at this very moment."""


class Others:
    """Contacts and interactions as they promise to be: every call may be repeated, and answers the same."""

    def __init__(self) -> None:
        """Know one person, whom another's note and an interaction mention."""
        self.person = new_id()
        self.rows = {"contacts.individuals": 1, "contacts.contact_points": 2}
        self.talks = 3
        #: How often the person's telephone stands in texts about others: by service.
        self.quoted = {"contacts": 1, "interactions": 2}
        #: What was answered to each step, by service and step.
        self.answered: dict[tuple[str, str], dict[str, Any]] = {}
        self.key: str | None = None
        self.sealed: str | None = None
        self.erased_for: list[str] = []
        #: Texts in which the person's name was found, by service; and those of them that are not sure.
        self.named: dict[str, set[str]] = {"contacts": set(), "interactions": set()}
        self.unsure: set[str] = set()
        self.redacted: set[str] = set()
        self.living_namesake = False
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None

    def call(self, service: str, method: str, caller: Caller, **given: Any) -> Any:
        """Answer a call of the saga."""
        assert (caller.kind, caller.id) == ("service", "retention")
        name = f"{service}.{method}"
        self.asked.append(name)
        self.before(name)
        if method in {"seek", "show_mentions"}:
            answer = getattr(self, f"_{method}")(service, **given)
        else:
            answer = getattr(self, f"_{service}_{method}")(**given)
        self.after(name)
        return answer

    def _contacts_erase(self, *, erasure_id: str, individual_id: str, cause: str) -> dict[str, Any]:
        if individual_id != self.person:
            return {"sealed": None, "receipts": []}
        if self.rows:
            self.erased_for.append(cause)
            self.key, self.sealed = "a one-time key", f"sealed for {erasure_id}"
        self.rows = {}
        receipts = [_receipt("contacts.individuals", 1, "deleted"), _receipt("contacts.contact_points", 2, "deleted")]
        return {"sealed": self.sealed, "receipts": receipts}

    def _contacts_unseal_key(self, *, erasure_id: str) -> dict[str, Any]:
        return {"key": self.key}

    def _contacts_namesake(self, *, erasure_id: str, sealed: str, key: str) -> dict[str, Any]:
        assert (sealed, key) == (f"sealed for {erasure_id}", "a one-time key")
        return {"living": self.living_namesake}

    def _contacts_close_erasure(self, *, erasure_id: str, individual_id: str) -> dict[str, Any]:
        self.key = self.sealed = None
        return {"receipts": [_receipt("keys.seal_keys", 1, "key destroyed")]}

    def _interactions_erase(self, *, erasure_id: str, individual_id: str, cause: str) -> dict[str, Any]:
        assert not self.rows or individual_id != self.person, "contacts erases first"
        return self._once("interactions", "erase", self._erase_talks)

    def _erase_talks(self) -> dict[str, Any]:
        gone, self.talks = self.talks, 0
        return {"receipts": [_receipt("interactions.interactions", gone, "deleted")]}

    def _seek(self, service: str, *, erasure_id: str, individual_id: str, sealed: str, key: str, look: str, **decided: Any) -> dict[str, Any]:
        assert self.talks == 0, "everything that bears the id is gone before anything is searched"
        assert (sealed, key) == (f"sealed for {erasure_id}", "a one-time key")
        return self._once(service, look, lambda: self._search(service, **decided))

    def _search(self, service: str, *, redact_in: list[list[str]], redact_sure_in: list[list[str]], leave_in: list[list[str]]) -> dict[str, Any]:
        store = f"{service}.texts"
        named = self.named[service]
        taken = {record for where, record, _ in redact_in if where == store} & named
        taken |= {record for where, record, _ in redact_sure_in if where == store and record not in self.unsure} & named
        self.redacted |= taken
        named -= taken
        settled = {record for _, record, _ in [*redact_in, *redact_sure_in, *leave_in]}
        left = sorted(named - settled)
        hits = [{"store": store, "id": record, "field": "text", "kinds": ["name"], "sure": record not in self.unsure} for record in left]
        gone, self.quoted[service] = self.quoted[service] + len(taken), 0
        receipt = {**_receipt(store, gone, "redacted"), "found": gone + len(hits), "left": len(hits)}
        return {"receipts": [receipt], "hits": hits, "carried_out": [*redact_in, *redact_sure_in, *leave_in]}

    def _show_mentions(self, service: str, *, erasure_id: str, sealed: str, key: str, places: list[list[str]]) -> dict[str, Any]:
        assert (sealed, key) == (f"sealed for {erasure_id}", "a one-time key")
        excerpt = {"before": "Ask ", "found": "Ottoline Vantongeren", "after": ".", "kind": "name"}
        items = [
            {"store": store, "id": record, "field": field, "excerpts": [excerpt]} for store, record, field in places if record in self.named[service]
        ]
        return {"items": items}

    def _once(self, service: str, step: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if (service, step) not in self.answered:
            self.answered[service, step] = act()
        return self.answered[service, step]

    def _contacts_erase_organization(self, *, erasure_id: str, organization_id: str, cause: str) -> dict[str, Any]:
        return {"receipts": [_receipt("contacts.organizations", 1, "deleted")]}


def _receipt(store: str, count: int, method: str) -> dict[str, Any]:
    return {"store": store, "found": count, "removed": count, "left": 0, "method": method}


class Case:
    """Retention on its database, with a clock that the test sets."""

    def __init__(self, database: Database, folder: Path) -> None:
        """Register Amina's person and the users."""
        self.database = database
        self.others = Others()
        self.now = START
        self.erased = ErasedIds(str(folder / "outside" / "erased-ids"), "a secret of tests")
        with database.work(Caller.service("retention")) as work:
            for who in (AMINA, DENIS, GRACE):
                stored.upsert_user_projection(
                    work, who.id, component=who.component, level=who.level, roles=sorted(who.roles), active=True, revision=1
                )
            stored.upsert_individual_projection(work, self.others.person, owner_id=AMINA.id, component="ICE")

    def saga(self) -> Saga:
        """Return the saga of a new process."""
        return Saga(self.database, self.others.call, clock=lambda: self.now, note_erased=functools.partial(saga_steps.note_erased, self.erased))

    def later(self, **spans: float) -> None:
        """Let time pass."""
        self.now += timedelta(**spans)

    def does(self, act: Callable[..., Any], *, by: Caller = AMINA, **given: Any) -> Any:
        """Do one thing in a unit of work of its own."""
        with self.database.work(by) as work:
            takes = inspect.signature(act).parameters
            return act(work, **{name: value for name, value in (("by", by), ("now", self.now)) if name in takes}, **given)

    def ask(self, *, by: Caller = AMINA, cause: str = "no_contact", subject: str | None = None, kind: str = "individual", **given: Any) -> str:
        """Ask for the erasure of the person; return its id."""
        accepted = self.does(
            erasing.request_erasure,
            by=by,
            subject_type=kind,
            subject_id=subject or self.others.person,
            cause=cause,
            reason=given.get("reason"),
            owner=(AMINA.id, "ICE"),
        )
        return str(accepted["erasure_id"])

    def open(self, *, recorded_by: Caller = DENIS, individual_id: str | None = None) -> str:
        """Open a request for no more contact; return its id."""
        with self.database.work(recorded_by) as work:
            row = requests.open_request(
                work,
                now=self.now,
                request_id=new_id(),
                individual_id=individual_id or self.others.person,
                medium="phone",
                received_on=self.now.date(),
                recorded_by=recorded_by.id,
                recorded_by_component=recorded_by.component,
            )
        return row.id

    def decide(self, erasure_id: str, *, by: Caller = FARID, **given: Any) -> dict[str, Any]:
        """Decide hits, as the privacy officer."""
        answer: dict[str, Any] = self.does(erasing.decide, by=by, erasure_id=erasure_id, given=DecisionsSchema().load(given))
        return answer

    def hits(self, erasure_id: str) -> dict[str, dict[str, Any]]:
        """Return text → hit, as the privacy officer reads them."""
        return {hit["record_id"]: hit for hit in self.read(erasure_id, by=FARID)["hits"]}

    def read(self, erasure_id: str, *, by: Caller = AMINA) -> dict[str, Any]:
        """Read how far an erasure is."""
        with self.database.work(by) as work:
            return erasing.read_erasure(work, by=by, now=self.now, erasure_id=erasure_id)

    def refused(self, does: Callable[..., Any], /, **given: Any) -> str:
        """Return the code of the refusal that this meets."""
        with pytest.raises(Refusal) as refusal:
            does(**given)
        return refusal.value.code

    def entries(self, action: str | None = None) -> list[dict[str, Any]]:
        """Return what was recorded for the trail."""
        with self.database.system_transaction() as connection:
            rows = connection.execute(text("SELECT body FROM entries WHERE n > 0 ORDER BY created_at, n")).scalars()
            return [body for body in rows if action in {None, body["action"]}]

    def announced(self) -> list[dict[str, Any]]:
        """Return the fields of every announcement."""
        with self.database.system_transaction() as connection:
            return [body["fields"] for body in connection.execute(text("SELECT body FROM outbox ORDER BY id")).scalars()]

    def rows(self, statement: str, **given: Any) -> list[Any]:
        """Look into the database."""
        with self.database.system_transaction() as connection:
            return list(connection.execute(text(statement), given))


@pytest.fixture
def case(fresh_database: Callable[[str], Database], tmp_path: Path) -> Case:
    """Retention on a database of its own."""
    return Case(fresh_database("retention"), tmp_path)
