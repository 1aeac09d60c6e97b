"""The tables of the audit service."""

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

trail = Table(
    "trail",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("stream", Uuid(as_uuid=False), nullable=False),
    Column("n", BigInteger, nullable=False),
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
    Column("hash", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
)

trail_streams = Table(
    "trail_streams",
    metadata,
    Column("stream", Uuid(as_uuid=False), primary_key=True),
    Column("contiguous", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("marked_at", DateTime(timezone=True)),
    Column("crashed", BigInteger),
    Column("closed", Boolean, nullable=False),
    Column("beat", BigInteger, nullable=False),
)

issued_passports = Table(
    "issued_passports",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("position", BigInteger),
    Column("stream", Uuid(as_uuid=False)),
    Column("n", BigInteger),
    Column("service", Text),
    Column("found_at", DateTime(timezone=True), nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("week", Date, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
