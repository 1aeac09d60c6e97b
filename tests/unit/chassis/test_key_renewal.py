"""Other keys are taken over by a running process: whole, once, and only if they can be used."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from psycopg import OperationalError

from services.chassis.config import Settings
from services.chassis.database.logins import Logins
from services.chassis.runtime.key_renewal import RENEWED, KeyRenewal, differing

SETTINGS = Settings(service="contacts", cursor_key="old", log_level="INFO")


class Files:
    """Where settings are read again; what is to be raised is raised."""

    def __init__(self) -> None:
        """Begin with what the process began with."""
        self.now: Settings | Exception = SETTINGS
        self.taken: list[Settings] = []
        self.refuse = False

    def read(self) -> Settings:
        """Return what the files say."""
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    def renew(self, fresh: Settings) -> None:
        """Use other keys, or fail."""
        if self.refuse:
            message = "no key"
            raise ValueError(message)
        self.taken.append(fresh)


@pytest.fixture
def files() -> Files:
    """Files of one process."""
    return Files()


@pytest.fixture
def renewing(files: Files) -> KeyRenewal:
    """What reads them."""
    return KeyRenewal(SETTINGS, files.read, files.renew)


@pytest.mark.requirement("N17")
def test_other_keys_are_taken_once_two_readings_agree(files: Files, renewing: KeyRenewal) -> None:
    assert not renewing.look()
    files.now = replace(SETTINGS, cursor_key="half of a ne")
    assert not renewing.look()
    files.now = replace(SETTINGS, cursor_key="new,old")
    assert [renewing.look() for _ in range(4)] == [False, True, False, False]
    assert files.taken == [files.now]


def test_what_is_no_key_waits_for_the_next_start(files: Files, renewing: KeyRenewal) -> None:
    files.now = replace(SETTINGS, log_level="DEBUG")
    assert [renewing.look() for _ in range(3)] == [False] * 3
    assert {field.name for field in fields(Settings) if not field.repr} == set(RENEWED), "and every secret is one"
    assert differing(SETTINGS, replace(SETTINGS, form_key="x", log_level="DEBUG")) == ["form_key"]


def test_a_file_that_is_gone_or_a_key_that_cannot_be_used_changes_nothing_and_is_told_once(
    files: Files, renewing: KeyRenewal, capsys: pytest.CaptureFixture[str]
) -> None:
    files.now = FileNotFoundError("secrets")
    assert not renewing.look()
    files.now, files.refuse = replace(SETTINGS, cursor_key="no key"), True
    assert [renewing.look() for _ in range(5)] == [False] * 5
    assert files.taken == []
    files.now, files.refuse = replace(SETTINGS, cursor_key="new"), False
    assert [renewing.look() for _ in range(2)] == [False, True]
    assert "no key" not in capsys.readouterr().err, "no log shows a key"


class Server:
    """A database server that knows one password."""

    def __init__(self, password: str) -> None:
        """Set the password."""
        self.password, self.asked = password, 0

    def connect(self, **options: Any) -> str:
        """Accept a client with the password."""
        self.asked += 1
        if options["password"] != self.password:
            message = "FATAL"
            raise OperationalError(message)
        return "in"


@pytest.mark.requirement("R15")
def test_while_a_password_is_replaced_the_one_or_the_other_comes_in() -> None:
    old, new = "postgresql://contacts:old@db/contacts", "postgresql://contacts:new@db/contacts"
    logins = Logins(old)

    def comes_in(server: Server) -> bool:
        logins.dial = server.connect
        try:
            return bool(logins._connect(None, None, (), {"user": "contacts", "password": "old", "host": "db"}) == "in")
        except OperationalError:
            return False

    assert (comes_in(Server("old")), comes_in(Server("new"))) == (True, False)
    logins.renew(f"{old}\n{new}")
    assert (comes_in(Server("old")), comes_in(Server("new")), comes_in(Server("another"))) == (True, True, False)
    logins.renew(new)
    assert (comes_in(Server("old")), comes_in(Server("new"))) == (False, True)
    with pytest.raises(ValueError, match="address"):
        logins.renew("")
