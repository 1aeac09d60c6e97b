"""The tables, as the migrations make them."""

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text

from services.chassis.database.columns import instant, required, uuid

metadata = MetaData()


components = Table(
    "components",
    metadata,
    Column("code", Text, primary_key=True),
    required("name", Text),
    Column("parent_code", Text),
    required("position", Integer),
    required("active", Boolean),
    required("revision", Integer),
)

users = Table(
    "users",
    metadata,
    uuid("id", key=True),
    required("username", Text),
    Column("external_id", Text),
    required("name", Text),
    required("component", Text),
    Column("level", Text),
    required("active", Boolean),
    required("contractor", Boolean),
    Column("justification", Text),
    Column("time_zone", Text),
    # What the other services were last told about whether this user's access is in effect.
    required("told_active", Boolean),
    # How often they were told.
    required("revision", Integer),
    instant("created_at"),
    required("created_by", Text),
)

user_roles = Table("user_roles", metadata, uuid("user_id", key=True), Column("role", Text, primary_key=True))

credentials = Table("credentials", metadata, uuid("user_id", key=True), required("password_hash", Text), instant("changed_at"))

licenses = Table(
    "licenses",
    metadata,
    uuid("user_id", key=True),
    required("since", Date),
    Column("until", Date),
    required("designated_by", Text),
)

approvals = Table(
    "approvals",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    required("component", Text),
    required("approved_by", Text),
    instant("approved_at"),
    Column("withdrawn_by", Text),
    instant("withdrawn_at", nullable=True),
)

trainings = Table(
    "trainings",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    required("kind", Text),
    required("completed_on", Date),
    Column("expires_on", Date),
    required("recorded_by", Text),
    instant("recorded_at"),
)

rules_of_behavior = Table(
    "rules_of_behavior",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    required("version", Text),
    required("accepted_on", Date),
    required("expires_on", Date),
    required("recorded_by", Text),
)

sessions = Table(
    "sessions",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    required("token_digest", LargeBinary),
    instant("opened_at"),
    instant("last_seen_at"),
    instant("expires_at"),
    uuid("acknowledgement_id", nullable=True),
    instant("ended_at", nullable=True),
    Column("ended_because", Text),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    uuid("session_id"),
    required("statements_version", Text),
    instant("acknowledged_at"),
)

gateway_refusals = Table(
    "gateway_refusals",
    metadata,
    Column("source_digest", Text, primary_key=True),
    Column("minute", DateTime(timezone=True), primary_key=True),
    required("code", Text),
    required("further", Integer),
    instant("recorded_at", nullable=True),
)

integration_accounts = Table(
    "integration_accounts",
    metadata,
    Column("account", Text, primary_key=True),
    required("component", Text),
    required("description", Text),
    required("active", Boolean),
    instant("created_at"),
)
