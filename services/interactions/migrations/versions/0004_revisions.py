"""The latest revision told of each individual and organization, and to be told of each issue.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REVISIONS = """
ALTER TABLE people ADD COLUMN place_revision integer NOT NULL DEFAULT 0, ADD COLUMN owner_revision integer NOT NULL DEFAULT 0,
    ADD COLUMN preferences_revision integer NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN revision integer NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN revision integer NOT NULL DEFAULT 1;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_REVISIONS)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
