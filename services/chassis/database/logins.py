"""Database credentials that can be replaced at run time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from psycopg import OperationalError
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url

from services.chassis.database.connecting import Dialed

T = TypeVar("T")


class Logins:
    """The URLs of one database, with passwords; there are several while a password is being replaced.

    A new connection tries each in turn, so the server and the setting may change in any order. Open connections stay.
    """

    def __init__(self, setting: str) -> None:
        """Parse the setting: URLs, separated by white space."""
        self._urls = _urls_of(setting)
        #: Opens a connection for an engine.
        self.dial: Callable[..., Any] = Dialed.connect

    @property
    def first(self) -> URL:
        """The first URL."""
        return self._urls[0]

    def renew(self, setting: str) -> None:
        """Use these URLs for new connections.

        :raises ValueError: there is none, or one is malformed.
        """
        self._urls = _urls_of(setting)

    def attach_to(self, engine: Engine) -> None:
        """Make an engine connect with these URLs."""
        event.listen(engine, "do_connect", self._connect)

    def open(self, connect: Callable[[str], T]) -> T:
        """Open a connection outside of an engine; `connect` gets a libpq URL."""
        return self._try_each(lambda url: connect(url.set(drivername="postgresql").render_as_string(hide_password=False)))

    def _connect(self, _dialect: Any, _record: Any, arguments: tuple[Any, ...], options: Mapping[str, object]) -> Any:
        return self._try_each(lambda url: self.dial(*arguments, **{**options, **_credentials(url)}))

    def _try_each(self, connect: Callable[[URL], T]) -> T:
        *others, last = self._urls
        for url in others:
            with suppress(OperationalError):
                return connect(url)
        return connect(last)


def _credentials(url: URL) -> dict[str, str]:
    said = {"user": url.username, "password": url.password}
    return {name: str(value) for name, value in said.items() if value is not None}


def _urls_of(setting: str) -> list[URL]:
    urls = [make_url(line.replace("postgresql://", "postgresql+psycopg://", 1)) for line in setting.split()]
    if not urls:
        raise ValueError("a database has an address")
    return urls
