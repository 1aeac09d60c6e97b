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
#: The secrets that every process gets, and those that only one gets, by the names of their files.
_OF_ALL = ("passport_public_key", "checkpoint_public_key", "cursor_key")
_OF_ONE = {
    "access": ("passport_private_key", "service_master_secret"),
    "contacts": ("vault_master_key", "digest_key"),
    "audit": ("checkpoint_private_key", SERVICE_PUBLIC_KEYS),
    "retention": ("erased_ids_key",),
    "gateway": ("form_key", "metrics_token"),
}


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
    #: The demonstration accounts that the sign-in page offers; none when None.
    demo_accounts: Path | None = None
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
            "SERVICE_SECRET": service_secret(parts_of(secrets["service_master_secret"])[0], process),
            **{name.upper(): secrets[name] for name in (*_OF_ALL, *_OF_ONE.get(process, ()))},
        }
        if process in SERVICES:
            settings["DATABASE_URL"] = self._database(process)
            settings["SERVICE_KEY"] = secrets[service_key_file(process)]
        if process == "contacts":
            settings["KEYS_DATABASE_URL"] = self._database(KEYS)
            settings["INTEGRATIONS"] = self.integrations
        if process == "audit":
            settings["AUDIT_WITNESS_FILE"] = str(self.checkpoints)
        if process in {"contacts", "retention"}:
            settings["ERASED_IDS_FILE"] = str(self.erased_ids)
        if process == "gateway":
            settings["LISTEN_HOST"] = self.host
            settings["LISTEN_PORT"] = str(self.port)
            settings["COOKIE_SECURE"] = "true" if self.cookie_secure else "false"
            settings["RIBBON"] = self.ribbon
            if self.demo_accounts is not None:
                settings["DEMO_ACCOUNTS_FILE"] = str(self.demo_accounts)
            settings["HOSTS"] = self.hosts
            settings["COOKIE_NAME"] = self.cookie_name
            settings["TRUSTED_PROXIES"] = self.trusted_proxies
            settings["PROXY_HEADER"] = self.proxy_header
        return settings

    def _database(self, store: str) -> str:
        role = runtime_of(store)
        return "\n".join(url_for(self.server, database_of(store), role, each) for each in self.secrets.passwords_of(role))
