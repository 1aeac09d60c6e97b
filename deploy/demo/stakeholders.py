"""Invented stakeholders and public offices, created over the HTTP API by signed-in users.

So they are audited, owned and firewalled like any others.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.import_client import Gateway, Refused

if TYPE_CHECKING:
    from deploy.demo.accounts import DemoAccount

WORLD = Path(__file__).with_name("world.json")


class NotSeeded(OSError):
    """The gateway refused the demonstration data; the message is its answer."""


def _sign_in(address: str, account: DemoAccount) -> Gateway:
    """Open a session of an invented employee, and acknowledge the three statements."""
    gateway = Gateway(address)
    gateway.acknowledge(gateway.sign_in(account["username"], account["password"])["statements_version"])
    return gateway


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
    try:
        _create_world(address, accounts, instant)
    except Refused as refused:
        raise NotSeeded(str(refused)) from refused
    marker.touch()


def _create_world(address: str, accounts: Path, instant: dt.datetime) -> None:
    world: dict[str, list[dict[str, Any]]] = json.loads(WORLD.read_text())
    by_name = {account["username"]: account for account in json.loads(accounts.read_text())}
    usernames = {row["by"] for rows in world.values() for row in rows}
    colleagues = {username: _sign_in(address, by_name[username]) for username in sorted(usernames)}

    def create(row: Mapping[str, Any], path: str, body: Mapping[str, object], key: object) -> str:
        answer = colleagues[row["by"]].ask("POST", path, body, headers={"Idempotency-Key": f"demo-{key}"})
        return str(answer["id"])

    issues: dict[str, str] = {}
    for row in world["issues"]:
        issues[row["key"]] = create(row, "/issues", _chosen(row, "name", "priority", "summary"), f"issue-{row['key']}")
    organizations: dict[str, str] = {}
    for row in world["organizations"]:
        body = _chosen(row, "name", "sector", "state", "source", "source_url")
        body["issue_ids"] = [issues[key] for key in row["issues"]]
        organizations[row["key"]] = create(row, "/organizations", body, f"organization-{row['key']}")
    people: dict[str, str] = {}
    for row in world["individuals"]:
        name = row["last_name"]
        people[name] = create(row, "/individuals", _individual(row, issues, organizations), f"individual-{name}")
    for n, row in enumerate(world["interactions"]):
        create(row, "/interactions", _interaction(row, issues, people, instant), f"interaction-{n}")
    for colleague in colleagues.values():
        colleague.sign_out()


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
