"""The directory layer: stakeholders, who is linked to them, and what is searched."""

TABLES = """
CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    canonical_name text NOT NULL,
    sector text,
    state text,
    group_ids uuid[] NOT NULL DEFAULT '{}',
    source text,
    source_url text,
    owner_id uuid NOT NULL,
    owner_component text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    created_component text NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    last_contacted_at timestamptz,
    last_contact_by uuid,
    last_contact_component text,
    last_contact_mode text
);
CREATE INDEX organizations_canonical_name ON organizations (canonical_name);

CREATE TABLE offices (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    position integer NOT NULL,
    label text,
    street text,
    city text,
    state text,
    postal_code text,
    country text,
    phone text
);
CREATE INDEX offices_organization ON offices (organization_id, position);

CREATE TABLE individuals (
    id uuid PRIMARY KEY,
    salutation text,
    first_name text NOT NULL,
    last_name text NOT NULL,
    canonical_name text NOT NULL,
    family_key text NOT NULL,
    title text,
    organization_id uuid REFERENCES organizations ON DELETE SET NULL,
    state text,
    interests text[] NOT NULL DEFAULT '{}',
    source text,
    declined text[] NOT NULL DEFAULT '{}',
    use_preferences text[] NOT NULL DEFAULT '{}',
    -- Since when each preference stands or stood, and until when: [preference, since, until or null] (T33).
    preference_spans jsonb NOT NULL DEFAULT '[]',
    owner_id uuid NOT NULL,
    owner_component text NOT NULL,
    deputy_id uuid,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    created_component text NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    verified_at timestamptz,
    last_contacted_at timestamptz,
    last_contact_by uuid,
    last_contact_component text,
    last_contact_mode text,
    frozen_at timestamptz,
    frozen_request_id uuid UNIQUE,
    frozen_medium text,
    frozen_received_on date,
    frozen_by uuid,
    frozen_by_component text,
    -- Components that see it frozen: they hold a value of somebody who asked not to be contacted (T26).
    frozen_for text[] NOT NULL DEFAULT '{}',
    frozen_for_revision integer NOT NULL DEFAULT 0
);
-- People of a name in the order of their ids: else the planner reads everybody in that order for fifty.
CREATE INDEX individuals_canonical_name ON individuals (canonical_name, id);
CREATE INDEX individuals_family_key ON individuals (family_key, id);
-- Whoever works there, and of these whoever bears a given name.
CREATE INDEX individuals_organization ON individuals (organization_id, split_part(canonical_name, ' ', 1));
CREATE INDEX individuals_frozen ON individuals (owner_id) WHERE frozen_at IS NOT NULL;
CREATE INDEX individuals_frozen_for ON individuals USING gin (frozen_for) WHERE frozen_for <> '{}';

-- What somebody's title and employer were before, and which import replaced them; an organization is called as it is now.
CREATE TABLE previous_facts (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals ON DELETE CASCADE,
    title text,
    organization_id uuid REFERENCES organizations ON DELETE CASCADE,
    replaced_at timestamptz NOT NULL,
    import_id uuid
);
CREATE INDEX previous_facts_individual ON previous_facts (individual_id, replaced_at);
CREATE INDEX previous_facts_organization ON previous_facts (organization_id) WHERE organization_id IS NOT NULL;

CREATE TABLE stakeholder_issues (
    stakeholder_id uuid NOT NULL,
    issue_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('engaged', 'interested')),
    since date,
    ended_on date,
    -- Set where an interaction or an event made the link, and nobody by hand.
    derived boolean NOT NULL DEFAULT false,
    -- The stakeholder's state, as the directory has it: so that an index alone answers who of a state is linked to an issue.
    state text,
    PRIMARY KEY (stakeholder_id, issue_id, kind)
);
CREATE INDEX stakeholder_issues_state ON stakeholder_issues (issue_id, state, stakeholder_id) INCLUDE (kind, ended_on);

CREATE TABLE relationships (
    stakeholder_id uuid NOT NULL,
    component text NOT NULL,
    since timestamptz NOT NULL,
    last_contact_at timestamptz,
    user_id uuid,
    PRIMARY KEY (stakeholder_id, component)
);
CREATE INDEX relationships_component ON relationships (component, stakeholder_id);

CREATE TABLE hand_overs (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals ON DELETE CASCADE,
    at timestamptz NOT NULL,
    by_user uuid NOT NULL,
    by_component text NOT NULL,
    from_user uuid NOT NULL,
    from_component text NOT NULL,
    to_user uuid NOT NULL,
    to_component text NOT NULL
);
CREATE INDEX hand_overs_individual ON hand_overs (individual_id);

-- Talks in which a person's details were verified with them (T6), and which declined marks were withdrawn there (T20).
CREATE TABLE verifications (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals ON DELETE CASCADE,
    medium text NOT NULL CHECK (medium IN ('phone', 'email')),
    verified_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    by_user uuid NOT NULL,
    by_component text NOT NULL,
    withdrawn text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX verifications_individual ON verifications (individual_id);

CREATE TABLE directory (
    stakeholder_id uuid PRIMARY KEY,
    type text NOT NULL,
    name text NOT NULL,
    -- Sort order differs between servers: this is folded in Python, and compared byte by byte.
    sort_name text COLLATE "C" NOT NULL,
    first_name text,
    last_name text,
    title text,
    organization_id uuid,
    organization_name text,
    sector text,
    state text,
    interests text[] NOT NULL DEFAULT '{}',
    group_ids uuid[] NOT NULL DEFAULT '{}',
    owner_id uuid NOT NULL,
    owner_component text NOT NULL,
    created_at timestamptz NOT NULL,
    last_contacted_at timestamptz,
    words tsvector NOT NULL,
    letters text NOT NULL,
    -- Components that don't find it (T26); nobody else sees a difference.
    frozen_for text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX directory_frozen_for ON directory (stakeholder_id) WHERE frozen_for <> '{}';
-- Every search reads from end to end what its indexes still have to take in. Left as they were, these lists grew to four
-- megabytes after an import or some thousands of entries, until a vacuum came by.
CREATE INDEX directory_words ON directory USING gin (words) WITH (gin_pending_list_limit = 256);
CREATE INDEX directory_letters ON directory USING gin (letters gin_trgm_ops) WITH (gin_pending_list_limit = 256);
CREATE INDEX directory_name ON directory (sort_name, stakeholder_id);
CREATE INDEX directory_state ON directory (state, sort_name, stakeholder_id);
CREATE INDEX directory_last_contacted ON directory (coalesce(last_contacted_at, timestamptz '1970-01-01 00:00:00+00'), stakeholder_id);
CREATE INDEX directory_created ON directory (created_at, stakeholder_id);
CREATE INDEX directory_owner ON directory (owner_id);
CREATE INDEX directory_organization ON directory (organization_id);
"""

# Triggers keep both right, whoever writes: entering, imports, announcements, freezing, erasing. They act as the tables'
# owner, so that no role gets more rights for their sake.
LINKS = """
-- A link has a state while its stakeholder is in the directory, and none otherwise: so it says by itself who is found.
-- Who is entered with links has the state in them, or gets it when the line in the directory is made.
-- A link and a change of state wait for each other, and whichever comes last sees the other; other changes wait for neither.
CREATE FUNCTION place_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $place$
BEGIN
    SELECT d.state INTO NEW.state FROM directory d WHERE d.stakeholder_id = NEW.stakeholder_id FOR KEY SHARE;
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

CREATE FUNCTION displace_links() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $displace$
BEGIN
    UPDATE stakeholder_issues s SET state = NULL FROM gone g WHERE s.stakeholder_id = g.stakeholder_id AND s.state IS NOT NULL;
    RETURN NULL;
END $displace$;
CREATE TRIGGER displace_links AFTER DELETE ON directory REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION displace_links();
"""

TALLIES = """
-- Differences, each writer's in a row of its own, so that nobody waits for a number: their sum is the count.
CREATE TABLE directory_tallies (
    state text,
    type text NOT NULL,
    counted bigint NOT NULL
);

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
REVOKE ALL ON FUNCTION place_link(), hold_links(), place_links(), displace_links(), tally_directory() FROM PUBLIC;
GRANT SELECT ON directory_tallies TO liaison_contacts;
"""
