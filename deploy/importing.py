"""`liaison import`: import files into a running system over its HTTP API, with a normal user session."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deploy.import_client import Gateway, Refused
from deploy.options import takes_json
from deploy.passwords import takes_password

if TYPE_CHECKING:
    from services.contacts.contract.answers.imports import ImportAnswer, MappedColumn

_POLL = 0.5
#: The states of an import while the system works on it.
_WORKING = frozenset({"uploading", "checking", "committing", "undoing"})
_DECIDE = frozenset({"ask", "undecided"})
_GO_ON = "Its rows are kept: go on with  liaison import --resume {id} …  or on the page Imports; leave it with  POST /imports/{id}/cancel."


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", envvar="GATEWAY", required=True, help="The system's address, such as https://liaison.example.gov.")
@click.option("--user", envvar="LIAISON_USER", required=True, help="The user who imports: a contributor or steward, who then owns the records.")
@takes_password(new=False)
@click.option(
    "--accept-statements",
    is_flag=True,
    help="Acknowledge the three statements, which are printed first; unless given, a terminal is asked.",
)
@click.option("--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Map a column otherwise than proposed; FIELD empty leaves it out.")
@click.option("--dry-run", is_flag=True, help="Check every row, and stop before anything is taken in.")
@click.option("--yes", is_flag=True, help="Take the rows in without asking.")
@click.option("--resume", metavar="IMPORT", help="Go on with an import that was uploaded before, instead of FILES.")
@takes_json
def import_files(files: tuple[Path, ...], *, url: str, user: str, password: str, as_json: bool, resume: str | None, **how: Any) -> None:
    """Import files (xlsx, csv, vcf) into a running system.

    Each file is uploaded, its columns and those that must not be held are shown, every row is checked, and after a yes the
    rows are taken in. Exit status 0 only when every file came to that end; rows that wait for somebody's decision are counted.
    """
    if bool(files) == bool(resume):
        raise click.UsageError("Give one or more FILES, or --resume IMPORT.")
    # SIGTERM acts like Ctrl-C: the command says how to go on, and ends its session.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run = _Run(_gateway(url), quiet=as_json, columns=_mapping(how.pop("mapping")), **how)
    done: list[dict[str, Any]] = []
    try:
        run.enter(user, password)
        try:
            done.extend(run.bring(each, resume) for each in ([None] if resume else files))
        finally:
            run.leave()
    except Refused as refused:
        raise click.ClickException(f"{refused}{_what_now(run, refused)}") from refused
    except KeyboardInterrupt:
        where = _GO_ON.format(id=run.import_id) if run.import_id else "Nothing was left behind."
        raise click.ClickException(f"Stopped. {where}") from None
    finally:
        if as_json:
            click.echo(json.dumps(done))


def _gateway(url: str) -> Gateway:
    try:
        return Gateway(url)
    except Refused as refused:
        raise click.ClickException(str(refused)) from refused


def _mapping(given: tuple[str, ...]) -> dict[str, str | None]:
    columns: dict[str, str | None] = {}
    for each in given:
        column, sign, name = each.rpartition("=")
        if not sign or not column:
            raise click.UsageError(f"--map wants COLUMN=FIELD, not {each}.")
        columns[column] = name or None
    return columns


def _what_now(run: _Run, refused: Refused) -> str:
    if run.import_id and refused.status in {0, 503}:
        return f" {_GO_ON.format(id=run.import_id)}"
    return ""


class _Progress:
    """Shows a progress bar on a terminal, and a line for each step elsewhere."""

    def __init__(self) -> None:
        self._step = ""
        self._is_open = False

    def __call__(self, step: str, done: int, of: int) -> None:
        """Show the progress of a step."""
        if sys.stderr.isatty():
            filled = done * 30 // of if of else 0
            click.echo(f"\r  {step:<11} [{'#' * filled}{'.' * (30 - filled)}] {done:,} of {of:,}", nl=False, err=True)
            self._is_open = True
        elif step != self._step:
            click.echo(f"  {step}", err=True)
        self._step = step

    def end(self) -> None:
        """End the line of the bar."""
        if self._is_open:
            click.echo("", err=True)
            self._is_open = False


@dataclass
class _Run:
    """One run of the command."""

    gateway: Gateway
    quiet: bool
    columns: dict[str, str | None]
    accept_statements: bool
    dry_run: bool
    yes: bool
    #: The id of the current import, for resuming it.
    import_id: str = ""
    _bar: _Progress = field(default_factory=_Progress)

    def enter(self, user: str, password: str) -> None:
        """Sign in, show the statements and have them acknowledged by the user (R105)."""
        said = self.gateway.sign_in(user, password)
        for statement in said["statements"]:
            click.echo(statement if isinstance(statement, str) else statement.get("text", statement), err=True)
        if not self.accept_statements:
            if not sys.stdin.isatty():
                self.leave()
                raise click.UsageError("Somebody must acknowledge these statements: give --accept-statements.")
            if not click.confirm("Do you acknowledge these statements?", err=True):
                self.leave()
                raise click.ClickException("Without the acknowledgement nothing is done.")
        self.gateway.acknowledge(said["statements_version"])

    def leave(self) -> None:
        """End the session."""
        try:
            self.gateway.sign_out()
        except Refused as refused:
            click.echo(f"The session could not be ended: {refused}", err=True)

    def bring(self, file: Path | None, resume: str | None) -> dict[str, Any]:
        """Import one file, or resume an import; return its result.

        :raises Refused: the import was refused or failed.
        :raises click.ClickException: the user declined.
        """
        found: ImportAnswer
        if file is not None:
            self._say(f"{file}: uploading.")
            try:
                found = self.gateway.upload(file, tell=lambda sent, size: self._bar("bytes", sent, size))
            except OSError as failed:
                raise Refused(f"{file} cannot be read: {failed.strerror}.", status=-1) from failed
        else:
            found = self.gateway.ask("GET", f"/imports/{resume}")
        self.import_id = found["id"]
        found = self._wait(found)
        if found["state"] in {"uploaded", "mapped", "checked"}:
            found = self._check(self._map(found))
            if self.dry_run:
                return self._end(found, "checked; nothing was taken in")
            if not self.yes and not self._agreed(found):
                raise click.ClickException(f"Nothing was taken in. {_GO_ON.format(id=self.import_id)}")
        if found["state"] in {"checked", "stopped"}:
            found = self._wait(self.gateway.ask("POST", f"/imports/{self.import_id}/commit"))
        if found["state"] != "committed":
            raise Refused(f"The import is {found['state']}.{self._why(found)}", status=-1)
        return self._end(found, "taken in")

    def _map(self, found: ImportAnswer) -> ImportAnswer:
        if self.columns:
            known = [each["column"] for each in found["mapping"]]
            if unknown := sorted(set(self.columns) - set(known)):
                raise Refused(f"There is no column {', '.join(unknown)} in this file; it has {', '.join(known)}.", status=-1)
            mapping: list[MappedColumn] = [{**each, "field": self.columns.get(each["column"], each["field"])} for each in found["mapping"]]
            path = f"/imports/{self.import_id}"
            found = self.gateway.ask("PATCH", path, {"mapping": mapping}, headers={"If-Match": self.gateway.tag(path)})
        for each in found["mapping"]:
            self._say(f"  {each['column']}: {each['field'] or 'left out'}")
        for refused in found["refused_columns"]:
            self._say(f"  {refused['column']}: REFUSED. {refused['reason']} ({refused['requirement']})")
        hidden = found["hidden"]
        if hidden["sheets"] or hidden["rows"]:
            what = [*(f"the sheet {name}" for name in hidden["sheets"]), *([f"{hidden['rows']} rows"] if hidden["rows"] else [])]
            self._say(f"  This workbook hides {', '.join(what)}: taken in like the rest.")
        return found

    def _check(self, found: ImportAnswer) -> ImportAnswer:
        if found["state"] != "checked":
            found = self._wait(self.gateway.ask("POST", f"/imports/{self.import_id}/dry-run"))
        if found["state"] != "checked":
            raise Refused(f"The check ended as {found['state']}.{self._why(found)}", status=-1)
        self._say(f"  checked: {_counted(found)}")
        return found

    def _agreed(self, found: ImportAnswer) -> bool:
        if not sys.stdin.isatty():
            raise click.UsageError(f"Nobody is here to ask: give --yes, or --dry-run. {_GO_ON.format(id=found['id'])}")
        return click.confirm("Take these rows in?", err=True)

    def _wait(self, found: ImportAnswer) -> ImportAnswer:
        while found["state"] in _WORKING:
            self._bar(found["state"], found["progress"]["done"], found["progress"]["of"])
            time.sleep(_POLL)
            found = self.gateway.ask("GET", f"/imports/{self.import_id}")
        self._bar.end()
        return found

    def _end(self, found: ImportAnswer, what: str) -> dict[str, Any]:
        self._say(f"  {what}: {_counted(found)}")
        waiting = _undecided(found)
        if waiting:
            self._say(f"  {waiting} rows wait for a decision, on the page of this import: {self.gateway.address}/imports/{self.import_id}")
        self.import_id = ""
        return {name: found[name] for name in ("id", "state", "counts", "mapping", "refused_columns")} | {"undecided": waiting}

    @staticmethod
    def _why(found: ImportAnswer) -> str:
        problem = found["problem"]
        return f" {problem['detail']}" if problem else ""

    def _say(self, line: str) -> None:
        self._bar.end()
        if not self.quiet:
            click.echo(line)


def _counted(found: ImportAnswer) -> str:
    counts = {name: count for name, count in found["counts"].items() if count}
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()) or "no rows"


def _undecided(found: ImportAnswer) -> int:
    return sum(count for name, count in found["counts"].items() if name in _DECIDE)
