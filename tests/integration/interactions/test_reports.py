"""The reports over engagement against PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.chassis.messages import Forbidden, NotFound, new_id
from services.contacts.contract.announcements import IndividualChanged, IndividualErased, IndividualRegistered
from services.interactions.usecases import announcement_handlers, reading
from services.lexicon.places import STATES
from tests.cast import AMINA, CHLOE, EDDA
from tests.integration.interactions.conftest import Office


@pytest.mark.requirement("R88", "R100", "R102", "T12", "T18")
def test_texas_is_strong_and_new_mexico_is_missing_inside_one_region(office: Office) -> None:
    issue = office.issue()
    texans = [office.individual(state="TX") for _ in range(6)]
    for _ in range(5):
        office.individual(state="NM")
    for texan in texans[:5]:
        office.talk(individual_ids=[texan], issue_ids=[issue])
    office.talk(individual_ids=[texans[0]], issue_ids=[issue])
    office.talk(individual_ids=[texans[5]])
    texas, mexico = (office.state(CHLOE, code, issue_id=issue) for code in ("TX", "NM"))
    assert (texas["spoken_to"], texas["known"], texas["name"]) == (5, 6, "Texas")
    assert (mexico["spoken_to"], mexico["known"]) == (0, 5)
    report = office.do(CHLOE, reading.report_spoken_to, query={"issue_id": issue, "fema_region": 6})
    (region,) = report["regions"]
    assert (region["fema_region"], region["spoken_to"], region["known"]) == (6, 5, 11)
    assert [state["state"] for state in region["states"]] == ["AR", "LA", "NM", "OK", "TX"]
    assert report["total"]["known"] == 11


@pytest.mark.requirement("R56", "R71", "R100")
def test_attendance_counts_and_so_do_issues_below_and_organizations_are_counted_beside(office: Office) -> None:
    top = office.issue(name="Immigration at work")
    below = office.issue(parent_id=top)
    larkspur, dov = office.organization(state="OK"), office.individual(state="OK")
    office.attend(AMINA, office.event(issue_ids=[below]), dov, organization_ids=(larkspur,))
    row = office.state(CHLOE, "OK", issue_id=top)
    assert row == {
        "state": "OK",
        "name": "Oklahoma",
        "spoken_to": 1,
        "known": 1,
        "organizations_spoken_to": 1,
        "organizations_known": 1,
    }
    assert office.state(CHLOE, "OK", priority="one_dhs")["spoken_to"] == 0
    assert office.state(CHLOE, "OK", priority="immigration")["spoken_to"] == 1


@pytest.mark.requirement("R100")
def test_only_the_period_and_the_component_asked_for_count(office: Office) -> None:
    dov = office.individual()
    office.talk(individual_ids=[dov], ago=timedelta(days=10))
    week = office.now - timedelta(days=7)
    assert office.state(CHLOE, "TX", since=week)["spoken_to"] == 0
    assert office.state(CHLOE, "TX", until=week)["spoken_to"] == 1
    assert office.state(CHLOE, "TX", component="PSO")["spoken_to"] == 0
    assert office.state(CHLOE, "TX", component="ICE")["spoken_to"] == 1


@pytest.mark.requirement("R5", "R88", "R97", "T12")
def test_gaps_name_states_where_nobody_was_spoken_to_and_where_nobody_is_known(office: Office) -> None:
    issue = office.issue()
    for _ in range(2):
        office.individual(state="NM")
    office.talk(individual_ids=[office.individual(state="TX")], issue_ids=[issue])
    gaps = office.do(CHLOE, reading.report_coverage_gaps, query={"issue_id": issue})
    assert gaps["items"][0] == {"fema_region": 6, "state": "NM", "name": "New Mexico", "known": 2, "gap": "not_spoken_to"}
    assert {item["gap"] for item in gaps["items"][1:]} == {"nobody_known"}
    assert gaps["total"] == len(STATES) - 1
    assert "TX" not in {item["state"] for item in gaps["items"]}


@pytest.mark.requirement("T21")
def test_the_frozen_and_the_erased_are_in_no_count(office: Office) -> None:
    dov, other = office.individual(), office.individual()
    office.talk(individual_ids=[dov, other])
    office.freeze(dov, CHLOE)
    assert office.state(AMINA, "TX") == {**office.state(CHLOE, "TX"), "spoken_to": 1, "known": 1}
    office.hear(announcement_handlers.individual_erased, IndividualErased(other, "expired"))
    assert office.state(CHLOE, "TX")["known"] == 0


def test_an_individual_counts_where_they_are_now_in_whatever_order_it_was_told(office: Office) -> None:
    late, moved, nowhere = new_id(), office.individual(), office.individual(state=None)
    office.hear(announcement_handlers.individual_changed, IndividualChanged(late, None, "OK"))
    office.hear(announcement_handlers.individuals_registered, [IndividualRegistered(late, None, AMINA.id, "ICE", "TX")])
    office.hear(announcement_handlers.individual_changed, IndividualChanged(moved, None, "NM"))
    assert [office.state(CHLOE, code)["known"] for code in ("TX", "OK", "NM")] == [0, 1, 1]
    without = office.do(CHLOE, reading.report_spoken_to, query={})["without_state"]
    assert without["known"] == 1
    assert office.talk(individual_ids=[late, nowhere])


def test_reports_are_for_users_with_a_level_and_about_issues_that_exist(office: Office) -> None:
    with pytest.raises(Forbidden):
        office.do(EDDA, reading.report_spoken_to, query={})
    with pytest.raises(NotFound):
        office.do(CHLOE, reading.report_spoken_to, query={"issue_id": new_id()})


@pytest.mark.requirement("R100", "T21")
def test_how_many_are_known_is_kept_as_it_would_be_counted(office: Office) -> None:
    people = [office.individual(state=state) for state in ("TX", "TX", "NM", None)]
    office.organization(state="OK")
    office.hear(announcement_handlers.individual_changed, IndividualChanged(people[0], None, "NM"))
    office.freeze(people[1], AMINA)
    office.hear(announcement_handlers.individual_erased, IndividualErased(people[2], "expired"))
    office.hear(announcement_handlers.individual_changed, IndividualChanged(new_id(), None, "CA"))
    counted = (
        "SELECT 'people' AS kind, state, count(*) AS n FROM people WHERE frozen_request_id IS NULL GROUP BY 2"
        " UNION ALL SELECT 'organizations', state, count(*) FROM organizations GROUP BY 2"
    )
    kept = "SELECT kind, state, sum(counted)::bigint AS n FROM tallies GROUP BY 1, 2 HAVING sum(counted) <> 0"
    with office.work(AMINA) as work:
        assert sorted(map(str, work.execute(text(kept)))) == sorted(map(str, work.execute(text(counted))))
        assert len(work.execute(text(counted)).all()) == 4
