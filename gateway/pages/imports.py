"""Pages of imports: upload, mapping, check, result and undo."""

from __future__ import annotations

from flask import Response, g, request

from gateway.clients import command, query
from gateway.errors import FormNotOurs, MultipartRequired
from gateway.identity import is_csrf_token
from gateway.merging import Page
from gateway.naming import stakeholder_names
from gateway.pages.layout import blueprint, form_list, form_values, form_view, issue_names, page, redirect_to, validated
from gateway.pages.paging import PageLinks, page_links, page_query
from gateway.pages.versions import compare_versions, submitted_etag
from gateway.trail import recorded
from gateway.uploads import read_upload, send_import
from services.chassis.messages import Refusal, Unauthenticated, entity_tag
from services.contacts.contract.answers.imports import OUTCOMES, ImportRowAnswer
from services.contacts.contract.imports import IMPORT_FIELDS, AllDecisionsSchema, ImportChangeSchema, RowDecisionSchema

#: Outcomes of a row, in words.
RESULTS = {
    "create": "New",
    "update": "Updated",
    "duplicate": "Already there",
    "blocked": "Blocked",
    "invalid": "Refused",
    "undecided": "To be decided",
    "skipped": "Not imported, as you decided",
    "lapsed": "Not imported",
}
#: What may agree or differ between a row and a person, in words.
SIGNS = {
    "name": "name",
    "suffix": "suffix",
    "middle_name": "middle name",
    "personal_contact": "cell phone or personal e-mail",
    "home_phone": "home phone",
    "work_email": "work e-mail",
    "work_phone": "work phone",
    "work_address": "work address",
    "email": "e-mail",
    "phone": "phone",
    "organization": "organization",
    "title": "title",
    "state": "state",
}


@blueprint.get("/imports")
def imports() -> Response:
    """List the user's imports, with the form for a new one."""
    found = query("contacts", "list_imports", query=page_query())
    return page("imports.html", found=found, part=page_links(found, path="/imports"))


@blueprint.post("/imports")
def uploading() -> Response:
    """Upload a file in pieces."""
    session_token = g.token
    try:
        file = read_upload()
        # The hidden fields come before the file, so they are checked before contacts gets any of it.
        if not is_csrf_token(session_token, file.fields.get("csrf_token")):
            raise FormNotOurs
        started = send_import(file, key=file.fields.get("idempotency_key"))
    except Unauthenticated:
        raise
    except Refusal as refusal:
        said = recorded(MultipartRequired("Choose a file first.") if isinstance(refusal, MultipartRequired) else refusal)
        return page("imports.html", refusal=said, found={"items": []}, part=PageLinks())
    return redirect_to("importing", import_id=started["id"])


def _targets() -> list[tuple[str, str]]:
    return list(zip(request.form.getlist("column"), request.form.getlist("target"), strict=False))


def _rows(import_id: str, **asked: str) -> Page[ImportRowAnswer]:
    found: Page[ImportRowAnswer] = query("contacts", "list_import_rows", import_id=import_id, query=asked)
    return found


@blueprint.get("/imports/<uuid:import_id>")
def importing(import_id: str, refusal: Refusal | None = None, **_path: str) -> Response:
    """Show an import with its mapping, check and result."""
    shown = query("contacts", "read_import", import_id=import_id)
    rows: Page[ImportRowAnswer] = {"items": [], "next": None, "total": 0}
    outcome = request.args.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES else ""
    if shown["state"] in {"checked", "committed", "failed", "undone", "stopped"}:
        rows = _rows(import_id, **page_query({"outcome": outcome} if outcome else {}, limit=100, name="rows"))
    names = stakeholder_names(each for row in rows["items"] for each in (row["individual_id"], row["organization_id"]))
    # A refused form keeps what was typed.
    typed = dict(_targets()) if refusal else {}
    chosen = {"issue_ids": [issue["issue_id"] for issue in shown["issues"]], "issue_kind": next((i["kind"] for i in shown["issues"]), "")}
    return page(
        "import.html",
        shown=shown,
        rows=rows,
        version=compare_versions(
            {"state": shown["state"], "columns": "; ".join(f"{one['column']}: {one['field'] or 'left out'}" for one in shown.get("mapping") or [])},
            entity_tag(shown),
            {"state": "State", "columns": "Columns"},
            refusal if "column" in request.form else None,
            asks_always=True,
        ),
        rows_part=page_links(rows, path=f"/imports/{import_id}", name="rows"),
        names=names,
        outcome=outcome,
        result=RESULTS,
        issues=issue_names(),
        refusal=refusal,
        targets={mapped["column"]: typed.get(mapped["column"], mapped["field"]) for mapped in shown["mapping"]},
        chosen=request.form if typed else chosen,
        fields={name: name.replace("_", " ") for name in IMPORT_FIELDS},
        moving=shown["state"] in {"checking", "committing", "undoing", "uploading"} or shown["deciding"],
    )


@form_view("/imports/<uuid:import_id>/mapping", importing)
def mapping_import(import_id: str) -> Response:
    """Change the mapping of columns and the issues of an import; with `then`, start the check too."""
    kind = request.form.get("issue_kind") or "interested"
    body = {
        "mapping": [{"column": column, "field": target or None} for column, target in _targets()],
        "issues": [{"issue_id": issue_id, "kind": kind} for issue_id in form_list("issue_ids")],
    }
    command("contacts", "change_import_mapping", import_id=import_id, if_match=submitted_etag(), body=validated(ImportChangeSchema, body))
    if request.form.get("then") == "dry-run":
        command("contacts", "dry_run_import", import_id=import_id)
    return redirect_to("importing", import_id=import_id)


@form_view("/imports/<uuid:import_id>/<any('dry-run', 'commit', 'cancel', 'undo', 'stop', 'resume'):step>", importing)
def stepping_import(import_id: str, step: str) -> Response:
    """Check, commit, cancel, undo, stop or resume an import."""
    command("contacts", f"{step.replace('-', '_')}_import", import_id=import_id)
    return redirect_to("importing", import_id=import_id)


@form_view("/imports/<uuid:import_id>/decisions", importing)
def deciding_import(import_id: str) -> Response:
    """Decide all undecided rows in the same way."""
    body = validated(AllDecisionsSchema, {"decision": request.form.get("decision", "")})
    command("contacts", "decide_import_rows", import_id=import_id, body=body)
    return redirect_to("importing", import_id=import_id)


@blueprint.get("/imports/<uuid:import_id>/rows/<string:n>")
def import_row(import_id: str, n: str, refusal: Refusal | None = None) -> Response:
    """Show a row beside the people whom it may be about."""
    row = query("contacts", "read_import_row", import_id=import_id, n=n)
    return page("import_row.html", import_id=import_id, row=row, refusal=refusal, result=RESULTS, signs=SIGNS, values=request.form)


@form_view("/imports/<uuid:import_id>/rows/<string:n>", import_row)
def deciding_row(import_id: str, n: str) -> Response:
    """Decide whom a row is about, and show the next undecided row."""
    body = {"decision": request.form.get("decision", ""), **form_values("individual_id", "keep_reason")}
    command("contacts", "decide_import_row", import_id=import_id, n=n, body=validated(RowDecisionSchema, body))
    if body["decision"] == "keep":
        return redirect_to("import_row", import_id=import_id, n=n)
    waiting = _rows(import_id, outcome="undecided", limit="1")["items"]
    return redirect_to("import_row", import_id=import_id, n=waiting[0]["n"]) if waiting else redirect_to("importing", import_id=import_id)
