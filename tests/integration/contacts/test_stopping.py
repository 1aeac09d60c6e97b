"""Stopped or killed in the middle of background work, contacts does the rest afterwards, and nothing twice."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.contacts.usecases import contact_points
from tests.cast import CHLOE, GRACE
from tests.integration.contacts.conftest import Desk
from tests.integration.contacts.test_imports import SYSTEM, Porter
from tests.integration.contacts.test_undoing import people

#: How many of those who wait one step of the matcher takes: so much is under way when it is asked to stop.
STEP = 200


@pytest.mark.requirement("T23")
def test_the_matcher_killed_in_a_step_does_it_again_and_tells_of_each_likeness_once(desk: Desk) -> None:
    porter = Porter(desk)
    many = STEP + 1
    # Other people, of another office, under the same e-mail addresses.
    porter.bring(people(many), by=GRACE)
    porter.bring(people(many).replace("Levi", "Adams").replace("Company", "Works").replace("713-", "214-"), by=CHLOE)

    def step(*, killed: bool = False) -> int:
        with desk.work(SYSTEM, role="matcher") as work:
            done = contact_points.match_waiting(work)
            if killed:
                raise SystemExit
        return done

    def waiting() -> int:
        with desk.work(SYSTEM, role="matcher") as work:
            return int(work.execute(text("SELECT count(*) FROM match_queue")).scalar_one())

    steps: list[int] = []
    while not steps or steps[-1]:
        before = waiting()
        with pytest.raises(SystemExit):
            step(killed=True)
        assert waiting() == before, "what was not committed waits still"
        steps.append(step())
    assert steps == [STEP, STEP, 2, 0], "no step is longer than that, however many wait"
    with desk.work(SYSTEM, role="matcher") as work:
        found = work.execute(text("SELECT count(*) AS all, count(DISTINCT other_id) AS people FROM likenesses")).one()
    assert tuple(found) == (many, many)
