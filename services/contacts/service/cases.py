"""Methods about requests for no more contact: freeze, withdraw, the privacy officer's decisions, and tasks."""

from __future__ import annotations

from services.chassis.answers import Page, Part
from services.chassis.database import CommandCall, Database
from services.chassis.entrypoints import rpc
from services.chassis.messages import Caller
from services.chassis.validation import as_id, ready
from services.contacts.contract.answers.cases import (
    DayCountAnswer,
    FoundFrozen,
    FreezeAnswer,
    HitAnswer,
    LookupsAnswer,
    LookupsSeenAnswer,
    ManyFreezesAnswer,
    MarkAnswer,
    MarkDecidedAnswer,
    MayEraseAnswer,
    NoticeAnswer,
    PairDecidedAnswer,
    PairOfRecords,
    TaskAnswer,
    TwinAnswer,
    TwinDecidedAnswer,
    UnfrozenAnswer,
)
from services.contacts.contract.answers.notes import KeptTextAnswer, ReleasedAnswer
from services.contacts.contract.refusals import IndividualUnknown, MarkUnknown, NoticeUnknown, OrganizationUnknown, PairUnknown, TwinUnknown
from services.contacts.contract.schemas.cases import (
    FreezeSchema,
    FrozenQuerySchema,
    LookupsSeenSchema,
    MarkDecisionSchema,
    PairDecisionSchema,
    TwinDecisionCommandSchema,
)
from services.contacts.contract.schemas.notes import KeptTextPageSchema, KeptTextReleaseSchema
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.contacts.contract.schemas.tasks import TaskPageSchema
from services.contacts.service.dependencies import Dependencies
from services.contacts.service.imports import asked_for
from services.contacts.usecases import freezing, hits, likenesses, releasing, suppressing, tasks
from services.contacts.usecases.authorization import is_officer
from services.contacts.usecases.imports import deciding
from services.lexicon.refusals import KeptTextUnknown

_RETENTION = "retention"
#: Reads every component's values, for the marks of a case; the privacy officer's lists too.
_CASEWORKER = "caseworker"


class CaseMethods:
    """Freeze, withdraw, decide. Units of work that read values have the role `caseworker`."""

    database: Database
    dependencies: Dependencies

    @rpc("contacts:individual:freeze", subject="individual_id", command=True, status=201, onward="retention")
    def freeze(
        self, call: CommandCall, request_id: str, individual_id: str, medium: str, received_on: str, reason: str | None = None
    ) -> FreezeAnswer:
        """Freeze a person who asks not to be contacted (R164-R170). A repeated call changes nothing."""
        as_id(individual_id, IndividualUnknown)
        command = ready(FreezeSchema).load(
            {"request_id": request_id, "individual_id": individual_id, "medium": medium, "received_on": received_on, "reason": reason}
        )
        return call.run(
            lambda work: freezing.freeze(work, by=call.caller, now=self.database.clock(), layer=self.dependencies.layer, **command),
            repeatable=True,
            role=_CASEWORKER,
        )

    @rpc("contacts:individual:unfreeze", subject="individual_id", identity=_RETENTION)
    def take_back(self, caller: Caller, request_id: str, individual_id: str) -> UnfrozenAnswer:
        """Withdraw a request, as retention decided (T36). A repeated call changes nothing."""
        with self.database.work(caller, role=_CASEWORKER) as work:
            freezing.take_back(work, now=self.database.clock(), request_id=request_id, individual_id=individual_id)
        return {"individual_id": individual_id}

    @rpc("contacts:twin:decide", subject="individual_id", command=True, onward="retention")
    def decide_twin(
        self, call: CommandCall, case_id: str, request_id: str, individual_id: str, decision: str, medium: str, received_on: str
    ) -> TwinDecidedAnswer:
        """Decide whether another record is of the same person (T26): the privacy officer."""
        as_id(case_id, TwinUnknown)
        as_id(individual_id, TwinUnknown)
        command = ready(TwinDecisionCommandSchema).load(
            {"request_id": request_id, "decision": decision, "medium": medium, "received_on": received_on}
        )
        return call.run(
            lambda work: freezing.decide_twin(
                work,
                by=call.caller,
                now=self.database.clock(),
                layer=self.dependencies.layer,
                case_id=case_id,
                individual_id=individual_id,
                **command,
            ),
            repeatable=True,
            role=_CASEWORKER,
        )

    @rpc("contacts:twin:list")
    def list_twins(self, caller: Caller, request_id: str | None = None, query: object = None) -> Page[TwinAnswer]:
        """List records that may be of somebody who asked not to be contacted: the privacy officer."""
        asked = ready(ListQuerySchema).load(query or {})
        if request_id is not None:
            as_id(request_id, TwinUnknown)
        with self.database.work(caller, role=_CASEWORKER) as work:
            return suppressing.list_twins(work, by=caller, cursors=self.dependencies.cursors, request_id=request_id, **asked)

    @rpc("contacts:suppression:list")
    def list_marks(self, caller: Caller, query: object = None) -> Page[MarkAnswer]:
        """List values that make no mark by themselves (T25): the privacy officer."""
        asked = ready(ListQuerySchema).load(query or {})
        with self.database.work(caller, role=_CASEWORKER) as work:
            return suppressing.list_marks(work, by=caller, layer=self.dependencies.layer, cursors=self.dependencies.cursors, **asked)

    @rpc("contacts:suppression:settle", subject="mark_id", command=True)
    def settle_mark(self, call: CommandCall, mark_id: str, body: object) -> MarkDecidedAnswer:
        """Keep such a value as a mark, or drop it: the privacy officer."""
        as_id(mark_id, MarkUnknown)
        command = ready(MarkDecisionSchema).load(body)
        return call.run(
            lambda work: suppressing.settle_mark(work, by=call.caller, mark_id=mark_id, **command),
            repeatable=True,
            role=_CASEWORKER,
        )

    @rpc("contacts:duplicate:read", subject="individual_id")
    def read_pair(self, caller: Caller, individual_id: str, other_id: str) -> PairOfRecords:
        """Read two records that may be of one person (T34)."""
        as_id(individual_id, PairUnknown)
        as_id(other_id, PairUnknown)
        with self.database.work(caller, role=_role_of(caller)) as work:
            return likenesses.read_pair(work, by=caller, individual_id=individual_id, other_id=other_id)

    @rpc("contacts:duplicate:decide", subject="individual_id", command=True)
    def decide_pair(self, call: CommandCall, individual_id: str, other_id: str, body: object) -> PairDecidedAnswer:
        """Decide whether two records are of one person; the privacy officer proposes it to their owners."""
        as_id(individual_id, PairUnknown)
        as_id(other_id, PairUnknown)
        command = ready(PairDecisionSchema).load(body)
        return call.run(
            lambda work: likenesses.decide_pair(
                work, by=call.caller, now=self.database.clock(), individual_id=individual_id, other_id=other_id, **command
            ),
            replay=lambda work, _: likenesses.repeat_decision(work, individual_id=individual_id, other_id=other_id, **command),
            role=_role_of(call.caller),
        )

    @rpc("contacts:hit:list")
    def list_hits(self, caller: Caller, query: object = None) -> Page[HitAnswer]:
        """List which marks entries hit, each once (T35): the privacy officer."""
        asked = ready(ListQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return hits.list_hits(work, by=caller, cursors=self.dependencies.cursors, **asked)

    @rpc("contacts:lookups:list")
    def list_lookups(self, caller: Caller, query: object = None) -> Page[LookupsAnswer]:
        """List the accounts whose entries hit, or that used all look-ups of a day (T35): the privacy officer."""
        asked = ready(ListQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return hits.list_lookups(work, by=caller, cursors=self.dependencies.cursors, **asked)

    @rpc("contacts:lookups:see", command=True)
    def see_lookups(self, call: CommandCall, account: str, body: object) -> LookupsSeenAnswer:
        """Mark an account's hits as seen, and resume what waited: the privacy officer."""
        command = ready(LookupsSeenSchema).load(body)
        seen = call.run(
            lambda work: hits.see_lookups(work, by=call.caller, now=self.database.clock(), account=str(account), **command),
            replay=lambda work, _: hits.repeat_seeing(work, by=call.caller, account=str(account), **command),
        )
        asked_for.wake()
        return seen

    @rpc("contacts:note:list-kept")
    def list_kept_texts(self, caller: Caller, query: object) -> Part[KeptTextAnswer]:
        """List notes that were kept against a finding and wait to be released (T15): the privacy officer."""
        asked = ready(KeptTextPageSchema).load(query)
        with self.database.work(caller, role=_CASEWORKER) as work:
            return releasing.list_kept_texts(work, by=caller, **asked)

    @rpc("contacts:note:release", subject="kept_id", command=True)
    def release_kept_text(self, call: CommandCall, kept_id: str, body: object) -> ReleasedAnswer:
        """Let everybody read such a note: the privacy officer."""
        as_id(kept_id, KeptTextUnknown)
        command = ready(KeptTextReleaseSchema).load(body)
        call.run(
            lambda work: releasing.release_kept_text(work, by=call.caller, now=self.database.clock(), note_id=kept_id, **command),
            role=_CASEWORKER,
        )
        return {"id": kept_id, "released": True}

    @rpc("contacts:individual:find-frozen")
    def find_frozen(self, caller: Caller, query: object) -> Page[FoundFrozen]:
        """Find frozen people by words of their names, as far as the caller may find them (T21)."""
        asked = ready(FrozenQuerySchema).load(query)
        with self.database.work(caller) as work:
            return freezing.find_frozen(work, by=caller, cursors=self.dependencies.cursors, **asked)

    @rpc("contacts:individual:may-erase", subject="individual_id", onward="retention")
    def may_erase(self, caller: Caller, individual_id: str) -> MayEraseAnswer:
        """Return whether the caller may erase this individual now (R165, T10)."""
        as_id(individual_id, IndividualUnknown)
        with self.database.work(caller) as work:
            return freezing.may_erase(work, by=caller, now=self.database.clock(), individual_id=individual_id)

    @rpc("contacts:organization:may-erase", subject="organization_id", onward="retention")
    def may_erase_organization(self, caller: Caller, organization_id: str) -> MayEraseAnswer:
        """Return whether the caller may erase this organization."""
        as_id(organization_id, OrganizationUnknown)
        with self.database.work(caller) as work:
            return freezing.may_erase_organization(work, by=caller, organization_id=organization_id)

    @rpc("contacts:task:list")
    def list_tasks(self, caller: Caller, query: object = None) -> Part[TaskAnswer]:
        """List the caller's first tasks after a position."""
        asked = ready(TaskPageSchema).load(query or {})
        role = _role_of(caller)
        with self.database.work(caller, role=role) as work:
            return tasks.list_tasks(work, by=caller, imports=[] if role else deciding.list_tasks(work, by=caller), **asked)

    @rpc("contacts:task:dismiss", command=True, status=204)
    def dismiss_task(self, call: CommandCall, task_id: str) -> None:
        """Dismiss a notice; `tasks.dismiss_task` lists the kinds that are notices."""
        call.run(lambda work: tasks.dismiss_task(work, by=call.caller, now=self.database.clock(), task_id=str(task_id)))

    @rpc("contacts:notice:read", subject="notice_id")
    def read_notice(self, caller: Caller, notice_id: str) -> NoticeAnswer:
        """Read a notice of an erasure to the caller's component."""
        as_id(notice_id, NoticeUnknown)
        with self.database.work(caller) as work:
            return freezing.read_notice(work, by=caller, notice_id=notice_id)

    @rpc("contacts:count:list")
    def list_counts(self, caller: Caller, query: object = None) -> Page[DayCountAnswer]:
        """List how many requests each user recorded on each day, and how many of their entries were blocked (T36): the security officer."""
        asked = ready(ListQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return freezing.list_counts(work, by=caller, cursors=self.dependencies.cursors, **asked)

    @rpc("contacts:freezes:list")
    def list_many_freezes(self, caller: Caller, query: object = None) -> Page[ManyFreezesAnswer]:
        """List who of the caller's office had many people frozen on one day (T36)."""
        asked = ready(ListQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return freezing.list_many_freezes(work, by=caller, cursors=self.dependencies.cursors, **asked)


def _role_of(caller: Caller) -> str | None:
    """Return the database role for a list: `caseworker` for the privacy officer."""
    return _CASEWORKER if is_officer(caller) else None
