"""How many are known in each state, without counting them: triggers keep the differences, whoever writes.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TALLIES = """
-- Differences, each writer's in a row of its own, so that nobody waits for a number: their sum is the count.
CREATE TABLE tallies (
    kind text NOT NULL,
    state text,
    counted bigint NOT NULL
);
-- Frozen individuals are left out.
INSERT INTO tallies SELECT 'people', state, count(*) FROM people WHERE frozen_request_id IS NULL GROUP BY 2;
INSERT INTO tallies SELECT 'organizations', state, count(*) FROM organizations GROUP BY 2;

CREATE FUNCTION sum_up_tallies() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $sum$
BEGIN
    -- Now and then; rows that another transaction is summing up are its own.
    IF random() < 0.02 THEN
        WITH old AS (
            DELETE FROM tallies WHERE ctid = ANY(ARRAY(SELECT ctid FROM tallies LIMIT 5000 FOR UPDATE SKIP LOCKED))
            RETURNING kind, state, counted
        )
        INSERT INTO tallies SELECT kind, state, sum(counted) FROM old GROUP BY 1, 2 HAVING sum(counted) <> 0;
    END IF;
END $sum$;

CREATE FUNCTION tally_people() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $tally$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tallies SELECT 'people', state, count(*) FROM added WHERE frozen_request_id IS NULL GROUP BY 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO tallies SELECT 'people', state, -count(*) FROM gone WHERE frozen_request_id IS NULL GROUP BY 2;
    ELSE
        INSERT INTO tallies SELECT 'people', state, sum(n) FROM (
            SELECT state, 1 AS n FROM added WHERE frozen_request_id IS NULL
            UNION ALL SELECT state, -1 FROM gone WHERE frozen_request_id IS NULL) AS changed
        GROUP BY 2 HAVING sum(n) <> 0;
    END IF;
    PERFORM sum_up_tallies();
    RETURN NULL;
END $tally$;

CREATE FUNCTION tally_organizations() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $tally$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tallies SELECT 'organizations', state, count(*) FROM added GROUP BY 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO tallies SELECT 'organizations', state, -count(*) FROM gone GROUP BY 2;
    ELSE
        INSERT INTO tallies SELECT 'organizations', state, sum(n) FROM (
            SELECT state, 1 AS n FROM added UNION ALL SELECT state, -1 FROM gone) AS changed
        GROUP BY 2 HAVING sum(n) <> 0;
    END IF;
    PERFORM sum_up_tallies();
    RETURN NULL;
END $tally$;
"""
_TRIGGERS = """
CREATE TRIGGER tally_new AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}();
CREATE TRIGGER tally_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}();
CREATE TRIGGER tally_changed AFTER UPDATE ON {table} REFERENCING NEW TABLE AS added OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}();
"""
_GRANTS = """
REVOKE ALL ON FUNCTION sum_up_tallies(), tally_people(), tally_organizations() FROM PUBLIC;
GRANT SELECT ON tallies TO liaison_interactions;
"""


def upgrade() -> None:
    bind = op.get_bind()
    for script in (_TALLIES, _TRIGGERS.format(table="people"), _TRIGGERS.format(table="organizations"), _GRANTS):
        bind.exec_driver_sql(script)


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
