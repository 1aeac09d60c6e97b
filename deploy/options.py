"""Options that commands share."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def _your_name() -> str:
    """Return the name of the current user account.

    :raises click.ClickException: it has no name, as in a container; then --operator is required.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError) as nameless:
        raise click.ClickException("Set OPERATOR to the name of the person who acts; it is in the trail.") from nameless


takes_data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DATA",
    default="data",
    show_default=True,
    help="The state folder of a system in one process.",
)
takes_secrets = click.option(
    "--secrets",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="SECRETS",
    help="The secrets of a system in containers; DATABASE_URL and BROKER_URL then say where its servers are.",
)
takes_json = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
_takes_operator = click.option(
    "--operator", envvar="OPERATOR", default=_your_name, show_default="your account here", help="Who acts: it is in the trail."
)


def takes_operator_and_system(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the system to act on, and for the name of the person who acts."""
    return takes_data(takes_secrets(_takes_operator(command)))
