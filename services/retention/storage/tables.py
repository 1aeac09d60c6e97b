"""Declare the tables as the migrations create them."""

from sqlalchemy import JSON, Boolean, Column, Date, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis.database.columns import instant, required, uuid

metadata = MetaData()


users = Table(
    "users",
    metadata,
    uuid("id", key=True),
    Column("component", Text),
    Column("level", Text),
    required("roles", ARRAY(Text)),
    required("active", Boolean),
    required("revision", Integer),
)

individuals = Table(
    "individuals",
    metadata,
    uuid("id", key=True),
    uuid("owner_id"),
    required("component", Text),
    uuid("deputy_id", nullable=True),
    required("revision", Integer),
)

# Individuals whom contacts announced as erased, including those of undone imports, which have no erasure here.
tombstones = Table("tombstones", metadata, uuid("id", key=True))

erasures = Table(
    "erasures",
    metadata,
    uuid("id", key=True),
    required("subject_type", Text),
    uuid("subject_id"),
    required("cause", Text),
    # The owner's own words, which may name somebody; they are cleared before the erasure completes.
    Column("reason", Text),
    uuid("owner_id", nullable=True),
    Column("owner_component", Text),
    required("requested_by", Text),
    Column("requested_component", Text),
    instant("requested_at"),
    Column("trace_id", Text),
    required("step", Text),
    Column("sealed", Text),
    required("found_nobody", Boolean),
    required("waiting", Boolean),
    Column("decide_by", Date),
    instant("looked_at", nullable=True),
    required("returns", Integer),
    uuid("claim", nullable=True),
    instant("claimed_until", nullable=True),
    required("attempts", Integer),
    instant("next_at"),
    instant("completed_at", nullable=True),
    Column("certificate", JSON),
)

no_contact_requests = Table(
    "no_contact_requests",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    required("medium", Text),
    required("received_on", Date),
    required("recorded_by", Text),
    Column("recorded_by_component", Text),
    instant("recorded_at"),
    uuid("owner_id", nullable=True),
    Column("owner_component", Text),
    uuid("erasure_id", nullable=True),
    uuid("twin_of", nullable=True),
    Column("proposed_by", Text),
    instant("proposed_at", nullable=True),
    Column("proposal_reason", Text),
    Column("withdrawn_by", Text),
    instant("withdrawn_at", nullable=True),
    instant("released_at", nullable=True),
)

recordings = Table(
    "recordings",
    metadata,
    uuid("request_id", key=True),
    Column("recorded_by", Text, primary_key=True),
    Column("recorded_by_component", Text),
    required("medium", Text),
    required("received_on", Date),
    instant("recorded_at"),
    instant("withdrawn_at", nullable=True),
)

receipts = Table(
    "receipts",
    metadata,
    uuid("erasure_id", key=True),
    Column("step", Text, primary_key=True),
    Column("store", Text, primary_key=True),
    required("service", Text),
    required("found", Integer),
    required("removed", Integer),
    required("remaining", Integer),
    required("method", Text),
    instant("at"),
)

hits = Table(
    "hits",
    metadata,
    uuid("id", key=True),
    uuid("erasure_id"),
    required("service", Text),
    required("store", Text),
    uuid("record_id"),
    required("field", Text),
    required("kinds", ARRAY(Text)),
    required("sure", Boolean),
    instant("found_at"),
    Column("decision", Text),
    Column("decided_by", Text),
    instant("decided_at", nullable=True),
    Column("stays_because", Text),
    required("carried_out", Boolean),
)

holds = Table(
    "holds",
    metadata,
    uuid("id", key=True),
    uuid("subject_id"),
    Column("until", Date),
    required("placed_by", Text),
    instant("placed_at"),
    Column("lifted_by", Text),
    instant("lifted_at", nullable=True),
)

destructions = Table(
    "destructions",
    metadata,
    uuid("erasure_id", key=True),
    required("subject_type", Text),
    uuid("subject_id"),
    required("cause", Text),
    required("requested_by", Text),
    Column("requested_component", Text),
    instant("destroyed_at"),
)
