"""The page of kept text: the privacy officer reads it with its reason, and releases it as it was read (T15)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.chassis.messages import Forbidden, Stale
from tests.unit.gateway.browsing import ID, Browser, quiet
from tests.unit.gateway.fakes import AMINA, FakeBus, opened

NOTE: dict[str, Any] = {
    "id": ID,
    "subject_type": "note",
    "subject_id": ID,
    "field": "text",
    "text": "Call <b>202-555-0119</b>.",
    "provenance": "A fair",
    "reason": "The press desk's.",
    "component": "PSO",
    "kept_by": AMINA,
    "kept_at": "2026-11-23T15:00:00.000Z",
    "position": ["2026-11-23T15:00:00+00:00", ID],
}
TALK: dict[str, Any] = {**NOTE, "subject_type": "interaction", "field": "outcome", "position": ["2026-11-22T15:00:00+00:00", ID]}


@pytest.fixture
def bus() -> FakeBus:
    """A quiet system in which a note and an outcome wait."""
    bus = quiet()
    bus.answers |= {
        ("access", "open_session"): opened(roles=["privacy_officer"]),
        ("contacts", "list_kept_texts"): {"items": [NOTE], "more": True, "total": 60},
        ("interactions", "list_kept_texts"): {"items": [TALK], "more": False, "total": 1},
        ("contacts", "release_kept_text"): {"id": ID, "released": True},
    }
    return bus


@pytest.mark.requirement("T15")
def test_what_waits_is_read_with_its_reason_the_oldest_first_and_released_as_it_was_read(aminas: Browser, bus: FakeBus) -> None:
    assert 'href="/kept-texts"' in aminas.get("/").text
    shown = aminas.get("/kept-texts").text
    assert shown.index("Outcome of an interaction") < shown.index("Note on a person")
    assert "Call &lt;b&gt;202-555-0119&lt;/b&gt;." in shown
    assert "Reason: The press desk&#39;s." in shown
    assert "Showing 2 of 61 texts" in shown
    assert re.findall(r'action="/kept-texts/(\w+)\.', shown) == ["interactions", "contacts"]
    answer = aminas.send(f"/kept-texts/contacts.{ID}/release", {"kept_at": NOTE["kept_at"]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/kept-texts?done=released")
    (said,) = bus.of("contacts", "release_kept_text")
    assert said.kwargs == {"kept_id": ID, "body": {"kept_at": NOTE["kept_at"]}}


@pytest.mark.requirement("T15")
def test_what_was_changed_meanwhile_comes_back_and_nobody_else_has_the_page(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["contacts", "release_kept_text"] = Stale()
    aminas.get("/kept-texts")
    assert aminas.send(f"/kept-texts/contacts.{ID}/release", {"kept_at": NOTE["kept_at"]}).status_code == 412
    bus.answers["contacts", "list_kept_texts"] = Forbidden("This is for the privacy officer.")
    assert aminas.get("/kept-texts").status_code == 403
