"""A browser without scripts over the application, and a quiet system behind it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.access.contract import SessionRequired
from tests.unit.gateway.fakes import AMINA, FakeBus, Said, opened, session

ID = "0197f2a0-0000-7000-8000-0000000000b0"
OWNER = {"user": AMINA, "component": "ICE"}
PERSON: dict[str, Any] = {
    "id": ID,
    "first_name": "Dov",
    "last_name": "Dorn <b>",
    "owner": OWNER,
    "deputy": None,
    "relationships": [{"component": "ICE", "since": "2026-01-01", "last_contact_at": None}],
    "issues": [],
    "frozen": False,
    "last_contact": None,
    "last_contacted_at": None,
    "state": "TX",
    "fema_region": 6,
}
NOTHING: dict[str, Any] = {"items": [], "next": None, "more": False, "total": 0}


def quiet() -> FakeBus:
    """Return a bus that answers what the pages ask for, in a quiet system."""
    return FakeBus(
        {
            ("access", "open_session"): opened(),
            ("access", "list_users"): {
                "items": [{"id": AMINA, "name": "Amina Adler", "active": True, "level": "contributor", "component": "ICE", "roles": []}]
            },
            ("interactions", "list_issues"): {"items": [{"id": ID, "name": "Worksite enforcement", "priority": "immigration", "active": True}]},
            ("interactions", "list_history"): NOTHING,
            ("interactions", "list_events"): NOTHING,
            ("interactions", "read_event"): {"id": ID, "name": "Roundtable", "starts_at": "2026-01-01T00:00:00Z", "issue_ids": [ID]},
            ("interactions", "list_attendees"): NOTHING,
            ("contacts", "search_stakeholders"): {**NOTHING, "facets": {}},
            ("interactions", "list_tasks"): NOTHING,
            ("contacts", "list_tasks"): NOTHING,
            ("contacts", "name_stakeholders"): {"items": [{"id": ID, "type": "individual", "name": "Dov Dorn <b>"}]},
            ("retention", "list_tasks"): NOTHING,
            ("contacts", "read_individual"): PERSON,
            ("contacts", "list_notes"): NOTHING,
            ("contacts", "record_history"): NOTHING,
            ("access", "read_profile"): {"user": session()["user"], "time_zone": None},
        }
    )


class Browser:
    """A browser without scripts: one page at a time, its cookies, its forms."""

    #: The frame's own fields, which every form of a page bears.
    FRAME = ("csrf_token", "idempotency_key", "author")

    def __init__(self, app: Any) -> None:
        self.client = app.test_client()
        self.page: Any = None

    def get(self, path: str) -> Any:
        """Open a page."""
        self.page = self.client.get(path)
        return self.page

    def send(self, path: str, fields: dict[str, Any], *, ours: bool = True, hidden: bool = True) -> Any:
        """Send a form of the page that is open, with its hidden fields."""
        given = {name: value for name in self.FRAME if (value := self.find(name)) is not None} if hidden else {}
        headers = {"Origin": "http://localhost"} if ours else {"Origin": "http://elsewhere.example"}
        self.page = self.client.post(path, data={**given, **fields}, headers=headers)
        return self.page

    def hidden(self, name: str) -> str:
        """Return a hidden field of the page that is open."""
        found = self.find(name)
        assert found is not None, self.page.text[:500]
        return found

    def find(self, name: str) -> str | None:
        """Return a hidden field of the page that is open, if there is one."""
        found = re.search(rf'type="hidden" name="{name}" value="([^"]*)"', self.page.text)
        return html.unescape(found[1]) if found else None


@dataclass
class Doorkeeper(FakeBus):
    """A bus on which access signs people in and out; other calls get the quiet system's answers."""

    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Token → (user name, acknowledged); token → why it ended.
    alive: dict[str, tuple[str, bool]] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    minted: int = 0

    def call(self, service: str, method: str, kwargs: Mapping[str, Any], *, passport: str | None = None, **said: Any) -> Any:
        """Answer for access as it does."""
        if service != "access" or method not in {"sign_in", "open_session", "acknowledge", "sign_out"}:
            return super().call(service, method, kwargs, passport=passport, **said)
        self.said.append(Said(service, method, dict(kwargs), passport, said.get("trace_id"), said.get("operation")))
        if method == "sign_in":
            token = self._mint(kwargs["username"], acknowledged=False)
            return {"token": token, **self._session(token)}
        token = kwargs["token"] if method == "open_session" else str(passport).partition(" ")[2]
        if token not in self.alive:
            raise SessionRequired(extra={"reason": self.ended[token]} if token in self.ended else None)
        if method == "acknowledge":
            username, _ = self.alive.pop(token)
            return {"token": self._mint(username, acknowledged=True)}
        if method == "sign_out":
            return self.end(token, "signed-out")
        return {"session": self._session(token), "passports": {"access": f"of {token}", "contacts": f"of {token}", "interactions": f"of {token}"}}

    def end(self, token: str, reason: str) -> None:
        """End a session, as idleness or a newer sign-in does."""
        self.alive.pop(token, None)
        self.ended[token] = reason

    def _mint(self, username: str, *, acknowledged: bool) -> str:
        self.minted += 1
        token = f"token-{self.minted}"
        self.alive[token] = (username, acknowledged)
        return token

    def _session(self, token: str) -> dict[str, Any]:
        username, acknowledged = self.alive[token]
        user = {"id": f"0197f2a0-0000-7000-8000-{username:0>12}", "username": username, "roles": [], "level": "contributor"}
        user |= {"name": username.capitalize(), "component": "ICE", **self.people.get(username, {})}
        now = datetime.now(UTC)
        return {
            **session(acknowledged=acknowledged),
            "session_id": f"session of {token}",
            "user": user,
            "component": user["component"],
            "time_zone": user.get("time_zone"),
            "expires_at": (now + timedelta(hours=12)).isoformat(),
            "idle_expires_at": (now + timedelta(minutes=15)).isoformat(),
        }


def doorkeeper() -> Doorkeeper:
    """Return a quiet system in which Amina and Bruno of ICE and Chloé of PSO may sign in."""
    return Doorkeeper(answers=quiet().answers, people={"chloe": {"component": "PSO"}})


def come_in(browser: Browser, username: str, *, at: str | None = "/sign-in", **carried: str) -> Any:
    """Sign in and acknowledge on the page that is open (or opened first); returns the answer to the acknowledgement."""
    if at:
        browser.get(at)
    browser.send("/sign-in", {"username": username, "password": "x", **_carried(browser, carried)})
    ticks = {f"statement_{n}": "yes" for n in (1, 2, 3)}
    return browser.send("/acknowledgement", {"statements_version": "2.4-1", **ticks, **_carried(browser, carried)})


def _carried(browser: Browser, given: dict[str, str]) -> dict[str, str]:
    found = {name: browser.find(name) for name in ("onward", "kept")}
    return {**{name: value for name, value in found.items() if value is not None}, **given}
