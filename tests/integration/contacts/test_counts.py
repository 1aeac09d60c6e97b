"""Counts and places that triggers maintain equal a count of the rows, whoever wrote, in whatever order."""

from __future__ import annotations

import eventlet
import pytest
from sqlalchemy import create_engine, text

from services.chassis.messages import new_id
from services.contacts.usecases import search
from tests.cast import AMINA, BRUNO
from tests.integration.contacts.conftest import Desk
from tests.support import eventually


def assert_kept(desk: Desk) -> None:
    """Compare the maintained counts with counted ones, and each link's state with the directory's."""
    counted = desk.rows("SELECT state, type, count(*) AS n FROM directory GROUP BY 1, 2 ORDER BY 1, 2")
    kept = desk.rows("SELECT state, type, sum(counted) AS n FROM directory_tallies GROUP BY 1, 2 HAVING sum(counted) <> 0 ORDER BY 1, 2")
    assert [tuple(row) for row in kept] == [tuple(row) for row in counted]
    assert desk.rows("SELECT 1 FROM stakeholder_issues s LEFT JOIN directory d USING (stakeholder_id) WHERE s.state IS DISTINCT FROM d.state") == []


@pytest.mark.requirement("R101")
def test_kept_numbers_and_places_are_right_whatever_is_done(desk: Desk) -> None:
    issue = desk.issue()
    entered = [
        desk.register(AMINA, last_name=f"Person {n}", state=state, issue_ids=[issue])["id"] for n, state in enumerate(["TX", "TX", "NM", None])
    ]
    desk.organization(name="Larkspur", state="TX", issue_ids=[issue])
    assert_kept(desk)
    desk.change(BRUNO, entered[0], state="NM")
    desk.change(BRUNO, entered[3], state="CA", issues=[{"issue_id": issue, "kind": "interested"}])
    desk.talked(AMINA, *entered[:3], issues=(desk.issue(),))
    assert_kept(desk)
    desk.freeze(BRUNO, entered[1])
    assert_kept(desk)
    desk.erase(entered[1])
    desk.erase(entered[2], cause="expired")
    assert_kept(desk)
    assert desk.do(AMINA, search.stakeholders_by_region, query={})["total"] == 3
    asked = {"issue": issue, "state": "NM", "limit": 1}
    assert desk.do(AMINA, search.search_stakeholders, query=asked)["total"] == 1


@pytest.mark.requirement("T21")
def test_whoever_is_frozen_is_not_counted_though_a_link_comes_later(desk: Desk) -> None:
    issue, other = desk.issue(), desk.issue()
    found, frozen = (desk.register(AMINA, last_name=name, state="TX", issue_ids=[issue])["id"] for name in ("Found", "Frozen"))

    def totals() -> list[int]:
        asked = ({"issue": each, "state": "TX", "limit": 1} for each in (issue, other))
        return [desk.do(AMINA, search.search_stakeholders, query=query)["total"] for query in asked]

    assert totals() == [2, 0]
    desk.freeze(BRUNO, frozen)
    desk.talked(AMINA, frozen, found, issues=(other,))
    assert_kept(desk)
    assert totals() == [1, 1]
    linked = "SELECT count(*) AS n FROM stakeholder_issues WHERE issue_id = :issue"
    assert [desk.rows(linked, issue=each)[0].n for each in (issue, other)] == [2, 2]


def test_a_link_made_while_the_state_changes_has_the_later_state(desk: Desk) -> None:
    somebody = desk.register(AMINA, last_name="Person", state="TX")["id"]
    engine = create_engine(desk.database.engine.url)
    with engine.connect() as moving, engine.connect() as linking:
        moving.execute(text("UPDATE directory SET state = 'NM' WHERE stakeholder_id = :id"), {"id": somebody})
        link = text("INSERT INTO stakeholder_issues (stakeholder_id, issue_id, kind) VALUES (:id, :issue, 'engaged')")
        waiting = eventlet.spawn(linking.execute, link, {"id": somebody, "issue": new_id()})
        stuck = "SELECT 1 FROM pg_locks WHERE NOT granted"
        eventually(lambda: waiting.dead or desk.rows(stuck), seconds=10, why="the link is made, or waits")
        moving.commit()
        waiting.wait()
        linking.commit()
    engine.dispose()
    assert [row.state for row in desk.rows("SELECT state FROM stakeholder_issues WHERE stakeholder_id = :id", id=somebody)] == ["NM"]
