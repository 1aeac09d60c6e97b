"""Individuals of whom contacts told that they are gone.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep their ids."""
    op.execute("CREATE TABLE tombstones (id uuid PRIMARY KEY)")
    op.execute("GRANT SELECT, INSERT ON tombstones TO liaison_retention")
