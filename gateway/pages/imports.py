"""Importing: file, columns, check, result, undo."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request

from gateway.clients import command, query
from gateway.errors import FormNotOurs, status_of
from gateway.identity import is_form_token
from gateway.pages.frame import attempt, blueprint, checked, issue_names, page, several, to
from gateway.pages.paging import placed, rest_of
from gateway.pages.versions import meant, versions
from gateway.trail import recorded
from gateway.uploads import send_import, upload
from services.chassis.messages import Refusal, Unauthenticated, entity_tag
from services.contacts.contract.imports import IMPORT_FIELDS, ImportChangeSchema

STEPS = {
    "dry-run": "dry_run_import",
    "commit": "commit_import",
    "cancel": "cancel_import",
    "undo": "undo_import",
}


@blueprint.get("/imports")
def imports() -> Response:
    """List one's imports, and show the form for another."""
    found = query("contacts", "list_imports", query=placed({}, limit=50))
    return page("imports.html", found=found, part=rest_of(found, path="/imports"))


@blueprint.post("/imports")
def uploading() -> Response:
    """Take a file in, piece by piece."""
    bearer_less = g.token
    try:
        file = upload()
        # The form's hidden fields come before its file, so they are known before anything is handed on.
        if not is_form_token(bearer_less, file.fields.get("csrf_token")):
            raise FormNotOurs
        started = send_import(file, key=file.fields.get("idempotency_key"))
    except Unauthenticated:
        raise
    except Refusal as refusal:
        said = recorded(refusal)
        return page("imports.html", status=status_of(said), refusal=said, found={"items": []}, part={})
    return to("importing", import_id=started["id"])


@blueprint.get("/imports/<uuid:import_id>")
def importing(import_id: Any) -> Response:
    """Show an import: its mapping, its check, its result."""
    return _import_page(str(import_id))


@blueprint.post("/imports/<uuid:import_id>/mapping")
def mapping_import(import_id: Any) -> Response:
    """Change which column means what, and for which issue everybody is entered."""

    def change() -> Response:
        columns = request.form.getlist("column")
        targets = request.form.getlist("target")
        body: dict[str, Any] = {"mapping": [{"column": column, "field": target or None} for column, target in zip(columns, targets, strict=False)]}
        if issue_ids := several("issue_ids"):
            kind = request.form.get("issue_kind", "interested")
            body["issues"] = [{"issue_id": issue_id, "kind": kind} for issue_id in issue_ids]
        command(
            "contacts",
            "change_import_mapping",
            import_id=str(import_id),
            if_match=meant(),
            body=checked(ImportChangeSchema, body),
        )
        return to("importing", import_id=import_id)

    return attempt(change, lambda refusal: _import_page(str(import_id), refusal))


@blueprint.post("/imports/<uuid:import_id>/<any('dry-run', 'commit', 'cancel', 'undo'):step>")
def stepping_import(import_id: Any, step: str) -> Response:
    """Check, commit, cancel or undo an import."""

    def go() -> Response:
        command("contacts", STEPS[step], import_id=str(import_id))
        return to("importing", import_id=import_id)

    return attempt(go, lambda refusal: _import_page(str(import_id), refusal))


def _import_page(import_id: str, refusal: Refusal | None = None) -> Response:
    shown = query("contacts", "read_import", import_id=import_id)
    rows: dict[str, Any] = {"items": []}
    if shown["state"] in {"checked", "committed", "failed", "undone"}:
        rows = query("contacts", "list_import_rows", import_id=import_id, query=placed({}, limit=100, name="rows"))
    return page(
        "import.html",
        shown=shown,
        rows=rows,
        version=versions(
            {"state": shown["state"], "columns": "; ".join(f"{one['column']}: {one['field'] or 'left out'}" for one in shown.get("mapping") or [])},
            entity_tag(shown),
            {"state": "State", "columns": "Columns"},
            refusal,
            here=refusal is not None and "column" in request.form,
            asks_always=True,
        ),
        rows_part=rest_of(rows, path=f"/imports/{import_id}", name="rows"),
        issues=issue_names(),
        refusal=refusal,
        values=request.form if refusal else {},
        fields={name: name.replace("_", " ") for name in IMPORT_FIELDS},
        moving=shown["state"] in {"checking", "committing", "undoing", "uploading"},
    )
