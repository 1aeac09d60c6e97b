"""Counts of what users did, no-contact cases with the suppression ledger, and erasures."""

TABLES = """
CREATE TABLE reveals (
    user_id uuid NOT NULL,
    day date NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (user_id, day)
);
CREATE TABLE reveal_reasons (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL,
    user_id uuid NOT NULL,
    at timestamptz NOT NULL,
    reason text NOT NULL
);
CREATE INDEX reveal_reasons_individual ON reveal_reasons (individual_id);
CREATE TABLE blocked_tries (
    user_id uuid NOT NULL,
    day date NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (user_id, day)
);

-- One row for each value of a person in a case: keyed digests, and those of the ways to write the name (T9, T25).
CREATE TABLE suppressions (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    -- Until they are erased; then the case alone says whose it is.
    individual_id uuid,
    kind text NOT NULL,
    digest bytea NOT NULL,
    alone boolean NOT NULL,
    likenesses bytea[] NOT NULL,
    key_id text NOT NULL,
    written_at timestamptz NOT NULL,
    -- Whether it blocks. One that doesn't waits for the privacy officer, and says where its value came from.
    stands boolean NOT NULL DEFAULT true,
    because text CHECK (because IN ('recorder', 'correction')),
    contact_point_id uuid,
    component text,
    added_by uuid,
    added_at timestamptz
);
CREATE INDEX suppressions_digest ON suppressions (digest) WHERE stands;
CREATE INDEX suppressions_case ON suppressions (case_id);
CREATE INDEX suppressions_individual ON suppressions (individual_id);
CREATE INDEX suppressions_waiting ON suppressions (written_at) WHERE NOT stands;

-- Values that an account looked up in the ledger on a day, hits or not; up to how many in all the privacy officer lets it
-- go on, and since when it waits for that (T35).
CREATE TABLE ledger_lookups (
    account text NOT NULL,
    day date NOT NULL,
    component text,
    looked bigint NOT NULL,
    at_most bigint NOT NULL,
    allowed bigint NOT NULL DEFAULT 0,
    waiting_since timestamptz,
    PRIMARY KEY (account, day)
);
CREATE INDEX ledger_lookups_waiting ON ledger_lookups (waiting_since) WHERE waiting_since IS NOT NULL;
-- Each mark that an account's entries hit, once; marks of one entry share its id (T35).
CREATE TABLE ledger_hits (
    account text NOT NULL,
    mark_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    case_id uuid NOT NULL,
    component text,
    kind text NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL,
    seen_at timestamptz,
    seen_by uuid,
    PRIMARY KEY (account, mark_id)
);
CREATE INDEX ledger_hits_unseen ON ledger_hits (at, mark_id) WHERE seen_at IS NULL;

-- Other records that may be of the person in a case (T26).
CREATE TABLE twins (
    case_id uuid NOT NULL,
    individual_id uuid NOT NULL,
    source_id uuid,
    because text[] NOT NULL,
    -- Components that hold the matching value and see the record frozen until it is decided.
    components text[] NOT NULL,
    found_at timestamptz NOT NULL,
    decision text CHECK (decision IN ('same', 'another')),
    decided_by uuid,
    decided_at timestamptz,
    PRIMARY KEY (case_id, individual_id)
);
CREATE INDEX twins_individual ON twins (individual_id);
CREATE INDEX twins_source ON twins (source_id);
CREATE INDEX twins_undecided ON twins (found_at) WHERE decision IS NULL;

-- Whom a person worked for, and what an organization was called, before (T25).
CREATE TABLE former_employers (
    individual_id uuid NOT NULL REFERENCES individuals ON DELETE CASCADE,
    name text NOT NULL,
    PRIMARY KEY (individual_id, name)
);
CREATE TABLE former_names (
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    PRIMARY KEY (organization_id, name)
);
CREATE FUNCTION keep_former_name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $keep$
BEGIN
    -- The eraser takes somebody's name out of it: it is kept nowhere.
    IF current_setting('role') LIKE '%_eraser' THEN
        DELETE FROM former_names WHERE organization_id = OLD.id;
        DELETE FROM former_employers WHERE name = OLD.name;
    ELSE
        INSERT INTO former_names (organization_id, name) VALUES (OLD.id, OLD.name) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $keep$;
CREATE TRIGGER keep_former_name AFTER UPDATE OF name ON organizations FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM OLD.name)
    EXECUTE FUNCTION keep_former_name();
CREATE FUNCTION keep_former_employer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $keep$
BEGIN
    -- Whoever takes an import back takes an employer back whom nobody had; of one that is erased the next function knows.
    IF current_setting('role') LIKE '%_eraser' THEN
        RETURN NULL;
    END IF;
    INSERT INTO former_employers (individual_id, name)
    SELECT OLD.id, o.name FROM organizations o WHERE o.id = OLD.organization_id
    UNION SELECT OLD.id, f.name FROM former_names f WHERE f.organization_id = OLD.organization_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $keep$;
CREATE TRIGGER keep_former_employer AFTER UPDATE OF organization_id ON individuals FOR EACH ROW
    WHEN (OLD.organization_id IS NOT NULL AND NEW.organization_id IS DISTINCT FROM OLD.organization_id)
    EXECUTE FUNCTION keep_former_employer();
CREATE FUNCTION keep_employer_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $keep$
BEGIN
    INSERT INTO former_employers (individual_id, name)
    SELECT i.id, n.name FROM individuals i, (SELECT OLD.name UNION SELECT f.name FROM former_names f WHERE f.organization_id = OLD.id) AS n (name)
    WHERE i.organization_id = OLD.id ON CONFLICT DO NOTHING;
    RETURN OLD;
END $keep$;
CREATE TRIGGER keep_employer_erased BEFORE DELETE ON organizations FOR EACH ROW EXECUTE FUNCTION keep_employer_erased();
REVOKE ALL ON FUNCTION keep_former_name(), keep_former_employer(), keep_employer_erased() FROM PUBLIC;

-- People whom a user had frozen, by day; from the tenth on with the reason, for the office administrator (T36).
CREATE TABLE freeze_counts (
    user_id uuid NOT NULL,
    day date NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (user_id, day)
);
CREATE TABLE many_freezes (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    component text,
    day date NOT NULL,
    count integer NOT NULL,
    individual_id uuid,
    reason text NOT NULL,
    seen_at timestamptz,
    UNIQUE (user_id, day, count)
);
CREATE INDEX many_freezes_component ON many_freezes (component) WHERE seen_at IS NULL;

-- What a component is told without the data: that somebody whom it had a relationship with was erased (T16, T26).
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    component text NOT NULL,
    user_id uuid,
    at timestamptz NOT NULL,
    dismissed_at timestamptz,
    dismissed_by uuid
);
CREATE INDEX notices_component ON notices (component, at) WHERE dismissed_at IS NULL;

CREATE TABLE tombstones (
    stakeholder_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    subject_id uuid NOT NULL,
    sealed_at timestamptz NOT NULL,
    erased_at timestamptz,
    -- The former values under the erasure's one-time key, until that is destroyed.
    sealed text,
    receipts json,
    sought json,
    closed_at timestamptz,
    -- Which search `sought` answers, so that a repetition of it answers the same.
    look text
);
CREATE INDEX erasures_subject ON erasures (subject_id);
"""
