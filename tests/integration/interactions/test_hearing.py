"""What others announce comes twice, late and in another order: what is known afterwards is the same."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from sqlalchemy import text

from services.chassis.messages import Announcement, entity_tag, new_id
from services.contacts.contract import (
    IndividualChanged,
    IndividualErased,
    IndividualFrozen,
    IndividualRegistered,
    OrganizationChanged,
    OrganizationErased,
    OrganizationRegistered,
    OwnerChanged,
)
from services.interactions.usecases import hearing, issues
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.interactions.conftest import Office

LISTENERS: dict[type[Announcement], Any] = {
    IndividualRegistered: hearing.individual_registered,
    IndividualChanged: hearing.individual_changed,
    OwnerChanged: hearing.owner_changed,
    IndividualFrozen: hearing.individual_frozen,
    IndividualErased: hearing.individual_erased,
    OrganizationRegistered: hearing.organization_registered,
    OrganizationChanged: hearing.organization_changed,
    OrganizationErased: hearing.organization_erased,
}


def known(office: Office, table: str, subject_id: str) -> dict[str, Any] | None:
    """Return the row that is kept of somebody, without the id."""
    with office.database.plain() as connection:
        row = connection.execute(text(f"SELECT * FROM {table} WHERE id = :id"), {"id": subject_id}).mappings().one_or_none()
    return {name: str(value) if name.endswith("_id") and value else value for name, value in row.items() if name != "id"} if row else None


def hear(office: Office, *told: Announcement) -> None:
    """Hear these in this order."""
    with office.work(office.heard) as work:
        for one in told:
            listener = LISTENERS[type(one)]
            takes_time = isinstance(one, IndividualFrozen | IndividualErased | OrganizationErased)
            listener(work, one, **({"now": office.now} if takes_time else {}))


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
