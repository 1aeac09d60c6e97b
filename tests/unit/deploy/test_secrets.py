"""The secrets of an installation: made once, readable by their owner only, and given only to who needs them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from deploy.environment import PROCESSES, Installation
from deploy.secrets import Secrets
from services.chassis.config import Settings


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    made = Secrets(tmp_path / "secrets")
    made.make()
    return made


def test_nobody_else_can_read_a_secret(secrets: Secrets) -> None:
    assert stat.S_IMODE(secrets.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.folder.iterdir()} == {0o600}


def test_a_second_start_makes_no_new_secrets(secrets: Secrets) -> None:
    before = {file.name: file.read_text() for file in secrets.folder.iterdir()}
    assert secrets.make() == []
    assert {file.name: file.read_text() for file in secrets.folder.iterdir()} == before


def test_no_two_secrets_are_alike(secrets: Secrets) -> None:
    values = [file.read_text() for file in secrets.folder.iterdir()]
    assert len(set(values)) == len(values)


def test_a_killed_start_leaves_no_half_secret(secrets: Secrets) -> None:
    (secrets.folder / "digest_key").unlink()
    (secrets.folder / ".digest_key").write_text("half a k")
    assert secrets.make() == ["digest_key"]
    assert len(secrets["digest_key"]) == 44


@pytest.mark.requirement("R15")
def test_each_process_is_given_its_own_secrets_and_no_others(secrets: Secrets, tmp_path: Path) -> None:
    installation = Installation(
        secrets=secrets,
        server=make_url("postgresql+psycopg://postgres:superuser@db/postgres"),
        broker="embedded://",
        checkpoints=tmp_path / "checkpoints",
        erased_ids=tmp_path / "erased",
    )
    told = {process: installation.environment_of(process) for process in PROCESSES}
    assert [p for p in PROCESSES if "PASSPORT_PRIVATE_KEY" in told[p]] == ["access"]
    assert [p for p in PROCESSES if "VAULT_MASTER_KEY" in told[p]] == ["contacts"]
    assert [p for p in PROCESSES if "CHECKPOINT_PRIVATE_KEY" in told[p]] == ["audit"]
    assert "DATABASE_URL" not in told["gateway"]
    assert len({told[p]["SERVICE_SECRET"] for p in PROCESSES}) == len(PROCESSES)
    assert not [p for p in PROCESSES if "superuser" in str(told[p])]
    for process in PROCESSES:
        assert Settings.read(told[process]).service == process
