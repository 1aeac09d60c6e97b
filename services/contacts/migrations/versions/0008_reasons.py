"""The eraser clears reasons that speak of an erased person: nobody edits them.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("GRANT UPDATE (reason) ON reveal_reasons, contact_point_grants TO liaison_contacts_eraser")


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
