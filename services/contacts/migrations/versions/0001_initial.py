"""Stakeholders, the contact layer behind its firewall, the suppression ledger, search, imports.

The statements are in `migrations/initial`, by subject.

Revision ID: 0001
Revises:
"""

from alembic import op

from services.chassis.outbox.partitions import partition_functions
from services.chassis.outbox.store import chassis_tables
from services.contacts.migrations.initial import cases, contact_layer, directory, grants, imports, integrations, projections, statistics
from services.lexicon.squeezing import SQUEEZED

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Roles that the service takes on for one transaction at a time: matching, erasing, case work.
NARROW_ROLES = ("matcher", "eraser", "caseworker")

# Likeness of words, for misspellings. Marks and case are folded in Python, so that no server's rules decide.
SEARCH = "CREATE EXTENSION IF NOT EXISTS pg_trgm"


def upgrade() -> None:
    for script in (
        chassis_tables("contacts", narrow_roles=NARROW_ROLES),
        partition_functions("contacts"),
        SEARCH,
        SQUEEZED,
        directory.TABLES,
        projections.TABLES,
        contact_layer.TABLES,
        contact_layer.FIREWALL,
        cases.TABLES,
        imports.TABLES,
        integrations.TABLES,
        grants.GRANTS,
        imports.GRANTS,
        directory.LINKS,
        directory.TALLIES,
        statistics.REFRESHING,
        statistics.FORGETTING,
    ):
        op.execute(script)
    for table, columns in statistics.UNSAMPLED.items():
        for column in columns.split():
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
