"""Run a command once, and store its result in the transaction of its change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from services.chassis.database.engine import Database
from services.chassis.database.unit_of_work import Replay, UnitOfWork
from services.chassis.messages import Caller

Result = TypeVar("Result")
Act = Callable[[UnitOfWork], Result]
#: Builds the answer to a repeated request from the stored id.
Replayer = Callable[[UnitOfWork, str], Result]


class CommandCall:
    """One call of a command; its method gets it instead of a `Caller`.

    The method makes its change through `run`, `perform` or `attempt`. Its answer is sent only if the result is stored.
    """

    def __init__(
        self, database: Database, caller: Caller, *, action: str, status: int = 200, subject_id: str | None = None, created: str | None = None
    ) -> None:
        """Describe the result to store.

        :param status: the HTTP status of the answer.
        :param subject_id: the id of the changed record; the method may set another one.
        :param created: the field of the answer with the id of the created record, which is stored instead.
        """
        self.caller = caller
        self._database = database
        self._action = action
        self._status = status
        self.subject_id = subject_id
        self._created = created
        #: Whether this call or an earlier one with the same key stored the result.
        self.is_stored = False

    def run(self, act: Act[Result], *, replay: Replayer[Result] | None = None, repeatable: bool = False, role: str | None = None) -> Result:
        """Run the command in its own unit of work; see `perform` for the other parameters.

        :param role: the database role of the transaction.
        :raises IdempotencyMismatch: the key was used with another body.
        """
        with self._database.work(self.caller, role=role) as work:
            return self.perform(work, act, replay=replay, repeatable=repeatable)

    def perform(self, work: UnitOfWork, act: Act[Result], *, replay: Replayer[Result] | None = None, repeatable: bool = False) -> Result:
        """Run the command in an open unit of work and store its result; answer a repeated request from the stored one.

        :param replay: builds the answer to a repeated request. Without it, the replay is recorded and the answer is None.
        :param repeatable: run the command again for a repeated request, because that changes nothing.
        :raises IdempotencyMismatch: the key was used with another body.
        """
        earlier = self.idempotent_result(work)
        if earlier is not None and not repeatable:
            return replay(work, earlier.subject_id or "") if replay else self._record_replay(work)
        result = act(work)
        if earlier is None:
            self.store(work, result)
        return result

    def attempt(self, act: Act[Result | None]) -> Result | None:
        """Run a command that may have nothing to do; store its result unless it is None.

        :raises IdempotencyMismatch: the key was used with another body.
        """
        with self._database.work(self.caller) as work:
            earlier = self.idempotent_result(work)
            result = act(work)
            if result is not None and earlier is None:
                self.store(work, result)
            return result

    def idempotent_result(self, work: UnitOfWork) -> Replay | None:
        """Return the stored result of an earlier request with the same key.

        :raises IdempotencyMismatch: the key was used with another body.
        """
        earlier = work.idempotent_result()
        self.is_stored = earlier is not None
        return earlier

    def store(self, work: UnitOfWork, result: Any) -> None:
        """Store the result at the commit: a status and an id, never a body."""
        work.store_idempotent_result(self._status, result[self._created] if self._created else self.subject_id)
        self.is_stored = True

    def _record_replay(self, work: UnitOfWork) -> Any:
        work.record(self._action, subjects=[self.subject_id] if self.subject_id else [], outcome="replayed")
