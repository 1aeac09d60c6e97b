"""The tables of the audit service."""

from sqlalchemy import BigInteger, Boolean, Column, Date, LargeBinary, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.database.columns import instant, required, uuid

metadata = MetaData()

trail = Table(
    "trail",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    required("leaf", LargeBinary),
    required("body", Text),
    required("kind", Text),
    uuid("stream"),
    required("n", BigInteger),
    Column("at", Text),
    Column("service", Text),
    Column("actor", Text),
    Column("component", Text),
    Column("action", Text),
    Column("outcome", Text),
    Column("trace_id", Text),
    Column("jti", Text),
    Column("subjects", JSONB),
)

trail_nodes = Table(
    "trail_nodes",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    required("hash", LargeBinary),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    required("root", LargeBinary),
    required("note", Text),
    instant("signed_at"),
)

trail_streams = Table(
    "trail_streams",
    metadata,
    uuid("stream", key=True),
    required("contiguous", BigInteger),
    required("mark", BigInteger),
    instant("marked_at", nullable=True),
    Column("crashed", BigInteger),
    required("closed", Boolean),
    required("beat", BigInteger),
)

issued_passports = Table(
    "issued_passports",
    metadata,
    Column("jti", Text, primary_key=True),
    required("position", BigInteger),
    required("holder", Text),
)

findings = Table(
    "findings",
    metadata,
    uuid("id", key=True),
    required("kind", Text),
    required("key", Text),
    Column("position", BigInteger),
    uuid("stream", nullable=True),
    Column("n", BigInteger),
    Column("service", Text),
    instant("found_at"),
)

reviews = Table(
    "reviews",
    metadata,
    uuid("id", key=True),
    required("week", Date),
    required("reviewer", Text),
    instant("signed_at"),
    required("size", BigInteger),
    required("root", LargeBinary),
)

progress = Table(
    "progress",
    metadata,
    Column("name", Text, primary_key=True),
    required("position", BigInteger),
)
