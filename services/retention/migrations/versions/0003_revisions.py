"""The latest revision told of whose an individual is.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the revision."""
    op.execute("ALTER TABLE individuals ADD COLUMN revision integer NOT NULL DEFAULT 0")
