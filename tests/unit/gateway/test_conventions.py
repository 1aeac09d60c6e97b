"""Conventions of every route of the API: problems, tags, keys, limits, headers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.chassis import logs
from services.chassis.messages import (
    BRANCHES,
    NotFound,
    OutcomeUnknown,
    Unauthenticated,
    Unavailable,
    entity_tag,
    new_id,
)
from services.chassis.transport.rpc_client import InternalError
from services.contacts.contract.refusals import IndividualBlocked
from tests.unit.gateway.fakes import FakeBus

ID = "0197f2a0-0000-7000-8000-0000000000b0"
PERSON = {"id": ID, "first_name": "Dov", "last_name": "Dorn"}


@pytest.mark.parametrize("branch", sorted(set(BRANCHES) - {"unauthenticated"}))
def test_each_branch_of_the_refusals_has_its_status(amina: Any, bus: FakeBus, branch: str) -> None:
    statuses = {
        "forbidden": 403,
        "not-found": 404,
        "conflict": 409,
        "stale": 412,
        "too-large": 413,
        "wrong-type": 415,
        "invalid": 422,
        "precondition-missing": 428,
        "too-many": 429,
        "unavailable": 503,
    }
    bus.answers[("contacts", "read_individual")] = BRANCHES[branch](
        "Said so.", code="a-code", errors={"field": ["Wrong."]}, extra={"more": 1, "status": "forged"}
    )
    answer = amina.ask("GET", f"/individuals/{ID}")
    assert answer.status_code == statuses[branch]
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["status"] == answer.status_code
    assert problem["trace_id"] == answer.headers["X-Request-Id"]
    assert {key: problem[key] for key in ("detail", "code", "errors", "more")} == {
        "detail": "Said so.",
        "code": "a-code",
        "errors": {"field": ["Wrong."]},
        "more": 1,
    }
    assert not bus.of("access", "record_refusal"), "the service has it in its trail already"


def test_a_service_may_also_say_that_nobody_is_signed_in(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "read_individual")] = Unauthenticated()
    answer = amina.ask("GET", f"/individuals/{ID}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_fault_tells_its_trace_id_and_nothing_else(amina: Any, bus: FakeBus) -> None:
    def fail(**_: Any) -> None:
        raise InternalError("t-1")

    bus.answers[("contacts", "read_individual")] = fail
    answer = amina.ask("GET", f"/individuals/{ID}")
    assert answer.status_code == 500
    assert answer.get_json()["code"] == "internal"
    assert "Traceback" not in answer.text
    assert "InternalError" not in answer.text


def test_a_record_carries_a_strong_tag_and_is_not_sent_twice(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "read_individual")] = PERSON
    answer = amina.ask("GET", f"/individuals/{ID}")
    assert answer.headers["ETag"] == entity_tag(PERSON)
    again = amina.ask("GET", f"/individuals/{ID}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert len(bus.of("contacts", "read_individual")) == 2, "a read that is answered with 304 is a read all the same"


@pytest.mark.parametrize(("tag", "status"), [(None, 428), ("*", 428), ('"abc"', 200)])
def test_a_change_names_the_version_that_it_means(amina: Any, bus: FakeBus, tag: str | None, status: int) -> None:
    bus.answers[("contacts", "change_individual")] = PERSON
    headers = {"If-Match": tag} if tag else {}
    answer = amina.ask("PATCH", f"/individuals/{ID}", json={"title": "Director"}, headers=headers)
    assert answer.status_code == status
    calls = bus.of("contacts", "change_individual")
    assert [call.kwargs["if_match"] for call in calls] == ([tag] if status == 200 else [])


def test_a_command_carries_its_operation_so_that_it_is_done_once(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "register_individual")] = PERSON
    for body in ({"last_name": "Dorn"}, {"last_name": "Dorn"}, {"last_name": "Other"}):
        answer = amina.ask("POST", "/individuals", json=body, headers={"Idempotency-Key": "k-1"})
        assert answer.headers["Location"] == f"/api/v1/individuals/{ID}"
    first, second, third = (call.operation for call in bus.of("contacts", "register_individual"))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.method, first.path) == ("POST", "/api/v1/individuals")
    assert first.key == second.key == third.key
    assert first.body_hash == second.body_hash != third.body_hash
    assert "k-1" not in str(first.key), "neither leaves but as a keyed digest"
    assert len({first.id, second.id, third.id}) == 3


def test_a_query_carries_no_operation(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "read_individual")] = PERSON
    amina.ask("GET", f"/individuals/{ID}")
    (call,) = bus.of("contacts", "read_individual")
    assert call.operation is None
    assert call.passport == "passport-for-contacts"


def test_an_unknown_outcome_names_the_operation_that_can_be_asked_for(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "register_individual")] = OutcomeUnknown()
    answer = amina.ask("POST", "/individuals", json={"last_name": "Dorn"})
    (call,) = bus.of("contacts", "register_individual")
    assert call.operation is not None
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (503, "outcome-unknown")
    assert problem["operation_id"] == call.operation.id
    for service in ("contacts", "interactions", "retention", "access", "audit"):
        bus.answers[(service, "read_operation")] = NotFound()
    bus.answers[("interactions", "read_operation")] = {"operation_id": call.operation.id, "status": 201, "subject_id": ID}
    assert amina.ask("GET", f"/operations/{call.operation.id}").get_json()["subject_id"] == ID
    bus.answers[("interactions", "read_operation")] = NotFound()
    unknown = amina.ask("GET", f"/operations/{call.operation.id}")
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "operation-unknown")


@pytest.mark.requirement("R13")
@pytest.mark.parametrize(
    ("method", "path", "given", "code"),
    [
        ("POST", "/individuals", {"json": {"last_name": "Dorn", "party": "W"}}, "unknown-field"),
        ("POST", "/individuals", {"json": {"last_name": "Dorn", "issues": [{"issue_id": ID, "x": 1}]}}, "unknown-field"),
        ("GET", "/individuals?email=dov@example.org", {}, "unknown-field"),
        ("GET", "/components?x=1", {}, "unknown-field"),
        ("POST", "/individuals", {"json": {"first_name": "Dov"}}, "invalid"),
        ("GET", "/individuals?limit=1&limit=2", {}, "invalid"),
        ("GET", "/individuals?limit=9999", {}, "invalid"),
        ("POST", "/individuals", {"json": ["Dorn"]}, "unreadable-body"),
        ("POST", "/individuals", {"data": b"{", "content_type": "application/json"}, "unreadable-body"),
        ("POST", "/individuals", {"data": b"\xff\xfe", "content_type": "application/json"}, "unreadable-body"),
        ("POST", "/individuals", {"json": {"last_name": "D"}, "headers": {"Idempotency-Key": "k" * 201}}, "invalid"),
    ],
)
def test_wrong_input_is_refused_before_it_reaches_a_service(
    amina: Any, bus: FakeBus, method: str, path: str, given: dict[str, Any], code: str
) -> None:
    answer = amina.ask(method, path, **given)
    assert (answer.status_code, answer.get_json()["code"]) == (422, code)
    assert {said.service for said in bus.said} == {"access"}


NO_DATES = ("2026-02-30", "30/02/2026", "tomorrow", "2026-13-01", "", 20260301)
DATED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("/interactions", {"mode": "phone", "individual_ids": [ID], "held_at": "{}T10:00:00Z"}, "held_at"),
    ("/events", {"name": "Roundtable", "starts_at": "{}T10:00:00Z"}, "starts_at"),
    ("/coordination-requests", {"individual_id": ID, "message": "Please.", "due_on": "{}"}, "due_on"),
    ("/no-contact-requests", {"individual_id": ID, "medium": "phone", "received_on": "{}"}, "received_on"),
)


@pytest.mark.requirement("R48", "R59", "R168")
def test_a_date_that_is_none_is_told_by_its_field(amina: Any, bus: FakeBus) -> None:
    for path, body, name in DATED:
        for day in NO_DATES:
            given = {**body, name: body[name].format(day) if isinstance(day, str) else day}
            answer = amina.ask("POST", path, json=given)
            assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid"), given
            assert answer.get_json()["errors"].keys() == {name}, given
    assert {said.service for said in bus.said} == {"access"}


def test_another_type_of_content_is_refused(amina: Any) -> None:
    answer = amina.ask("POST", "/individuals", data="last_name=Dorn", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.get_json()["code"]) == (415, "json-required")


def test_a_body_that_is_too_large_is_refused_unread(amina: Any, bus: FakeBus) -> None:
    answer = amina.ask("POST", "/individuals", json={"last_name": "D" * (1 << 20)})
    assert (answer.status_code, answer.get_json()["code"]) == (413, "body-too-large")
    assert not bus.of("contacts", "register_individual")


def test_another_method_is_refused_with_those_that_there_are(amina: Any) -> None:
    answer = amina.ask("PUT", "/individuals", json={})
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    assert answer.get_json()["code"] == "method-not-allowed"


def test_the_clients_own_request_id_is_never_the_trace_id(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "read_individual")] = PERSON
    mine = new_id()
    answer = amina.ask("GET", f"/individuals/{ID}", headers={"X-Request-Id": mine})
    (call,) = bus.of("contacts", "read_individual")
    assert answer.headers["X-Request-Id"] == call.trace_id != mine


@pytest.mark.requirement("R148", "N3")
@pytest.mark.parametrize("given", ["956-555-0142", "+1 956 555 0142", "19565550142", "dov@example.org", "Dov-Quillfeather", "0" * 31])
def test_a_request_id_that_may_be_somebodys_value_is_not_logged(amina: Any, bus: FakeBus, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    bus.answers[("contacts", "read_individual")] = PERSON
    logged: list[Any] = []
    monkeypatch.setattr("gateway.app.log", SimpleNamespace(info=lambda _, **fields: logged.append(fields["client_request_id"])))
    for sent in (given, mine := new_id(), "4bf92f3577b34da6a3ce929d0e0e4736"):
        amina.ask("GET", f"/individuals/{ID}", headers={"X-Request-Id": sent})
    assert logged == [None, mine, "4bf92f3577b34da6a3ce929d0e0e4736"]


@pytest.mark.parametrize("path", ["/api/v1/individuals", "/", "/sign-in", "/health/live", "/api/v1/docs", "/no-such-page"])
def test_every_answer_has_its_trace_id_and_the_security_headers(anonymous: FlaskClient, path: str) -> None:
    answer = anonymous.get(path)
    assert len(answer.headers["X-Request-Id"]) == 36
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_trace_is_bound_for_one_request_alone(amina: Any, bus: FakeBus) -> None:
    bound: list[str | None] = []
    bus.answers[("contacts", "read_individual")] = lambda **_: bound.append(logs.trace.get()) or PERSON
    answer = amina.ask("GET", f"/individuals/{ID}")
    assert bound == [answer.headers["X-Request-Id"]]
    assert logs.trace.get() is None


def test_the_entry_that_is_blocked_says_so_and_no_more(amina: Any, bus: FakeBus) -> None:
    bus.answers[("contacts", "register_individual")] = IndividualBlocked()
    answer = amina.ask("POST", "/individuals", json={"last_name": "Dorn"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "blocked")


def test_tasks_of_a_service_that_is_away_are_missing_with_a_warning(amina: Any, bus: FakeBus) -> None:
    task = {"id": f"follow_up.{ID}", "kind": "follow_up", "notice": False, "due_on": None, "link": "/x"}
    task |= {"subject": {"type": "interaction", "id": ID, "individual_ids": [ID]}}
    bus.answers |= {
        ("retention", "list_tasks"): Unavailable(),
        ("contacts", "list_tasks"): {"items": [], "more": False, "total": 0},
        ("contacts", "name_stakeholders"): {"items": [{"id": ID, "type": "individual", "name": "Dov Dorn"}]},
        ("interactions", "list_tasks"): {"items": [task], "more": False, "total": 1},
    }
    found = amina.ask("GET", "/tasks").get_json()
    (shown,) = found["items"]
    assert (shown["id"], shown["link"], shown["name"]) == (f"interactions.{task['id']}", "/api/v1/x", "Dov Dorn")
    assert "retention" in found["warning"]


def _moment(kind: str, month: int, n: int) -> dict[str, Any]:
    at, own_id = f"2026-0{month}-01T00:00:00.000Z", f"0197f2a0-0000-7000-8000-00000000000{n}"
    return {"kind": kind, "id": own_id, "at": at, "position": [at.replace(".000Z", ".000250+00:00"), own_id]}


def _part(items: list[dict[str, Any]], *, limit: int, after: list[str] | None) -> dict[str, Any]:
    """Answer as a service does: the latest behind a position."""
    rest = [item for item in sorted(items, key=lambda item: item["position"], reverse=True) if after is None or item["position"] < after]
    return {"items": rest[:limit], "more": len(rest) > limit, "total": len(items)}


@pytest.mark.requirement("R55", "R57")
def test_the_timeline_is_one_list_most_recent_first_over_all_pages(amina: Any, bus: FakeBus) -> None:
    # Two of contacts' are of the very instant of one of interactions': the next page begins between them.
    own = [_moment("verified", month, n) for n, month in enumerate((1, 3, 3, 6))]
    theirs = [_moment("interaction", month, 4 + n) for n, month in enumerate((2, 3, 5))]
    bus.answers |= {
        ("contacts", "record_history"): lambda query, **_: _part(own, **query),
        ("interactions", "list_history"): lambda query: _part(theirs, limit=query["limit"], after=query["after"]),
    }
    for limit in range(1, 9):
        seen: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = amina.ask("GET", f"/individuals/{ID}/history?limit={limit}{cursor}").get_json()
            seen += page["items"]
            assert page["total"] == 7
            assert len(page["items"]) == limit or page["next"] is None
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert [item["at"][5:7] for item in seen] == ["06", "05", "03", "03", "03", "02", "01"], f"in pages of {limit}"
        assert len({item["id"] for item in seen}) == 7
        assert all("position" not in item for item in seen)


@pytest.mark.parametrize("cursor", ["x", "e30=", "WyIyMDI2LTAxLTAxIiwgMV0=", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsICJ4Il0="])
def test_a_timeline_s_cursor_that_is_none_is_refused(amina: Any, bus: FakeBus, cursor: str) -> None:
    answer = amina.ask("GET", f"/individuals/{ID}/history?cursor={cursor}")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "cursor-invalid")
    assert not bus.of("contacts", "record_history")


def test_the_timeline_without_interactions_says_what_is_missing(amina: Any, bus: FakeBus) -> None:
    bus.answers |= {
        ("contacts", "record_history"): _part([_moment("registered", 1, 1)], limit=50, after=None),
        ("interactions", "list_history"): Unavailable(),
    }
    page = amina.ask("GET", f"/individuals/{ID}/history").get_json()
    assert len(page["items"]) == 1
    assert "warning" in page
