"""Days of the outbox are made by one function, and dropped by another when a checkpoint covers them.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from services.chassis.days import day_functions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions."""
    op.execute(day_functions("audit"))
