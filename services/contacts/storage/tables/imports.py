"""Tables of imports, and of components' own systems' messages."""

from sqlalchemy import JSON, BigInteger, Column, Identity, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis.database.columns import instant, required, uuid
from services.contacts.storage.tables.base import metadata

imports = Table(
    "imports",
    metadata,
    uuid("id", key=True),
    uuid("owner_id"),
    required("component", Text),
    required("filename", Text),
    Column("format", Text),
    required("state", Text),
    required("size", Integer),
    Column("digest", Text),
    Column("layout", LargeBinary),
    required("refused_columns", JSON),
    required("issues", JSON),
    Column("source", Text),
    required("rows", Integer),
    required("position", Integer),
    required("total", Integer),
    Column("acting", JSON),
    Column("stopped", Text),
    Column("deciding", JSON),
    instant("lease_until", nullable=True),
    Column("problem_code", Text),
    Column("problem_detail", Text),
    instant("created_at"),
    instant("changed_at"),
    instant("finished_at", nullable=True),
    required("counts", JSON),
    Column("refused_layout", LargeBinary),
    instant("refused_until", nullable=True),
)

import_pieces = Table(
    "import_pieces",
    metadata,
    uuid("import_id", key=True),
    Column("n", Integer, primary_key=True),
    required("ciphertext", LargeBinary),
)

import_blocks = Table(
    "import_blocks",
    metadata,
    uuid("import_id", key=True),
    Column("n", Integer, primary_key=True),
    required("ciphertext", LargeBinary),
    Column("prepared", LargeBinary),
)

import_rows = Table(
    "import_rows",
    metadata,
    uuid("import_id", key=True),
    Column("n", Integer, primary_key=True),
    Column("sheet", Text),
    required("number", Integer),
    required("outcome", Text),
    Column("reason", Text),
    Column("refused", JSON),
    uuid("individual_id", nullable=True),
    uuid("organization_id", nullable=True),
    required("candidates", ARRAY(Uuid(as_uuid=False))),
    Column("decided", Text),
)

import_effects = Table(
    "import_effects",
    metadata,
    uuid("import_id", key=True),
    Column("n", BigInteger, Identity(always=True), primary_key=True),
    required("kind", Text),
    uuid("subject_id"),
    Column("detail", JSON),
)

import_refused = Table(
    "import_refused",
    metadata,
    uuid("import_id", key=True),
    Column("n", Integer, primary_key=True),
    required("ciphertext", LargeBinary),
)

submissions = Table(
    "submissions",
    metadata,
    Column("n", BigInteger, Identity(always=True), primary_key=True),
    required("component", Text),
    Column("event_digest", Text),
    required("size", Integer),
    required("digest", Text),
    required("code", Text),
    required("fields", ARRAY(Text)),
    uuid("individual_id", nullable=True),
    instant("received_at"),
)

integration_audiences = Table(
    "integration_audiences",
    metadata,
    uuid("individual_id", key=True),
    Column("component", Text, primary_key=True),
)
