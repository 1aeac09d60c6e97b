"""Frequent statements read only the few rows that they are about, however many people there are and however common a name seems."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from services.chassis.database.batching import BatchedReads
from services.contacts.domain import representations
from services.contacts.storage import individuals as stored
from services.contacts.usecases import individuals
from tests.cast import AMINA, CHLOE
from tests.integration.contacts.conftest import Desk

PEOPLE = 4000
#: Their ids grow with time, as ids do here; names that they share, so that the planner takes any name for one that hundreds have.
NAMES = 8
#: Rows that one request may read of a table: what it shows, and what it compares with.
FEW = 60
#: After so many the server plans a prepared statement for whatever it will be given.
TIMES = 8


def _superuser(desk: Desk) -> psycopg.Connection:
    return psycopg.connect(desk.addresses.superuser.replace("+psycopg", ""))


@pytest.fixture
def crowded(desk: Desk) -> Desk:
    with _superuser(desk) as connection:
        connection.execute(
            "INSERT INTO individuals (id, first_name, last_name, canonical_name, family_key, owner_id, owner_component, created_at,"
            " created_by, created_component, updated_at)"
            " SELECT lpad(to_hex(n), 32, '0')::uuid, 'Ada', 'Family ' || mod(n, %(names)s),"
            " 'ada family ' || mod(n, %(names)s), 'family' || mod(n, %(names)s),"
            " %(owner)s, 'ICE', now(), %(owner)s, 'ICE', now() FROM generate_series(1, %(people)s) AS n",
            {"names": NAMES, "people": PEOPLE, "owner": AMINA.id},
        )
        connection.execute("ANALYZE individuals")
    return desk


@pytest.fixture
def reads(crowded: Desk) -> Iterator[BatchedReads]:
    gathered = BatchedReads(crowded.database, stored.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
    yield gathered
    gathered.close()


def _read_so_far(desk: Desk) -> int:
    with _superuser(desk) as connection:
        row = connection.execute("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'individuals'").fetchone()
    assert row
    return int(row[0])


def test_entering_somebody_reads_few(crowded: Desk) -> None:
    body = {"first_name": "Dov", "contact_points": [{"kind": "email", "value": "dov@example.org"}]}
    for n in range(TIMES):
        crowded.register(AMINA, last_name=f"Newcomer{'abcdefgh'[n]}", **body)
    before = _read_so_far(crowded)
    command = {"last_name": "Newcomer", "first_name": "Ruth", "contact_points": [{"kind": "email", "value": "ruth@example.org", "source": None}]}
    with crowded.work(AMINA) as work:
        individuals.register_individual(work, by=AMINA, now=crowded.now, layer=crowded.layer, **command)
        work.execute(text("SELECT pg_stat_force_next_flush()"))
    assert _read_so_far(crowded) - before <= FEW


def test_a_read_reads_few(crowded: Desk, reads: BatchedReads) -> None:
    dov = crowded.register()
    for _ in range(TIMES):
        assert individuals.read_gathered(reads, by=CHLOE, individual_id=dov["id"])
    assert reads._connection
    reads._connection.execute("SELECT pg_stat_force_next_flush()")
    before = _read_so_far(crowded)
    assert individuals.read_gathered(reads, by=CHLOE, individual_id=dov["id"])
    reads._connection.execute("SELECT pg_stat_force_next_flush()")
    assert _read_so_far(crowded) - before == 1
