"""Cache of passports that a service process gets from access, for itself and for its callers."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from services.chassis.config import Settings
from services.chassis.messages import Caller
from services.chassis.transport.rpc_client import RpcClient

_ACCESS = "access"
#: Seconds for which a passport is used again. It lives for a minute, so it does not expire on its way.
_REUSED_FOR = 20.0
_KEPT = 2048


class PassportCache:
    """Gets passports from access and uses each for 20 seconds."""

    def __init__(self, client: RpcClient, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Ask access through `client`."""
        self._client = client
        self._settings = settings
        self._monotonic = monotonic
        self._kept: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    def renew(self, settings: Settings) -> None:
        """Use new secrets, and drop passports that the former key signed."""
        self._settings = settings
        self._kept.clear()

    def own(self, audience: str, *, trace_id: str | None) -> str:
        """Return this service's own passport for the audience."""
        arguments = {"service": self._settings.service, "secret": self._settings.service_secret, "audience": audience}
        return self._get(("", audience), "service_passport", arguments, trace_id)

    def exchanged(self, token: str, audience: str, *, caller: Caller) -> str:
        """Return the caller's passport, exchanged for one for the audience."""
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
