"""Short lists of what search's indexes still have to take in: every search reads them from end to end.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SHORT = """
-- Left as they were, they grew to four megabytes after an import or some thousands of entries, until a vacuum came by.
ALTER INDEX directory_words SET (gin_pending_list_limit = 256);
ALTER INDEX directory_letters SET (gin_pending_list_limit = 256);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_SHORT)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
