"""Passwords for commands: never as arguments, which every process of the machine can read."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_LONGEST = 1024
_HOW = "Give the password: at the prompt of a terminal, in a file (--password-file FILE), from a pipe (--password-file -), or in PASSWORD."


def takes_password(*, new: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds `--password-file` and passes the password as `password`.

    :param new: whether the password is to be set; a terminal is then asked twice.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.option(
            "--password-file",
            type=click.Path(allow_dash=True, dir_okay=False, path_type=Path),
            envvar="PASSWORD_FILE",
            help="A file whose first line is the password; - reads it from a pipe. Unless given: PASSWORD, or the terminal is asked.",
        )
        @functools.wraps(command)
        def wrapped(*arguments: Any, password_file: Path | None, **options: Any) -> Any:
            return command(*arguments, password=_read(password_file, new=new), **options)

        return wrapped

    return decorate


def _read(file: Path | None, *, new: bool) -> str:
    if file is not None and str(file) != "-":
        try:
            with file.open(encoding="utf-8") as opened:
                return _first_line(opened.read(_LONGEST + 1), str(file))
        except (OSError, UnicodeDecodeError) as failed:
            raise click.ClickException(f"The password cannot be read from {file}: {_why(failed)}.") from failed
    if file is not None:
        return _first_line(sys.stdin.read(_LONGEST + 1), "standard input")
    if given := os.environ.get("PASSWORD"):
        return given
    if not sys.stdin.isatty():
        raise click.UsageError(_HOW)
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=new)
    return asked


def _first_line(text: str, place: str) -> str:
    # The line break at the end of the file is not part of the password.
    password, _, rest = text.partition("\n")
    password = password.removesuffix("\r")
    if not password or rest.strip():
        raise click.ClickException(f"There must be one line, the password, in {place}.")
    return password


def _why(failed: OSError | UnicodeDecodeError) -> str:
    return failed.strerror or "unreadable" if isinstance(failed, OSError) else "it is not text"
