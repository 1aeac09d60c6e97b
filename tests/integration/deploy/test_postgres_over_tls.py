"""The way to PostgreSQL as compose.yaml has it: nothing without TLS, and only to the server that was dialled."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import eventlet
import pytest
import sqlalchemy as sa

from deploy.audit_cli import Evidence, _opened
from deploy.certificates import AUTHORITY, certify
from deploy.init import write_secrets
from deploy.migrations import SchemaDiffers
from deploy.postgres import ServerFailed, as_url, connected
from deploy.provision import migrate
from deploy.secrets import Secrets
from services.chassis.database import Database
from services.chassis.database.batching import _connect
from services.chassis.database.logins import Logins
from services.chassis.database.stream import Stream
from services.chassis.translog.checkpoints import VerifierKey
from services.contacts.storage.vault import Keyring, Vault
from tests.compose import closed_server
from tests.support.keys import key_of
from tests.support.postgres import FAST, DisposableServer
from tests.support.rabbitmq import _free_port

pytestmark = [pytest.mark.requirement("R15"), pytest.mark.timeout(180)]

_ASKED = "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@dataclass
class Hop:
    server: DisposableServer
    port: int
    secrets: Path
    another: Path

    def url(self, name: str = "database_url", **changed: Any) -> str:
        """Return an address as `liaison init` wrote it, with another host or other words in its query."""
        url = as_url(Secrets(self.secrets)[name])
        url = url.set(host=changed.pop("host", url.host), port=changed.pop("port", url.port))
        return url.update_query_dict(changed).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def hop() -> Iterator[Hop]:
    with tempfile.TemporaryDirectory() as made:
        folder, port = Path(made), _free_port()
        folder.chmod(0o755)
        write_secrets(folder / "secrets", postgres=f"127.0.0.1:{port}", authority=str(folder / "secrets" / AUTHORITY))
        certify(Secrets(folder / "another"), {"postgres": ["127.0.0.1"]})
        try:
            programs, settings = closed_server(folder / "secrets", folder / "tls")
            password = Secrets(folder / "secrets")["postgres_password"]
            server = DisposableServer(folder / "postgres", password, programs=programs, settings={**FAST, **settings}, port=port).start()
        except ServerFailed as failed:
            pytest.skip(f"PostgreSQL with TLS is not here, so the way to it was not tried: {failed}")
        try:
            yield Hop(server, port, folder / "secrets", folder / "another")
        finally:
            server.forget()


def _by_a_unit_of_work(url: str) -> Any:
    with ExitStack() as stack:
        database = Database(url, service="access", stream=Stream(key_of("access")), pool_size=1)
        stack.callback(database.close)
        return stack.enter_context(database.engine.connect()).exec_driver_sql(_ASKED).one()


def _by_the_key_store(url: str) -> Any:
    with ExitStack() as stack:
        vault = Vault(url.replace("+psycopg", ""), Keyring([bytes(32)]), pool_size=1)
        stack.callback(vault.close)
        return stack.enter_context(vault._engine.connect()).exec_driver_sql(_ASKED).one()


def _by_reads_that_are_gathered(url: str) -> Any:
    with Logins(url).open(_connect) as connection:
        return tuple(connection.execute(_ASKED).fetchone().values())


def _by_the_verifier(url: str) -> Any:
    with _opened(Evidence(key=VerifierKey("trail", bytes(32)), database=url)) as reading:
        return reading.connection.exec_driver_sql(_ASKED).one()


def _by_the_doctor(url: str) -> Any:
    with connected(as_url(url)) as connection:
        return connection.exec_driver_sql(_ASKED).one()


WAYS: list[Callable[[str], Any]] = [_by_a_unit_of_work, _by_the_key_store, _by_reads_that_are_gathered, _by_the_verifier, _by_the_doctor]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_is_encrypted_to_the_server_that_shows_its_name(hop: Hop, way: Callable[[str], Any]) -> None:
    assert tuple(way(hop.url())) == (True, "TLSv1.3")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"host": "localhost"}, "does not match host name"),
        ({"sslrootcert": "another"}, "certificate verify failed"),
        ({"sslrootcert": "/nowhere"}, "does not exist"),
        ({"sslmode": "disable"}, "no encryption"),
    ],
    ids=["another name", "another authority", "no authority", "without TLS"],
)
def test_every_way_refuses_another_name_or_authority_and_the_server_what_is_plain(
    hop: Hop, way: Callable[[str], Any], wrong: dict[str, str], said: str
) -> None:
    told = {**wrong, **({"sslrootcert": str(hop.another / AUTHORITY)} if wrong.get("sslrootcert") == "another" else {})}
    with pytest.raises(Exception, match=said):
        way(hop.url(**told))


def test_the_step_migrate_makes_roles_over_it_and_they_sign_in_over_it(hop: Hop) -> None:
    server, secrets = as_url(hop.url()), Secrets(hop.secrets)
    assert [line for line in migrate(server, secrets) if "liaison_access" in line]
    assert tuple(_by_a_unit_of_work(hop.url("database_url_access"))) == (True, "TLSv1.3")
    assert tuple(_by_the_key_store(hop.url("database_url_keys"))) == (True, "TLSv1.3")
    for wrong in ({"host": "localhost"}, {"sslmode": "disable"}):
        with pytest.raises((sa.exc.OperationalError, SchemaDiffers)):
            list(migrate(as_url(hop.url(**wrong)), secrets, check=True))


@pytest.mark.parametrize("way", WAYS)
def test_somebody_in_between_who_says_there_is_no_tls_is_told_nothing(hop: Hop, way: Callable[[str], Any]) -> None:
    listener = eventlet.listen(("127.0.0.1", 0))
    heard: list[bytes] = []

    def deny() -> None:
        while True:
            client, _ = listener.accept()
            with closing(client), suppress(ConnectionError):
                heard.append(client.recv(64))
                client.sendall(b"N")
                heard.append(client.recv(4096))

    between = eventlet.spawn(deny)
    try:
        with pytest.raises(Exception, match="does not support SSL"):
            way(hop.url(port=listener.getsockname()[1]))
    finally:
        between.kill()
        listener.close()
    assert set(heard) - {b""} == {b"\x00\x00\x00\x08\x04\xd2\x16\x2f"}, "the question for TLS and nothing else"
