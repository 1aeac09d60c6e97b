"""What the department began against a preference, against PostgreSQL: announced in any order, and seen by one office alone."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from services.chassis.messages import Forbidden, wire_value
from services.chassis.refusals import CursorInvalid
from services.contacts.contract.announcements import IndividualChanged, IndividualErased, OwnerChanged, PreferencesChanged
from services.interactions.usecases import announcement_handlers, preferences
from tests.cast import AMINA, CHLOE, EDDA, FARID, GRACE, RENATA
from tests.integration.interactions.conftest import Office


def against(office: Office, by: Any = FARID, **query: Any) -> Any:
    """Return the privacy officer's list."""
    return office.do(by, preferences.list_against_preferences, query={"limit": 50, **query})


def prefer(office: Office, individual_id: str, *names: str, revision: int = 2, days: int = -3, until: int | None = None) -> None:
    """Handle contacts' announcement of preferences since some days."""
    since, end = wire_value(office.now + timedelta(days=days)), until and wire_value(office.now + timedelta(days=until))
    office.hear(announcement_handlers.preferences_changed, PreferencesChanged(individual_id, [[name, since, end] for name in names], revision))


@pytest.mark.requirement("R169", "T33")
def test_the_list_tells_who_when_and_how_and_nothing_that_was_said(office: Office) -> None:
    dov = office.individual()
    prefer(office, dov, "no_phone")
    logged = office.talk(CHLOE, individual_ids=[dov], initiated_by="department", outcome="A private word.")
    (item,) = against(office)["items"]
    assert item == {
        "interaction_id": logged["id"],
        "individual_id": dov,
        "preference": "no_phone",
        "stated_at": wire_value(office.now - timedelta(days=3)),
        "held_at": logged["held_at"],
        "mode": "phone",
        "component": "PSO",
        "user": CHLOE.id,
    }
    for somebody in (AMINA, CHLOE, EDDA, GRACE, RENATA):
        with pytest.raises(Forbidden):
            against(office, somebody)


@pytest.mark.requirement("R169", "T33")
def test_what_was_held_after_the_preference_ended_or_before_it_began_is_not_in_it(office: Office) -> None:
    dov = office.individual()
    prefer(office, dov, "no_phone", days=-3, until=-1)
    held = {days: office.talk(individual_ids=[dov], initiated_by="department", held_at=office.now - timedelta(days=days))["id"] for days in (4, 2, 0)}
    assert [item["interaction_id"] for item in against(office)["items"]] == [held[2]]


@pytest.mark.requirement("R169", "T33")
def test_the_list_goes_on_page_by_page_with_people_of_one_talk_apart(office: Office) -> None:
    people = [office.individual() for _ in range(3)]
    for one in people:
        prefer(office, one, "no_phone", "no_email")
    for _ in range(2):
        office.talk(individual_ids=people, initiated_by="department")
    whole = against(office)
    assert (len(whole["items"]), whole["total"], whole["next"]) == (6, 6, None)
    walked, cursor = [], None
    while True:
        page = against(office, limit=1, **({"cursor": cursor} if cursor else {}))
        walked += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert walked == whole["items"]
    first = against(office, limit=1)
    with pytest.raises(CursorInvalid):
        against(office, limit=1, component="PSO", cursor=first["next"])


@pytest.mark.requirement("R169")
def test_in_whatever_order_it_is_told_the_latest_preferences_count_and_nobody_comes_back(office: Office) -> None:
    for order in permutations(range(4)):
        dov = office.individual()
        since = wire_value(office.now - timedelta(days=3))
        told = [
            (announcement_handlers.preferences_changed, PreferencesChanged(dov, [["no_phone", since, None]], 2)),
            (announcement_handlers.preferences_changed, PreferencesChanged(dov, [["no_phone", since, since]], 3)),
            (announcement_handlers.individual_changed, IndividualChanged(dov, None, "TX", 3)),
            (announcement_handlers.owner_changed, OwnerChanged(dov, AMINA.id, "ICE", 3)),
        ]
        for at in order:
            office.hear(*told[at])
        office.talk(individual_ids=[dov], initiated_by="department")
        assert against(office, individual_id=dov)["items"] == [], order
    office.hear(announcement_handlers.individual_erased, IndividualErased(dov, "no-contact"))
    prefer(office, dov, "no_phone", revision=9)
    assert against(office, individual_id=dov)["items"] == []
