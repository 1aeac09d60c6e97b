"""Days of the outbox are made by one function, and dropped by another when a checkpoint covers them.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

from services.chassis.days import day_functions

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions."""
    op.execute(day_functions("contacts"))
