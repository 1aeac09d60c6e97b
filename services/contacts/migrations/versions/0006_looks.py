"""Which search for an erased person `erasures.sought` answers, so that a repetition of it answers the same.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE erasures ADD COLUMN look text")


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
