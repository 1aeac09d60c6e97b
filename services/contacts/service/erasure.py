"""Methods of an erasure; only retention calls them (N3)."""

from __future__ import annotations

from functools import partial

from services.chassis.database import Database
from services.chassis.entrypoints import rpc
from services.chassis.messages import Caller
from services.contacts.contract.answers.erasing import ErasedAnswer, MentionsAnswer, NamesakeAnswer, ReceiptsAnswer, SoughtAnswer, UnsealedKey
from services.contacts.service.dependencies import Dependencies
from services.contacts.service.threads import threads
from services.contacts.usecases import erasing, mentions
from services.contacts.usecases.imports import refused_rows
from services.contacts.usecases.imports.erasing import forget_individual, seek_in_names, seek_in_rows

_RETENTION = "retention"
ERASER = "eraser"


class ErasureMethods:
    """Erase, seek, show, close. Units of work here have the role `eraser`."""

    database: Database
    dependencies: Dependencies

    @rpc("contacts:individual:erase", subject="individual_id", identity=_RETENTION)
    def erase(self, caller: Caller, erasure_id: str, individual_id: str, cause: str) -> ErasedAnswer:
        """Seal a person's former values and erase every row; then destroy the key of what dumps and backups still hold."""
        with self.database.work(caller, role=ERASER) as work:
            answer = erasing.erase_individual(
                work,
                now=self.database.clock(),
                layer=self.dependencies.layer,
                erasure_id=erasure_id,
                individual_id=individual_id,
                cause=cause,
                also=(forget_individual,),
            )
        # After the commit, and again when asked again: a key without rows harms nobody, rows without a key do.
        self.dependencies.layer.vault.destroy(individual_id)
        return answer

    @rpc("contacts:erasure:unseal-key", subject="erasure_id", identity=_RETENTION)
    def unseal_key(self, caller: Caller, erasure_id: str) -> UnsealedKey:
        """Return the seal's key while it is whole, or null once it is broken."""
        with self.database.work(caller, role=ERASER) as work:
            return erasing.unseal_key(work, layer=self.dependencies.layer, erasure_id=erasure_id)

    @rpc("contacts:erasure:seek", subject="individual_id", identity=_RETENTION)
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
    ) -> SoughtAnswer:
        """Search rows about others for the person's former values, and carry out decisions."""
        with self.database.work(caller, role=ERASER) as work:
            return mentions.seek(
                work,
                erasure_id=erasure_id,
                individual_id=individual_id,
                sealed=sealed,
                key=key,
                look=look,
                redact_in=redact_in or (),
                redact_sure_in=redact_sure_in or (),
                leave_in=leave_in or (),
                also=[
                    seek_in_names,
                    mentions.seek_in_former_names,
                    partial(refused_rows.seek, vault=self.dependencies.layer.vault, threads=threads),
                    partial(seek_in_rows, now=self.database.clock(), vault=self.dependencies.layer.vault, threads=threads),
                ],
            )

    @rpc("contacts:erasure:show-mentions", subject="erasure_id", identity=_RETENTION)
    def show_mentions(self, caller: Caller, erasure_id: str, sealed: str, key: str | None, places: list[list[str]]) -> MentionsAnswer:
        """Return mentions with the text around them. Retention checks that the caller is the privacy officer."""
        with self.database.work(caller, role=ERASER) as work:
            return mentions.show(work, erasure_id=erasure_id, sealed=sealed, key=key, places=places)

    @rpc("contacts:erasure:namesake", subject="erasure_id", identity=_RETENTION)
    def namesake(self, caller: Caller, erasure_id: str, sealed: str, key: str | None) -> NamesakeAnswer:
        """Return whether a living record bears the erased person's name."""
        with self.database.work(caller, role=ERASER) as work:
            return mentions.namesake(work, erasure_id=erasure_id, sealed=sealed, key=key)

    @rpc("contacts:erasure:close", subject="individual_id", identity=_RETENTION)
    def close_erasure(self, caller: Caller, erasure_id: str, individual_id: str) -> ReceiptsAnswer:
        """Delete the sealed values and destroy their key, which ends all searching."""
        with self.database.work(caller, role=ERASER) as work:
            answer = erasing.close(work, now=self.database.clock(), layer=self.dependencies.layer, erasure_id=erasure_id, individual_id=individual_id)
        self.dependencies.layer.vault.break_seal(erasure_id)
        return answer

    @rpc("contacts:organization:erase", subject="organization_id", identity=_RETENTION)
    def erase_organization(self, caller: Caller, erasure_id: str, organization_id: str, cause: str) -> ReceiptsAnswer:
        """Erase an organization; its people stay, without it."""
        with self.database.work(caller, role=ERASER) as work:
            return erasing.erase_organization(
                work,
                now=self.database.clock(),
                erasure_id=erasure_id,
                organization_id=organization_id,
                cause=cause,
            )
