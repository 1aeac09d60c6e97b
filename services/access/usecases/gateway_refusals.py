"""Audit entries of refusals at the gateway: the name of the route and the code, never the path, query or body."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from services.access.contract.schemas import RecordRefusal
from services.access.domain.secrets import source_digest
from services.access.storage import gateway_refusals
from services.chassis.messages import Caller

if TYPE_CHECKING:
    from services.chassis.database import UnitOfWork

REFUSE = "gateway:request:refuse"
SUM_UP = "gateway:request:refuse-further"


def record_refusal(work: UnitOfWork, *, by: Caller, now: datetime, command: RecordRefusal, master: str) -> bool:
    """Record a refusal. For anonymous callers, record one entry per source and minute, and count further refusals.

    :return: whether an entry was written.
    """
    digest = source_digest(master, command.source)
    if by.kind == "anonymous":
        first = gateway_refusals.count(work, digest, command.code, minute=now.replace(second=0, microsecond=0))
        if not first:
            return False
    fields = [f"route:{command.route}", f"status:{command.status}"]
    work.record(REFUSE, subjects=[f"source:{digest}"], fields=fields, outcome="refused", rule=command.code)
    return True


def sum_up_refusals(work: UnitOfWork, *, now: datetime) -> int:
    """Record one entry for each source and past minute with further refusals, with their number; return how many."""
    minute = now.replace(second=0, microsecond=0)
    written = 0
    for row in gateway_refusals.settle(work, before=minute):
        if row.further:
            written += 1
            work.record(
                SUM_UP,
                subjects=[f"source:{row.source_digest}"],
                fields=[f"further:{row.further}"],
                outcome="refused",
                rule=row.code,
            )
    gateway_refusals.forget(work, before=minute)
    return written
