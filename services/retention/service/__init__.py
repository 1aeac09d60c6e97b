"""Define the RPC methods and announcement handlers of retention: load, call the use case, return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.access.contract import UserChanged
from services.chassis.answers import Page
from services.chassis.database import CommandCall, UnitOfWork
from services.chassis.entrypoints import BusProvider, DatabaseProvider, SettingsProvider, announcement_handler, rpc, timer
from services.chassis.entrypoints.operations import OperationMethods
from services.chassis.logs import Log
from services.chassis.messages import Caller, NotFound, Operation, Refusal, new_id, require_match
from services.chassis.runtime.witness import Witness
from services.chassis.signals import is_asked_to_stop
from services.chassis.transport.rpc_client import InternalError
from services.chassis.validation import as_id
from services.contacts.contract.announcements import (
    IndividualErased,
    IndividualFrozen,
    IndividualRegistered,
    IndividualsErased,
    IndividualsImported,
    OwnerChanged,
)
from services.contacts.contract.answers.cases import MayEraseAnswer, TwinDecidedAnswer
from services.contacts.contract.answers.shared import Owner
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import screen
from services.lexicon.tasks import Part, first_after
from services.retention import contract
from services.retention.contract import answers
from services.retention.contract.schemas import NewRequest
from services.retention.service.dependencies import DependenciesProvider
from services.retention.usecases import announcement_handlers, erasing, requests, withdrawing

_log = Log(__name__)

#: The reason that is a cause of its own; every other reason has the cause "no longer needed" (R131).
_MISTAKE = "mistake"


class RetentionService(OperationMethods, Witness):
    """Keep requests for no more contact, and run erasures."""

    name = "retention"
    database = DatabaseProvider()
    bus = BusProvider()
    settings = SettingsProvider()
    dependencies = DependenciesProvider()

    @rpc("retention:request:open", subject="individual_id", command=True, status=201, created="id")
    def open_no_contact_request(
        self, call: CommandCall, request_id: str, individual_id: str, medium: str, received_on: str, reason: str | None = None
    ) -> answers.RequestAnswer:
        """Open a request for no more contact, and have contacts freeze the individual.

        :raises IndividualUnknown: the individual does not exist, or the caller may not know of them.
        """
        given = contract.NoContactRequestCreateSchema().load(
            {"individual_id": individual_id, "medium": medium, "received_on": received_on, "reason": reason}
        )
        caller = call.caller
        frozen_for, owner = self._freeze(caller, as_id(request_id), given)

        def open_request(work: UnitOfWork) -> answers.RequestAnswer:
            row = requests.open_request(
                work,
                now=self.database.clock(),
                request_id=frozen_for,
                individual_id=given.individual_id,
                medium=given.medium,
                received_on=given.received_on,
                recorded_by=caller.id,
                recorded_by_component=caller.component,
                owner=(owner["user"], owner["component"]),
            )
            return requests.describe(work, row, by=caller, now=self.database.clock())

        return call.run(open_request, repeatable=True)

    def _freeze(self, caller: Caller, request_id: str, given: NewRequest) -> tuple[str, Owner]:
        """Have contacts freeze the individual, unless they are frozen; return the request of the freeze, and the owner."""
        decision: MayEraseAnswer = self.bus.call("contacts", "may_erase", caller, individual_id=given.individual_id)
        frozen_for = decision["request_id"] if decision["frozen"] else None
        if frozen_for is None:
            frozen_for = self.bus.call(
                "contacts",
                "freeze",
                _second_command(caller, "freeze", request_id),
                request_id=request_id,
                individual_id=given.individual_id,
                medium=given.medium,
                received_on=given.received_on.isoformat(),
                reason=given.reason,
            )["request_id"]
        return frozen_for, decision["owner"]

    @rpc("retention:request:read", subject="request_id")
    def read_no_contact_request(self, caller: Caller, request_id: str) -> answers.RequestAnswer:
        """Return a request."""
        with self.database.work(caller) as work:
            return requests.read_request(work, by=caller, now=self.database.clock(), request_id=as_id(request_id))

    @rpc("retention:request:list")
    def list_no_contact_requests(self, caller: Caller, query: object = None) -> Page[answers.RequestAnswer]:
        """Return a page of the requests that the caller may read."""
        given = contract.NoContactRequestListQuerySchema().load(query or {})
        with self.database.work(caller) as work:
            return requests.list_requests(work, given, by=caller, now=self.database.clock(), cursors=self.dependencies.cursors)

    @rpc("retention:request:withdraw", subject="request_id", command=True)
    def withdraw_no_contact_request(self, call: CommandCall, request_id: str, body: object = None) -> answers.RequestAnswer:
        """Withdraw a request, propose it, or decide a proposal (T36)."""
        given = contract.WithdrawalSchema().load(body or {})
        answer = call.run(
            lambda work: withdrawing.withdraw(
                work, by=call.caller, now=self.database.clock(), request_id=as_id(request_id), reason=given.reason, decision=given.decision
            ),
            replay=lambda work, _: requests.read_request(work, by=call.caller, now=self.database.clock(), request_id=as_id(request_id)),
        )
        if answer["state"] == "withdrawn":
            self._release()
        return answer

    def _release(self) -> None:
        """Have contacts unfreeze the individuals of withdrawn requests; `drive` retries what failed."""
        itself = Caller.service("retention")
        with self.database.work(itself) as work:
            waiting = withdrawing.waiting_for_release(work)
        for request_id, individual_id in waiting:
            if is_asked_to_stop():
                return
            try:
                self.dependencies.saga.ask("contacts", "take_back", itself, request_id=request_id, individual_id=individual_id)
            except (Refusal, InternalError) as error:
                _log.warning("release.put-off", request=request_id, code=error.code if isinstance(error, Refusal) else "internal")
                return
            with self.database.work(itself) as work:
                withdrawing.released(work, request_id=request_id, now=self.database.clock())

    @rpc("retention:twin:decide", subject="individual_id", command=True)
    def decide_twin(self, call: CommandCall, request_id: str, individual_id: str, body: object) -> answers.TwinDecisionAnswer:
        """Decide whether another record is of the same person (T26): *same* is erased too, *another* is unfrozen."""
        decision = contract.TwinDecisionSchema().load(body).decision
        caller = call.caller
        with self.database.work(caller) as work:
            case = withdrawing.case_of(work, by=caller, request_id=as_id(request_id))
        decided: TwinDecidedAnswer = self.bus.call(
            "contacts",
            "decide_twin",
            _second_command(caller, "decide", f"{request_id} {individual_id} {decision}"),
            case_id=case.id,
            request_id=new_id(),
            individual_id=as_id(individual_id),
            decision=decision,
            medium=case.medium,
            received_on=case.received_on.isoformat(),
        )
        frozen_for = decided["request_id"]
        answer: answers.TwinDecisionAnswer = {"decision": decided["decision"], "request_id": frozen_for}
        if frozen_for is None:
            return call.run(lambda _: answer, repeatable=True)

        def join(work: UnitOfWork) -> answers.TwinDecisionAnswer | None:
            row = requests.open_request(
                work,
                now=self.database.clock(),
                request_id=frozen_for,
                individual_id=individual_id,
                medium=case.medium,
                received_on=case.received_on,
                recorded_by=caller.id,
                recorded_by_component=caller.component,
                owner=(decided["owner"]["user"], decided["owner"]["component"]),
            )
            begun = withdrawing.join(work, twin_request=row.id, case_id=case.id)
            return answer if begun is None else None

        if call.attempt(join) is None:
            self._begin(call, "individual", individual_id, "no_contact", None, decided["owner"])
        return answer

    @rpc("retention:task:list")
    def list_tasks(self, caller: Caller, query: object = None) -> Part[answers.TaskAnswer]:
        """Return the tasks of the caller, from a position on."""
        given = contract.TaskPageSchema().load(query or {})
        with self.database.work(caller) as work:
            return first_after(requests.list_tasks(work, by=caller, now=self.database.clock()), after=given.after, limit=given.limit)

    @rpc("retention:task:dismiss", command=True)
    def dismiss_task(self, call: CommandCall, task_id: str) -> None:
        """Refuse to dismiss a task, because retention has no notices."""
        call.run(lambda _: requests.dismiss_task(task_id=str(task_id)))

    @rpc("retention:erasure:request", subject="request_id", command=True, status=202, created="erasure_id")
    def erase_no_contact_request(self, call: CommandCall, request_id: str) -> answers.AcceptedErasure:
        """Answer a request for no more contact with the erasure (R165, T10).

        :raises NotYoursToErase: the caller does not have the duty to erase.
        """
        caller = call.caller
        with self.database.work(caller) as work:
            request = requests.known_request(work, by=caller, request_id=as_id(request_id))
            if request.withdrawn_at is not None:
                raise contract.RequestWithdrawn
        begun = call.attempt(lambda work: erasing.begun_before(work, by=caller, subject_id=request.individual_id))
        if begun is not None:
            return begun
        allowed = self.bus.call("contacts", "may_erase", caller, individual_id=request.individual_id)
        erasing.require_allowed(allowed)
        return self._begin(call, "individual", request.individual_id, "no_contact", None, allowed["owner"])

    @rpc("retention:erasure:request", subject="subject_id", command=True, status=202, created="erasure_id")
    def request_erasure(
        self, call: CommandCall, subject_type: str, subject_id: str, reason: str, if_match: str | None = None
    ) -> answers.AcceptedErasure:
        """Erase a record that was entered by mistake or is no longer needed (R131), as its owner.

        :raises NotYoursToErase: the caller is not its owner.
        :raises PreconditionMissing, Stale: the caller did not name the present version.
        """
        given = contract.ErasureRequestSchema().load({"reason": reason})
        TextNeedsReview.unless_clean([("reason", given.reason, screen)])
        subject = as_id(subject_id)
        if subject_type not in contract.SUBJECT_TYPES:
            raise NotFound
        caller = call.caller
        begun = call.attempt(lambda work: erasing.begun_before(work, by=caller, subject_id=subject))
        if begun is not None:
            return begun
        if subject_type == "individual":
            allowed = self.bus.call("contacts", "may_erase", caller, individual_id=subject)
        else:
            allowed = self.bus.call("contacts", "may_erase_organization", caller, organization_id=subject)
        erasing.require_allowed(allowed)
        require_match(if_match, allowed["etags"])
        # The erasure of a frozen person always has the cause "no contact", so that the next business card is
        # refused (T9).
        cause = "no_contact" if allowed.get("frozen") else given.reason if given.reason == _MISTAKE else "no_longer_needed"
        return self._begin(call, subject_type, subject, cause, given.reason, allowed["owner"])

    def _begin(
        self,
        call: CommandCall,
        subject_type: str,
        subject_id: str,
        cause: str,
        reason: str | None,
        owner: Owner,
    ) -> answers.AcceptedErasure:
        caller = call.caller
        twins: list[answers.AcceptedErasure] = []

        def begin(work: UnitOfWork) -> answers.AcceptedErasure:
            accepted = erasing.request_erasure(
                work,
                by=caller,
                now=self.database.clock(),
                subject_type=subject_type,
                subject_id=subject_id,
                cause=cause,
                reason=reason,
                owner=(owner["user"], owner["component"]),
            )
            twins.extend(
                erasing.request_erasure(
                    work,
                    by=caller,
                    now=self.database.clock(),
                    subject_type="individual",
                    subject_id=twin.individual_id,
                    cause="no_contact",
                    reason=None,
                    owner=(twin.owner_id, twin.owner_component),
                )
                for twin in erasing.twins_of(work, subject_id)
            )
            return accepted

        accepted = call.run(begin, repeatable=True)
        for each in (accepted, *twins):
            self.dependencies.saga.wake(each["erasure_id"])
        return accepted

    @rpc("retention:erasure:read", subject="erasure_id")
    def read_erasure(self, caller: Caller, erasure_id: str) -> answers.ErasureAnswer:
        """Return the progress of an erasure, its receipts and its certificate."""
        with self.database.work(caller) as work:
            return erasing.read_erasure(work, by=caller, now=self.database.clock(), erasure_id=as_id(erasure_id))

    @rpc("retention:erasure:decide", subject="erasure_id", command=True)
    def decide_hits(self, call: CommandCall, erasure_id: str, body: Mapping[str, object]) -> answers.ErasureAnswer:
        """Decide mentions in texts about others, as the privacy officer (T27)."""
        given = contract.DecisionsSchema().load(body)
        erasure = call.run(
            lambda work: erasing.decide(work, by=call.caller, now=self.database.clock(), erasure_id=as_id(erasure_id), given=given),
            replay=lambda work, _: erasing.read_erasure(work, by=call.caller, now=self.database.clock(), erasure_id=as_id(erasure_id)),
        )
        self.dependencies.saga.wake(erasure["id"])
        return erasure

    @rpc("retention:erasure:list-hits", subject="erasure_id")
    def list_hits(self, caller: Caller, erasure_id: str, query: object = None) -> Page[answers.ErasureHit]:
        """Return mentions in texts about others, with excerpts, to the privacy officer (T27)."""
        given = contract.HitListQuerySchema().load(query or {})
        with self.database.work(caller) as work:
            page, sealed, open_hits = erasing.list_hits(work, given, by=caller, cursors=self.dependencies.cursors, erasure_id=as_id(erasure_id))
        if sealed is None or not open_hits:
            return page
        shown = self.dependencies.saga.mentions(as_id(erasure_id), sealed, open_hits, trace_id=caller.trace_id)
        if len(shown) < len(open_hits):
            with self.database.work(Caller.service("retention", trace_id=caller.trace_id)) as work:
                erasing.found_gone(work, now=self.database.clock(), erasure_id=as_id(erasure_id))
            self.dependencies.saga.wake(as_id(erasure_id))
        page["items"] = [{**item, "excerpts": shown.get(item["id"], [])} for item in page["items"]]
        return page

    @rpc("retention:erasure:list-sample")
    def list_sample(self, caller: Caller, query: object = None) -> Page[answers.ErasureHit]:
        """Return the weekly sample of what the rule decided as another person's, to the privacy officer (T27)."""
        given = contract.SampleQuerySchema().load(query or {})
        with self.database.work(caller) as work:
            return erasing.list_sample(work, given, by=caller, cursors=self.dependencies.cursors)

    @rpc("retention:hold:place", command=True, status=201, created="id")
    def place_hold(self, call: CommandCall, body: object) -> Mapping[str, object]:
        """Hold the erasure of a record, as the privacy officer (R138, T24)."""
        given = contract.HoldCreateSchema().load(body)

        def repeat(work: UnitOfWork, hold_id: str) -> Mapping[str, object]:
            held = erasing.list_holds(work, by=call.caller, now=self.database.clock())["items"]
            return next((hold for hold in held if hold["id"] == hold_id), {"id": hold_id})

        return call.run(
            lambda work: erasing.place_hold(work, by=call.caller, now=self.database.clock(), subject_id=given.subject_id, until=given.until),
            replay=repeat,
        )

    @rpc("retention:hold:lift", subject="hold_id", command=True, status=204)
    def lift_hold(self, call: CommandCall, hold_id: str) -> None:
        """Lift a hold, as the privacy officer."""
        call.run(lambda work: erasing.lift_hold(work, by=call.caller, now=self.database.clock(), hold_id=as_id(hold_id)))

    @rpc("retention:hold:find", identity="contacts")
    def find_holds(self, caller: Caller, subject_ids: list[str]) -> list[str]:
        """Return the subjects that have a hold: undoing an import keeps them (R138)."""
        with self.database.work(caller) as work:
            return erasing.find_holds(work, now=self.database.clock(), subject_ids=list(map(as_id, subject_ids)))

    @rpc("retention:hold:list")
    def list_holds(self, caller: Caller) -> Page[answers.HoldAnswer]:
        """Return the active holds to the privacy officer."""
        with self.database.work(caller) as work:
            return erasing.list_holds(work, by=caller, now=self.database.clock())

    @rpc("retention:destruction:list")
    def list_destructions(self, caller: Caller, query: object = None) -> Page[answers.DestructionAnswer]:
        """Return a page of the register of destruction, to the privacy officer or a system owner."""
        given = contract.DestructionListQuerySchema().load(query or {})
        with self.database.work(caller) as work:
            return erasing.list_destructions(work, given, by=caller, cursors=self.dependencies.cursors)

    @timer(seconds=1, action="retention:erasure:drive", eager=True)
    def drive(self, _caller: Caller) -> None:
        """Continue the erasures and releases that were interrupted or postponed."""
        self.dependencies.saga.drive_all()
        self._release()

    @announcement_handler(IndividualFrozen)
    def individual_frozen(self, work: UnitOfWork, told: IndividualFrozen) -> None:
        """Open the request, unless the call that froze the individual has opened it."""
        announcement_handlers.individual_frozen(work, told, now=self.database.clock())

    @announcement_handler(IndividualRegistered, batch=True)
    def individuals_registered(self, work: UnitOfWork, told: Sequence[IndividualRegistered]) -> None:
        """Store the owners of new individuals."""
        announcement_handlers.individuals_registered(work, told)

    @announcement_handler(IndividualsImported)
    def individuals_imported(self, work: UnitOfWork, told: IndividualsImported) -> None:
        """Store the owners of imported individuals."""
        announcement_handlers.individuals_imported(work, told)

    @announcement_handler(OwnerChanged)
    def owner_changed(self, work: UnitOfWork, told: OwnerChanged) -> None:
        """Store the present owner of an individual."""
        announcement_handlers.owner_changed(work, told)

    @announcement_handler(IndividualErased)
    def individual_erased(self, work: UnitOfWork, told: IndividualErased) -> None:
        """Delete the projection of an erased individual."""
        announcement_handlers.individual_erased(work, told)

    @announcement_handler(IndividualsErased)
    def individuals_erased(self, work: UnitOfWork, told: IndividualsErased) -> None:
        """Delete the projections of erased individuals, and add their ids to the list of erased ids."""
        announcement_handlers.individuals_erased(work, told)
        self.dependencies.saga.note_erased(told.import_id, "individual", told.individuals, self.database.clock())

    @announcement_handler(UserChanged)
    def user_changed(self, work: UnitOfWork, told: UserChanged) -> None:
        """Store the component, level, roles and status of a user."""
        announcement_handlers.user_changed(work, told)


def _second_command(caller: Caller, word: str, key: str) -> Caller:
    """Return the caller with a separate operation for a command that this one sends to another service."""
    if caller.operation is None:
        return caller
    one = caller.operation
    operation = Operation(id=new_id(), method=one.method, path=f"{one.path}#{word}", key=key, body_hash=one.body_hash)
    return caller.within(trace_id=caller.trace_id, operation=operation)
