"""The latest revision told of each issue and office.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE issues ADD COLUMN revision integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE components ADD COLUMN revision integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
