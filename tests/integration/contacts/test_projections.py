"""Contacts' copies of others' announcements, and the revisions of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import permutations

import eventlet
import pytest

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, entity_tag, new_id
from services.contacts.storage import projections
from services.contacts.usecases import announcement_handlers, erasing, individuals, organizations
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.contacts.conftest import RETENTION, Desk

CONTACTS = Caller.service("contacts")


def test_in_whatever_order_the_latest_word_on_an_issue_counts_and_an_erased_one_stays_so(desk: Desk) -> None:
    for order in permutations((1, 2, 3)):
        issue = new_id()
        with desk.work(CONTACTS) as work:
            for revision in order:
                projections.upsert_issue_projection(work, issue_id=issue, priority="one_dhs", parent_id=None, active=revision != 3, revision=revision)
        assert [row.active for row in desk.rows("SELECT active FROM issues WHERE id = :id", id=issue)] == [False], order
        with desk.work(CONTACTS) as work:
            projections.delete_issue_projection(work, issue)
            projections.upsert_issue_projection(work, issue_id=issue, priority="one_dhs", parent_id=None, active=True, revision=4)
        assert desk.rows("SELECT 1 FROM issues WHERE id = :id", id=issue) == []


def test_a_talk_that_is_told_of_late_brings_no_erased_issue_back(desk: Desk) -> None:
    dov, issue = desk.dov(), desk.issue()
    with desk.work(CONTACTS) as work:
        projections.delete_issue_projection(work, issue)
    desk.talked(AMINA, dov, issues=(issue,))
    assert [row.issue_ids for row in desk.rows("SELECT issue_ids FROM engagements")] == [[]]
    assert desk.read(AMINA, dov)["issues"] == []


@pytest.mark.requirement("R166", "N3")
@pytest.mark.parametrize("first", ["erased", "talk"])
def test_a_talk_that_is_told_of_at_the_very_moment_of_the_erasing_leaves_nothing(desk: Desk, first: str) -> None:
    dov, erasure_id = desk.dov(), new_id()
    case = {"erasure_id": erasure_id, "individual_id": dov}
    erase = partial(erasing.erase_individual, now=desk.now, layer=desk.layer, cause="no_contact", **case)
    talk = partial(
        announcement_handlers.note_engagement,
        source_id=new_id(),
        individual_ids=[dov],
        organization_ids=[],
        issue_ids=[],
        component="PSO",
        user_id=CHLOE.id,
        held_at=desk.now.isoformat(),
        mode="phone",
    )
    acts = [(RETENTION, "eraser", erase), (CONTACTS, None, talk)]
    one, other = acts if first == "erased" else acts[::-1]

    def act(by: Caller, role: str | None, does: Callable[[UnitOfWork], object]) -> None:
        with desk.work(by, role) as work:
            does(work)

    with desk.work(one[0], one[1]) as work:
        one[2](work)
        second = eventlet.spawn(act, *other)
        with eventlet.Timeout(0.3, exception=False):
            second.wait()
    second.wait()
    for table in ("engagements", "relationships"):
        assert desk.rows(f"SELECT 1 FROM {table} WHERE stakeholder_id = :id", id=dov) == []


def test_in_whatever_order_the_latest_word_on_an_office_counts(desk: Desk) -> None:
    for order in permutations((1, 2, 3)):
        code = f"X{''.join(map(str, order))}"
        with desk.work(CONTACTS) as work:
            for revision in order:
                projections.upsert_component_projection(work, code=code, parent_code=None, active=revision != 3, revision=revision)
        assert [row.active for row in desk.rows("SELECT active FROM components WHERE code = :code", code=code)] == [False], order


def test_what_contacts_tells_of_a_record_bears_the_version_that_its_readers_see(desk: Desk) -> None:
    dov = desk.dov()
    desk.change(CHLOE, dov, state="NM")
    desk.do(AMINA, individuals.hand_over, individual_id=dov, owner=BRUNO.id)
    desk.change(CHLOE, dov, state="OK")
    told = [one["revision"] for one in desk.announced("contacts:individual:changed")]
    (handed,) = desk.announced("contacts:individual:handed-over")
    assert told[0] < handed["revision"] < told[1] == desk.read(AMINA, dov)["version"]
    larkspur = desk.organization(name="Larkspur Growers")
    changed = desk.do(CHLOE, organizations.change_organization, organization_id=larkspur["id"], if_match=entity_tag(larkspur), sector="tribal")
    (organization,) = desk.announced("contacts:organization:changed")
    assert organization["revision"] == changed["version"] > larkspur["version"]
