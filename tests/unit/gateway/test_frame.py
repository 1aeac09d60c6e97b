"""The frame of the pages: navigation by role, static files that are kept, and what is compressed."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.pages import assets
from tests.unit.gateway.browsing import ID, Browser, quiet
from tests.unit.gateway.fakes import TOKEN, FakeBus, opened

OURS = {"Sec-Fetch-Site": "same-origin", "Accept-Encoding": "gzip"}
EVERYBODY = ["My desk", "People", "Organizations", "Events", "Issues", "Coordination", "No contact", "Reports"]


@pytest.fixture
def bus() -> FakeBus:
    """What the pages ask for, in a quiet system."""
    return quiet()


def places(page: str) -> list[str]:
    """Return the names in the navigation."""
    inside = re.search(r'<nav id="places".*?</nav>', page, re.DOTALL)
    return re.findall(r"<a [^>]*>([^<]*)</a>", inside[0]) if inside else []


def here(page: str) -> list[str]:
    """Return the places of the navigation at which one is."""
    return re.findall(r'<a href="[^"]*" aria-current="(?:page|true)">([^<]*)</a></li>', page)


@pytest.mark.parametrize(
    ("level", "roles", "shown"),
    [
        ("contributor", [], [*EVERYBODY, "Import"]),
        ("steward", [], [*EVERYBODY, "Import"]),
        ("reader", [], EVERYBODY),
        (None, ["isso"], ["My desk", "Audit"]),
        (None, ["privacy_officer"], ["My desk", "No contact"]),
        (None, ["system_administrator"], ["My desk"]),
    ],
)
def test_the_navigation_has_what_a_role_may_open(aminas: Browser, bus: FakeBus, level: str | None, roles: list[str], shown: list[str]) -> None:
    session = opened(roles=roles)
    session["session"]["level"] = session["session"]["user"]["level"] = level
    bus.answers[("access", "open_session")] = session
    page = aminas.get("/").text
    assert places(page) == shown
    assert ("<summary>New</summary>" in page) == (level in {"contributor", "steward"})
    assert ('role="search"' in page) == (level is not None)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "My desk"),
        ("/search", "People"),
        ("/search?type=organization", "Organizations"),
        ("/individuals/new", "People"),
        (f"/individuals/{ID}", "People"),
        ("/organizations/new", "Organizations"),
        ("/events", "Events"),
        (f"/events/{ID}", "Events"),
        ("/issues", "Issues"),
    ],
)
def test_the_navigation_marks_where_one_is_and_the_breadcrumb_leads_back(aminas: Browser, path: str, place: str) -> None:
    answer = aminas.get(path)
    assert answer.status_code == 200
    assert here(answer.text) == [place]
    below = path not in {"/", "/search", "/search?type=organization", "/events", "/issues"}
    assert ('aria-label="Breadcrumb"' in answer.text) == below


def test_a_static_file_of_the_present_version_is_kept_for_a_year_and_another_one_is_not(anonymous: FlaskClient) -> None:
    kept = anonymous.get(f"/static/{assets.VERSION}/liaison.css")
    assert (kept.status_code, kept.mimetype) == (200, "text/css")
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    old = anonymous.get("/static/0123456789abcdef/liaison.css")
    assert old.data == kept.data
    assert old.headers["Cache-Control"] == "no-cache"
    assert anonymous.get("/static/0123456789abcdef/liaison.css", headers={"If-None-Match": old.headers["ETag"]}).status_code == 304
    for outside in (f"/static/{assets.VERSION}/../assets.py", f"/static/{assets.VERSION}/%2e%2e/assets.py"):
        assert anonymous.get(outside).status_code == 404


def test_the_pages_name_the_static_files_by_their_version_and_ours_decides_last(aminas: Browser) -> None:
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', aminas.get("/").text)
    assert sheets[-1] == f"/static/{assets.VERSION}/liaison.css"
    assert all(aminas.client.get(sheet).status_code == 200 for sheet in sheets)


def test_the_pages_stand_without_the_design_system(aminas: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(assets._FILES, assets.DESIGN_SYSTEM, raising=False)
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)">', aminas.get("/").text)
    assert sheets == [f"/static/{assets.VERSION}/{name}" for name in ("plain.css", "liaison.css")]


@pytest.mark.parametrize(
    ("headers", "is_compressed"),
    [
        (OURS, True),
        ({**OURS, "Sec-Fetch-Site": "none"}, True),
        ({**OURS, "Sec-Fetch-Site": "cross-site"}, False),
        ({**OURS, "Sec-Fetch-Site": "same-site"}, False),
        ({"Accept-Encoding": "gzip"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
    ],
)
def test_a_page_that_another_site_could_have_asked_for_is_not_compressed(aminas: Browser, headers: dict[str, str], is_compressed: bool) -> None:
    plain = aminas.client.get("/search").data
    answer = aminas.client.get("/search", headers=headers)
    assert (answer.headers.get("Content-Encoding") == "gzip") is is_compressed
    read = gzip.decompress(answer.data) if is_compressed else answer.data
    assert abs(len(read) - len(plain)) < 500
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_an_answer_to_a_program_that_bears_its_token_is_compressed(app: Any, bus: FakeBus) -> None:
    bus.answers[("interactions", "list_issues")] = {"items": [{"name": "Worksite enforcement"}] * 100, "next": None, "total": 100}
    client = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"}
    assert client.get("/api/v1/issues", headers=headers).headers["Content-Encoding"] == "gzip"


def test_a_record_keeps_the_tag_that_names_its_version(app: Any, bus: FakeBus) -> None:
    bus.answers[("interactions", "read_issue")] = {"id": ID, "name": "Worksite enforcement" * 100}
    client = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    plain = client.get(f"/api/v1/issues/{ID}", headers=headers).headers["ETag"]
    assert client.get(f"/api/v1/issues/{ID}", headers={**headers, "Accept-Encoding": "gzip, br"}).headers["ETag"] == plain


def test_a_style_sheet_is_compressed_for_whoever_takes_that(anonymous: FlaskClient) -> None:
    answer = anonymous.get(f"/static/{assets.VERSION}/liaison.css", headers={"Accept-Encoding": "br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_the_sign_in_page_offers_accounts_in_a_demonstration_alone(app: Any, tmp_path: Path) -> None:
    browser = Browser(app)
    assert "Continue as" not in browser.get("/sign-in").text
    account = {
        "username": "amina",
        "password": "pass <word>",
        "name": "Amina Adler",
        "component": "ICE",
        "about": "Meets people.",
        "level": None,
        "roles": ["isso"],
    }
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps([account]))
    context = app.extensions["liaison"]
    context.settings = replace(context.settings, demo_accounts_file=str(file))
    page = browser.get("/sign-in").text
    assert "Continue as Amina" in page
    assert "Meets people." in page
    assert "security officer" in page
    assert 'name="password" value="pass &lt;word&gt;"' in page
