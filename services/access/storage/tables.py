"""The tables, as the migrations make them."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import TypeEngine

T = TypeVar("T")

metadata = MetaData()


def _id(name: str, *, key: bool = False, nullable: bool = False) -> "Column[str]":
    return Column(name, UUID(as_uuid=False), primary_key=key, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> "Column[datetime]":
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _required(name: str, kind: "TypeEngine[T] | type[TypeEngine[T]]") -> "Column[T]":
    return Column(name, kind, nullable=False)


components = Table(
    "components",
    metadata,
    Column("code", Text, primary_key=True),
    _required("name", Text),
    Column("parent_code", Text),
    _required("position", Integer),
    _required("active", Boolean),
    _required("revision", Integer),
)

users = Table(
    "users",
    metadata,
    _id("id", key=True),
    _required("username", Text),
    Column("external_id", Text),
    _required("name", Text),
    _required("component", Text),
    Column("level", Text),
    _required("active", Boolean),
    _required("contractor", Boolean),
    Column("justification", Text),
    Column("time_zone", Text),
    # What the other services were last told about whether this user's access is in effect.
    _required("told_active", Boolean),
    # How often they were told.
    _required("revision", Integer),
    _at("created_at"),
    _required("created_by", Text),
)

user_roles = Table("user_roles", metadata, _id("user_id", key=True), Column("role", Text, primary_key=True))

credentials = Table("credentials", metadata, _id("user_id", key=True), _required("password_hash", Text), _at("changed_at"))

licenses = Table(
    "licenses",
    metadata,
    _id("user_id", key=True),
    _required("since", Date),
    Column("until", Date),
    _required("designated_by", Text),
)

approvals = Table(
    "approvals",
    metadata,
    _id("id", key=True),
    _id("user_id"),
    _required("component", Text),
    _required("approved_by", Text),
    _at("approved_at"),
    Column("withdrawn_by", Text),
    _at("withdrawn_at", nullable=True),
)

trainings = Table(
    "trainings",
    metadata,
    _id("id", key=True),
    _id("user_id"),
    _required("kind", Text),
    _required("completed_on", Date),
    Column("expires_on", Date),
    _required("recorded_by", Text),
    _at("recorded_at"),
)

rules_of_behavior = Table(
    "rules_of_behavior",
    metadata,
    _id("id", key=True),
    _id("user_id"),
    _required("version", Text),
    _required("accepted_on", Date),
    _required("expires_on", Date),
    _required("recorded_by", Text),
)

sessions = Table(
    "sessions",
    metadata,
    _id("id", key=True),
    _id("user_id"),
    _required("token_digest", LargeBinary),
    _at("opened_at"),
    _at("last_seen_at"),
    _at("expires_at"),
    _id("acknowledgement_id", nullable=True),
    _at("ended_at", nullable=True),
    Column("ended_because", Text),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    _id("id", key=True),
    _id("user_id"),
    _id("session_id"),
    _required("statements_version", Text),
    _at("acknowledged_at"),
)

gateway_refusals = Table(
    "gateway_refusals",
    metadata,
    Column("source_digest", Text, primary_key=True),
    Column("minute", DateTime(timezone=True), primary_key=True),
    _required("code", Text),
    _required("further", Integer),
    _at("recorded_at", nullable=True),
)

integration_accounts = Table(
    "integration_accounts",
    metadata,
    Column("account", Text, primary_key=True),
    _required("component", Text),
    _required("description", Text),
    _required("active", Boolean),
    _at("created_at"),
)
