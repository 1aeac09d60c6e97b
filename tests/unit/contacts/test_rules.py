"""The rules of contacts that need no database: clocks, seals, keys, digests."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.contacts.contract.schemas.individuals import IndividualCreateSchema
from services.contacts.contract.schemas.search import StakeholderQuerySchema
from services.contacts.domain.clocks import expiry
from services.contacts.domain.sealing import former_values, is_told_in
from services.contacts.domain.suppression import marks_of
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring

CREATED = datetime(2026, 3, 5, 23, 30, tzinfo=UTC)


@pytest.mark.requirement("T6")
@pytest.mark.parametrize(
    ("contacted", "mode", "verified", "day", "because"),
    [
        (None, None, None, date(2027, 3, 5), "created"),
        (CREATED + timedelta(days=9), "phone", None, date(2027, 3, 14), "interaction"),
        (CREATED + timedelta(days=9), "event", None, date(2027, 3, 14), "attendance"),
        (CREATED + timedelta(days=9), "phone", CREATED + timedelta(days=30), date(2027, 4, 4), "verification"),
        (CREATED - timedelta(days=400), "phone", None, date(2027, 3, 5), "created"),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "video", None, date(2029, 3, 1), "interaction"),
    ],
)
def test_a_record_expires_a_year_after_its_latest_contact_and_says_why(contacted, mode, verified, day, because) -> None:
    assert expiry(created_at=CREATED, last_contacted_at=contacted, last_mode=mode, verified_at=verified) == (day, because)


@pytest.mark.requirement("T27", "T9")
def test_what_matches_alone_is_sealed_apart_from_what_may_be_somebody_elses() -> None:
    points = [
        ("cell", "956-555-0142"),
        ("personal_phone", "956-555-0143"),
        ("work_phone", "956-555-0144"),
        ("work_phone", "956-555-0142"),
        ("email", "dov@gmail.com"),
        ("email", "dov@example.org"),
        ("work_address", "1 Main St"),
    ]
    sealed = former_values("Dov", "Quillfeather", points, held={("phone", "+19565550143"), ("email", "dov@example.org")})
    assert (sealed.emails, sealed.phones) == (("dov@gmail.com",), ("+19565550142",))
    assert (sealed.shared_emails, sealed.shared_phones) == (("dov@example.org",), ("+19565550143", "+19565550144"))
    assert sealed.held == ("+19565550143", "dov@example.org")


@pytest.mark.requirement("N3", "T27")
@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["Dov and the others", "Quillfeather", "TX"], True),
        (["Nowhere", "Cohen", "(956) 555-0142 or so"], True),
        (["Nowhere", "Cohen", "dov@example.org"], True),
        (["Nowhere", "Cohen", "956-555-0100"], False),
        (["Dina", "Quillfeather", "TX"], False),
    ],
)
def test_a_row_of_a_file_tells_of_a_person_unless_it_has_no_more_than_a_line_that_others_hold(cells: list[str], told: bool) -> None:
    points = [("cell", "956-555-0142"), ("email", "dov@example.org"), ("work_phone", "956-555-0100")]
    assert is_told_in(cells, former_values("Dov", "Quillfeather", points, held={("phone", "+19565550100")})) is told


@pytest.mark.requirement("T9")
def test_personal_values_match_alone_and_those_of_work_only_with_the_name() -> None:
    points = [
        ("cell", "956-555-0142"),
        ("personal_phone", "956-555-0143"),
        ("work_phone", "956-555-0144"),
        ("email", "dov@gmail.com"),
        ("email", "dov@example.org"),
        ("work_address", "1 Main St"),
    ]
    marks = {(mark.kind, mark.canonical): mark.alone for mark in marks_of(organizations=["The Larkspur, Inc."], contact_points=points)}
    assert marks == {
        ("cell", "+19565550142"): True,
        ("personal_phone", "+19565550143"): True,
        ("work_phone", "+19565550144"): False,
        ("email", "dov@gmail.com"): True,
        ("email", "dov@example.org"): False,
        ("organization", "larkspur"): False,
    }


def test_each_purpose_has_digests_of_its_own_and_retired_keys_are_asked_too() -> None:
    old, fresh = os.urandom(32), os.urandom(32)
    before, after = Digests(Keyring([old])), Digests(Keyring([fresh, old]))
    made = {
        before.lookup("ICE", "email", "a@b.c"),
        before.lookup("PSO", "email", "a@b.c"),
        before.match("email", "a@b.c"),
        before.suppression("email", "a@b.c"),
    }
    assert len(made) == 4
    assert before.suppression("email", "a@b.c") in after.suppressions("email", "a@b.c")
    assert before.lookup("ICE", "email", "a@b.c") in after.lookups("ICE", "email", "a@b.c")
    assert before.suppression("cell", "+1956") == before.suppression("work_phone", "+1956")
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring([b"short"])


@pytest.mark.requirement("R13", "R80")
@given(st.text(max_size=40))
def test_whatever_is_typed_as_a_name_is_one_clean_line_or_refused(text: str) -> None:
    errors = IndividualCreateSchema().validate({"last_name": text})
    assert set(errors) <= {"last_name"}
    if not errors:
        loaded = IndividualCreateSchema().load({"last_name": text})["last_name"]
        assert loaded
        assert loaded == " ".join(loaded.split())
        assert "\x00" not in loaded


def test_a_query_string_is_read_as_text_and_unknown_words_in_it_are_refused() -> None:
    assert StakeholderQuerySchema().load({"state": "texas", "limit": "7", "facets": "state,issue"})["state"] == "TX"
    for wrong in ({"state": "XX"}, {"limit": "0"}, {"limit": "201"}, {"facets": "email"}, {"email": "a@b.c"}, {"sort": "email"}, {"issue": "7"}):
        with pytest.raises(ValidationError):
            StakeholderQuerySchema().load(wrong)
