"""Imports: a file in, its columns, its check, its commit, and the way back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import Area, created
from gateway.uploads import send_import, upload
from services.contacts.contract import ListQuerySchema
from services.contacts.contract.imports import ImportChangeSchema, ImportRowSchema, ImportRowsQuerySchema, ImportSchema

area = Area("imports", __name__, url_prefix="/imports", description="Spreadsheets, CSV, cards (R77-R82)")

#: A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@area.endpoint("GET", "", query=ListQuerySchema, answers=ImportSchema, collection=True)
def list_imports(query: dict[str, Any]) -> Any:
    """List your imports, the latest first."""
    return ask("contacts", "list_imports", query=query)


@area.endpoint("POST", "", answers=ImportSchema, status=201, streamed=True, problems=(409,))
def create_import() -> Any:
    """Upload a file, as the part `file` of a multipart body; a mapping is proposed."""
    return created(
        "imports.read_import",
        import_id=send_import(upload(), key=request.headers.get("Idempotency-Key")),
    )


@area.endpoint("GET", "/<uuid:import_id>", answers=ImportSchema, tagged=True, problems=(404,))
def read_import(import_id: str) -> Any:
    """Read an import: its state, how far it is, its counts and the columns that were refused."""
    return ask("contacts", "read_import", import_id=import_id)


@area.endpoint("PATCH", "/<uuid:import_id>", body=ImportChangeSchema, answers=ImportSchema, tagged=True, matched=True, problems=(404,))
def change_import(import_id: str, if_match: str, body: dict[str, Any]) -> Any:
    """Change which column is what, and what holds for every row."""
    return command("contacts", "change_import_mapping", import_id=import_id, if_match=if_match, body=body)


@area.endpoint("POST", "/<uuid:import_id>/dry-run", answers=ImportSchema, status=202, problems=(404,))
def dry_run_import(import_id: str) -> Any:
    """Check every row, and change nothing; then poll."""
    return command("contacts", "dry_run_import", import_id=import_id)


@area.endpoint("POST", "/<uuid:import_id>/commit", answers=ImportSchema, status=202, problems=(404,))
def commit_import(import_id: str) -> Any:
    """Take the rows in; then poll."""
    return command("contacts", "commit_import", import_id=import_id)


@area.endpoint("POST", "/<uuid:import_id>/cancel", answers=ImportSchema, status=202, problems=(404,))
def cancel_import(import_id: str) -> Any:
    """Leave an import that was not committed."""
    return command("contacts", "cancel_import", import_id=import_id)


@area.endpoint("POST", "/<uuid:import_id>/undo", answers=ImportSchema, status=202, problems=(404,))
def undo_import(import_id: str) -> Any:
    """Take an import back (N16); then poll."""
    return command("contacts", "undo_import", import_id=import_id)


@area.endpoint(
    "GET",
    "/<uuid:import_id>/rows",
    query=ImportRowsQuerySchema,
    answers=ImportRowSchema,
    collection=True,
    problems=(404,),
)
def list_import_rows(import_id: str, query: dict[str, Any]) -> Any:
    """List what became of each row, and why."""
    return ask("contacts", "list_import_rows", import_id=import_id, query=query)


@area.endpoint("GET", "/<uuid:import_id>/rows.csv", answers={"type": "string"}, media="text/csv", problems=(404,))
def refused_rows(import_id: str) -> Response:
    """Give the rows that were not taken in back as a file: which, and why; to be found again in one's own."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("row", "sheet", "outcome", "reason"))
    for outcome in ("duplicate", "blocked", "invalid"):
        for row in _all_rows(import_id, outcome):
            table.writerow([harmless(row.get(name)) for name in ("row", "sheet", "outcome", "reason")])
    return Response(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rows-{import_id}.csv"'},
    )


def harmless(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _all_rows(import_id: str, outcome: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = ask("contacts", "list_import_rows", import_id=import_id, query={"outcome": outcome, "limit": "200", **cursor})
        yield from page["items"]
        if not page["next"]:
            return
        cursor = {"cursor": page["next"]}
