"""The public contract of audit: its announcement, refusals and schemas."""

from __future__ import annotations

from services.audit.contract.announcements import CheckpointSigned
from services.audit.contract.refusals import NotTheAuditor, ReviewAlreadySigned, UnknownEntry, WeekBeforeTrail, WeekNotOver
from services.audit.contract.schemas import (
    COVERED_AT_ONCE,
    OUTCOMES,
    CheckpointsQuerySchema,
    CoverageQuerySchema,
    EntriesQuerySchema,
    FindingsQuerySchema,
    NumberRangeSchema,
    ProofQuerySchema,
    ReviewSignSchema,
    ReviewsQuerySchema,
)

#: Whose trails it keeps: every service's, its own too.
SERVICES = ("access", "contacts", "interactions", "audit", "retention")

__all__ = [
    "COVERED_AT_ONCE",
    "OUTCOMES",
    "SERVICES",
    "CheckpointSigned",
    "CheckpointsQuerySchema",
    "CoverageQuerySchema",
    "EntriesQuerySchema",
    "FindingsQuerySchema",
    "NotTheAuditor",
    "NumberRangeSchema",
    "ProofQuerySchema",
    "ReviewAlreadySigned",
    "ReviewSignSchema",
    "ReviewsQuerySchema",
    "UnknownEntry",
    "WeekBeforeTrail",
    "WeekNotOver",
]
