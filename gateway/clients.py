"""Queries and commands that one HTTP request sends to the services."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import g

from services.chassis.keyed import join_digests, split_digests
from services.chassis.messages import Operation, OutcomeUnknown, Refusal, Unauthenticated, Unavailable, new_id
from services.chassis.refusals import PassportInvalid, PassportStale

RENEWABLE = frozenset({PassportStale.code, PassportInvalid.code})


class Bus(Protocol):
    """The part of `services.chassis.transport.rpc_client.RpcClient` that the gateway needs."""

    def call(  # noqa: D102 - described by the class
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, object],
        *,
        passport: str | None = None,
        trace_id: str | None = None,
        operation: Operation | None = None,
    ) -> Any: ...


class ServiceClient:
    """Calls services for one request, with its trace id, passports and operation."""

    def __init__(self, bus: Bus, *, trace_id: str) -> None:
        self.bus = bus
        self.trace_id = trace_id
        self.passports: dict[str, str] = {}
        self.renew: Callable[[], dict[str, str]] | None = None
        self.operation: Operation | None = None
        self._commands: dict[str, int] = {}

    def query(self, service: str, method: str, **arguments: object) -> Any:
        """Send a query. The service has recorded a refusal before it answers with it.

        :raises Refusal: the service refuses; `Unavailable` when it does not answer in time.
        """
        return self._call(service, method, None, arguments)

    def command(self, service: str, method: str, **arguments: object) -> Any:
        """Send a command, which the service carries out once.

        :raises OutcomeUnknown: no answer came in time; it has the `operation_id` for `GET /operations/{id}`.
        """
        operation = self._operation_for(service)
        try:
            return self._call(service, method, operation, arguments)
        except OutcomeUnknown as refusal:
            refusal.extra.setdefault("operation_id", operation.id)
            raise

    def _operation_for(self, service: str) -> Operation:
        if self.operation is None:
            message = f"{service} was sent a command in a request that may not change anything"
            raise RuntimeError(message)
        # A service recognizes a command by (user, method, path, key). The second command to the same service needs a
        # path of its own, which is the same when the request is repeated.
        n = self._commands[service] = self._commands.get(service, 0) + 1
        if n == 1:
            return self.operation
        key = self.operation.key
        return dataclasses.replace(
            self.operation, id=new_id(), path=f"{self.operation.path}#{n}", key=key and join_digests(f"{one}#{n}" for one in split_digests(key))
        )

    def _call(self, service: str, method: str, operation: Operation | None, arguments: Mapping[str, object]) -> Any:
        try:
            return self._once(service, method, operation, arguments)
        except Unauthenticated as refusal:
            # A passport expires when the policy changes, or when it waited in a queue too long. The service has done
            # nothing yet, so one more call with a new passport is safe.
            if self.renew is None or refusal.code not in RENEWABLE:
                raise
            self.passports = self.renew()
            return self._once(service, method, operation, arguments)

    def _once(self, service: str, method: str, operation: Operation | None, arguments: Mapping[str, object]) -> Any:
        try:
            return self.bus.call(
                service,
                method,
                arguments,
                passport=self.passports.get(service),
                trace_id=self.trace_id,
                operation=operation,
            )
        except Refusal as refusal:
            # The service recorded its refusal. Without an answer the refusal is the gateway's own, and 503 is not recorded.
            refusal.recorded = not isinstance(refusal, Unavailable)  # type: ignore[attr-defined]  # read by trail.recorded
            raise


def query(service: str, method: str, **arguments: object) -> Any:
    """Send a query to a service in the current request."""
    return g.client.query(service, method, **arguments)


def command(service: str, method: str, **arguments: object) -> Any:
    """Send a command to a service in the current request."""
    return g.client.command(service, method, **arguments)
