"""A key takes another's place in steps, each of which can be repeated by whoever was interrupted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.environment import PROCESSES
from deploy.init import write_secrets
from deploy.keyrings import KINDS, Keyrings, NothingFormer, TooEarly
from deploy.secrets import PAIRS, Secrets, public_key_of
from services.access.domain.secrets import is_service
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


@pytest.mark.parametrize("name", PAIRS)
def test_the_private_key_follows_when_everybody_knows_the_public_one(rings: Keyrings, secrets: Secrets, name: str) -> None:
    def in_use() -> str:
        return public_key_of(secrets[f"{name}_private_key"])

    former = in_use()
    rings.accept(name)
    assert in_use() == former
    rings.use(name)
    first, second = (part.strip() for part in pems_of(secrets[f"{name}_public_key"]))
    assert (first, second) == (in_use(), former)
    assert f"{name}_private_key_coming" not in secrets, "and is nowhere else"


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
