"""What becomes of requests for no more contact: taking one back, twins and late values to decide (T25, T26, T36)."""

from __future__ import annotations

from flask import Response, request

from gateway.clients import command, query
from gateway.merging import Page
from gateway.pages.layout import blueprint, form_values, form_view, page, redirect_to, user_names, validated
from gateway.pages.paging import fetch_all, page_links, page_query
from gateway.pages.removal import no_contact_request
from services.chassis.messages import Refusal
from services.contacts.contract.answers.cases import HitAnswer, LookupsAnswer, ManyFreezesAnswer, MarkAnswer, TwinAnswer
from services.contacts.contract.schemas.cases import LookupsSeenSchema, MarkDecisionSchema
from services.retention.contract import TwinDecisionSchema, WithdrawalSchema
from services.retention.contract.answers import DestructionAnswer, RequestAnswer

CAUSES = {
    "no_contact": "The person asked for no more contact.",
    "mistake": "It was entered by mistake.",
    "no_longer_needed": "It was needed no longer.",
    "expired": "Nobody had spoken with the person for a year.",
}


@form_view("/requests/no-contact/<uuid:request_id>/withdraw", no_contact_request)
def withdrawing_request(request_id: str) -> Response:
    """Take the request back, propose to, or say what becomes of the proposal (T36)."""
    body = validated(WithdrawalSchema, form_values("reason", "decision"))
    command("retention", "withdraw_no_contact_request", request_id=request_id, body=body)
    return redirect_to("no_contact_decisions" if request.form.get("decision") else "withdrawn_request")


@blueprint.get("/requests/no-contact/withdrawn")
def withdrawn_request() -> Response:
    """Say that a request was taken back, or proposed to be."""
    return page("no_contact_withdrawn.html")


@blueprint.get("/requests/no-contact/decisions")
def no_contact_decisions(refusal: Refusal | None = None, **_path: str) -> Response:
    """Show the privacy officer what waits: records that may be the same person's, late values, proposals to take back."""
    twins: Page[TwinAnswer] = query("contacts", "list_twins", query=page_query(name="twins"))
    marks: Page[MarkAnswer] = query("contacts", "list_marks", query=page_query(name="values"))
    lookups: Page[LookupsAnswer] = query("contacts", "list_lookups", query=page_query(name="accounts"))
    hits: Page[HitAnswer] = query("contacts", "list_hits", query=page_query(name="hits"))
    open_requests: list[RequestAnswer] = fetch_all("retention", "list_no_contact_requests", {"state": "open"})
    proposals = [asked for asked in open_requests if asked.get("you_may_withdraw") == "confirm"]
    accounts = {*(item["account"] for item in lookups["items"]), *(item["account"] for item in hits["items"])}
    users: list[str | None] = [account for account in accounts if not account.startswith("integration.")]
    users += [twin["owner"]["user"] for twin in twins["items"]] + [mark["added_by"] for mark in marks["items"]]
    users += [proposal["proposed_by"] for asked in proposals if (proposal := asked["withdrawal"])]
    path = "/requests/no-contact/decisions"
    return page(
        "no_contact_decisions.html",
        twins=twins,
        marks=marks,
        lookups=lookups,
        hits=hits,
        parts={
            "twins": page_links(twins, path=path, name="twins"),
            "values": page_links(marks, path=path, name="values"),
            "accounts": page_links(lookups, path=path, name="accounts"),
            "hits": page_links(hits, path=path, name="hits"),
        },
        proposals=proposals,
        names=user_names(users),
        refusal=refusal,
    )


@form_view("/requests/no-contact/<uuid:request_id>/twins/<uuid:individual_id>", no_contact_decisions)
def deciding_twin(request_id: str, individual_id: str) -> Response:
    """Say whether a record is of the same person (T26)."""
    body = validated(TwinDecisionSchema, form_values("decision"))
    command("retention", "decide_twin", request_id=request_id, individual_id=individual_id, body=body)
    return redirect_to("no_contact_decisions")


@form_view("/suppressions/<uuid:mark_id>", no_contact_decisions)
def settling_mark(mark_id: str) -> Response:
    """Keep a value that was added lately as a mark, or drop it (T25)."""
    command("contacts", "settle_mark", mark_id=mark_id, body=validated(MarkDecisionSchema, form_values("decision")))
    return redirect_to("no_contact_decisions")


@form_view("/suppression-lookups/<string:account>", no_contact_decisions)
def seeing_lookups(account: str) -> Response:
    """Mark an account's hits as seen, and let it look up more values (T35)."""
    command("contacts", "see_lookups", account=account, body=validated(LookupsSeenSchema, form_values("more")))
    return redirect_to("no_contact_decisions")


@blueprint.get("/requests/no-contact/many")
def many_freezes() -> Response:
    """Show the office administrator who recorded many requests on one day, and why (T36)."""
    found: Page[ManyFreezesAnswer] = query("contacts", "list_many_freezes", query=page_query())
    names = user_names({item["user_id"] for item in found["items"]})
    return page("no_contact_many.html", found=found, part=page_links(found, path="/requests/no-contact/many"), names=names)


@blueprint.get("/destructions")
def destructions() -> Response:
    """Show the register of destruction: the privacy officer and system owners (N3)."""
    found: Page[DestructionAnswer] = query("retention", "list_destructions", query=page_query())
    names = user_names({item["requested_by"] for item in found["items"]})
    return page("destructions.html", found=found, part=page_links(found, path="/destructions"), names=names, causes=CAUSES)
