"""Run the steps of `domain.saga`. Each step is a repeatable call whose result is stored before the next step.

If the process stops in between, any process repeats the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from eventlet.semaphore import Semaphore

from services.chassis.database import Database
from services.chassis.logs import Log
from services.chassis.messages import Caller, NotFound, Refusal
from services.chassis.signals import is_asked_to_stop
from services.chassis.transport.rpc_client import InternalError
from services.retention.domain import saga
from services.retention.domain.records import Hit
from services.retention.usecases import saga_steps
from services.retention.usecases.saga_steps import Claim

_log = Log(__name__)

#: Calls a service in retention's own name: (service, method, caller, arguments).
Call = Callable[..., Any]

#: Adds to the list of erased ids: (erasure, subject type, subjects, time).
NoteErased = Callable[[str, str, Sequence[str], datetime], None]

#: The number of searches that run at once. Searches lock the texts that they find: with one for each erasure, they
#: waited for each other until their calls timed out. No other step waits for them.
SEARCHES_AT_ONCE = 2


class Saga:
    """Run the steps of erasures in the service's own name."""

    def __init__(
        self,
        database: Database,
        call: Call,
        *,
        clock: Callable[[], datetime],
        note_erased: NoteErased = lambda *_: None,
        spawn: Callable[[Callable[[], None]], object] = lambda act: act(),
    ) -> None:
        """Create the saga; `spawn` runs a function in the background."""
        self._database = database
        self._call = call
        self._clock = clock
        self.note_erased = note_erased
        self._spawn = spawn
        self._searches = Semaphore(SEARCHES_AT_ONCE)

    def ask(self, service: str, method: str, caller: Caller, **given: Any) -> Any:
        """Call another service in retention's own name."""
        return self._call(service, method, caller, **given)

    def wake(self, erasure_id: str) -> None:
        """Continue an erasure in the background. A failed step waits for the next `drive_all`."""
        self._spawn(lambda: self._try_to_drive(erasure_id))

    def drive_all(self) -> None:
        """Continue every erasure whose next step can run."""
        with self._database.work(Caller.service("retention")) as work:
            waiting = saga_steps.due(work, now=self._clock())
        # Every record is erased before any text is searched: searches take longer.
        for take in (self._drive_to_search, self.drive):
            for erasure_id in waiting:
                if is_asked_to_stop():
                    return
                take(erasure_id)

    def _drive_to_search(self, erasure_id: str) -> None:
        """Run the steps of an erasure as `drive` does, up to its next search."""
        while not self._is_search_next(erasure_id) and self._take_step(erasure_id):
            if is_asked_to_stop():
                return

    def drive(self, erasure_id: str) -> None:
        """Run the steps of an erasure until it is done, waits, or a step fails."""
        while self._take_step(erasure_id):
            if is_asked_to_stop():
                return

    def _try_to_drive(self, erasure_id: str) -> None:
        # Nobody waits for this result, so an exception would end the process.
        try:
            self.drive(erasure_id)
        except Refusal as error:
            _log.warning("erasure.left", erasure=erasure_id, code=error.code)

    def _take_step(self, erasure_id: str) -> bool:
        # Wait for other searches before the claim, which would lapse meanwhile.
        with self._searches if self._is_search_next(erasure_id) else nullcontext():
            return self._claim_and_perform(erasure_id)

    def _is_search_next(self, erasure_id: str) -> bool:
        with self._database.work(Caller.service("retention")) as work:
            return saga_steps.is_search_next(work, erasure_id)

    def _claim_and_perform(self, erasure_id: str) -> bool:
        with self._database.work(Caller.service("retention")) as work:
            claim = saga_steps.claim(work, erasure_id=erasure_id, now=self._clock())
        if claim is None:
            return False
        caller = Caller.service("retention", trace_id=claim.trace_id)
        try:
            self._perform(claim, caller)
        except (Refusal, InternalError) as error:
            code = error.code if isinstance(error, Refusal) else "internal"
            _log.warning("erasure.put-off", erasure=claim.erasure_id, step=claim.step, code=code)
            with self._database.work(caller) as work:
                saga_steps.put_off(work, claim, now=self._clock(), code=code)
            return False
        return True

    def _perform(self, claim: Claim, caller: Caller) -> None:
        step = saga.find_step(claim.subject_type, claim.step)
        if step.service == "retention":
            own = {"erase": self._erase_here, "seek": self._seek_here, "decide": self._pass_gate, "close": self._close}
            own[step.method](claim, caller)
            return
        try:
            answer = self._call(step.service, step.method, caller, **self._arguments(step, claim, caller))
        except NotFound:
            if step.method != "erase_organization":
                raise
            answer = {"receipts": []}
        with self._database.work(caller) as work:
            saga_steps.received(work, claim, service=step.service, answer=answer, now=self._clock())

    def _arguments(self, step: saga.Step, claim: Claim, caller: Caller) -> dict[str, object]:
        """Return the arguments for the method of a step."""
        subject: dict[str, object] = {"erasure_id": claim.erasure_id, f"{claim.subject_type}_id": claim.subject_id}
        if step.method == "seek":
            return {**subject, **self._unsealing(claim.erasure_id, claim.sealed, caller), "look": claim.look, **claim.places(step.service)}
        return subject if step.method == "close_erasure" else {**subject, "cause": claim.cause}

    def _erase_here(self, claim: Claim, caller: Caller) -> None:
        with self._database.work(caller) as work:
            saga_steps.erase_here(work, claim, now=self._clock())

    def _seek_here(self, claim: Claim, caller: Caller) -> None:
        with self._database.work(caller) as work:
            is_needed = saga_steps.has_reasons(work)
        # Usually no reasons are stored, and the sealed values stay closed.
        key = self._unsealing(claim.erasure_id, claim.sealed, caller)["key"] if is_needed else None
        with self._database.work(caller) as work:
            saga_steps.seek_here(work, claim, key=key, now=self._clock())

    def _pass_gate(self, claim: Claim, caller: Caller) -> None:
        with self._database.work(caller) as work:
            is_overdue = saga_steps.pass_gate(work, claim, now=self._clock())
        if is_overdue:
            unsealing = self._unsealing(claim.erasure_id, claim.sealed, caller)
            living = self._call("contacts", "namesake", caller, erasure_id=claim.erasure_id, **unsealing)["living"]
            with self._database.work(caller) as work:
                saga_steps.decide_overdue(work, claim, living_namesake=living, now=self._clock())

    def mentions(self, erasure_id: str, sealed: str, hits: Sequence[Hit], *, trace_id: str | None) -> dict[str, list[dict[str, str]]]:
        """Return hit id → its excerpts; a hit whose text no longer exists is omitted."""
        caller = Caller.service("retention", trace_id=trace_id)
        unsealing = self._unsealing(erasure_id, sealed, caller)
        shown: dict[str, list[dict[str, str]]] = {}
        for service in sorted({hit.service for hit in hits}):
            ids = {(hit.store, hit.record_id, hit.field): hit.id for hit in hits if hit.service == service}
            answer = self._call(service, "show_mentions", caller, erasure_id=erasure_id, **unsealing, places=[list(place) for place in ids])
            for item in answer["items"]:
                shown[ids[item["store"], item["id"], item["field"]]] = item["excerpts"]
        return shown

    def _unsealing(self, erasure_id: str, sealed: str | None, caller: Caller) -> dict[str, str | None]:
        # The key is fetched for each search and not stored: sealed values and key stay in different services.
        key = self._call("contacts", "unseal_key", caller, erasure_id=erasure_id)["key"]
        return {"sealed": sealed, "key": key}

    def _close(self, claim: Claim, caller: Caller) -> None:
        now = self._clock()
        # The list is written first: a restore may erase an id twice, but must not miss one.
        self.note_erased(claim.erasure_id, claim.subject_type, [claim.subject_id], now)
        with self._database.work(caller) as work:
            saga_steps.close(work, claim, now=now)
