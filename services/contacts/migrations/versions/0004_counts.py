"""Counts without counting: the state beside each issue, and the directory's numbers by state and type.

Triggers keep both right, whoever writes: entering, imports, announcements, freezing, erasing. They act as the tables'
owner, so that no role gets more rights for their sake.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = """
-- The stakeholder's state, as the directory has it: so that an index alone answers who of a state is linked to an issue.
ALTER TABLE stakeholder_issues ADD COLUMN state text;
UPDATE stakeholder_issues s SET state = d.state FROM directory d WHERE d.stakeholder_id = s.stakeholder_id;
CREATE INDEX stakeholder_issues_state ON stakeholder_issues (issue_id, state, stakeholder_id) INCLUDE (kind, ended_on);
DROP INDEX stakeholder_issues_issue;

-- A link and a change of state wait for each other, and whichever comes last sees the other; other changes wait for neither.
CREATE FUNCTION place_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $place$
BEGIN
    SELECT d.state INTO NEW.state FROM directory d WHERE d.stakeholder_id = NEW.stakeholder_id FOR KEY SHARE;
    IF NOT FOUND THEN
        SELECT s.state INTO NEW.state FROM (SELECT id, state FROM individuals UNION ALL SELECT id, state FROM organizations) AS s
        WHERE s.id = NEW.stakeholder_id;
    END IF;
    RETURN NEW;
END $place$;
CREATE TRIGGER place_link BEFORE INSERT ON stakeholder_issues FOR EACH ROW WHEN (NEW.state IS NULL) EXECUTE FUNCTION place_link();

CREATE FUNCTION hold_links() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $hold$
BEGIN
    PERFORM FROM directory d WHERE d.stakeholder_id = NEW.stakeholder_id FOR UPDATE;
    RETURN NEW;
END $hold$;
CREATE TRIGGER hold_links BEFORE UPDATE ON directory FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state)
    EXECUTE FUNCTION hold_links();

CREATE FUNCTION place_links() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $place$
BEGIN
    UPDATE stakeholder_issues s SET state = a.state FROM added a
    WHERE s.stakeholder_id = a.stakeholder_id AND s.state IS DISTINCT FROM a.state;
    RETURN NULL;
END $place$;
CREATE TRIGGER place_links_of_new AFTER INSERT ON directory REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION place_links();
CREATE TRIGGER place_links_of_changed AFTER UPDATE ON directory REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION place_links();
"""

_TALLIES = """
-- Differences, each writer's in a row of its own, so that nobody waits for a number: their sum is the count.
CREATE TABLE directory_tallies (
    state text,
    type text NOT NULL,
    counted bigint NOT NULL
);
INSERT INTO directory_tallies SELECT state, type, count(*) FROM directory GROUP BY 1, 2;

CREATE FUNCTION tally_directory() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $tally$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO directory_tallies SELECT state, type, count(*) FROM added GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO directory_tallies SELECT state, type, -count(*) FROM gone GROUP BY 1, 2;
    ELSE
        INSERT INTO directory_tallies SELECT state, type, sum(n)
        FROM (SELECT state, type, 1 AS n FROM added UNION ALL SELECT state, type, -1 FROM gone) AS changed
        GROUP BY 1, 2 HAVING sum(n) <> 0;
    END IF;
    -- Now and then what lies about is summed up; rows that another transaction is summing up are its own.
    IF random() < 0.02 THEN
        WITH old AS (
            DELETE FROM directory_tallies WHERE ctid = ANY(ARRAY(SELECT ctid FROM directory_tallies LIMIT 5000 FOR UPDATE SKIP LOCKED))
            RETURNING state, type, counted
        )
        INSERT INTO directory_tallies SELECT state, type, sum(counted) FROM old GROUP BY 1, 2 HAVING sum(counted) <> 0;
    END IF;
    RETURN NULL;
END $tally$;
CREATE TRIGGER tally_new AFTER INSERT ON directory REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tally_directory();
CREATE TRIGGER tally_gone AFTER DELETE ON directory REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_directory();
CREATE TRIGGER tally_changed AFTER UPDATE ON directory REFERENCING NEW TABLE AS added OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_directory();
REVOKE ALL ON FUNCTION place_link(), hold_links(), place_links(), tally_directory() FROM PUBLIC;
GRANT SELECT ON directory_tallies TO liaison_contacts;
"""


def upgrade() -> None:
    for script in (_STATES, _TALLIES):
        op.get_bind().exec_driver_sql(script)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
