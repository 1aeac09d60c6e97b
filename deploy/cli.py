"""The command line `liaison`: exit status 0 only on success, and `--json` for output to programs."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import click

from deploy.options import takes_data, takes_json, takes_secrets

#: Commands in other modules, with their descriptions. The modules are loaded on use only, so that other commands and
#: `--help` are fast.
ELSEWHERE = {
    "audit": ("deploy.audit:audit", "Verify, prove and export the audit trail, trusting only public keys."),
    "certificates": ("deploy.certificates:certificates", "Show the certificates of the full deployment's servers, and when they expire."),
    "conformance": ("deploy.conformance:conformance", "Write docs/conformance.md: which requirements have a test, and which not yet."),
    "dictionary": ("deploy.dictionary:dictionary", "Write docs/data-dictionary.md: every column, and what an erasure does to it."),
    "import": ("deploy.importing:import_files", "Import files into a running system, over its HTTP API."),
    "init": ("deploy.init:init", "Write the secrets of the full deployment, and deploy/.env."),
    "keys": ("deploy.keys:keys", "List, replace and retire keys and passwords in a running system."),
    "dead-letters": ("deploy.dead_letters:dead_letters", "List, replay or discard dead letters."),
    "users": ("deploy.users:users", "Accounts: add, approve, license, train, list, close, open, set a password."),
}
SEEDS = ("demo", "accounts", "none")


class Commands(click.Group):
    """The commands of this module and of others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name."""
        # eventlet warns at every start that it is in maintenance mode; `docs/decisions.md` covers that.
        warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = ELSEWHERE[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description of each command without loading it."""
        here = {name: command.get_short_help_str(limit=90) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl([(name, here.get(name) or ELSEWHERE[name][1]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and report any failure in one sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as failed:
            from deploy.failures import sentence_of

            raise click.ClickException(sentence_of(failed)) from failed


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Liaison: who knows whom, what was said, and nothing about them that nobody needs."""


@main.command()
@takes_data
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", envvar="PORT", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port to listen on; 0 for any.")
@click.option(
    "--seed",
    envvar="SEED",
    type=click.Choice(SEEDS),
    default="none",
    show_default=True,
    help="What a new system begins with: accounts and invented stakeholders, accounts alone, or nothing.",
)
def run(data: Path, host: str, port: int, seed: str) -> None:
    """Run the whole system in this process, until Ctrl-C or SIGTERM."""
    import services.chassis.green  # noqa: F401 - patches before anything else is imported
    from deploy.embedded import run_embedded
    from deploy.migrations import SchemaDiffers
    from deploy.postgres import ServerFailed
    from deploy.state import AlreadyRunning

    try:
        run_embedded(data, host=host, port=port, seed=seed, environ=os.environ)
    except (AlreadyRunning, ServerFailed, SchemaDiffers, OSError) as failed:
        raise click.ClickException(str(failed)) from failed


@main.command()
@click.option(
    "--secrets",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="SECRETS",
    required=True,
    help="The folder of secrets, as `liaison init` or a run wrote it.",
)
@click.option("--check", is_flag=True, help="Change nothing; fail if a database is behind or has drifted.")
def migrate(folder: Path, *, check: bool) -> None:
    """Make or upgrade the databases and roles of the server at DATABASE_URL, and what must exist on the broker at BROKER_URL."""
    import services.chassis.green  # noqa: F401 - patches before anything else is imported
    from deploy.migrations import SchemaDiffers
    from deploy.postgres import as_url
    from deploy.provision import migrate as carry_out
    from deploy.provision import read_address, read_broker
    from deploy.secrets import Secrets

    url = read_address(os.environ, "DATABASE_URL")
    if url is None:
        raise click.ClickException("Set DATABASE_URL (or DATABASE_URL_FILE) to a server and somebody who may make databases and roles there.")
    broker, integrations = read_broker(os.environ), os.environ.get("INTEGRATIONS", "")
    try:
        for line in carry_out(as_url(url), Secrets(folder), broker=broker, integrations=integrations, check=check):
            click.echo(line)
    except (SchemaDiffers, FileNotFoundError, OSError) as failed:
        raise click.ClickException(str(failed)) from failed


@main.command()
@takes_data
@takes_secrets
@takes_json
def doctor(data: Path, secrets: Path | None, *, as_json: bool) -> None:
    """Examine a system and the machine under it, and change nothing; exit status 0 only if all is well.

    With --secrets and DATABASE_URL, as the operator's container has them, the deployment in containers is examined;
    without, the state folder of a system in one process.
    """
    import services.chassis.green  # noqa: F401 - patches before anything else is imported
    from deploy.doctor import examine

    findings = examine(data, secrets, os.environ)
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.good else 'FAIL'}  {finding.subject}: {finding.sentence}")
    sys.exit(0 if all(finding.good for finding in findings) else 1)


if __name__ == "__main__":
    main(prog_name="liaison")
