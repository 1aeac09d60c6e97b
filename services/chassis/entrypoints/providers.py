"""What a service class asks for by name: its database, the bus, its settings."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import orjson
from nameko.extensions import DependencyProvider

from services.chassis.config import Settings
from services.chassis.database import work_is_open
from services.chassis.logs import Log
from services.chassis.messages import Caller, Forbidden
from services.chassis.outbox.relay import Relay
from services.chassis.topology import HEARTBEAT
from services.chassis.transport.publisher import Publisher
from services.chassis.transport.rpc_client import RpcClient

if TYPE_CHECKING:
    from services.chassis.runtime.process import Process

_log = Log(__name__)

#: Under this key a container's configuration holds the `Process`.
LIAISON = "liaison"
#: Under this key a worker's context holds the passport that came with the call.
TOKEN = "passport"  # noqa: S105 - the name of a key, not a secret
_ACCESS = "access"
#: Passports live for a minute; one is used for at most this long, so that it does not expire under way.
_REUSED_FOR = 20.0
_KEPT = 2048


def process_of(extension: Any) -> Process:
    """Return the process that an extension runs in."""
    process: Process = extension.container.config[LIAISON][extension.container.service_name]
    return process


class DatabaseProvider(DependencyProvider):
    """Gives the service its `Database`, and runs the relay of its outbox."""

    relay: Relay | None = None

    def start(self) -> None:
        """Start the relay."""
        process = process_of(self)
        if process.database is None:
            message = f"{process.service} has no database"
            raise RuntimeError(message)
        self.relay = Relay(process.database, process.publisher, process.backlog)
        self.relay.start()

    def stop(self) -> None:
        """Ship what is left, close the stream, stop."""
        if self.relay is not None:
            self.relay.stop()

    def kill(self) -> None:
        """Stop at once; the rows stay for the next process."""
        if self.relay is not None:
            self.relay.kill()

    def get_dependency(self, _worker: Any) -> Any:
        """Return the service's database."""
        return process_of(self).database


class SettingsProvider(DependencyProvider):
    """Gives the service its `Settings`."""

    def get_dependency(self, _worker: Any) -> Settings:
        """Return the settings."""
        return process_of(self).settings


class BusProvider(DependencyProvider):
    """Gives the service a `Bus`."""

    def get_dependency(self, worker: Any) -> Bus:
        """Return a bus that speaks for whoever called this worker."""
        process = process_of(self)
        return Bus(process.client, process.publisher, process.passports, token=worker.data.get(TOKEN))


class Passports:
    """The passports that one service process has been given by access, for itself and for its callers."""

    def __init__(self, client: RpcClient, settings: Settings, *, monotonic: Any = time.monotonic) -> None:
        """Ask access through `client`."""
        self._client = client
        self._settings = settings
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    def renew(self, settings: Settings) -> None:
        """Show other secrets from now on, and passports that are signed by whoever signs now."""
        self._settings = settings
        self._kept.clear()

    def own(self, audience: str, *, trace_id: str | None) -> str:
        """Return a passport of this service itself, made out to `audience`."""
        arguments = {"service": self._settings.service, "secret": self._settings.service_secret, "audience": audience}
        return self._get(("", audience), "service_passport", arguments, trace_id)

    def exchanged(self, token: str, audience: str, *, caller: Caller) -> str:
        """Return the caller's passport, made out to `audience`."""
        proof = {"service": self._settings.service, "secret": self._settings.service_secret}
        arguments = {"passport": token, "audience": audience, **proof}
        return self._get((caller.jti or token, audience), "exchange", arguments, caller.trace_id)

    def _get(self, key: tuple[str, str], method: str, arguments: dict[str, str], trace_id: str | None) -> str:
        now = self._monotonic()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        passport: str = self._client.call(_ACCESS, method, arguments, trace_id=trace_id)["passport"]
        self._kept[key] = (now + _REUSED_FOR, passport)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return passport


class Bus:
    """The bus as one worker sees it."""

    def __init__(self, client: RpcClient, publisher: Publisher, passports: Passports, *, token: str | None) -> None:
        """Speak for the bearer of `token`, or for the service itself."""
        self._client = client
        self._publisher = publisher
        self._passports = passports
        self._token = token

    def call(self, service: str, method: str, caller: Caller, **kwargs: Any) -> Any:
        """Ask another service in the name of `caller`; its operation, if it has one, goes along.

        :raises Refusal: the service refused.
        :raises Unavailable: no answer in time.
        :raises RuntimeError: a unit of work is open: nobody waits for the bus while holding a transaction.
        """
        if work_is_open():
            message = "no bus call while a unit of work is open"
            raise RuntimeError(message)
        return self._client.call(
            service,
            method,
            kwargs,
            passport=self._passport(service, caller),
            trace_id=caller.trace_id,
            operation=caller.operation,
        )

    def _passport(self, audience: str, caller: Caller) -> str | None:
        if caller.kind == "anonymous":
            return None
        if caller.kind == "service" and caller.jti is None:
            return self._passports.own(audience, trace_id=caller.trace_id)
        if self._token is None:
            raise Forbidden(code="no-passport")
        return self._passports.exchanged(self._token, audience, caller=caller)

    def send_heartbeat(self, serial: int, ended: list[str], policy_version: str | None) -> None:
        """Tell every process which sessions ended within the last two minutes (access only).

        :raises LinkDown: there is no connection to the broker.
        """
        body = orjson.dumps({"serial": serial, "ended": ended, "policy_version": policy_version})
        self._publisher.send(body, exchange=HEARTBEAT)
