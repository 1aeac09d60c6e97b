"""The trail, its tree, its checkpoints, findings, and the weekly reviews."""

from alembic import op

from services.chassis.outbox.partitions import partition_functions
from services.chassis.outbox.store import chassis_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The bytes that are hashed are in `body`, and everything one searches by is computed from them by the database:
# so a column cannot say something else than the entry does.
_TABLES = """
CREATE TABLE trail (
    position bigint PRIMARY KEY CHECK (position >= 0),
    leaf bytea NOT NULL CHECK (octet_length(leaf) = 32),
    body text NOT NULL,
    kind text COLLATE "C" NOT NULL GENERATED ALWAYS AS (CASE
        WHEN body::jsonb ? 'certificate' THEN 'certificate'
        WHEN body::jsonb ? 'mark' THEN 'mark'
        WHEN body::jsonb ? 'malformed' THEN 'malformed'
        WHEN body::jsonb ? 'unknown' THEN 'unknown'
        WHEN body::jsonb ? 'void' THEN 'void'
        ELSE 'entry' END) STORED,
    stream uuid NOT NULL GENERATED ALWAYS AS ((body::jsonb ->> 'stream')::uuid) STORED,
    n bigint NOT NULL GENERATED ALWAYS AS (coalesce((body::jsonb ->> 'n')::bigint, -(body::jsonb ->> 'mark')::bigint)) STORED,
    at text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'at') STORED,
    service text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'service') STORED,
    actor text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'actor') STORED,
    component text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'component') STORED,
    action text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'action') STORED,
    outcome text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'outcome') STORED,
    trace_id text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'trace_id') STORED,
    jti text COLLATE "C" GENERATED ALWAYS AS (body::jsonb ->> 'jti') STORED,
    subjects jsonb GENERATED ALWAYS AS (body::jsonb -> 'subjects') STORED
);
CREATE UNIQUE INDEX trail_number ON trail (stream, n, leaf);
CREATE INDEX trail_trace_id ON trail (trace_id, position) WHERE trace_id IS NOT NULL;
CREATE INDEX trail_actor ON trail (actor, position) WHERE actor IS NOT NULL;
CREATE INDEX trail_action ON trail (action, position) WHERE action IS NOT NULL;
CREATE INDEX trail_at ON trail (at);
CREATE INDEX trail_subjects ON trail USING gin (subjects jsonb_path_ops);

-- Roots of perfect subtrees, every eighth level from 256 leaves up; lower ones are computed from the leaves.
CREATE TABLE trail_nodes (
    level smallint NOT NULL CHECK (level >= 8 AND level % 8 = 0),
    index bigint NOT NULL CHECK (index >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, index)
);

CREATE TABLE checkpoints (
    size bigint PRIMARY KEY CHECK (size >= 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    note text NOT NULL,
    signed_at timestamptz NOT NULL
);

-- What is known of each stream's numbers. Only a memory: everything in it can be computed again from the trail.
CREATE TABLE trail_streams (
    stream uuid PRIMARY KEY,
    contiguous bigint NOT NULL,
    mark bigint NOT NULL,
    marked_at timestamptz,
    crashed bigint,
    closed boolean NOT NULL,
    beat bigint NOT NULL
);

-- The passports that access said it issued, and to whom; an entry of somebody else under one is a finding.
CREATE TABLE issued_passports (
    jti text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    holder text COLLATE "C" NOT NULL
);

CREATE TABLE findings (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    key text COLLATE "C" NOT NULL,
    position bigint,
    stream uuid,
    n bigint,
    service text,
    found_at timestamptz NOT NULL,
    UNIQUE (kind, key)
);

CREATE TABLE reviews (
    id uuid PRIMARY KEY,
    week date NOT NULL UNIQUE CHECK (extract(isodow FROM week) = 1),
    reviewer text NOT NULL,
    signed_at timestamptz NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32)
);

CREATE TABLE progress (
    name text PRIMARY KEY,
    position bigint NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $refuse$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $refuse$;
"""
_APPEND_ONLY = ("trail", "trail_nodes", "checkpoints", "issued_passports", "findings", "reviews")


def upgrade() -> None:
    op.execute(chassis_tables("audit"))
    op.execute(partition_functions("audit"))
    op.execute(_TABLES)
    for table in _APPEND_ONLY:
        # ENABLE ALWAYS: an ordinary trigger is bypassed by session_replication_role = replica.
        op.execute(
            f"CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added;"
            f"REVOKE ALL ON {table} FROM PUBLIC;"
            f"GRANT SELECT, INSERT ON {table} TO liaison_audit;"
        )
    op.execute("GRANT SELECT, INSERT, UPDATE ON trail_streams, progress TO liaison_audit")


def downgrade() -> None:
    raise NotImplementedError("The trail is never taken back.")
