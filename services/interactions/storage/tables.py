"""All tables of interactions' database, as the migration makes them."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.chassis.database.columns import instant, required, uuid

metadata = MetaData()


issues = Table(
    "issues",
    metadata,
    uuid("id", key=True),
    Column("name", Text),
    required("priority", Text),
    uuid("parent_id", nullable=True),
    required("active", Boolean),
    Column("summary", Text),
    required("revision", Integer),
    required("component", Text),
    uuid("created_by"),
    instant("created_at"),
    instant("updated_at"),
)

issue_updates = Table(
    "issue_updates",
    metadata,
    uuid("id", key=True),
    uuid("issue_id"),
    required("kind", Text),
    Column("text", Text),
    Column("happened_on", Date),
    required("component", Text),
    uuid("created_by"),
    instant("created_at"),
)

talking_points = Table(
    "talking_points",
    metadata,
    uuid("id", key=True),
    uuid("issue_id"),
    Column("text", Text),
    required("component", Text),
    uuid("created_by"),
    instant("created_at"),
)

interactions = Table(
    "interactions",
    metadata,
    uuid("id", key=True),
    instant("held_at"),
    required("mode", Text),
    Column("initiated_by", Text),
    required("component", Text),
    uuid("user_id"),
    uuid("event_id", nullable=True),
    uuid("no_contact_request_id", nullable=True),
    Column("outcome", Text),
    required("revision", Integer),
    uuid("created_by"),
    instant("created_at"),
    instant("updated_at"),
)

interaction_individuals = Table(
    "interaction_individuals",
    metadata,
    uuid("interaction_id", key=True),
    uuid("individual_id", key=True),
    uuid("employer_id", nullable=True),
)

interaction_organizations = Table(
    "interaction_organizations",
    metadata,
    uuid("interaction_id", key=True),
    uuid("organization_id", key=True),
)

interaction_issues = Table(
    "interaction_issues",
    metadata,
    uuid("interaction_id", key=True),
    uuid("issue_id", key=True),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    uuid("id", key=True),
    uuid("interaction_id"),
    required("position", Integer),
    Column("text", Text),
    Column("due_on", Date),
    Column("mode", Text),
    uuid("assignee", nullable=True),
    uuid("created_by"),
    instant("done_at", nullable=True),
    uuid("done_by", nullable=True),
)

events = Table(
    "events",
    metadata,
    uuid("id", key=True),
    Column("name", Text),
    instant("starts_at"),
    instant("ends_at", nullable=True),
    Column("place", Text),
    Column("agenda", Text),
    required("revision", Integer),
    required("component", Text),
    uuid("created_by"),
    instant("created_at"),
    instant("updated_at"),
)

event_issues = Table(
    "event_issues",
    metadata,
    uuid("event_id", key=True),
    uuid("issue_id", key=True),
)

attendances = Table(
    "attendances",
    metadata,
    uuid("id", key=True),
    uuid("event_id"),
    uuid("individual_id", nullable=True),
    uuid("organization_id", nullable=True),
    uuid("employer_id", nullable=True),
    required("component", Text),
    uuid("recorded_by"),
    instant("recorded_at"),
)

coordination_requests = Table(
    "coordination_requests",
    metadata,
    uuid("id", key=True),
    uuid("individual_id"),
    uuid("issue_id", nullable=True),
    Column("message", Text),
    Column("due_on", Date),
    Column("mode", Text),
    required("status", Text),
    Column("reason", Text),
    Column("closed_because", Text),
    uuid("requested_by"),
    required("requested_component", Text),
    Column("asked_component", Text),
    uuid("asked_user", nullable=True),
    instant("created_at"),
    uuid("answered_by", nullable=True),
    instant("answered_at", nullable=True),
    instant("done_at", nullable=True),
)

# What a user is told once, and dismisses; the request that it speaks of may be gone.
notices = Table(
    "notices",
    metadata,
    uuid("id", key=True),
    uuid("user_id"),
    required("kind", Text),
    uuid("request_id"),
    uuid("issue_id", nullable=True),
    instant("asked_at"),
    instant("created_at"),
)

# Text that was kept although screening found something: one component's alone, by row-level security (T15).
kept_texts = Table(
    "kept_texts",
    metadata,
    uuid("id", key=True),
    required("subject_type", Text),
    uuid("subject_id"),
    required("field", Text),
    required("component", Text),
    required("text", Text),
    required("reason", Text),
    required("classes", ARRAY(Text)),
    uuid("kept_by"),
    instant("kept_at"),
)

# What others told: ids and words of closed lists.
people = Table(
    "people",
    metadata,
    uuid("id", key=True),
    uuid("organization_id", nullable=True),
    Column("state", Text),
    required("placed", Boolean),
    required("place_revision", Integer),
    uuid("owner_id", nullable=True),
    uuid("deputy_id", nullable=True),
    Column("component", Text),
    required("owner_revision", Integer),
    uuid("frozen_request_id", nullable=True),
    uuid("frozen_by", nullable=True),
    Column("frozen_for", ARRAY(Text), nullable=False, server_default="{}"),
    Column("frozen_for_revision", Integer, nullable=False, server_default="0"),
    required("preferences", JSONB),
    required("preferences_revision", Integer),
)

organizations = Table(
    "organizations",
    metadata,
    uuid("id", key=True),
    Column("state", Text),
    Column("sector", Text),
    required("revision", Integer),
)

# How many of `people` that are not frozen, and of `organizations`, there are: differences to be summed up.
tallies = Table(
    "tallies",
    metadata,
    required("kind", Text),
    Column("state", Text),
    required("counted", BigInteger),
)

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

# Requests for no more contact that were taken back: that somebody was frozen for one may be told later.
withdrawn_requests = Table("withdrawn_requests", metadata, uuid("id", key=True))

tombstones = Table(
    "tombstones",
    metadata,
    uuid("id", key=True),
    required("kind", Text),
    instant("erased_at"),
)

# Which rows an erased person was linked to, so that the seeker knows where to redact without asking.
erasure_links = Table(
    "erasure_links",
    metadata,
    Column("n", BigInteger, Identity(), primary_key=True),
    uuid("erasure_id"),
    required("subject_type", Text),
    uuid("subject_id"),
)

# What each step of an erasure was answered, so that a repetition answers the same: counts, ids and names of columns.
erasure_answers = Table(
    "erasure_answers",
    metadata,
    uuid("erasure_id", key=True),
    Column("step", Text, primary_key=True),
    required("answer", JSON),
)
