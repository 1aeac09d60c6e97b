"""Tables of no-contact cases, the suppression ledger, and erasures."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis.database.columns import instant, required, uuid
from services.contacts.storage.tables.base import metadata

suppressions = Table(
    "suppressions",
    metadata,
    uuid("id", key=True),
    uuid("case_id"),
    uuid("individual_id", nullable=True),
    required("kind", Text),
    required("digest", LargeBinary),
    required("alone", Boolean),
    required("likenesses", ARRAY(LargeBinary)),
    required("key_id", Text),
    instant("written_at"),
    required("stands", Boolean),
    Column("because", Text),
    uuid("contact_point_id", nullable=True),
    Column("component", Text),
    uuid("added_by", nullable=True),
    instant("added_at", nullable=True),
)

ledger_lookups = Table(
    "ledger_lookups",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("component", Text),
    required("looked", BigInteger),
    required("at_most", BigInteger),
    required("allowed", BigInteger),
    instant("waiting_since", nullable=True),
)

ledger_hits = Table(
    "ledger_hits",
    metadata,
    Column("account", Text, primary_key=True),
    uuid("mark_id", key=True),
    uuid("entry_id"),
    uuid("case_id"),
    Column("component", Text),
    required("kind", Text),
    required("day", Date),
    instant("at"),
    instant("seen_at", nullable=True),
    uuid("seen_by", nullable=True),
)

twins = Table(
    "twins",
    metadata,
    uuid("case_id", key=True),
    uuid("individual_id", key=True),
    uuid("source_id", nullable=True),
    required("because", ARRAY(Text)),
    required("components", ARRAY(Text)),
    instant("found_at"),
    Column("decision", Text),
    uuid("decided_by", nullable=True),
    instant("decided_at", nullable=True),
)

freeze_counts = Table(
    "freeze_counts",
    metadata,
    uuid("user_id", key=True),
    Column("day", Date, primary_key=True),
    required("count", Integer),
)

many_freezes = Table(
    "many_freezes",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    Column("component", Text),
    required("day", Date),
    required("count", Integer),
    uuid("individual_id", nullable=True),
    required("reason", Text),
    instant("seen_at", nullable=True),
)

notices = Table(
    "notices",
    metadata,
    uuid("id", key=True),
    required("component", Text),
    uuid("user_id", nullable=True),
    instant("at"),
    instant("dismissed_at", nullable=True),
    uuid("dismissed_by", nullable=True),
)

tombstones = Table("tombstones", metadata, uuid("stakeholder_id", key=True), instant("erased_at"))

erasures = Table(
    "erasures",
    metadata,
    uuid("id", key=True),
    uuid("subject_id"),
    instant("sealed_at"),
    instant("erased_at", nullable=True),
    Column("sealed", Text),
    Column("receipts", JSON),
    Column("sought", JSON),
    instant("closed_at", nullable=True),
    Column("look", Text),
)

set_aside = Table(
    "set_aside",
    metadata,
    uuid("individual_id", key=True),
    uuid("import_id"),
    instant("at"),
    required("ciphertext", LargeBinary),
)
