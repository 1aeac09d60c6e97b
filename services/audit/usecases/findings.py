"""Recording findings, in their table and in the trail itself, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from services.audit.domain.records import Finding
from services.audit.storage.trail import add_finding
from services.chassis.database import UnitOfWork

RAISE = "audit:finding:raise"


def raise_findings(work: UnitOfWork, found: Iterable[Finding], *, now: datetime, new_id: Callable[[], str]) -> list[Finding]:
    """Store the findings that are new, and return those."""
    new = []
    for finding in found:
        finding_id = new_id()
        if add_finding(work.connection, finding, finding_id=finding_id, found_at=now):
            work.record(RAISE, subjects=[finding_id], outcome="failed", rule=finding.kind)
            new.append(finding)
    return new
