"""Stakeholders, the contact layer behind its firewall, the suppression ledger, search.

Revision ID: 0001
Revises:
"""

from alembic import op

from services.chassis.outbox import chassis_tables
from services.lexicon.squeezing import SQUEEZED

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Roles that the service takes on for one transaction at a time: matching, erasing, case work.
NARROW_ROLES = ("matcher", "eraser", "caseworker")

SEARCH = """
-- Likeness of words, for misspellings. Marks and case are folded in Python, so that no server's rules decide.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
"""

DIRECTORY = """
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
CREATE INDEX individuals_canonical_name ON individuals (canonical_name);
CREATE INDEX individuals_family_key ON individuals (family_key);
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
    PRIMARY KEY (stakeholder_id, issue_id, kind)
);
CREATE INDEX stakeholder_issues_issue ON stakeholder_issues (issue_id, stakeholder_id);

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
CREATE INDEX directory_words ON directory USING gin (words);
CREATE INDEX directory_letters ON directory USING gin (letters gin_trgm_ops);
CREATE INDEX directory_name ON directory (sort_name, stakeholder_id);
CREATE INDEX directory_state ON directory (state, sort_name, stakeholder_id);
CREATE INDEX directory_last_contacted ON directory (coalesce(last_contacted_at, timestamptz '1970-01-01 00:00:00+00'), stakeholder_id);
CREATE INDEX directory_created ON directory (created_at, stakeholder_id);
CREATE INDEX directory_owner ON directory (owner_id);
CREATE INDEX directory_organization ON directory (organization_id);
"""

PROJECTIONS = """
CREATE TABLE users (
    id uuid PRIMARY KEY,
    component text,
    level text,
    roles text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL,
    revision integer NOT NULL DEFAULT 0,
    known_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE components (
    code text PRIMARY KEY,
    parent_code text,
    active boolean NOT NULL
);
CREATE TABLE issues (
    id uuid PRIMARY KEY,
    priority text NOT NULL,
    parent_id uuid,
    active boolean NOT NULL
);
CREATE INDEX issues_parent ON issues (parent_id);
CREATE TABLE erased_issues (id uuid PRIMARY KEY);

CREATE TABLE engagements (
    source_id uuid NOT NULL,
    stakeholder_id uuid NOT NULL,
    component text NOT NULL,
    user_id uuid,
    held_at timestamptz NOT NULL,
    mode text NOT NULL,
    issue_ids uuid[] NOT NULL DEFAULT '{}',
    revision integer NOT NULL,
    -- Where the individual worked then: it was contact with their organization, too (T6).
    employer_id uuid REFERENCES organizations ON DELETE SET NULL,
    PRIMARY KEY (source_id, stakeholder_id)
);
CREATE INDEX engagements_stakeholder ON engagements (stakeholder_id, held_at);
CREATE INDEX engagements_employer ON engagements (employer_id, held_at) WHERE employer_id IS NOT NULL;
CREATE INDEX engagements_issues ON engagements USING gin (issue_ids);
-- The latest revision told of an interaction or event, so that an earlier one that comes late changes nothing.
CREATE TABLE engagement_sources (
    source_id uuid PRIMARY KEY,
    revision integer NOT NULL
);

-- An organization's last contact is that with itself, with whoever worked there then, and with whoever works there (T6).
CREATE FUNCTION settle_organizations(ids uuid[]) RETURNS void LANGUAGE plpgsql AS $settle$
BEGIN
    PERFORM 1 FROM organizations WHERE id = ANY(ids) ORDER BY id FOR NO KEY UPDATE;
    UPDATE organizations o SET last_contacted_at = l.held_at, last_contact_by = l.user_id, last_contact_component = l.component,
        last_contact_mode = l.mode
    FROM unnest(ids) AS s (id) LEFT JOIN LATERAL (
        SELECT held_at, user_id, component, mode FROM (
            (SELECT held_at, user_id, component, mode, source_id FROM engagements
                WHERE stakeholder_id = s.id ORDER BY held_at DESC, source_id DESC LIMIT 1)
            UNION ALL
            (SELECT held_at, user_id, component, mode, source_id FROM engagements
                WHERE employer_id = s.id ORDER BY held_at DESC, source_id DESC LIMIT 1)
            UNION ALL
            (SELECT last_contacted_at, last_contact_by, last_contact_component, last_contact_mode, NULL FROM individuals
                WHERE organization_id = s.id AND last_contacted_at IS NOT NULL ORDER BY last_contacted_at DESC LIMIT 1)
        ) AS contacts ORDER BY held_at DESC, source_id DESC NULLS LAST LIMIT 1
    ) l ON true
    WHERE o.id = s.id;
    UPDATE directory d SET last_contacted_at = o.last_contacted_at FROM organizations o
        WHERE o.id = ANY(ids) AND d.stakeholder_id = o.id AND d.last_contacted_at IS DISTINCT FROM o.last_contacted_at;
    UPDATE relationships r SET last_contact_at = greatest(
        (SELECT max(held_at) FROM engagements e WHERE e.component = r.component AND e.stakeholder_id = r.stakeholder_id),
        (SELECT max(held_at) FROM engagements e WHERE e.component = r.component AND e.employer_id = r.stakeholder_id),
        (SELECT max(p.last_contact_at) FROM individuals i JOIN relationships p ON p.stakeholder_id = i.id AND p.component = r.component
            WHERE i.organization_id = r.stakeholder_id))
    WHERE r.stakeholder_id IN (SELECT id FROM organizations WHERE id = ANY(ids));
END $settle$;

CREATE FUNCTION settle_employers() RETURNS trigger LANGUAGE plpgsql AS $employers$
BEGIN
    PERFORM settle_organizations(array_remove(ARRAY[OLD.organization_id, NEW.organization_id], NULL));
    RETURN NULL;
END $employers$;
-- By whatever door somebody changes their employer: a person who was spoken to brings the contact along.
CREATE TRIGGER individuals_change_employer AFTER UPDATE OF organization_id ON individuals FOR EACH ROW
    WHEN (OLD.organization_id IS DISTINCT FROM NEW.organization_id) EXECUTE FUNCTION settle_employers();
"""

CONTACT_LAYER = """
-- '' is what a pooled connection is left with after a transaction; like NULL it is no component.
CREATE FUNCTION app_component() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.component', true), '') $$;
-- Whether the caller's level is one that sees what is their component's alone (T15, T19).
CREATE FUNCTION app_contributes() RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT coalesce(current_setting('app.level', true) IN ('contributor', 'steward'), false) $$;

-- No constraint here says anything of another component's row: neither unique values, nor references to them (T3).
CREATE TABLE contact_points (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals,
    component text NOT NULL,
    kind text NOT NULL,
    ciphertext bytea NOT NULL,
    lookup bytea NOT NULL,
    key_id text NOT NULL,
    source text,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    -- Later than a correction that was reported: the holder looked, and put its own value first again.
    confirmed_at timestamptz NOT NULL,
    verified_at timestamptz,
    -- By which import it was entered; and when, and by which import, another took its place: then it is a previous one.
    import_id uuid,
    replaced_at timestamptz,
    replaced_import uuid
);
CREATE INDEX contact_points_individual ON contact_points (individual_id);
CREATE INDEX contact_points_lookup ON contact_points (component, lookup);

CREATE TABLE contact_point_grants (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals,
    contact_point_id uuid,
    from_component text NOT NULL,
    to_component text NOT NULL,
    reason text NOT NULL,
    granted_by uuid NOT NULL,
    granted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX contact_point_grants_individual ON contact_point_grants (individual_id);

CREATE TABLE corrections (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals,
    kind text NOT NULL,
    component text NOT NULL,
    ciphertext bytea NOT NULL,
    reported_by uuid NOT NULL,
    reported_at timestamptz NOT NULL
);
CREATE INDEX corrections_individual ON corrections (individual_id);

-- For matching across components (T23): the service writes here and cannot read it.
CREATE TABLE match_digests (
    contact_point_id uuid PRIMARY KEY,
    individual_id uuid NOT NULL,
    component text NOT NULL,
    kind text NOT NULL,
    key_id text NOT NULL,
    digest bytea NOT NULL
);
CREATE INDEX match_digests_digest ON match_digests (digest);
CREATE INDEX match_digests_individual ON match_digests (individual_id);

CREATE TABLE match_queue (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL
);

CREATE TABLE likenesses (
    -- '*' where two components hold one value: the privacy officer alone is told (T34).
    holder_component text NOT NULL,
    held_id uuid NOT NULL,
    other_id uuid NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Since when they are known to be different people: what is settled stays settled.
    settled_at timestamptz,
    settled_by uuid,
    PRIMARY KEY (holder_component, held_id, other_id),
    CHECK (held_id < other_id)
);
CREATE INDEX likenesses_held ON likenesses (held_id);
CREATE INDEX likenesses_other ON likenesses (other_id);

-- Two records that the privacy officer asks both owners about, for whatever cause (T34), and what each says.
CREATE TABLE merge_proposals (
    held_id uuid NOT NULL,
    other_id uuid NOT NULL,
    proposed_by uuid NOT NULL,
    proposed_at timestamptz NOT NULL,
    held_answer text CHECK (held_answer IN ('same', 'different')),
    held_answered_by uuid,
    held_answered_at timestamptz,
    other_answer text CHECK (other_answer IN ('same', 'different')),
    other_answered_by uuid,
    other_answered_at timestamptz,
    PRIMARY KEY (held_id, other_id),
    CHECK (held_id < other_id)
);
CREATE INDEX merge_proposals_other ON merge_proposals (other_id);

CREATE TABLE notes (
    id uuid PRIMARY KEY,
    individual_id uuid NOT NULL REFERENCES individuals,
    text text NOT NULL,
    provenance text,
    component text NOT NULL,
    author_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Kept against a finding: for contributors of its author's component only, until the privacy officer releases it (T15).
    kept boolean NOT NULL DEFAULT false,
    keep_reason text,
    released_at timestamptz
);
CREATE INDEX notes_individual ON notes (individual_id, created_at);
"""

# FORCE: the owner of the tables is held by the policies too. A role that may be taken on is named by current_user,
# for a policy's TO would also hold for whoever inherits the role.
FIREWALL = """
ALTER TABLE contact_points ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_points FORCE ROW LEVEL SECURITY;
CREATE POLICY own_read ON contact_points FOR SELECT USING (component = app_component());
CREATE POLICY own_insert ON contact_points FOR INSERT WITH CHECK (component = app_component());
CREATE POLICY own_update ON contact_points FOR UPDATE
    USING (component = app_component()) WITH CHECK (component = app_component());
CREATE POLICY own_delete ON contact_points FOR DELETE USING (component = app_component());
CREATE POLICY granted_read ON contact_points FOR SELECT USING (EXISTS (
    SELECT FROM contact_point_grants g
    WHERE g.individual_id = contact_points.individual_id AND g.from_component = contact_points.component
      AND g.to_component = app_component() AND g.revoked_at IS NULL AND g.expires_at > clock_timestamp()
      AND (g.contact_point_id IS NULL OR g.contact_point_id = contact_points.id)));
CREATE POLICY eraser ON contact_points USING (current_user = 'liaison_contacts_eraser');
CREATE POLICY caseworker ON contact_points FOR SELECT USING (current_user = 'liaison_contacts_caseworker');

ALTER TABLE contact_point_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact_point_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY party_read ON contact_point_grants FOR SELECT USING (app_component() IN (from_component, to_component));
CREATE POLICY own_insert ON contact_point_grants FOR INSERT WITH CHECK (from_component = app_component());
CREATE POLICY own_update ON contact_point_grants FOR UPDATE
    USING (from_component = app_component()) WITH CHECK (from_component = app_component());
CREATE POLICY eraser ON contact_point_grants USING (current_user = 'liaison_contacts_eraser');

-- A report is seen by the components that already held that kind when it was filed, and never by its own (T3).
ALTER TABLE corrections ENABLE ROW LEVEL SECURITY;
ALTER TABLE corrections FORCE ROW LEVEL SECURITY;
CREATE POLICY own_insert ON corrections FOR INSERT WITH CHECK (component = app_component());
CREATE POLICY holder_read ON corrections FOR SELECT USING (component <> app_component() AND EXISTS (
    SELECT FROM contact_points p
    WHERE p.individual_id = corrections.individual_id AND p.kind = corrections.kind AND p.component = app_component()
      AND p.created_at <= corrections.reported_at));
CREATE POLICY eraser ON corrections USING (current_user = 'liaison_contacts_eraser');
CREATE POLICY caseworker ON corrections FOR SELECT USING (current_user = 'liaison_contacts_caseworker');

ALTER TABLE match_digests ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_digests FORCE ROW LEVEL SECURITY;
CREATE POLICY own_insert ON match_digests FOR INSERT WITH CHECK (component = app_component());
CREATE POLICY matcher ON match_digests FOR SELECT USING (current_user = 'liaison_contacts_matcher');
CREATE POLICY eraser ON match_digests USING (current_user = 'liaison_contacts_eraser');
CREATE POLICY caseworker ON match_digests FOR SELECT USING (current_user = 'liaison_contacts_caseworker');

ALTER TABLE likenesses ENABLE ROW LEVEL SECURITY;
ALTER TABLE likenesses FORCE ROW LEVEL SECURITY;
CREATE POLICY holder_read ON likenesses FOR SELECT USING (holder_component = app_component());
CREATE POLICY holder_settle ON likenesses FOR UPDATE
    USING (holder_component = app_component()) WITH CHECK (holder_component = app_component());
CREATE POLICY caseworker ON likenesses FOR SELECT USING (current_user = 'liaison_contacts_caseworker');
CREATE POLICY caseworker_settle ON likenesses FOR UPDATE USING (current_user = 'liaison_contacts_caseworker');
CREATE POLICY matcher ON likenesses USING (current_user = 'liaison_contacts_matcher');
CREATE POLICY eraser ON likenesses USING (current_user = 'liaison_contacts_eraser');

ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY readable ON notes FOR SELECT
    USING (NOT kept OR released_at IS NOT NULL OR (component = app_component() AND app_contributes()));
CREATE POLICY own_insert ON notes FOR INSERT WITH CHECK (component = app_component() AND (NOT kept OR app_contributes()));
CREATE POLICY readable_update ON notes FOR UPDATE
    USING (app_component() IS NOT NULL
        AND (NOT kept OR released_at IS NOT NULL OR (component = app_component() AND app_contributes())))
    WITH CHECK (app_component() IS NOT NULL AND (NOT kept OR (component = app_component() AND app_contributes())));
CREATE POLICY readable_delete ON notes FOR DELETE
    USING (app_component() IS NOT NULL
        AND (NOT kept OR released_at IS NOT NULL OR (component = app_component() AND app_contributes())));
CREATE POLICY eraser ON notes USING (current_user = 'liaison_contacts_eraser');
CREATE POLICY caseworker ON notes FOR SELECT USING (current_user = 'liaison_contacts_caseworker');
CREATE POLICY caseworker_release ON notes FOR UPDATE USING (current_user = 'liaison_contacts_caseworker');
"""

COUNTS_AND_ERASURE = """
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
    closed_at timestamptz
);
CREATE INDEX erasures_subject ON erasures (subject_id);
"""

GRANTS = """
GRANT USAGE ON SCHEMA public TO liaison_contacts, liaison_contacts_matcher, liaison_contacts_eraser, liaison_contacts_caseworker;
GRANT SELECT, INSERT, UPDATE ON organizations, individuals, erasures TO liaison_contacts;
GRANT SELECT, INSERT, UPDATE, DELETE ON offices, stakeholder_issues, relationships, hand_overs, directory,
    users, components, issues, engagements, engagement_sources, contact_points, notes, reveals, blocked_tries
    TO liaison_contacts;
GRANT SELECT, INSERT ON erased_issues TO liaison_contacts;
GRANT SELECT, INSERT ON verifications, previous_facts TO liaison_contacts;
GRANT INSERT ON reveal_reasons TO liaison_contacts;
GRANT SELECT, INSERT, UPDATE (revoked_at) ON contact_point_grants TO liaison_contacts;
GRANT SELECT, INSERT ON corrections TO liaison_contacts;
GRANT INSERT ON match_digests, match_queue TO liaison_contacts;
GRANT SELECT, UPDATE (settled_at, settled_by) ON likenesses TO liaison_contacts;
GRANT SELECT, UPDATE (held_answer, held_answered_by, held_answered_at, other_answer, other_answered_by, other_answered_at)
    ON merge_proposals TO liaison_contacts;
GRANT SELECT ON suppressions, tombstones TO liaison_contacts;

GRANT SELECT ON match_digests TO liaison_contacts_matcher;
-- UPDATE, for a row that is waited on is locked.
GRANT SELECT, DELETE, UPDATE ON match_queue TO liaison_contacts_matcher;
GRANT SELECT, INSERT, DELETE ON likenesses TO liaison_contacts_matcher;
GRANT SELECT, UPDATE (settled_at, settled_by) ON likenesses TO liaison_contacts_caseworker;
GRANT SELECT, INSERT, UPDATE, DELETE ON merge_proposals TO liaison_contacts_caseworker;

-- A case: freezing with its marks, finding twins, taking back, and what the privacy officer decides.
GRANT SELECT ON individuals, contact_points, contact_point_grants, corrections, notes, organizations, offices, relationships,
    stakeholder_issues, users, verifications, previous_facts,
    former_employers, former_names, match_digests, tombstones TO liaison_contacts_caseworker;
GRANT UPDATE ON individuals TO liaison_contacts_caseworker;
GRANT UPDATE (released_at) ON notes TO liaison_contacts_caseworker;
GRANT SELECT, INSERT, UPDATE, DELETE ON suppressions, twins, directory, freeze_counts, many_freezes TO liaison_contacts_caseworker;
GRANT INSERT ON suppressions TO liaison_contacts;
GRANT SELECT, UPDATE (seen_at) ON many_freezes TO liaison_contacts;
GRANT SELECT ON freeze_counts TO liaison_contacts;
GRANT SELECT, INSERT, UPDATE ON ledger_lookups, ledger_hits TO liaison_contacts;
GRANT SELECT, DELETE ON ledger_hits TO liaison_contacts_caseworker;
GRANT SELECT ON ledger_lookups TO liaison_contacts_caseworker;
GRANT SELECT, UPDATE (dismissed_at, dismissed_by) ON notices TO liaison_contacts;
GRANT SELECT, INSERT, DELETE ON notices TO liaison_contacts_eraser;
GRANT SELECT, DELETE, UPDATE ON twins, many_freezes TO liaison_contacts_eraser;
GRANT UPDATE ON suppressions TO liaison_contacts_eraser;
GRANT SELECT, DELETE ON former_employers TO liaison_contacts_eraser;
GRANT SELECT, DELETE, UPDATE ON previous_facts TO liaison_contacts_eraser;
GRANT UPDATE (replaced_at, replaced_import) ON contact_points TO liaison_contacts_eraser;
-- Whose employer an undo takes back brings their last contact along.
GRANT UPDATE (last_contact_at) ON relationships TO liaison_contacts_eraser;
GRANT SELECT, DELETE ON former_names TO liaison_contacts_eraser;

GRANT SELECT, DELETE ON organizations, offices, individuals, stakeholder_issues, relationships, hand_overs, verifications, directory,
    engagements, contact_points, contact_point_grants, corrections, match_digests, match_queue, likenesses, merge_proposals, notes,
    reveal_reasons TO liaison_contacts_eraser;
-- Whose values an undo takes away is compared anew.
GRANT INSERT ON match_queue TO liaison_contacts_eraser;
GRANT UPDATE ON notes, organizations, offices, individuals, directory, erasures TO liaison_contacts_eraser;
GRANT SELECT, INSERT ON suppressions, tombstones, erasures, directory TO liaison_contacts_eraser;
GRANT SELECT ON users TO liaison_contacts_eraser;
"""


def upgrade() -> None:
    bind = op.get_bind()
    for script in (
        chassis_tables("contacts", narrow_roles=NARROW_ROLES),
        SEARCH,
        SQUEEZED,
        DIRECTORY,
        PROJECTIONS,
        CONTACT_LAYER,
        FIREWALL,
        COUNTS_AND_ERASURE,
        GRANTS,
    ):
        # The driver takes a per cent sign for a parameter.
        bind.exec_driver_sql(script.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("a database of people is restored from its backup, not taken back")
