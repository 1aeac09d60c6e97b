"""The first path through the whole system: sign in, acknowledge, create, read, and find all of it in the trail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import an_individual
from tests.journeys.client import Person
from tests.journeys.stories import assert_in_the_trail


@pytest.fixture
def amina(system: Any) -> Person:
    """Signed in at ICE, with the three statements acknowledged."""
    return Person(system.base).sign_in(system.account("ICE", "contributor"))


@pytest.mark.requirement("R1", "R118", "R119", "R120", "R123")
def test_what_amina_does_is_done_and_every_step_of_it_is_in_a_trail_that_verifies(system: Any, amina: Person) -> None:
    body = an_individual(first_name="Isidore", last_name="Quillfeather-Onepath")
    made = amina.post("/individuals", body)
    read = amina.get(f"/individuals/{made['id']}")
    assert {name: read[name] for name in body} == body
    assert read["owner"]["component"] == "ICE"
    assert_in_the_trail(system, [amina], ["Isidore", "Onepath"])


@pytest.mark.requirement("R103", "R104", "R105", "R110")
def test_nothing_is_reachable_before_the_acknowledgement(system: Any) -> None:
    bruno = Person(system.base).sign_in(system.account("ICE", "contributor", 1), acknowledge=False)
    for path in ("/individuals", "/organizations", "/stakeholders", "/issues", "/interactions", "/tasks", "/components"):
        assert bruno.ask("GET", path, expect=403).json()["code"] == "acknowledgement-required"
    refused = bruno.ask("POST", "/individuals", expect=403, json=an_individual())
    assert refused.json()["code"] == "acknowledgement-required"


@pytest.mark.requirement("R118")
def test_nothing_is_reachable_without_a_session(system: Any) -> None:
    nobody = Person(system.base)
    for path in ("/individuals", "/stakeholders", "/audit/entries", "/sessions/current"):
        answer = nobody.ask("GET", path, expect=401)
        assert answer.json()["code"] == "session-required"
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_same_post_twice_makes_one_record(system: Any, amina: Person) -> None:
    body = an_individual(last_name="Twicepost")
    first, second = (amina.ask("POST", "/individuals", expect=201, json=body, headers={"Idempotency-Key": "once-only"}).json() for _ in range(2))
    assert first["id"] == second["id"]
    other = amina.ask("POST", "/individuals", expect=409, json={**body, "title": "Another"}, headers={"Idempotency-Key": "once-only"})
    assert other.json()["code"] == "idempotency-mismatch"


def test_a_stale_change_is_refused_and_one_without_a_version_too(system: Any, amina: Person) -> None:
    path = f"/individuals/{amina.post('/individuals', an_individual(last_name='Staleton'))['id']}"
    seen = amina.ask("GET", path, expect=200).headers["ETag"]
    assert amina.ask("PATCH", path, expect=428, json={"title": "Mayor"}).json()["code"]
    amina.ask("PATCH", path, expect=200, json={"title": "Mayor"}, headers={"If-Match": seen})
    amina.ask("PATCH", path, expect=412, json={"title": "Governor"}, headers={"If-Match": seen})
    assert amina.get(path)["title"] == "Mayor"


def test_signing_out_ends_the_session_everywhere_at_once(system: Any, amina: Person) -> None:
    amina.ask("DELETE", "/sessions/current", expect=204)
    assert amina.ask("GET", "/individuals").status_code == 401


def test_a_password_that_is_wrong_and_a_user_who_is_not_are_told_apart_by_nobody(system: Any) -> None:
    account = system.account("ICE", "contributor")
    answers = [
        Person(system.base).ask("POST", "/sessions", expect=401, json={"username": username, "password": "a wrong guess"}).json()
        for username in (account["username"], "nobody-of-that-name")
    ]
    for answer in answers:
        del answer["trace_id"]
    assert answers[0] == answers[1]
