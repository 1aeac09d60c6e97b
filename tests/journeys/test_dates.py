"""Every day and instant of the served API, with impossible values: none causes an internal error (T29)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
import requests

from tests.journeys.client import Person
from tests.moments import ENDS, NO_TEXT

#: A walk over many values, not a story: what the bus carries does not change it, so one deployment is enough.
pytestmark = pytest.mark.parametrize("system", ["embedded"], indirect=True, scope="module")

#: Of those that cannot be, the ones that once broke something; all of them are tried where the fields are tested by themselves.
HARD = ["0001-01-01", "9999-12-31", "2026-02-30", "9999-12-31T23:59:59-12:00", "2026-11-28T10:00:00", "2026-11-28\u0000", " "]
ACCOUNTS = [
    {"component": "ICE", "level": "contributor"},
    {"role": "privacy_officer"},
    {"role": "isso"},
    {"role": "system_administrator"},
    {"role": "office_administrator"},
]


@dataclass(frozen=True)
class Place:
    """One day or instant that a route accepts."""

    method: str
    path: str
    where: str
    steps: tuple[str, ...]
    kind: str

    @property
    def field(self) -> str:
        """Its name in a refusal."""
        return ".".join(self.steps)


@pytest.fixture(scope="module")
def people(system: Any) -> list[Person]:
    """One user for each kind of demonstration account."""
    return [Person(system.base).sign_in(system.account(**which)) for which in ACCOUNTS]


@pytest.fixture(scope="module")
def document(people: list[Person]) -> dict[str, Any]:
    """The served document."""
    return dict(people[0].get("/openapi.json"))


@pytest.fixture(scope="module")
def ids(people: list[Person]) -> dict[str, str]:
    """An existing id for every collection."""
    amina = people[0]
    person = amina.post("/individuals", {"first_name": "Dov", "last_name": "Dategard"})["id"]
    organization = amina.post("/organizations", {"name": "Dategard League"})["id"]
    issue = amina.post("/issues", {"name": "Dates", "priority": "immigration"})["id"]
    event = amina.post("/events", {"name": "Dates", "starts_at": "2026-11-20T10:00:00Z"})["id"]
    talk = amina.post("/interactions", {"held_at": "2026-11-20T10:00:00Z", "mode": "phone", "organization_ids": [organization]})["id"]
    return {"individuals": person, "organizations": organization, "issues": issue, "events": event, "interactions": talk, "users": amina.user["id"]}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and take the first alternative that has a type."""
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif alternatives := schema.get("allOf") or schema.get("anyOf") or schema.get("oneOf"):
            schema = next((each for each in alternatives if each.get("type") != "null"), alternatives[0])
        else:
            return schema


def moments(document: dict[str, Any], schema: dict[str, Any], steps: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the places of days and instants in a body."""
    schema = resolved(document, schema)
    if schema.get("format") in ENDS:
        yield steps, schema["format"]
    for name, inner in schema.get("properties", {}).items():
        if not resolved(document, inner).get("readOnly"):
            yield from moments(document, inner, (*steps, name))
    if "items" in schema:
        yield from moments(document, schema["items"], (*steps, "0"))


def places(document: dict[str, Any]) -> list[Place]:
    """Return every day and instant that the document lets a client send."""
    found = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
                kind = resolved(document, parameter["schema"]).get("format")
                found += [Place(method, path, parameter["in"], (parameter["name"],), kind)] if kind in ENDS else []
            for content in operation.get("requestBody", {}).get("content", {}).values():
                found += [Place(method, path, "body", steps, kind) for steps, kind in moments(document, content["schema"])]
    return found


def sample(document: dict[str, Any], schema: dict[str, Any], ids: dict[str, str]) -> Any:
    """Return a minimal body that the schema allows."""
    schema = resolved(document, schema)
    if "enum" in schema:
        return next(value for value in schema["enum"] if value is not None)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: sample(document, inner, ids) for name, inner in schema.get("properties", {}).items() if name in schema.get("required", [])}
    if kind == "array":
        return []
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    return {"date": "2026-11-20", "date-time": "2026-11-20T10:00:00Z", "uuid": ids["individuals"]}.get(schema.get("format", ""), "something")


def sent(person: Person, document: dict[str, Any], place: Place, value: Any, ids: dict[str, str]) -> requests.Response:
    """Send a request with the value in its place."""
    parts = place.path.removeprefix("/api/v1").split("/")
    for at, part in enumerate(parts):
        if part.startswith("{"):
            parts[at] = str(value) if place.where == "path" and part == f"{{{place.steps[0]}}}" else ids.get(parts[at - 1], str(uuid.uuid4()))
    path = "/".join(parts)
    if place.where == "query":
        return person.ask(place.method.upper(), path, params={place.steps[0]: value})
    headers = {
        "Idempotency-Key": str(uuid.uuid4()),
        "If-Match": person.ask("GET", path).headers.get("ETag", '"1"') if place.method == "patch" else "*",
    }
    if place.where == "path":
        return person.ask(place.method.upper(), path, headers=headers, json={})
    content = document["paths"][place.path][place.method]["requestBody"]["content"]
    body = sample(document, next(iter(content.values()))["schema"], ids)
    inner = body
    for step, following in zip(place.steps, [*place.steps[1:], None], strict=True):
        if following is None:
            inner[step] = value
        elif following == "0":
            inner[step] = [{}]
            inner = inner[step]
        elif step == "0":
            inner = inner[0]
        else:
            inner = inner.setdefault(step, {})
    if place.steps[-1] == "0":
        return person.ask(place.method.upper(), path, headers=headers, json=body)
    return person.ask(place.method.upper(), path, headers=headers, json=body)


@pytest.mark.requirement("T29", "R48", "R59")
@pytest.mark.parametrize("field", ["held_at", "starts_at"])
def test_an_interaction_or_event_without_an_offset_is_refused_at_its_field(people: list[Person], ids: dict[str, str], field: str) -> None:
    bodies: dict[str, tuple[str, dict[str, Any]]] = {
        "held_at": ("/interactions", {"mode": "phone", "individual_ids": [ids["individuals"]]}),
        "starts_at": ("/events", {"name": "Roundtable"}),
    }
    path, body = bodies[field]
    for value in ("2026-11-27T10:00:00", "2026-11-27", "2026-11-27T10:00:00.5"):
        assert field in people[0].post(path, {**body, field: value}, expect=422)["errors"]
    kept = people[0].post(path, {**body, field: "2026-11-27T10:00:00-05:00"})
    assert kept[field] == "2026-11-27T15:00:00.000Z"


@pytest.mark.requirement("T29", "R164")
def test_what_was_received_tomorrow_or_held_in_the_year_one_cannot_be(people: list[Person], ids: dict[str, str]) -> None:
    amina = people[0]
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    asked = {"individual_id": ids["individuals"], "medium": "phone", "received_on": tomorrow.date().isoformat()}
    assert amina.post("/no-contact-requests", asked, expect=422)["errors"] == {"received_on": ["Not in the future."]}
    talk = {"mode": "phone", "individual_ids": [ids["individuals"]]}
    for held_at in (tomorrow.isoformat(timespec="seconds"), "0001-01-01T00:00:00Z", "1950-01-01T00:00:00Z"):
        assert "held_at" in amina.post("/interactions", {**talk, "held_at": held_at}, expect=422)["errors"]
    assert amina.get(f"/individuals/{ids['individuals']}")["frozen"] is False


@pytest.mark.timeout(300)
@pytest.mark.requirement("T29")
def test_no_day_or_instant_that_cannot_be_is_taken_or_breaks_a_route(people: list[Person], document: dict[str, Any], ids: dict[str, str]) -> None:
    found = places(document)
    assert len(found) > 25
    assert {place.where for place in found} >= {"query", "body"}
    for place in found:
        answers = [sent(person, document, place, "2026-02-30", ids) for person in people]
        # Whoever has nothing to do with a route learns nothing of its fields; at least one has.
        allowed = next((person for person, answer in zip(people, answers, strict=True) if answer.status_code == 422), None)
        assert allowed is not None, (place, [answer.text for answer in answers])
        for value in [*HARD, *(NO_TEXT[::5] if place.where == "body" else [])]:
            answer = sent(allowed, document, place, value, ids)
            assert answer.status_code == 422, (place, value, answer.text)
            assert any(name == place.field or name.startswith(place.steps[0]) for name in answer.json()["errors"]), (place, value, answer.text)
        for value in ["", *ENDS[place.kind][:2]]:
            answer = sent(allowed, document, place, value, ids)
            assert answer.status_code < 500, (place, value, answer.text)
            assert answer.ok or answer.json()["code"], (place, value)


class Forms(HTMLParser):
    """The forms of a page: their targets, fields, and which fields are days or instants."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, dict[str, str], list[str]]] = []
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("method", "get").lower(), given.get("action", ""), {}, []))
        elif not self.forms:
            return
        elif tag in {"input", "textarea", "select"} and "name" in given:
            values, dates = self.forms[-1][2:]
            values[given["name"]] = given.get("value", "") or ("something" if tag == "textarea" else "")
            self._select = given["name"] if tag == "select" else ""
            if given.get("type") in {"date", "datetime-local"}:
                dates.append(given["name"])
        elif tag == "option" and self._select and not self.forms[-1][2][self._select]:
            self.forms[-1][2][self._select] = given.get("value", "")


@pytest.mark.timeout(300)
@pytest.mark.requirement("T29")
def test_no_day_or_instant_breaks_a_page(system: Any, people: list[Person], ids: dict[str, str]) -> None:
    account = system.account("ICE", "contributor")
    browser = requests.Session()
    token = Forms(browser.get(f"{system.base}/sign-in").text).forms[0][2]
    page = browser.post(f"{system.base}/sign-in", data={**token, "username": account["username"], "password": account["password"]})
    method, action, values, _ = next(form for form in Forms(page.text).forms if "accepted" in form[2] or "statements_version" in form[2])
    browser.post(f"{system.base}{action}", data={**values, "accepted": "yes"})
    pages = [
        "/interactions/new", f"/interactions/new?individual_id={ids['individuals']}", "/events", f"/events/{ids['events']}",
        f"/individuals/{ids['individuals']}", f"/requests/coordination/new?individual_id={ids['individuals']}",
        f"/requests/no-contact/new?individual_id={ids['individuals']}", "/individuals/new", "/search",
    ]  # fmt: skip
    tried = 0
    for address in pages:
        shown = browser.get(f"{system.base}{address}")
        assert shown.status_code < 500, address
        for method, action, values, dates in Forms(shown.text).forms:
            for name in dates:
                for value in ["", *HARD, "1900-01-01", "2026-11-28T10:00", "9999-12-31T23:59", "275760-09-13T00:00"]:
                    target = f"{system.base}{action or address}"
                    data = {**values, name: value}
                    answer = browser.get(target, params=data) if method == "get" else browser.post(target, data=data)
                    assert answer.status_code < 500, (address, action, name, value)
                    tried += 1
    assert tried > 100
    names = {place.steps[0] for place in places(people[0].get("/openapi.json")) if place.where == "query"}
    for address in ("/search", "/audit", "/reports", "/requests", "/events", "/search.csv"):
        for value in [*HARD, "1900-01-01", "2200-12-31"]:
            answer = browser.get(f"{system.base}{address}", params=dict.fromkeys(names, value))
            assert answer.status_code < 500, (address, value)
