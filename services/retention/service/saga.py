"""Driving erasures: step after step, each a call that may be repeated, its outcome durable before the next.

Whatever kills the process between two lines here, the step is taken again, by this process or another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.chassis.bus import InternalError
from services.chassis.database import Database
from services.chassis.logs import Log
from services.chassis.messages import Caller, NotFound, Refusal, wire_value
from services.retention.service.erased import ErasedIds
from services.retention.usecases import course
from services.retention.usecases.course import Claim

_log = Log(__name__)

#: Asks a service for something in retention's own name: (service, method, caller, arguments).
Call = Callable[..., Any]


class Saga:
    """Takes the steps of erasures."""

    def __init__(
        self,
        database: Database,
        call: Call,
        *,
        clock: Callable[[], datetime],
        erased: ErasedIds | None = None,
        spawn: Callable[[Callable[[], None]], object] = lambda act: act(),
    ) -> None:
        """Take what it works with; `spawn` runs something in the background."""
        self._database = database
        self._call = call
        self._clock = clock
        self._erased = erased
        self._spawn = spawn

    def wake(self, erasure_id: str) -> None:
        """Go on with an erasure now, in the background."""
        self._spawn(lambda: self.drive(erasure_id))

    def drive_all(self) -> None:
        """Go on with every erasure on which a step can be taken."""
        with self._database.work(Caller.service("retention")) as work:
            waiting = course.due(work, now=self._clock())
        for erasure_id in waiting:
            self.drive(erasure_id)

    def drive(self, erasure_id: str) -> None:
        """Take one step after the other until it is done, waits, or a step has to be tried again later."""
        while self._take_step(erasure_id):
            pass

    def _take_step(self, erasure_id: str) -> bool:
        with self._database.work(Caller.service("retention")) as work:
            claim = course.claim(work, erasure_id=erasure_id, now=self._clock())
        if claim is None:
            return False
        caller = Caller.service("retention", trace_id=claim.trace_id)
        try:
            self._perform(claim, caller)
        except (Refusal, InternalError) as error:
            code = error.code if isinstance(error, Refusal) else "internal"
            _log.warning("erasure.put-off", erasure=claim.erasure_id, step=claim.step, code=code)
            with self._database.work(caller) as work:
                course.put_off(work, claim, now=self._clock(), code=code)
            return False
        return True

    def _perform(self, claim: Claim, caller: Caller) -> None:
        step = claim.step
        if step == "seal":
            self._seal(claim, caller)
        elif step in {"erase_interactions", "erase_contacts"}:
            self._erase(claim, caller, service=step.removeprefix("erase_"))
        elif step == "erase_organization":
            self._erase_organization(claim, caller)
        elif step in {"seek_interactions", "search_interactions"}:
            self._seek(claim, caller, service="interactions")
        elif step in {"seek_contacts", "search_contacts"}:
            self._seek(claim, caller, service="contacts", kept=list(claim.kept))
        elif step == "erase_retention":
            with self._database.work(caller) as work:
                course.erase_here(work, claim, now=self._clock())
        elif step == "close":
            self._close(claim, caller)
        else:
            with self._database.work(caller) as work:
                course.pass_gate(work, claim, now=self._clock())

    def _seal(self, claim: Claim, caller: Caller) -> None:
        values: str | None
        try:
            values = self._call("contacts", "seal", caller, **self._subject(claim))["sealed"]
        except NotFound:
            values = None
        with self._database.work(caller) as work:
            course.sealed(work, claim, values=values, now=self._clock())

    def _erase(self, claim: Claim, caller: Caller, *, service: str) -> None:
        answer = self._call(service, "erase", caller, **self._subject(claim), cause=claim.cause)
        self._keep(claim, caller, service, answer)

    def _erase_organization(self, claim: Claim, caller: Caller) -> None:
        try:
            answer = self._call(
                "contacts",
                "erase_organization",
                caller,
                erasure_id=claim.erasure_id,
                organization_id=claim.subject_id,
                cause=claim.cause,
            )
        except NotFound:
            answer = {"receipts": []}
        self._keep(claim, caller, "contacts", answer)

    def _seek(self, claim: Claim, caller: Caller, *, service: str, **more: Any) -> None:
        # The key is asked for each search and kept nowhere: the seal lies here, its key there.
        key = self._call("contacts", "unseal_key", caller, erasure_id=claim.erasure_id)["key"]
        answer = self._call(service, "seek", caller, **self._subject(claim), sealed=claim.sealed, key=key, look=claim.look, **more)
        self._keep(claim, caller, service, answer)

    def _keep(self, claim: Claim, caller: Caller, service: str, answer: dict[str, Any]) -> None:
        with self._database.work(caller) as work:
            course.received(work, claim, service=service, answer=answer, now=self._clock())

    def _close(self, claim: Claim, caller: Caller) -> None:
        now = self._clock()
        if self._erased is not None:
            # The list comes first: a restore may replay an id once too often, and never once too few.
            self._erased.append(
                erasure_id=claim.erasure_id,
                subject_type=claim.subject_type,
                subject_id=claim.subject_id,
                at=str(wire_value(now)),
            )
        with self._database.work(caller) as work:
            course.close(work, claim, now=now)

    @staticmethod
    def _subject(claim: Claim) -> dict[str, str]:
        return {"erasure_id": claim.erasure_id, "individual_id": claim.subject_id}
