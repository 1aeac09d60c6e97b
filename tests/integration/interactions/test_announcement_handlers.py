"""Announcements that arrive twice, late and in any order leave the same state."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import eventlet
import pytest
from sqlalchemy import text

from services.chassis.messages import Announcement, entity_tag, new_id
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualErased,
    IndividualFrozen,
    IndividualFrozenFor,
    IndividualRegistered,
    OrganizationChanged,
    OrganizationErased,
    OrganizationRegistered,
    OrganizationsImported,
    OwnerChanged,
)
from services.interactions.usecases import announcement_handlers, issues
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.interactions.conftest import Office

LISTENERS: dict[type[Announcement], Any] = {
    IndividualRegistered: lambda work, told: announcement_handlers.individuals_registered(work, [told]),
    IndividualChanged: announcement_handlers.individual_changed,
    OwnerChanged: announcement_handlers.owner_changed,
    IndividualFrozen: announcement_handlers.individual_frozen,
    IndividualFrozenFor: announcement_handlers.individual_frozen_for,
    IndividualErased: announcement_handlers.individual_erased,
    OrganizationRegistered: announcement_handlers.organization_registered,
    OrganizationChanged: announcement_handlers.organization_changed,
    OrganizationErased: announcement_handlers.organization_erased,
    OrganizationsImported: announcement_handlers.organizations_imported,
}


def known(office: Office, table: str, subject_id: str) -> dict[str, Any] | None:
    """Return the stored row of a person, without the id."""
    with office.database.system_transaction() as connection:
        row = connection.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": subject_id}).mappings().one_or_none()
    return {name: str(value) if name.endswith("_id") and value else value for name, value in row.items() if name != "id"} if row else None


def hear(office: Office, *told: Announcement) -> None:
    """Handle these in this order."""
    with office.work(office.heard) as work:
        for one in told:
            LISTENERS[type(one)](work, one, **timed(office, one))


def timed(office: Office, told: Announcement) -> dict[str, Any]:
    """Return the office's time for a listener that takes it."""
    return {"now": office.now} if isinstance(told, IndividualFrozen | IndividualErased | OrganizationErased | OwnerChanged) else {}


def test_in_whatever_order_the_latest_place_and_the_latest_owner_of_an_individual_count(office: Office) -> None:
    employer = office.organization()
    for order in permutations(range(5)):
        dov = new_id()
        told = [
            IndividualRegistered(dov, None, AMINA.id, "ICE", "TX"),
            IndividualChanged(dov, None, "NM", 2),
            OwnerChanged(dov, BRUNO.id, "ICE", 3),
            IndividualChanged(dov, employer, "OK", 4),
            OwnerChanged(dov, CHLOE.id, "PSO", 5),
        ]
        hear(office, *(told[place] for place in order))
        row = known(office, "people", dov)
        assert row is not None
        assert (row["organization_id"], row["state"], row["owner_id"], row["component"]) == (employer, "OK", CHLOE.id, "PSO"), order


def test_in_whatever_order_the_latest_word_on_an_organization_counts(office: Office) -> None:
    for order in permutations(range(3)):
        larkspur = new_id()
        told = [
            OrganizationRegistered(larkspur, "TX", None),
            OrganizationChanged(larkspur, "NM", "private_sector", 2),
            OrganizationChanged(larkspur, "OK", "tribal", 3),
        ]
        hear(office, *(told[place] for place in order))
        row = known(office, "organizations", larkspur)
        assert row is not None
        assert (row["state"], row["sector"]) == ("OK", "tribal"), order


@pytest.mark.requirement("R166", "N3")
def test_in_whatever_order_whoever_is_erased_stays_so(office: Office) -> None:
    for order in permutations(range(5)):
        dov, larkspur = new_id(), new_id()
        told = [
            IndividualRegistered(dov, larkspur, AMINA.id, "ICE", "TX"),
            IndividualChanged(dov, larkspur, "NM", 2),
            OwnerChanged(dov, BRUNO.id, "ICE", 3),
            IndividualFrozen(dov, new_id(), "phone", "2026-11-23", CHLOE.id, "PSO"),
            IndividualErased(dov, "no_contact"),
        ]
        hear(office, *(told[place] for place in order))
        assert known(office, "people", dov) is None, order
    for order in permutations(range(3)):
        larkspur = new_id()
        told = [OrganizationRegistered(larkspur, "TX", None), OrganizationChanged(larkspur, "NM", None, 2), OrganizationErased(larkspur, "mistake")]
        hear(office, *(told[place] for place in order))
        assert known(office, "organizations", larkspur) is None, order


@pytest.mark.requirement("T21")
def test_in_whatever_order_whoever_is_frozen_stays_so(office: Office) -> None:
    for order in permutations(range(4)):
        dov, request_id = new_id(), new_id()
        told = [
            IndividualRegistered(dov, None, AMINA.id, "ICE", "TX"),
            IndividualChanged(dov, None, "NM", 2),
            OwnerChanged(dov, BRUNO.id, "ICE", 3),
            IndividualFrozen(dov, request_id, "phone", "2026-11-23", CHLOE.id, "PSO"),
        ]
        hear(office, *(told[place] for place in order))
        assert (known(office, "people", dov) or {})["frozen_request_id"] == request_id, order


@pytest.mark.requirement("T26")
def test_in_whatever_order_a_possible_twin_is_frozen_for_those_named_last(office: Office) -> None:
    for order in permutations(range(4)):
        dov = new_id()
        told = [
            IndividualRegistered(dov, None, AMINA.id, "ICE", "TX"),
            IndividualFrozenFor(dov, ["ICE"], 1),
            IndividualFrozenFor(dov, ["ICE", "PSO"], 2),
            IndividualFrozenFor(dov, ["PSO"], 3),
        ]
        hear(office, *(told[place] for place in order))
        assert (known(office, "people", dov) or {})["frozen_for"] == ["PSO"], order


def test_in_whatever_order_an_organization_that_is_erased_is_nobodys_employer(office: Office) -> None:
    for order in permutations(range(3)):
        dov, ida, larkspur = new_id(), new_id(), new_id()
        told = [
            IndividualRegistered(dov, larkspur, AMINA.id, "ICE", "TX"),
            IndividualChanged(ida, larkspur, "TX", 2),
            OrganizationErased(larkspur, "mistake"),
        ]
        hear(office, *(told[place] for place in order))
        assert [(known(office, "people", one) or {})["organization_id"] for one in (dov, ida)] == [None, None], order


@pytest.mark.requirement("R166", "N3")
@pytest.mark.parametrize(
    "late",
    [
        lambda dov: IndividualRegistered(dov, None, AMINA.id, "ICE", "TX"),
        lambda dov: IndividualChanged(dov, None, "NM", 2),
        lambda dov: OwnerChanged(dov, BRUNO.id, "ICE", 3),
        lambda dov: IndividualFrozen(dov, new_id(), "phone", "2026-11-23", CHLOE.id, "PSO"),
    ],
    ids=["registered", "changed", "handed-over", "frozen"],
)
@pytest.mark.parametrize("first", ["erased", "late"])
def test_a_message_that_is_worked_off_at_the_very_moment_of_the_erasing_brings_nobody_back(office: Office, late: Any, first: str) -> None:
    dov = new_id()
    told = late(dov), IndividualErased(dov, "no_contact")
    one, other = told if first == "late" else told[::-1]
    with office.work(office.heard) as work:
        # Each sees nothing of what the other has not committed.
        LISTENERS[type(one)](work, one, **timed(office, one))
        second = eventlet.spawn(hear, office, other)
        with eventlet.Timeout(0.3, exception=False):
            second.wait()
    second.wait()
    assert known(office, "people", dov) is None


def test_what_was_sent_before_there_were_revisions_is_older_than_any_that_bears_one(office: Office) -> None:
    dov = office.individual()
    old = IndividualChanged.from_wire({"individual_id": dov, "organization_id": None, "state": "NM"})
    hear(office, old)
    assert (known(office, "people", dov) or {})["state"] == "NM"
    hear(office, IndividualChanged(dov, None, "OK", 2), old)
    assert (known(office, "people", dov) or {})["state"] == "OK"


def test_every_change_of_an_issue_is_told_with_a_higher_revision(office: Office) -> None:
    top, other = office.issue(), office.issue(name="Freight", priority="one_dhs")
    below = office.issue(parent_id=top)
    for change in ({"active": False}, {"priority": "one_dhs"}, {"parent_id": other}):
        shown = office.do(AMINA, issues.read_issue, issue_id=top)
        office.do(AMINA, issues.change_issue, issue_id=top, if_match=entity_tag(shown), **change)
    told = office.announced("interactions:issue:registered") + office.announced("interactions:issue:changed")
    assert [one["revision"] for one in told if one["issue_id"] == top] == [1, 2, 3, 4]
    assert [(one["revision"], one["priority"]) for one in told if one["issue_id"] == below] == [(1, "immigration"), (2, "one_dhs")]


@pytest.mark.requirement("R77", "R166")
def test_imported_organizations_are_known_but_for_what_is_erased_and_what_was_told_later_stays(office: Office) -> None:
    fresh, changed, erased = new_id(), new_id(), new_id()
    hear(office, OrganizationChanged(changed, "NM", "tribal", 2), OrganizationErased(erased, "mistake"))
    for _ in ("as it comes", "and again"):
        hear(office, OrganizationsImported([[fresh, None], [changed, "TX"], [erased, "TX"]]))
    rows = [known(office, "organizations", each) for each in (fresh, changed, erased)]
    assert [row and (row["state"], row["sector"]) for row in rows] == [(None, None), ("NM", "tribal"), None]
