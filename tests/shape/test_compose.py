"""The full deployment's files: nothing with a default password, nothing open, nothing that init does not write."""

from __future__ import annotations

import ast
import json
import re
import stat
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from deploy.broker import MAY_CALL, users
from deploy.environment import PROCESSES, Installation
from deploy.init import init, read_env, write_secrets
from deploy.secrets import Secrets
from services.chassis.config import Settings
from services.chassis.migrations import SERVICES
from services.chassis.postgres import _SETTINGS as OF_OUR_OWN_SERVER
from services.chassis.postgres import as_url
from services.chassis.testing.rabbitmq import ERLANG, Node
from tests.compose import ROOT, Composition

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
    images |= set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))
    assert images >= {"postgres:18", "rabbitmq:4-management"}
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]
    assert "--require-hashes" in dockerfile


@pytest.mark.requirement("R15")
def test_our_own_containers_can_do_little(composition: Composition) -> None:
    for name, service in composition.own.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
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
            server=as_url("postgresql://postgres@postgres:5432/postgres"),
            broker="",
            checkpoints=Path("/var/lib/liaison/witness/checkpoints"),
            erased_ids=Path("/var/lib/liaison/erased/erased"),
            host="0.0.0.0",
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
        everywhere = {"BROKER_URL", "LOG_LEVEL", "LOG_FORMAT", "WORKERS", "POOL_SIZE", "CALL_DEADLINE", "HEALTH_FILE"}
        tuned = {"LOOKUPS_OF_CONTRIBUTOR", "LOOKUPS_OF_STEWARD"} if name == "contacts" else set()
        assert told - everywhere - tuned == set(wanted), name


def test_addresses_lead_to_services_of_the_file(composition: Composition, folder: Path) -> None:
    for file in folder.glob("*_url*"):
        host = make_url(file.read_text().strip()).host
        assert host in composition.services, file.name


def test_the_broker_is_told_what_the_tests_own_node_is_told(composition: Composition, tmp_path: Path) -> None:
    broker = composition.services["broker"]
    assert broker["environment"] == {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG}
    mounted = dict(volume.split(":")[:2] for volume in broker["volumes"])
    plugins = mounted["./rabbitmq/enabled_plugins"], (ROOT / "deploy" / "rabbitmq" / "enabled_plugins").read_text().splitlines()[-1]
    assert plugins == ("/etc/rabbitmq/enabled_plugins", "[].")
    node = Node(tmp_path)
    node._write_configuration()
    settings = _settings((tmp_path / "rabbitmq.conf").read_text())
    ours = _settings((ROOT / "deploy" / "rabbitmq" / "liaison.conf").read_text())
    assert (tmp_path / "enabled_plugins").read_text().strip() == "[]."
    # The tests' node has other users, limits and logs, and nothing else that differs.
    differing = {"load_definitions", "auth_mechanisms.1", "auth_mechanisms.2", "disk_free_limit.absolute", "log.console.level"}
    assert {name: settings.get(name) for name in ours.keys() - differing} == {name: ours[name] for name in ours.keys() - differing}
    assert ours.keys() > differing


def _settings(text: str) -> dict[str, str]:
    return dict(line.split(" = ", 1) for line in text.splitlines() if line and not line.startswith("#"))


@pytest.mark.requirement("R148")
def test_statements_are_logged_by_no_server(composition: Composition) -> None:
    command = composition.services["postgres"]["command"]
    assert command[0] == "postgres"
    told = dict(word.removeprefix("--").split("=", 1) for word in command[1:])
    assert told == OF_OUR_OWN_SERVER


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
            if name in {"call", "_call", "_asked", "_erase", "_seek"}:
                called |= {a.value for a in named if isinstance(a, ast.Constant) and a.value in SERVICES}
    assert set(MAY_CALL[service]) == called
