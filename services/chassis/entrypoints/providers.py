"""Dependency providers: the service's database, the bus and the settings."""

from __future__ import annotations

from typing import Any

import orjson
from nameko.extensions import DependencyProvider

from services.chassis.config import Settings
from services.chassis.database import work_is_open
from services.chassis.entrypoints.context import process_of
from services.chassis.messages import Caller, Forbidden
from services.chassis.outbox.relay import Relay
from services.chassis.topology import HEARTBEAT
from services.chassis.transport.passport_cache import PassportCache
from services.chassis.transport.publisher import Publisher
from services.chassis.transport.rpc_client import RpcClient

#: Key of the call's passport in a worker's context data.
TOKEN = "passport"  # noqa: S105 - the name of a key, not a secret


class DatabaseProvider(DependencyProvider):
    """Injects the service's `Database` and runs its outbox relay."""

    relay: Relay | None = None

    def start(self) -> None:
        """Start the relay."""
        process = process_of(self)
        if process.database is None:
            raise RuntimeError(f"{process.service} has no database")
        self.relay = Relay(process.database, process.publisher, process.backlog)
        self.relay.start()

    def stop(self) -> None:
        """Ship the remaining outbox rows, close the stream and stop."""
        if self.relay is not None:
            self.relay.stop()

    def kill(self) -> None:
        """Stop at once; the next process ships the remaining rows."""
        if self.relay is not None:
            self.relay.kill()

    def get_dependency(self, _worker: Any) -> Any:
        """Return the service's database."""
        return process_of(self).database


class SettingsProvider(DependencyProvider):
    """Injects the `Settings`."""

    def get_dependency(self, _worker: Any) -> Settings:
        """Return the settings."""
        return process_of(self).settings


class BusProvider(DependencyProvider):
    """Injects a `Bus`."""

    def get_dependency(self, worker: Any) -> Bus:
        """Return a bus that calls with the passport of this worker's caller."""
        process = process_of(self)
        return Bus(process.client, process.publisher, process.passports, token=worker.data.get(TOKEN))


class Bus:
    """Calls other services for one worker."""

    def __init__(self, client: RpcClient, publisher: Publisher, passports: PassportCache, *, token: str | None) -> None:
        """Call with the passport `token`, or as the service itself without one."""
        self._client = client
        self._publisher = publisher
        self._passports = passports
        self._token = token

    def call(self, service: str, method: str, caller: Caller, **kwargs: Any) -> Any:
        """Call another service as `caller`, with the caller's operation if there is one.

        :raises Refusal: the service refused.
        :raises Unavailable: there was no answer in time.
        :raises RuntimeError: a unit of work is open; a transaction must not wait for the bus.
        """
        if work_is_open():
            raise RuntimeError("no bus call while a unit of work is open")
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
        """Send every process the sessions that ended within the last two minutes (access only).

        :raises BrokerUnavailable: there is no connection to the broker.
        """
        body = orjson.dumps({"serial": serial, "ended": ended, "policy_version": policy_version})
        self._publisher.send(body, exchange=HEARTBEAT)
