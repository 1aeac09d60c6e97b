"""The page on which the privacy officer reads and releases kept texts (T15)."""

from __future__ import annotations

from flask import Response, request

from gateway.pages.layout import blueprint, form_values, form_view, page, redirect_to, user_names, validated
from gateway.pages.paging import SHOWN, page_links
from gateway.routes.kept_texts import kept_texts, release
from services.chassis.messages import Refusal
from services.contacts.contract.schemas.notes import KeptTextReleaseSchema

SUBJECTS = {
    "note": "Note on a person",
    "interaction": "Outcome of an interaction",
    "follow_up": "Promise to follow up",
    "coordination_request": "Coordination request",
    "event": "Event",
    "issue": "Issue",
    "issue_update": "Update of an issue",
    "talking_point": "Talking point",
}
#: Subjects with a page that the privacy officer may open.
PAGES = {"interaction": "/interactions", "event": "/events"}


@blueprint.get("/kept-texts")
def kept_text_list(refusal: Refusal | None = None, **_path: str) -> Response:
    """List the texts that wait to be released."""
    found = kept_texts(limit=SHOWN, cursor=request.args.get("cursor") or None)
    return page(
        "kept_texts.html",
        found=found,
        part=page_links(found, path="/kept-texts", kept={}),
        names=user_names({item["kept_by"] for item in found["items"]}),
        subjects=SUBJECTS,
        pages=PAGES,
        refusal=refusal,
    )


@form_view("/kept-texts/<string:kept_id>/release", kept_text_list)
def releasing_kept_text(kept_id: str) -> Response:
    """Release a text, so that everybody may read it."""
    release(kept_id, validated(KeptTextReleaseSchema, form_values("kept_at")))
    return redirect_to("kept_text_list", done="released")
