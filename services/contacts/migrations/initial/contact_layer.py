"""The contact layer, and the row-level security around it."""

TABLES = """
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
