"""How often an erasure was sent back to search again, so that a repetition and a new search are told apart.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count the returns."""
    op.execute("ALTER TABLE erasures ADD COLUMN returns integer NOT NULL DEFAULT 0")
