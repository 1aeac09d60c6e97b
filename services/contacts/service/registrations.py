"""Register individuals of one component together, in one transaction, when they come at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.chassis.database import CommandCall, Database, Lock, UnitOfWork, note_audited
from services.chassis.database.batching import Batcher
from services.chassis.logs import Log, where
from services.chassis.messages import IdempotencyMismatch, OutcomeUnknown, Refusal
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.contacts.contract.commands import GivenIndividual
from services.contacts.usecases.registration import Outcome, Registration, registration_of

_log = Log(__name__)

Asked = tuple[CommandCall, Registration]


class Registrations:
    """Registers together what comes within a moment. What has to wait for something is left to go alone."""

    def __init__(self, database: Database, register_together: Callable[[UnitOfWork, Sequence[Registration]], list[Outcome]]) -> None:
        """Register in this database, and how."""
        self._database = database
        self._register_together = register_together
        # Row-level security is set for a transaction, so that each component has its own.
        self._batchers: dict[str, Batcher[Asked, Outcome]] = {}

    def register(self, call: CommandCall, given: GivenIndividual) -> IndividualAnswer | None:
        """Register an individual; return None for one that has to go alone.

        An individual goes alone if somebody registers the same name just now, if its request came before, or if its
        organization must be registered first.

        :raises Refusal: as `usecases.registration` raises, or because the transaction's outcome is unknown.
        """
        entry = registration_of(given, by=call.caller)
        batcher = self._batchers.setdefault(entry.component, Batcher(self._register))
        outcome = batcher.ask((call, entry))
        if isinstance(outcome, Refusal):
            raise outcome
        if outcome is not None:
            note_audited()
        return outcome

    def _register(self, asked: Sequence[Asked]) -> list[Outcome]:
        calls, entries = zip(*asked, strict=True)
        outcomes: list[Outcome] = [None] * len(entries)
        locks = [_locks_of(entry) for entry in entries]
        first = entries[0].by
        try:
            with self._database.work(first.within(trace_id=first.trace_id), locks={lock: None for each in locks for lock in each}) as work:
                together, taken = [], set[Lock]()
                for at, each in enumerate(locks):
                    if each <= work.held and not each & taken:
                        together.append(at)
                        taken |= each
                if fresh := [at for at in together if _is_new(work, calls[at])]:
                    entered = self._register_together(work, [entries[at] for at in fresh])
                    for at, outcome in zip(fresh, entered, strict=True):
                        outcomes[at] = outcome
                        if isinstance(outcome, dict):
                            calls[at].store(work.on_behalf_of(calls[at].caller), outcome)
        except OutcomeUnknown:
            return [_unknown(entry) for entry in entries]
        except Refusal as refusal:
            return [Refusal.from_wire(refusal.to_wire()) for _ in entries]
        except Exception as error:  # noqa: BLE001 - each goes alone, which says whose mistake it was
            _log.warning("registrations.failed", size=len(entries), **where(error))
            return [None] * len(entries)
        return outcomes


def _locks_of(entry: Registration) -> frozenset[Lock]:
    return frozenset({entry.lock, *Lock.of_request(entry.by)})


def _is_new(work: UnitOfWork, call: CommandCall) -> bool:
    try:
        return call.idempotent_result(work.on_behalf_of(call.caller)) is None
    except IdempotencyMismatch:
        return False


def _unknown(entry: Registration) -> OutcomeUnknown:
    operation = entry.by.operation
    return OutcomeUnknown(extra={"operation_id": operation.id} if operation else None)
