"""Preferences on pages: set, shown before somebody calls, and enforced (R169, T33)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from services.chassis.messages import Conflict, Forbidden, Stale
from tests.unit.gateway.browsing import ID, PERSON, Browser, quiet
from tests.unit.gateway.fakes import AMINA, FakeBus, opened

OTHER = "0197f2a0-0000-7000-8000-0000000000b9"
PREFERRING: dict[str, Any] = {**PERSON, "use_preferences": ["no_phone", "no_sharing"]}
POINT: dict[str, Any] = {
    "id": OTHER,
    "kind": "cell",
    "value": "202-555-0142",
    "component": "ICE",
    "reported": None,
    "previous": False,
    "verified_at": None,
}
BEGUN: dict[str, Any] = {
    "interaction_id": ID,
    "individual_id": ID,
    "preference": "no_phone",
    "stated_at": "2026-11-20T15:00:00Z",
    "held_at": "2026-11-23T15:00:00Z",
    "mode": "phone",
    "component": "PSO",
    "user": AMINA,
}


@pytest.fixture
def bus() -> FakeBus:
    """A quiet system in which Dov wants no calls and nothing shared."""
    bus = quiet()
    bus.answers |= {
        ("contacts", "read_individual"): PREFERRING,
        ("contacts", "change_individual"): PREFERRING,
        ("contacts", "verify_individual"): {"id": ID},
        ("contacts", "reveal"): {
            "items": [POINT, {**POINT, "id": AMINA, "component": "PSO", "value": "202-555-0143"}],
            "held_by": [],
            "use_preferences": ["no_phone"],
        },
        ("interactions", "list_against_preferences"): {"items": [BEGUN], "next": "a cursor", "total": 60},
    }
    return bus


@pytest.mark.requirement("R169", "T33")
@pytest.mark.parametrize(
    "path",
    [
        f"/individuals/{ID}",
        f"/interactions/new?individual_id={ID}",
        f"/requests/coordination/new?individual_id={ID}",
        f"/requests/coordination/new?individual_id={ID}&component=PSO",
    ],
)
def test_what_somebody_wants_is_shown_before_they_are_called_or_asked_about(aminas: Browser, bus: FakeBus, path: str) -> None:
    shown = aminas.get(path).text
    assert "Dov Dorn &lt;b&gt; asked for this:</strong> no phone calls; nothing shared between components." in shown
    assert shown.index("asked for this") < shown.index("<h2") if "<h2" in shown else True
    bus.answers[("contacts", "read_individual")] = PERSON
    assert "asked for this" not in aminas.get(path).text


@pytest.mark.requirement("R169", "T33")
def test_preferences_are_set_and_taken_back_on_the_record(aminas: Browser, bus: FakeBus) -> None:
    page = aminas.get(f"/individuals/{ID}").text
    boxes = re.findall(r'name="use_preferences" value="(\w+)"( checked)?', page)
    assert boxes == [("no_phone", " checked"), ("no_email", ""), ("no_mail", ""), ("no_invitations", ""), ("no_sharing", " checked")]
    tag = aminas.hidden("if_match")
    for ticked in (["no_email", "no_mail"], []):
        answer = aminas.send(f"/individuals/{ID}/preferences", {"use_preferences": ticked, "if_match": tag})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/individuals/{ID}?done=stated")
        said = bus.of("contacts", "change_individual")[-1]
        assert said.kwargs == {"individual_id": ID, "if_match": tag, "body": {"use_preferences": ticked}}
        aminas.get(f"/individuals/{ID}")


@pytest.mark.requirement("R169")
def test_preferences_that_somebody_else_changed_are_replaced_only_with_a_box_ticked(aminas: Browser, bus: FakeBus) -> None:
    aminas.get(f"/individuals/{ID}")
    tag = aminas.hidden("if_match")
    bus.answers[("contacts", "change_individual")] = Stale()
    bus.answers[("contacts", "read_individual")] = {**PERSON, "use_preferences": ["no_email"]}
    sent = {"use_preferences": ["no_mail"], "if_match": tag, "was_use_preferences": "No phone calls, Nothing shared between components"}
    answer = aminas.send(f"/individuals/{ID}/preferences", sent)
    assert answer.status_code == 412
    assert "<td>No phone calls, Nothing shared between components</td><td>No e-mail</td>" in answer.text
    assert 'name="overwrite"' in answer.text
    assert 'value="no_mail" checked' in answer.text, "what was ticked stays"


@pytest.mark.requirement("R115", "T20")
def test_a_verification_names_the_contact_points_of_ones_own_component_that_were_confirmed(aminas: Browser, bus: FakeBus) -> None:
    aminas.get(f"/individuals/{ID}")
    assert "show the contact points first" in aminas.page.text
    shown = aminas.send(f"/individuals/{ID}/reveal", {}).text
    assert re.findall(r'name="contact_point_ids" value="([^"]+)"> ([^<]+)<', shown) == [(OTHER, "Cell phone: 202-555-0142")]
    again = aminas.send(f"/individuals/{ID}/verifications", {"medium": "phone", "contact_point_ids": OTHER})
    assert again.status_code == 422
    assert f'type="hidden" name="contact_point_ids" value="{OTHER}"' in again.text, "what was chosen is not asked again"
    typed = {"medium": "phone", "verified_at": "2026-11-23T10:00", "verified_at_zone": "America/New_York", "contact_point_ids": OTHER}
    assert aminas.send(f"/individuals/{ID}/verifications", typed).status_code == 303
    (said,) = bus.of("contacts", "verify_individual")
    assert said.kwargs["body"]["contact_point_ids"] == [OTHER]


@pytest.mark.requirement("T20", "T33")
def test_who_withdrew_what_was_declined_and_who_began_a_talk_stand_in_the_history(aminas: Browser, bus: FakeBus) -> None:
    verified = {"kind": "verified", "at": "2026-11-23T15:00:00Z", "by": AMINA, "component": "ICE", "medium": "phone", "withdrawn": ["cell"]}
    bus.answers[("contacts", "record_history")] = {"items": [{**verified, "position": [verified["at"], ID]}], "more": False, "total": 1}
    talk = {"kind": "interaction", "id": ID, "at": "2026-11-22T15:00:00Z", "mode": "phone", "initiated_by": "stakeholder", "issue_ids": []}
    bus.answers[("interactions", "list_history")] = {
        "items": [{**talk, "component": "ICE", "user": AMINA, "outcome": None, "position": [talk["at"], ID]}],
        "more": False,
        "total": 1,
    }
    shown = re.sub(r"<[^>]+>|\s+", " ", aminas.get(f"/individuals/{ID}").text)
    shown = re.sub(r" +", " ", shown)
    assert "November 23, 2026, 10:00 a.m. EST — Verified, ICE, Amina Adler , phone No longer declined: Cell phone" in shown
    assert "Phone call , ICE, Amina Adler The stakeholder began it" in shown


@pytest.mark.requirement("R169", "T33")
def test_the_privacy_officer_has_a_page_of_what_was_begun_against_a_preference(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["access", "open_session"] = opened(roles=["privacy_officer"])
    assert 'href="/interactions/against-preferences"' in aminas.get("/").text
    shown = aminas.get("/interactions/against-preferences?component=PSO&since=2026-11-01&until=2026-11-30").text
    (said,) = bus.of("interactions", "list_against_preferences")
    assert said.kwargs["query"] == {
        "component": "PSO",
        "since": "2026-11-01T00:00:00-04:00",
        "until": "2026-11-30T23:59:59.999999-05:00",
        "limit": "50",
    }
    assert "No phone calls, recorded" in shown
    assert "Showing 1 of 60 interactions" in shown
    assert "component=PSO&amp;since=2026-11-01&amp;until=2026-11-30&amp;cursor=a+cursor" in shown
    assert aminas.get("/interactions/against-preferences?since=yesterday").status_code == 422
    bus.answers["interactions", "list_against_preferences"] = Forbidden("This is for the privacy officer.")
    assert aminas.get("/interactions/against-preferences").status_code == 403


def test_nobody_else_is_led_to_it(aminas: Browser) -> None:
    assert "against-preferences" not in aminas.get("/").text


@pytest.mark.requirement("T33")
def test_what_is_refused_for_a_preference_says_so_with_what_was_typed(aminas: Browser, bus: FakeBus) -> None:
    bus.answers["interactions", "create_coordination_request"] = Conflict("No.", code="preference-stands", extra={"preferences": ["no_sharing"]})
    aminas.get(f"/requests/coordination/new?individual_id={ID}")
    again = aminas.send("/requests/coordination/new", {"individual_id": ID, "message": "Please call them."})
    assert again.status_code == 409
    assert "They asked for this: Nothing shared between components." in again.text
    assert "Please call them." in again.text
