"""What each process is told: the same words whether it is one of six in containers or one of six in this process.

A process gets the secrets it needs and no other: access alone the key that signs passports, contacts alone the keys
of the vault and the digests, audit alone the key that signs checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from deploy.migrations import KEYS, SERVICES, database_of, runtime_of
from deploy.postgres import url_for
from deploy.secrets import SERVICE_PUBLIC_KEYS, Secrets, service_key_file
from services.access.domain.secrets import service_secret
from services.chassis.keyed import parts_of

PROCESSES = (*SERVICES, "gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where the parts of one system are."""

    secrets: Secrets
    server: URL
    broker: str
    checkpoints: Path
    erased_ids: Path
    host: str = "127.0.0.1"
    port: int = 8080
    #: Browsers' cookies stay off plain HTTP, except on loopback, where there is no network to listen on.
    cookie_secure: bool = True
    ribbon: str = ""
    #: Names under which the gateway answers, beside loopback; and what its cookies' names begin with.
    hosts: str = ""
    cookie_name: str = "liaison"
    #: The proxies before the gateway that are believed, and the header in which they speak.
    trusted_proxies: str = ""
    proxy_header: str = "X-Forwarded-For"
    #: Codes of the components with a system of their own, such as `ICE,PSO` (T13).
    integrations: str = ""

    def environment_of(self, process: str) -> dict[str, str]:
        """Return the settings of one process, by the names that it reads them by."""
        secrets = self.secrets
        told = {
            "SERVICE": process,
            "BROKER_URL": self.broker,
            "PASSPORT_PUBLIC_KEY": secrets["passport_public_key"],
            "CHECKPOINT_PUBLIC_KEY": secrets["checkpoint_public_key"],
            "SERVICE_SECRET": service_secret(parts_of(secrets["service_master_secret"])[0], process),
            "CURSOR_KEY": secrets["cursor_key"],
        }
        if process in SERVICES:
            told["DATABASE_URL"] = self._database(process)
            told["SERVICE_KEY"] = secrets[service_key_file(process)]
        if process == "audit":
            told["SERVICE_PUBLIC_KEYS"] = secrets[SERVICE_PUBLIC_KEYS]
        if process == "access":
            told["PASSPORT_PRIVATE_KEY"] = secrets["passport_private_key"]
            told["SERVICE_MASTER_SECRET"] = secrets["service_master_secret"]
        if process == "contacts":
            told["KEYS_DATABASE_URL"] = self._database(KEYS)
            told["VAULT_MASTER_KEY"] = secrets["vault_master_key"]
            told["DIGEST_KEY"] = secrets["digest_key"]
            told["INTEGRATIONS"] = self.integrations
        if process == "audit":
            told["CHECKPOINT_PRIVATE_KEY"] = secrets["checkpoint_private_key"]
            told["AUDIT_WITNESS_FILE"] = str(self.checkpoints)
        if process == "retention":
            told["ERASED_IDS_KEY"] = secrets["erased_ids_key"]
        if process in {"contacts", "retention"}:
            told["ERASED_IDS_FILE"] = str(self.erased_ids)
        if process == "gateway":
            told["FORM_KEY"] = secrets["form_key"]
            told["LISTEN_HOST"] = self.host
            told["LISTEN_PORT"] = str(self.port)
            told["COOKIE_SECURE"] = "true" if self.cookie_secure else "false"
            told["RIBBON"] = self.ribbon
            told["HOSTS"] = self.hosts
            told["COOKIE_NAME"] = self.cookie_name
            told["METRICS_TOKEN"] = secrets["metrics_token"]
            told["TRUSTED_PROXIES"] = self.trusted_proxies
            told["PROXY_HEADER"] = self.proxy_header
        return told

    def _database(self, store: str) -> str:
        role = runtime_of(store)
        return "\n".join(url_for(self.server, database_of(store), role, each) for each in self.secrets.passwords_of(role))
