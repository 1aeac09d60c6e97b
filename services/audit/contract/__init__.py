"""The public contract of audit: its announcement, refusals and schemas."""

from __future__ import annotations

from services.audit.contract.announcements import CheckpointSigned
from services.audit.contract.refusals import NotTheAuditor, ReviewAlreadySigned, UnknownEntry, WeekBeforeTrail, WeekNotOver
from services.audit.contract.schemas import (
    COVERED_AT_ONCE,
    OUTCOMES,
    CheckpointSchema,
    CheckpointsQuerySchema,
    CoverageQuerySchema,
    EntriesQuerySchema,
    EntrySchema,
    FindingSchema,
    FindingsQuerySchema,
    NumberRangeSchema,
    ProofQuerySchema,
    ProofSchema,
    ReviewSchema,
    ReviewSignSchema,
    ReviewsQuerySchema,
)

#: Whose trails it keeps: every service's, its own too.
SERVICES = ("access", "contacts", "interactions", "audit", "retention")

__all__ = [
    "COVERED_AT_ONCE",
    "OUTCOMES",
    "SERVICES",
    "CheckpointSchema",
    "CheckpointSigned",
    "CheckpointsQuerySchema",
    "CoverageQuerySchema",
    "EntriesQuerySchema",
    "EntrySchema",
    "FindingSchema",
    "FindingsQuerySchema",
    "NotTheAuditor",
    "NumberRangeSchema",
    "ProofQuerySchema",
    "ProofSchema",
    "ReviewAlreadySigned",
    "ReviewSchema",
    "ReviewSignSchema",
    "ReviewsQuerySchema",
    "UnknownEntry",
    "WeekBeforeTrail",
    "WeekNotOver",
]
