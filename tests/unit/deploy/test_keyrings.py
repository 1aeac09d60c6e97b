"""A key is replaced in steps, each of which can be repeated after an interruption."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click import ClickException
from click.testing import CliRunner
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from deploy import keys as command
from deploy.environment import PROCESSES, Installation
from deploy.init import write_secrets
from deploy.keyrings import KINDS, PRIVATE, Keyrings, NothingFormer, TooEarly
from deploy.migrations import SERVICES
from deploy.operators import Operator
from deploy.secrets import PAIRS, SERVICE_PUBLIC_KEYS, Secrets, public_key_of, service_key_file
from services.access.domain.secrets import is_service
from services.chassis.identity import ServiceKey, ServiceKeys
from services.chassis.keyed import parts_of, pems_of

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        """Begin."""
        self.now = NOW

    def __call__(self) -> datetime:
        """Return what it shows."""
        return self.now


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    """The secrets of a deployment."""
    write_secrets(tmp_path / "secrets")
    return Secrets(tmp_path / "secrets")


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def rings(secrets: Secrets, clock: Clock) -> Keyrings:
    """Its keys."""
    return Keyrings(secrets, now=clock)


def states(rings: Keyrings, name: str) -> list[str]:
    """Return in what states the keys of a ring are."""
    return [each.state for each in rings.held(name)]


@pytest.mark.requirement("N17", "R15")
@pytest.mark.parametrize("name", KINDS)
def test_a_new_key_is_accepted_then_used_and_the_former_one_dropped(rings: Keyrings, secrets: Secrets, clock: Clock, name: str) -> None:
    (first,) = rings.held(name)
    coming = rings.accept(name)
    assert rings.accept(name) == coming, "asked again, nothing is made twice"
    assert (states(rings, name), rings.held(name)[0].id) == (["in use", "coming"], first.id)
    with pytest.raises(NothingFormer):
        rings.retire(name)
    assert rings.use(name) == rings.use(name) == coming
    assert (states(rings, name), rings.held(name)[0].id) == (["in use", "former"], coming)
    if KINDS[name].lasts:
        with pytest.raises(TooEarly, match=first.id):
            rings.retire(name)
    if KINDS[name].lasts < timedelta.max:
        clock.now += KINDS[name].lasts
        assert rings.retire(name) == [first.id]
    else:
        assert rings.retire(name, at_once=True) == [first.id]
    assert [each.id for each in rings.held(name)] == [coming]
    assert secrets.make() == [], "what was made is what a start looks for"


@pytest.mark.parametrize("name", PRIVATE)
def test_the_private_key_follows_when_everybody_knows_the_public_one(rings: Keyrings, secrets: Secrets, name: str) -> None:
    def in_use() -> str:
        if name in PAIRS:
            return public_key_of(secrets[PRIVATE[name]])
        return ServiceKey.parse(name.rpartition("_")[2], secrets[PRIVATE[name]]).line

    former = in_use()
    rings.accept(name)
    assert in_use() == former
    rings.use(name)
    if name in PAIRS:
        both = [part.strip() for part in pems_of(secrets[f"{name}_public_key"])]
    else:
        both = [line for line in secrets[SERVICE_PUBLIC_KEYS].splitlines() if line.startswith(former.split()[0])]
    assert both == [in_use(), former]
    assert f"{PRIVATE[name]}_coming" not in secrets, "and is nowhere else"


def test_a_run_that_was_killed_between_two_files_is_gone_on_with(rings: Keyrings, secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    coming = rings.accept("passport")
    with monkeypatch.context() as patch:
        patch.setattr(Keyrings, "_note", _killed)
        with pytest.raises(KeyboardInterrupt):
            rings.use("passport")
    assert rings.use("passport") == coming
    assert states(rings, "passport") == ["in use", "former"]
    with monkeypatch.context() as patch:
        patch.setattr(Secrets, "remove", _killed)
        rings.accept("passport")
        with pytest.raises(KeyboardInterrupt):
            rings.use("passport")
    again = rings.accept("passport")
    assert again not in {each.id for each in rings.held("passport") if each.state != "coming"}
    assert public_key_of(secrets["passport_private_key"]) == pems_of(secrets["passport_public_key"])[0].strip()


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_service_proves_itself_by_the_former_and_by_the_new_master_secret(rings: Keyrings, secrets: Secrets) -> None:
    former = {process: secrets[f"service_secret_{process}"] for process in PROCESSES}
    rings.accept("service_master_secret")
    assert all(secrets[f"service_secret_{process}"] == text for process, text in former.items())
    rings.use("service_master_secret")
    masters = secrets["service_master_secret"]
    for process, text in former.items():
        assert secrets[f"service_secret_{process}"] != text
        assert is_service(masters, process, text)
        assert is_service(masters, process, secrets[f"service_secret_{process}"])
    rings.retire("service_master_secret", at_once=True)
    assert not is_service(secrets["service_master_secret"], "contacts", former["contacts"])
    assert not is_service("", "contacts", "")


def test_a_secret_that_is_replaced_stays_the_same_file_and_is_whole_after_a_kill(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    file = secrets.folder / "cursor_key"
    number, mode = file.stat().st_ino, file.stat().st_mode
    secrets.replace("cursor_key", "a longer text than before, of several keys, parted by commas")
    secrets.replace("cursor_key", "short")
    assert (secrets["cursor_key"], file.stat().st_ino, file.stat().st_mode) == ("short", number, mode), "a container sees the file it was given"
    with monkeypatch.context() as patch:
        patch.setattr(Secrets, "_copy", _killed)
        with pytest.raises(KeyboardInterrupt):
            secrets.replace("cursor_key", "whole")
    assert secrets["cursor_key"] == "short"
    secrets.make()
    assert (secrets["cursor_key"], len(parts_of(secrets["cursor_key"]))) == ("whole", 1)
    assert not list(secrets.folder.glob("*.whole"))


@pytest.mark.requirement("R15", "T37")
def test_no_secret_is_left_that_no_command_replaces(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "secrets"
    write_secrets(folder, integrations="ICE")
    secrets = Secrets(folder)
    before = {file.name: file.read_text() for file in folder.iterdir()}
    rings = Keyrings(secrets, now=clock)
    for name in KINDS:
        rings.accept(name)
        rings.use(name)
        rings.retire(name, at_once=True)
    altered = []
    monkeypatch.setattr(command, "_alter", lambda _server, role, _made: altered.append(role))
    installation = Installation(
        secrets=secrets,
        server=make_url(secrets["database_url"]),
        broker="embedded://",
        checkpoints=tmp_path / "checkpoints",
        erased_ids=tmp_path / "erased",
    )
    for name in command.passwords_in(secrets):
        command.replace_password(Operator("olga", installation), name, wait=0)
    # The small authority and what it certifies are made anew by `liaison init`.
    for file in folder.glob("tls_*"):
        file.unlink()
    write_secrets(folder, integrations="ICE")
    same = {name for name, text in before.items() if (folder / name).read_text() == text}
    assert same == set(), "each file that is written holds a secret, or what follows from one: a command replaces it"
    assert {"postgres", "liaison_contacts", "liaison_keys_owner"} <= set(altered)
    left = {file.name for file in folder.iterdir()} - before.keys()
    assert left == {"key_history"}, "and no key is left lying about"
    assert write_secrets(folder, integrations="ICE") == [], "what follows from others was written with them"


@pytest.mark.requirement("T37")
def test_of_a_services_retired_key_the_line_stays_and_certifies_nothing_new(rings: Keyrings, secrets: Secrets) -> None:
    name = service_key_file("contacts")

    def key() -> ServiceKey:
        return ServiceKey.parse("contacts", secrets[name])

    def known() -> ServiceKeys:
        return ServiceKeys.parse(secrets[SERVICE_PUBLIC_KEYS])

    def believed(one: ServiceKey, keys: ServiceKeys) -> bool:
        return keys.verify("contacts", "x", b"a", one.sign("x", b"a"))

    former = key()
    rings.accept(name)
    assert key().key_id == former.key_id
    assert rings.use(name) == key().key_id != former.key_id
    assert [believed(each, known().present) for each in (former, key())] == [True, True]
    rings.retire(name, at_once=True)
    assert [believed(each, known()) for each in (former, key())] == [True, True]
    assert [believed(each, known().present) for each in (former, key())] == [False, True]
    assert (rings.accept(name), rings.use(name)) == (key().key_id,) * 2, "and so again"
    rings.retire(name, at_once=True)
    assert len(secrets[SERVICE_PUBLIC_KEYS].splitlines()) == len(SERVICES) + 2
    assert secrets.make() == []
    assert known().services == set(SERVICES)


def test_an_interrupted_superuser_is_gone_on_with(secrets: Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_url(secrets["database_url"])
    operator = Operator(
        "olga", Installation(secrets=secrets, server=server, broker="", checkpoints=tmp_path / "checkpoints", erased_ids=tmp_path / "erased")
    )
    knows = [server.password]

    def alter(url: URL, role: str, made: str) -> None:
        if url.password != knows[0]:
            raise OperationalError("", {}, Exception())
        knows[0] = made

    monkeypatch.setattr(command, "_alter", alter)
    with monkeypatch.context() as patch:
        patch.setattr(Secrets, "replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            command.replace_password(operator, "postgres", wait=0)
    command.replace_password(operator, "postgres", wait=0)
    assert secrets["postgres_password"] == knows[0] == make_url(secrets["database_url"]).password != server.password
    with pytest.raises(ClickException, match="of your own"):
        command.replace_password(operator, "postgres", wait=0)


def test_two_people_do_not_replace_keys_at_one_time(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", secrets["database_url"])
    folder = os.open(secrets.folder, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        for words in (["rotate", "passport"], ["retire", "passport"], ["password", "postgres"]):
            done = CliRunner().invoke(command.keys, [*words, "--secrets", str(secrets.folder), "--operator", "olga"])
            assert (done.exit_code, "Somebody else" in done.output) == (1, True), done.output
    finally:
        os.close(folder)


def test_a_replacement_that_a_starting_system_finishes_is_finished(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Secrets._put

    def put_and_start(self: Secrets, name: str, text: str, **given: Any) -> Path:
        path = put(self, name, text, **given)
        Secrets(self.folder).finish()
        return path

    monkeypatch.setattr(Secrets, "_put", put_and_start)
    secrets.replace("cursor_key", "another")
    assert secrets["cursor_key"] == "another"
