"""The calls and announcements of interactions: load, call the use case, return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.access.contract import UserChanged
from services.chassis.answers import Page
from services.chassis.database import CommandCall, UnitOfWork
from services.chassis.entrypoints import BusProvider, DatabaseProvider, SettingsProvider, announcement_handler, rpc
from services.chassis.entrypoints.operations import OperationMethods
from services.chassis.messages import Caller, NotFound
from services.chassis.runtime.witness import Witness
from services.chassis.validation import as_id, given_or, ready
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualErased,
    IndividualFrozen,
    IndividualFrozenFor,
    IndividualRegistered,
    IndividualsErased,
    IndividualsImported,
    IndividualUnfrozen,
    OrganizationChanged,
    OrganizationErased,
    OrganizationRegistered,
    OrganizationsImported,
    OwnerChanged,
    PreferencesChanged,
)
from services.contacts.contract.answers.notes import KeptTextAnswer
from services.contacts.contract.schemas.notes import KeptTextPageSchema, KeptTextReleaseSchema
from services.interactions.contract import answers, schemas
from services.interactions.contract.commands import InteractionChange, InteractionCreate
from services.interactions.service.dependencies import DependenciesProvider
from services.interactions.usecases import (
    announcement_handlers,
    coordination,
    erasure,
    events,
    interactions,
    issues,
    planning,
    preferences,
    reading,
    releasing,
    tasks,
    unknown_references,
)
from services.retention.contract import ErasureCompleted

_ERASER = "eraser"


class InteractionsService(OperationMethods, Witness):
    """Keeps what DHS and its stakeholders did together."""

    name = "interactions"
    database = DatabaseProvider()
    bus = BusProvider()
    settings = SettingsProvider()
    dependencies = DependenciesProvider()

    # Issues

    @rpc("interactions:issue:register", command=True, status=201, created="id")
    def create_issue(self, call: CommandCall, body: object) -> answers.IssueAnswer:
        """Register an issue (R65, R71)."""
        command = ready(schemas.IssueCreateSchema).load(body)
        return call.run(lambda work: issues.register_issue(work, now=self.database.clock(), command=command), replay=issues.read_issue)

    @rpc("interactions:issue:read", subject="issue_id")
    def read_issue(self, caller: Caller, issue_id: str) -> answers.IssueAnswer:
        """Return an issue."""
        with self.database.work(caller) as work:
            return issues.read_issue(work, as_id(issue_id))

    @rpc("interactions:issue:list")
    def list_issues(self, caller: Caller, query: object) -> Page[answers.IssueAnswer]:
        """List issues."""
        wanted = ready(schemas.IssueListQuerySchema).load(query)
        with self.database.work(caller) as work:
            return issues.list_issues(work, cursors=self.dependencies.cursors, query=wanted)

    @rpc("interactions:issue:list")
    def read_issue_tree(self, caller: Caller) -> answers.IssueTree:
        """Return the five priorities with their issues."""
        with self.database.work(caller) as work:
            return issues.read_issue_tree(work)

    @rpc("interactions:issue:change", subject="issue_id", command=True)
    def change_issue(self, call: CommandCall, issue_id: str, if_match: str | None, body: object) -> answers.IssueAnswer:
        """Change an issue."""
        command = ready(schemas.IssueChangeSchema).load(body)
        return call.run(
            lambda work: issues.change_issue(work, now=self.database.clock(), issue_id=as_id(issue_id), if_match=if_match, command=command),
            replay=issues.read_issue,
        )

    @rpc("interactions:issue:erase", subject="issue_id", identity="retention")
    def erase_issue(self, caller: Caller, issue_id: str) -> answers.ErasedIssues:
        """Delete an issue that is no longer active (T7)."""
        with self.database.work(caller, role=_ERASER) as work:
            return issues.erase_issue(work, now=self.database.clock(), issue_id=as_id(issue_id))

    @rpc("interactions:issue-update:add", subject="issue_id", command=True, status=201, created="id")
    def add_issue_update(self, call: CommandCall, issue_id: str, body: object) -> answers.IssueUpdateAnswer:
        """Add an update to an issue (R66, R67)."""
        command = ready(schemas.IssueUpdateCreateSchema).load(body)
        return call.run(
            lambda work: issues.add_issue_update(work, now=self.database.clock(), issue_id=as_id(issue_id), command=command),
            replay=issues.repeat_issue_update,
        )

    @rpc("interactions:issue-update:list", subject="issue_id")
    def list_issue_updates(self, caller: Caller, issue_id: str, query: object = None) -> Page[answers.IssueUpdateAnswer]:
        """List an issue's updates."""
        wanted = ready(schemas.PageQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return issues.list_issue_updates(work, cursors=self.dependencies.cursors, issue_id=as_id(issue_id), query=wanted)

    @rpc("interactions:talking-point:add", subject="issue_id", command=True, status=201, created="id")
    def add_talking_point(self, call: CommandCall, issue_id: str, body: object) -> answers.TalkingPointAnswer:
        """Add a talking point to an issue (R68)."""
        command = ready(schemas.TalkingPointCreateSchema).load(body)
        return call.run(
            lambda work: issues.add_talking_point(work, now=self.database.clock(), issue_id=as_id(issue_id), command=command),
            replay=issues.repeat_talking_point,
        )

    @rpc("interactions:talking-point:list", subject="issue_id")
    def list_talking_points(self, caller: Caller, issue_id: str, query: object = None) -> Page[answers.TalkingPointAnswer]:
        """List an issue's talking points."""
        wanted = ready(schemas.PageQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return issues.list_talking_points(work, cursors=self.dependencies.cursors, issue_id=as_id(issue_id), query=wanted)

    # Interactions

    @rpc("interactions:interaction:log", command=True, status=201, created="id")
    def create_interaction(self, call: CommandCall, body: object) -> answers.InteractionAnswer:
        """Log an interaction (R48-R54)."""
        command = ready(schemas.InteractionCreateSchema).load(body)
        self._register_those_in(call.caller, command)
        stated = self._stated(call.caller, command)
        return call.run(
            lambda work: interactions.log_interaction(work, now=self.database.clock(), use_preferences=stated, command=command),
            replay=interactions.read_interaction,
        )

    @rpc("interactions:interaction:read", subject="interaction_id")
    def read_interaction(self, caller: Caller, interaction_id: str) -> answers.InteractionAnswer:
        """Return an interaction."""
        with self.database.work(caller) as work:
            return interactions.read_interaction(work, as_id(interaction_id))

    @rpc("interactions:interaction:list")
    def list_interactions(self, caller: Caller, query: object) -> Page[answers.InteractionAnswer]:
        """List interactions, most recent first."""
        wanted = ready(schemas.InteractionListQuerySchema).load(query)
        with self.database.work(caller) as work:
            return interactions.list_interactions(work, cursors=self.dependencies.cursors, query=wanted)

    @rpc("interactions:interaction:change", subject="interaction_id", command=True)
    def change_interaction(self, call: CommandCall, interaction_id: str, if_match: str | None, body: object) -> answers.InteractionAnswer:
        """Correct an interaction or its follow-ups (R53)."""
        command = ready(schemas.InteractionChangeSchema).load(body)
        self._register_those_in(call.caller, command)
        stated = self._stated(call.caller, command, interaction_id=as_id(interaction_id))
        return call.run(
            lambda work: interactions.change_interaction(
                work,
                now=self.database.clock(),
                interaction_id=as_id(interaction_id),
                if_match=if_match,
                use_preferences=stated,
                command=command,
            ),
            replay=interactions.read_interaction,
        )

    @rpc("interactions:interaction:withdraw", subject="interaction_id", command=True, status=204)
    def withdraw_interaction(self, call: CommandCall, interaction_id: str, if_match: str | None) -> None:
        """Withdraw an interaction that was logged by mistake."""
        call.run(lambda work: interactions.withdraw_interaction(work, interaction_id=as_id(interaction_id), if_match=if_match))

    @rpc("interactions:follow-up:complete", subject="interaction_id", command=True)
    def complete_follow_up(self, call: CommandCall, interaction_id: str, follow_up_id: str) -> answers.InteractionAnswer:
        """Record that a promise was kept (R53)."""
        return call.run(
            lambda work: interactions.complete_follow_up(
                work, now=self.database.clock(), interaction_id=as_id(interaction_id), follow_up_id=as_id(follow_up_id)
            ),
            replay=interactions.read_interaction,
        )

    # Events

    @rpc("interactions:event:enter", command=True, status=201, created="id")
    def create_event(self, call: CommandCall, body: object) -> answers.EventAnswer:
        """Register an event (R58-R63)."""
        command = ready(schemas.EventCreateSchema).load(body)
        return call.run(lambda work: events.register_event(work, now=self.database.clock(), command=command), replay=events.read_event)

    @rpc("interactions:event:read", subject="event_id")
    def read_event(self, caller: Caller, event_id: str) -> answers.EventAnswer:
        """Return an event."""
        with self.database.work(caller) as work:
            return events.read_event(work, as_id(event_id))

    @rpc("interactions:event:list")
    def list_events(self, caller: Caller, query: object) -> Page[answers.EventAnswer]:
        """List events, most recent first."""
        wanted = ready(schemas.EventListQuerySchema).load(query)
        with self.database.work(caller) as work:
            return events.list_events(work, cursors=self.dependencies.cursors, query=wanted)

    @rpc("interactions:event:change", subject="event_id", command=True)
    def change_event(self, call: CommandCall, event_id: str, if_match: str | None, body: object) -> answers.EventAnswer:
        """Correct an event."""
        command = ready(schemas.EventChangeSchema).load(body)
        return call.run(
            lambda work: events.change_event(work, now=self.database.clock(), event_id=as_id(event_id), if_match=if_match, command=command),
            replay=events.read_event,
        )

    @rpc("interactions:attendance:record", subject="event_id", command=True, status=201)
    def add_attendees(self, call: CommandCall, event_id: str, body: object) -> Page[answers.AttendeeAnswer]:
        """Record who attended; it counts as contact (R56, R62)."""
        command = ready(schemas.AttendeesAddSchema).load(body)
        self._register_unknown_references(call.caller, command.individual_ids, command.organization_ids)
        return call.run(
            lambda work: events.add_attendees(
                work, now=self.database.clock(), cursors=self.dependencies.cursors, event_id=as_id(event_id), command=command
            ),
            replay=lambda work, subject_id: events.list_attendees(work, cursors=self.dependencies.cursors, event_id=subject_id),
        )

    @rpc("interactions:attendance:list", subject="event_id")
    def list_attendees(self, caller: Caller, event_id: str, query: object = None) -> Page[answers.AttendeeAnswer]:
        """List who attended."""
        wanted = ready(schemas.PageQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return events.list_attendees(work, cursors=self.dependencies.cursors, event_id=as_id(event_id), query=wanted)

    @rpc("interactions:attendance:remove", subject="event_id", command=True, status=204)
    def remove_attendee(self, call: CommandCall, event_id: str, attendee_id: str) -> None:
        """Remove an attendance that was recorded by mistake."""
        call.run(lambda work: events.remove_attendee(work, event_id=as_id(event_id), attendee_id=as_id(attendee_id)))

    # Coordination

    @rpc("interactions:coordination-request:send", command=True, status=201, created="id")
    def create_coordination_request(self, call: CommandCall, body: object) -> answers.CoordinationRequestAnswer:
        """Send a coordination request to the owner of a record (R86)."""
        command = ready(schemas.CoordinationRequestCreateSchema).load(body)
        self._register_unknown_references(call.caller, [command.individual_id])
        wanted = self._preferences(call.caller, command.individual_id)
        holder = None if command.component is None else self._holder(call.caller, command.individual_id, command.component)
        return call.run(
            lambda work: coordination.request_coordination(work, now=self.database.clock(), command=command, holder=holder, use_preferences=wanted),
            replay=coordination.read_coordination_request,
        )

    @rpc("interactions:coordination-request:read", subject="request_id")
    def read_coordination_request(self, caller: Caller, request_id: str) -> answers.CoordinationRequestAnswer:
        """Return a request that concerns the caller."""
        with self.database.work(caller) as work:
            return coordination.read_coordination_request(work, as_id(request_id))

    @rpc("interactions:coordination-request:list")
    def list_coordination_requests(self, caller: Caller, query: object) -> Page[answers.CoordinationRequestAnswer]:
        """List the requests that concern the caller."""
        wanted = ready(schemas.CoordinationRequestListQuerySchema).load(query)
        with self.database.work(caller) as work:
            return coordination.list_coordination_requests(work, cursors=self.dependencies.cursors, query=wanted)

    @rpc("interactions:coordination-request:answer", subject="request_id", command=True)
    def change_coordination_request(
        self, call: CommandCall, request_id: str, if_match: str | None, body: object
    ) -> answers.CoordinationRequestAnswer:
        """Accept, decline, finish or withdraw a request (R87)."""
        command = ready(schemas.CoordinationRequestChangeSchema).load(body)
        wanted: list[str] = []
        if command.status == "accepted":
            with self.database.work(call.caller) as work:
                about = coordination.individual_asked_about(work, as_id(request_id))
            wanted = self._preferences(call.caller, about) if about else []
        return call.run(
            lambda work: coordination.move_coordination_request(
                work,
                now=self.database.clock(),
                request_id=as_id(request_id),
                if_match=if_match,
                command=command,
                use_preferences=wanted,
            ),
            replay=coordination.read_coordination_request,
        )

    # Reading across

    @rpc("interactions:history:list")
    def list_history(self, caller: Caller, query: object) -> answers.Part[answers.HistoryItemAnswer]:
        """Return the timeline of one stakeholder (R55-R57)."""
        wanted = ready(schemas.HistoryQuerySchema).load(query)
        with self.database.work(caller) as work:
            return reading.list_history(work, query=wanted)

    @rpc("interactions:interaction:list-against-preferences")
    def list_against_preferences(self, caller: Caller, query: object) -> Page[answers.AgainstPreferenceAnswer]:
        """List what the department began against somebody's preference, for the privacy officer (T33)."""
        wanted = ready(schemas.AgainstPreferencesQuerySchema).load(query)
        with self.database.work(caller) as work:
            return preferences.list_against_preferences(work, cursors=self.dependencies.cursors, query=wanted)

    @rpc("interactions:kept-text:list")
    def list_kept_texts(self, caller: Caller, query: object) -> answers.Part[KeptTextAnswer]:
        """List the kept texts that wait to be released, for the privacy officer (T15)."""
        wanted = ready(KeptTextPageSchema).load(query)
        with self.database.work(caller, role=_ERASER) as work:
            return releasing.list_kept_texts(work, **wanted)

    @rpc("interactions:kept-text:release", subject="kept_id", command=True)
    def release_kept_text(self, call: CommandCall, kept_id: str, body: object) -> answers.ReleasedText:
        """Release a kept text to everybody, for the privacy officer (T15)."""
        command = ready(KeptTextReleaseSchema).load(body)
        kept_id = as_id(kept_id)
        call.run(lambda work: releasing.release_kept_text(work, kept_id=kept_id, **command), role=_ERASER)
        return {"id": kept_id, "released": True}

    @rpc("interactions:report:spoken-to")
    def report_spoken_to(self, caller: Caller, query: object) -> answers.SpokenTo:
        """Count who was spoken to, by region and state (R100, T12)."""
        wanted = ready(schemas.SpokenToQuerySchema).load(query)
        with self.database.reading(caller) as work:
            return reading.report_spoken_to(work, now=self.database.clock(), query=wanted)

    @rpc("interactions:report:coverage-gaps")
    def report_coverage_gaps(self, caller: Caller, query: object) -> answers.CoverageGaps:
        """List the states with a gap (R88, R97)."""
        wanted = ready(schemas.SpokenToQuerySchema).load(query)
        with self.database.reading(caller) as work:
            return reading.report_coverage_gaps(work, now=self.database.clock(), query=wanted)

    @rpc("interactions:task:list")
    def list_tasks(self, caller: Caller, query: object = None) -> answers.Part[answers.TaskAnswer]:
        """Return the tasks of the caller."""
        wanted = ready(schemas.TaskListQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return tasks.list_tasks(work, now=self.database.clock(), query=wanted)

    @rpc("interactions:task:dismiss", command=True, status=204)
    def dismiss_task(self, call: CommandCall, task_id: str) -> None:
        """Dismiss a notice."""
        call.run(lambda work: tasks.dismiss_task(work, str(task_id)))

    # Erasure: the saga's alone

    @rpc("interactions:individual:erase", subject="individual_id", identity="retention")
    def erase(self, caller: Caller, erasure_id: str, individual_id: str, cause: str) -> answers.Erased:
        """Delete every row with an individual's id."""
        with self.database.work(caller, role=_ERASER) as work:
            return erasure.erase(work, now=self.database.clock(), erasure_id=as_id(erasure_id), individual_id=as_id(individual_id), cause=cause)

    @rpc("interactions:individual:seek", subject="individual_id", identity="retention")
    def seek(
        self,
        caller: Caller,
        erasure_id: str,
        individual_id: str,
        sealed: str,
        key: str | None,
        look: str | None = None,
        redact_in: list[list[str]] | None = None,
        redact_sure_in: list[list[str]] | None = None,
        leave_in: list[list[str]] | None = None,
    ) -> answers.Sought:
        """Search the texts for an individual, redact them, and carry out the decisions."""
        with self.database.work(caller, role=_ERASER) as work:
            return erasure.seek(
                work,
                now=self.database.clock(),
                erasure_id=as_id(erasure_id),
                individual_id=as_id(individual_id),
                sealed=sealed,
                key=key,
                look=look,
                redact_in=redact_in or (),
                redact_sure_in=redact_sure_in or (),
                leave_in=leave_in or (),
            )

    @rpc("interactions:erasure:show-mentions", subject="erasure_id", identity="retention")
    def show_mentions(self, caller: Caller, erasure_id: str, sealed: str, key: str | None, places: list[list[str]]) -> answers.ShownMentions:
        """Return mentions with the text around them; retention asks for the privacy officer only."""
        with self.database.work(caller, role=_ERASER) as work:
            return erasure.show(work, erasure_id=as_id(erasure_id), sealed=sealed, key=key, places=places)

    # What others announce

    @announcement_handler(IndividualRegistered, batch=True)
    def individuals_registered(self, work: UnitOfWork, announcements: Sequence[IndividualRegistered]) -> None:
        """Store new individuals."""
        announcement_handlers.individuals_registered(work, announcements)

    @announcement_handler(IndividualsImported)
    def individuals_imported(self, work: UnitOfWork, announcement: IndividualsImported) -> None:
        """Store new individuals."""
        announcement_handlers.individuals_imported(work, announcement)

    @announcement_handler(OrganizationsImported)
    def organizations_imported(self, work: UnitOfWork, announcement: OrganizationsImported) -> None:
        """Store new organizations."""
        announcement_handlers.organizations_imported(work, announcement)

    @announcement_handler(IndividualChanged)
    def individual_changed(self, work: UnitOfWork, announcement: IndividualChanged) -> None:
        """Store where an individual works."""
        announcement_handlers.individual_changed(work, announcement)

    @announcement_handler(OwnerChanged)
    def owner_changed(self, work: UnitOfWork, announcement: OwnerChanged) -> None:
        """Store the owner of an individual."""
        announcement_handlers.owner_changed(work, announcement, now=self.database.clock())

    @announcement_handler(PreferencesChanged)
    def preferences_changed(self, work: UnitOfWork, announcement: PreferencesChanged) -> None:
        """Store how an individual's information may be used (R169)."""
        announcement_handlers.preferences_changed(work, announcement)

    @announcement_handler(IndividualFrozen)
    def individual_frozen(self, work: UnitOfWork, announcement: IndividualFrozen) -> None:
        """Take a frozen individual out of lists and reports (T21)."""
        announcement_handlers.individual_frozen(work, announcement, now=self.database.clock())

    @announcement_handler(IndividualFrozenFor)
    def individual_frozen_for(self, work: UnitOfWork, announcement: IndividualFrozenFor) -> None:
        """Store which components see an individual as frozen (T26)."""
        announcement_handlers.individual_frozen_for(work, announcement)

    @announcement_handler(IndividualUnfrozen)
    def individual_unfrozen(self, work: UnitOfWork, announcement: IndividualUnfrozen) -> None:
        """Unfreeze an individual whose request was withdrawn (T36)."""
        announcement_handlers.individual_unfrozen(work, announcement)

    @announcement_handler(IndividualErased)
    def individual_erased(self, work: UnitOfWork, announcement: IndividualErased) -> None:
        """Insert a tombstone for an individual who was erased."""
        announcement_handlers.individual_erased(work, announcement, now=self.database.clock())

    @announcement_handler(IndividualsErased, role=_ERASER)
    def individuals_erased(self, work: UnitOfWork, announcement: IndividualsErased) -> None:
        """Remove the individuals who were erased with an import."""
        erasure.undone(
            work, individual_ids=announcement.individuals, import_id=announcement.import_id, cause=announcement.cause, now=self.database.clock()
        )

    @announcement_handler(OrganizationRegistered)
    def organization_registered(self, work: UnitOfWork, announcement: OrganizationRegistered) -> None:
        """Store a new organization."""
        announcement_handlers.organization_registered(work, announcement)

    @announcement_handler(OrganizationChanged)
    def organization_changed(self, work: UnitOfWork, announcement: OrganizationChanged) -> None:
        """Store an organization as it is now."""
        announcement_handlers.organization_changed(work, announcement)

    @announcement_handler(OrganizationErased)
    def organization_erased(self, work: UnitOfWork, announcement: OrganizationErased) -> None:
        """Unlink an organization."""
        announcement_handlers.organization_erased(work, announcement, now=self.database.clock())

    @announcement_handler(UserChanged)
    def user_changed(self, work: UnitOfWork, announcement: UserChanged) -> None:
        """Store the component and rights of a user."""
        announcement_handlers.user_changed(work, announcement)

    @announcement_handler(ErasureCompleted)
    def erasure_completed(self, work: UnitOfWork, announcement: ErasureCompleted) -> None:
        """Delete which rows an erased individual was linked to."""
        erasure.erasure_completed(work, erasure_id=announcement.erasure_id, individual_id=announcement.individual_id, now=self.database.clock())

    def _holder(self, caller: Caller, individual_id: str, component: str) -> str | None:
        """Ask contacts who holds a component's relationship with an individual; None without one."""
        try:
            held = self.bus.call("contacts", "read_holder", caller, individual_id=individual_id, component=component)
        except NotFound:
            return None
        user: str | None = held["user"]
        return user

    def _preferences(self, caller: Caller, individual_id: str) -> list[str]:
        """Ask contacts for the present preferences of an individual (T33)."""
        try:
            person = self.bus.call("contacts", "read_individual", caller, individual_id=individual_id)
        except NotFound:
            return []
        return list(person.get("use_preferences") or ())

    def _stated(self, caller: Caller, command: InteractionCreate | InteractionChange, interaction_id: str | None = None) -> dict[str, list[str]]:
        """Ask contacts for the preferences of those with whom a command plans something."""
        with self.database.reading(caller) as work:
            people = planning.planned_with(work, command=command, interaction_id=interaction_id)
        return {one: self._preferences(caller, one) for one in people}

    def _register_those_in(self, caller: Caller, command: InteractionCreate | InteractionChange) -> None:
        """Register the stakeholders and users that an interaction names, as `_register_unknown_references` does."""
        users = [given_or(command.user, None), *(promise.assignee for promise in given_or(command.follow_ups, ()))]
        self._register_unknown_references(
            caller, given_or(command.individual_ids, ()), given_or(command.organization_ids, ()), [one for one in users if one is not None]
        )

    def _register_unknown_references(
        self, caller: Caller, individual_ids: Sequence[str], organization_ids: Sequence[str] = (), user_ids: Sequence[str] = ()
    ) -> None:
        """Ask the owning services about ids that a command names and that no announcement has brought yet."""
        with self.database.reading(caller) as work:
            individuals, organizations, users = unknown_references.find(
                work, individual_ids=individual_ids, organization_ids=organization_ids, user_ids=user_ids
            )
        people = _asked(self.bus, caller, "contacts", "read_individual", "individual_id", individuals)
        bodies = _asked(self.bus, caller, "contacts", "read_organization", "organization_id", organizations)
        accounts = _asked(self.bus, caller, "access", "read_user", "user_id", users)
        if people or bodies or accounts:
            with self.database.work(caller) as work:
                unknown_references.upsert_projections(work, people, bodies, accounts)


def _asked(bus: Any, caller: Caller, service: str, method: str, argument: str, ids: Iterable[str]) -> list[Any]:
    found = []
    for one in ids:
        try:
            found.append(bus.call(service, method, caller, **{argument: one}))
        except NotFound:
            continue
    return found
