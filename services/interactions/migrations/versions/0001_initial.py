"""The ground: issues, interactions, events, coordination, and what other services tell."""

from alembic import op

from services.chassis.outbox.partitions import partition_functions
from services.chassis.outbox.store import chassis_tables
from services.lexicon.squeezing import SQUEEZED

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = r"""
CREATE TABLE issues (
    id uuid PRIMARY KEY,
    name text,
    priority text NOT NULL,
    parent_id uuid REFERENCES issues,
    active boolean NOT NULL DEFAULT true,
    summary text,
    component text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision integer NOT NULL DEFAULT 1
);
CREATE INDEX issues_parent_id ON issues (parent_id);
CREATE INDEX issues_priority ON issues (priority);

CREATE TABLE issue_updates (
    id uuid PRIMARY KEY,
    issue_id uuid NOT NULL REFERENCES issues ON DELETE CASCADE,
    kind text NOT NULL,
    text text,
    happened_on date,
    component text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX issue_updates_issue_id ON issue_updates (issue_id);

CREATE TABLE talking_points (
    id uuid PRIMARY KEY,
    issue_id uuid NOT NULL REFERENCES issues ON DELETE CASCADE,
    text text,
    component text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX talking_points_issue_id ON talking_points (issue_id);

CREATE TABLE events (
    id uuid PRIMARY KEY,
    name text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    place text,
    agenda text,
    revision integer NOT NULL DEFAULT 0,
    component text NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX events_starts_at ON events (starts_at DESC, id DESC);

CREATE TABLE event_issues (
    event_id uuid NOT NULL REFERENCES events ON DELETE CASCADE,
    issue_id uuid NOT NULL REFERENCES issues ON DELETE CASCADE,
    PRIMARY KEY (event_id, issue_id)
);
CREATE INDEX event_issues_issue_id ON event_issues (issue_id);

CREATE TABLE attendances (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES events ON DELETE CASCADE,
    individual_id uuid,
    organization_id uuid,
    employer_id uuid,
    component text NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CHECK ((individual_id IS NULL) <> (organization_id IS NULL)),
    UNIQUE (event_id, individual_id),
    UNIQUE (event_id, organization_id)
);
CREATE INDEX attendances_employer_id ON attendances (employer_id) WHERE employer_id IS NOT NULL;
CREATE INDEX attendances_individual_id ON attendances (individual_id) WHERE individual_id IS NOT NULL;
CREATE INDEX attendances_organization_id ON attendances (organization_id) WHERE organization_id IS NOT NULL;

CREATE TABLE interactions (
    id uuid PRIMARY KEY,
    held_at timestamptz NOT NULL,
    mode text NOT NULL,
    -- Not set where nobody said (T33).
    initiated_by text CHECK (initiated_by IN ('department', 'stakeholder')),
    component text NOT NULL,
    user_id uuid NOT NULL,
    event_id uuid REFERENCES events,
    no_contact_request_id uuid,
    outcome text,
    revision integer NOT NULL DEFAULT 1,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX interactions_held_at ON interactions (held_at DESC, id DESC);
CREATE INDEX interactions_event_id ON interactions (event_id) WHERE event_id IS NOT NULL;

CREATE TABLE interaction_individuals (
    interaction_id uuid NOT NULL REFERENCES interactions ON DELETE CASCADE,
    individual_id uuid NOT NULL,
    -- Where they worked then: it is in that organization's history, too (R57, T6).
    employer_id uuid,
    PRIMARY KEY (interaction_id, individual_id)
);
CREATE INDEX interaction_individuals_employer_id ON interaction_individuals (employer_id) WHERE employer_id IS NOT NULL;
CREATE INDEX interaction_individuals_individual_id ON interaction_individuals (individual_id);

CREATE TABLE interaction_organizations (
    interaction_id uuid NOT NULL REFERENCES interactions ON DELETE CASCADE,
    organization_id uuid NOT NULL,
    PRIMARY KEY (interaction_id, organization_id)
);
CREATE INDEX interaction_organizations_organization_id ON interaction_organizations (organization_id);

CREATE TABLE interaction_issues (
    interaction_id uuid NOT NULL REFERENCES interactions ON DELETE CASCADE,
    issue_id uuid NOT NULL REFERENCES issues ON DELETE CASCADE,
    PRIMARY KEY (interaction_id, issue_id)
);
CREATE INDEX interaction_issues_issue_id ON interaction_issues (issue_id);

CREATE TABLE follow_ups (
    id uuid PRIMARY KEY,
    interaction_id uuid NOT NULL REFERENCES interactions ON DELETE CASCADE,
    position integer NOT NULL,
    text text,
    due_on date,
    -- How it is to be kept, if that is to be said: a preference may stand against it (T33).
    mode text,
    assignee uuid,
    created_by uuid NOT NULL,
    done_at timestamptz,
    done_by uuid
);
CREATE INDEX follow_ups_interaction_id ON follow_ups (interaction_id);
-- A promise without an assignee is whoever's who logged it.
CREATE INDEX follow_ups_open ON follow_ups (coalesce(assignee, created_by)) WHERE done_at IS NULL;

CREATE TABLE coordination_requests (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL,
    issue_id uuid REFERENCES issues ON DELETE CASCADE,
    message text,
    due_on date,
    mode text,
    status text NOT NULL CHECK (status IN ('requested', 'accepted', 'declined', 'withdrawn', 'done')),
    reason text,
    -- Why it ended by itself, in a word of a closed list.
    closed_because text CHECK (closed_because IN ('no_contact', 'record_is_yours')),
    requested_by uuid NOT NULL,
    requested_component text NOT NULL,
    -- Another component than the owner's, and who stands for the relationship there; else the owner is asked.
    asked_component text,
    asked_user uuid,
    created_at timestamptz NOT NULL,
    answered_by uuid,
    answered_at timestamptz,
    done_at timestamptz
);
CREATE INDEX coordination_requests_individual_id ON coordination_requests (individual_id);
CREATE INDEX coordination_requests_requested_by ON coordination_requests (requested_by);
-- The same thing is asked once at a time.
CREATE UNIQUE INDEX coordination_requests_open ON coordination_requests (individual_id, issue_id, requested_component, asked_component)
    NULLS NOT DISTINCT WHERE status IN ('requested', 'accepted');

-- What a user is told once, and dismisses: ids and words of a closed list. The request may be gone by then.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    request_id uuid NOT NULL,
    issue_id uuid REFERENCES issues ON DELETE SET NULL,
    asked_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (user_id, request_id)
);

CREATE TABLE kept_texts (
    id uuid PRIMARY KEY,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    field text NOT NULL,
    component text NOT NULL,
    text text NOT NULL,
    reason text NOT NULL,
    classes text[] NOT NULL,
    kept_by uuid NOT NULL,
    kept_at timestamptz NOT NULL,
    UNIQUE (subject_id, field, component)
);
-- Text that may quote a number is its component's contributors' alone (T15); the database stands behind the check in the code.
ALTER TABLE kept_texts ENABLE ROW LEVEL SECURITY;
ALTER TABLE kept_texts FORCE ROW LEVEL SECURITY;
CREATE POLICY kept_texts_own ON kept_texts
    USING (component = nullif(current_setting('app.component', true), '')
        AND current_setting('app.level', true) IN ('contributor', 'steward'))
    WITH CHECK (component = nullif(current_setting('app.component', true), '')
        AND current_setting('app.level', true) IN ('contributor', 'steward'));

CREATE TABLE people (
    id uuid PRIMARY KEY,
    organization_id uuid,
    state text,
    placed boolean NOT NULL DEFAULT false,
    owner_id uuid,
    deputy_id uuid,
    component text,
    frozen_request_id uuid,
    frozen_by uuid,
    -- Components that see them frozen until it is decided whether they are the person of a request (T26).
    frozen_for text[] NOT NULL DEFAULT '{}',
    frozen_for_revision integer NOT NULL DEFAULT 0,
    -- [preference, since, until or null] (T33).
    preferences jsonb NOT NULL DEFAULT '[]',
    -- The latest revision told of each.
    place_revision integer NOT NULL DEFAULT 0,
    owner_revision integer NOT NULL DEFAULT 0,
    preferences_revision integer NOT NULL DEFAULT 0
);
CREATE INDEX people_preferences ON people (id) WHERE preferences <> '[]';
CREATE INDEX people_state ON people (state) WHERE frozen_request_id IS NULL;
CREATE INDEX people_frozen ON people (id) WHERE frozen_request_id IS NOT NULL OR frozen_for <> '{}';
CREATE INDEX people_owner_id ON people (owner_id);
CREATE INDEX people_organization_id ON people (organization_id);

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    state text,
    sector text,
    revision integer NOT NULL DEFAULT 0
);
CREATE INDEX organizations_state ON organizations (state);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    component text,
    level text,
    roles text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL,
    revision integer NOT NULL DEFAULT 0
);

-- Requests for no more contact that were taken back: that somebody was frozen for one may be told later.
CREATE TABLE withdrawn_requests (id uuid PRIMARY KEY);

CREATE TABLE tombstones (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    erased_at timestamptz NOT NULL
);

CREATE TABLE erasure_links (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    erasure_id uuid NOT NULL,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    UNIQUE (erasure_id, subject_id)
);

-- What each step of an erasure was answered, kept in the transaction that erases, so that a repetition answers the same.
CREATE TABLE erasure_answers (
    erasure_id uuid NOT NULL,
    step text NOT NULL,
    answer json NOT NULL,
    PRIMARY KEY (erasure_id, step)
);
"""

_WRITTEN = (
    "issues, issue_updates, talking_points, events, event_issues, attendances, interactions, interaction_individuals,"
    " interaction_organizations, interaction_issues, follow_ups, coordination_requests, notices, kept_texts, people,"
    " organizations, users"
)

# Erasing reaches every component's kept text, and is the only thing that does.
_GRANTS = f"""
GRANT SELECT, INSERT, UPDATE, DELETE ON {_WRITTEN} TO liaison_interactions;
GRANT SELECT, INSERT ON tombstones, withdrawn_requests TO liaison_interactions;
GRANT SELECT, INSERT, DELETE ON erasure_links TO liaison_interactions;

GRANT SELECT, INSERT, UPDATE, DELETE ON {_WRITTEN} TO liaison_interactions_eraser;
GRANT SELECT, INSERT ON tombstones TO liaison_interactions_eraser;
GRANT SELECT, INSERT, DELETE ON erasure_links TO liaison_interactions_eraser;
GRANT SELECT, INSERT ON erasure_answers TO liaison_interactions_eraser;
GRANT SELECT, DELETE ON erasure_answers TO liaison_interactions;
CREATE POLICY kept_texts_erased ON kept_texts TO liaison_interactions_eraser USING (true) WITH CHECK (true);
"""


_TALLIES = """
-- How many are known in each state, without counting them; frozen individuals are left out. Triggers keep differences, each
-- writer's in a row of its own, so that nobody waits for a number: their sum is the count.
CREATE TABLE tallies (
    kind text NOT NULL,
    state text,
    counted bigint NOT NULL
);

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
_TALLY_TRIGGERS = """
CREATE TRIGGER tally_new AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}();
CREATE TRIGGER tally_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}();
CREATE TRIGGER tally_changed AFTER UPDATE ON {table} REFERENCING NEW TABLE AS added OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}();
"""
_TALLY_GRANTS = """
REVOKE ALL ON FUNCTION sum_up_tallies(), tally_people(), tally_organizations() FROM PUBLIC;
GRANT SELECT ON tallies TO liaison_interactions;
"""

#: Columns that people write into: the server keeps no samples of them, which would outlive an erasure.
_UNSAMPLED = {
    "coordination_requests": "message reason",
    "events": "name place agenda",
    "follow_ups": "text",
    "interactions": "outcome",
    "issue_updates": "text",
    "issues": "name summary",
    "kept_texts": "text reason",
    "talking_points": "text",
}


def upgrade() -> None:
    """Make everything."""
    op.execute(chassis_tables("interactions", narrow_roles=["eraser"]))
    op.execute(partition_functions("interactions"))
    op.execute(_TABLES)
    for table, columns in _UNSAMPLED.items():
        for column in columns.split():
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
    op.execute(SQUEEZED)
    op.execute(_GRANTS)
    op.execute(_TALLIES)
    for table in ("people", "organizations"):
        op.execute(_TALLY_TRIGGERS.format(table=table))
    op.execute(_TALLY_GRANTS)


def downgrade() -> None:
    """Refuse: going back is a restore."""
    message = "The first migration is not undone; restore a backup."
    raise NotImplementedError(message)
