"""P6: if a service cannot write the audit entry, each of its routes answers 503 and no byte of data.

It runs against either deployment, because refusals travel over RabbitMQ in one and over the in-process broker in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests

from deploy.migrations import SERVICES
from tests.proofs.operations import Operation, Request, allowed, operations
from tests.proofs.world import World, instant
from tests.system import Full

pytestmark = pytest.mark.row("P6")

#: What is put together from several services answers without the one that is away, and says so.
PARTIAL = {
    "GET /tasks": {"contacts", "interactions", "retention"},
    "GET /individuals/{individual_id}/history": {"interactions"},
    "GET /organizations/{organization_id}/history": {"interactions"},
}
#: All that a problem document may say; the last belongs to a command whose outcome is unknown.
SAID = {"type", "title", "status", "detail", "code", "trace_id", "operation_id"}
CODES = {"unavailable", "audit-unavailable", "outcome-unknown", "session-uncertain"}


@dataclass(frozen=True, slots=True)
class Data:
    """What a body may not contain: names and values of the world's people and things."""

    words: tuple[str, ...]

    def found(self, answer: requests.Response) -> list[str]:
        """Return which of it an answer contains."""
        said = (answer.text + str(dict(answer.headers))).lower()
        return [word for word in self.words if word.lower() in said]


@pytest.fixture(scope="module", params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The embedded system of all proofs, and then six processes over RabbitMQ for this proof only."""
    if request.param == "embedded":
        yield request.getfixturevalue("embedded_world")
        return
    request.getfixturevalue("rabbitmq_is_here")
    folder = tmp_path_factory.mktemp("fail-closed")
    system = Full(folder / "state")
    try:
        yield World(system.start(), folder)
    finally:
        system.stop()


@pytest.fixture(scope="module")
def data(world: World) -> Data:
    """Names and texts of everything that the requests are about."""
    return Data(
        (
            world.person["last_name"],
            world.person["first_name"],
            world.organization["name"],
            world.issue["name"],
            "Met at the f",
            "Send the guidance",
            "Roundtable",
            "Please",
            "Oyelaran",
            "Amina",
            "@example.org",
        )
    )


@pytest.fixture(scope="module")
def served(world: World, data: Data) -> dict[str, set[str]]:
    """Return which services answer each operation: those that leave an entry of the user's own when it succeeds.

    Access counts only where no other service has an entry, because it also has one for opening the session again.
    """
    since = instant(seconds=-1)
    told = {}
    for operation in operations(world.document):
        request = allowed(world, operation)
        request.send()
        told[operation.name] = request.by.told[-1]
    entries = world.entries_of(list(told.values()), since)
    assert data.words
    found = {name: {entry["service"] for entry in entries.get(one.trace_id, []) if entry["actor_kind"] == "user"} for name, one in told.items()}
    return {name: services - {"access"} or services for name, services in found.items()}


def prepared(world: World, wanted: Callable[[Operation], bool]) -> list[tuple[Operation, Request]]:
    """Prepare every request while the service still answers."""
    return [(operation, allowed(world, operation)) for operation in operations(world.document) if wanted(operation)]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.requirement("R119", "R122", "R118")
@pytest.mark.timeout(240)
def test_without_its_audit_entry_no_route_of_a_service_answers_with_one_byte_of_data(
    world: World, served: dict[str, set[str]], data: Data, service: str
) -> None:
    ready = prepared(world, lambda operation: service in served[operation.name])
    assert ready, f"{service} serves no operation"
    rows = world.settled_rows(service)
    leaked, answered = [], []
    with world.without_audit_entries(service):
        for operation, request in ready:
            answer = request.send()
            if service in PARTIAL.get(operation.name, ()):
                body = answer.json()
                if answer.status_code != 200 or "warning" not in body or any(_is_of(service, item) for item in body["items"]):
                    answered.append((operation.name, answer.status_code, answer.text[:300]))
                continue
            if answer.status_code != 503 or not answer.headers["Content-Type"].startswith("application/problem+json"):
                answered.append((operation.name, answer.status_code, answer.text[:300]))
            elif answer.json().keys() - SAID or answer.json()["code"] not in CODES:
                answered.append((operation.name, answer.json().keys(), answer.text[:300]))
            if found := data.found(answer):
                leaked.append((operation.name, found))
            assert "ETag" not in answer.headers
        after = world.rows(service)
    print(f"P6: {service}, {len(ready)} operations")
    assert leaked == []
    assert answered == []
    assert after == rows, "nothing was done that cannot be told of"
    again = ready[0][1].send()
    assert again.status_code != 503


def test_every_operation_belongs_to_a_service_that_the_proof_silences(served: dict[str, set[str]]) -> None:
    assert [name for name, services in served.items() if not services] == []
    assert set().union(*served.values()) == set(SERVICES)


def _is_of(service: str, item: dict[str, object]) -> bool:
    """Return whether an item of a partial answer comes from that service."""
    if "link" in item:
        return any(word in str(item["link"]) for word in LINKS[service])
    # Of a history only what interactions tells can be away: without contacts there is none at all.
    return item["kind"] in {"interaction", "attendance"}


#: Where a task of that service leads.
LINKS = {
    "interactions": ("/interactions/", "/coordination-requests/"),
    "retention": ("/no-contact-requests/", "/erasures/"),
    "contacts": ("/individuals/",),
}
