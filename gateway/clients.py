"""What one HTTP request says on the bus: queries, and commands that can be told apart from their repetition."""

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
    """The client of `services.chassis.transport.rpc_client`, as far as the gateway needs it."""

    def call(  # noqa: D102 - the class says it
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
    """One request's words with the services: its trace id, its passports, its operation."""

    def __init__(self, bus: Bus, *, trace_id: str) -> None:
        self.bus = bus
        self.trace_id = trace_id
        self.passports: dict[str, str] = {}
        self.renew: Callable[[], dict[str, str]] | None = None
        self.operation: Operation | None = None
        self._commands: dict[str, int] = {}

    def query(self, service: str, method: str, **arguments: object) -> Any:
        """Ask; nothing changes. Refusals that come back are already in the trail of the service.

        :raises Refusal: whatever the service refuses; `Unavailable` when it does not answer in time.
        """
        return self._call(service, method, None, arguments)

    def command(self, service: str, method: str, **arguments: object) -> Any:
        """Have something done, once.

        :raises OutcomeUnknown: no answer in time; bears `operation_id`, for `GET /operations/{id}`.
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
        # A service knows a command by (user, method, path, key): the second one that a request sends to the same
        # service needs a name of its own, and the same one when the request is repeated.
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
            # A passport may have become stale between its making and its reading: the policy changed, or it was
            # kept for half a minute and waited in a queue for the other half. Nothing was done with it.
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
            # The service recorded its refusal before it let it out; one that nobody answered is the gateway's own,
            # and 503 is not among those that are recorded.
            refusal.recorded = not isinstance(refusal, Unavailable)  # type: ignore[attr-defined]  # read by app.refused
            raise


def service_client() -> ServiceClient:
    """Return the present request's conversation."""
    held: ServiceClient = g.client
    return held


def query(service: str, method: str, **arguments: object) -> Any:
    """Ask a service in the present request."""
    return service_client().query(service, method, **arguments)


def command(service: str, method: str, **arguments: object) -> Any:
    """Have a service do something in the present request."""
    return service_client().command(service, method, **arguments)
