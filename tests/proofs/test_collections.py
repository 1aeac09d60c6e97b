"""Every collection says to those who may not look that they may not: an empty list would say that there is nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proofs.operations import IDS, operations
from tests.proofs.world import World

#: One of each kind of account: contributors of two components, a reader, and each office beside the level.
ACCOUNTS = frozenset({"amina", "chloe", "femi", "grace", "wanda", "simon", "farid", "edda"})
#: To whom a collection is refused. The security officer's account sees the trail alone (T14); the privacy officer's, which
#: has no level, not the directory (T19); readers, and who reads only beside an office, import nothing (T19).
REFUSED: dict[str, frozenset[str]] = {
    "/audit/checkpoints": ACCOUNTS - {"edda"},
    "/audit/entries": ACCOUNTS - {"edda"},
    "/audit/findings": ACCOUNTS - {"edda"},
    "/audit/reviews": ACCOUNTS - {"edda"},
    "/components": frozenset(),
    "/coordination-requests": frozenset({"edda"}),
    "/erasures/sample": ACCOUNTS - {"farid"},
    "/erasures/{erasure_id}/hits": ACCOUNTS - {"farid"},
    "/events": frozenset({"edda"}),
    "/events/{event_id}/attendees": frozenset({"edda"}),
    "/imports": ACCOUNTS - {"amina", "chloe", "grace"},
    "/individuals": frozenset({"farid", "edda"}),
    "/individuals/{individual_id}/contact-points": ACCOUNTS - {"amina", "chloe", "grace"},
    "/individuals/{individual_id}/history": frozenset({"farid", "edda"}),
    "/individuals/{individual_id}/notes": frozenset({"farid", "edda"}),
    "/interactions": frozenset({"edda"}),
    "/issues": frozenset({"edda"}),
    "/issues/{issue_id}/talking-points": frozenset({"edda"}),
    "/issues/{issue_id}/updates": frozenset({"edda"}),
    "/no-contact-requests": frozenset({"edda"}),
    "/organizations": frozenset({"farid", "edda"}),
    "/organizations/{organization_id}/history": frozenset({"farid", "edda"}),
    "/reports/coverage-gaps": frozenset({"edda"}),
    "/stakeholders": frozenset({"farid", "edda"}),
    "/tasks": frozenset(),
    "/users": frozenset(),
}
#: An import is its owner's alone, whoever asks: to everybody else it is not there.
ONE_OWNER_S = {"/imports/{import_id}/rows"}


def _is_collection(said: dict[str, Any], document: dict[str, Any]) -> bool:
    schema = said["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {})
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return "items" in schema.get("properties", {})


@pytest.mark.requirement("R153", "T14", "T19", "T21")
def test_whoever_may_not_look_is_refused_and_never_shown_an_empty_list(world: World) -> None:
    collections = {one.path for one in operations(world.document) if one.method == "GET" and _is_collection(one.said, world.document)}
    assert collections == REFUSED.keys() | ONE_OWNER_S, "say of every collection who may look"
    wrong = []
    for path, refused in REFUSED.items():
        asked = path.format(**{name: of(world) for name, of in IDS.items()})
        for name in sorted(ACCOUNTS):
            answer = world.people[name].ask("GET", asked)
            if answer.status_code != (403 if name in refused else 200):
                wrong.append((path, name, answer.status_code))
            elif name in refused:
                problem = answer.json()
                assert answer.headers["Content-Type"].startswith("application/problem+json")
                assert problem["code"], path
                assert "items" not in problem
    assert wrong == []
