"""Sessions that ended before their passports did.

access sends every process a heartbeat each second: `{"serial", "ended": [session ids], "policy_version"}`, where
`ended` names every session that ended within the last two minutes, twice as long as a passport lives. So one
heartbeat is enough to know all that matters, and a lost one is made good by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from services.chassis.messages import Caller, Unavailable
from services.chassis.refusals import PassportStale, SessionEnded

#: Who has not heard access for so long asks it on every request.
SILENCE = 3.0
#: How long the end of a session is remembered; longer than a passport lives.
_REMEMBERED = 120.0


class Revocations:
    """What this process knows of ended sessions, and since when."""

    def __init__(
        self,
        ask: Callable[[Caller], bool] | None = None,
        *,
        silence: float = SILENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin knowing nothing, so that access is asked until its first heartbeat.

        `ask` asks access whether a caller's session still lives; it may raise.
        """
        self._ask = ask
        self._silence = silence
        self._monotonic = monotonic
        self._heard: float | None = None
        self._ended: dict[str, float] = {}
        self.serial: int | None = None
        self.policy_version: str | None = None

    def hear(self, serial: int, ended: Iterable[str], policy_version: str | None) -> None:
        """Take in a heartbeat."""
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
        """Seconds since access was last heard; None before the first time."""
        return None if self._heard is None else self._monotonic() - self._heard

    @property
    def is_current(self) -> bool:
        """Whether access was heard within the last three seconds."""
        age = self.age
        return age is not None and age <= self._silence

    def check(self, caller: Caller) -> None:
        """Let pass whose session still lives.

        :raises SessionEnded: it has ended.
        :raises PassportStale: the policy changed since the passport was made out.
        :raises Unavailable: access was not heard and cannot be asked; it fails closed.
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
