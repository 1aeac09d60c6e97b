"""The state of one process of access: the signing key, failed sign-ins and running password checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import jwt
from eventlet import tpool
from eventlet.semaphore import Semaphore
from nameko.extensions import DependencyProvider

from services.access import contract
from services.access.contract import AUDIENCES
from services.access.domain import passwords
from services.access.domain.throttle import Throttle
from services.chassis.entrypoints.context import process_of
from services.chassis.messages import Caller
from services.chassis.passport import PassportSigner, PassportVerifier
from services.chassis.refusals import PassportInvalid

#: Password checks at a time: each takes a core for some 30 ms, and 19 MiB.
_AT_A_TIME = 2


class Dependencies:
    """The signing key, the failed sign-ins and the running password checks of one process."""

    def __init__(self, private_key: str, public_key: str, clock: Callable[[], datetime]) -> None:
        """Take the keys and the clock."""
        self.clock = clock
        self.throttle = Throttle()
        self.renew(private_key, public_key)
        self._places = Semaphore(_AT_A_TIME)

    def renew(self, private_key: str, public_keys: str) -> None:
        """Replace the key that signs passports and the keys that verify them.

        :raises ValueError: a key is not valid.
        """
        verifiers: dict[Any, PassportVerifier] = {audience: PassportVerifier(public_keys, audience) for audience in AUDIENCES}
        self._signer, self._verifiers = PassportSigner(private_key), verifiers

    def sign(self, caller: Caller, audience: str, now: datetime) -> tuple[str, str]:
        """Return a signed passport with its id."""
        return self._signer.issue(caller, audience, now)

    def bearer(self, passport: object) -> tuple[Caller, str]:
        """Return the caller of a passport, and the service that it was issued to.

        :raises PassportNotExchangeable: the passport is not valid.
        """
        try:
            # Read the audience unverified, only to choose the verifier, which checks all of it.
            audience = jwt.decode(str(passport), options={"verify_signature": False}).get("aud")
            return self._verifiers[audience].verify(str(passport), self.clock()), str(audience)
        except (jwt.PyJWTError, KeyError, TypeError, PassportInvalid) as wrong:
            raise contract.PassportNotExchangeable from wrong

    def is_right(self, stored_password: str, password: str) -> bool:
        """Check a password in a thread, so that other calls do not wait for it."""
        with self._places:
            return bool(tpool.execute(passwords.is_right, stored_password, password))


class DependenciesProvider(DependencyProvider):
    """Gives the service its dependencies."""

    def setup(self) -> None:
        """Read the keys."""
        process = process_of(self)
        settings = process.settings
        self._dependencies = Dependencies(settings.passport_private_key, settings.passport_public_key, process.clock)
        process.renewals.append(lambda fresh: self._dependencies.renew(fresh.passport_private_key, fresh.passport_public_key))

    def get_dependency(self, _worker: Any) -> Dependencies:
        """Return them."""
        return self._dependencies
