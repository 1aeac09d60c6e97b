"""The batched read shows and records what the single read does, and leaves to it what not everyone may see alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from deploy.postgres import as_url
from services.chassis.database import audited_calls
from services.chassis.database.batching import BatchedReads
from services.contacts.domain import representations
from services.contacts.storage import individuals as stored
from services.contacts.usecases import individuals
from tests.cast import AMINA, CHLOE, EDDA
from tests.integration.contacts.conftest import Desk


@pytest.fixture
def reads(desk: Desk) -> Iterator[BatchedReads]:
    gathered = BatchedReads(desk.database, stored.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
    yield gathered
    gathered.close()


def _entries(desk: Desk) -> list[dict[str, object]]:
    return [{name: value for name, value in entry.items() if name not in {"n", "at", "prev", "signature"}} for entry in desk.entries()]


@pytest.mark.requirement("R119", "T4")
def test_it_shows_and_records_the_same_as_the_long_way(desk: Desk, reads: BatchedReads) -> None:
    dov = desk.register()
    long_way = desk.do(CHLOE, individuals.read_individual, individual_id=dov["id"])
    before = _entries(desk)
    with audited_calls() as audited:
        assert individuals.read_gathered(reads, by=CHLOE, individual_id=dov["id"]) == long_way
    assert audited()
    assert _entries(desk) == [*before, before[-1]]


@pytest.mark.requirement("R119")
def test_what_cannot_be_recorded_is_not_shown(desk: Desk, reads: BatchedReads) -> None:
    dov = desk.register()
    engine = sa.create_engine(as_url(desk.addresses.owner), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(text("REVOKE INSERT ON entries FROM liaison_contacts"))
    with audited_calls() as audited:
        assert individuals.read_gathered(reads, by=CHLOE, individual_id=dov["id"]) is None
    assert not audited()


@pytest.mark.requirement("R119", "T21")
def test_whoever_is_missing_or_not_for_this_account_is_left_to_the_long_way_unrecorded(desk: Desk, reads: BatchedReads) -> None:
    dov = desk.register()
    with audited_calls() as audited:
        assert individuals.read_gathered(reads, by=AMINA, individual_id="01a20397-fe57-7628-8104-2190e0ace6c1") is None
        assert individuals.read_gathered(reads, by=EDDA, individual_id=dov["id"]) is None
    assert not audited()
