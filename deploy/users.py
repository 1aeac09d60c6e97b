"""`liaison users`: accounts from the command line, for the first one of a new system and for emergencies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from deploy import users_cli
from deploy.operators import Operator, as_operator

_PASSWORD = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, envvar="PASSWORD", help="Asked for, unless PASSWORD is set."
)


@click.group()
def users() -> None:
    """Accounts: add, list, close, open again, set a password. Every act is in the audit trail."""


@users.command("add")
@click.argument("username")
@click.option("--name", required=True)
@click.option("--component", required=True, help="Office code, such as ICE.")
@click.option("--level", type=click.Choice(["reader", "contributor", "steward", "none"]), default="none", show_default=True)
@click.option("--role", "roles", multiple=True, help="Such as system_administrator; may be given several times.")
@click.option("--complete", is_flag=True, help="With license, approval, trainings, rules of behavior: for the first account.")
@_PASSWORD
@as_operator
def add(operator: Operator, *, username: str, level: str, roles: tuple[str, ...], password: str, complete: bool, **told: Any) -> None:
    """Enter an account."""
    body = {"username": username, "level": None if level == "none" else level, "roles": list(roles), **told}
    with operator.database("access") as database:
        try:
            user = users_cli.add(database, operator=operator.name, now=datetime.now(UTC), password=password, complete=complete, **body)
        except ValidationError as wrong:
            raise click.ClickException(f"{wrong.messages}") from wrong
    click.echo(f"{user['username']}: {user['id']}")


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
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of lines.")
@as_operator
def list_all(operator: Operator, *, as_json: bool) -> None:
    """List every account, and whether its access is in effect."""
    with operator.database("access") as database:
        found = users_cli.list_all(database, operator=operator.name)
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
    with operator.database("access") as database:
        users_cli.disable(database, operator=operator.name, now=datetime.now(UTC), username=username)
    click.echo(f"{username} is closed.")


@users.command("open")
@click.argument("username")
@as_operator
def reopen(operator: Operator, *, username: str) -> None:
    """Open a closed account again; what lapsed meanwhile stays lapsed."""
    with operator.database("access") as database:
        users_cli.enable(database, operator=operator.name, now=datetime.now(UTC), username=username)
    click.echo(f"{username} is open.")


@users.command("password")
@click.argument("username")
@_PASSWORD
@as_operator
def password(operator: Operator, *, username: str, password: str) -> None:
    """Set a password; every session of the account ends."""
    with operator.database("access") as database:
        users_cli.set_password(database, operator=operator.name, now=datetime.now(UTC), username=username, password=password)
    click.echo(f"{username} has a new password.")
