"""The AsyncAPI document for components' own systems matches the code."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import yaml
from marshmallow import ValidationError

from services.chassis.messages import new_id
from services.contacts.contract.asyncapi import CODES, TARGET, document, rendered
from services.contacts.contract.integrations import PASSED_ON, SUBMITTED, TOLD, IndividualSubmittedSchema, topology
from services.contacts.domain.submissions import Delivered, event_of, submission_of
from services.contacts.usecases.submissions import _SHARED

PERSON = {"owner": "amina", "first_name": "Dov", "last_name": "Quillfeather", "state": "TX"}


def test_the_file_is_what_the_code_says() -> None:
    assert TARGET.read_text() == rendered(), "run: python -m services.contacts.contract.asyncapi"
    assert yaml.safe_load(TARGET.read_text()) == document()


def test_every_reference_leads_somewhere() -> None:
    whole = document()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                found: Any = whole
                for step in reference.removeprefix("#/").split("/"):
                    found = found[step]
            for each in part.values():
                walk(each)
        elif isinstance(part, list):
            for each in part:
                walk(each)

    walk(whole)
    for schema in whole["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def _is_described(event: dict[str, Any], name: str = "Submission") -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return bool(jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).is_valid(event))


def _is_taken(event: dict[str, Any]) -> bool:
    delivered = Delivered({}, "application/cloudevents+json", json.dumps(event).encode())
    try:
        IndividualSubmittedSchema().load(submission_of(event_of(delivered)).data)
    except (Exception, ValidationError):  # noqa: BLE001 - whatever the reason
        return False
    return True


@pytest.mark.requirement("T13", "R13")
@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({}, True),
        ({"data": {**PERSON, "contact_points": [{"kind": "cell", "value": "956-555-0142"}]}}, True),
        ({"data": {**PERSON, "issues": [{"issue_id": new_id(), "kind": "interested"}]}}, True),
        ({"time": "2026-11-23T15:00:00Z", "datacontenttype": "application/json"}, True),
        ({"id": "dov@example.org"}, False),
        ({"type": "individual.erased"}, False),
        ({"specversion": "0.3"}, False),
        ({"data": {**PERSON, "party": "x"}}, False),
        ({"data": {**PERSON, "deputy": new_id()}}, False),
        ({"data": {**PERSON, "duplicate_ok": True}}, False),
        ({"data": {"owner": "amina"}}, False),
        ({"data": {"last_name": "Quillfeather"}}, False),
        ({"data": {**PERSON, "contact_points": [{"kind": "fax", "value": "1"}]}}, False),
        ({"data": "Dov"}, False),
    ],
)
def test_the_document_and_the_code_take_the_same_messages(change: dict[str, Any], right: bool) -> None:
    event = {"specversion": "1.0", "id": new_id(), "source": "urn:ice:crm", "type": SUBMITTED, "data": PERSON, **change}
    assert (_is_described(event), _is_taken(event)) == (right, right)


def test_announcements_share_only_what_the_document_lists() -> None:
    told = document()["components"]["schemas"]["Told"]["properties"]
    assert set(PASSED_ON.values()) == set(TOLD)
    assert _SHARED.keys() == PASSED_ON.keys()
    assert {name for names in _SHARED.values() for name in names} | {"individual_id"} == set(told)


def test_names_and_codes_are_those_of_the_code() -> None:
    channels = document()["channels"]
    declared = topology(["{component}"])
    assert {declared.exchanges[0].name, declared.queues[1].name, declared.queues[2].name} == {c["address"] for c in channels.values()}
    description = document()["operations"]["submitIndividual"]["description"]
    assert all(f"`{code.code}`" in description for code in CODES)
