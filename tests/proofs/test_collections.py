"""Every collection refuses users who may not read it: an empty list would say that there is nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.client import Person
from tests.proofs.operations import Operation, operations, path_of
from tests.proofs.world import World, instant

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
    "/day-counts": ACCOUNTS - {"edda"},
    "/destructions": ACCOUNTS - {"farid", "wanda"},
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
    "/interactions/against-preferences": ACCOUNTS - {"farid"},
    "/issues": frozenset({"edda"}),
    "/issues/{issue_id}/talking-points": frozenset({"edda"}),
    "/issues/{issue_id}/updates": frozenset({"edda"}),
    "/kept-texts": ACCOUNTS - {"farid"},
    "/no-contact-requests": frozenset({"edda"}),
    "/organizations": frozenset({"farid", "edda"}),
    "/organizations/{organization_id}/history": frozenset({"farid", "edda"}),
    "/reports/coverage-gaps": frozenset({"edda"}),
    "/stakeholders": frozenset({"farid", "edda"}),
    "/frozen-individuals": frozenset({"edda"}),
    "/many-freezes": ACCOUNTS - {"grace"},
    "/no-contact-requests/{request_id}/twins": ACCOUNTS - {"farid"},
    "/suppression-hits": ACCOUNTS - {"farid"},
    "/suppression-lookups": ACCOUNTS - {"farid"},
    "/suppressions": ACCOUNTS - {"farid"},
    "/tasks": frozenset(),
    "/twins": ACCOUNTS - {"farid"},
    "/users": frozenset(),
}
#: What answers whole, without a cursor, and why it cannot grow with the years.
BOUNDED = {
    "/components": "the offices of the department, as data",
    "/individuals/{individual_id}/contact-points": "at most twenty of a kind in a component; a reveal is logged whole (T11)",
    "/reports/coverage-gaps": "states and territories",
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
        asked = path_of(world, Operation("GET", path, {}))
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


# Every collection is whole


MANY = 5


def fill(world: World) -> None:
    """Give every collection more than one page of two."""
    people = [world.an_individual()["id"] for _ in range(MANY)]
    for one in people:
        world.a_coordination_request(one)
        world.a_no_contact_request()
        world.an_interaction(one)
        world.amina.post(f"/individuals/{world.person['id']}/notes", {"text": "Met at the forum."})
        world.amina.post(f"/individuals/{world.person['id']}/verifications", {"medium": "phone", "verified_at": instant()})
        world.amina.post(f"/issues/{world.issue['id']}/updates", {"kind": "event", "text": "A hearing was held."})
        world.amina.post(f"/issues/{world.issue['id']}/talking-points", {"text": "Guidance is on its way."})
        world.an_issue()
        world.an_organization()
        world.an_event()
        world.an_import()
        world.an_interaction(world.person["id"], organization_ids=[world.organization["id"]])
    world.amina.post(f"/events/{world.event['id']}/attendees", {"individual_ids": people})


def _walk(by: Person, path: str, size: int, **query: Any) -> list[Any]:
    """Return the first items of a collection, page by page; only the last page may be short."""
    items: list[Any] = []
    cursor: str | None = None
    for _ in range(12):
        page = by.get(path, **query, limit=size, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next"]
        assert len(page["items"]) == size or cursor is None, f"{path} {query}: a page of {len(page['items'])} in the middle"
        if cursor is None:
            break
    return items


def _filters(one: Operation) -> list[tuple[str, str]]:
    """Return the filters of a collection that take a word of a closed list."""
    found = []
    for parameter in one.said.get("parameters", []):
        schema = parameter.get("schema", {})
        if parameter.get("in") == "query" and parameter["name"] != "sort":
            found += [(parameter["name"], str(value)) for value in schema.get("enum", []) if value is not None]
    return found


def _is_run_of(part: list[Any], whole: list[Any]) -> bool:
    """Return whether a list is contained in another without gaps; newer items come before it."""
    return not part or any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


@pytest.mark.requirement("R147", "R53")
@pytest.mark.timeout(900)
def test_every_collection_comes_whole_page_by_page_whatever_it_is_filtered_by(world: World) -> None:
    fill(world)
    wrong: list[str] = []
    walked = 0
    for one in operations(world.document):
        if one.method != "GET" or not _is_collection(one.said, world.document):
            continue
        path = path_of(world, one)
        by = world.people[next(name for name in ("amina", "edda", "farid", "grace") if name not in REFUSED.get(one.path, ()))]
        names = {parameter["name"] for parameter in one.said.get("parameters", []) if parameter.get("in") == "query"}
        if "limit" not in names:
            answer = by.get(path)
            if one.path not in BOUNDED:
                wrong.append(f"{path}: give it a cursor, or say what bounds it")
            if answer.get("next") is not None or (isinstance(answer.get("total"), int) and answer["total"] != len(answer["items"])):
                wrong.append(f"{path}: says that there is more, and takes no cursor")
            continue
        # What is read here is told in the trail itself, so that one is read up to now.
        until = {"until": instant()} if one.path == "/audit/entries" else {}
        for given in [{}, *({name: value} for name, value in _filters(one))]:
            query = {**until, **given}
            for _ in range(3):
                part, whole = _walk(by, path, 1 if given else 2, **query), by.get(path, **query, limit=200)
                # What was announced between the two may stand among the others: then both are asked again.
                if _is_run_of(part, whole["items"]):
                    break
            walked += len(part)
            if not _is_run_of(part, whole["items"]):
                wrong.append(f"{path} {given}: page by page it is not what it is at once")
            if not given and one.path not in SMALL and len(part) <= 2:
                wrong.append(f"{path}: {len(part)} items are too few to prove anything")
            total = whole["total"]
            if whole["next"] is None and not given and isinstance(total, int) and total != len(whole["items"]):
                wrong.append(f"{path}: {len(whole['items'])} items of {total}")
    print(f"collections: {walked} items walked")
    assert wrong == []


#: What a system of today has few of, or this world makes few of.
SMALL = frozenset(
    {
        "/day-counts",
        "/destructions",
        "/no-contact-requests/{request_id}/twins",
        "/suppression-hits",
        "/suppression-lookups",
        "/suppressions",
        "/twins",
        "/erasures/sample",
        "/interactions/against-preferences",
        "/kept-texts",
        "/erasures/{erasure_id}/hits",
        "/audit/reviews",
        "/audit/findings",
        "/imports/{import_id}/rows",
        "/audit/checkpoints",
        "/frozen-individuals",
        "/many-freezes",
    }
)
