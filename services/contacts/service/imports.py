"""The methods about imports, and the work in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TypeVar

from services.chassis.answers import Page
from services.chassis.database import CommandCall, Database, UnitOfWork
from services.chassis.entrypoints import Bus, Wakeup, rpc, timer
from services.chassis.logs import Log
from services.chassis.messages import Caller, Refusal, Unavailable
from services.chassis.sandbox.pool import pool
from services.chassis.signals import is_asked_to_stop
from services.chassis.validation import as_id
from services.contacts.contract.answers.imports import ImportAnswer, ImportRowAnswer, ImportRowDetailAnswer, PageOfRefusedRows, PieceAnswer
from services.contacts.contract.imports import (
    AllDecisionsSchema,
    CandidateGone,
    FileTooCostly,
    FileTooLarge,
    ImportChangeSchema,
    ImportForStewards,
    ImportRowsQuerySchema,
    ImportStartSchema,
    ImportUnknown,
    RowDecisionSchema,
    RowUnknown,
)
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.contacts.domain.imports import staging
from services.contacts.domain.imports.register import Register
from services.contacts.domain.imports.staging import Staged
from services.contacts.domain.imports.states import Import
from services.contacts.domain.imports.tables import BLOCK
from services.contacts.service.counting import blocked_tries_counted
from services.contacts.service.dependencies import Dependencies
from services.contacts.service.erasure import ERASER
from services.contacts.service.threads import prefetched, threads
from services.contacts.usecases.imports import (
    checking,
    committing,
    deciding,
    keeping,
    mapping,
    reading,
    refused_rows,
    setting_aside,
    steering,
    undoing,
    uploading,
    working,
)
from services.contacts.usecases.imports.preparing import Prepared, Preparing, staged_block
from services.contacts.usecases.imports.representing import actor_of

_log = Log(__name__)
T = TypeVar("T")

#: An import that nobody goes on with is dropped after this; its file is not kept for a rainy day.
_LEFT_BEHIND = timedelta(hours=24)
#: An upload of which nothing has come for so long was interrupted: a piece takes seconds, and reading a file at most one minute.
_INTERRUPTED = timedelta(minutes=10)
#: Rows of an import after which the planner is told at once.
_MANY = 500
_ATTEMPTS = 5
#: Of the number of a row: an import has at most 100,000.
_DIGITS = 6
#: Rung when a check, a commit or an undo was asked for here: whoever works on it need not wait for its next look.
asked_for, _asked_to_undo = Wakeup(), Wakeup()


class ImportMethods:
    """What contacts answers about imports."""

    database: Database
    bus: Bus
    dependencies: Dependencies

    @rpc("contacts:import:create", command=True, status=201, created="id")
    def create_import(self, call: CommandCall, filename: str, content_type: str | None = None, size: int | None = None) -> ImportAnswer:
        """Begin an import; its pieces follow."""
        command = ImportStartSchema().load({"filename": filename, "content_type": content_type, "size": size})
        vault = self.dependencies.layer.vault
        return call.run(
            lambda work: uploading.start_import(
                work, by=call.caller, now=self.database.clock(), vault=vault, filename=command.filename, size=command.size
            ),
            replay=lambda work, subject_id: reading.read_import(work, by=call.caller, vault=vault, import_id=subject_id),
        )

    @rpc("contacts:import:append", subject="import_id", command=True)
    def append_import(self, call: CommandCall, import_id: str, n: int, chunk: str) -> PieceAnswer:
        """Take one piece of the file."""
        as_id(import_id, ImportUnknown)
        try:
            return call.run(
                lambda work: uploading.append_import(
                    work, by=call.caller, now=self.database.clock(), vault=self.dependencies.layer.vault, import_id=import_id, n=n, chunk=chunk
                ),
                repeatable=True,
            )
        except FileTooLarge as refusal:
            self._fail(call.caller, import_id, refusal)
            raise

    @rpc("contacts:import:finish-upload", subject="import_id", command=True)
    def finish_import_upload(self, call: CommandCall, import_id: str, sha256: str) -> ImportAnswer:
        """Read the file and stage its rows; a file that can't be read fails the import, and is dropped.

        What is no fault of the file leaves the import as it is: the same request again goes on.
        """
        as_id(import_id, ImportUnknown)
        caller, vault = call.caller, self.dependencies.layer.vault
        again = call.attempt(
            lambda work: uploading.sent_again(work, by=caller, vault=vault, keyed=self.dependencies.keyed, import_id=import_id, sha256=sha256)
        )
        if again is not None:
            return again
        with self.database.work(caller) as work:
            filename, pieces, key = uploading.gathered(work, by=caller, vault=vault, import_id=import_id)
        given = (import_id, filename, pieces, key, sha256, vault.keys_for([import_id])[import_id])
        try:
            staged = Staged(*pool().run(staging.staged, *given, refusal=FileTooCostly, is_long=True))
        except Unavailable:
            raise
        except Refusal as refusal:
            self._fail(caller, import_id, refusal)
            raise
        try:
            answer = call.run(
                lambda work: uploading.stage(
                    work,
                    by=caller,
                    now=self.database.clock(),
                    vault=vault,
                    import_id=import_id,
                    digest=self.dependencies.keyed.of(sha256),
                    staged=staged,
                ),
                repeatable=True,
            )
        except ImportForStewards as refusal:
            self._fail(caller, import_id, refusal)
            raise
        uploading.forget_upload(vault, import_id)
        return answer

    @rpc("contacts:import:read", subject="import_id")
    def read_import(self, caller: Caller, import_id: str) -> ImportAnswer:
        """Read an import."""
        as_id(import_id, ImportUnknown)
        with self.database.work(caller) as work:
            return reading.read_import(work, by=caller, vault=self.dependencies.layer.vault, import_id=import_id)

    @rpc("contacts:import:list")
    def list_imports(self, caller: Caller, query: Mapping[str, object]) -> Page[ImportAnswer]:
        """List the caller's imports."""
        asked = ListQuerySchema().load(query)
        with self.database.work(caller) as work:
            return reading.list_imports(work, by=caller, vault=self.dependencies.layer.vault, cursors=self.dependencies.cursors, **asked)

    @rpc("contacts:import:change", subject="import_id", command=True)
    def change_import_mapping(self, call: CommandCall, import_id: str, body: Mapping[str, object], if_match: str | None = None) -> ImportAnswer:
        """Say what columns are, and what holds for every row."""
        as_id(import_id, ImportUnknown)
        change = ImportChangeSchema().load(body)
        vault = self.dependencies.layer.vault
        return call.run(
            lambda work: mapping.change_import(
                work, by=call.caller, now=self.database.clock(), vault=vault, import_id=import_id, if_match=if_match, change=change
            ),
            replay=lambda work, _: reading.read_import(work, by=call.caller, vault=vault, import_id=import_id),
        )

    @rpc("contacts:import:check", subject="import_id", command=True, status=202)
    def dry_run_import(self, call: CommandCall, import_id: str) -> ImportAnswer:
        """Ask for every row to be checked."""
        return self._steer(call, import_id, steering.check_import)

    @rpc("contacts:import:commit", subject="import_id", command=True, status=202)
    def commit_import(self, call: CommandCall, import_id: str) -> ImportAnswer:
        """Ask for the rows to be taken in."""
        return self._steer(call, import_id, steering.commit_import)

    @rpc("contacts:import:cancel", subject="import_id", command=True, status=202)
    def cancel_import(self, call: CommandCall, import_id: str) -> ImportAnswer:
        """Leave an import that was not committed."""
        cancelled = self._steer(call, import_id, steering.cancel_import)
        if cancelled["state"] == "cancelled":
            self._forget(import_id)
        return cancelled

    @rpc("contacts:import:undo", subject="import_id", command=True, status=202)
    def undo_import(self, call: CommandCall, import_id: str) -> ImportAnswer:
        """Ask for a committed import to be taken back (N16)."""
        asked = self._steer(call, import_id, steering.undo_import)
        self._forget(import_id)
        return asked

    @rpc("contacts:import:stop", subject="import_id", command=True, status=202)
    def stop_import(self, call: CommandCall, import_id: str) -> ImportAnswer:
        """Stop what is under way."""
        return self._steer(call, import_id, steering.stop_import)

    @rpc("contacts:import:resume", subject="import_id", command=True, status=202)
    def resume_import(self, call: CommandCall, import_id: str) -> ImportAnswer:
        """Go on with what was stopped."""
        return self._steer(call, import_id, steering.resume_import)

    @rpc("contacts:import:list-rows", subject="import_id")
    def list_import_rows(self, caller: Caller, import_id: str, query: Mapping[str, object]) -> Page[ImportRowAnswer]:
        """List what becomes, or became, of each row."""
        as_id(import_id, ImportUnknown)
        asked = ImportRowsQuerySchema().load(query)
        with self.database.work(caller) as work:
            return reading.list_rows(work, by=caller, cursors=self.dependencies.cursors, import_id=import_id, **asked)

    @rpc("contacts:import:list-refused-rows", subject="import_id")
    def list_refused_import_rows(self, caller: Caller, import_id: str, query: Mapping[str, object]) -> PageOfRefusedRows:
        """Give the refused rows back, with their cells as long as these are kept."""
        as_id(import_id, ImportUnknown)
        asked = ListQuerySchema().load(query)
        with self.database.work(caller) as work:
            return refused_rows.give_back(
                work, by=caller, vault=self.dependencies.layer.vault, cursors=self.dependencies.cursors, import_id=import_id, **asked
            )

    @rpc("contacts:import:read-row", subject="import_id")
    def read_import_row(self, caller: Caller, import_id: str, n: int | str) -> ImportRowDetailAnswer:
        """Read a row with its cells, and whoever it may be about."""
        as_id(import_id, ImportUnknown)
        with self.database.work(caller) as work:
            return deciding.read_row(work, by=caller, layer=self.dependencies.layer, import_id=import_id, n=_as_number(n), threads=threads)

    @rpc("contacts:import:decide", subject="import_id", command=True)
    def decide_import_row(self, call: CommandCall, import_id: str, n: int | str, body: Mapping[str, object]) -> ImportRowAnswer:
        """Say whom a row is about (T28)."""
        as_id(import_id, ImportUnknown)
        command = RowDecisionSchema().load(body)
        caller, layer = call.caller, self.dependencies.layer

        def decide(work: UnitOfWork) -> ImportRowAnswer:
            now, number = self.database.clock(), _as_number(n)
            if command.decision == "keep":
                return keeping.keep_cells(
                    work, by=caller, now=now, layer=layer, import_id=import_id, n=number, keep_reason=command.keep_reason, threads=threads
                )
            return deciding.decide_row(work, by=caller, now=now, layer=layer, import_id=import_id, n=number, command=command, threads=threads)

        def repeat(work: UnitOfWork, _: str) -> ImportRowAnswer:
            return deciding.row_as_it_is(work, by=caller, import_id=import_id, n=_as_number(n))

        try:
            with blocked_tries_counted(self.database, caller):
                return self._retried_while_people_change(caller, lambda work: call.perform(work, decide, replay=repeat))
        except committing.PeopleMoved as error:
            raise CandidateGone from error

    @rpc("contacts:import:decide-all", subject="import_id", command=True, status=202)
    def decide_import_rows(self, call: CommandCall, import_id: str, body: Mapping[str, object]) -> ImportAnswer:
        """Say of all rows that wait for it, alike, whom they are about."""
        as_id(import_id, ImportUnknown)
        command = AllDecisionsSchema().load(body)
        layer = self.dependencies.layer
        answer = call.run(
            lambda work: deciding.decide_all(work, by=call.caller, now=self.database.clock(), layer=layer, import_id=import_id, **command),
            replay=lambda work, _: reading.read_import(work, by=call.caller, vault=layer.vault, import_id=import_id),
        )
        asked_for.wake()
        return answer

    @timer(seconds=0.5, action="contacts:import:work", wakeup=asked_for)
    def work_on_imports(self, caller: Caller) -> None:
        """Check, commit and decide what was asked for, one import at a time."""
        while not is_asked_to_stop() and self.work_on_one_import(caller):
            pass

    @timer(seconds=0.5, action="contacts:import:work", wakeup=_asked_to_undo)
    def undo_imports(self, caller: Caller) -> None:
        """Undo imports: a block of each in turn, while other imports are checked and committed."""
        while not is_asked_to_stop() and self.work_on_one_import(caller, undoing=True):
            pass

    @timer(seconds=60, action="contacts:import:cancel", eager=True)
    def cancel_imports_left_behind(self, caller: Caller) -> None:
        """Drop imports that nobody goes on with, and refused rows that were kept long enough."""
        now = self.database.clock()
        with self.database.work(caller) as work:
            left = steering.cancel_left_behind(work, now=now, before=now - _LEFT_BEHIND)
            left += steering.fail_interrupted(work, now=now, before=now - _INTERRUPTED)
            ended = steering.end_stopped(work, now=now, before=now - _LEFT_BEHIND)
            due = refused_rows.let_go_due(work, now=now)
        for import_id in left:
            self._forget(import_id)
        for import_id in ended:
            uploading.forget(self.dependencies.layer.vault, import_id)
        for import_id in due:
            refused_rows.forget(self.dependencies.layer.vault, import_id)

    @timer(seconds=60, action="contacts:individual:let-go-of", eager=True)
    def let_go_of_people_set_aside(self, caller: Caller) -> None:
        """Destroy what is kept of people whom an undo took away, once no hold stands on them any more (R138)."""
        with self.database.work(caller, role=ERASER) as work:
            kept = setting_aside.everybody(work)
        if not kept:
            return
        held = set(self.bus.call("retention", "find_holds", caller, subject_ids=kept))
        gone = [each for each in kept if each not in held]
        if gone:
            # Keys first: while a copy is there, this is done again.
            self.dependencies.layer.vault.destroy_all(gone)
            with self.database.work(caller, role=ERASER) as work:
                setting_aside.let_go(work, gone)

    def work_on_one_import(self, caller: Caller, *, undoing: bool = False) -> bool:
        """Take the import that waits longest to its end, or a block of it back; say whether there was one."""
        now = self.database.clock()
        with self.database.work(caller) as work:
            row = working.claim(work, now=now, undoing=undoing)
        if row is None:
            return False
        by = actor_of(row)
        try:
            tasks = {"checking": self._check, "committing": self._commit, "undoing": self._undo, "committed": self._decide}
            tasks[row.state](by, row)
        except steering.HELD as refusal:
            with self.database.work(by) as work:
                steering.hold_import(work, now=self.database.clock(), import_id=row.id, refusal=refusal)
        except working.ImportOvertaken:
            _log.info("import.overtaken", import_id=row.id)
        except _AskedToStop:
            # Given back at once: the process that starts next goes on without waiting for this one's lease to lapse.
            with self.database.work(by) as work:
                working.give_back(work, row.id, now=self.database.clock())
            return False
        except Refusal as refusal:
            if isinstance(refusal, Unavailable):
                raise
            self._fail(by, row.id, refusal)
        return True

    def _check(self, by: Caller, row: Import) -> None:
        with self.database.work(by) as work:
            refused_key = checking.restart_check(work, now=self.database.clock(), vault=self.dependencies.layer.vault, import_id=row.id)
        register = Register()
        for block in self._blocks(by, row, begin=0, checked=False):
            _stop_if_asked()
            with self.database.work(by) as work:
                checking.check_block(
                    work,
                    by=by,
                    now=self.database.clock(),
                    import_id=row.id,
                    block=block,
                    register=register,
                    refused_key=refused_key,
                    threads=threads,
                )

    def _commit(self, by: Caller, row: Import) -> None:
        kept_key = refused_rows.key_for(self.dependencies.layer.vault, row.id)
        for block in self._blocks(by, row, begin=row.position, checked=True):
            _stop_if_asked()
            if block.under.key_ids != self.dependencies.layer.digests.key_ids:
                # Other keys came meanwhile: the ledger is asked under all of them.
                block = self._prepared(by, row, block.n, checked=False)  # noqa: PLW2901 - the same block
            layer = self.dependencies.layer.under(block.under)
            self._retried_while_people_change(
                by,
                lambda work, block=block, layer=layer: committing.commit_block(  # type: ignore[misc]  # bound for each block
                    work,
                    by=by,
                    now=self.database.clock(),
                    layer=layer,
                    import_id=row.id,
                    block=block,
                    kept_key=kept_key,
                    threads=threads,
                ),
            )
        uploading.forget(self.dependencies.layer.vault, row.id)
        with self.database.work(by) as work:
            is_kept = refused_rows.is_any_kept(work, row.id)
        if not is_kept:
            refused_rows.forget(self.dependencies.layer.vault, row.id)
        if row.rows >= _MANY:
            try:
                with self.database.work(by) as work:
                    committing.refresh_statistics(work)
            except Unavailable:
                # The server does so by itself, a minute later.
                _log.info("import.statistics-left", import_id=row.id)

    def _decide(self, by: Caller, row: Import) -> None:
        def decide(work: UnitOfWork) -> bool:
            return deciding.decide_block(work, by=by, now=self.database.clock(), layer=self.dependencies.layer, import_id=row.id, threads=threads)

        while not self._retried_while_people_change(by, decide):
            _stop_if_asked()

    def _retried_while_people_change(self, by: Caller, step: Callable[[UnitOfWork], T]) -> T:
        """Run a step in a transaction, and again if a person whom it means was frozen or erased meanwhile."""
        for _ in range(_ATTEMPTS - 1):
            with suppress(committing.PeopleMoved), self.database.work(by) as work:
                return step(work)
        with self.database.work(by) as work:
            return step(work)

    def _undo(self, by: Caller, row: Import) -> None:
        with self.database.work(by) as work:
            block = undoing.next_block(work, row.id)
        ourselves = Caller.service("contacts", trace_id=by.trace_id)
        held = self.bus.call("retention", "find_holds", ourselves, subject_ids=block.entered) if block.entered else []
        with self.database.work(by, role=ERASER) as work:
            _, erased = undoing.undo_block(
                work, now=self.database.clock(), vault=self.dependencies.layer.vault, import_id=row.id, block=block, held=held
            )
        # After the commit: a key without rows harms nobody, rows without a key do.
        self.dependencies.layer.vault.destroy_all(erased)

    def _blocks(self, by: Caller, row: Import, *, begin: int, checked: bool) -> Iterator[Prepared]:
        """Yield the blocks from that row on; while one is worked on, the next is prepared, or read as a check has prepared it."""
        return prefetched(partial(self._prepared, by, row, checked=checked), range(begin // BLOCK, -(-row.rows // BLOCK)))

    def _prepared(self, by: Caller, row: Import, n: int, *, checked: bool) -> Prepared:
        preparing = Preparing.of(self.dependencies.layer.vault, row, self.dependencies.layer.digests)
        with self.database.work(by) as work:
            staged, sealed = staged_block(work, row.id, n)

        def go_on() -> None:
            with self.database.work(by) as work:
                working.hold_on(work, row.id, now=self.database.clock())

        return preparing.prepare(n, staged, sealed if checked else None, threads=threads, between=go_on)

    def _steer(self, call: CommandCall, import_id: str, use_case: Callable[..., ImportAnswer]) -> ImportAnswer:
        as_id(import_id, ImportUnknown)
        vault = self.dependencies.layer.vault
        answer = call.run(
            lambda work: use_case(work, by=call.caller, now=self.database.clock(), vault=vault, import_id=import_id),
            replay=lambda work, _: reading.read_import(work, by=call.caller, vault=vault, import_id=import_id),
        )
        asked_for.wake()
        _asked_to_undo.wake()
        return answer

    def _fail(self, by: Caller, import_id: str, refusal: Refusal) -> None:
        """Mark it failed, if it is the caller's and still under way, and destroy what could read its file."""
        with self.database.work(by) as work:
            has_failed = uploading.fail_own(work, by=by, now=self.database.clock(), import_id=import_id, refusal=refusal)
        if has_failed:
            self._forget(import_id)

    def _forget(self, import_id: str) -> None:
        """Destroy every key of an import of which nothing is kept."""
        uploading.forget(self.dependencies.layer.vault, import_id)
        refused_rows.forget(self.dependencies.layer.vault, import_id)


class _AskedToStop(Exception):
    """The process is stopping; the next one goes on from here."""


def _stop_if_asked() -> None:
    if is_asked_to_stop():
        raise _AskedToStop


def _as_number(n: object) -> int:
    written = str(n)
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        raise RowUnknown
    return int(written)
