"""What the PIA's sections 1 to 8 allow to be stored about people, organizations, interactions, events and issues, over HTTP."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from tests.builders import an_individual, an_interaction, an_issue, an_organization
from tests.deployed import Deployed
from tests.journeys.client import Person
from tests.support import eventually
from tests.system import Running

ROOT = Path(__file__).parents[2]

System = Running | Deployed


@pytest.fixture
def amina(system: System) -> Person:
    return Person(system.base).sign_in(system.account("ICE", "contributor"))


@pytest.fixture
def chloe(system: System) -> Person:
    return Person(system.base).sign_in(system.account("PSO", "contributor"))


@pytest.mark.requirement("R19", "R72", "R130", "T1")
def test_five_types_of_information_are_entered_by_employees_and_kept(amina: Person) -> None:
    organization = amina.post("/organizations", an_organization())
    person = amina.post("/individuals", an_individual(organization_id=organization["id"]))
    issue = amina.post("/issues", an_issue())
    starts = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    event = amina.post("/events", {"name": "Round table", "starts_at": starts.strftime("%Y-%m-%dT%H:%M:%SZ"), "place": "Houston"})
    talk = amina.post("/interactions", an_interaction(person["id"], issue_ids=[issue["id"]]))
    made = (("organizations", organization), ("individuals", person), ("issues", issue), ("events", event), ("interactions", talk))
    for kind, one in made:
        assert amina.get(f"/{kind}/{one['id']}")["id"] == one["id"]


@pytest.mark.requirement("R3", "R143", "R155")
def test_every_office_uses_one_directory_and_sees_the_same_names(amina: Person, chloe: Person) -> None:
    offices = {component["code"] for component in amina.get("/components")["items"]}
    assert {"ICE", "PSO", "FEMA", "USCIS", "CBP"} <= offices
    person = amina.post("/individuals", an_individual())
    seen = chloe.get(f"/individuals/{person['id']}")
    assert (seen["id"], seen["first_name"], seen["last_name"]) == (person["id"], person["first_name"], person["last_name"])
    assert person["id"] in {item["id"] for item in chloe.get("/stakeholders", q=person["last_name"])["items"]}


@pytest.mark.requirement("R23", "R25", "R75")
def test_an_organization_nobody_knows_is_entered_from_a_public_search_with_its_issues(amina: Person) -> None:
    issue = amina.post("/issues", an_issue())["id"]
    address = {"street": "1 Main Street", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"}
    where = {"source": "public", "source_url": "https://example.org/about", "address": address, "office_phone": "512-555-0100"}
    made = amina.post("/organizations", an_organization(issues=[{"issue_id": issue, "kind": "engaged"}], **where))
    found = amina.get(f"/organizations/{made['id']}")
    assert (found["source"], found["source_url"]) == ("public", "https://example.org/about")
    assert found["address"]["city"] == "Austin"
    assert re.sub(r"\D", "", found["office_phone"]) == "5125550100"
    assert [each["issue_id"] for each in found["issues"]] == [issue]


@pytest.mark.requirement("R30", "R31", "R32", "R33", "R94")
def test_phones_of_each_kind_and_an_email_are_held_apart_and_serve_to_reach_the_person(amina: Person) -> None:
    points = [
        ("cell", "202-555-0101"),
        ("personal_phone", "202-555-0102"),
        ("personal_phone", "202-555-0103"),
        ("work_phone", "202-555-0104"),
        ("email", "reach.me@example.org"),
    ]
    person = amina.post("/individuals", an_individual(contact_points=[{"kind": kind, "value": value} for kind, value in points]))
    shown = amina.get(f"/individuals/{person['id']}/contact-points")["items"]
    digits = sorted((item["kind"], re.sub(r"[^\d@a-z.]", "", item["value"])) for item in shown)
    assert digits == sorted((kind, re.sub(r"[^\d@a-z.]", "", value)) for kind, value in points)


@pytest.mark.requirement("R36", "R47", "R76")
def test_interests_are_held_an_interest_in_an_issue_ends_and_a_public_record_says_so(amina: Person) -> None:
    issue = amina.post("/issues", an_issue())["id"]
    interested = {"issue_id": issue, "kind": "interested"}
    person = amina.post("/individuals", an_individual(source="public", interests=["writes op-eds"], issues=[interested]))
    found = amina.get(f"/individuals/{person['id']}")
    assert (found["source"], found["interests"]) == ("public", ["writes op-eds"])
    ended = dt.datetime.now(dt.UTC).date().isoformat()
    amina.patch(f"/individuals/{person['id']}", {"issues": [{**interested, "ended_on": ended}]})
    assert [each["ended_on"] for each in amina.get(f"/individuals/{person['id']}")["issues"]] == [ended]


@pytest.mark.requirement("R37", "R38", "R40", "R171", "R175")
def test_any_user_writes_notes_and_corrects_what_the_stakeholder_told(system: System, amina: Person, chloe: Person) -> None:
    person = amina.post("/individuals", an_individual())
    reader = Person(system.base).sign_in(system.account("FEMA", "reader"))
    text = "Attended the trade fair of the port authority."
    for whoever in (amina, chloe, reader):
        made = whoever.post(f"/individuals/{person['id']}/notes", {"text": text, "provenance": "conversation"})
        assert (made["text"], made["provenance"]) == (text, "conversation")
    chloe.patch(f"/individuals/{person['id']}", {"title": "Chief of Staff"})
    assert amina.get(f"/individuals/{person['id']}")["title"] == "Chief of Staff"
    nobody = Person(system.base)
    assert nobody.ask("PATCH", f"/individuals/{person['id']}", json={"title": "x"}, headers={"If-Match": '"x"'}).status_code == 401


@pytest.mark.requirement("R54", "R63", "R90", "R93")
def test_what_an_office_did_is_seen_by_others_before_they_talk_and_nothing_more_than_a_talk_must_be_said(amina: Person, chloe: Person) -> None:
    person = amina.post("/individuals", an_individual())
    bare = an_interaction(person["id"])
    del bare["outcome"]
    amina.post("/interactions", bare)
    starts = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    event = amina.post("/events", {"name": "Listening session", "starts_at": starts.strftime("%Y-%m-%dT%H:%M:%SZ"), "place": "Laredo"})
    assert event["component"] == "ICE"
    history = chloe.get(f"/individuals/{person['id']}/history")["items"]
    assert {item["component"] for item in history if item.get("component")} == {"ICE"}
    assert event["id"] in {item["id"] for item in chloe.get("/events")["items"]}


@pytest.mark.requirement("R174", "N6")
def test_whoever_learns_of_it_freezes_a_record_at_any_time_and_its_owner_erases_it(amina: Person, chloe: Person) -> None:
    person = amina.post("/individuals", an_individual())
    today = dt.datetime.now(dt.UTC).date().isoformat()
    request = chloe.post("/no-contact-requests", {"individual_id": person["id"], "medium": "phone", "received_on": today})
    assert amina.get(f"/individuals/{person['id']}")["frozen"]
    assert amina.ask("PATCH", f"/individuals/{person['id']}", json={"title": "x"}, headers={"If-Match": '"x"'}).status_code in {409, 412}
    assert chloe.ask("POST", f"/no-contact-requests/{request['id']}/erase").status_code in {403, 404, 409}, "not by whoever recorded it"
    amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)
    eventually(lambda: amina.ask("GET", f"/individuals/{person['id']}").status_code == 404, seconds=60, why="it is erased")


@pytest.mark.requirement("N7", "R104")
def test_the_acknowledgement_is_a_state_of_the_session_and_no_dialog(system: System) -> None:
    account = system.account("ICE", "contributor")
    person = Person(system.base).sign_in(account, acknowledge=False)
    paths = ("/individuals", "/issues", "/events", "/tasks", "/stakeholders", "/imports", "/components", "/reports/coverage-gaps")
    for path in paths:
        answer = person.ask("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (403, "acknowledgement-required"), path
    again = Person(system.base).sign_in(account)
    assert again.ask("GET", "/individuals").status_code == 200
    assert person.ask("GET", "/individuals").status_code in {401, 403}, "another session's acknowledgement is not this one's"


@pytest.mark.requirement("R12", "R98", "R158", "R189")
def test_nothing_leads_out_and_nobody_enters_themselves(system: System, amina: Person) -> None:
    document = json.loads(Person(system.base).ask("GET", "/openapi.json", expect=200).text)
    operations = {(method, path) for path, item in document["paths"].items() for method in item}
    for method, path in operations:
        assert not re.search(r"export|disclos|download|webhook|mailing|register$|sign-up", path), (method, path)
    assert ("post", "/users") not in operations or Person(system.base).ask("POST", "/users", json={}).status_code == 401
    files = {path for path, item in document["paths"].items() if "text/csv" in json.dumps(item.get("get", {}))}
    assert files <= {"/imports/{import_id}/rows.csv", "/api/v1/imports/{import_id}/rows.csv"}, (
        "the importer's own refused rows, and no list of people"
    )
    for path in ("/individuals.csv", "/stakeholders.csv", "/exports"):
        assert amina.ask("GET", path).status_code == 404


@pytest.mark.requirement("R182")
def test_the_procedure_of_access_is_written_down_and_is_what_the_system_does() -> None:
    from services.access.domain.users import Grounds, User, lapses

    written = (ROOT / "docs" / "accounts.md").read_text()
    nobody = User(id="1", username="u", name="U", component="ICE", level=None, roles=frozenset(), active=False)
    for lapse in lapses(nobody, Grounds(), today=dt.datetime.now(dt.UTC).date()):
        assert lapse.rule in written, lapse
