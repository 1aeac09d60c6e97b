"""The trials r05 and r08, word for word; twins, and requests made by mistake, over HTTP (T25, T26, T36)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from tests.journeys.client import Person
from tests.support import eventually

R05 = """First name,Last name,Email
Someone,Suppgard,'{mail}'
Someone,Suppgare,"{mail},"
"""


@pytest.fixture
def people(system: Any) -> dict[str, Person]:
    return {
        "amina": Person(system.base).sign_in(system.account("ICE", "contributor")),
        "bruno": Person(system.base).sign_in(system.account("ICE", "contributor", 1)),
        "chloe": Person(system.base).sign_in(system.account("PSO", "contributor")),
        "denis": Person(system.base).sign_in(system.account("PSO", "contributor", 1)),
        "farid": Person(system.base).sign_in(system.account(role="privacy_officer")),
    }


def a_person(by: Person, **more: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Register a person whom no other test knows; return the record and the values."""
    mark = uuid.uuid4()
    digits = f"{mark.int % 8_000_000 + 2_000_000}"
    mail = f"u.erased.{mark.hex[:10]}@gmail.com"
    values = {
        "email": mail,
        "cell": f"505-{digits[:3]}-{digits[3:]}",
        "work_phone": f"575-{digits[:3]}-{digits[3:]}",
        "family": f"Gard{mark.hex[:6]}",
    }
    body = {
        "first_name": "Uma",
        "last_name": values["family"],
        "contact_points": [{"kind": kind, "value": values[kind]} for kind in ("email", "cell", "work_phone")],
        **more,
    }
    return by.post("/individuals", body), values


def no_more_contact(by: Person, individual: dict[str, Any]) -> dict[str, Any]:
    received = dt.datetime.now(dt.UTC).date().isoformat()
    found: dict[str, Any] = by.post("/no-contact-requests", {"individual_id": individual["id"], "medium": "phone", "received_on": received})
    return found


def entered(by: Person, **body: Any) -> tuple[int, str | None]:
    answer = by.ask("POST", "/individuals", json={"last_name": "Nobody", **body})
    return answer.status_code, answer.json().get("code")


@pytest.mark.requirement("T25", "R170", "N6")
def test_r08_from_the_request_on_the_private_sector_office_is_blocked_as_ice_is(people: dict[str, Person]) -> None:
    person, values = a_person(people["amina"])
    no_more_contact(people["denis"], person)
    for by in (people["bruno"], people["chloe"]):
        for kind in ("email", "cell"):
            card = {"contact_points": [{"kind": kind, "value": values[kind]}]}
            assert entered(by, **card) == (409, "blocked")
        named = {"first_name": "Uma", "last_name": values["family"], "contact_points": [{"kind": "work_phone", "value": values["work_phone"]}]}
        assert entered(by, **named) == (409, "blocked")
    assert entered(people["chloe"], contact_points=[{"kind": "work_phone", "value": values["work_phone"]}])[0] == 201, (
        "an office's number is many people's"
    )
    living = people["chloe"].post("/individuals", {"last_name": f"Living{values['family']}"})
    for path, body in (("contact-points", {"kind": "cell"}), ("contact-points/corrections", {"kind": "personal_phone"})):
        refused = people["chloe"].ask("POST", f"/individuals/{living['id']}/{path}", json={**body, "value": values["cell"]}, expect=409)
        assert refused.json()["code"] == "blocked"


@pytest.mark.requirement("T25", "T9", "T35", "R165")
def test_r05_an_erased_mailbox_does_not_come_back_with_what_surrounds_it(people: dict[str, Person]) -> None:
    amina, chloe = people["amina"], people["chloe"]
    person, values = a_person(amina)
    request = no_more_contact(people["denis"], person)
    erasing = amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)
    eventually(lambda: amina.get(f"/erasures/{erasing['erasure_id']}")["state"] == "done", seconds=60)
    for written in (f"'{values['email']}'", f'"{values["email"]},"', f"smtp:{values['email']}", f"{values['email']}?subject=Hello"):
        assert entered(chloe, contact_points=[{"kind": "email", "value": written}]) == (409, "blocked"), written
    imported = chloe.take_in("r05.csv", R05.format(mail=values["email"]).encode())
    # The second row may be the first one's person; of neither does the dry run ask the ledger.
    assert _some(imported["checked"]) == {"create": 1, "undecided": 1}, "a dry run does not look into the ledger"
    assert _some(imported["counts"]) == {"blocked": 2}
    eventually(lambda: [task for task in amina.get("/tasks", limit=200)["items"] if task["kind"] == "erased_notice"], why="every holder is told")


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {outcome: count for outcome, count in counts.items() if count}


@pytest.mark.requirement("T36")
def test_the_recorder_takes_it_back_within_the_hour_and_everything_is_as_before(people: dict[str, Person]) -> None:
    amina, chloe, denis = people["amina"], people["chloe"], people["denis"]
    person, values = a_person(amina)
    request = no_more_contact(denis, person)
    assert request["you_may_withdraw"] == "now"
    chloe.ask("POST", f"/no-contact-requests/{request['id']}/withdraw", json={}, expect=404)
    withdrawn = denis.post(f"/no-contact-requests/{request['id']}/withdraw", {}, expect=200)
    assert withdrawn["state"] == "withdrawn"
    eventually(lambda: chloe.ask("GET", f"/individuals/{person['id']}").status_code == 200, why="contacts frees the record")
    assert chloe.get("/stakeholders", q=values["family"])["total"] == 1
    assert entered(chloe, contact_points=[{"kind": "cell", "value": values["cell"]}])[0] == 201
    held = {
        "held_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "mode": "phone",
        "individual_ids": [person["id"]],
    }
    eventually(lambda: amina.ask("POST", "/interactions", json=held).status_code == 201, why="interactions hears of it")
    assert denis.post(f"/no-contact-requests/{request['id']}/withdraw", {}, expect=200)["state"] == "withdrawn"
    again = no_more_contact(denis, person)
    assert again["id"] != request["id"]
    erasing = amina.post(f"/no-contact-requests/{again['id']}/erase", expect=202)
    refused = denis.ask("POST", f"/no-contact-requests/{again['id']}/withdraw", json={}, expect=409).json()
    assert refused["code"] == "erasure-under-way"
    eventually(lambda: amina.get(f"/erasures/{erasing['erasure_id']}")["state"] == "done", seconds=60)


@pytest.mark.requirement("T36")
def test_the_duty_s_holder_proposes_with_a_reason_and_the_privacy_officer_confirms(people: dict[str, Person]) -> None:
    amina, denis, farid = people["amina"], people["denis"], people["farid"]
    person, _ = a_person(amina)
    request = no_more_contact(denis, person)
    path = f"/no-contact-requests/{request['id']}/withdraw"
    assert farid.ask("POST", path, json={}, expect=409).json()["code"] == "nothing-proposed"
    assert amina.ask("POST", path, json={}, expect=422).json()["code"] == "withdrawal-reason-required"
    screened = amina.ask("POST", path, json={"reason": "He is Catholic; call 512-555-0147."}, expect=422).json()
    assert (screened["code"], list(screened["errors"])) == ("text-needs-review", ["reason"])
    proposed = amina.post(path, {"reason": "She meant her sister."}, expect=200)
    assert (proposed["state"], proposed["withdrawal"]["reason"]) == ("open", "She meant her sister.")
    assert amina.get(f"/individuals/{person['id']}")["frozen"]
    eventually(lambda: [task for task in farid.get("/tasks", limit=200)["items"] if task["subject"]["id"] == request["id"]])
    assert farid.post(path, {"decision": "decline"}, expect=200)["withdrawal"] is None
    amina.post(path, {"reason": "She meant her sister."}, expect=200)
    assert farid.post(path, {"decision": "confirm"}, expect=200)["state"] == "withdrawn"
    eventually(lambda: not amina.get(f"/individuals/{person['id']}")["frozen"])


@pytest.mark.requirement("T36", "R168")
def test_of_two_who_recorded_it_one_takes_theirs_back_and_the_person_stays_frozen(people: dict[str, Person]) -> None:
    amina, denis = people["amina"], people["denis"]
    person, _ = a_person(amina)
    request = no_more_contact(denis, person)
    second = amina.post(
        "/no-contact-requests", {"individual_id": person["id"], "medium": "letter", "received_on": dt.datetime.now(dt.UTC).date().isoformat()}
    )
    assert second["id"] == request["id"]
    assert denis.post(f"/no-contact-requests/{request['id']}/withdraw", {}, expect=200)["state"] == "open"
    assert amina.get(f"/individuals/{person['id']}")["frozen"]
    assert amina.get(f"/no-contact-requests/{request['id']}")["medium"] == "letter"
    assert amina.post(f"/no-contact-requests/{request['id']}/withdraw", {}, expect=200)["state"] == "withdrawn"
    eventually(lambda: not amina.get(f"/individuals/{person['id']}")["frozen"])


@pytest.mark.requirement("T26", "T16", "T34")
def test_a_twin_is_frozen_for_its_holder_and_erased_with_the_case_when_it_is_the_same(people: dict[str, Person]) -> None:
    amina, bruno, chloe, denis, farid = (people[name] for name in ("amina", "bruno", "chloe", "denis", "farid"))
    person, values = a_person(amina)
    twin = chloe.post("/individuals", {"last_name": f"Twin{values['family']}", "contact_points": [{"kind": "cell", "value": values["cell"]}]})
    other = chloe.post("/individuals", {"last_name": f"Other{values['family']}", "contact_points": [{"kind": "email", "value": values["email"]}]})
    before = bruno.ask("GET", f"/individuals/{twin['id']}", expect=200)
    request = no_more_contact(denis, person)
    after = bruno.ask("GET", f"/individuals/{twin['id']}", expect=200)
    assert (after.json(), after.headers["ETag"]) == (before.json(), before.headers["ETag"])
    assert chloe.get(f"/individuals/{twin['id']}")["frozen"]
    assert [task["subject"]["id"] for task in chloe.get("/tasks", limit=200)["items"] if task["kind"] == "possible_no_contact"].count(twin["id"]) == 1
    path = f"/no-contact-requests/{request['id']}/twins"
    chloe.ask("GET", path, expect=403)
    assert {item["individual_id"] for item in farid.get(path)["items"]} == {twin["id"], other["id"]}
    assert {twin["id"], other["id"]} <= {item["individual_id"] for item in farid.every("/twins")}
    farid.post(f"{path}/{other['id']}", {"decision": "another"}, expect=200)
    assert not chloe.get(f"/individuals/{other['id']}")["frozen"]
    chloe.ask("POST", f"{path}/{twin['id']}", json={"decision": "same"}, expect=403)
    assert farid.post(f"{path}/{twin['id']}", {"decision": "same"}, expect=200)["request_id"]
    bruno.ask("GET", f"/individuals/{twin['id']}", expect=404)
    erasing = amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)
    eventually(lambda: amina.get(f"/erasures/{erasing['erasure_id']}")["state"] == "done", seconds=60)
    eventually(lambda: chloe.ask("GET", f"/individuals/{twin['id']}").status_code == 404, seconds=60, why="it is erased with the case")
    told = eventually(lambda: [task for task in chloe.get("/tasks", limit=200)["items"] if task["kind"] == "erased_notice"])
    assert values["family"] not in str(told)
    for each in told:
        chloe.ask("POST", f"/tasks/{each['id']}/dismissal", expect=204)
    assert not [task for task in chloe.get("/tasks", limit=200)["items"] if task["kind"] == "erased_notice"]


@pytest.mark.requirement("T25")
def test_a_value_that_the_recorder_added_waits_for_the_privacy_officer(people: dict[str, Person]) -> None:
    amina, chloe, denis, farid = (people[name] for name in ("amina", "chloe", "denis", "farid"))
    person, values = a_person(amina)
    added = values["work_phone"].replace("575", "917")
    denis.post(f"/individuals/{person['id']}/contact-points", {"kind": "cell", "value": added})
    no_more_contact(denis, person)
    card = {"contact_points": [{"kind": "cell", "value": added}]}
    assert entered(chloe, **card)[0] == 201
    chloe.ask("GET", "/suppressions", expect=403)
    (waiting,) = [item for item in farid.every("/suppressions") if item["individual_id"] == person["id"]]
    assert (waiting["value"], waiting["because"]) == (added, "recorder")
    farid.post(f"/suppressions/{waiting['id']}", {"decision": "keep"}, expect=200)
    assert entered(chloe, **card) == (409, "blocked")


@pytest.mark.requirement("T21")
def test_the_owner_who_looks_for_a_frozen_person_by_name_is_led_to_them(people: dict[str, Person]) -> None:
    amina, bruno = people["amina"], people["bruno"]
    person, values = a_person(amina)
    no_more_contact(people["denis"], person)
    (found,) = amina.get("/frozen-individuals", q=values["family"])["items"]
    assert (found["id"], found["notice"]) == (person["id"], "do not contact")
    assert bruno.get("/frozen-individuals", q=values["family"])["items"] == []
