"""Imports: the cells of refused rows, encrypted under a key of their own, until a date.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = """
-- The columns in their order, encrypted as the rows are.
ALTER TABLE imports ADD COLUMN refused_layout bytea, ADD COLUMN refused_until timestamptz;
CREATE INDEX imports_refused ON imports (refused_until) WHERE refused_layout IS NOT NULL;

CREATE TABLE import_refused (
    import_id uuid NOT NULL,
    n integer NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (import_id, n)
);
GRANT SELECT, INSERT, DELETE ON import_refused TO liaison_contacts;
GRANT SELECT, DELETE ON import_refused TO liaison_contacts_eraser;
"""


def upgrade() -> None:
    op.execute(_TABLES)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
