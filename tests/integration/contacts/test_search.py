"""Search and counts of stakeholders."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.refusals import CursorInvalid
from services.contacts.contract.schemas.individuals import IndividualListQuerySchema
from services.contacts.contract.schemas.search import RegionReportQuerySchema
from services.contacts.usecases import search
from tests.cast import AMINA, BRUNO, CHLOE, DOV, RENATA
from tests.integration.contacts.conftest import Desk, an_id, open_desk
from tests.support import Databases


@pytest.fixture
def town(desk: Desk) -> Desk:
    """Dov and a few others, for tests that change something."""
    return settled(desk)


@pytest.fixture(scope="module")
def standing_town(databases: Databases) -> Iterator[Desk]:
    """The same, for tests that only read."""
    with contextmanager(open_desk)(databases) as desk:
        yield settled(desk)


def settled(desk: Desk) -> Desk:
    """Register Dov and a few others."""
    desk.dov()
    for first, last, state in (
        ("María", "Núñez-Ortega", "NM"),
        ("Patrick", "O'Neil", "TX"),
        ("Amy Jean", "Klobuchar", "MN"),
        ("Zoë", "Łukasiewicz", None),
    ):
        desk.register(BRUNO, first_name=first, last_name=last, state=state)
    return desk


@pytest.mark.requirement("R83")
@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("quillfeather", "Dov Quillfeather"),
        ("QUILL", "Dov Quillfeather"),
        ("dov quill", "Dov Quillfeather"),
        ("larkspur", "Dov Quillfeather"),
        ("government affairs", "Dov Quillfeather"),
        ("nunez", "María Núñez-Ortega"),
        ("Nuñez-Ort", "María Núñez-Ortega"),
        ("oneil", "Patrick O'Neil"),
        ("O'Neil", "Patrick O'Neil"),
        ("lukasiewicz zoe", "Zoë Łukasiewicz"),
        ("klobuchr", "Amy Jean Klobuchar"),
        ("quilfether", "Dov Quillfeather"),
    ],
)
def test_words_prefixes_marks_and_misspellings_find_people(standing_town: Desk, words: str, name: str) -> None:
    assert name in standing_town.found(CHLOE, q=words)


@pytest.mark.requirement("R83")
@pytest.mark.parametrize("words", ["xylophone", "'", "a & b | !", "%", "dov klobuchar", "\\", ":*"])
def test_words_of_nobody_find_nobody(standing_town: Desk, words: str) -> None:
    assert standing_town.found(CHLOE, q=words) == []


@pytest.mark.requirement("T31", "R148", "R149")
@pytest.mark.parametrize(
    "value",
    [
        DOV.cell,
        DOV.cell.replace("-", ""),
        f"+1 {DOV.cell.replace('-', '.')}",
        DOV.email,
        DOV.email.upper(),
        f"mailto:{DOV.email}",
        f"quillf {DOV.cell}",
    ],
)
def test_a_value_finds_whoever_has_it_for_the_component_that_holds_it_and_nobody_for_another(standing_town: Desk, value: str) -> None:
    assert standing_town.found(AMINA, q=value) == standing_town.found(BRUNO, q=value) == ["Dov Quillfeather"]
    assert standing_town.found(CHLOE, q=value) == []


@pytest.mark.requirement("T31", "T19", "R148")
def test_whoever_may_reveal_nothing_finds_nobody_by_a_value(standing_town: Desk) -> None:
    assert standing_town.found(RENATA, q=DOV.cell) == standing_town.found(RENATA, q=DOV.email) == []
    assert standing_town.found(RENATA, q="dov quillfeather") == ["Dov Quillfeather"]


@pytest.mark.requirement("T31", "R148")
@pytest.mark.parametrize("value", [f"klobuchar {DOV.cell}", "956-555-9999", "nobody@example.org", "@", "2" * 30])
def test_a_value_of_nobody_or_with_anothers_name_finds_nobody(standing_town: Desk, value: str) -> None:
    assert standing_town.found(AMINA, q=value) == []


@pytest.mark.requirement("T17", "R148", "R149")
@pytest.mark.parametrize("value", ["956", "0142", "example.org", DOV.cell[4:8]])
def test_a_part_of_a_value_of_the_contact_layer_finds_nobody_not_even_for_its_holder(standing_town: Desk, value: str) -> None:
    assert standing_town.found(AMINA, q=value) == standing_town.found(CHLOE, q=value) == []


@pytest.mark.requirement("R83", "R35", "T22")
def test_an_issue_finds_whoever_engages_on_it_or_below_and_no_ended_interest(town: Desk) -> None:
    immigration = town.issue()
    worksite = town.issue(parent=immigration)
    found = {item["name"]: item["id"] for item in town.search()["items"]}
    town.change(AMINA, found["Dov Quillfeather"], issues=[{"issue_id": worksite}])
    town.change(AMINA, found["Patrick O'Neil"], issues=[{"issue_id": immigration, "kind": "interested"}])
    town.change(AMINA, found["Amy Jean Klobuchar"], issues=[{"issue_id": immigration, "kind": "interested", "ended_on": "2026-01-01"}])
    assert town.found(CHLOE, issue=worksite) == ["Dov Quillfeather"]
    assert town.found(CHLOE, issue=immigration) == ["Patrick O'Neil", "Dov Quillfeather"]
    assert town.found(CHLOE, issue=immigration, state="TX", q="dov") == ["Dov Quillfeather"]
    assert town.found(CHLOE, priority="immigration") == ["Patrick O'Neil", "Dov Quillfeather"]
    assert town.found(CHLOE, priority="counterterrorism") == []


@pytest.mark.requirement("R55", "R83")
def test_whoever_was_spoken_to_is_found_by_issue_and_by_when_and_shows_who_spoke_last(town: Desk) -> None:
    worksite = town.issue()
    (dov,) = [item["id"] for item in town.search(q="dov")["items"]]
    talk = town.talked(CHLOE, dov, issues=(worksite,), ago=timedelta(days=3))
    town.talked(AMINA, dov, issues=(), ago=timedelta(days=9))
    seen = town.read(RENATA, dov)
    assert seen["last_contact"] == {"by": CHLOE.id, "component": "PSO", "mode": "phone"}
    assert seen["last_contacted_at"] == "2026-11-20T15:00:00.000Z"
    assert seen["expires_on"] == "2027-11-23"
    assert {r["component"]: r["last_contact_at"] for r in seen["relationships"]} == {
        "ICE": "2026-11-14T15:00:00.000Z",
        "PSO": "2026-11-20T15:00:00.000Z",
    }
    assert [(i["issue_id"], i["kind"], i["since"]) for i in seen["issues"]] == [(worksite, "engaged", "2026-11-20")]
    assert town.found(engaged_on=worksite) == ["Dov Quillfeather"]
    assert town.found(contacted_after="2026-11-15") == ["Larkspur Freight", "Dov Quillfeather"], "and where he works (T6)"
    assert town.found(contacted_before="2026-11-20") == []
    town.talked(CHLOE, dov, source_id=talk, revision=2, issues=(), ago=timedelta(days=4))
    town.talked(CHLOE, dov, source_id=talk, revision=1, issues=(worksite,), ago=timedelta(days=3))
    assert town.found(engaged_on=worksite) == []
    assert town.read(RENATA, dov)["last_contacted_at"] == "2026-11-19T15:00:00.000Z"
    assert town.read(RENATA, dov)["issues"] == []


@pytest.mark.requirement("R85", "R151")
def test_a_search_shows_who_owns_and_who_has_the_relationship(standing_town: Desk) -> None:
    (item,) = standing_town.search(CHLOE, q="quillfeather", type="individual")["items"]
    assert item["owner"] == {"user": AMINA.id, "component": "ICE"}
    assert [r["component"] for r in item["relationships"]] == ["ICE"]
    assert standing_town.found(CHLOE, component="PSO") == []
    assert "Dov Quillfeather" in standing_town.found(CHLOE, component="ICE", owner=AMINA.id)


@pytest.mark.requirement("R88", "R102", "T18")
def test_a_region_finds_those_of_its_states(standing_town: Desk) -> None:
    # The organization has the state of the card that made it known.
    assert standing_town.found(CHLOE, fema_region=6) == ["Larkspur Freight", "María Núñez-Ortega", "Patrick O'Neil", "Dov Quillfeather"]
    assert standing_town.found(CHLOE, fema_region=5) == standing_town.found(CHLOE, state="MN") == ["Amy Jean Klobuchar"]
    assert standing_town.found(CHLOE, fema_region=1) == []


def test_pages_go_on_behind_the_last_line_and_their_cursor_is_for_one_user_and_query(standing_town: Desk) -> None:
    everybody = standing_town.found()
    for sort in ("name", "-name", "last_contacted_at", "-created_at"):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            asked: dict[str, Any] = {"limit": 2, "sort": sort, **({"cursor": cursor} if cursor else {})}
            answer = standing_town.search(**asked)
            assert answer["total"] == 6
            seen += [item["name"] for item in answer["items"]]
            cursor = answer["next"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(everybody)
        if sort == "-name":
            assert seen == everybody[::-1]
    cursor = standing_town.search(limit=2)["next"]
    for by, asked in ((BRUNO, {}), (AMINA, {"state": "TX"})):
        with pytest.raises(CursorInvalid):
            standing_town.search(by, limit=2, cursor=cursor, **asked)
    with pytest.raises(CursorInvalid):
        standing_town.search(limit=2, cursor=str(cursor)[:-4] + "AAAA")


def test_facets_count_what_was_found(standing_town: Desk) -> None:
    facets = standing_town.search(CHLOE, facets="state,type,component,fema_region")["facets"]
    assert facets["state"] == [{"value": "TX", "count": 3}, {"value": "MN", "count": 1}, {"value": "NM", "count": 1}]
    assert facets["type"] == [{"value": "individual", "count": 5}, {"value": "organization", "count": 1}]
    assert facets["component"] == [{"value": "ICE", "count": 6}]
    assert facets["fema_region"] == [{"value": 5, "count": 1}, {"value": 6, "count": 4}]


@pytest.mark.requirement("R101", "R102", "T12", "T18", "R88")
def test_the_report_drills_every_region_to_its_states_zeros_too(standing_town: Desk) -> None:
    query = RegionReportQuerySchema().load({"type": "individual"})
    report = standing_town.do(CHLOE, search.stakeholders_by_region, query=query)
    six = report["regions"][5]
    assert (six["fema_region"], six["count"]) == (6, 3)
    assert {row["state"]: row["count"] for row in six["states"]} == {"AR": 0, "LA": 0, "NM": 1, "OK": 0, "TX": 2}
    assert report["without_state"] == 1
    assert report["total"] == 5


@pytest.mark.requirement("T21", "R170")
def test_a_frozen_person_is_in_no_search_list_count_or_report(town: Desk) -> None:
    (dov,) = [item["id"] for item in town.search(q="dov")["items"]]
    town.freeze(CHLOE, dov)
    assert town.found(AMINA, q="quillfeather") == []
    assert town.search(AMINA, state="TX", type="individual")["total"] == 1
    query = IndividualListQuerySchema().load({})
    assert dov not in [item["id"] for item in town.do(AMINA, search.list_individuals, query=query)["items"]]
    report = town.do(CHLOE, search.stakeholders_by_region, query=RegionReportQuerySchema().load({}))
    assert report["regions"][5]["states"][4]["individuals"] == 1
    town.talked(AMINA, dov)
    town.change(AMINA, town.register(AMINA, last_name="Else")["id"], title="x")
    assert town.found(AMINA, q="quillfeather") == []


@pytest.mark.requirement("T8")
def test_the_words_of_a_search_are_in_no_entry(town: Desk) -> None:
    town.search(CHLOE, q="quillfeather", interest="op-eds", owner=an_id())
    entry = town.entries()[-1]
    assert entry["action"] == "contacts:stakeholder:search"
    assert "quill" not in str(entry)
    assert "op-eds" not in str(entry)
