"""How often each office was changed, so that listeners know which message about it is the latest.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count the changes."""
    op.execute("ALTER TABLE components ADD COLUMN revision integer NOT NULL DEFAULT 1")
