"""`liaison audit`: its output and exit code, on clean trails and on altered ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.audit import audit
from tests.integration.audit.conftest import START, Sender, Trail
from tests.support.keys import new_signing_key, public_keys, public_pem_of


@pytest.fixture
def command(own_trail: Trail, tmp_path: Path) -> Callable[..., Result]:
    key = tmp_path / "key"
    key.write_text(public_pem_of(own_trail.key) + "\n")
    services = tmp_path / "services"
    services.write_text(public_keys())

    def run(*arguments: str, database: bool = True, witness: bool = True) -> Result:
        name, *rest = arguments
        places = ["--key", str(key), "--origin", own_trail.key.name, "--data", str(tmp_path / "none"), "--services", str(services)]
        places += ["--database", own_trail.addresses.runtime] if database else []
        places += ["--witness", str(own_trail.witness.path)] if witness else []
        return CliRunner().invoke(audit, [name, *places, *rest])

    return run


def extend(trail: Trail, sender: Sender, *sizes: int, sign: bool = True) -> None:
    with trail.leading() as sequencer:
        for size in sizes:
            sequencer.take(sender.entries(size), now=START)
            if sign:
                sequencer.sign(now=START)


@pytest.mark.requirement("R124", "R126", "N2")
def test_a_clean_trail_verifies(own_trail: Trail, sender: Sender, command: Callable[..., Result]) -> None:
    extend(own_trail, sender, 29, 40)
    result = command("verify")
    assert result.exit_code == 0, result.output
    assert "Verified: 70 entries of 1 streams" in result.output
    assert "The trail verifies." in result.output
    report = json.loads(command("verify", "--json").stdout)
    assert (report["ok"], report["entries"], report["size"], report["first_bad"]) == (True, 70, 70, None)
    assert command("verify", witness=False).exit_code == 0


@pytest.mark.requirement("R124", "R126", "N2")
def test_an_altered_entry_is_named_and_the_command_fails(own_trail: Trail, sender: Sender, command: Callable[..., Result]) -> None:
    extend(own_trail, sender, 29, 40)
    own_trail.sql("UPDATE trail SET body = replace(body, '\"ICE\"', '\"ICD\"') WHERE position = 42")
    result = command("verify")
    assert result.exit_code == 1
    assert "First bad entry: 42." in result.output
    report: dict[str, Any] = json.loads(command("verify", "--json").stdout)
    assert (report["ok"], report["first_bad"]["position"]) == (False, 42)


def test_entries_that_no_checkpoint_covers_in_time_fail(own_trail: Trail, sender: Sender, command: Callable[..., Result]) -> None:
    extend(own_trail, sender, 29)
    extend(own_trail, sender, 5, sign=False)
    result = command("verify", "--wait", "0.3")
    assert result.exit_code == 1
    assert "Waiting for a checkpoint that covers the newest 5 entries." in result.output
    assert "First bad entry: 30." in result.output
    assert command("checkpoint", "--wait", "0.3").exit_code == 1


def test_a_trail_without_any_checkpoint_does_not_verify(own_trail: Trail, command: Callable[..., Result]) -> None:
    assert command("verify", "--wait", "0").exit_code == 1


@pytest.mark.requirement("N2")
def test_an_exported_trail_verifies_without_the_database(own_trail: Trail, sender: Sender, command: Callable[..., Result], tmp_path: Path) -> None:
    extend(own_trail, sender, 29, 40)
    file = tmp_path / "entries.jsonl"
    assert command("export", str(file)).exit_code == 0
    assert command("verify", "--entries", str(file), database=False).exit_code == 0
    lines = file.read_text().splitlines(keepends=True)
    for altered, expected in [(lines[:-1], 69), (lines[:12] + lines[13:], 12), ([*lines[:5], lines[5].replace("ICE", "ICD"), *lines[6:]], 5)]:
        file.write_text("".join(altered))
        result = command("verify", "--json", "--entries", str(file), database=False)
        assert (result.exit_code, json.loads(result.stdout)["first_bad"]["position"]) == (1, expected)
    file.write_text("nonsense\n")
    result = command("verify", "--entries", str(file), database=False)
    assert result.exit_code == 1
    assert "line 1 is no exported entry" in result.output


@pytest.mark.requirement("N2")
def test_proofs_and_checkpoints_are_printed(own_trail: Trail, sender: Sender, command: Callable[..., Result]) -> None:
    extend(own_trail, sender, 29, 40)
    note = command("checkpoint").stdout
    assert own_trail.key.verifier.checkpoint(note).size == 70
    assert json.loads(command("checkpoint", "--json").stdout)["size"] == 70
    result = command("prove", "41")
    assert result.exit_code == 0, result.output
    assert "Entry 41 is in the trail of 70 entries" in result.stdout
    assert command("prove", "--first", "30", "--second", "70").exit_code == 0
    assert json.loads(command("prove", "--json", "3").stdout)["size"] == 30
    for arguments in (["prove", "70"], ["prove", "--first", "31", "--second", "70"], ["prove"], ["prove", "1", "--first", "2"]):
        assert command(*arguments).exit_code != 0
    own_trail.sql("UPDATE trail SET body = replace(body, '\"ICE\"', '\"ICD\"') WHERE position = 41")
    assert "not proven" in command("prove", "41").output


def test_what_cannot_be_read_is_said_in_a_sentence(own_trail: Trail, tmp_path: Path) -> None:
    runner = CliRunner()
    services = tmp_path / "services"
    services.write_text(public_keys())
    for arguments, sentence in [
        (["verify", "--data", str(tmp_path / "none")], "There is no public key"),
        (["verify", "--key", "nonsense+x", "--data", str(tmp_path / "none")], "There is no system in"),
        (
            ["verify", "--key", public_pem_of(own_trail.key), "--database", "postgresql://nobody@127.0.0.1:1/none"],
            "There are no public keys of the services",
        ),
        (
            ["verify", "--key", public_pem_of(own_trail.key), "--services", str(services), "--database", "postgresql://nobody@127.0.0.1:1/none"],
            "database cannot be read",
        ),
    ]:
        result = runner.invoke(audit, arguments)
        assert result.exit_code == 1
        assert sentence in result.output, result.output
    other = new_signing_key(own_trail.key.name)
    given = ["--key", public_pem_of(other), "--services", str(services), "--database", own_trail.addresses.runtime]
    result = runner.invoke(audit, ["verify", "--wait", "0", *given])
    assert result.exit_code == 1
    assert "No checkpoint verifies" in result.output
