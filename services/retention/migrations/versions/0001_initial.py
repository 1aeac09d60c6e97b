"""Requests for no more contact, erasures with receipts, holds, the register of destruction.

Revision ID: 0001
Revises:
"""

from alembic import op

from services.chassis.outbox.partitions import partition_functions
from services.chassis.outbox.store import chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE users (
    id uuid PRIMARY KEY,
    component text,
    level text,
    roles text[] NOT NULL,
    active boolean NOT NULL,
    revision integer NOT NULL DEFAULT 0
);
CREATE INDEX users_component ON users (component) WHERE active;

CREATE TABLE individuals (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    component text NOT NULL,
    deputy_id uuid,
    revision integer NOT NULL DEFAULT 0
);
CREATE INDEX individuals_owner ON individuals (owner_id);

-- Individuals of whom contacts told that they are gone.
CREATE TABLE tombstones (id uuid PRIMARY KEY);

CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    subject_type text NOT NULL CHECK (subject_type IN ('individual', 'organization')),
    subject_id uuid NOT NULL UNIQUE,
    cause text NOT NULL CHECK (cause IN ('no_contact', 'mistake', 'no_longer_needed', 'expired', 'import_undone')),
    reason text,
    owner_id uuid,
    owner_component text,
    requested_by text NOT NULL,
    requested_component text,
    requested_at timestamptz NOT NULL,
    trace_id text,
    step text NOT NULL,
    sealed text,
    found_nobody boolean NOT NULL DEFAULT false,
    waiting boolean NOT NULL DEFAULT false,
    -- The last day on which hits wait for a decision, and when the last search was made.
    decide_by date,
    looked_at timestamptz,
    claim uuid,
    claimed_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    completed_at timestamptz,
    certificate json,
    -- How often it was sent back to search again, so that a repetition and a new search are told apart.
    returns integer NOT NULL DEFAULT 0
);
CREATE INDEX erasures_due ON erasures (next_at) WHERE completed_at IS NULL;

CREATE TABLE no_contact_requests (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL,
    medium text NOT NULL,
    received_on date NOT NULL,
    recorded_by text NOT NULL,
    recorded_by_component text,
    recorded_at timestamptz NOT NULL,
    owner_id uuid,
    owner_component text,
    erasure_id uuid REFERENCES erasures,
    -- The case in which the privacy officer found this record to be of the same person (T26).
    twin_of uuid REFERENCES no_contact_requests,
    -- Taking it back (T36): proposed with a reason, confirmed by the privacy officer, and at last freed by contacts.
    proposed_by text,
    proposed_at timestamptz,
    proposal_reason text,
    withdrawn_by text,
    withdrawn_at timestamptz,
    released_at timestamptz
);
CREATE UNIQUE INDEX no_contact_requests_individual ON no_contact_requests (individual_id) WHERE withdrawn_at IS NULL;
CREATE INDEX no_contact_requests_twins ON no_contact_requests (twin_of) WHERE twin_of IS NOT NULL;
CREATE INDEX no_contact_requests_unreleased ON no_contact_requests (withdrawn_at) WHERE withdrawn_at IS NOT NULL AND released_at IS NULL;

-- Each who recorded it: the same person may ask two of us, and one taking theirs back leaves the other's.
CREATE TABLE recordings (
    request_id uuid NOT NULL REFERENCES no_contact_requests,
    recorded_by text NOT NULL,
    recorded_by_component text,
    medium text NOT NULL,
    received_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (request_id, recorded_by)
);
CREATE INDEX no_contact_requests_recorded ON no_contact_requests (recorded_at, id);

CREATE TABLE receipts (
    erasure_id uuid NOT NULL REFERENCES erasures,
    step text NOT NULL,
    store text NOT NULL,
    service text NOT NULL,
    found integer NOT NULL,
    removed integer NOT NULL,
    remaining integer NOT NULL,
    method text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (erasure_id, step, store)
);

CREATE TABLE hits (
    id uuid PRIMARY KEY,
    erasure_id uuid NOT NULL REFERENCES erasures,
    service text NOT NULL,
    store text NOT NULL,
    record_id uuid NOT NULL,
    field text NOT NULL DEFAULT '',
    kinds text[] NOT NULL,
    -- Whether it may be redacted without a decision, once the deadline has passed.
    sure boolean NOT NULL,
    found_at timestamptz NOT NULL,
    -- `gone`: the text was edited or deleted, and nothing is left to decide.
    decision text CHECK (decision IN ('redact', 'another_person', 'gone')),
    -- A user's id, or `rule`.
    decided_by text,
    decided_at timestamptz,
    -- Why the rule left it as another person's.
    stays_because text,
    -- Whether a search has carried the decision out.
    carried_out boolean NOT NULL DEFAULT false,
    UNIQUE (erasure_id, service, store, record_id, field)
);
CREATE INDEX hits_sample ON hits (id) WHERE stays_because IS NOT NULL;

CREATE TABLE holds (
    id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    until date,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL,
    lifted_by text,
    lifted_at timestamptz
);
CREATE INDEX holds_standing ON holds (subject_id) WHERE lifted_at IS NULL;

CREATE TABLE destructions (
    erasure_id uuid PRIMARY KEY REFERENCES erasures,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    cause text NOT NULL,
    requested_by text NOT NULL,
    requested_component text,
    destroyed_at timestamptz NOT NULL
);

-- The server keeps no samples of what people write, which would outlive an erasure.
ALTER TABLE erasures ALTER COLUMN reason SET STATISTICS 0;
ALTER TABLE no_contact_requests ALTER COLUMN proposal_reason SET STATISTICS 0;

GRANT SELECT, INSERT, UPDATE ON users, erasures, no_contact_requests, recordings, holds TO liaison_retention;
GRANT SELECT, INSERT, UPDATE, DELETE ON individuals, receipts, hits TO liaison_retention;
GRANT SELECT, INSERT ON destructions, tombstones TO liaison_retention;
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(chassis_tables("retention"))
    op.execute(partition_functions("retention"))
    op.execute(TABLES)
