"""Imports: the staged file, encrypted under a key of the import, what became of each row, and how to undo it."""

TABLES = """
CREATE TABLE imports (
    id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    component text NOT NULL,
    filename text NOT NULL,
    format text,
    state text NOT NULL,
    size integer NOT NULL DEFAULT 0,
    -- Keyed: it tells whether a repeated upload is of the same file.
    digest text,
    -- Columns and mapping, encrypted: where a file has no header, its first row is somebody's data.
    layout bytea,
    refused_columns json NOT NULL DEFAULT '[]',
    issues json NOT NULL DEFAULT '[]',
    source text,
    rows integer NOT NULL DEFAULT 0,
    -- How many rows, or when undoing how many effects, are done; it moves in the transaction of the effect.
    position integer NOT NULL DEFAULT 0,
    total integer NOT NULL DEFAULT 0,
    -- In whose session a check, a commit or an undo was asked for: its entries in the trail say so.
    acting json,
    -- What was stopped, to be gone on with: a check, a commit or an undo.
    stopped text,
    -- What was decided of all rows that wait for it, alike, and behind which of them to go on.
    deciding json,
    lease_until timestamptz,
    problem_code text,
    problem_detail text,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- How many rows of each outcome there are.
    counts json NOT NULL DEFAULT '{}',
    -- The columns of refused rows in their order, encrypted as the rows are.
    refused_layout bytea,
    refused_until timestamptz
);
CREATE INDEX imports_owner ON imports (owner_id, created_at DESC);
CREATE INDEX imports_waiting ON imports (changed_at)
    WHERE state IN ('checking', 'committing', 'undoing') OR deciding IS NOT NULL;
CREATE INDEX imports_refused ON imports (refused_until) WHERE refused_layout IS NOT NULL;

CREATE TABLE import_pieces (
    import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    n integer NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (import_id, n)
);

-- Rows in blocks, each one ciphertext and one transaction's work.
CREATE TABLE import_blocks (
    import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
    n integer NOT NULL,
    ciphertext bytea NOT NULL,
    -- As a check has prepared it: encrypted as the block is, and dropped with it.
    prepared bytea,
    PRIMARY KEY (import_id, n)
);

-- No reference here, which would be checked row by row: the service itself writes these rows, with an import that it holds, and
-- nobody deletes an import: no role may.
CREATE TABLE import_rows (
    import_id uuid NOT NULL,
    n integer NOT NULL,
    sheet text,
    number integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN
        ('create', 'update', 'duplicate', 'blocked', 'invalid', 'undecided', 'skipped', 'lapsed')),
    reason text,
    -- What of the row is not taken in: [{column, reason}], never a value.
    refused json,
    individual_id uuid,
    organization_id uuid,
    -- Whom it may be about, as long as that is to be decided; and what was decided.
    candidates uuid[] NOT NULL DEFAULT '{}',
    decided text CHECK (decided IN ('same', 'another', 'skip')),
    PRIMARY KEY (import_id, n)
);
CREATE INDEX import_rows_undecided ON import_rows (import_id, n) WHERE outcome = 'undecided';
CREATE INDEX import_rows_candidates ON import_rows USING gin (candidates) WHERE candidates <> '{}';
CREATE INDEX import_rows_individual ON import_rows (individual_id) WHERE individual_id IS NOT NULL;

CREATE TABLE import_effects (
    import_id uuid NOT NULL,
    n bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    -- Directory layer only: what a field held before and after; ids.
    detail json,
    PRIMARY KEY (import_id, n)
);
CREATE INDEX import_effects_subject ON import_effects (subject_id, kind);

-- The cells of refused rows, encrypted under a key of their own, until a date.
CREATE TABLE import_refused (
    import_id uuid NOT NULL,
    n integer NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (import_id, n)
);

-- Whom an undo took away although a hold stands on them: under the person's own key, and for no role that answers users.
CREATE TABLE set_aside (
    individual_id uuid PRIMARY KEY,
    import_id uuid NOT NULL,
    at timestamptz NOT NULL,
    ciphertext bytea NOT NULL
);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON imports TO liaison_contacts;
GRANT SELECT, INSERT, DELETE ON import_pieces, import_blocks, import_rows, import_effects TO liaison_contacts;
GRANT UPDATE ON import_rows TO liaison_contacts;
GRANT SELECT, UPDATE ON imports TO liaison_contacts_eraser;
GRANT SELECT, DELETE, UPDATE ON import_rows, import_effects, import_blocks TO liaison_contacts_eraser;
GRANT SELECT, DELETE ON import_pieces TO liaison_contacts_eraser;
GRANT UPDATE (prepared) ON import_blocks TO liaison_contacts;
GRANT SELECT, INSERT, DELETE ON import_refused TO liaison_contacts;
GRANT SELECT, DELETE ON import_refused TO liaison_contacts_eraser;
GRANT SELECT, INSERT, DELETE ON set_aside TO liaison_contacts_eraser;
"""
