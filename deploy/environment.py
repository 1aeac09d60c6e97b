"""The settings of each process, for both deployments.

A process gets only the secrets that it needs: only access gets the key that signs passports, only contacts the keys of the
vault and the digests, only audit the key that signs checkpoints.
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
    """The addresses, files and options of one system."""

    secrets: Secrets
    server: URL
    broker: str
    checkpoints: Path
    erased_ids: Path
    host: str = "127.0.0.1"
    port: int = 8080
    #: Whether cookies are Secure; they are not for plain HTTP on loopback.
    cookie_secure: bool = True
    ribbon: str = ""
    #: Host names of the gateway, in addition to loopback, and the prefix of its cookies' names.
    hosts: str = ""
    cookie_name: str = "liaison"
    #: The trusted proxies before the gateway, and their header.
    trusted_proxies: str = ""
    proxy_header: str = "X-Forwarded-For"
    #: Codes of the components with their own systems, such as `ICE,PSO` (T13).
    integrations: str = ""

    def environment_of(self, process: str) -> dict[str, str]:
        """Return the settings of one process as environment variables."""
        secrets = self.secrets
        settings = {
            "SERVICE": process,
            "BROKER_URL": self.broker,
            "PASSPORT_PUBLIC_KEY": secrets["passport_public_key"],
            "CHECKPOINT_PUBLIC_KEY": secrets["checkpoint_public_key"],
            "SERVICE_SECRET": service_secret(parts_of(secrets["service_master_secret"])[0], process),
            "CURSOR_KEY": secrets["cursor_key"],
        }
        if process in SERVICES:
            settings["DATABASE_URL"] = self._database(process)
            settings["SERVICE_KEY"] = secrets[service_key_file(process)]
        if process == "audit":
            settings["SERVICE_PUBLIC_KEYS"] = secrets[SERVICE_PUBLIC_KEYS]
        if process == "access":
            settings["PASSPORT_PRIVATE_KEY"] = secrets["passport_private_key"]
            settings["SERVICE_MASTER_SECRET"] = secrets["service_master_secret"]
        if process == "contacts":
            settings["KEYS_DATABASE_URL"] = self._database(KEYS)
            settings["VAULT_MASTER_KEY"] = secrets["vault_master_key"]
            settings["DIGEST_KEY"] = secrets["digest_key"]
            settings["INTEGRATIONS"] = self.integrations
        if process == "audit":
            settings["CHECKPOINT_PRIVATE_KEY"] = secrets["checkpoint_private_key"]
            settings["AUDIT_WITNESS_FILE"] = str(self.checkpoints)
        if process == "retention":
            settings["ERASED_IDS_KEY"] = secrets["erased_ids_key"]
        if process in {"contacts", "retention"}:
            settings["ERASED_IDS_FILE"] = str(self.erased_ids)
        if process == "gateway":
            settings["FORM_KEY"] = secrets["form_key"]
            settings["LISTEN_HOST"] = self.host
            settings["LISTEN_PORT"] = str(self.port)
            settings["COOKIE_SECURE"] = "true" if self.cookie_secure else "false"
            settings["RIBBON"] = self.ribbon
            settings["HOSTS"] = self.hosts
            settings["COOKIE_NAME"] = self.cookie_name
            settings["METRICS_TOKEN"] = secrets["metrics_token"]
            settings["TRUSTED_PROXIES"] = self.trusted_proxies
            settings["PROXY_HEADER"] = self.proxy_header
        return settings

    def _database(self, store: str) -> str:
        role = runtime_of(store)
        return "\n".join(url_for(self.server, database_of(store), role, each) for each in self.secrets.passwords_of(role))
