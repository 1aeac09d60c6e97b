"""The service class: users' queries and commands, and other services' announcements."""

from __future__ import annotations

from contextlib import suppress

from services.access.contract import ComponentChanged, UserChanged
from services.chassis.answers import Page, Part
from services.chassis.database import CommandCall, UnitOfWork
from services.chassis.entrypoints import BusProvider, DatabaseProvider, SettingsProvider, announcement_handler, rpc, timer
from services.chassis.entrypoints.operations import OperationMethods
from services.chassis.messages import Caller, Forbidden, NotFound
from services.chassis.runtime.witness import Witness
from services.chassis.validation import as_id, ready
from services.contacts.contract.answers.contact_points import ContactPointAnswer, CorrectionAnswer, GrantAnswer, RevealAnswer
from services.contacts.contract.answers.individuals import AnyIndividual, HistoryItem, HolderAnswer, IndividualAnswer, VerificationAnswer
from services.contacts.contract.answers.notes import NoteAnswer
from services.contacts.contract.answers.organizations import OrganizationAnswer
from services.contacts.contract.answers.search import FacetedPage, NamesAnswer, RegionReport
from services.contacts.contract.refusals import (
    IndividualUnknown,
    NoteUnknown,
    OrganizationUnknown,
)
from services.contacts.contract.schemas.contact_points import ContactPointCreateSchema, CorrectionSchema, GrantCreateSchema, RevealQuerySchema
from services.contacts.contract.schemas.individuals import (
    HandOverSchema,
    HistoryPageSchema,
    IndividualChangeSchema,
    IndividualCreateSchema,
    IndividualListQuerySchema,
    VerificationCreateSchema,
)
from services.contacts.contract.schemas.notes import NoteChangeSchema, NoteCreateSchema
from services.contacts.contract.schemas.organizations import OrganizationChangeSchema, OrganizationCreateSchema, OrganizationListQuerySchema
from services.contacts.contract.schemas.search import NamesQuerySchema, RegionReportQuerySchema, StakeholderQuerySchema
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.contacts.service.cases import CaseMethods
from services.contacts.service.counting import blocked_tries_counted
from services.contacts.service.dependencies import DependenciesProvider
from services.contacts.service.erasure import ERASER, ErasureMethods
from services.contacts.service.imports import ImportMethods
from services.contacts.service.integrations import IntegrationMethods
from services.contacts.usecases import announcement_handlers, contact_points, individuals, naming, notes, organizations, search, verifying
from services.contacts.usecases.imports import setting_aside
from services.interactions.contract.announcements import (
    AttendanceRecorded,
    InteractionLogged,
    InteractionWithdrawn,
    IssueChanged,
    IssueErased,
    IssueRegistered,
)
from services.lexicon.searching import has_contact_value


class ContactsService(CaseMethods, ErasureMethods, ImportMethods, IntegrationMethods, OperationMethods, Witness):
    """The directory: who the stakeholders are, how to reach them, and who in the department knows them."""

    name = "contacts"
    database = DatabaseProvider()
    bus = BusProvider()
    settings = SettingsProvider()
    dependencies = DependenciesProvider()

    # Individuals

    @rpc("contacts:individual:create", command=True, status=201, created="id")
    def register_individual(self, call: CommandCall, body: object) -> AnyIndividual:
        """Register an individual (R26-R43)."""
        command = ready(IndividualCreateSchema).load(body)
        with blocked_tries_counted(self.database, call.caller):
            together: IndividualAnswer | None = self.dependencies.registrations.register(call, command)
            if together is not None:
                return together
            return call.run(
                lambda work: individuals.register_individual(
                    work, by=call.caller, now=self.database.clock(), layer=self.dependencies.layer, **command
                ),
                replay=lambda work, subject_id: self._individual(work, call, subject_id),
            )

    def _individual(self, work: UnitOfWork, call: CommandCall, individual_id: str) -> AnyIndividual:
        return individuals.read_individual(work, by=call.caller, now=self.database.clock(), individual_id=individual_id)

    @rpc("contacts:individual:read", subject="individual_id", onward="interactions")
    def read_individual(self, caller: Caller, individual_id: str) -> AnyIndividual:
        """Read an individual's directory layer."""
        as_id(individual_id, IndividualUnknown)
        if shown := individuals.read_gathered(self.dependencies.reads, by=caller, individual_id=individual_id):
            return shown
        try:
            with self.database.work(caller) as work:
                return individuals.read_individual(work, by=caller, now=self.database.clock(), individual_id=individual_id)
        except (IndividualUnknown, Forbidden) as refusal:
            if not setting_aside.may_know(caller):
                raise
            with suppress(IndividualUnknown), self.database.work(caller, role=ERASER) as work:
                return setting_aside.read(work, vault=self.dependencies.layer.vault, individual_id=individual_id)
            raise refusal from None

    @rpc("contacts:individual:list")
    def list_individuals(self, caller: Caller, query: object) -> Page[AnyIndividual]:
        """List individuals by exact directory fields."""
        asked = ready(IndividualListQuerySchema).load(query)
        with self.database.reading(caller) as work:
            return search.list_individuals(work, by=caller, now=self.database.clock(), cursors=self.dependencies.cursors, query=asked)

    @rpc("contacts:individual:change", subject="individual_id", command=True)
    def change_individual(self, call: CommandCall, individual_id: str, if_match: str | None, body: object) -> AnyIndividual:
        """Change an individual's directory layer (T2)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(IndividualChangeSchema).load(body)
        with blocked_tries_counted(self.database, call.caller):
            return call.run(
                lambda work: individuals.change_individual(
                    work,
                    by=call.caller,
                    now=self.database.clock(),
                    layer=self.dependencies.layer,
                    individual_id=individual_id,
                    if_match=if_match,
                    **command,
                ),
                replay=lambda work, _: self._individual(work, call, individual_id),
            )

    @rpc("contacts:individual:hand-over", subject="individual_id", command=True)
    def hand_over(self, call: CommandCall, individual_id: str, owner: str) -> AnyIndividual:
        """Give a record to another owner (R45)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(HandOverSchema).load({"owner": owner})
        return call.run(
            lambda work: individuals.hand_over(work, by=call.caller, now=self.database.clock(), individual_id=individual_id, **command),
            replay=lambda work, _: self._individual(work, call, individual_id),
        )

    @rpc("contacts:individual:history", subject="individual_id")
    def record_history(self, caller: Caller, individual_id: str, query: object = None) -> Part[HistoryItem]:
        """Return contacts' part of a record's timeline (R57)."""
        as_id(individual_id, IndividualUnknown)
        asked = ready(HistoryPageSchema).load(query or {})
        with self.database.work(caller) as work:
            return individuals.record_history(work, by=caller, now=self.database.clock(), individual_id=individual_id, **asked)

    # Organizations

    @rpc("contacts:organization:create", command=True, status=201, created="id")
    def register_organization(self, call: CommandCall, body: object) -> OrganizationAnswer:
        """Register an organization (R20-R25)."""
        command = ready(OrganizationCreateSchema).load(body)
        with blocked_tries_counted(self.database, call.caller):
            return call.run(
                lambda work: organizations.register_organization(
                    work, by=call.caller, now=self.database.clock(), layer=self.dependencies.layer, **command
                ),
                replay=lambda work, subject_id: organizations.read_organization(work, by=call.caller, organization_id=subject_id),
            )

    @rpc("contacts:organization:read", subject="organization_id", onward="interactions")
    def read_organization(self, caller: Caller, organization_id: str) -> OrganizationAnswer:
        """Read an organization."""
        as_id(organization_id, OrganizationUnknown)
        with self.database.work(caller) as work:
            return organizations.read_organization(work, by=caller, organization_id=organization_id)

    @rpc("contacts:organization:list")
    def list_organizations(self, caller: Caller, query: object) -> Page[OrganizationAnswer]:
        """List organizations."""
        asked = ready(OrganizationListQuerySchema).load(query)
        with self.database.reading(caller) as work:
            return search.list_organizations(work, by=caller, now=self.database.clock(), cursors=self.dependencies.cursors, query=asked)

    @rpc("contacts:organization:change", subject="organization_id", command=True)
    def change_organization(self, call: CommandCall, organization_id: str, if_match: str | None, body: object) -> OrganizationAnswer:
        """Change an organization (T2)."""
        as_id(organization_id, OrganizationUnknown)
        command = ready(OrganizationChangeSchema).load(body)
        with blocked_tries_counted(self.database, call.caller):
            return call.run(
                lambda work: organizations.change_organization(
                    work,
                    by=call.caller,
                    now=self.database.clock(),
                    layer=self.dependencies.layer,
                    organization_id=organization_id,
                    if_match=if_match,
                    **command,
                ),
                replay=lambda work, _: organizations.read_organization(work, by=call.caller, organization_id=organization_id),
            )

    # The contact layer

    @rpc("contacts:individual:reveal", subject="individual_id")
    def reveal(self, caller: Caller, individual_id: str, reason: str | None = None) -> RevealAnswer:
        """Reveal one person's contact points (T11)."""
        as_id(individual_id, IndividualUnknown)
        asked = ready(RevealQuerySchema).load({"reason": reason})
        with self.database.work(caller) as work:
            return contact_points.reveal(
                work, by=caller, now=self.database.clock(), layer=self.dependencies.layer, individual_id=individual_id, **asked
            )

    @rpc("contacts:individual:add-contact-point", subject="individual_id", command=True, status=201)
    def add_contact_point(self, call: CommandCall, individual_id: str, body: object) -> ContactPointAnswer:
        """Add a contact point that was given to the caller's component (T5)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(ContactPointCreateSchema).load(body)
        with blocked_tries_counted(self.database, call.caller):
            # A value that the component holds is put first again, never kept twice.
            return call.run(
                lambda work: contact_points.add_contact_point(
                    work, by=call.caller, now=self.database.clock(), layer=self.dependencies.layer, individual_id=individual_id, **command
                ),
                repeatable=True,
            )

    @rpc("contacts:individual:correct-contact-point", subject="individual_id", command=True, status=201)
    def correct_contact_point(self, call: CommandCall, individual_id: str, body: object) -> CorrectionAnswer:
        """Accept a correction of a value that the caller does not see (T3)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(CorrectionSchema).load(body)
        with blocked_tries_counted(self.database, call.caller):
            return call.run(
                lambda work: contact_points.correct_contact_point(
                    work, by=call.caller, now=self.database.clock(), layer=self.dependencies.layer, individual_id=individual_id, **command
                ),
                replay=lambda work, _: contact_points.repeat_correction(
                    work, by=call.caller, now=self.database.clock(), individual_id=individual_id, kind=command["kind"]
                ),
            )

    @rpc("contacts:individual:grant", subject="individual_id", command=True, status=201, created="id")
    def grant_contact_points(self, call: CommandCall, individual_id: str, body: object) -> GrantAnswer:
        """Share contact points with another component (T5)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(GrantCreateSchema).load(body)
        return call.run(
            lambda work: contact_points.grant(work, by=call.caller, now=self.database.clock(), individual_id=individual_id, **command),
            replay=lambda work, subject_id: contact_points.repeat_grant(
                work, by=call.caller, now=self.database.clock(), individual_id=individual_id, grant_id=subject_id
            ),
        )

    @rpc("contacts:individual:revoke-grant", subject="individual_id", command=True, status=204)
    def revoke_grant(self, call: CommandCall, individual_id: str, grant_id: str) -> None:
        """End a grant at once."""
        as_id(individual_id, IndividualUnknown)
        as_id(grant_id, NotFound)
        call.run(
            lambda work: contact_points.revoke_grant(work, by=call.caller, now=self.database.clock(), individual_id=individual_id, grant_id=grant_id)
        )

    @rpc("contacts:individual:verify", subject="individual_id", command=True, status=201, created="id")
    def verify_individual(self, call: CommandCall, individual_id: str, body: object) -> VerificationAnswer:
        """Record that a person's details were verified with them (R115)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(VerificationCreateSchema).load(body)
        now = self.database.clock()
        return call.run(
            lambda work: verifying.verify(work, by=call.caller, now=now, individual_id=individual_id, **command),
            replay=lambda work, subject_id: verifying.repeat_verification(
                work, by=call.caller, now=now, individual_id=individual_id, verification_id=subject_id
            ),
        )

    # Notes

    @rpc("contacts:note:list", subject="individual_id")
    def list_notes(self, caller: Caller, individual_id: str, query: object = None) -> Page[NoteAnswer]:
        """List the notes on an individual."""
        as_id(individual_id, IndividualUnknown)
        asked = ready(ListQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return notes.list_notes(
                work, by=caller, now=self.database.clock(), cursors=self.dependencies.cursors, individual_id=individual_id, **asked
            )

    @rpc("contacts:note:create", subject="individual_id", command=True, status=201, created="id")
    def add_note(self, call: CommandCall, individual_id: str, body: object) -> NoteAnswer:
        """Write a note (R37-R41)."""
        as_id(individual_id, IndividualUnknown)
        command = ready(NoteCreateSchema).load(body)
        return call.run(
            lambda work: notes.add_note(work, by=call.caller, now=self.database.clock(), individual_id=individual_id, **command),
            replay=lambda work, subject_id: self._note(work, call, individual_id, subject_id),
        )

    def _note(self, work: UnitOfWork, call: CommandCall, individual_id: str, note_id: str) -> NoteAnswer:
        return notes.read_note(work, by=call.caller, now=self.database.clock(), individual_id=individual_id, note_id=note_id)

    @rpc("contacts:note:read", subject="note_id")
    def read_note(self, caller: Caller, individual_id: str, note_id: str) -> NoteAnswer:
        """Read a note."""
        as_id(note_id, NoteUnknown)
        with self.database.work(caller) as work:
            return notes.read_note(work, by=caller, now=self.database.clock(), individual_id=individual_id, note_id=note_id)

    @rpc("contacts:note:change", subject="note_id", command=True)
    def change_note(self, call: CommandCall, individual_id: str, note_id: str, if_match: str | None, body: object) -> NoteAnswer:
        """Change a note."""
        as_id(note_id, NoteUnknown)
        command = ready(NoteChangeSchema).load(body)
        return call.run(
            lambda work: notes.change_note(
                work, by=call.caller, now=self.database.clock(), individual_id=individual_id, note_id=note_id, if_match=if_match, **command
            ),
            replay=lambda work, _: self._note(work, call, individual_id, note_id),
        )

    @rpc("contacts:note:delete", subject="note_id", command=True, status=204)
    def delete_note(self, call: CommandCall, individual_id: str, note_id: str, if_match: str | None) -> None:
        """Delete a note."""
        as_id(note_id, NoteUnknown)
        call.run(
            lambda work: notes.delete_note(
                work, by=call.caller, now=self.database.clock(), individual_id=individual_id, note_id=note_id, if_match=if_match
            )
        )

    # Finding

    @rpc("contacts:stakeholder:search")
    def search_stakeholders(self, caller: Caller, query: object) -> FacetedPage:
        """Find stakeholders (R83-R85)."""
        asked = ready(StakeholderQuerySchema).load(query)
        # Who has a value is asked of rows that row-level security guards: a reading would see none of them.
        opened = self.database.work if has_contact_value(asked["q"] or "") else self.database.reading
        with opened(caller) as work:
            return search.search_stakeholders(
                work, by=caller, now=self.database.clock(), cursors=self.dependencies.cursors, layer=self.dependencies.layer, query=asked
            )

    @rpc("contacts:report:stakeholders-by-region")
    def report_stakeholders_by_region(self, caller: Caller, query: object) -> RegionReport:
        """Count stakeholders by FEMA region and state (R101, T12)."""
        asked = ready(RegionReportQuerySchema).load(query)
        with self.database.reading(caller) as work:
            return search.stakeholders_by_region(work, by=caller, now=self.database.clock(), query=asked)

    # Names

    @rpc("contacts:stakeholder:name")
    def name_stakeholders(self, caller: Caller, ids: list[str]) -> NamesAnswer:
        """Return the names of stakeholders by their ids, as far as the caller may know of them (T4, T21)."""
        asked = ready(NamesQuerySchema).load({"ids": ids})
        with self.database.work(caller) as work:
            return naming.name_stakeholders(work, by=caller, now=self.database.clock(), ids=asked["ids"])

    @rpc("contacts:relationship:read", subject="individual_id", onward="interactions")
    def read_holder(self, caller: Caller, individual_id: str, component: str) -> HolderAnswer:
        """Return who stands for a component's relationship with an individual (T5)."""
        as_id(individual_id, IndividualUnknown)
        with self.database.work(caller) as work:
            return naming.read_holder(work, by=caller, now=self.database.clock(), individual_id=individual_id, component=str(component))

    # Background work

    @timer(seconds=5, action="contacts:likeness:match")
    def match_waiting(self, caller: Caller) -> None:
        """Find, across components, who shares a value with somebody newly registered (T23)."""
        with self.database.work(caller, role="matcher") as work:
            contact_points.match_waiting(work)

    # What others tell

    @announcement_handler(InteractionLogged)
    def interaction_logged(self, work: UnitOfWork, announcement: InteractionLogged) -> None:
        """Record who was spoken to, and when."""
        told = announcement.to_wire()
        announcement_handlers.note_engagement(work, source_id=told.pop("interaction_id"), **told)

    @announcement_handler(InteractionWithdrawn)
    def interaction_withdrawn(self, work: UnitOfWork, announcement: InteractionWithdrawn) -> None:
        """Withdraw an interaction and what was derived from it."""
        announcement_handlers.forget_engagement(work, source_id=announcement.interaction_id)

    @announcement_handler(AttendanceRecorded)
    def attendance_recorded(self, work: UnitOfWork, announcement: AttendanceRecorded) -> None:
        """Record who attended: attendance counts as contact (R56)."""
        told = announcement.to_wire()
        told["organization_ids"] = told["organization_ids"] or []
        announcement_handlers.note_engagement(work, source_id=told.pop("event_id"), mode=announcement_handlers.EVENT, **told)

    @announcement_handler(IssueRegistered)
    def issue_registered(self, work: UnitOfWork, announcement: IssueRegistered) -> None:
        """Store an issue."""
        announcement_handlers.note_issue(work, announcement)

    @announcement_handler(IssueChanged)
    def issue_changed(self, work: UnitOfWork, announcement: IssueChanged) -> None:
        """Store an issue's new facts."""
        announcement_handlers.note_issue(work, announcement)

    @announcement_handler(IssueErased)
    def issue_erased(self, work: UnitOfWork, announcement: IssueErased) -> None:
        """Delete an issue and every link to it (T7)."""
        announcement_handlers.forget_issue(work, issue_id=announcement.issue_id)

    @announcement_handler(UserChanged)
    def user_changed(self, work: UnitOfWork, announcement: UserChanged) -> None:
        """Store an employee."""
        announcement_handlers.note_user(work, announcement)

    @announcement_handler(ComponentChanged)
    def component_changed(self, work: UnitOfWork, announcement: ComponentChanged) -> None:
        """Store a component."""
        announcement_handlers.note_component(work, announcement)
