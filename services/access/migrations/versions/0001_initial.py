"""Components, users with what their access stands on, sessions, acknowledgements, refusals.

Revision ID: 0001
Revises:
"""

from alembic import op
from sqlalchemy import text

from services.chassis.outbox.partitions import partition_functions
from services.chassis.outbox.store import chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The participating offices of PIA section 4.1 (R139). The list changes (R141): from here on they are data.
COMPONENTS = (
    ("FO", "Front Office", None),
    ("SCHED", "Scheduling", None),
    ("WHL", "White House Liaison Office", None),
    ("POLICY", "Office of Policy", None),
    ("HSAC", "Homeland Security Advisory Council", "POLICY"),
    ("PSO", "Private Sector Office", "POLICY"),
    ("SLLE", "State and Local Law Enforcement", "POLICY"),
    ("SCO", "Screening Coordination Office", "POLICY"),
    ("PD", "Policy Development", "POLICY"),
    ("IGA", "Office of Intergovernmental Affairs", None),
    ("OLA", "Office of Legislative Affairs", None),
    ("FEMA", "Federal Emergency Management Agency", None),
    ("USCIS", "U.S. Citizenship and Immigration Services", None),
    ("ICE", "Immigration and Customs Enforcement", None),
    ("CBP", "Customs and Border Protection", None),
    ("CRCL", "Civil Rights and Civil Liberties", None),
    ("PRIV", "Privacy Office", None),
    ("OPA", "Office of Public Affairs", None),
    ("GCRO", "Gulf Coast Recovery Office", None),
)

TABLES = """
CREATE TABLE components (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{2,10}$'),
    name text NOT NULL,
    parent_code text REFERENCES components,
    position integer NOT NULL,
    active boolean NOT NULL DEFAULT true,
    -- How often it was changed, so that listeners know which message about it is the latest.
    revision integer NOT NULL DEFAULT 1
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    username text NOT NULL UNIQUE CHECK (username = lower(username)),
    external_id text UNIQUE,
    name text NOT NULL,
    component text NOT NULL REFERENCES components,
    level text CHECK (level IN ('reader', 'contributor', 'steward')),
    active boolean NOT NULL DEFAULT true,
    contractor boolean NOT NULL DEFAULT false,
    justification text CHECK (NOT contractor OR justification IS NOT NULL),
    time_zone text CHECK (length(time_zone) BETWEEN 1 AND 64),
    told_active boolean NOT NULL DEFAULT false,
    revision integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);
CREATE INDEX users_component ON users (component, username);

CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL
        CHECK (role IN ('office_administrator', 'system_administrator', 'system_owner', 'isso', 'privacy_officer')),
    PRIMARY KEY (user_id, role)
);

CREATE TABLE credentials (
    user_id uuid PRIMARY KEY REFERENCES users,
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE licenses (
    user_id uuid PRIMARY KEY REFERENCES users,
    since date NOT NULL,
    until date,
    designated_by text NOT NULL
);

CREATE TABLE approvals (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    component text NOT NULL REFERENCES components,
    approved_by text NOT NULL,
    approved_at timestamptz NOT NULL,
    withdrawn_by text,
    withdrawn_at timestamptz,
    CHECK (approved_by <> user_id::text)
);
CREATE UNIQUE INDEX approvals_standing ON approvals (user_id, component) WHERE withdrawn_at IS NULL;

CREATE TABLE trainings (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    kind text NOT NULL CHECK (kind IN ('privacy', 'computer_security')),
    completed_on date NOT NULL,
    expires_on date,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CHECK (expires_on IS NULL OR expires_on >= completed_on)
);
CREATE INDEX trainings_user ON trainings (user_id);

CREATE TABLE rules_of_behavior (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    version text NOT NULL,
    accepted_on date NOT NULL,
    expires_on date NOT NULL,
    recorded_by text NOT NULL,
    CHECK (expires_on >= accepted_on)
);
CREATE INDEX rules_of_behavior_user ON rules_of_behavior (user_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    token_digest bytea NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    opened_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    acknowledgement_id uuid,
    ended_at timestamptz,
    ended_because text,
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_live ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE acknowledgements (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    session_id uuid NOT NULL UNIQUE REFERENCES sessions,
    statements_version text NOT NULL,
    acknowledged_at timestamptz NOT NULL
);

CREATE TABLE gateway_refusals (
    source_digest text NOT NULL,
    minute timestamptz NOT NULL,
    code text NOT NULL,
    further integer NOT NULL DEFAULT 0,
    recorded_at timestamptz,
    PRIMARY KEY (source_digest, minute)
);
CREATE INDEX gateway_refusals_open ON gateway_refusals (minute) WHERE recorded_at IS NULL;

CREATE TABLE integration_accounts (
    account text PRIMARY KEY,
    component text NOT NULL REFERENCES components,
    description text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON components, users, credentials, licenses, approvals, sessions, gateway_refusals TO liaison_access;
GRANT SELECT, INSERT, DELETE ON user_roles TO liaison_access;
GRANT SELECT, INSERT ON trainings, rules_of_behavior, acknowledgements TO liaison_access;
GRANT DELETE ON gateway_refusals TO liaison_access;
GRANT SELECT, INSERT, UPDATE ON integration_accounts TO liaison_access;
"""


def upgrade() -> None:
    """Make the tables, and enter the offices."""
    op.execute(chassis_tables("access"))
    op.execute(partition_functions("access"))
    op.execute(TABLES)
    for position, (code, name, parent) in enumerate(COMPONENTS):
        op.execute(
            text("INSERT INTO components VALUES (:code, :name, :parent, :position)").bindparams(
                code=code, name=name, parent=parent, position=position
            )
        )
