"""Searching and counting soon after much was written: short pending lists, and links that alone say who of a state is there.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_PENDING = """
-- Every search reads from end to end what its indexes still have to take in. Left as they were, these lists grew to four
-- megabytes after an import or some thousands of entries, until a vacuum came by.
ALTER INDEX directory_words SET (gin_pending_list_limit = 256);
ALTER INDEX directory_letters SET (gin_pending_list_limit = 256);
"""

_LINKS = """
-- A link has a state while its stakeholder is in the directory, and none otherwise: so it says by itself who is found.
-- Who is entered with links has the state in them, or gets it when the line in the directory is made.
CREATE OR REPLACE FUNCTION place_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $place$
BEGIN
    SELECT d.state INTO NEW.state FROM directory d WHERE d.stakeholder_id = NEW.stakeholder_id FOR KEY SHARE;
    RETURN NEW;
END $place$;

CREATE FUNCTION displace_links() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $displace$
BEGIN
    UPDATE stakeholder_issues s SET state = NULL FROM gone g WHERE s.stakeholder_id = g.stakeholder_id AND s.state IS NOT NULL;
    RETURN NULL;
END $displace$;
CREATE TRIGGER displace_links AFTER DELETE ON directory REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION displace_links();
REVOKE ALL ON FUNCTION displace_links() FROM PUBLIC;

UPDATE stakeholder_issues s SET state = NULL
WHERE state IS NOT NULL AND NOT EXISTS (SELECT FROM directory d WHERE d.stakeholder_id = s.stakeholder_id);
"""


def upgrade() -> None:
    for script in (_PENDING, _LINKS):
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
