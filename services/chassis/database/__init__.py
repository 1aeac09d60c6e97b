"""The database of one service: the engine, and the unit of work around every change.

A unit of work is one transaction for one caller. Its changes, announcements and audit entries are committed together
or not at all.
"""

from services.chassis.database.audit_entries import AuditEntry, audited_calls, entry_of, note_audited
from services.chassis.database.commands import CommandCall
from services.chassis.database.engine import Database
from services.chassis.database.errors import DatabaseUnavailable
from services.chassis.database.locks import Lock
from services.chassis.database.unit_of_work import SUBJECTS_PER_ENTRY, AutocommitReader, Replay, UnitOfWork, work_is_open

__all__ = [
    "SUBJECTS_PER_ENTRY",
    "AuditEntry",
    "AutocommitReader",
    "CommandCall",
    "Database",
    "DatabaseUnavailable",
    "Lock",
    "Replay",
    "UnitOfWork",
    "audited_calls",
    "entry_of",
    "note_audited",
    "work_is_open",
]
