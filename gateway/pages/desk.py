"""My desk: what waits for me, and reports at a glance."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from gateway.clients import query
from gateway.pages.frame import blueprint, issue_names, page
from gateway.routes.tasks import tasks

TASK_WORDS = {
    "no_contact_request": "Erase the record of somebody who asked for no more contact",
    "answer-coordination-request": "Answer a request to coordinate",
    "carry-out-coordination-request": "Carry out what was asked of you",
    "await-coordination-request": "Wait for an answer to your request",
    "coordination-request-declined": "Your request to coordinate was declined",
    "correction": "Check a reported contact point",
    "duplicate": "Look at a possible duplicate",
    "keep-promise": "Keep a promise to follow up",
    "erasure": "Decide what an erasure found",
}


@blueprint.get("/")
def desk() -> Response:
    """Show what waits for me."""
    found = tasks()
    for task in found["items"]:
        task["page"] = page_of(task)
        task["words"] = TASK_WORDS.get(task["kind"], str(task["kind"]).replace("_", " ").replace("-", " ").capitalize())
    return page("desk.html", tasks=found)


@blueprint.get("/reports")
def reports() -> Response:
    """Show where DHS has spoken to people about an issue, and where not (R88, R100)."""
    issue = request.args.get("issue_id") or ""
    asked: dict[str, Any] = {"issue_id": issue} if issue else {}
    return page(
        "reports.html",
        issues=issue_names(),
        issue=issue,
        spoken=query("interactions", "report_spoken_to", query=asked),
    )


def page_of(task: dict[str, Any]) -> str:
    """Return the page on which a task is done; tasks themselves link into the API."""
    subject = task.get("subject") or {}
    kind, subject_id = subject.get("type"), subject.get("id")
    return {
        "no_contact_request": f"/requests/no-contact/{subject_id}",
        "coordination_request": f"/requests/coordination/{subject_id}",
        "individual": f"/individuals/{subject_id}",
        "organization": f"/organizations/{subject_id}",
        "interaction": f"/interactions/{subject_id}",
        "follow_up": f"/interactions/{subject.get('interaction_id')}",
        "erasure": f"/erasures/{subject_id}",
        "import": f"/imports/{subject_id}",
        "event": f"/events/{subject_id}",
    }.get(str(kind), "/")
