"""What other services announced, and the last contact with an organization, which is made of it."""

TABLES = """
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
    active boolean NOT NULL,
    revision integer NOT NULL DEFAULT 0
);
CREATE TABLE issues (
    id uuid PRIMARY KEY,
    priority text NOT NULL,
    parent_id uuid,
    active boolean NOT NULL,
    -- The latest revision told.
    revision integer NOT NULL DEFAULT 0
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
