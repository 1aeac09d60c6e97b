"""The key store's tables; it is a database of its own."""

from sqlalchemy import LargeBinary, MetaData, Table, Text

from services.chassis.database.columns import instant, required, uuid

metadata = MetaData()

subject_keys = Table(
    "subject_keys",
    metadata,
    uuid("subject_id", key=True),
    required("key_id", Text),
    required("wrapped", LargeBinary),
    instant("created_at"),
    instant("rotated_at", nullable=True),
)

seal_keys = Table(
    "seal_keys",
    metadata,
    uuid("erasure_id", key=True),
    required("key_id", Text),
    required("wrapped", LargeBinary),
    instant("created_at"),
)
