"""Tables of the contact layer, behind row-level security, and of reveals."""

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table, Text

from services.chassis.database.columns import instant, required, uuid
from services.contacts.storage.tables.base import metadata

contact_points = Table(
    "contact_points",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    required("component", Text),
    required("kind", Text),
    required("ciphertext", LargeBinary),
    required("lookup", LargeBinary),
    required("key_id", Text),
    Column("source", Text),
    instant("created_at"),
    uuid("created_by"),
    instant("confirmed_at"),
    instant("verified_at", nullable=True),
    uuid("import_id", nullable=True),
    instant("replaced_at", nullable=True),
    uuid("replaced_import", nullable=True),
)

contact_point_grants = Table(
    "contact_point_grants",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    uuid("contact_point_id", nullable=True),
    required("from_component", Text),
    required("to_component", Text),
    required("reason", Text),
    uuid("granted_by"),
    instant("granted_at"),
    instant("expires_at"),
    instant("revoked_at", nullable=True),
)

corrections = Table(
    "corrections",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    required("kind", Text),
    required("component", Text),
    required("ciphertext", LargeBinary),
    uuid("reported_by"),
    instant("reported_at"),
)

notes = Table(
    "notes",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    required("text", Text),
    Column("provenance", Text),
    required("component", Text),
    uuid("author_id"),
    instant("created_at"),
    instant("updated_at"),
    required("kept", Boolean),
    Column("keep_reason", Text),
    instant("released_at", nullable=True),
)

match_digests = Table(
    "match_digests",
    metadata,
    uuid("contact_point_id", key=True),
    uuid("individual_id"),
    required("component", Text),
    required("kind", Text),
    required("key_id", Text),
    required("digest", LargeBinary),
)

match_queue = Table("match_queue", metadata, uuid("id", key=True), uuid("individual_id"))

likenesses = Table(
    "likenesses",
    metadata,
    Column("holder_component", Text, primary_key=True),
    uuid("held_id", key=True),
    uuid("other_id", key=True),
    instant("found_at"),
    instant("settled_at", nullable=True),
    uuid("settled_by", nullable=True),
)

merge_proposals = Table(
    "merge_proposals",
    metadata,
    uuid("held_id", key=True),
    uuid("other_id", key=True),
    uuid("proposed_by"),
    instant("proposed_at"),
    Column("held_answer", Text),
    uuid("held_answered_by", nullable=True),
    instant("held_answered_at", nullable=True),
    Column("other_answer", Text),
    uuid("other_answered_by", nullable=True),
    instant("other_answered_at", nullable=True),
)

reveals = Table(
    "reveals",
    metadata,
    uuid("user_id", key=True),
    Column("day", Date, primary_key=True),
    required("count", Integer),
)

reveal_reasons = Table(
    "reveal_reasons",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    uuid("user_id"),
    instant("at"),
    required("reason", Text),
)

blocked_tries = Table(
    "blocked_tries",
    metadata,
    uuid("user_id", key=True),
    Column("day", Date, primary_key=True),
    required("count", Integer),
)
