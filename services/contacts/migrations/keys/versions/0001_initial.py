"""The key store: one wrapped key for each person, one for each seal; ordinary backups leave it out (N17).

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE subject_keys (
    subject_id uuid PRIMARY KEY,
    -- Which master key it is wrapped under, so that a master key can be replaced.
    key_id text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    rotated_at timestamptz
);
CREATE INDEX subject_keys_key ON subject_keys (key_id);
CREATE TABLE seal_keys (
    erasure_id uuid PRIMARY KEY,
    key_id text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT USAGE ON SCHEMA public TO liaison_keys;
GRANT SELECT, INSERT, DELETE, UPDATE (key_id, wrapped, rotated_at) ON subject_keys TO liaison_keys;
GRANT SELECT, INSERT, DELETE, UPDATE (key_id, wrapped) ON seal_keys TO liaison_keys;
"""


def upgrade() -> None:
    op.execute(SCRIPT)


def downgrade() -> None:
    raise NotImplementedError("keys are not taken back")
