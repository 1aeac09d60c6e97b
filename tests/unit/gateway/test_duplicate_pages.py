"""Two records side by side: what is decided about them, by whom, and where their task leads (T34)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gateway.browsing import Browser, quiet
from tests.unit.gateway.fakes import AMINA, FakeBus

ONE, OTHER = "0197f2a0-0000-7000-8000-0000000000d1", "0197f2a0-0000-7000-8000-0000000000d2"
ADDRESS = f"/duplicates/{ONE}/{OTHER}"


def _record(own_id: str, name: str) -> dict[str, Any]:
    return {
        "id": own_id,
        "first_name": "Dov",
        "last_name": name,
        "title": None,
        "organization_name": "Larkspur <i>",
        "state": "TX",
        "interests": [],
        "owner": {"user": AMINA, "component": "ICE"},
        "last_contacted_at": None,
    }


def _pair(*decisions: str, because: str, proposal: Any = None) -> dict[str, Any]:
    return {"individuals": [_record(ONE, "Dorn"), _record(OTHER, "Quill")], "because": [because], "decisions": decisions, "proposal": proposal}


@pytest.fixture
def bus() -> FakeBus:
    """A quiet system with two records to look at."""
    bus = quiet()
    bus.answers["contacts", "read_pair"] = _pair("same", "different", because="proposed")
    bus.answers["contacts", "decide_pair"] = {"decision": "different"}
    return bus


@pytest.mark.requirement("T34")
@pytest.mark.parametrize("kind", ["duplicate", "same_value", "merge_proposed"])
def test_a_task_about_two_records_leads_to_both(aminas: Browser, bus: FakeBus, kind: str) -> None:
    subject = {"type": "individual", "id": ONE, "individual_ids": [ONE, OTHER]}
    task = {"id": f"{kind}.{ONE}-{OTHER}", "kind": kind, "notice": False, "subject": subject, "due_on": None, "link": f"/api/v1{ADDRESS}"}
    bus.answers["contacts", "list_tasks"] = {"items": [task], "more": False, "total": 1}
    assert f'<a href="{ADDRESS}">' in aminas.get("/").text


@pytest.mark.requirement("T34")
def test_an_owner_sees_both_records_and_says_what_they_are(aminas: Browser, bus: FakeBus) -> None:
    page = aminas.get(ADDRESS).text
    assert "Dov Dorn" in page
    assert "Dov Quill" in page
    assert "Larkspur &lt;i&gt;" in page
    assert "same phone or e-mail" not in page
    assert "Ask both owners" not in page
    sent = aminas.send(ADDRESS, {"decision": "different"})
    assert sent.status_code == 303
    assert bus.of("contacts", "decide_pair")[-1].kwargs == {"individual_id": ONE, "other_id": OTHER, "body": {"decision": "different"}}


@pytest.mark.requirement("T34")
def test_the_privacy_officer_asks_once_and_sees_what_the_owners_say(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["contacts", "read_pair"] = _pair("propose", "different", because="same_value")
    page = aminas.get(ADDRESS).text
    assert "Both records hold the same phone or e-mail." in page
    assert "Ask both owners" in page
    answers = [{"individual_id": ONE, "answer": "same", "by": AMINA}, {"individual_id": OTHER, "answer": None, "by": None}]
    proposal = {"proposed_at": "2026-11-23T15:00:00Z", "answers": answers}
    bus.answers["contacts", "read_pair"] = _pair("propose", "different", because="same_value", proposal=proposal)
    page = aminas.get(ADDRESS).text
    assert "one person (" in page
    assert "nothing yet" in page
    assert "Ask both owners" not in page
