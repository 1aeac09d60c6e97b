"""`liaison keys`: replace keys and passwords in a running system without losing a request."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from deploy.broker import password_hash
from deploy.init import password_file
from deploy.keyrings import KINDS, Keyrings, NothingFormer, TooEarly, addresses_with, id_of
from deploy.migrations import STORES, database_of, owner_of, runtime_of
from deploy.operators import Operator, as_operator
from deploy.options import takes_json
from deploy.postgres import connected
from deploy.secrets import WANTED, Secrets
from services.chassis.config import Settings
from services.chassis.keyed import key_id
from services.chassis.messages import Caller
from services.chassis.runtime.key_renewal import EVERY
from services.contacts.storage.vault import Keyring, Vault

#: Seconds after which every process has read its settings twice.
_LOOKED = 5 * EVERY
_SUPERUSER = "postgres"
#: The columns with ids of digest keys, which are ids of the key's bytes or of its text.
_ROWS = {
    "contact_points": "key_id = :bytes",
    "match_digests": "key_id = :bytes",
    "suppressions": "key_id = :bytes",
    "submissions": "digest LIKE :text OR event_digest LIKE :text",
    "imports": "digest LIKE :text",
}


@click.group()
def keys() -> None:
    """List, replace and retire keys and passwords. Every act is in the audit trail."""


def _waits(command: Any) -> Any:
    return click.option("--wait", default=_LOOKED, show_default=True, help="Seconds in which every process has read its keys again.")(command)


@keys.command("list")
@takes_json
@as_operator
def list_(operator: Operator, *, as_json: bool) -> None:
    """Show the id and state of every key; never a key."""
    rings = Keyrings(operator.installation.secrets)
    held = {name: rings.held(name) for name in KINDS}
    if as_json:
        click.echo(json.dumps({name: [{"id": each.id, "state": each.state, "since": each.since} for each in ring] for name, ring in held.items()}))
        return
    for name, ring in held.items():
        for each in ring:
            click.echo(f"{name:<22} {each.id}  {each.state:<7}  {each.since or 'since the beginning':<25}  {KINDS[name].purpose}")


def _alone(command: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(command)
    def wrapped(operator: Operator, **given: Any) -> None:
        # The lock is on the folder itself: it leaves no file, and the kernel releases it in any case.
        folder = os.open(operator.installation.secrets.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            command(operator, **given)
        except BlockingIOError as held:
            raise click.ClickException("Somebody else is replacing a key or password just now; ask again when they are done.") from held
        finally:
            os.close(folder)

    return wrapped


@keys.command("rotate")
@click.argument("names", nargs=-1, required=True, type=click.Choice(sorted(KINDS)))
@_waits
@as_operator
@_alone
def rotate(operator: Operator, *, names: tuple[str, ...], wait: float) -> None:
    """Put new keys into use; former ones stay valid until `retire`. Repeat the command after an interruption."""
    rings = Keyrings(operator.installation.secrets)
    coming = {name: rings.accept(name) for name in names}
    _record(operator, "access:key:accept", coming)
    click.echo(f"{', '.join(coming)}: the new keys are accepted; {wait:g} seconds until every process knows them.")
    time.sleep(wait)
    for name in coming:
        rings.use(name)
    _record(operator, "access:key:rotate", coming)
    time.sleep(wait)
    for name, new in coming.items():
        click.echo(f"{name}: {new} is in use. The former key still counts; `liaison keys retire {name}` drops it.")


@keys.command("retire")
@click.argument("name", type=click.Choice(sorted(KINDS)))
@click.option("--at-once", is_flag=True, help="Though the former key is good for something: somebody else may have it.")
@as_operator
@_alone
def retire(operator: Operator, *, name: str, at_once: bool) -> None:
    """Remove the former keys; what was made under them is refused from now on."""
    rings = Keyrings(operator.installation.secrets)
    try:
        if left := _left(operator, name, rings.former(name)):
            raise click.ClickException(f"{left} still need the former {name}: it stays. {KINDS[name].cost.capitalize()} without it.")
        dropped = rings.retire(name, at_once=at_once)
    except (TooEarly, NothingFormer) as refused:
        raise click.ClickException(str(refused)) from refused
    _record(operator, "access:key:retire", {name: " ".join(dropped)})
    click.echo(f"{name}: {', '.join(dropped)} retired.")


@keys.command("password")
@click.argument("name")
@_waits
@as_operator
@_alone
def password(operator: Operator, *, name: str, wait: float) -> None:
    """Replace the password of a database role (`liaison_contacts`) or a broker user (`contacts`)."""
    replace_password(operator, name, wait=wait)
    _record(operator, "access:key:rotate", {f"{name}_password": None})
    click.echo(f"{name} has another password.")


def replace_password(operator: Operator, name: str, *, wait: float) -> None:
    """Make a new password and set it everywhere.

    :raises click.ClickException: there is no password of that name.
    """
    secrets = operator.installation.secrets
    if name in {runtime_of(store) for store in STORES}:
        _role(operator, name, wait)
    elif name in {owner_of(store) for store in STORES}:
        _alter(operator.installation.server, name, made := WANTED[f"{name}_password"]())
        secrets.replace(f"{name}_password", made)
    elif name == _SUPERUSER:
        _superuser(operator)
    elif password_file(name) in secrets:
        _broker(operator, name)
    else:
        raise click.ClickException(f"There is no password of {name}; there are those of {', '.join(passwords_in(secrets))}.")


def _role(operator: Operator, role: str, wait: float) -> None:
    secrets = operator.installation.secrets
    store = next(store for store in STORES if runtime_of(store) == role)
    held = secrets.passwords_of(role)
    # If there are two, continue an interrupted run with the second one.
    made = held[1] if len(held) > 1 else WANTED[f"{role}_password"]()

    def write(passwords: Iterable[str]) -> None:
        secrets.replace(f"{role}_password", ",".join(passwords))
        if (address := f"database_url_{store}") in secrets:
            secrets.replace(address, addresses_with(secrets[address], secrets.passwords_of(role)))

    write([held[0], made])
    time.sleep(wait)
    _alter(operator.installation.server, role, made)
    write([made])


def passwords_in(secrets: Secrets) -> list[str]:
    """Return the names of replaceable passwords: database roles, the superuser and broker users."""
    roles = [each(store) for store in STORES for each in (runtime_of, owner_of)]
    prefix = password_file("")
    return [*roles, _SUPERUSER, *sorted(file.name.removeprefix(prefix) for file in secrets.folder.glob(f"{prefix}*"))]


def _superuser(operator: Operator) -> None:
    secrets, server = operator.installation.secrets, operator.installation.server
    held, coming = f"{_SUPERUSER}_password", f"{_SUPERUSER}_password_coming"
    if server.password != secrets[held]:
        raise click.ClickException("The databases are reached by an address of your own: its password is replaced where it was made.")
    # Stored until it is in use, so that after an interruption one of the two works.
    secrets.make_if_missing(coming, WANTED[held])
    made = secrets[coming]
    try:
        _alter(server, str(server.username), made)
    except sa.exc.OperationalError:
        _alter(server.set(password=made), str(server.username), made)
    secrets.replace(held, made)
    if "database_url" in secrets:
        secrets.replace("database_url", addresses_with(secrets["database_url"], [made]))
    secrets.remove(coming)


def _alter(server: sa.URL, role: str, made: str) -> None:
    with connected(server, autocommit=True) as connection:
        statement = sa.text("SELECT format('ALTER ROLE %I PASSWORD %L', CAST(:role AS text), CAST(:made AS text))")
        quoted = connection.execute(statement, {"role": role, "made": made}).scalar_one()
        connection.exec_driver_sql(quoted.replace("%", "%%"))


def _broker(operator: Operator, user: str) -> None:
    secrets = operator.installation.secrets
    secrets.replace(password_file(user), made := WANTED["service_master_secret"]())
    if (address := f"broker_url_{user}") in secrets:
        secrets.replace(address, make_url(secrets[address]).set(password=made).render_as_string(hide_password=False))
    known = json.loads(secrets["broker_definitions"])
    for each in known["users"]:
        if each["name"] == user:
            each["password_hash"] = password_hash(made)
    secrets.derive("broker_definitions", json.dumps(known, indent=1), mode=0o644)
    click.echo("Now have the broker read it; whoever is connected stays connected:")
    click.echo("  docker compose -f deploy/compose.yaml exec --user rabbitmq broker rabbitmqctl import_definitions /run/secrets/broker_definitions")


def _left(operator: Operator, name: str, former: Iterable[str]) -> str:
    """Return a sentence on data that needs these keys, or an empty string."""
    settings = Settings.read(operator.installation.environment_of("contacts"))
    if name == "vault_master_key":
        vault = Vault(settings.keys_database_url, Keyring.read(settings.vault_master_key), pool_size=1)
        try:
            many = sum(vault.under(id_of(name, each)) for each in former)
        finally:
            vault.close()
        return f"{many} keys of people and seals" if many else ""
    if name == "digest_key":
        return _rows_under(operator, former)
    return ""


def _rows_under(operator: Operator, former: Iterable[str]) -> str:
    # As superuser, because row-level security hides the rows from the service.
    found: dict[str, int] = {}
    with connected(operator.installation.server.set(database=database_of("contacts"))) as connection:
        for each in former:
            ids = {"bytes": id_of("digest_key", each), "text": f"{key_id(each.encode())}.%"}
            for table, under in _ROWS.items():
                many = connection.execute(sa.text(f"SELECT count(*) FROM {table} WHERE {under}"), ids).scalar_one()  # noqa: S608 - our own constants
                found[table] = found.get(table, 0) + many
    return ", ".join(f"{many} rows of {table}" for table, many in found.items() if many)


def _record(operator: Operator, action: str, keys_by_name: Mapping[str, str | None]) -> None:
    with operator.database("access") as database, database.work(Caller.operator(operator.name)) as work:
        for name, each in keys_by_name.items():
            work.record(action, fields=[name], rule=each)
