"""What the privacy officer and the security officer page through: queues to decide, what was erased, numbers by day (T26, T36)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gateway.browsing import ID, OWNER, Browser, quiet
from tests.unit.gateway.fakes import FakeBus

TWIN: dict[str, Any] = {
    "request_id": ID,
    "individual_id": ID,
    "first_name": "Dov",
    "last_name": "Dorn <b>",
    "owner": OWNER,
    "asked": None,
    "because": ["cell"],
    "frozen_for": ["PSO"],
    "found_at": "2026-11-23T15:00:00Z",
}
MARK: dict[str, Any] = {
    "id": ID,
    "request_id": ID,
    "individual_id": ID,
    "kind": "cell",
    "value": "505-555-0142",
    "because": "recorder",
    "component": "PSO",
    "added_by": ID,
    "added_at": "2026-11-23T15:00:00Z",
}
ACCOUNT: dict[str, Any] = {
    "account": ID,
    "component": "PSO",
    "day": "2026-11-23",
    "looked": 10_000,
    "hits": 12,
    "exhausted": True,
    "since": "2026-11-23T15:00:00Z",
}
HIT: dict[str, Any] = {
    "mark_id": ID,
    "request_id": ID,
    "individual_id": None,
    "kind": "cell",
    "account": "integration.PSO",
    "component": "PSO",
    "at": "2026-11-23T15:00:00Z",
}


@pytest.fixture
def bus() -> FakeBus:
    """A quiet system in which more waits than one page shows."""
    bus = quiet()
    bus.answers["contacts", "list_twins"] = {"items": [TWIN], "next": "more twins", "total": 60}
    bus.answers["contacts", "list_marks"] = {"items": [MARK], "next": "more values", "total": 70}
    bus.answers["contacts", "list_lookups"] = {"items": [ACCOUNT], "next": "more accounts", "total": 80}
    bus.answers["contacts", "list_hits"] = {"items": [HIT], "next": "more hits", "total": 90}
    bus.answers["retention", "list_no_contact_requests"] = {"items": [], "next": None, "total": 0}
    return bus


@pytest.mark.requirement("T26", "T25")
def test_both_queues_lead_to_the_rest_and_each_goes_on_by_itself(aminas: Browser, bus: FakeBus) -> None:
    page = aminas.get("/requests/no-contact/decisions").text
    assert "Showing 1 of 60 records" in page
    assert "Showing 1 of 70 values" in page
    assert 'href="/requests/no-contact/decisions?twins=more+twins"' in page
    assert 'href="/requests/no-contact/decisions?values=more+values"' in page
    aminas.get("/requests/no-contact/decisions?twins=more+twins")
    assert bus.of("contacts", "list_twins")[-1].kwargs == {"query": {"limit": "50", "cursor": "more twins"}}
    assert bus.of("contacts", "list_marks")[-1].kwargs == {"query": {"limit": "50"}}


@pytest.mark.requirement("T35")
def test_the_privacy_officer_sees_who_hit_the_ledger_and_lets_it_go_on(aminas: Browser, bus: FakeBus) -> None:
    page = aminas.get("/requests/no-contact/decisions").text
    assert "Showing 1 of 80 accounts" in page
    assert "Showing 1 of 90 entries" in page
    assert 'href="/requests/no-contact/decisions?hits=more+hits"' in page
    assert "integration.PSO (PSO)" in page
    assert f'href="/requests/no-contact/{ID}"' in page
    bus.answers["contacts", "see_lookups"] = {"account": ID, "more": True, "imports": []}
    for form in ({}, {"more": "true"}):
        aminas.get("/requests/no-contact/decisions")
        answer = aminas.send(f"/suppression-lookups/{ID}", form)
        assert answer.status_code == 303, answer.text
        assert bus.of("contacts", "see_lookups")[-1].kwargs == {"account": ID, "body": form}


@pytest.mark.requirement("N3")
def test_the_register_of_destruction_names_ids_and_causes_and_leads_to_the_rest(aminas: Browser, bus: FakeBus) -> None:
    row = {"erasure_id": ID, "subject_type": "individual", "subject_id": ID, "cause": "no_contact", "requested_by": ID}
    bus.answers["retention", "list_destructions"] = {
        "items": [{**row, "destroyed_at": "2026-11-23T15:00:00Z"}],
        "next": "more",
        "total": 300,
    }
    page = aminas.get("/destructions").text
    assert "The person asked for no more contact." in page
    assert "Showing 1 of 300" in page
    assert 'href="/destructions?cursor=more"' in page
    assert 'href="/destructions"' in aminas.get("/requests/no-contact/decisions").text


@pytest.mark.requirement("T36", "T9")
def test_the_security_officer_reads_numbers_by_user_and_day(aminas: Browser, bus: FakeBus) -> None:
    row = {"user_id": ID, "component": "PSO", "day": "2026-11-23", "freezes": 11, "blocked": 7}
    bus.answers["contacts", "list_counts"] = {"items": [row], "next": "more", "total": 120}
    page = aminas.get("/audit/counts").text
    assert "<td>November 23, 2026</td>" in page
    assert "<td>PSO</td><td>11</td><td>7</td>" in page
    assert 'href="/audit/counts?cursor=more"' in page
