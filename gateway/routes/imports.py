"""Imports: upload a file, map its columns, check it, commit it, undo it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import Response, request

from gateway.clients import query as ask
from gateway.endpoints import ApiBlueprint
from gateway.uploads import read_upload, send_import
from services.chassis.answers import Page
from services.contacts.contract.answers.imports import ImportAnswer, ImportRowAnswer, ImportRowDetailAnswer, PageOfRefusedRows, RefusedRow
from services.contacts.contract.imports import (
    NOT_TAKEN_IN,
    AllDecisionsSchema,
    ImportChangeSchema,
    ImportRowsQuerySchema,
    RowDecisionSchema,
)
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.lexicon.cells import harmless

blueprint = ApiBlueprint("imports", "Spreadsheets, CSV, cards (R77-R82)", service="contacts")


@blueprint.forward("GET", "", query=ListQuerySchema, answers=ImportAnswer, collection=True)
def list_imports() -> None:
    """List your imports, the latest first."""


@blueprint.endpoint("POST", "", answers=ImportAnswer, status=201, streamed=True, located=True)
def create_import() -> object:
    """Upload a file, as the part `file` of a multipart body; a mapping is proposed."""
    return send_import(read_upload(), key=request.headers.get("Idempotency-Key"))


@blueprint.forward("GET", "/<uuid:import_id>", answers=ImportAnswer, tagged=True)
def read_import() -> None:
    """Read an import with its state, progress, counts and refused columns."""


@blueprint.forward("PATCH", "/<uuid:import_id>", to="change_import_mapping", body=ImportChangeSchema, answers=ImportAnswer, tagged=True, matched=True)
def change_import() -> None:
    """Change the mapping of columns, and the values for all rows."""


@blueprint.forward("POST", "/<uuid:import_id>/dry-run", answers=ImportAnswer, status=202)
def dry_run_import() -> None:
    """Start checking all rows, without importing any; then poll."""


@blueprint.forward("POST", "/<uuid:import_id>/commit", answers=ImportAnswer, status=202)
def commit_import() -> None:
    """Start importing the rows; then poll."""


@blueprint.forward("POST", "/<uuid:import_id>/cancel", answers=ImportAnswer, status=202)
def cancel_import() -> None:
    """Cancel an import that was not committed."""


@blueprint.forward("POST", "/<uuid:import_id>/stop", answers=ImportAnswer, status=202)
def stop_import() -> None:
    """Stop a check, a commit or an undo after its current block; it can be resumed."""


@blueprint.forward("POST", "/<uuid:import_id>/resume", answers=ImportAnswer, status=202)
def resume_import() -> None:
    """Resume what was stopped; then poll."""


@blueprint.forward("POST", "/<uuid:import_id>/undo", answers=ImportAnswer, status=202)
def undo_import() -> None:
    """Start undoing an import (N16); then poll."""


@blueprint.forward("GET", "/<uuid:import_id>/rows", query=ImportRowsQuerySchema, answers=ImportRowAnswer, collection=True)
def list_import_rows() -> None:
    """List the outcome of each row, with the reason."""


@blueprint.forward("GET", "/<uuid:import_id>/rows/<string:n>", answers=ImportRowDetailAnswer)
def read_import_row() -> None:
    """Read row `n` of an import with its cells, while they are stored, and the people whom it may be about."""


@blueprint.forward("POST", "/<uuid:import_id>/rows/<string:n>/decision", body=RowDecisionSchema, answers=ImportRowAnswer)
def decide_import_row() -> None:
    """Decide whom an undecided row is about: the same person, another one, or nobody to import (T28)."""


@blueprint.forward("POST", "/<uuid:import_id>/decisions", body=AllDecisionsSchema, answers=ImportAnswer, status=202)
def decide_import_rows() -> None:
    """Decide all undecided rows in the same way; then poll until `deciding` is null."""


@blueprint.endpoint("GET", "/<uuid:import_id>/rows.csv", answers=str, media="text/csv")
def refused_rows(import_id: str) -> Response:
    """Download the rows that were not imported as a file, to correct and upload it again.

    Refused and undecided rows have their cells, until `refused_rows_until`, and why they were not taken in in a column
    behind them, which an upload passes over. Of all others it says which, and why.
    """
    columns: list[str] = []
    lines: list[list[str]] = []
    refused: Iterator[PageOfRefusedRows] = _pages("list_refused_import_rows", import_id)
    for page in refused:
        columns = page["columns"]
        lines += [[*(harmless((row["cells"] or {}).get(name, "")) for name in columns), _why(row)] for row in page["items"]]
    for outcome in ("duplicate", "blocked", "skipped", "lapsed"):
        others: Iterator[Page[ImportRowAnswer]] = _pages("list_import_rows", import_id, outcome=outcome)
        lines += [[*("" for _ in columns), _why(row)] for other in others for row in other["items"]]
    out = io.StringIO()
    csv.writer(out).writerows([[*map(harmless, columns), NOT_TAKEN_IN], *lines])
    return Response(
        # Without the byte order mark, a spreadsheet may assume a national encoding.
        codecs.BOM_UTF8 + out.getvalue().encode(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rows-{import_id}.csv"'},
    )


def _why(row: RefusedRow | ImportRowAnswer) -> str:
    sheet = f" of {row['sheet']}" if row["sheet"] else ""
    cells = " ".join(f"{cell['column']}: {cell['reason']}" for cell in row["refused"])
    return f"Row {row['row']}{sheet}: {' '.join(filter(None, (row['reason'], cells)))}"


def _pages(method: str, import_id: str, **query: str) -> Iterator[Any]:
    cursor: dict[str, str] = {}
    while True:
        page = ask("contacts", method, import_id=import_id, query={**query, "limit": "200", **cursor})
        yield page
        if not page["next"]:
            return
        cursor = {"cursor": page["next"]}
