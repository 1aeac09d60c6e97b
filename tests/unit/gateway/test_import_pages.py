"""The pages of an import: the chosen mapping is checked, and each row stands beside the person whom it may be about."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pages import assets
from tests.unit.gateway.browsing import ID, OWNER, PERSON, Browser, come_in, doorkeeper
from tests.unit.gateway.fakes import FakeBus

IMPORT: dict[str, Any] = {
    "id": ID, "filename": "list.csv", "format": "csv", "state": "mapped", "progress": {"done": 0, "of": 1}, "counts": {}, "rows": 1,
    "mapping": [{"column": "Name", "field": "name"}, {"column": "Place", "field": None}], "refused_columns": [],
    "hidden": {"sheets": ["Old list"], "rows": 2},
    "issues": [{"issue_id": ID, "kind": "engaged", "since": None, "ended_on": None}], "source": None, "owner": OWNER,
    "problem": None, "stopped": None, "deciding": None, "refused_rows_until": None, "created_at": "2026-01-01T00:00:00Z", "finished_at": None,
}  # fmt: skip
ROW: dict[str, Any] = {
    "n": 3, "row": 5, "sheet": None, "outcome": "undecided", "reason": "This may be a person who is already here.", "individual_id": ID,
    "organization_id": None, "candidates": [ID], "decided": None,
}  # fmt: skip
PERSON_SHOWN = {"individual": {**PERSON, "salutation": None, "title": "Director", "organization_name": "Larkspur"}, "agrees": ["name", "state"]}


@pytest.fixture
def bus() -> FakeBus:
    bus = doorkeeper()
    bus.answers |= {
        ("contacts", "read_import"): IMPORT,
        ("contacts", "list_import_rows"): {"items": [ROW], "next": "further", "total": 201},
        ("contacts", "read_import_row"): {
            **ROW,
            "cells": [{"column": "Name", "field": "name", "value": "Dov <Dorn>"}, {"column": "Place", "field": None, "value": "Austin"}],
            "people": [{**PERSON_SHOWN, "differs": ["email"], "held_kinds": ["cell"]}],
        },
        ("contacts", "change_import_mapping"): IMPORT,
        ("contacts", "dry_run_import"): IMPORT,
        ("contacts", "decide_import_row"): ROW,
        ("contacts", "decide_import_rows"): IMPORT,
        ("contacts", "stop_import"): IMPORT,
        ("contacts", "resume_import"): IMPORT,
    }
    return bus


@pytest.fixture
def client(app: Any) -> Browser:
    browser = Browser(app)
    come_in(browser, "amina")
    return browser


def page(client: Browser, path: str) -> str:
    """Return a page's text."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.status
    return str(answer.text)


def send(client: Browser, path: str, **form: Any) -> Any:
    """Send a form of the import's page."""
    page(client, f"/imports/{ID}")
    return client.send(path, form)


@pytest.mark.requirement("R77")
def test_the_preview_says_what_the_workbook_hides(client: Browser, bus: FakeBus) -> None:
    shown = page(client, f"/imports/{ID}")
    assert "This workbook hides the sheet Old list and 2 rows." in shown
    bus.answers["contacts", "read_import"] = {**IMPORT, "hidden": {"sheets": [], "rows": 0}}
    assert "This workbook hides" not in page(client, f"/imports/{ID}")


@pytest.mark.requirement("R77", "R83")
def test_checking_checks_the_columns_and_issues_that_the_form_shows(client: Browser, bus: FakeBus) -> None:
    shown = page(client, f"/imports/{ID}")
    assert shown.count(f'action="/imports/{ID}/dry-run"') == 0
    assert f'value="{ID}" checked' in shown
    given = {
        "column": ["Name", "Place"],
        "target": ["name", "work_city"],
        "issue_ids": [ID],
        "issue_kind": "engaged",
        "then": "dry-run",
        "if_match": '"x"',
    }
    assert send(client, f"/imports/{ID}/mapping", **given).status_code == 303
    (changed,) = bus.of("contacts", "change_import_mapping")
    assert changed.kwargs["body"] == {
        "mapping": [{"column": "Name", "field": "name"}, {"column": "Place", "field": "work_city"}],
        "issues": [{"issue_id": ID, "kind": "engaged"}],
    }
    (checked,) = bus.of("contacts", "dry_run_import")
    assert changed.operation is not None
    assert checked.operation is not None
    assert changed.operation.key != checked.operation.key


@pytest.mark.requirement("T28")
def test_a_row_is_decided_beside_whom_it_may_be_about(client: Browser, bus: FakeBus) -> None:
    bus.answers["contacts", "read_import"] = {**IMPORT, "state": "committed", "counts": {"undecided": 1}}
    shown = page(client, f"/imports/{ID}?outcome=undecided")
    assert f'href="/imports/{ID}/rows/3"' in shown
    assert f'href="/individuals/{ID}">Dov Dorn &lt;b&gt;</a>' in shown
    assert "Showing 1 of 201" in shown
    row = page(client, f"/imports/{ID}/rows/3")
    for words in ("Dov &lt;Dorn&gt;", "Director, Larkspur, TX", "name, state", "e-mail", "cell", "Austin"):
        assert words in row
    assert send(client, f"/imports/{ID}/rows/3", decision="same", individual_id=ID).status_code == 303
    (decided,) = bus.of("contacts", "decide_import_row")
    assert decided.kwargs == {"import_id": ID, "n": "3", "body": {"decision": "same", "individual_id": ID}}
    assert send(client, f"/imports/{ID}/decisions", decision="skip").status_code == 303
    assert bus.of("contacts", "decide_import_rows")[0].kwargs["body"] == {"decision": "skip"}


@pytest.mark.requirement("T15", "T32")
def test_what_screening_stopped_in_a_row_is_kept_with_a_reason_on_its_page(client: Browser, bus: FakeBus) -> None:
    why = {"column": "Title", "reason": "This must not be taken in unseen."}
    taken = {**ROW, "outcome": "create", "candidates": [], "refused": [why], "cells": [], "people": []}
    bus.answers["contacts", "read_import"] = {**IMPORT, "state": "committed"}
    bus.answers["contacts", "list_import_rows"] = {"items": [taken], "next": None, "total": 1}
    bus.answers["contacts", "read_import_row"] = {**taken, "keepable": ["Title"]}
    assert f'href="/imports/{ID}/rows/3"' in page(client, f"/imports/{ID}")
    row = page(client, f"/imports/{ID}/rows/3")
    assert "Title: This must not be taken in unseen." in row
    assert 'name="keep_reason"' in row
    assert send(client, f"/imports/{ID}/rows/3", decision="keep").status_code == 422
    assert send(client, f"/imports/{ID}/rows/3", decision="keep", keep_reason="The position.").status_code == 303
    (kept,) = bus.of("contacts", "decide_import_row")
    assert kept.kwargs["body"] == {"decision": "keep", "keep_reason": "The position."}
    bus.answers["contacts", "read_import_row"] = {**taken, "keepable": []}
    assert 'name="keep_reason"' not in page(client, f"/imports/{ID}/rows/3")


def test_what_is_under_way_can_be_stopped_and_gone_on_with(client: Browser, bus: FakeBus) -> None:
    bus.answers["contacts", "read_import"] = {**IMPORT, "state": "undoing"}
    assert f'action="/imports/{ID}/stop"' in page(client, f"/imports/{ID}")
    assert send(client, f"/imports/{ID}/stop").status_code == 303
    bus.answers["contacts", "read_import"] = {**IMPORT, "state": "stopped", "stopped": "undoing"}
    assert f'action="/imports/{ID}/resume"' in page(client, f"/imports/{ID}")
    assert send(client, f"/imports/{ID}/resume").status_code == 303


@pytest.mark.parametrize("is_built", [True, False])
def test_what_goes_on_is_followed_without_reloading_the_page_and_by_a_link(
    client: Browser, bus: FakeBus, monkeypatch: pytest.MonkeyPatch, is_built: bool
) -> None:
    files = {**assets._FILES, assets.HTMX: b""}
    monkeypatch.setattr(assets, "_FILES", {name: content for name, content in files.items() if is_built or name != assets.HTMX})
    bus.answers["contacts", "read_import"] = {**IMPORT, "state": "committing", "progress": {"done": 40, "of": 100}}
    shown = page(client, f"/imports/{ID}")
    assert "http-equiv" not in shown
    assert f'<a href="/imports/{ID}">Refresh</a>' in shown
    assert (f'hx-get="/imports/{ID}"' in shown) == is_built == ("htmx.min.js" in shown)
    asked = {"HX-Request": "true"}
    assert "HX-Refresh" not in client.client.get(f"/imports/{ID}", headers=asked).headers
    bus.answers["contacts", "read_import"] = {**IMPORT, "state": "committed"}
    assert client.client.get(f"/imports/{ID}", headers=asked).headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in client.client.get(f"/imports/{ID}").headers
