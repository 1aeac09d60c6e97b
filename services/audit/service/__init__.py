"""Audit's methods: load, call the use case, return."""

from __future__ import annotations

from services.audit.contract import answers, schemas
from services.audit.service.dependencies import DependenciesProvider
from services.audit.usecases import reading
from services.chassis.answers import Page
from services.chassis.database import CommandCall
from services.chassis.entrypoints import BusProvider, DatabaseProvider, SettingsProvider, rpc
from services.chassis.entrypoints.operations import OperationMethods
from services.chassis.messages import Caller, new_id
from services.chassis.runtime.witness import Witness
from services.chassis.validation import ready


class AuditService(OperationMethods, Witness):
    """Keeps the trail, and shows it to the ISSO."""

    name = "audit"
    database = DatabaseProvider()
    bus = BusProvider()
    settings = SettingsProvider()
    dependencies = DependenciesProvider()

    @rpc(reading.LIST_ENTRIES)
    def list_entries(self, caller: Caller, query: object) -> Page[answers.EntryAnswer]:
        """Return a page of entries.

        :raises NotTheAuditor, CursorInvalid: 403, 422.
        """
        asked = ready(schemas.EntriesQuerySchema).load(query)
        with self.database.work(caller) as work:
            return reading.list_entries(work, by=caller, query=asked, cursors=self.dependencies.cursors)

    @rpc(reading.LIST_CHECKPOINTS)
    def list_checkpoints(self, caller: Caller, query: object) -> Page[answers.CheckpointAnswer]:
        """Return a page of checkpoints.

        :raises NotTheAuditor, CursorInvalid: 403, 422.
        """
        asked = ready(schemas.PageQuerySchema).load(query)
        with self.database.work(caller) as work:
            return reading.list_checkpoints(work, by=caller, query=asked, cursors=self.dependencies.cursors)

    @rpc(reading.PROVE)
    def prove(self, caller: Caller, query: object) -> answers.InclusionProof | answers.ConsistencyProof:
        """Return a proof of inclusion or consistency.

        :raises NotTheAuditor, UnknownEntry: 403, 404.
        """
        asked = ready(schemas.ProofQuerySchema).load(query)
        with self.database.work(caller) as work:
            return reading.prove(work, by=caller, query=asked)

    @rpc(reading.LIST_FINDINGS)
    def list_findings(self, caller: Caller, query: object = None) -> Page[answers.FindingAnswer]:
        """Return findings, the newest first.

        :raises NotTheAuditor, CursorInvalid: 403, 422.
        """
        asked = ready(schemas.PageQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return reading.list_findings(work, by=caller, query=asked, cursors=self.dependencies.cursors)

    @rpc(reading.LIST_REVIEWS)
    def list_reviews(self, caller: Caller, query: object = None) -> Page[answers.ReviewAnswer]:
        """Return the weeks and their reviews, the newest first.

        :raises NotTheAuditor, CursorInvalid: 403, 422.
        """
        asked = ready(schemas.PageQuerySchema).load(query or {})
        with self.database.work(caller) as work:
            return reading.list_reviews(work, by=caller, now=self.database.clock(), query=asked, cursors=self.dependencies.cursors)

    @rpc(reading.SIGN_REVIEW, command=True, status=201)
    def sign_review(self, call: CommandCall, body: object) -> answers.ReviewAnswer:
        """Sign off a week's review.

        :raises NotTheAuditor, WeekNotOver, ReviewAlreadySigned: 403, 409, 409.
        """
        week = ready(schemas.ReviewSignSchema).load(body).week
        call.subject_id = review_id = new_id()
        return call.run(
            lambda work: reading.sign_review(work, by=call.caller, now=self.database.clock(), review_id=review_id, week=week),
            replay=lambda work, _: reading.read_review(work, by=call.caller, now=self.database.clock(), week=week),
        )

    @rpc(reading.FIND_UNCOVERED, identity=schemas.SERVICES)
    def find_uncovered(self, caller: Caller, size: int, ranges: object) -> answers.UncoveredAnswer:
        """Return to a service which of its own numbers the checkpoint of that size does not cover."""
        asked = ready(schemas.CoverageQuerySchema).load({"size": size, "ranges": ranges})
        with self.database.work(caller) as work:
            return reading.find_uncovered(work, asked)
