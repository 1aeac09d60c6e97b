"""What components' own systems sent in, and whom their announcements are about."""

TABLES = """
-- Of a message nothing is kept but what tells it from another: its size, keyed digests of its id and of its bytes, and what
-- came of it.
CREATE TABLE submissions (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component text NOT NULL,
    event_digest text,
    size integer NOT NULL,
    digest text NOT NULL,
    code text NOT NULL,
    fields text[] NOT NULL DEFAULT '{}',
    individual_id uuid,
    received_at timestamptz NOT NULL,
    UNIQUE (component, event_digest)
);
CREATE INDEX submissions_blocked ON submissions (component, received_at) WHERE code = 'blocked';

-- Components with a relationship, by individual; it outlives the individual by the one message that tells of the erasure.
CREATE TABLE integration_audiences (
    individual_id uuid NOT NULL,
    component text NOT NULL,
    PRIMARY KEY (individual_id, component)
);

GRANT SELECT, INSERT, UPDATE ON submissions TO liaison_contacts;
GRANT SELECT, INSERT, DELETE ON integration_audiences TO liaison_contacts;
"""
