"""Every field that a user types and others see is screened, or is listed here with a reason (T32, R41, T15)."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from marshmallow import fields, validate

from tests.incoming import incoming
from tests.journeys.client import Person
from tests.support import eventually

#: A walk over many values, not a story: what the bus carries does not change it, so one deployment is enough.
WALK = pytest.mark.parametrize("system", ["embedded"], indirect=True, scope="module")

#: What is typed but seen by nobody else, or is no text of a person's own.
REASONS = {
    "cursor": "made by the system",
    "after": "made by the system",
    "q": "words of a search: kept nowhere",
    "name@OrganizationListQuerySchema": "words of a search: kept nowhere",
    "interest": "words of a search: kept nowhere",
    "subject": "an id, or what a component's system calls its own event; neither is kept",
    "user": "an id",
    "action": "a code",
    "trace_id": "an id",
    "component": "a code that must be known",
    "state": "one of a closed list",
    "time_zone": "one of a closed list",
    "owner": "a user name that must be known",
    "source": "names a system, or where the gateway was called from",
    "username": "a network account, checked against its form",
    "external_id": "the directory's own id of an account",
    "password": "seen by nobody",
    "statements_version": "must be the version that was shown",
    "version": "must be the version that there is",
    "value": "a contact point: where such values belong",
    "phone": "an office's telephone: where such a number belongs",
    "office_phone": "an office's telephone: where such a number belongs",
    "postal_code": "a code; digits are its content",
    "source_url": "an address on the web, checked as such",
    "filename@ImportStartSchema": "telephones and e-mails in it are covered, and it goes when the import ends (test_imports)",
    "content_type@ImportStartSchema": "a type of files, kept nowhere",
    "column@ColumnMappingSchema": "must be a column of the file",
    "keep_reason@RowDecisionSchema": "needs a row that was stopped (test_keeping)",
}
PHONE, EMAIL = "Call 202-555-0143", "dov.screengard@example.org"
#: Where each field that others see is typed: method, path, body and the field's path.
BOTH = [PHONE, EMAIL]
FAITH = "He is a devout Catholic"


def typed() -> set[tuple[str, str]]:
    """Return (schema, field) of every free text in requests."""
    found = set()
    for schema in incoming():
        for field_name, field in schema().fields.items():
            inner = field.inner if isinstance(field, fields.List) else field
            closed = any(isinstance(rule, validate.OneOf | validate.Regexp | validate.Equal) for rule in inner.validators)
            if isinstance(inner, fields.String) and not isinstance(inner, fields.UUID) and not closed:
                found.add((schema.__name__, field_name))
    return found


#: (schema, field) → how to type it: method, path with ids, body without it, and where it stands in the body.
SCREENED: dict[tuple[str, str], tuple[str, str, dict[str, Any], str]] = {
    **{("IndividualCreateSchema", name): ("POST", "/individuals", {"last_name": "Levi"}, name) for name in ("salutation", "title", "organization")},
    **{("IndividualCreateSchema", name): ("POST", "/individuals", {"last_name": "Levi"}, name) for name in ("first_name", "last_name")},
    ("IndividualCreateSchema", "interests"): ("POST", "/individuals", {"last_name": "Levi"}, "interests.0"),
    **{
        ("IndividualChangeSchema", name): ("PATCH", "/individuals/{person}", {}, name)
        for name in ("salutation", "title", "organization", "first_name", "last_name")
    },
    ("IndividualChangeSchema", "interests"): ("PATCH", "/individuals/{person}", {}, "interests.0"),
    ("OrganizationCreateSchema", "name"): ("POST", "/organizations", {}, "name"),
    ("OrganizationChangeSchema", "name"): ("PATCH", "/organizations/{organization}", {}, "name"),
    ("OfficeSchema", "label"): ("POST", "/organizations", {"name": "Screengard Office", "offices": [{}]}, "offices.0.label"),
    **{
        ("AddressSchema", name): ("POST", "/organizations", {"name": "Screengard Street", "address": {}}, f"address.{name}")
        for name in ("street", "city", "country")
    },
    **{("NoteCreateSchema", name): ("POST", "/individuals/{person}/notes", {"text": "Met."}, name) for name in ("text", "provenance")},
    ("IndividualCreateSchema", "keep_reason"): ("POST", "/individuals", {"last_name": "Levi", "title": FAITH}, "keep_reason"),
    ("IndividualChangeSchema", "keep_reason"): ("PATCH", "/individuals/{person}", {"title": FAITH}, "keep_reason"),
    ("NoteCreateSchema", "keep_reason"): ("POST", "/individuals/{person}/notes", {"text": FAITH}, "keep_reason"),
    **{("NoteChangeSchema", name): ("PATCH", "/individuals/{person}/notes/{note}", {}, name) for name in ("text", "provenance")},
    ("NoteChangeSchema", "keep_reason"): ("PATCH", "/individuals/{person}/notes/{note}", {"text": FAITH}, "keep_reason"),
    **{("IssueCreateSchema", name): ("POST", "/issues", {"name": "Ports", "priority": "immigration"}, name) for name in ("name", "summary")},
    ("IssueCreateSchema", "keep_reason"): ("POST", "/issues", {"name": FAITH, "priority": "immigration"}, "keep_reason"),
    **{("IssueChangeSchema", name): ("PATCH", "/issues/{issue}", {}, name) for name in ("name", "summary")},
    ("IssueChangeSchema", "keep_reason"): ("PATCH", "/issues/{issue}", {"name": FAITH}, "keep_reason"),
    ("IssueUpdateCreateSchema", "text"): ("POST", "/issues/{issue}/updates", {"kind": "policy"}, "text"),
    ("IssueUpdateCreateSchema", "keep_reason"): ("POST", "/issues/{issue}/updates", {"kind": "policy", "text": FAITH}, "keep_reason"),
    ("TalkingPointCreateSchema", "text"): ("POST", "/issues/{issue}/talking-points", {}, "text"),
    ("TalkingPointCreateSchema", "keep_reason"): ("POST", "/issues/{issue}/talking-points", {"text": FAITH}, "keep_reason"),
    **{
        ("EventCreateSchema", name): ("POST", "/events", {"name": "Day", "starts_at": "2026-11-20T10:00:00Z"}, name)
        for name in ("name", "place", "agenda")
    },
    ("EventCreateSchema", "keep_reason"): ("POST", "/events", {"name": FAITH, "starts_at": "2026-11-20T10:00:00Z"}, "keep_reason"),
    **{("EventChangeSchema", name): ("PATCH", "/events/{event}", {}, name) for name in ("name", "place", "agenda")},
    ("EventChangeSchema", "keep_reason"): ("PATCH", "/events/{event}", {"name": FAITH}, "keep_reason"),
    ("InteractionCreateSchema", "outcome"): (
        "POST",
        "/interactions",
        {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "organization_ids": ["{organization}"]},
        "outcome",
    ),
    ("FollowUpSchema", "text"): (
        "POST",
        "/interactions",
        {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "organization_ids": ["{organization}"], "follow_ups": [{}]},
        "follow_ups.0.text",
    ),
    ("InteractionCreateSchema", "keep_reason"): (
        "POST",
        "/interactions",
        {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "organization_ids": ["{organization}"], "outcome": FAITH},
        "keep_reason",
    ),
    ("InteractionChangeSchema", "outcome"): ("PATCH", "/interactions/{talk}", {}, "outcome"),
    ("InteractionChangeSchema", "keep_reason"): ("PATCH", "/interactions/{talk}", {"outcome": FAITH}, "keep_reason"),
    ("CoordinationRequestCreateSchema", "message"): ("POST", "/coordination-requests", {"individual_id": "{theirs}"}, "message"),
    ("CoordinationRequestCreateSchema", "keep_reason"): (
        "POST",
        "/coordination-requests",
        {"individual_id": "{theirs}", "message": FAITH},
        "keep_reason",
    ),
    ("CoordinationRequestChangeSchema", "reason"): ("PATCH", "/coordination-requests/{request}", {"status": "declined"}, "reason"),
    ("CoordinationRequestChangeSchema", "keep_reason"): (
        "PATCH",
        "/coordination-requests/{request}",
        {"status": "declined", "reason": FAITH},
        "keep_reason",
    ),
    ("ErasureRequestSchema", "reason"): ("DELETE", "/individuals/{person}", {}, "reason"),
    ("NoContactRequestCreateSchema", "reason"): (
        "POST",
        "/no-contact-requests",
        {"individual_id": "{person}", "medium": "phone", "received_on": "2026-11-20"},
        "reason",
    ),
    ("RevealQuerySchema", "reason"): ("GET", "/individuals/{person}/contact-points", {}, "reason"),
}
#: A component's system is refused by the same rule (tests/integration/contacts/test_integrations.py), contacts is told
#: what came to retention, and a proposal waits for an hour (tests/journeys/test_nobody_comes_back.py).
BY_THE_SAME_RULE = {"IndividualSubmittedSchema", "FreezeSchema", "WithdrawalSchema"}
#: No route takes these yet (tests/integration/access/test_accounts.py, tests/integration/contacts/test_firewall.py).
WITHOUT_A_ROUTE = {"ComponentChangeSchema", "GrantCreateSchema", "UserChangeSchema", "UserCreateSchema"}
#: In names of people, organizations, and in streets, faith is no finding: it may be the name.
NAMES = {"first_name", "last_name", "name", "label", "street", "city", "country", "organization", "keep_reason"}


@pytest.mark.requirement("T32")
def test_every_free_text_that_comes_in_is_screened_or_has_its_reason() -> None:
    listed = {
        (schema, name)
        for schema, name in typed()
        if name not in REASONS and f"{name}@{schema}" not in REASONS and schema not in BY_THE_SAME_RULE | WITHOUT_A_ROUTE
    }
    assert listed == set(SCREENED)


@pytest.fixture(scope="module")
def people(system: Any) -> dict[str, Person]:
    """Amina owns records, Chloé owns others."""
    return {
        "amina": Person(system.base).sign_in(system.account("ICE", "contributor")),
        "chloe": Person(system.base).sign_in(system.account("PSO", "contributor")),
    }


@pytest.fixture(scope="module")
def ids(people: dict[str, Person]) -> dict[str, str]:
    """The ids of what is changed."""
    amina, chloe = people["amina"], people["chloe"]
    organization = amina.post("/organizations", {"name": "Screengard League"})["id"]
    theirs = chloe.post("/individuals", {"first_name": "Tal", "last_name": "Screengarden"})["id"]
    person = amina.post("/individuals", {"first_name": "Dov", "last_name": "Screengard"})["id"]

    def asked() -> Any:
        answer = chloe.ask(
            "POST", "/coordination-requests", json={"individual_id": person, "message": "Please ask."}, headers={"Idempotency-Key": str(uuid.uuid4())}
        )
        return answer.json()["id"] if answer.status_code == 201 else None

    return {
        "organization": organization,
        "theirs": theirs,
        "person": person,
        "request": eventually(asked),
        "note": amina.post(f"/individuals/{person}/notes", {"text": "Met."})["id"],
        "issue": amina.post("/issues", {"name": "Screengard", "priority": "immigration"})["id"],
        "event": amina.post("/events", {"name": "Screengard", "starts_at": "2026-11-20T10:00:00Z"})["id"],
        "talk": amina.post("/interactions", {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "organization_ids": [organization]})["id"],
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Put ids into a body."""
    if isinstance(value, dict):
        return {name: filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, ids) for inner in value]
    return value.format(**ids) if isinstance(value, str) and value.startswith("{") else value


def put(body: Any, steps: list[str], value: str) -> None:
    """Put a value at the end of the steps."""
    for step, following in itertools.pairwise(steps):
        body = body[int(step)] if isinstance(body, list) else body.setdefault(step, [None] if following == "0" else {})
    if isinstance(body, list):
        body[int(steps[-1])] = value
    else:
        body[steps[-1]] = value


@pytest.mark.requirement("T32", "T15")
@WALK
@pytest.mark.parametrize(("schema", "name"), sorted(SCREENED))
def test_a_phone_an_e_mail_and_a_faith_are_asked_about_in_every_field(people: dict[str, Person], ids: dict[str, str], schema: str, name: str) -> None:
    method, path, body, where = SCREENED[schema, name]
    person = people["amina"]
    path = path.format(**ids)
    for value in (
        *BOTH,
        *([] if name in NAMES and schema not in {"IssueCreateSchema", "IssueChangeSchema", "EventCreateSchema", "EventChangeSchema"} else [FAITH]),
    ):
        if name == "keep_reason" and value == FAITH:
            continue
        given = filled(body, ids)
        put(given, where.split("."), value)
        headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": "*"}
        if method in {"PATCH", "DELETE"}:
            headers["If-Match"] = person.ask("GET", path).headers.get("ETag", "*")
        sent = {"params": given} if method == "GET" else {"json": given}
        answer = person.ask(method, path, headers=headers, **sent)
        assert answer.status_code == 422, (value, answer.text)
        problem = answer.json()
        assert problem["code"] == "text-needs-review", (value, problem)
        assert where in problem["errors"]
        assert {finding["field"] for finding in problem["findings"]} == {where}
        assert value not in answer.text


@pytest.mark.requirement("T32", "N8", "R41")
@WALK
def test_names_of_people_organizations_and_goods_are_no_findings(people: dict[str, Person]) -> None:
    amina = people["amina"]
    amina.post("/individuals", {"first_name": "Christian", "last_name": "Black", "title": "Rabbi", "interests": ["tariff 8517.62.0090"]})
    for name in (
        "Catholic Charities of El Paso",
        "Muslim American Women's Policy Forum",
        "Navajo Nation",
        "Black & Veatch",
        "First Baptist of Dallas",
    ):
        amina.post("/organizations", {"name": name})
