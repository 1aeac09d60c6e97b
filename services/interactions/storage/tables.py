"""The tables; the migrations are what makes them."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def _id(name: str, **options: object) -> Column[str]:
    return Column(name, Uuid(as_uuid=False), **options)  # type: ignore[arg-type]  # options are Column's own


def _instant(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]  # options are Column's own


issues = Table(
    "issues",
    metadata,
    _id("id", primary_key=True),
    Column("name", Text),
    Column("priority", Text, nullable=False),
    _id("parent_id"),
    Column("active", Boolean, nullable=False),
    Column("summary", Text),
    Column("revision", Integer, nullable=False),
    Column("component", Text, nullable=False),
    _id("created_by", nullable=False),
    _instant("created_at", nullable=False),
    _instant("updated_at", nullable=False),
)

issue_updates = Table(
    "issue_updates",
    metadata,
    _id("id", primary_key=True),
    _id("issue_id", nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text),
    Column("happened_on", Date),
    Column("component", Text, nullable=False),
    _id("created_by", nullable=False),
    _instant("created_at", nullable=False),
)

talking_points = Table(
    "talking_points",
    metadata,
    _id("id", primary_key=True),
    _id("issue_id", nullable=False),
    Column("text", Text),
    Column("component", Text, nullable=False),
    _id("created_by", nullable=False),
    _instant("created_at", nullable=False),
)

interactions = Table(
    "interactions",
    metadata,
    _id("id", primary_key=True),
    _instant("held_at", nullable=False),
    Column("mode", Text, nullable=False),
    Column("initiated_by", Text),
    Column("component", Text, nullable=False),
    _id("user_id", nullable=False),
    _id("event_id"),
    _id("no_contact_request_id"),
    Column("outcome", Text),
    Column("revision", Integer, nullable=False),
    _id("created_by", nullable=False),
    _instant("created_at", nullable=False),
    _instant("updated_at", nullable=False),
)

interaction_individuals = Table(
    "interaction_individuals",
    metadata,
    _id("interaction_id", primary_key=True),
    _id("individual_id", primary_key=True),
    _id("employer_id"),
)

interaction_organizations = Table(
    "interaction_organizations",
    metadata,
    _id("interaction_id", primary_key=True),
    _id("organization_id", primary_key=True),
)

interaction_issues = Table(
    "interaction_issues",
    metadata,
    _id("interaction_id", primary_key=True),
    _id("issue_id", primary_key=True),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    _id("id", primary_key=True),
    _id("interaction_id", nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text),
    Column("due_on", Date),
    Column("mode", Text),
    _id("assignee"),
    _id("created_by", nullable=False),
    _instant("done_at"),
    _id("done_by"),
)

events = Table(
    "events",
    metadata,
    _id("id", primary_key=True),
    Column("name", Text),
    _instant("starts_at", nullable=False),
    _instant("ends_at"),
    Column("place", Text),
    Column("agenda", Text),
    Column("revision", Integer, nullable=False),
    Column("component", Text, nullable=False),
    _id("created_by", nullable=False),
    _instant("created_at", nullable=False),
    _instant("updated_at", nullable=False),
)

event_issues = Table(
    "event_issues",
    metadata,
    _id("event_id", primary_key=True),
    _id("issue_id", primary_key=True),
)

attendances = Table(
    "attendances",
    metadata,
    _id("id", primary_key=True),
    _id("event_id", nullable=False),
    _id("individual_id"),
    _id("organization_id"),
    _id("employer_id"),
    Column("component", Text, nullable=False),
    _id("recorded_by", nullable=False),
    _instant("recorded_at", nullable=False),
)

coordination_requests = Table(
    "coordination_requests",
    metadata,
    _id("id", primary_key=True),
    _id("individual_id", nullable=False),
    _id("issue_id"),
    Column("message", Text),
    Column("due_on", Date),
    Column("mode", Text),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("closed_because", Text),
    _id("requested_by", nullable=False),
    Column("requested_component", Text, nullable=False),
    Column("asked_component", Text),
    _id("asked_user"),
    _instant("created_at", nullable=False),
    _id("answered_by"),
    _instant("answered_at"),
    _instant("done_at"),
)

# What a user is told once, and dismisses; the request that it speaks of may be gone.
notices = Table(
    "notices",
    metadata,
    _id("id", primary_key=True),
    _id("user_id", nullable=False),
    Column("kind", Text, nullable=False),
    _id("request_id", nullable=False),
    _id("issue_id"),
    _instant("asked_at", nullable=False),
    _instant("created_at", nullable=False),
)

# Text that was kept although screening found something: one component's alone, by row-level security (T15).
kept_texts = Table(
    "kept_texts",
    metadata,
    _id("id", primary_key=True),
    Column("subject_type", Text, nullable=False),
    _id("subject_id", nullable=False),
    Column("field", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("classes", ARRAY(Text), nullable=False),
    _id("kept_by", nullable=False),
    _instant("kept_at", nullable=False),
)

# What others told: ids and words of closed lists.
people = Table(
    "people",
    metadata,
    _id("id", primary_key=True),
    _id("organization_id"),
    Column("state", Text),
    Column("placed", Boolean, nullable=False),
    Column("place_revision", Integer, nullable=False),
    _id("owner_id"),
    _id("deputy_id"),
    Column("component", Text),
    Column("owner_revision", Integer, nullable=False),
    _id("frozen_request_id"),
    _id("frozen_by"),
    Column("frozen_for", ARRAY(Text), nullable=False, server_default="{}"),
    Column("frozen_for_revision", Integer, nullable=False, server_default="0"),
    Column("preferences", JSONB, nullable=False),
    Column("preferences_revision", Integer, nullable=False),
)

organizations = Table(
    "organizations",
    metadata,
    _id("id", primary_key=True),
    Column("state", Text),
    Column("sector", Text),
    Column("revision", Integer, nullable=False),
)

# How many of `people` that are not frozen, and of `organizations`, there are: differences to be summed up.
tallies = Table(
    "tallies",
    metadata,
    Column("kind", Text, nullable=False),
    Column("state", Text),
    Column("counted", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    _id("id", primary_key=True),
    Column("component", Text),
    Column("level", Text),
    Column("roles", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    _id("id", primary_key=True),
    Column("kind", Text, nullable=False),
    _instant("erased_at", nullable=False),
)

# Which rows an erased person was linked to, so that the seeker knows where to redact without asking.
erasure_links = Table(
    "erasure_links",
    metadata,
    Column("n", BigInteger, Identity(), primary_key=True),
    _id("erasure_id", nullable=False),
    Column("subject_type", Text, nullable=False),
    _id("subject_id", nullable=False),
)

# What each step of an erasure was answered, so that a repetition answers the same: counts, ids and names of columns.
erasure_answers = Table(
    "erasure_answers",
    metadata,
    _id("erasure_id", primary_key=True),
    Column("step", Text, primary_key=True),
    Column("answer", JSON, nullable=False),
)
