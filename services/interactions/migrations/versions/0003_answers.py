"""What each step of an erasure was answered, kept in the transaction that erases, so that a repetition answers the same.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ANSWERS = """
CREATE TABLE erasure_answers (
    erasure_id uuid NOT NULL,
    step text NOT NULL,
    answer json NOT NULL,
    PRIMARY KEY (erasure_id, step)
);
GRANT SELECT, INSERT ON erasure_answers TO liaison_interactions_eraser;
GRANT SELECT, DELETE ON erasure_answers TO liaison_interactions;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_ANSWERS)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
