"""How a process comes into a database whose password may change while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from psycopg import OperationalError
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url

from services.chassis.database.connecting import Dialed

T = TypeVar("T")


class Logins:
    """The addresses of one database with their passwords: several, one a line, while one is replaced; the first is in use.

    Who is connected stays so. A new connection is tried with each in turn, so that it does not matter whether the server
    or the setting changed first.
    """

    def __init__(self, setting: str) -> None:
        """Take the setting."""
        self._urls = _urls_of(setting)
        #: What makes a connection.
        self.dial: Callable[..., Any] = Dialed.connect

    @property
    def first(self) -> URL:
        """The address in use."""
        return self._urls[0]

    def renew(self, setting: str) -> None:
        """Come in with these from the next connection on.

        :raises ValueError: there is none, or one cannot be read.
        """
        self._urls = _urls_of(setting)

    def attach_to(self, engine: Engine) -> None:
        """Have an engine connect with them."""
        event.listen(engine, "do_connect", self._connect)

    def open(self, connect: Callable[[str], T]) -> T:
        """Open a connection beside the engine's, by the driver's own way of writing addresses."""
        *others, last = (url.set(drivername="postgresql").render_as_string(hide_password=False) for url in self._urls)
        for url in others:
            try:
                return connect(url)
            except OperationalError:
                continue
        return connect(last)

    def _connect(self, _dialect: Any, _record: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        *others, last = self._urls
        for url in others:
            try:
                return self.dial(*arguments, **{**options, **_who(url)})
            except OperationalError:
                continue
        return self.dial(*arguments, **{**options, **_who(last)})


def _who(url: URL) -> dict[str, str]:
    said = {"user": url.username, "password": url.password}
    return {name: str(value) for name, value in said.items() if value is not None}


def _urls_of(setting: str) -> list[URL]:
    urls = [make_url(line.replace("postgresql://", "postgresql+psycopg://", 1)) for line in setting.split()]
    if not urls:
        message = "a database has an address"
        raise ValueError(message)
    return urls
