"""`liaison` as a person types it: every help, every error in a sentence, and accounts and files brought in by it alone."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from deploy.cli import ELSEWHERE, main
from tests.journeys.client import Person
from tests.spellings import HOPE, VALUES
from tests.support import eventually
from tests.system import Embedded

ROOT = Path(__file__).parents[3]
LIAISON = [sys.executable, "-m", "deploy.cli"]
PASSWORD = "correct horse battery staple"
_OURS = ("DATABASE_URL", "BROKER_URL", "SECRETS", "DATA", "PASSWORD", "OPERATOR", "GATEWAY")


def liaison(*words: str, given: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command; its standard input is no terminal."""
    inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
    return subprocess.run(
        [*LIAISON, *words], cwd=ROOT, env={**inherited, **environ}, input=given or "", capture_output=True, text=True, timeout=120, check=False
    )


def _commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from _commands(found, (*words, name))


EVERY = list(_commands(main))


@pytest.mark.parametrize("words", [words for words in EVERY if len(words) <= 1], ids=" ".join)
def test_every_command_has_a_help(words: tuple[str, ...]) -> None:
    told = liaison(*words, "--help")
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("Usage: ")
    assert told.stderr == ""


@pytest.mark.parametrize("words", [words for words in EVERY if len(words) > 1], ids=" ".join)
def test_every_command_of_a_group_has_a_help(words: tuple[str, ...]) -> None:
    # The group was loaded in a process of its own above.
    told = CliRunner().invoke(main, [*words, "--help"])
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("Usage: ")
    assert told.stderr == ""


def test_alone_it_says_what_there_is() -> None:
    told = liaison()
    assert "Traceback" not in told.stderr
    for name in (*ELSEWHERE, "run", "migrate", "doctor"):
        assert re.search(rf"^  {name} ", told.stdout + told.stderr, re.MULTILINE), name


def _is_a_sentence(told: subprocess.CompletedProcess[str]) -> None:
    assert told.returncode not in (0, None), told.stdout
    assert "Traceback" not in told.stderr, told.stderr
    assert "made a mistake" not in told.stderr, told.stderr
    assert re.search(r"^Error: \S.+", told.stderr, re.MULTILINE), told.stderr


#: What goes wrong with each command, as it does for people; {tmp} is an empty folder.
WRONG = [
    ["no-such-command"],
    ["run", "--port", "99999999"],
    ["run", "--data", "/proc/nowhere", "--port", "0"],
    ["migrate"],
    ["migrate", "--secrets", "{tmp}"],
    ["doctor", "--no-such-option"],
    ["audit"],
    ["audit", "verify", "--data", "{tmp}"],
    ["audit", "prove", "--data", "{tmp}"],
    ["audit", "prove", "1", "--data", "{tmp}"],
    ["audit", "checkpoint", "--data", "{tmp}"],
    ["audit", "export", "-", "--data", "{tmp}"],
    ["audit", "verify", "--key", "no key", "--database", "postgresql://nobody@127.0.0.1:1/x"],
    ["conformance", "extra"],
    ["init", "--secrets", "/proc/nowhere"],
    ["dead-letters", "list", "--data", "/proc/nowhere"],
    ["dead-letters", "show", "no.such.queue", "x"],
    ["users", "list", "--data", "{tmp}"],
    ["users", "add", "dov", "--data", "{tmp}"],
    ["users", "add", "dov", "--name", "Dov", "--component", "ICE", "--data", "{tmp}"],
    ["users", "approve", "dov", "--data", "{tmp}"],
    ["users", "license", "dov", "--until", "someday", "--data", "{tmp}"],
    ["users", "train", "dov", "--course", "dancing", "--data", "{tmp}"],
    ["users", "close", "dov", "--data", "{tmp}"],
    ["users", "open", "dov", "--data", "{tmp}"],
    ["users", "password", "dov", "--password-file", "{tmp}/none", "--data", "{tmp}"],
    ["users", "demonstration", "{tmp}/file", "--data", "{tmp}"],
    ["import"],
    ["import", "{tmp}/none.csv", "--url", "http://127.0.0.1:1", "--user", "amina"],
    ["import", "README.md", "--url", "not an address", "--user", "amina", "--password-file", "README.md"],
]


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_goes_wrong_is_told_in_a_sentence(words: list[str], tmp_path: Path) -> None:
    told = liaison(*(word.format(tmp=tmp_path) for word in words))
    if words == ["audit"]:
        assert told.returncode != 0
        assert "Traceback" not in told.stderr
        return
    _is_a_sentence(told)


@pytest.mark.parametrize("words", [["users", "list"], ["users", "approve", "dov"], ["doctor"], ["migrate"]], ids=" ".join)
def test_a_server_that_does_not_answer_is_told_in_a_sentence(words: list[str], tmp_path: Path) -> None:
    assert liaison("init", "--secrets", str(tmp_path / "secrets"), "--env", str(tmp_path / "env")).returncode == 0
    away = {"DATABASE_URL": "postgresql://postgres:x@127.0.0.1:1/postgres", "BROKER_URL": "amqp://nobody:x@127.0.0.1:1//", "OPERATOR": "olga"}
    told = liaison(*words, "--secrets", str(tmp_path / "secrets"), **away)
    if words == ["doctor"]:
        assert told.returncode == 1
        assert "Traceback" not in told.stderr
        assert "FAIL  database: The database does not answer" in told.stdout
        assert "FAIL  broker: " in told.stdout
        return
    _is_a_sentence(told)


def test_doctor_examines_a_system_in_one_process_without_secrets(tmp_path: Path) -> None:
    told = liaison("doctor", "--data", str(tmp_path), "--json")
    findings = json.loads(told.stdout)
    assert {"python", "broker", "folder", "room"} <= {finding["subject"] for finding in findings}
    assert told.returncode == (0 if all(finding["good"] for finding in findings) else 1)


# ------------------------------------------------------------------ a new system, from nothing


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A system that was started empty."""
    system = Embedded(tmp_path_factory.mktemp("empty") / "data", seed="none").start()
    yield system
    if system.process and system.process.poll() is None:
        system.stop()


def _first_account(system: Embedded) -> list[str]:
    """Return the command that the start prints, as it prints it."""
    assert system.process
    assert system.process.stdout
    assert system.process.stdout.readline().startswith("Nobody can sign in yet. Make the first account")
    return shlex.split(system.process.stdout.readline())


def _can_sign_in(system: Embedded, username: str, password: str = PASSWORD) -> Person:
    def try_it() -> Person | None:
        answer = Person(system.base).ask("POST", "/sessions", json={"username": username, "password": password})
        return Person(system.base).sign_in({"username": username, "password": password}) if answer.status_code == 201 else None

    return eventually(try_it, seconds=20, why=f"{username} can sign in")


@pytest.mark.requirement("R177")
def test_an_empty_system_says_how_the_first_account_is_made_and_that_works_as_it_stands(new: Embedded) -> None:
    command = _first_account(new)
    made = subprocess.run(command, cwd=ROOT, env={**os.environ, "PASSWORD": PASSWORD}, capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    assert "first can sign in." in made.stdout
    assert _can_sign_in(new, "first").get("/sessions/current")["user"]["level"] == "steward"


@pytest.mark.requirement("R178", "R179", "R184", "R185", "N14")
def test_an_account_is_brought_to_work_step_by_step_and_each_says_what_is_missing(new: Embedded) -> None:
    where = ("--data", str(new.data), "--operator", "olga")
    added = liaison(
        "users", "add", "amina", "--name", "Amina Farouk", "--component", "ICE", "--level", "contributor", "--password-file", "-", *where,
        given=f"{PASSWORD}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    assert PASSWORD not in added.stdout + added.stderr

    def lacking() -> set[str]:
        answer = Person(new.base).ask("POST", "/sessions", json={"username": "amina", "password": PASSWORD})
        return set() if answer.status_code == 201 else {lapse["code"] for lapse in answer.json()["lapses"]}

    left = {"license", "approval", "training-privacy", "training-computer-security", "rules-of-behavior"}
    assert lacking() == left
    for words, gone in [
        (("approve", "amina"), {"approval"}),
        (("license", "amina", "--until", "2099-12-31"), {"license"}),
        (("train", "amina", "--course", "privacy"), {"training-privacy"}),
        (("train", "amina", "--course", "computer_security"), {"training-computer-security"}),
    ]:
        done = liaison("users", *words, *where)
        assert done.returncode == 0, done.stderr
        left -= gone
        assert lacking() == left, words
        assert "cannot sign in yet" in done.stdout
        assert len(re.findall(r"\(liaison users \w+ amina\)", done.stdout)) == len(left)
    done = liaison("users", "train", "amina", *where)
    assert done.stdout.endswith("amina can sign in.\n"), done.stdout + done.stderr
    _can_sign_in(new, "amina")
    for words in (("approve", "nobody"), ("license", "amina", "--until", "2001-01-01"), ("train", "amina", "--on", "2099-01-01")):
        _is_a_sentence(liaison("users", *words, *where))


def test_a_password_comes_from_a_file_or_a_terminal_and_is_never_shown(new: Embedded, tmp_path: Path) -> None:
    where = ("--data", str(new.data), "--operator", "olga")
    file = tmp_path / "password"
    file.write_text("another long password\r\n")
    assert liaison("users", "password", "first", "--password-file", str(file), *where).returncode == 0
    _can_sign_in(new, "first", "another long password")
    for content in ("", "\n", "two\nlines\n", "short\n"):
        file.write_text(content)
        _is_a_sentence(liaison("users", "password", "first", "--password-file", str(file), *where))
    _is_a_sentence(liaison("users", "password", "first", "--password", PASSWORD, *where))

    shown = b""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [*LIAISON, "users", "password", "first", *where])
    for question in (b"Password: ", b"Repeat for confirmation: "):
        while question not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, PASSWORD.encode() + b"\n")
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:
        pass
    assert os.waitpid(pid, 0)[1] == 0, shown
    assert PASSWORD.encode() not in shown
    _can_sign_in(new, "first")


# ------------------------------------------------------------------ liaison import

CSV = "First Name,Last Name,Company,E-mail,Race\nAda,Commandline,Harbor Trust,ada.commandline@example.org,x\nBo,Commandline,Harbor Trust,,x\n"


def _import(system: Embedded, *words: str, given: str = f"{PASSWORD}\n") -> subprocess.CompletedProcess[str]:
    return liaison("import", "--url", system.base, "--user", "first", "--password-file", "-", *words, given=given)


@pytest.mark.requirement("R77", "R78", "R105")
def test_a_file_is_imported_from_the_command_line(new: Embedded, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    unaccepted = _import(new, str(file), "--yes")
    _is_a_sentence(unaccepted)
    assert "Information may be used only for DHS outreach purposes." in unaccepted.stderr
    assert "--accept-statements" in unaccepted.stderr
    first = _can_sign_in(new, "first")
    assert first.get("/imports")["items"] == [], "nothing is done before the acknowledgement"

    checked = _import(new, str(file), "--accept-statements", "--dry-run")
    assert checked.returncode == 0, checked.stderr
    assert "Information may be used only for DHS outreach purposes." in checked.stderr
    assert "  Race: REFUSED. " in checked.stdout
    assert "  E-mail: email\n" in checked.stdout
    assert "2 create" in checked.stdout
    assert first.get("/stakeholders", q="Commandline")["items"] == []
    unasked = _import(new, str(file), "--accept-statements")
    _is_a_sentence(unasked)
    assert "--resume" in unasked.stderr

    resumed = re.search(r"--resume (\S+)", unasked.stderr)
    assert resumed
    done = _import(new, "--resume", resumed[1], "--accept-statements", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert (told["state"], told["undecided"], told["counts"]["create"]) == ("committed", 0, 2)
    eventually(lambda: len(first.get("/stakeholders", q="Commandline")["items"]) == 2, why="they are found")
    assert all(entry["state"] != "uploading" for entry in first.get("/imports")["items"])


def test_what_an_import_cannot_do_is_told_in_a_sentence(new: Embedded, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG")
    for words, given, said in [
        ([str(file)], "a wrong password\n", "password"),
        ([str(picture)], None, "Import an"),
        ([str(file), "--map", "Nowhere=email"], None, "There is no column Nowhere"),
        ([str(file), "--map", "Company=race"], None, "mapping"),
        (["--resume", "0190f3a4-0000-7000-8000-000000000001"], None, "no such import"),
    ]:
        told = _import(new, *words, "--accept-statements", "--yes", **({"given": given} if given else {}))
        _is_a_sentence(told)
        assert said in told.stderr, told.stderr
    away = liaison("import", str(file), "--url", "http://127.0.0.1:1", "--user", "first", "--accept-statements", "--yes", PASSWORD=PASSWORD)
    _is_a_sentence(away)
    assert "no answer from http://127.0.0.1:1" in away.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_an_import_ends_with_its_session_and_says_how_to_go_on(new: Embedded, tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "many.csv"
    file.write_text("First Name,Last Name\n" + "".join(f"Ada,{number.name.title()}{chr(97 + n % 26)}{n}\n" for n in range(20_000)))
    words = ["import", str(file), "--url", new.base, "--user", "first", "--accept-statements", "--yes"]
    environ: dict[str, Any] = {**os.environ, "PASSWORD": PASSWORD}
    # A shell that runs this in its background ignores SIGINT, and so would the command.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen([*LIAISON, *words], cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    assert process.stderr
    for line in process.stderr:
        if "checking" in line:
            break
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert "could not be ended" not in errors
    resumed = re.search(r"Stopped\. .*--resume (\S+)", errors)
    assert resumed, errors
    goes_on = _import(new, "--resume", resumed[1], "--accept-statements", "--dry-run", "--json")
    assert goes_on.returncode == 0, goes_on.stderr
    (told,) = json.loads(goes_on.stdout)
    assert told["counts"]["create"] == 20_000


def test_a_terminal_sees_a_bar_that_fills_for_each_step(new: Embedded, tmp_path: Path) -> None:
    file = tmp_path / "bar.csv"
    file.write_text("First Name,Last Name\n" + "".join(f"Bea,Barred{chr(97 + n % 26)}{n}\n" for n in range(3_000)))
    words = ["import", str(file), "--url", new.base, "--user", "first", "--accept-statements", "--yes"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ["PASSWORD"] = PASSWORD
        os.execv(sys.executable, [*LIAISON, *words])
    written = b""
    try:
        while more := os.read(terminal, 1000):
            written += more
    except OSError:
        pass
    shown = written.decode()
    assert os.waitpid(pid, 0)[1] == 0, shown
    bars = re.findall(r"\r  (\w+) +\[(#*)(\.*)\] ([\d,]+) of ([\d,]+)", shown)
    assert {step for step, *_ in bars} >= {"bytes", "checking", "committing"}, shown
    for step in ("bytes", "checking", "committing"):
        steps = [(int(done.replace(",", "")), int(of.replace(",", "")), full, empty) for name, full, empty, done, of in bars if name == step]
        assert [done for done, *_ in steps] == sorted(done for done, *_ in steps), f"{step} never goes back"
        for done, of, full, empty in steps:
            assert len(full) + len(empty) == 30
            assert len(full) == (done * 30 // of if of else 0)
    # Each bar is written over in its line, and what is said next begins a line of its own.
    assert re.search(r"of [\d,]+\r?\n  checked: 3000 create", shown), shown
    assert "  taken in: 3000 create" in shown


@pytest.mark.requirement("T25", "R78")
def test_nobody_who_asked_not_to_be_contacted_comes_back_by_the_command_line(new: Embedded, tmp_path: Path) -> None:
    # After the other imports: so many who are blocked end this user's day.
    first = _can_sign_in(new, "first")
    person = first.post("/individuals", HOPE)
    received = dt.datetime.now(dt.UTC).date().isoformat()
    first.post("/no-contact-requests", {"individual_id": person["id"], "medium": "phone", "received_on": received})
    file = tmp_path / "people.csv"
    columns = {"email": "E-mail", "cell": "Mobile", "personal_phone": "Home phone", "work_phone": "Business phone"}
    # Fewer than ten: with the tenth an import waits until the privacy officer has seen it (T35).
    values = VALUES[::9]
    with file.open("w", encoding="utf-8", newline="") as written:
        table = csv.DictWriter(written, ["First Name", "Last Name", *columns.values()])
        table.writeheader()
        for n, (kind, value) in enumerate(values):
            table.writerow({"First Name": "Some", "Last Name": f"Body{chr(98 + n // 20)}{chr(98 + n % 20)}", columns[kind]: value})
    done = _import(new, str(file), "--accept-statements", "--yes", "--json")
    (told,) = json.loads(done.stdout)
    assert {name: n for name, n in told["counts"].items() if n} == {"blocked": len(values)}


def test_accounts_can_be_made_while_the_system_is_stopped(new: Embedded) -> None:
    """The last one: it stops the system."""
    assert new.stop() == 0
    where = ("--data", str(new.data), "--operator", "olga")
    added = liaison("users", "add", "late", "--name", "Late", "--component", "ICE", "--level", "reader", "--complete", *where, PASSWORD=PASSWORD)
    assert added.returncode == 0, added.stderr
    assert json.loads(liaison("users", "list", "--json", *where).stdout)
    again = Embedded(new.data, seed="none").start()
    try:
        _can_sign_in(again, "late")
    finally:
        assert again.stop() == 0
