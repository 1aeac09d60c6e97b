"""Tables of what other services announced: users, components, issues, engagements."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from services.chassis.database.columns import instant, required, uuid
from services.contacts.storage.tables.base import metadata

users = Table(
    "users",
    metadata,
    uuid("id", key=True),
    Column("component", Text),
    Column("level", Text),
    required("roles", ARRAY(Text)),
    required("active", Boolean),
    required("revision", Integer),
    instant("known_at"),
)

components = Table(
    "components",
    metadata,
    Column("code", Text, primary_key=True),
    Column("parent_code", Text),
    required("active", Boolean),
    required("revision", Integer),
)

issues = Table(
    "issues",
    metadata,
    uuid("id", key=True),
    required("priority", Text),
    uuid("parent_id", nullable=True),
    required("active", Boolean),
    required("revision", Integer),
)

erased_issues = Table("erased_issues", metadata, uuid("id", key=True))

engagements = Table(
    "engagements",
    metadata,
    uuid("source_id", key=True),
    uuid("stakeholder_id", key=True),
    required("component", Text),
    uuid("user_id", nullable=True),
    instant("held_at"),
    required("mode", Text),
    required("issue_ids", ARRAY(Uuid(as_uuid=False))),
    required("revision", Integer),
    uuid("employer_id", nullable=True),
)

engagement_sources = Table("engagement_sources", metadata, uuid("source_id", key=True), required("revision", Integer))
