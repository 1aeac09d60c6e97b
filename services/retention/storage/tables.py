"""The tables, as the migrations make them."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import JSON, Boolean, Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.types import TypeEngine

metadata = MetaData()
T = TypeVar("T")


def _id(name: str, *, key: bool = False, nullable: bool = False) -> "Column[str]":
    return Column(name, UUID(as_uuid=False), primary_key=key, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> "Column[datetime]":
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _required(name: str, kind: "TypeEngine[T] | type[TypeEngine[T]]") -> "Column[T]":
    return Column(name, kind, nullable=False)


users = Table(
    "users",
    metadata,
    _id("id", key=True),
    Column("component", Text),
    Column("level", Text),
    _required("roles", ARRAY(Text)),
    _required("active", Boolean),
    _required("revision", Integer),
)

individuals = Table(
    "individuals",
    metadata,
    _id("id", key=True),
    _id("owner_id"),
    _required("component", Text),
    _id("deputy_id", nullable=True),
    _required("revision", Integer),
)

# Individuals of whom contacts told that they are gone, by whatever door: an import that was undone comes by none here.
tombstones = Table("tombstones", metadata, _id("id", key=True))

erasures = Table(
    "erasures",
    metadata,
    _id("id", key=True),
    _required("subject_type", Text),
    _id("subject_id"),
    _required("cause", Text),
    # The owner's own words; they may name somebody, and are cleared before the person is gone.
    Column("reason", Text),
    _id("owner_id", nullable=True),
    Column("owner_component", Text),
    _required("requested_by", Text),
    Column("requested_component", Text),
    _at("requested_at"),
    Column("trace_id", Text),
    _required("step", Text),
    Column("sealed", Text),
    _required("found_nobody", Boolean),
    _required("waiting", Boolean),
    Column("decide_by", Date),
    _at("looked_at", nullable=True),
    _required("returns", Integer),
    _id("claim", nullable=True),
    _at("claimed_until", nullable=True),
    _required("attempts", Integer),
    _at("next_at"),
    _at("completed_at", nullable=True),
    Column("certificate", JSON),
)

no_contact_requests = Table(
    "no_contact_requests",
    metadata,
    _id("id", key=True),
    _id("individual_id"),
    _required("medium", Text),
    _required("received_on", Date),
    _required("recorded_by", Text),
    Column("recorded_by_component", Text),
    _at("recorded_at"),
    _id("owner_id", nullable=True),
    Column("owner_component", Text),
    _id("erasure_id", nullable=True),
    _id("twin_of", nullable=True),
    Column("proposed_by", Text),
    _at("proposed_at", nullable=True),
    Column("proposal_reason", Text),
    Column("withdrawn_by", Text),
    _at("withdrawn_at", nullable=True),
    _at("released_at", nullable=True),
)

recordings = Table(
    "recordings",
    metadata,
    _id("request_id", key=True),
    Column("recorded_by", Text, primary_key=True),
    Column("recorded_by_component", Text),
    _required("medium", Text),
    _required("received_on", Date),
    _at("recorded_at"),
    _at("withdrawn_at", nullable=True),
)

receipts = Table(
    "receipts",
    metadata,
    _id("erasure_id", key=True),
    Column("step", Text, primary_key=True),
    Column("store", Text, primary_key=True),
    _required("service", Text),
    _required("found", Integer),
    _required("removed", Integer),
    _required("remaining", Integer),
    _required("method", Text),
    _at("at"),
)

hits = Table(
    "hits",
    metadata,
    _id("id", key=True),
    _id("erasure_id"),
    _required("service", Text),
    _required("store", Text),
    _id("record_id"),
    _required("field", Text),
    _required("kinds", ARRAY(Text)),
    _required("sure", Boolean),
    _at("found_at"),
    Column("decision", Text),
    Column("decided_by", Text),
    _at("decided_at", nullable=True),
    Column("stays_because", Text),
    _required("carried_out", Boolean),
)

holds = Table(
    "holds",
    metadata,
    _id("id", key=True),
    _id("subject_id"),
    Column("until", Date),
    _required("placed_by", Text),
    _at("placed_at"),
    Column("lifted_by", Text),
    _at("lifted_at", nullable=True),
)

destructions = Table(
    "destructions",
    metadata,
    _id("erasure_id", key=True),
    _required("subject_type", Text),
    _id("subject_id"),
    _required("cause", Text),
    _required("requested_by", Text),
    Column("requested_component", Text),
    _at("destroyed_at"),
)
