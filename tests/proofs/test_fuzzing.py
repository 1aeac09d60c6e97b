"""P18: schemathesis tests every operation of our document, with all its checks."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from tests.journeys.client import Person
from tests.proofs.fuzzing import LEFT_OUT, fuzz
from tests.proofs.operations import Operation, allowed, operations
from tests.proofs.world import COMES_AND_GOES, World
from tests.rows import figure

#: P18's figure is 100 for each operation.
EXAMPLES = figure(100, 20)


@pytest.mark.row("P18")
@pytest.mark.timeout(figure(0, 900))
def test_whatever_the_document_allows_or_forbids_is_answered_as_it_says(world: World) -> None:
    person = Person(world.system.base).sign_in(world.accounts[COMES_AND_GOES])

    def token() -> str:
        if person.ask("GET", "/sessions/current").status_code != requests.codes.ok:
            person.sign_in(world.accounts[COMES_AND_GOES])
        return str(person.token)

    seed = secrets.randbelow(2**32)
    found = list(fuzz(world.document, world.system.base, token, examples=EXAMPLES, seed=seed))
    print(f"P18: seed {seed}, {len(found)} operations, {sum(one.asked for one in found)} requests, {EXAMPLES} for each; without {sorted(LEFT_OUT)}")
    assert not any(one.wrong for one in found), "\n".join(str(one) for one in found if one.wrong)


def _ids(document: dict[str, Any], operation: Operation) -> Iterator[tuple[str, str, Any]]:
    """Yield where an operation takes an id besides its path: in the query or the body, by name, with an id of nothing."""
    nothing = str(uuid.uuid4())
    for parameter in operation.said.get("parameters", ()):
        if parameter.get("in") == "query" and _is_id(parameter["schema"]):
            yield "params", parameter["name"], nothing
    body = operation.said.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for name, field in document["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {}).get("properties", {}).items():
        if _is_id(field):
            yield "json", name, nothing
        elif _is_id(field.get("items", {})):
            yield "json", name, [nothing]


def _is_id(schema: dict[str, Any]) -> bool:
    return schema.get("format") == "uuid"


@pytest.mark.row("P18")
def test_an_id_of_nothing_is_answered_as_the_document_says(world: World) -> None:
    asked, wrong = 0, []
    for operation in operations(world.document):
        for where, name, nothing in _ids(world.document, operation):
            request = allowed(world, operation)
            given = {**request.given, where: {**request.given.get(where, {}), name: nothing}}
            status = replace(request, given=given).send().status_code
            asked += 1
            if str(status) not in operation.said["responses"]:
                wrong.append(f"{operation.name} {name}: {status}")
    assert asked > 20
    assert wrong == []
