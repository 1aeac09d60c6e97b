"""Invented stakeholders beside public offices, entered as their colleagues would enter them: over HTTP, signed in.

So they are audited, owned and firewalled like any others, and nothing here knows how they are stored.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

WORLD = Path(__file__).with_name("world.json")


class NotSeeded(OSError):
    """The demonstration data was refused; what the gateway said is the message."""


class Colleague:
    """One of the invented employees, signed in."""

    def __init__(self, address: str, account: dict[str, Any]) -> None:
        """Sign in and acknowledge the three statements."""
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self._token = ""
        signed_in = self.post("/sessions", {"username": account["username"], "password": account["password"]})
        self._token = signed_in["token"]
        accepted = {"statements_version": signed_in["statements_version"], "accepted": True}
        self.post("/sessions/current/acknowledgement", accepted)

    def post(self, path: str, body: Any, *, key: str = "") -> Any:
        """Create something; with a key, once, however often this is run within a day.

        :raises NotSeeded: the answer is not a success.
        """
        return self._ask("POST", path, body, {"Idempotency-Key": key} if key else {})

    def sign_out(self) -> None:
        """End the session: nobody is left signed in who did not sign in themselves."""
        self._ask("DELETE", "/sessions/current", None, {})
        self._connection.close()

    def _ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        headers = {**headers, "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        self._connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise NotSeeded(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:500]}")
        return json.loads(text) if text else None


def seed(address: str, accounts: Path, *, marker: Path, now: dt.datetime | None = None) -> None:
    """Enter the world of the demonstration, once; `marker` remembers that it was done.

    :raises NotSeeded: with what was refused.
    """
    if marker.exists():
        return
    # A start that was killed in the middle is gone on with, word for word: the same keys, the same instants.
    begun = marker.with_suffix(".begun")
    if not begun.exists():
        begun.write_text((now or dt.datetime.now(dt.UTC)).isoformat())
    instant = dt.datetime.fromisoformat(begun.read_text())
    world = json.loads(WORLD.read_text())
    by_name = {account["username"]: account for account in json.loads(accounts.read_text())}
    usernames = {row["by"] for rows in world.values() for row in rows}
    colleagues = {username: Colleague(address, by_name[username]) for username in sorted(usernames)}
    issues: dict[str, str] = {}
    for row in world["issues"]:
        body: dict[str, Any] = {name: row[name] for name in ("name", "priority", "summary") if name in row}
        issues[row["key"]] = colleagues[row["by"]].post("/issues", body, key=f"demo-issue-{row['key']}")["id"]
    organizations: dict[str, str] = {}
    for row in world["organizations"]:
        body = {name: row[name] for name in ("name", "sector", "state", "source", "source_url") if name in row}
        body["issue_ids"] = [issues[key] for key in row["issues"]]
        organizations[row["key"]] = colleagues[row["by"]].post("/organizations", body, key=f"demo-organization-{row['key']}")["id"]
    people: dict[str, str] = {}
    for row in world["individuals"]:
        name = row["last_name"]
        people[name] = colleagues[row["by"]].post("/individuals", _individual(row, issues, organizations), key=f"demo-individual-{name}")["id"]
    for n, row in enumerate(world["interactions"]):
        colleagues[row["by"]].post("/interactions", _interaction(row, issues, people, instant), key=f"demo-interaction-{n}")
    for colleague in colleagues.values():
        colleague.sign_out()
    marker.touch()


def _individual(row: dict[str, Any], issues: dict[str, str], organizations: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {name: row[name] for name in ("first_name", "last_name", "title", "state", "interests") if name in row}
    if "organization" in row:
        body["organization_id"] = organizations[row["organization"]]
    points = [{"kind": kind, "value": row[kind]} for kind in ("cell", "email") if kind in row]
    return {
        **body,
        "source": "given_by_stakeholder",
        "issues": [{"issue_id": issues[key], "kind": "interested"} for key in row["issues"]],
        "contact_points": points,
    }


def _interaction(row: dict[str, Any], issues: dict[str, str], people: dict[str, str], now: dt.datetime) -> dict[str, Any]:
    follow_ups = [{"text": row["follow_up"], "due_on": (now.date() + dt.timedelta(days=7)).isoformat()}] if "follow_up" in row else []
    return {
        "held_at": (now - dt.timedelta(days=row["days_ago"])).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "mode": row["mode"],
        "individual_ids": [people[name] for name in row["with"]],
        "issue_ids": [issues[key] for key in row["issues"]],
        "outcome": row["outcome"],
        "follow_ups": follow_ups,
    }
