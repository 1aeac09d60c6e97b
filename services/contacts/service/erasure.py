"""The methods of an erasure, for retention alone: the one door (N3)."""

from __future__ import annotations

from functools import partial
from typing import Any

from services.chassis.bus import answers
from services.chassis.database import Database
from services.chassis.messages import Caller
from services.contacts.service.beside import beside
from services.contacts.service.parts import Parts
from services.contacts.storage import imports
from services.contacts.usecases import erasing
from services.contacts.usecases.imports import refused
from services.contacts.usecases.imports.seeking import seek_in_names

_RETENTION = "retention"
_ERASER = "eraser"


class ErasureMethods:
    """Seal, erase, seek; a unit of work here is the eraser's."""

    database: Database
    parts: Parts

    #: What other parts of this service add to an erasure and to the search.
    also_erased: tuple[erasing.Also, ...] = (imports.forget_individual,)
    also_sought: tuple[erasing.AlsoSeek, ...] = (seek_in_names,)

    @answers("contacts:erasure:seal", subject="individual_id", identity=_RETENTION)
    def seal(self, caller: Caller, erasure_id: str, individual_id: str) -> dict[str, Any]:
        """Seal a person's former values into the case."""
        with self.database.work(caller, role=_ERASER) as work:
            return erasing.seal_individual(
                work,
                now=self.database.clock(),
                layer=self.parts.layer,
                erasure_id=erasure_id,
                individual_id=individual_id,
            )

    @answers("contacts:erasure:unseal-key", subject="erasure_id", identity=_RETENTION)
    def unseal_key(self, caller: Caller, erasure_id: str) -> dict[str, Any]:
        """Give the seal's key while it is whole, and null once it is broken."""
        with self.database.work(caller, role=_ERASER) as work:
            return erasing.unseal_key(work, layer=self.parts.layer, erasure_id=erasure_id)

    @answers("contacts:individual:erase", subject="individual_id", identity=_RETENTION)
    def erase(self, caller: Caller, erasure_id: str, individual_id: str, cause: str) -> dict[str, Any]:
        """Erase a person: every row, then the key of what dumps and backups still hold."""
        with self.database.work(caller, role=_ERASER) as work:
            answer = erasing.erase_individual(
                work,
                now=self.database.clock(),
                layer=self.parts.layer,
                erasure_id=erasure_id,
                individual_id=individual_id,
                cause=cause,
                also=self.also_erased,
            )
        # After the commit, and again when asked again: a key without rows harms nobody, rows without a key do.
        self.parts.layer.vault.destroy(individual_id)
        return answer

    @answers("contacts:erasure:seek", subject="individual_id", identity=_RETENTION)
    def seek(
        self,
        caller: Caller,
        erasure_id: str,
        individual_id: str,
        sealed: str,
        key: str | None,
        kept: list[str] | None = None,
        look: str | None = None,
    ) -> dict[str, Any]:
        """Search what is about others for the person's former values; a clean search after the erasing breaks the seal."""
        with self.database.work(caller, role=_ERASER) as work:
            answer = erasing.seek_individual(
                work,
                now=self.database.clock(),
                erasure_id=erasure_id,
                individual_id=individual_id,
                sealed=sealed,
                key=key,
                kept=kept or (),
                look=look,
                also=[*self.also_sought, partial(refused.seek, vault=self.parts.layer.vault, beside=beside)],
            )
            closed = erasing.is_closed(work, erasure_id)
        if closed:
            self.parts.layer.vault.break_seal(erasure_id)
        return answer

    @answers("contacts:organization:erase", subject="organization_id", identity=_RETENTION)
    def erase_organization(self, caller: Caller, erasure_id: str, organization_id: str, cause: str) -> dict[str, Any]:
        """Erase an organization; its people stay, without it."""
        with self.database.work(caller, role=_ERASER) as work:
            return erasing.erase_organization(
                work,
                now=self.database.clock(),
                erasure_id=erasure_id,
                organization_id=organization_id,
                cause=cause,
            )
