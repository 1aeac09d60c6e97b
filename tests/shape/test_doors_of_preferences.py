"""Every route that changes or shows a person's values says which preference stops it (T33)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app import create_app
from services.chassis.config import Settings
from services.contacts.contract.integrations import TOLD
from tests.unit.gateway.fakes import FakeBus, heard

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions.md"
METHODS = {"get", "post", "put", "patch", "delete"}
#: Reads that give values which only a few may see.
VALUES_COME_OUT = {"GET /individuals/{individual_id}/contact-points"}


def table() -> str:
    """Return the rows of the table."""
    section = DECISIONS.read_text().split("## Which preference stops what\n")[1].split("\n## ")[0]
    return "\n".join(line.split(" | ")[0] for line in section.splitlines() if line.startswith("| "))


@pytest.fixture(scope="module")
def document() -> Any:
    """The OpenAPI document."""
    app = create_app(FakeBus(), heard(), Settings(service="gateway", cookie_secure=False))
    return app.test_client().get("/api/v1/openapi.json").json


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Return method, path and description of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield method, path.removeprefix("/api/v1"), item[method]


@pytest.mark.requirement("T33")
def test_the_table_has_every_door_and_no_other(document: Any) -> None:
    doors = {f"{method.upper()} {path}" for method, path, _ in operations(document) if method != "get"}
    assert sorted(re.findall(r"`([A-Z]+ /[^`]*)`", table())) == sorted(doors | VALUES_COME_OUT), "say what stops it, or why nothing does"


@pytest.mark.requirement("T33")
def test_the_table_has_every_message_to_a_components_system() -> None:
    assert set(re.findall(r"`([a-z]+\.[a-z-]+)`", table())) == set(TOLD)


@pytest.mark.requirement("T33")
def test_whatever_plans_a_mode_is_bound(document: Any) -> None:
    """A route whose body says how somebody will be contacted is one that preferences stop."""
    section = DECISIONS.read_text().split("## Which preference stops what\n")[1].split("\n## ")[0]
    free = {door for line in section.splitlines() if " | nothing | " in line for door in re.findall(r"`([A-Z]+ /[^`]*)`", line)}
    planning = {
        f"{method.upper()} {path}"
        for method, path, said in operations(document)
        if "How they are to be spoken to" in str(_resolved(said.get("requestBody", {}), document))
    }
    assert len(planning) == 3
    assert not planning & free


def _resolved(part: Any, document: Any) -> Any:
    if isinstance(part, dict):
        if "$ref" in part:
            return _resolved(document["components"]["schemas"][part["$ref"].rpartition("/")[2]], document)
        return {name: _resolved(value, document) for name, value in part.items()}
    return [_resolved(one, document) for one in part] if isinstance(part, list) else part
