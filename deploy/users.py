"""`liaison users`: accounts from the command line, for the first ones of a new system and for emergencies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from deploy.operators import Operator, as_operator
from deploy.options import takes_json
from deploy.passwords import takes_password
from deploy.users_cli import COURSES, Accounts
from services.chassis.messages import Caller

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def users() -> None:
    """Accounts: add, approve, license, train, list, close, open again, set a password. Every act is in the audit trail."""


@contextmanager
def _accounts(operator: Operator) -> Iterator[Accounts]:
    with operator.database("access") as database:
        yield Accounts(database, Caller.operator(operator.name), datetime.now(UTC))


@contextmanager
def _admission(operator: Operator, username: str) -> Iterator[Accounts]:
    """Open the accounts for a step towards access; then say what access still lacks."""
    with _accounts(operator) as accounts:
        yield accounts
        missing = accounts.missing(username)
    if not missing:
        click.echo(f"{username} can sign in.")
        return
    click.echo(f"{username} cannot sign in yet:")
    for code, sentence in missing.items():
        click.echo(f"  {sentence} ({_REMEDIES[code]} {username})")


@users.command("add")
@click.argument("username")
@click.option("--name", required=True)
@click.option("--component", required=True, help="Office code, such as ICE.")
@click.option("--level", "access_level", type=click.Choice(["reader", "contributor", "steward", "none"]), default="none", show_default=True)
@click.option("--role", "roles", multiple=True, help="Such as system_administrator; may be given several times.")
@click.option("--complete", is_flag=True, help="With license, approval, trainings, rules of behavior: for the first account.")
@takes_password(new=True)
@as_operator
def add(operator: Operator, *, username: str, access_level: str, roles: tuple[str, ...], password: str, complete: bool, **told: Any) -> None:
    """Enter an account."""
    body = {"username": username, "level": None if access_level == "none" else access_level, "roles": list(roles), **told}
    try:
        with _admission(operator, username) as accounts:
            user = accounts.add(password=password, complete=complete, **body)
            click.echo(f"{user['username']}: {user['id']}")
    except ValidationError as wrong:
        raise click.ClickException(_sentence(wrong)) from wrong


@users.command("approve")
@click.argument("username")
@as_operator
def approve(operator: Operator, *, username: str) -> None:
    """Approve an account for its present office (R179)."""
    with _admission(operator, username) as accounts:
        accounts.approve(username)
        click.echo(f"{username} is approved.")


@users.command("license")
@click.argument("username")
@click.option("--until", type=_DAY, help="The last day, such as 2027-09-30; without end unless given.")
@as_operator
def license_(operator: Operator, *, username: str, until: datetime | None) -> None:
    """Designate a license for an account (R178)."""
    with _admission(operator, username) as accounts:
        accounts.license(username, until=_day(until))
        click.echo(f"{username} has a license.")


@users.command("train")
@click.argument("username")
@click.option("--course", "courses", multiple=True, type=click.Choice(COURSES), help="May be given several times; all three unless given.")
@click.option("--on", "on", type=_DAY, help="The day it was completed, such as 2026-11-02; today unless given.")
@as_operator
def train(operator: Operator, *, username: str, courses: tuple[str, ...], on: datetime | None) -> None:
    """Record privacy training, computer security training and the accepted rules of behavior (R184-R186)."""
    taken = courses or COURSES
    with _admission(operator, username) as accounts:
        accounts.train(username, courses=taken, on=_day(on))
        click.echo(f"Recorded for {username}: {', '.join(taken)}.")


@users.command("demonstration")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_operator
def demonstration(operator: Operator, *, file: Path) -> None:
    """Enter the accounts of invented employees and write their passwords into FILE; never on a system with real people."""
    from deploy.demo import accounts

    with operator.database("access") as database:
        told = accounts.seed(database, file, now=datetime.now(UTC))
    click.echo(f"{file}: {len(told)} accounts.")


@users.command("list")
@takes_json
@as_operator
def list_all(operator: Operator, *, as_json: bool) -> None:
    """List every account, and whether its access is in effect."""
    with _accounts(operator) as accounts:
        found = accounts.list_all()
    if as_json:
        click.echo(json.dumps(found))
        return
    for user in found:
        held = " ".join([user["level"] or "no level", *user["roles"]])
        click.echo(f"{user['username']:<16} {user['component']:<8} {'in effect' if user['active'] else 'suspended'}  {held}")


@users.command("close")
@click.argument("username")
@as_operator
def close(operator: Operator, *, username: str) -> None:
    """Close an account; its sessions end at once."""
    with _accounts(operator) as accounts:
        accounts.change(username, active=False)
    click.echo(f"{username} is closed.")


@users.command("open")
@click.argument("username")
@as_operator
def reopen(operator: Operator, *, username: str) -> None:
    """Open a closed account again; what lapsed meanwhile stays lapsed."""
    with _admission(operator, username) as accounts:
        accounts.change(username, active=True)
        click.echo(f"{username} is open.")


@users.command("password")
@click.argument("username")
@takes_password(new=True)
@as_operator
def password(operator: Operator, *, username: str, password: str) -> None:
    """Set a password; every session of the account ends."""
    with _accounts(operator) as accounts:
        accounts.set_password(username, password)
    click.echo(f"{username} has a new password.")


#: The command that remedies each lapse, by its code.
_REMEDIES = {
    "account-closed": "liaison users open",
    "license": "liaison users license",
    "approval": "liaison users approve",
    "training-privacy": "liaison users train",
    "training-computer-security": "liaison users train",
    "rules-of-behavior": "liaison users train",
}


def _sentence(wrong: ValidationError) -> str:
    messages = wrong.messages if isinstance(wrong.messages, dict) else {"account": wrong.messages}
    return " ".join(f"{name}: {' '.join(map(str, said)) if isinstance(said, list) else said}" for name, said in messages.items())


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None
