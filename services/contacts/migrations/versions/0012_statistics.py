"""Statistics of who is in the directory, anew after an import: the planner would learn of it only in a minute or so.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATISTICS = """
-- Only a table's owner may; the runtime role owns none.
CREATE FUNCTION refresh_statistics() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $refresh$
BEGIN
    ANALYZE individuals, organizations, offices, directory, relationships, stakeholder_issues, contact_points, match_digests;
END $refresh$;
REVOKE ALL ON FUNCTION refresh_statistics() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refresh_statistics() TO liaison_contacts;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_STATISTICS)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
