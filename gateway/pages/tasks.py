"""Pages of the user's tasks and of the reports."""

from __future__ import annotations

from flask import Response, request

from gateway.clients import query
from gateway.pages.layout import blueprint, form_view, issue_names, page, redirect_to, user_names
from gateway.pages.paging import SHOWN, page_links
from gateway.routes.tasks import Task, dismiss, my_tasks
from services.chassis.messages import Refusal

TASK_WORDS = {
    "decide-import-rows": "Decide rows of your import",
    "no_contact_request": "Erase the record of somebody who asked for no more contact",
    "answer-coordination-request": "Answer a coordination request",
    "carry-out-coordination-request": "Carry out what was asked of you",
    "await-coordination-request": "Wait for an answer to your request",
    "coordination-request-done": "What you asked for was done",
    "coordination-request-declined": "Your coordination request was declined",
    "coordination-request-withdrawn": "A request that you had accepted was withdrawn",
    "coordination-request-yours": "The record is yours now, so your request has ended",
    "coordination-request-issue-erased": "The issue that a coordination request was about was deleted; the request has ended",
    "coordination-request-no-contact": "The person whom you asked about wants no more contact; your request has ended",
    "coordination-request-erased": "The person whom you asked about was erased; your request has ended",
    "correction": "Check a reported contact point",
    "duplicate": "Look at a possible duplicate",
    "same_value": "Two records that may be one person's",
    "merge_proposed": "Say whether two records are one person's",
    "keep-promise": "Keep a promise to follow up",
    "erasure": "Decide what an erasure found",
    "withdrawal": "Confirm or decline the withdrawal of a no-contact request",
    "possible_no_contact": "This may be the person who asked not to be contacted: do not contact",
    "twin_to_decide": "Say whether a record is of a person who asked not to be contacted",
    "value_to_decide": "Keep or drop a value of a person who asked not to be contacted",
    "lookups_to_see": "Entries hit people who asked not to be contacted, or look up many: look at them",
    "erased_notice": "Somebody your component had a relationship with asked not to be contacted, and was erased",
    "many_freezes": "Somebody in your office recorded ten or more requests for no more contact in one day",
}


#: Kinds of task about two records, which have their own page.
PAIRS = frozenset({"duplicate", "same_value", "merge_proposed"})
#: Kinds of task that have one page for all their tasks.
PAGES_OF_KINDS = {
    "twin_to_decide": "/requests/no-contact/decisions",
    "value_to_decide": "/requests/no-contact/decisions",
    "withdrawal": "/requests/no-contact/decisions",
    "lookups_to_see": "/requests/no-contact/decisions",
    "many_freezes": "/requests/no-contact/many",
}


@blueprint.get("/")
def desk(refusal: Refusal | None = None, **_path: str) -> Response:
    """Show the user's tasks."""
    found = my_tasks(limit=SHOWN, cursor=request.args.get("cursor") or None)
    names = user_names({task["by"]["user"] for task in found["items"] if task["by"]})
    issues = issue_names() if any(task["issue_id"] for task in found["items"]) else {}
    shown = [{**task, "page": page_of(task), "words": _words_of(task)} for task in found["items"]]
    return page("tasks.html", tasks={**found, "items": shown}, part=page_links(found, path="/"), names=names, issues=issues, refusal=refusal)


@form_view("/tasks/<string:task_id>/dismissal", desk)
def dismissing_task(task_id: str) -> Response:
    """Dismiss a notice."""
    dismiss(task_id)
    return redirect_to("desk")


@blueprint.get("/reports")
def reports() -> Response:
    """Show where DHS has spoken to people about an issue, and where not (R88, R100)."""
    issue = request.args.get("issue_id") or ""
    return page(
        "reports.html",
        issues=issue_names(),
        issue=issue,
        spoken=query("interactions", "report_spoken_to", query={"issue_id": issue} if issue else {}),
    )


def _words_of(task: Task) -> str:
    return TASK_WORDS.get(task["kind"], task["kind"].replace("_", " ").replace("-", " ").capitalize())


def page_of(task: Task) -> str:
    """Return the page on which a task is done; the task's own link leads into the API."""
    subject = task["subject"]
    if task["kind"] in PAGES_OF_KINDS:
        return PAGES_OF_KINDS[task["kind"]]
    if task["kind"] in PAIRS:
        return "/duplicates/{}/{}".format(*subject["individual_ids"])
    kind, subject_id = subject.get("type"), subject.get("id")
    if kind == "coordination_request" and not str(task.get("link", "")).endswith(str(subject_id)):
        # The request or its person was erased, so there is no page.
        return ""
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
