"""The compose file has no default password and no open port, and reads only files that `liaison init` writes."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import stat
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from deploy.broker import MAY_CALL, users
from deploy.certificates import SERVERS, certificate_file, dialled, key_file, show
from deploy.environment import PROCESSES, Installation
from deploy.init import init, read_env, write_secrets
from deploy.migrations import SERVICES, STORES
from deploy.postgres import _SETTINGS as OF_OUR_OWN_SERVER
from deploy.postgres import as_url
from deploy.secrets import Secrets
from services.chassis.config import Settings
from services.retention.domain.saga import COURSES
from tests.compose import ROOT, Composition, settings_of
from tests.support.rabbitmq import ERLANG, Node

EXAMPLE = ROOT / "deploy" / ".env.example"


@pytest.fixture(scope="module")
def composition() -> Composition:
    return Composition(read_env(EXAMPLE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "secrets"
    write_secrets(folder, integrations="ICE,PSO")
    return folder


def test_there_is_a_container_for_each_process_and_one_image(composition: Composition) -> None:
    assert set(composition.processes()) == set(PROCESSES)
    assert {service["image"] for service in composition.own.values()} == {"liaison:0.1.0"}
    for name, service in composition.processes().items():
        assert service["command"] == ["python", "-m", name if name == "gateway" else f"services.{name}"]
        assert service["healthcheck"]["test"]
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.requirement("R15", "R148")
def test_only_the_gateway_publishes_a_port_and_only_on_loopback(composition: Composition) -> None:
    published = {name: service["ports"] for name, service in composition.services.items() if service.get("ports")}
    assert published == {"gateway": ["127.0.0.1:8080:8080"]}
    # Whatever is not the gateway is in networks without a way out.
    for name, service in composition.services.items():
        outside = [network for network in service["networks"] if not composition.networks[network].get("internal")]
        assert outside == (["front"] if name == "gateway" else []), name
    assert "data" not in composition.services["gateway"]["networks"], "the gateway reaches no database"
    assert not [name for name, service in composition.services.items() if "network_mode" in service or "privileged" in service]


def test_images_are_pinned_to_a_version(composition: Composition) -> None:
    images = {service["image"] for service in composition.services.values()}
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
    images |= set(re.findall(r"^ARG PYTHON_IMAGE=(\S+)", dockerfile, re.MULTILINE))
    assert images == {"liaison:0.1.0", "postgres:18", "rabbitmq:4-management", "python:3.11-slim-bookworm"}
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]
    assert "--require-hashes" in dockerfile


#: Where an operator may say a digest in place of a tag.
PULLED = {
    "LIAISON_POSTGRES_IMAGE": "postgres@sha256:" + "1" * 64,
    "LIAISON_BROKER_IMAGE": "rabbitmq@sha256:" + "2" * 64,
    "LIAISON_PYTHON_IMAGE": "python@sha256:" + "3" * 64,
}


@pytest.mark.requirement("R15")
def test_every_image_that_is_pulled_is_the_one_whose_digest_an_operator_sets() -> None:
    composition = Composition({**read_env(EXAMPLE), **PULLED})
    pulled = {service["image"] for name, service in composition.services.items() if name not in composition.own}
    built = {service["build"]["args"]["PYTHON_IMAGE"] for service in composition.own.values()}
    assert pulled | built == set(PULLED.values())


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not here, so the file was not read by it")
def test_docker_compose_reads_the_file_and_the_digests() -> None:
    command = ["docker-compose", "--env-file", str(EXAMPLE), "-f", str(ROOT / "deploy" / "compose.yaml"), "--profile", "operator", "config"]
    told = subprocess.run(command, env={**os.environ, **PULLED}, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
    read = yaml.safe_load(told.stdout)["services"]
    assert {service["image"] for service in read.values() if "build" not in service} == {
        PULLED["LIAISON_POSTGRES_IMAGE"],
        PULLED["LIAISON_BROKER_IMAGE"],
    }
    assert {service["build"]["args"]["PYTHON_IMAGE"] for service in read.values() if "build" in service} == {PULLED["LIAISON_PYTHON_IMAGE"]}
    for name, service in read.items():
        assert service["mem_limit"], name
        assert service["read_only"], name


#: What the official images need of root to become their own user; they have it until then.
_TO_BECOME_ITS_USER = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
_GIB = {"m": 1 / 1024, "g": 1.0}


@pytest.mark.requirement("R15")
def test_every_container_can_do_little(composition: Composition) -> None:
    for name, service in composition.services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == ([] if name in composition.own else _TO_BECOME_ITS_USER), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        size, unit = int(service["mem_limit"][:-1]), service["mem_limit"][-1]
        assert 0.25 <= size * _GIB[unit] <= 2, name
        assert 100 <= service["pids_limit"] <= 400, name
        assert not [key for key in ("devices", "pid", "ipc", "userns_mode", "sysctls") if key in service], name
        # What is mounted into it from here, it cannot change; but one writes new secrets, while it is asked to.
        changeable = [volume for volume in service.get("volumes", ()) if volume.startswith((".", "/")) and not volume.endswith(":ro")]
        assert changeable == (["./secrets:/run/secrets"] if name == "keys" else []), name
    assert re.search(r"^USER \$\{LIAISON_UID\}:", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.requirement("R15")
def test_there_is_no_password_in_any_of_the_files(composition: Composition) -> None:
    secret = re.compile(r"PASSWORD|SECRET|KEY|_URL")
    for name in composition.services:
        for key, value in composition.environment(name).items():
            harmless = value == "" or value.startswith("/run/secrets")
            assert harmless or not secret.search(key), f"{name}: {key}"
    told = {name: value for name, value in read_env(EXAMPLE).items() if secret.search(name)}
    assert told == {}
    for file in (ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "rabbitmq" / "liaison.conf", EXAMPLE, ROOT / "deploy" / "compose.yaml"):
        assert not re.search(r"(?i)\b(guest|changeme|secret123|default_pass)\b *[:=]", file.read_text()), file


def test_every_secret_that_is_referred_to_is_written_by_init(composition: Composition, folder: Path) -> None:
    used = {secret for service in composition.services.values() for secret in service.get("secrets", ())}
    assert used == set(composition.secrets), "each is declared, and each that is declared is used"
    for secret in composition.secrets.values():
        assert secret["file"].startswith("./secrets/")
        assert (folder / secret["file"].removeprefix("./secrets/")).read_text().strip()
    for name in composition.own:
        composition.mapped(name, secrets=folder)


@pytest.mark.requirement("R15")
def test_each_process_is_told_what_the_one_in_a_single_process_is_told_and_nothing_else(composition: Composition, folder: Path) -> None:
    addresses = {f"/run/secrets/broker_url_{name}" for name in PROCESSES}
    for name in PROCESSES:
        installation = Installation(
            secrets=Secrets(folder),
            server=as_url(Secrets(folder)["database_url"]),
            broker="",
            checkpoints=Path("/var/lib/liaison/witness/checkpoints"),
            erased_ids=Path("/var/lib/liaison/erased/erased"),
            host="0.0.0.0",
            # By which the operator's container asks.
            hosts="gateway,",
        )
        wanted = installation.environment_of(name)
        del wanted["SERVICE"], wanted["BROKER_URL"]
        settings = Settings.read(composition.mapped(name, secrets=folder), service=name)
        read = {key: getattr(settings, key.lower()) for key in wanted}
        assert {key: str(value).replace("True", "true") for key, value in read.items()} == {
            key: value.replace("postgresql+psycopg:", "postgresql:") if key.endswith("DATABASE_URL") else value for key, value in wanted.items()
        }
        given = {value for value in composition.environment(name).values() if value.startswith("/run/secrets/")}
        assert given & addresses == {f"/run/secrets/broker_url_{name}"}
        told = {key.removesuffix("_FILE") if value.startswith("/run/") else key for key, value in composition.environment(name).items()}
        everywhere = {"BROKER_URL", "BROKER_AUTHORITY", "LOG_LEVEL", "LOG_FORMAT", "WORKERS", "POOL_SIZE", "CALL_DEADLINE", "HEALTH_FILE"}
        everywhere |= {"MALLOC_MMAP_THRESHOLD", "GC_THRESHOLD", "SWITCH_INTERVAL"}
        tuned = {"LOOKUPS_OF_CONTRIBUTOR", "LOOKUPS_OF_STEWARD"} if name == "contacts" else set()
        # In one process everything is on loopback, or in memory.
        hops = {"LISTEN_CERTIFICATE", "LISTEN_KEY"} if name == "gateway" else set()
        assert told - everywhere - tuned - hops == set(wanted), name


AUTHORITY = "/run/secrets/tls_authority"


@pytest.mark.requirement("R15")
def test_every_address_leads_to_a_service_of_the_file_with_tls_and_a_name_that_is_checked(composition: Composition, folder: Path) -> None:
    files = list(folder.glob("*_url*"))
    for file in files:
        url = make_url(file.read_text().strip())
        assert url.host in composition.services, file.name
        if url.drivername == "postgresql":
            # Not `require`, which takes any certificate, nor `verify-ca`, which takes any name.
            assert dict(url.query) == {"sslmode": "verify-full", "sslrootcert": AUTHORITY}, file.name
        else:
            assert (url.drivername, url.port) == ("amqps", 5671), file.name
    assert len(files) == len(STORES) + len(PROCESSES) + 3, "the superuser's, the deployer's and the operator's beside them"


@pytest.mark.requirement("R15")
def test_whoever_dials_is_given_the_authority_and_says_so_of_every_kind_of_server(composition: Composition, folder: Path) -> None:
    dialling = [name for name in composition.own if "BROKER_URL_FILE" in composition.environment(name)]
    assert set(dialling) == {name for name, service in composition.own.items() if "bus" in service["networks"]}
    for name in composition.own:
        assert composition.secret_file(name, "tls_authority") == "tls_authority", name
    for name in dialling:
        told = composition.environment(name)
        assert told["BROKER_AUTHORITY_FILE"] == AUTHORITY, name
    # Nowhere in the file is there an address without TLS.
    assert re.findall(r"\b(?:http|amqp|postgres|postgresql|redis|ldap)://", composition.text) == []
    operator = composition.environment("operator")
    assert (operator["GATEWAY"], operator["SSL_CERT_FILE"]) == ("https://gateway:8080", AUTHORITY)


@pytest.mark.requirement("R15")
def test_each_server_is_given_its_own_key_and_nobody_else_has_it(composition: Composition, folder: Path) -> None:
    for server in SERVERS:
        given = [name for name, service in composition.services.items() if key_file(server) in service.get("secrets", ())]
        assert given == [server]
    assert "tls_authority_key" not in composition.secrets
    assert {f.server: f.fault for f in show(folder, dialled(folder))} == dict.fromkeys(SERVERS, "")
    told = composition.environment("gateway")
    assert told["LISTEN_CERTIFICATE_FILE"] == f"/run/secrets/{certificate_file('gateway')}"
    assert told["LISTEN_KEY_FILE"] == f"/run/secrets/{key_file('gateway')}"
    script = (ROOT / "deploy" / "own-tls.sh").read_text()
    for server, user, command in (("postgres", "postgres", "postgres"), ("broker", "rabbitmq", "rabbitmq-server")):
        service = composition.services[server]
        assert service["entrypoint"] == ["sh", "/etc/liaison/own-tls.sh", server, user]
        assert service["command"][0] == command
        assert "./own-tls.sh:/etc/liaison/own-tls.sh:ro" in service["volumes"]
        assert "/run/tls:size=1m,mode=0755" in service["tmpfs"]
        assert {"tls_authority", certificate_file(server), key_file(server)} <= set(service["secrets"])
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0


@pytest.mark.requirement("R15")
def test_no_server_listens_without_tls(composition: Composition) -> None:
    told = composition.server_settings()
    assert told["ssl"] == "on"
    assert (told["ssl_cert_file"], told["ssl_key_file"], told["hba_file"]) == ("/run/tls/certificate", "/run/tls/key", "/etc/liaison/pg_hba.conf")
    lines = [line.split() for line in (ROOT / "deploy" / "postgres" / "pg_hba.conf").read_text().splitlines() if line and not line.startswith("#")]
    # Whoever comes without TLS is refused, and nobody without a password.
    assert [(words[0], words[-1]) for words in lines] == [("local", "scram-sha-256"), ("hostssl", "scram-sha-256"), ("hostnossl", "reject")]
    broker = settings_of((ROOT / "deploy" / "rabbitmq" / "liaison.conf").read_text())
    listeners = {name: value for name, value in broker.items() if "listener" in name or name.endswith((".tcp", ".port"))}
    assert listeners == {"listeners.tcp": "none", "listeners.ssl.default": "5671"}
    assert {value for name, value in broker.items() if name.startswith("ssl_options.versions.")} == {"tlsv1.3", "tlsv1.2"}
    # No plugin, for each that listens would need a certificate of its own; Erlang's own talk stays within the container.
    environment = composition.environment("broker")
    assert environment["RABBITMQ_NODENAME"].endswith("@localhost")
    assert environment["ERL_EPMD_ADDRESS"] == "127.0.0.1"
    assert "inet_dist_use_interface {127,0,0,1}" in environment["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"]
    for server in ("postgres", "broker"):
        probe = " ".join(composition.services[server]["healthcheck"]["test"])
        assert "5671" in probe if server == "broker" else "sslmode=verify-full" in probe


def test_the_broker_is_told_what_the_tests_own_node_is_told(composition: Composition, tmp_path: Path) -> None:
    broker = composition.services["broker"]
    assert broker["environment"]["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] == ERLANG
    mounted = dict(volume.split(":")[:2] for volume in broker["volumes"])
    plugins = mounted["./rabbitmq/enabled_plugins"], (ROOT / "deploy" / "rabbitmq" / "enabled_plugins").read_text().splitlines()[-1]
    assert plugins == ("/etc/rabbitmq/enabled_plugins", "[].")
    node = Node(tmp_path)
    node._write_configuration()
    settings = settings_of((tmp_path / "rabbitmq.conf").read_text())
    ours = settings_of((ROOT / "deploy" / "rabbitmq" / "liaison.conf").read_text())
    assert (tmp_path / "enabled_plugins").read_text().strip() == "[]."
    # The tests' node has other users, limits and logs, and nothing else that differs.
    differing = {"load_definitions", "auth_mechanisms.1", "auth_mechanisms.2", "disk_free_limit.absolute", "log.console.level"}
    # What it has of TLS is tried in tests/integration/bus/test_tls.py.
    differing |= {name for name in ours if name.startswith(("listeners.", "ssl_options."))}
    assert {name: settings.get(name) for name in ours.keys() - differing} == {name: ours[name] for name in ours.keys() - differing}
    assert ours.keys() > differing


@pytest.mark.requirement("R148")
def test_statements_are_logged_by_no_server(composition: Composition) -> None:
    assert composition.services["postgres"]["command"][0] == "postgres"
    told = composition.server_settings()
    assert {name: value for name, value in told.items() if not name.startswith(("ssl", "hba"))} == OF_OUR_OWN_SERVER


def test_init_twice_changes_nothing_and_nobody_else_can_read_what_it_wrote(tmp_path: Path) -> None:
    folder, env = tmp_path / "secrets", tmp_path / ".env"

    def run(*words: str) -> None:
        told = CliRunner().invoke(init, ["--secrets", str(folder), "--env", str(env), *words])
        assert told.exit_code == 0, told.output
        assert not [line for line in told.output.splitlines() if "KEY" in line]

    run("--integrations", "PSO,ICE")
    before = {file.name: file.read_text() for file in folder.iterdir()}
    run()
    assert {file.name: file.read_text() for file in folder.iterdir()} == before
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    open_to_others = {file.name for file in folder.iterdir() if stat.S_IMODE(file.stat().st_mode) != 0o600}
    assert open_to_others == {"broker_definitions"}, "which holds salted hashes only"
    assert read_env(env)["INTEGRATIONS"] == "ICE,PSO"
    assert read_env(env)["LIAISON_UID"] not in {"", "0"}
    run("--integrations", "ICE,PSO,IGA")
    after = {file.name: file.read_text() for file in folder.iterdir()}
    assert {name for name, text in after.items() if before.get(name) != text} == {"broker_definitions", "broker_password_integration.IGA"}


@pytest.mark.requirement("R15")
def test_the_brokers_users_are_those_of_the_work_and_no_password_is_in_their_file(folder: Path) -> None:
    told = json.loads((folder / "broker_definitions").read_text())
    assert {user["name"] for user in told["users"]} == set(users(SERVICES, ["ICE", "PSO"]))
    text = (folder / "broker_definitions").read_text()
    assert not [file.name for file in folder.glob("broker_password_*") if file.read_text().strip() in text]
    assert {user["tags"] for user in told["users"]} == {""}, "nobody administers it over the network"


def test_every_setting_has_a_line_in_the_example() -> None:
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    assert {setting.name.upper() for setting in fields(Settings)} <= named


def test_every_variable_of_the_file_is_in_the_example(composition: Composition) -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", composition.text))
    # Who acts, and a password in passing: said for one command, kept nowhere.
    assert used - {"OPERATOR", "PASSWORD"} <= set(read_env(EXAMPLE))


def test_it_holds_nothing_that_the_former_compose_refuses(composition: Composition) -> None:
    assert not re.search(r"^(name|include):", composition.text, re.MULTILINE)
    assert not re.search(r"\b(start_interval|env_file|develop)\b", composition.text)


def test_secrets_stay_out_of_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert lines.index("deploy/secrets") > lines.index("!deploy")
    assert lines.index("deploy/.env") > lines.index("!deploy")


@pytest.mark.requirement("R148")
@pytest.mark.parametrize("service", SERVICES)
def test_a_services_broker_user_may_call_whom_its_code_calls_and_nobody_else(service: str) -> None:
    # For passports, and whether a session lives; and which days of the outbox a checkpoint covers.
    called = {"access", "audit"}
    for path in (ROOT / "services" / service).rglob("*.py"):
        relative = path.relative_to(ROOT / "services" / service)
        if relative.parts[0] not in {"service", "service.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            named = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "service")]
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in {"call", "_call", "_asked"}:
                called |= {a.value for a in named if isinstance(a, ast.Constant) and a.value in SERVICES}
    if service == "retention":
        called |= {step.service for course in COURSES.values() for step in course} - {service}
    assert set(MAY_CALL[service]) == called
