"""What compose.yaml would start, started here: each command with its very environment, against servers of our own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from deploy.certificates import AUTHORITY, certify
from deploy.init import read_env, write_secrets
from deploy.postgres import ServerFailed
from deploy.secrets import Secrets
from tests.builders import an_individual
from tests.compose import ROOT, Composition, closed_broker, closed_server, lay_out
from tests.journeys.client import Person
from tests.support import eventually
from tests.support.postgres import FAST, DisposableServer
from tests.support.rabbitmq import _free_port, start_node
from tests.system import ONE_PASSWORD, kept_of_sign_ins

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(300)]

#: A container's environment is its own: of ours, only what finds programs goes along.
_PATH = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}


class Up:
    """The composition as processes here: its secrets from `liaison init`, its paths and ports moved.

    Every way is TLS as it is there. Only where this machine has no PostgreSQL with TLS, its way is plain.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = folder / "secrets"
        self.port = _free_port()
        self.composition = Composition({**read_env(ROOT / "deploy" / ".env.example"), "INTEGRATIONS": "ICE", "OPERATOR": "olga"})
        self.postgres_port = _free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # Keys are given to the servers' own users, who come through no folder of pytest's.
        self._laid_out = Path(tempfile.mkdtemp(prefix="liaison-tls-"))
        self._laid_out.chmod(0o755)
        self._write_secrets("127.0.0.1:5671")
        lay_out(self.secrets, "broker", self._laid_out / "broker")
        self.broker = start_node(tls=self._laid_out / "broker", settings=closed_broker())
        self._write_secrets(f"127.0.0.1:{self.broker.tls_port}")
        password = (self.secrets / "postgres_password").read_text().strip()
        try:
            programs, settings = closed_server(self.secrets, self._laid_out / "postgres")
        except ServerFailed:
            programs, settings = None, {}
            for file in self.secrets.glob("database_url*"):
                file.write_text(file.read_text().replace("sslmode=verify-full", "sslmode=disable"))
        self.postgres = DisposableServer(
            folder / "postgres", password, programs=programs, settings={**FAST, **settings}, port=self.postgres_port
        ).start()
        definitions = self.broker.folder / "definitions.json"
        shutil.copyfile(self.secrets / "broker_definitions", definitions)
        definitions.chmod(0o644)
        self.broker.control("import_definitions", str(definitions))
        for name in ("witness", "erased"):
            (folder / name).mkdir()

    def _write_secrets(self, broker: str) -> None:
        authority = str(self.secrets / AUTHORITY)
        write_secrets(self.secrets, integrations="ICE", postgres=f"127.0.0.1:{self.postgres_port}", broker=broker, authority=authority)

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def environment(self, name: str) -> dict[str, str]:
        def moved(value: str) -> str:
            if value == "/tmp/healthy":
                return str(self.folder / f"{name}.healthy")
            moved = value.replace("/var/lib/liaison", str(self.folder)).replace("0.0.0.0", "127.0.0.1")
            return moved.replace("https://gateway:8080", self.base)

        environment = self.composition.mapped(name, secrets=self.secrets, moved=moved)
        if "LISTEN_PORT" in environment:
            environment["LISTEN_PORT"] = str(self.port)
        return {**_PATH, **environment}

    def run(self, name: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a service that does one thing and ends."""
        service = self.composition.services[name]
        command = [*service.get("entrypoint", ()), *(words or service["command"])]
        return subprocess.run(
            _here(command), cwd=ROOT, env={**self.environment(name), **more}, capture_output=True, text=True, timeout=120, check=False
        )

    def spawn(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                _here(self.composition.services[name]["command"]),
                cwd=ROOT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def is_healthy(self, name: str) -> bool:
        """Run the container's health check."""
        if self.processes[name].poll() is not None:
            raise RuntimeError(f"{name} ended: {(self.folder / f'{name}.log').read_text()[-3000:]}")
        word, *command = self.composition.services[name]["healthcheck"]["test"]
        assert word == "CMD"
        return subprocess.run(_here(command), cwd=ROOT, env=self.environment(name), capture_output=True, timeout=30, check=False).returncode == 0

    def down(self) -> dict[str, int]:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        ended = {}
        for name, process in self.processes.items():
            try:
                ended[name] = process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                ended[name] = process.wait()
        self.processes = {}
        return ended

    def clear(self) -> None:
        self.down()
        self.broker.stop()
        self.postgres.forget()
        shutil.rmtree(self._laid_out)


def _here(command: list[str]) -> list[str]:
    return [sys.executable if word == "python" else word for word in command]


@pytest.fixture(scope="module")
def up(rabbitmq_is_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    system = Up(tmp_path_factory.mktemp("compose"))
    # What the tests themselves ask over HTTP believes the same authority.
    patched = pytest.MonkeyPatch()
    patched.setenv("REQUESTS_CA_BUNDLE", str(system.secrets / AUTHORITY))
    try:
        migrated = system.run("migrate")
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr
        for name in system.composition.processes():
            system.spawn(name)
        for name in system.composition.processes():
            eventually(lambda name=name: system.is_healthy(name), seconds=90, why=f"{name} is healthy")
        yield system
    finally:
        patched.undo()
        system.clear()


@pytest.fixture(scope="module")
def amina(up: Up) -> Person:
    """Entered by an operator, as docs/operating.md says."""
    added = up.run(
        "operator", "users", "add", "amina", "--name", "Amina Farouk", "--component", "ICE", "--level", "contributor", "--complete",
        PASSWORD="correct horse battery staple",
    )  # fmt: skip
    assert added.returncode == 0, added.stdout + added.stderr
    return Person(up.base).sign_in({"username": "amina", "password": "correct horse battery staple"})


@pytest.mark.requirement("R1", "R15")
def test_every_process_comes_up_with_what_compose_gives_it_and_does_its_part(up: Up, amina: Person) -> None:
    made = amina.post("/individuals", an_individual(last_name="Composita"))
    assert amina.get(f"/individuals/{made['id']}")["last_name"] == "Composita"
    issue = amina.post("/issues", {"name": "Composition", "priority": "immigration"})["id"]
    assert amina.get(f"/issues/{issue}")["name"] == "Composition"
    removed = eventually(
        lambda: (answer := amina.ask("DELETE", f"/individuals/{made['id']}", headers={"If-Match": _tag(amina, made)}, json={"reason": "mistake"}))
        .status_code == 202 and answer.json(),
        why="a record may be deleted",
    )  # fmt: skip
    eventually(lambda: amina.get(f"/erasures/{removed['erasure_id']}")["state"] == "done", seconds=60, why="retention drives the erasure")
    assert (up.folder / "erased" / "erased").read_text().strip()


def _tag(person: Person, made: dict[str, str]) -> str:
    return person.ask("GET", f"/individuals/{made['id']}", expect=200).headers["ETag"]


@pytest.mark.requirement("R123")
def test_the_operator_verifies_the_trail(up: Up, amina: Person) -> None:
    amina.get("/individuals")
    verified = up.run("operator", "audit", "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    told = json.loads(verified.stdout)
    assert told["checkpoints"] > 0
    assert (up.folder / "witness" / "checkpoints").stat().st_size


@pytest.mark.requirement("R125")
def test_the_operator_lists_accounts_and_dead_letters_under_a_name_that_is_in_the_trail(up: Up, amina: Person) -> None:
    listed = up.run("operator", "users", "list", "--json")
    assert [user["username"] for user in json.loads(listed.stdout)] == ["amina"]
    listed = up.run("operator", "dead-letters", "list")
    assert (listed.returncode, listed.stdout) == (0, "There are no dead letters.\n"), listed.stderr
    exported = up.run("operator", "audit", "export", "-")
    acts = [json.loads(json.loads(line)["body"]) for line in exported.stdout.splitlines() if json.loads(line)["body"]]
    assert {act["action"] for act in acts if act.get("actor") == "olga"} >= {"access:user:create"}


def _examined(up: Up) -> tuple[int, dict[str, dict[str, object]]]:
    told = up.run("operator", "doctor", "--json")
    return told.returncode, {finding["subject"]: finding for finding in json.loads(told.stdout)}


def test_the_doctor_examines_this_deployment_and_not_the_one_in_one_process(up: Up, amina: Person) -> None:
    amina.get("/individuals")
    status, found = _examined(up)
    assert [finding for finding in found.values() if not finding["good"]] == []
    assert status == 0
    services = {"access", "contacts", "interactions", "audit", "retention"}
    assert {"secrets", "certificates", "database", "clock", "schema", "checkpoints", "broker", "dead-letters", "gateway"} | services <= set(found)
    said = " ".join(str(finding["sentence"]) for finding in found.values())
    assert "in this process" not in said
    assert "will be made" not in said
    assert "FAIL" not in up.run("operator", "doctor").stdout


def test_the_doctor_says_what_is_wrong(up: Up, amina: Person) -> None:
    key = up.secrets / "cursor_key"
    queue = "interactions.inbox.retry-60s"

    def broken(subject: str, sentence: str) -> None:
        status, found = _examined(up)
        assert status == 1
        assert not found[subject]["good"]
        assert sentence in str(found[subject]["sentence"])

    up.processes["interactions"].send_signal(signal.SIGTERM)
    up.processes["interactions"].wait(30)
    broken("interactions", "nobody takes its calls")
    (up.folder / "interactions.healthy").unlink()
    up.spawn("interactions")
    eventually(lambda: (up.folder / "interactions.healthy").exists() and up.is_healthy("interactions"), seconds=60, why="it is back")
    kept = key.read_text()
    key.unlink()
    broken("secrets", "missing: cursor_key")
    key.write_text(kept)
    key.chmod(0o600)
    up.broker.control("delete_queue", "-p", "liaison", queue)
    broken("broker", f"not declared: {queue}")
    assert up.run("migrate").returncode == 0
    with psycopg.connect(up.postgres.url.set(drivername="postgresql", database="liaison_access").render_as_string(hide_password=False)) as sql:
        sql.execute("ALTER TABLE users ADD COLUMN shoe_size integer")
        sql.commit()
        broken("schema", "liaison_access")
        told = up.run("operator", "doctor")
        assert told.returncode == 1
        (line,) = [line for line in told.stdout.splitlines() if "FAIL" in line]
        assert "liaison_access" in line
        sql.execute("ALTER TABLE users DROP COLUMN shoe_size")
        # A database of another history is another version's; before the first release there is one revision.
        (newest,) = sql.execute("SELECT version_num FROM alembic_version").fetchall()
        for stamped in ("0013", "9999"):
            sql.execute("UPDATE alembic_version SET version_num = %s", [stamped])
            sql.commit()
            broken("schema", "liaison_access")
        sql.execute("UPDATE alembic_version SET version_num = %s", newest)
    assert _examined(up)[0] == 0


def test_what_components_with_a_system_of_their_own_need_is_there(up: Up) -> None:
    queues = up.broker.control("list_queues", "-p", "liaison", "name").split()
    assert {"integration.ICE.submissions", "integration.ICE.replies", "integration.ICE.announcements"} <= set(queues)


def test_migrating_again_changes_nothing(up: Up) -> None:
    again = up.run("migrate")
    assert again.returncode == 0, again.stdout + again.stderr
    assert up.run("migrate", sys.executable, "-m", "deploy.cli", "migrate", "--check").returncode == 0


def test_a_password_that_was_checked_holds_no_memory(up: Up, amina: Person) -> None:
    account = {"username": amina.username, "password": "correct horse battery staple"}
    assert kept_of_sign_ins(up.base, account, up.processes["access"].pid) < ONE_PASSWORD
    # Her oldest sessions ended with the newest.
    amina.sign_in(account)


def test_health_is_what_the_process_says_and_not_that_there_is_one(up: Up) -> None:
    name = "interactions"
    up.processes[name].send_signal(signal.SIGSTOP)
    file = up.folder / f"{name}.healthy"
    try:
        os.utime(file, (file.stat().st_mtime - 40,) * 2)
        assert not up.is_healthy(name)
    finally:
        up.processes[name].send_signal(signal.SIGCONT)
    eventually(lambda: up.is_healthy(name), seconds=30, why="it says so again")


@pytest.mark.requirement("R15")
def test_whoever_shows_another_certificate_is_sent_nothing(up: Up, amina: Person) -> None:
    another = up.folder / "another"
    certify(Secrets(another), {"gateway": ["gateway"]})
    authority = str(another / AUTHORITY)
    refused = up.run("operator", "doctor", "--json", BROKER_AUTHORITY_FILE=authority, SSL_CERT_FILE=authority)
    found = {finding["subject"]: finding for finding in json.loads(refused.stdout)}
    for subject in ("broker", "gateway"):
        assert not found[subject]["good"]
        assert "certificate verify failed" in found[subject]["sentence"]


def test_the_brokers_health_is_that_it_listens(up: Up) -> None:
    word, *command = up.composition.services["broker"]["healthcheck"]["test"]
    assert word == "CMD"

    def status(port: int) -> int:
        moved = [part.replace("/5671", f"/{port}") for part in command]
        return subprocess.run(moved, capture_output=True, timeout=10, check=False).returncode

    assert status(up.broker.tls_port) == 0
    assert status(_free_port()) != 0


def test_asked_to_stop_every_process_stops(up: Up) -> None:
    """The last one: it leaves nothing running."""
    assert requests.get(f"{up.base}/health/ready", timeout=10).status_code == 200
    assert set(up.down().values()) == {0}
