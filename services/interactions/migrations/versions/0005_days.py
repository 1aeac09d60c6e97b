"""Days of the outbox are made by one function, and dropped by another when a checkpoint covers them.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

from services.chassis.days import day_functions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions."""
    op.execute(day_functions("interactions"))
