"""The OpenAPI document: made from the schemas in use, with every refusal that a route gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.app import PUBLIC_ENDPOINTS, create_app
from services.chassis.config import Settings
from tests.unit.gateway.fakes import FakeBus, heard


@pytest.fixture(scope="module")
def app() -> Any:
    """The application; no test asks its bus."""
    return create_app(FakeBus(), heard(), Settings(service="gateway", cookie_secure=False))


@pytest.fixture(scope="module")
def document(app: Any) -> dict[str, Any]:
    """The document as it is served."""
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.content_type == "application/json"
    read: dict[str, Any] = json.loads(answer.data)
    return read


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (path, method, operation) of every operation."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def test_the_document_is_openapi_3_1_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name
    text = json.dumps(document)
    for part in text.split('"$ref": "#/components/')[1:]:
        kind, name = part.split('"')[0].split("/")
        assert name in document["components"][kind]


def test_every_route_of_the_api_is_in_the_document(app: Any, document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, method, _ in operations(document)}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/") or rule.endpoint.startswith(("docs.", "health.", "api_health.")):
            continue
        path = "".join(f"{{{part.split(':')[-1].rstrip('>')}}}" if part.startswith("<") else part for part in _parts(rule.rule))
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            assert (method, path) in described


def _parts(rule: str) -> list[str]:
    parts: list[str] = []
    for piece in rule.split("<"):
        head, closing, tail = piece.partition(">")
        parts.extend([f"<{head}>", tail] if closing else [head])
    return [part for part in parts if part]


@pytest.mark.requirement("R110")
def test_every_operation_names_its_problem_answers(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        answers = operation["responses"]
        expected = {"401", "422", "429", "503"}
        if operation.get("security") != []:
            expected |= {"403"}
        if "{" in path:
            expected |= {"404"}
        if "requestBody" in operation:
            expected |= {"413", "415"}
        if method == "patch":
            expected |= {"412", "428"}
        assert expected <= set(answers), (method, path, expected - set(answers))
        for status, answer in answers.items():
            if status >= "400":
                assert answer["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}, (method, path, status)
        assert any(status.startswith("2") for status in answers)
        assert operation["summary"].endswith((".", ")."))


def test_only_signing_in_needs_no_session(document: dict[str, Any]) -> None:
    assert [(path, method) for path, method, op in operations(document) if op.get("security") == []] == [("/api/v1/sessions", "post")]
    assert document["security"] == [{"session": []}]
    assert "sessions.sign_in" in PUBLIC_ENDPOINTS


@pytest.mark.requirement("R13")
def test_what_goes_in_is_closed(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        name = body["schema"]["$ref"].rpartition("/")[2]
        assert document["components"]["schemas"][name].get("additionalProperties") is False, (method, path)


def test_the_page_shows_every_operation_and_asks_nobody_else(app: Any, document: dict[str, Any]) -> None:
    page = app.test_client().get("/api/v1/docs")
    assert page.status_code == 200
    for path, method, _ in operations(document):
        assert f"{method.upper()} {path}" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "<script" not in page.text


#: What answers whole, because something bounds it: offices, values of one person, states and territories.
BOUNDED = {"/api/v1/components", "/api/v1/individuals/{individual_id}/contact-points", "/api/v1/reports/coverage-gaps"}


def test_every_collection_goes_on_by_a_cursor_or_is_bounded_by_what_it_lists(document: dict[str, Any]) -> None:
    whole = set()
    for path, method, operation in operations(document):
        schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if reference := schema.get("$ref"):
            schema = document["components"]["schemas"][reference.rpartition("/")[2]]
        names = {parameter["name"] for parameter in operation.get("parameters", []) if parameter.get("in") == "query"}
        if method == "get" and "items" in schema.get("properties", {}) and not {"cursor", "limit"} <= names:
            whole.add(path)
    assert whole == BOUNDED
