"""Tables of the directory layer: stakeholders, their owners and relationships, and the search index."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from services.chassis.database.columns import instant, required, uuid
from services.contacts.storage.tables.base import metadata

organizations = Table(
    "organizations",
    metadata,
    uuid("id", key=True),
    required("name", Text),
    required("canonical_name", Text),
    Column("sector", Text),
    Column("state", Text),
    required("group_ids", ARRAY(Uuid(as_uuid=False))),
    Column("source", Text),
    Column("source_url", Text),
    uuid("owner_id"),
    required("owner_component", Text),
    instant("created_at"),
    uuid("created_by"),
    required("created_component", Text),
    instant("updated_at"),
    required("version", Integer),
    instant("last_contacted_at", nullable=True),
    uuid("last_contact_by", nullable=True),
    Column("last_contact_component", Text),
    Column("last_contact_mode", Text),
)

offices = Table(
    "offices",
    metadata,
    uuid("id", key=True),
    uuid("organization_id"),
    required("position", Integer),
    Column("label", Text),
    Column("street", Text),
    Column("city", Text),
    Column("state", Text),
    Column("postal_code", Text),
    Column("country", Text),
    Column("phone", Text),
)

individuals = Table(
    "individuals",
    metadata,
    uuid("id", key=True),
    Column("salutation", Text),
    required("first_name", Text),
    required("last_name", Text),
    required("canonical_name", Text),
    required("family_key", Text),
    Column("title", Text),
    uuid("organization_id", nullable=True),
    Column("state", Text),
    required("interests", ARRAY(Text)),
    Column("source", Text),
    required("declined", ARRAY(Text)),
    required("use_preferences", ARRAY(Text)),
    required("preference_spans", JSONB),
    uuid("owner_id"),
    required("owner_component", Text),
    uuid("deputy_id", nullable=True),
    instant("created_at"),
    uuid("created_by"),
    required("created_component", Text),
    instant("updated_at"),
    required("version", Integer),
    instant("verified_at", nullable=True),
    instant("last_contacted_at", nullable=True),
    uuid("last_contact_by", nullable=True),
    Column("last_contact_component", Text),
    Column("last_contact_mode", Text),
    instant("frozen_at", nullable=True),
    uuid("frozen_request_id", nullable=True),
    Column("frozen_medium", Text),
    Column("frozen_received_on", Date),
    uuid("frozen_by", nullable=True),
    Column("frozen_by_component", Text),
    required("frozen_for", ARRAY(Text)),
    required("frozen_for_revision", Integer),
)

previous_facts = Table(
    "previous_facts",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    Column("title", Text),
    uuid("organization_id", nullable=True),
    instant("replaced_at"),
    uuid("import_id", nullable=True),
)

stakeholder_issues = Table(
    "stakeholder_issues",
    metadata,
    uuid("stakeholder_id", key=True),
    uuid("issue_id", key=True),
    Column("kind", Text, primary_key=True),
    Column("since", Date),
    Column("ended_on", Date),
    required("derived", Boolean),
    Column("state", Text),
)

relationships = Table(
    "relationships",
    metadata,
    uuid("stakeholder_id", key=True),
    Column("component", Text, primary_key=True),
    instant("since"),
    instant("last_contact_at", nullable=True),
    uuid("user_id", nullable=True),
)

hand_overs = Table(
    "hand_overs",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    instant("at"),
    uuid("by_user"),
    required("by_component", Text),
    uuid("from_user"),
    required("from_component", Text),
    uuid("to_user"),
    required("to_component", Text),
)

verifications = Table(
    "verifications",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    required("medium", Text),
    instant("verified_at"),
    instant("recorded_at"),
    uuid("by_user"),
    required("by_component", Text),
    required("withdrawn", ARRAY(Text)),
)

directory = Table(
    "directory",
    metadata,
    uuid("stakeholder_id", key=True),
    required("type", Text),
    required("name", Text),
    required("sort_name", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("title", Text),
    uuid("organization_id", nullable=True),
    Column("organization_name", Text),
    Column("sector", Text),
    Column("state", Text),
    required("interests", ARRAY(Text)),
    required("group_ids", ARRAY(Uuid(as_uuid=False))),
    uuid("owner_id"),
    required("owner_component", Text),
    instant("created_at"),
    instant("last_contacted_at", nullable=True),
    required("words", TSVECTOR),
    required("letters", Text),
    required("frozen_for", ARRAY(Text)),
)

directory_tallies = Table(
    "directory_tallies",
    metadata,
    Column("state", Text),
    required("type", Text),
    required("counted", BigInteger),
)

former_employers = Table(
    "former_employers",
    metadata,
    uuid("individual_id", key=True),
    Column("name", Text, primary_key=True),
)

former_names = Table(
    "former_names",
    metadata,
    uuid("organization_id", key=True),
    Column("name", Text, primary_key=True),
)
