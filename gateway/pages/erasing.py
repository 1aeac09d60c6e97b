"""Pages for erasing: confirm it, follow it, and decide the mentions that it found in other texts (T27)."""

from __future__ import annotations

from flask import Response, request

from gateway.clients import command, query
from gateway.pages.layout import WORDS, blueprint, form_values, form_view, page, redirect_to, user_names, validated
from gateway.pages.paging import page_query
from gateway.pages.record import FACTS
from gateway.pages.versions import compare_versions, submitted_etag
from gateway.permissions import may
from gateway.routes.removal import erase as erase_record
from services.chassis.messages import Forbidden, NotFound, Refusal, entity_tag
from services.contacts.contract.answers.individuals import IndividualAnswer
from services.retention.contract import DecisionsSchema, ErasureRequestSchema
from services.retention.contract.answers import AcceptedErasure, ErasureAnswer, RequestAnswer

#: Stores of mentions, in words.
PLACES = {
    "contacts.notes": "A note on somebody else",
    "contacts.individuals": "Somebody else's record",
    "contacts.organizations": "An organization",
    "contacts.offices": "An organization's office",
    "contacts.contact_point_grants": "The reason of a grant",
    "contacts.reveal_reasons": "The reason of a reveal",
    "contacts.import_effects": "What an import changed",
    "interactions.issues": "An issue",
    "interactions.issue_updates": "An update on an issue",
    "interactions.talking_points": "A talking point",
    "interactions.interactions": "A conversation with somebody else",
    "interactions.follow_ups": "A promise to somebody else",
    "interactions.events": "An event",
    "interactions.coordination_requests": "A coordination request about somebody else",
    "interactions.kept_texts": "A text kept by one component",
}
#: Parts of the system, in words.
PARTS = {
    "contacts": "Records, contact points, notes and imports",
    "interactions": "Conversations, events, issues and requests",
    "retention": "Requests for no more contact and erasures",
    "access": "Accounts",
    "audit": "The audit trail",
}
#: Reasons why an undecided mention was left, in words.
LEFT = {
    "other-cause": "The person did not ask for no more contact.",
    "living-namesake": "Somebody of that name has a record.",
    "too-many-texts": "The name was found in more than 20 texts.",
    "not-sure": "It may well mean somebody else.",
}


@blueprint.get("/erasures/sample")
def erasures_sample() -> Response:
    """Show the undecided mentions that were left, for the privacy officer's weekly sample."""
    return page("erasures_sample.html", found=query("retention", "list_sample", query=page_query()), places=PLACES, left=LEFT)


def may_erase(individual_id: str) -> bool:
    """Tell whether the user may erase this record now (T10)."""
    try:
        return bool(query("contacts", "may_erase", individual_id=individual_id)["allowed"])
    except (NotFound, Forbidden):
        return False


def name_of(individual_id: str) -> str:
    """Return the name of an individual, or an empty text when the user may not see the record."""
    try:
        person: IndividualAnswer = query("contacts", "read_individual", individual_id=individual_id)
    except (NotFound, Forbidden):
        return ""
    return f"{person['first_name']} {person['last_name']}".strip()


@blueprint.get("/requests/no-contact/<uuid:request_id>/erase")
def erase_on_request(request_id: str, refusal: Refusal | None = None) -> Response:
    """Ask for confirmation before erasing a person who asked for no more contact."""
    asked: RequestAnswer = query("retention", "read_no_contact_request", request_id=request_id)
    if asked["erasure_id"]:
        return redirect_to("erasure", erasure_id=asked["erasure_id"])
    individual_id = asked["individual_id"]
    return page(
        "erase.html",
        name=name_of(individual_id),
        may_erase=may_erase(individual_id),
        action=f"/requests/no-contact/{request_id}/erase",
        back=f"/requests/no-contact/{request_id}",
        asked=asked,
        owner=user_names([asked["owner"]["user"]]).get(asked["owner"]["user"] or "", ""),
        refusal=refusal,
    )


@form_view("/requests/no-contact/<uuid:request_id>/erase", erase_on_request)
def erasing_on_request(request_id: str) -> Response:
    """Erase the person of a request, as the owner or as the one who has the duty now (R165)."""
    if not request.form.get("confirmed"):
        return erase_on_request(request_id)
    accepted: AcceptedErasure = command("retention", "erase_no_contact_request", request_id=request_id)
    return redirect_to("erasure", erasure_id=accepted["erasure_id"])


@blueprint.get("/individuals/<uuid:individual_id>/erase")
def erase_individual(individual_id: str, refusal: Refusal | None = None) -> Response:
    """Ask for confirmation before erasing a record of the user's own."""
    person: IndividualAnswer = query("contacts", "read_individual", individual_id=individual_id)
    return page(
        "erase.html",
        name=f"{person['first_name']} {person['last_name']}".strip(),
        may_erase=may_erase(individual_id),
        action=f"/individuals/{individual_id}/erase",
        back=f"/individuals/{individual_id}",
        asked=None,
        version=compare_versions(person, entity_tag(person), FACTS, refusal, asks_always=True, words={"state": WORDS["states"]}),
        owner=user_names({person["owner"]["user"]}).get(person["owner"]["user"], ""),
        values=request.form if request.method == "POST" else {},
        refusal=refusal,
    )


@form_view("/individuals/<uuid:individual_id>/erase", erase_individual)
def erasing_individual(individual_id: str) -> Response:
    """Erase a record of the user's own that is a mistake or no longer needed (R131)."""
    if not request.form.get("confirmed"):
        return erase_individual(individual_id)
    accepted = erase_record("individual", individual_id, submitted_etag(), validated(ErasureRequestSchema, form_values("reason")))
    return redirect_to("erasure", erasure_id=accepted["erasure_id"])


@blueprint.get("/erasures/<uuid:erasure_id>")
def erasure(erasure_id: str, refusal: Refusal | None = None) -> Response:
    """Show the progress of an erasure and, to the privacy officer, the undecided mentions."""
    shown: ErasureAnswer = query("retention", "read_erasure", erasure_id=erasure_id)
    officer = may("open_case")
    hits = None
    if officer and shown["state"] == "waiting_for_decision":
        hits = query("retention", "list_hits", erasure_id=erasure_id, query={"undecided": "true", "limit": "50"})
    return page("erasure.html", erasure=shown, hits=hits, officer=officer, places=PLACES, parts=PARTS, refusal=refusal)


@form_view("/erasures/<uuid:erasure_id>/decisions", erasure)
def deciding_hits(erasure_id: str) -> Response:
    """Decide one mention, or all others in the same way, as the privacy officer."""
    body = {**form_values("hit_id", "decision"), **({"all": True} if request.form.get("all") else {})}
    command("retention", "decide_hits", erasure_id=erasure_id, body=validated(DecisionsSchema, body))
    return redirect_to("erasure", erasure_id=erasure_id)
