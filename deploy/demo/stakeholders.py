"""Invented stakeholders and public offices, created over the HTTP API by signed-in users.

So they are audited, owned and firewalled like any others.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from deploy.demo.accounts import DemoAccount

WORLD = Path(__file__).with_name("world.json")


class NotSeeded(OSError):
    """The gateway refused the demonstration data; the message is its answer."""


class Colleague:
    """An API session of an invented employee."""

    def __init__(self, address: str, account: DemoAccount) -> None:
        """Sign in and acknowledge the three statements."""
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self._token = ""
        signed_in = self.post("/sessions", {"username": account["username"], "password": account["password"]})
        self._token = signed_in["token"]
        accepted = {"statements_version": signed_in["statements_version"], "accepted": True}
        self.post("/sessions/current/acknowledgement", accepted)

    def post(self, path: str, body: Any, *, key: str = "") -> Any:
        """Send a POST request; with a key, it has an effect only once within a day.

        :raises NotSeeded: the answer is not a success.
        """
        return self._ask("POST", path, body, {"Idempotency-Key": key} if key else {})

    def sign_out(self) -> None:
        """End the session and close the connection."""
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
    """Create the demonstration data once; the file `marker` records that it is done.

    :raises NotSeeded: the gateway refused a request.
    """
    if marker.exists():
        return
    # An interrupted run is repeated with the same idempotency keys and instants.
    begun = marker.with_suffix(".begun")
    if not begun.exists():
        begun.write_text((now or dt.datetime.now(dt.UTC)).isoformat())
    instant = dt.datetime.fromisoformat(begun.read_text())
    world: dict[str, list[dict[str, Any]]] = json.loads(WORLD.read_text())
    by_name = {account["username"]: account for account in json.loads(accounts.read_text())}
    usernames = {row["by"] for rows in world.values() for row in rows}
    colleagues = {username: Colleague(address, by_name[username]) for username in sorted(usernames)}
    issues: dict[str, str] = {}
    for row in world["issues"]:
        body = _chosen(row, "name", "priority", "summary")
        issues[row["key"]] = colleagues[row["by"]].post("/issues", body, key=f"demo-issue-{row['key']}")["id"]
    organizations: dict[str, str] = {}
    for row in world["organizations"]:
        body = _chosen(row, "name", "sector", "state", "source", "source_url")
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


def _chosen(row: Mapping[str, Any], *names: str) -> dict[str, object]:
    return {name: row[name] for name in names if name in row}


def _individual(row: Mapping[str, Any], issues: dict[str, str], organizations: dict[str, str]) -> dict[str, object]:
    body = _chosen(row, "first_name", "last_name", "title", "state", "interests")
    if "organization" in row:
        body["organization_id"] = organizations[row["organization"]]
    points = [{"kind": kind, "value": value} for kind, value in _chosen(row, "cell", "email").items()]
    return {
        **body,
        "source": "given_by_stakeholder",
        "issues": [{"issue_id": issues[key], "kind": "interested"} for key in row["issues"]],
        "contact_points": points,
    }


def _interaction(row: Mapping[str, Any], issues: dict[str, str], people: dict[str, str], now: dt.datetime) -> dict[str, object]:
    follow_ups = [{"text": row["follow_up"], "due_on": (now.date() + dt.timedelta(days=7)).isoformat()}] if "follow_up" in row else []
    return {
        "held_at": (now - dt.timedelta(days=row["days_ago"])).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "mode": row["mode"],
        "individual_ids": [people[name] for name in row["with"]],
        "issue_ids": [issues[key] for key in row["issues"]],
        "outcome": row["outcome"],
        "follow_ups": follow_ups,
    }
