"""Rows that stand elsewhere in their table, as writing leaves them: no answer may follow the order in which rows stand (P14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Stores whose rows are moved; those of the trail stand in the order in which they were written, and may not be touched.
STIRRED = ("access", "contacts", "interactions", "retention")
#: What says before all else that no trigger sees it.
UNSEEN = "SET session_replication_role = replica"
#: Each table, and a column of it that may be written as it is.
TABLES = (
    "SELECT c.relname, min(a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " AND a.attgenerated = '' AND a.attidentity <> 'a' WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
    " GROUP BY c.relname ORDER BY c.relname"
)
_NUMBERED = frozenset({"entries", "outbox", "inbox"})


def moves(tables: Iterable[Iterable[str]]) -> Iterator[str]:
    """Yield what moves some rows of each table, given what `TABLES` found."""
    for table, column in tables:
        if table not in _NUMBERED:
            yield f'UPDATE "{table}" SET "{column}" = "{column}" WHERE random() < 0.4'
