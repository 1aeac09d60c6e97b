"""The hot read shows and records what the long way does, and leaves to it whatever not everyone may see alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from services.chassis.database import audited_calls
from services.chassis.gathering import GatheredReads
from services.contacts.domain import representations
from services.contacts.storage import individuals as stored
from services.contacts.usecases import individuals
from tests.cast import AMINA, CHLOE, EDDA
from tests.integration.contacts.conftest import Desk


@pytest.fixture
def reads(desk: Desk) -> Iterator[GatheredReads]:
    gathered = GatheredReads(desk.database, stored.GATHERED, action="contacts:individual:read", fields=representations.INDIVIDUAL_FIELDS)
    yield gathered
    gathered.close()


def _last_entry(desk: Desk) -> dict[str, object]:
    with desk.database.plain() as connection:
        body = connection.execute(text("SELECT body FROM entries WHERE n > 0 ORDER BY created_at DESC, n DESC LIMIT 1")).scalar_one()
    return {name: value for name, value in dict(body).items() if name not in {"n", "at"}}


@pytest.mark.requirement("R119", "T4")
def test_it_shows_and_records_the_same_as_the_long_way(desk: Desk, reads: GatheredReads) -> None:
    dov = desk.register()
    long_way = desk.do(CHLOE, individuals.read_individual, individual_id=dov["id"])
    entry = _last_entry(desk)
    with audited_calls() as audited:
        assert individuals.read_gathered(reads, by=CHLOE, individual_id=dov["id"]) == long_way
    assert audited()
    assert _last_entry(desk) == entry


@pytest.mark.requirement("R119", "T21")
def test_whoever_is_missing_or_not_for_this_account_is_left_to_the_long_way_unrecorded(desk: Desk, reads: GatheredReads) -> None:
    dov = desk.register()
    with audited_calls() as audited:
        assert individuals.read_gathered(reads, by=AMINA, individual_id="01a20397-fe57-7628-8104-2190e0ace6c1") is None
        assert individuals.read_gathered(reads, by=EDDA, individual_id=dov["id"]) is None
    assert not audited()
