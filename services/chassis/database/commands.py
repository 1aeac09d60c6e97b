"""A command: it runs once, and its result is stored in the transaction that commits its effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from services.chassis.database.unit_of_work import Replay, UnitOfWork
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database.engine import Database

Result = TypeVar("Result")
Act = Callable[[UnitOfWork], Result]
#: Answers a repeated request, given the id that was stored.
Replayer = Callable[[UnitOfWork, str], Result]


class CommandCall:
    """One call of a command, as its method gets it in place of the caller.

    A method may prepare as it likes; its effect goes through `run`. It cannot answer before its result is stored.
    """

    def __init__(
        self, database: Database, caller: Caller, *, action: str, status: int = 200, subject_id: str | None = None, created: str | None = None
    ) -> None:
        """Describe the result to store.

        :param status: the HTTP status of the answer.
        :param subject_id: the id to store, of the record that the command changes; a method may set another one.
        :param created: the field of the answer that holds the id of the record that the command creates.
        """
        self.caller = caller
        self._database = database
        self._action = action
        self._status = status
        self.subject_id = subject_id
        self._created = created
        #: Whether the result is stored, by this call or by an earlier one with the same key.
        self.is_stored = False

    def run(self, act: Act[Result], *, replay: Replayer[Result] | None = None, repeatable: bool = False, role: str | None = None) -> Result:
        """Run the command in a unit of work of its own; the parameters are those of `perform`.

        :param role: the narrow role of the transaction.
        :raises IdempotencyMismatch: the key was used with another body.
        """
        with self._database.work(self.caller, role=role) as work:
            return self.perform(work, act, replay=replay, repeatable=repeatable)

    def perform(self, work: UnitOfWork, act: Act[Result], *, replay: Replayer[Result] | None = None, repeatable: bool = False) -> Result:
        """Run the command in an open unit of work, and store its result; answer a repeated request from the stored one.

        :param replay: answers a repeated request. Without it the repetition is recorded, and the answer is None.
        :param repeatable: a repeated request runs the command again, because that changes nothing.
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
        """Run what may find that nothing is left to do; its result is stored unless it is None.

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
        """Store the result when this transaction commits: a status and an id, never a body."""
        work.store_idempotent_result(self._status, result[self._created] if self._created else self.subject_id)
        self.is_stored = True

    def _record_replay(self, work: UnitOfWork) -> Any:
        work.record(self._action, subjects=[self.subject_id] if self.subject_id else [], outcome="replayed")
