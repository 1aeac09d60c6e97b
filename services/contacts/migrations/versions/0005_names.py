"""People of a name in the order of their ids, by one index: else the planner reads everybody in that order for fifty.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXES = """
DROP INDEX individuals_canonical_name, individuals_family_key;
CREATE INDEX individuals_canonical_name ON individuals (canonical_name, id);
CREATE INDEX individuals_family_key ON individuals (family_key, id);
"""


def upgrade() -> None:
    op.execute(_INDEXES)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
