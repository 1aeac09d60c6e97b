"""What contacts keeps of others' announcements, and the revisions that its own bear."""

from __future__ import annotations

from itertools import permutations

from services.chassis.messages import Caller, entity_tag, new_id
from services.contacts.storage import projections
from services.contacts.usecases import individuals, organizations
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.contacts.conftest import Desk

CONTACTS = Caller.service("contacts")


def test_in_whatever_order_the_latest_word_on_an_issue_counts_and_an_erased_one_stays_so(desk: Desk) -> None:
    for order in permutations((1, 2, 3)):
        issue = new_id()
        with desk.work(CONTACTS) as work:
            for revision in order:
                projections.keep_issue(work, issue_id=issue, priority="one_dhs", parent_id=None, active=revision != 3, revision=revision)
        assert [row.active for row in desk.rows("SELECT active FROM issues WHERE id = :id", id=issue)] == [False], order
        with desk.work(CONTACTS) as work:
            projections.forget_issue(work, issue)
            projections.keep_issue(work, issue_id=issue, priority="one_dhs", parent_id=None, active=True, revision=4)
        assert desk.rows("SELECT 1 FROM issues WHERE id = :id", id=issue) == []


def test_in_whatever_order_the_latest_word_on_an_office_counts(desk: Desk) -> None:
    for order in permutations((1, 2, 3)):
        code = f"X{''.join(map(str, order))}"
        with desk.work(CONTACTS) as work:
            for revision in order:
                projections.keep_component(work, code=code, parent_code=None, active=revision != 3, revision=revision)
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
