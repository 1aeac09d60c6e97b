"""Track ended sessions whose passports have not expired.

access sends every process a heartbeat each second: `{"serial", "ended": [session ids], "policy_version"}`. `ended` has
all sessions that ended within the last two minutes, twice the lifetime of a passport. So each heartbeat is complete, and
a lost one does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from services.chassis.messages import Caller, Unavailable
from services.chassis.refusals import PassportStale, SessionEnded

#: Seconds without a heartbeat after which access is asked at every request.
SILENCE = 3.0
#: Seconds for which an ended session is remembered; longer than the lifetime of a passport.
_REMEMBERED = 120.0


class Revocations:
    """The ended sessions that this process knows of."""

    def __init__(
        self,
        ask: Callable[[Caller], bool] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without a heartbeat, so that access is asked until the first one.

        :param ask: calls access, and returns whether the caller's session is open; may raise.
        """
        self._ask = ask
        self._monotonic = monotonic
        self._heard: float | None = None
        self._ended: dict[str, float] = {}
        self.serial: int | None = None
        self.policy_version: str | None = None

    def hear(self, serial: int, ended: Iterable[str], policy_version: str | None) -> None:
        """Process a heartbeat."""
        now = self._monotonic()
        self._heard = now
        self.serial = serial
        if policy_version is not None:
            self.policy_version = str(policy_version)
        for session in ended:
            self._ended.setdefault(str(session), now)
        if len(self._ended) > 1000:
            self._ended = {session: at for session, at in self._ended.items() if now - at < _REMEMBERED}

    @property
    def age(self) -> float | None:
        """Seconds since the last heartbeat; None before the first."""
        return None if self._heard is None else self._monotonic() - self._heard

    @property
    def is_current(self) -> bool:
        """Whether the last heartbeat is recent enough."""
        age = self.age
        return age is not None and age <= SILENCE

    def check(self, caller: Caller) -> None:
        """Check that the caller's session is open.

        :raises SessionEnded: the session has ended.
        :raises PassportStale: the policy changed after the passport was issued.
        :raises Unavailable: there is no recent heartbeat, and access cannot be asked.
        """
        if caller.session_id is None:
            return
        if caller.session_id in self._ended:
            raise SessionEnded
        if self.is_current:
            if None not in (self.policy_version, caller.policy_version) and self.policy_version != str(caller.policy_version):
                raise PassportStale
            return
        if self._ask is None:
            raise Unavailable
        try:
            lives = self._ask(caller)
        except Unavailable:
            raise
        except Exception as error:
            raise Unavailable from error
        if not lives:
            raise SessionEnded
