"""Text kept against a finding is its component's only, until the privacy officer has read and released it (T15)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.journeys.client import Person

NUMBER = "Call the press desk at 202-555-0119."
WHY = {"keep_reason": "It is the desk's, and nobody's own."}


@pytest.fixture(scope="module")
def people(system: Any) -> dict[str, Person]:
    """Amina and Chloe of two components, and Farid, the privacy officer."""
    return {
        "amina": Person(system.base).sign_in(system.account("ICE", "contributor", 1)),
        "chloe": Person(system.base).sign_in(system.account("PSO", "contributor")),
        "farid": Person(system.base).sign_in(system.account(role="privacy_officer")),
    }


def waiting(farid: Person) -> dict[str, Any]:
    return {item["subject_id"]: item for item in farid.every("/kept-texts")}


@pytest.mark.requirement("T15", "R41")
def test_what_was_kept_waits_for_the_privacy_officer_and_is_everybodys_once_released(people: dict[str, Person]) -> None:
    amina, chloe, farid = people["amina"], people["chloe"], people["farid"]
    vera = amina.post("/individuals", {"first_name": "Vera", "last_name": f"Kept{uuid.uuid4().hex[:8]}"})["id"]
    note = amina.post(f"/individuals/{vera}/notes", {"text": NUMBER, **WHY})
    talk = amina.post(
        "/interactions",
        {
            "held_at": datetime.now(UTC).isoformat(),
            "mode": "phone",
            "individual_ids": [vera],
            "outcome": NUMBER,
            "follow_ups": [{"text": NUMBER}],
            **WHY,
        },
    )
    event = amina.post("/events", {"name": "Roundtable", "starts_at": datetime.now(UTC).isoformat(), "agenda": NUMBER, **WHY})
    places = {vera: "note", talk["id"]: "interaction", talk["follow_ups"][0]["id"]: "follow_up", event["id"]: "event"}

    def read() -> list[Any]:
        shown = chloe.get(f"/interactions/{talk['id']}")
        notes = [one["text"] for one in chloe.get(f"/individuals/{vera}/notes")["items"]]
        return [*notes, shown["outcome"], shown["follow_ups"][0]["text"], chloe.get(f"/events/{event['id']}")["agenda"]]

    assert read() == [None, None, None]
    found = waiting(farid)
    assert {one: found[one]["subject_type"] for one in places} == places
    assert all((found[one]["text"], found[one]["reason"], found[one]["component"]) == (NUMBER, WHY["keep_reason"], "ICE") for one in places)
    for somebody in (amina, chloe):
        somebody.ask("GET", "/kept-texts", expect=403)
        somebody.post(f"/kept-texts/{found[vera]['id']}/release", {"kept_at": found[vera]["kept_at"]}, expect=403)
    whole, walked, cursor = list(farid.every("/kept-texts")), [], None
    while True:
        part = farid.get("/kept-texts", limit=1, **({"cursor": cursor} if cursor else {}))
        walked += part["items"]
        cursor = part["next"]
        if not cursor:
            break
    assert walked == whole
    assert part["total"] == len(whole)
    for one in places:
        farid.post(f"/kept-texts/{found[one]['id']}/release", {"kept_at": found[one]["kept_at"]}, expect=200)
    assert read() == [NUMBER] * 4
    assert not waiting(farid).keys() & places.keys()
    farid.post(f"/kept-texts/{found[vera]['id']}/release", {"kept_at": found[vera]["kept_at"]}, expect=404)
    tag = amina.ask("GET", f"/individuals/{vera}/notes/{note['id']}", expect=200).headers["ETag"]
    again = {"text": f"{NUMBER} Ask for Ann.", **WHY}
    amina.ask("PATCH", f"/individuals/{vera}/notes/{note['id']}", json=again, headers={"If-Match": tag}, expect=200)
    assert waiting(farid)[vera]["text"] == again["text"], "a note that is changed waits again"
    assert chloe.get(f"/individuals/{vera}/notes")["items"] == []


@pytest.mark.requirement("T15")
def test_only_what_was_read_is_released_and_nothing_is_replaced(people: dict[str, Person]) -> None:
    amina, chloe, farid = people["amina"], people["chloe"], people["farid"]
    vera = amina.post("/individuals", {"first_name": "Vera", "last_name": f"Kept{uuid.uuid4().hex[:8]}"})["id"]
    talk = amina.post(
        "/interactions", {"held_at": datetime.now(UTC).isoformat(), "mode": "phone", "individual_ids": [vera], "outcome": NUMBER, **WHY}
    )
    note = amina.post(f"/individuals/{vera}/notes", {"text": NUMBER, **WHY})
    found = waiting(farid)
    amina.patch(f"/individuals/{vera}/notes/{note['id']}", {"text": f"{NUMBER} And another: 202-555-0118.", **WHY})
    release = {"kept_at": found[vera]["kept_at"]}
    assert farid.post(f"/kept-texts/{found[vera]['id']}/release", release, expect=412)["code"] == "stale"
    chloe.patch(f"/interactions/{talk['id']}", {"outcome": "They will send the guidance."})
    release = {"kept_at": found[talk["id"]]["kept_at"]}
    assert farid.post(f"/kept-texts/{found[talk['id']]['id']}/release", release, expect=409)["code"] == "text-replaced"
    assert chloe.get(f"/interactions/{talk['id']}")["outcome"] == "They will send the guidance."
    assert talk["id"] not in waiting(farid), "what cannot be released does not wait"
    for unknown in (f"contacts.{uuid.uuid4()}", f"interactions.{uuid.uuid4()}", f"retention.{uuid.uuid4()}", "contacts.x", "x"):
        farid.post(f"/kept-texts/{unknown}/release", release, expect=404)
    farid.post(f"/kept-texts/{found[vera]['id']}/release", {"kept_at": "yesterday"}, expect=422)
    for wrong in ("x", "W10=", "WyJ4IiwieCJd"):
        farid.ask("GET", "/kept-texts", params={"cursor": wrong}, expect=422)
