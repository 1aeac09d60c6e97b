"""Refusals at the gateway, in the trail: the route's name and the code, never the path, the query or the body."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from services.access.contract.schemas import RecordRefusal
from services.access.domain.secrets import source_digest
from services.access.storage import sessions
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

REFUSE = "gateway:request:refuse"
SUM_UP = "gateway:request:refuse-further"


def record_refusal(work: UnitOfWork, *, by: Caller, now: datetime, command: RecordRefusal, master: str) -> bool:
    """Record a refusal. Of the anonymous, one entry per source and minute, the further ones counted.

    :return: whether an entry was written (else the refusal was only counted, durably).
    """
    digest = source_digest(master, command.source)
    if by.kind == "anonymous":
        first = sessions.count_refusal(work, digest, command.code, minute=now.replace(second=0, microsecond=0))
        if not first:
            return False
    fields = [f"route:{command.route}", f"status:{command.status}"]
    work.record(REFUSE, subjects=[f"source:{digest}"], fields=fields, outcome="refused", rule=command.code)
    return True


def sum_up_refusals(work: UnitOfWork, *, now: datetime) -> int:
    """Write one entry for each source and past minute that had further refusals, with their count; return how many."""
    minute = now.replace(second=0, microsecond=0)
    written = 0
    for row in sessions.settled_refusals(work, before=minute):
        if row.further:
            written += 1
            work.record(
                SUM_UP,
                subjects=[f"source:{row.source_digest}"],
                fields=[f"further:{row.further}"],
                outcome="refused",
                rule=row.code,
            )
    sessions.forget_refusals(work, before=minute)
    return written
