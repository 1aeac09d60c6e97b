"""Erasing on pages: asked once more with the person's name, by those who may; decided by the privacy officer (T27)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.chassis.messages import Forbidden, NotFound, Refusal
from services.retention.contract import HitDecided
from tests.unit.gateway.browsing import ID, OWNER, Browser, quiet
from tests.unit.gateway.fakes import FakeBus, opened

REQUEST: dict[str, Any] = {
    "id": ID,
    "individual_id": ID,
    "medium": "phone",
    "received_on": "2026-11-20",
    "recorded_by": None,
    "state": "open",
    "due_on": "2026-11-24",
    "owner": OWNER,
    "erasure_id": None,
    "withdrawal": None,
}
ERASURE: dict[str, Any] = {
    "id": ID,
    "erasure_id": ID,
    "state": "waiting_for_decision",
    "decide_by": "2026-12-01",
    "undecided": 2,
    "receipts": [],
    "hits": [],
}
HIT: dict[str, Any] = {"id": ID, "store": "contacts.notes", "field": "text", "record_id": ID, "stays_because": None, "decided_at": None}
EXCERPT = {"before": "the <i> other ", "found": "Dov Dorn", "after": " of Ohio", "kind": "name"}
NAME = "Dov Dorn &lt;b&gt;"


@pytest.fixture
def bus() -> FakeBus:
    """A quiet system in which a request is open and an erasure waits."""
    bus = quiet()
    bus.answers |= {
        ("retention", "read_no_contact_request"): REQUEST,
        ("contacts", "may_erase"): {"allowed": True},
        ("retention", "erase_no_contact_request"): {"erasure_id": ID, "state": "in_progress"},
        ("retention", "request_erasure"): {"erasure_id": ID, "state": "in_progress"},
        ("retention", "read_erasure"): ERASURE,
        ("retention", "list_hits"): {"items": [{**HIT, "excerpts": [EXCERPT]}, {**HIT, "excerpts": []}], "next": None, "total": 2},
        ("retention", "decide_hits"): ERASURE,
        ("retention", "list_sample"): {
            "items": [{**HIT, "erasure_id": ID, "decided_at": "2026-12-02T00:00:01.000Z", "stays_because": "living-namesake"}],
            "next": "a cursor",
            "total": 60,
        },
    }
    return bus


def be_the_privacy_officer(bus: FakeBus) -> None:
    """Give the signed-in user that office."""
    bus.answers["access", "open_session"] = opened(roles=["privacy_officer"])


@pytest.mark.requirement("R165", "T10")
@pytest.mark.parametrize("path", [f"/requests/no-contact/{ID}", f"/individuals/{ID}"])
def test_erasing_is_asked_once_more_with_the_persons_name(aminas: Browser, bus: FakeBus, path: str) -> None:
    assert f'href="{path}/erase"' in aminas.get(path).text
    page = aminas.get(f"{path}/erase").text
    assert f"<h1>Erase {NAME}?</h1>" in page
    assert f">Erase {NAME}</button>" in page
    # Sent without the question, as an old page would, it is asked; nothing is erased.
    assert f"Erase {NAME}?" in aminas.send(f"{path}/erase", {"reason": "mistake"}).text
    assert not bus.of("retention", "erase_no_contact_request")
    assert not bus.of("retention", "request_erasure")
    done = aminas.send(f"{path}/erase", {"reason": "mistake", "confirmed": "yes", "if_match": '"x"'})
    assert (done.status_code, done.headers["Location"]) == (303, f"/erasures/{ID}")
    assert len(bus.of("retention", "erase_no_contact_request")) + len(bus.of("retention", "request_erasure")) == 1


@pytest.mark.requirement("R165", "T10")
@pytest.mark.parametrize("refusal", [{"allowed": False}, NotFound(), Forbidden()])
def test_who_may_not_erase_is_shown_no_button(aminas: Browser, bus: FakeBus, refusal: Refusal | dict[str, bool]) -> None:
    bus.answers["contacts", "may_erase"] = refusal
    page = aminas.get(f"/requests/no-contact/{ID}").text
    assert "Erase now" not in page
    assert "whoever the duty has passed to" in page
    for path in (f"/requests/no-contact/{ID}/erase", f"/individuals/{ID}/erase"):
        page = aminas.get(path).text
        assert 'name="confirmed"' not in page
        assert "Only the owner of the record, Amina Adler, erases it" in page


def test_a_request_that_is_being_erased_leads_to_the_erasure(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["retention", "read_no_contact_request"] = {**REQUEST, "state": "erasing", "erasure_id": ID}
    answer = aminas.get(f"/requests/no-contact/{ID}/erase")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/erasures/{ID}")
    assert "Erase now" not in aminas.get(f"/requests/no-contact/{ID}").text


@pytest.mark.requirement("T27")
def test_who_follows_an_erasure_reads_what_it_waits_for_and_until_when(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["retention", "read_erasure"] = {**ERASURE, "undecided": None}
    page = aminas.get(f"/erasures/{ID}").text
    assert "The record, its contact points and their key are gone from every service." in page
    assert re.search(r"The privacy officer decides by <strong>[^<]*December[^<]*</strong>", page)
    assert "http-equiv" not in page, "it does not go on by itself"
    assert "Dov Dorn" not in page
    assert not bus.of("retention", "list_hits")
    bus.answers["retention", "read_erasure"] = {**ERASURE, "state": "done", "decide_by": None, "undecided": None}
    assert "The record is gone from every service" in aminas.get(f"/erasures/{ID}").text


@pytest.mark.requirement("T27")
def test_the_privacy_officer_sees_each_mention_in_its_text_and_decides_it_or_all_alike(aminas: Browser, bus: FakeBus) -> None:
    be_the_privacy_officer(bus)
    page = aminas.get(f"/erasures/{ID}").text
    assert "the &lt;i&gt; other <mark>Dov Dorn</mark> of Ohio" in page
    assert "The text was changed; nothing is left to decide." in page
    assert page.count('name="hit_id"') == 1
    assert not re.search(r'type="radio"[^>]*checked', page)
    aminas.send(f"/erasures/{ID}/decisions", {"hit_id": ID, "decision": "another_person"})
    aminas.get(f"/erasures/{ID}")
    aminas.send(f"/erasures/{ID}/decisions", {"all": "yes", "decision": "redact"})
    bodies = [said.kwargs["body"] for said in bus.of("retention", "decide_hits")]
    assert bodies == [{"hit_id": ID, "decision": "another_person"}, {"all": True, "decision": "redact"}]
    aminas.get(f"/erasures/{ID}")
    answer = aminas.send(f"/erasures/{ID}/decisions", {"hit_id": ID})
    assert answer.status_code == 422
    bus.answers["retention", "decide_hits"] = HitDecided()
    answer = aminas.send(f"/erasures/{ID}/decisions", {"hit_id": ID, "decision": "redact"})
    assert (answer.status_code, "This hit was decided already" in answer.text) == (409, True)


@pytest.mark.requirement("T27")
def test_the_weekly_sample_says_why_each_text_was_left(aminas: Browser, bus: FakeBus) -> None:
    be_the_privacy_officer(bus)
    assert 'href="/erasures/sample"' in aminas.get(f"/erasures/{ID}").text
    page = aminas.get("/erasures/sample").text
    assert "Somebody of that name has a record." in page
    assert 'href="/erasures/sample?cursor=a%20cursor"' in page
    aminas.get("/erasures/sample?cursor=a%20cursor")
    assert bus.of("retention", "list_sample")[-1].kwargs == {"query": {"limit": "50", "cursor": "a cursor"}}


def test_what_an_erasure_reached_is_added_up_by_part_of_the_system(aminas: Browser, bus: FakeBus) -> None:
    def receipt(service: str, store: str, removed: int | None, left: int = 0) -> dict[str, Any]:
        return {
            "service": service,
            "step": "erase",
            "store": store,
            "found": removed,
            "removed": removed,
            "left": left,
            "method": "delete",
            "at": None,
        }

    receipts = [receipt("contacts", "notes", 2), receipt("contacts", "names", 3), receipt("contacts", "notes", 1), receipt("retention", "hits", 0, 4)]
    bus.answers["retention", "read_erasure"] = {**ERASURE, "state": "done", "receipts": receipts}
    page = aminas.get(f"/erasures/{ID}").text
    assert "<td>2</td><td>6</td><td>0</td>" in page
    assert "<td>1</td><td>0</td><td>4</td>" in page
    bus.answers["retention", "read_erasure"] = {**ERASURE, "state": "done", "receipts": [receipt("contacts", "notes", None)]}
    assert "Removed</th><th" not in aminas.get(f"/erasures/{ID}").text.partition("<details>")[0]
