"""Imports: kept counts, blocks as a check has prepared them, no check row by row of what nobody can break, what holds keep.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The service itself writes these rows, with an import that it holds, and nobody deletes one: no role may.
_IMPORTS = """
ALTER TABLE imports ADD COLUMN counts json NOT NULL DEFAULT '{}';
UPDATE imports i SET counts = (SELECT json_object_agg(outcome, many) FROM
    (SELECT outcome, count(*) AS many FROM import_rows r WHERE r.import_id = i.id GROUP BY 1) AS t)
WHERE EXISTS (SELECT FROM import_rows r WHERE r.import_id = i.id);
ALTER TABLE import_rows DROP CONSTRAINT import_rows_import_id_fkey;
ALTER TABLE import_effects DROP CONSTRAINT import_effects_import_id_fkey;
DROP INDEX import_rows_outcome;
-- Encrypted as the block is, and dropped with it.
ALTER TABLE import_blocks ADD COLUMN prepared bytea;
GRANT UPDATE (prepared) ON import_blocks TO liaison_contacts;
"""
# Whom an undo took away although a hold stands on them: under the person's own key, and for no role that answers users.
_SET_ASIDE = """
CREATE TABLE set_aside (
    individual_id uuid PRIMARY KEY,
    import_id uuid NOT NULL,
    at timestamptz NOT NULL,
    ciphertext bytea NOT NULL
);
GRANT SELECT, INSERT, DELETE ON set_aside TO liaison_contacts_eraser;
"""


def upgrade() -> None:
    op.execute(_IMPORTS)
    op.execute(_SET_ASIDE)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
