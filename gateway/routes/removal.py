"""Requests for no more contact, erasures and their receipts."""

from __future__ import annotations

from typing import Any

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import Answer, Area, created
from services.chassis.messages import new_id
from services.retention.contract import (
    DecisionsSchema,
    ErasureSchema,
    HitListQuerySchema,
    NoContactRequestCreateSchema,
    NoContactRequestListQuerySchema,
    NoContactRequestSchema,
    SampledHitSchema,
    SampleQuerySchema,
    ShownHitSchema,
)

requests = Area(
    "no-contact-requests",
    __name__,
    url_prefix="/no-contact-requests",
    description="Freeze at once, erase by the owner (N6, R164-R170)",
)
erasures = Area("erasures", __name__, url_prefix="/erasures", description="How far an erasure is, and its receipts (N3)")


@requests.endpoint("GET", "", query=NoContactRequestListQuerySchema, answers=NoContactRequestSchema, collection=True)
def list_no_contact_requests(query: dict[str, Any]) -> Any:
    """List the requests that you may know of."""
    return ask("retention", "list_no_contact_requests", query=query)


@requests.endpoint("POST", "", body=NoContactRequestCreateSchema, answers=NoContactRequestSchema, status=201, problems=(404,))
def create_no_contact_request(body: dict[str, Any]) -> Any:
    """Record that somebody wants no more contact; the record is frozen when this answers (T21)."""
    return created("no-contact-requests.read_no_contact_request", request_id=open_request(body))


@requests.endpoint("GET", "/<uuid:request_id>", answers=NoContactRequestSchema, tagged=True, problems=(404,))
def read_no_contact_request(request_id: str) -> Any:
    """Read one request."""
    return ask("retention", "read_no_contact_request", request_id=request_id)


@requests.endpoint("POST", "/<uuid:request_id>/erase", answers=ErasureSchema, status=202, problems=(404,))
def erase_no_contact_request(request_id: str) -> Any:
    """Erase, as the owner or whoever the duty has passed to (T10); the answer says where to follow it."""
    return followed(command("retention", "erase_no_contact_request", request_id=request_id))


@erasures.endpoint("GET", "/<uuid:erasure_id>", answers=ErasureSchema, tagged=True, problems=(404,))
def read_erasure(erasure_id: str) -> Any:
    """Read how far an erasure is, its receipts per service, and its certificate."""
    return ask("retention", "read_erasure", erasure_id=erasure_id)


@erasures.endpoint("GET", "/<uuid:erasure_id>/hits", query=HitListQuerySchema, answers=ShownHitSchema, collection=True, problems=(404,))
def list_hits(erasure_id: str, query: dict[str, Any]) -> Any:
    """List the texts about others in which the erased person was found, with what stands there: the privacy officer (T27)."""
    return ask("retention", "list_hits", erasure_id=erasure_id, query=query)


@erasures.endpoint("POST", "/<uuid:erasure_id>/decisions", body=DecisionsSchema, answers=ErasureSchema, problems=(404,))
def decide_hits(erasure_id: str, body: dict[str, Any]) -> Any:
    """Redact a hit, or say that another person is meant: one, several or all alike; the privacy officer (T27)."""
    return command("retention", "decide_hits", erasure_id=erasure_id, body=body)


@erasures.endpoint("GET", "/sample", query=SampleQuerySchema, answers=SampledHitSchema, collection=True)
def list_sample(query: dict[str, Any]) -> Any:
    """List the texts that nobody decided and that stay as another person's, for the weekly sample: the privacy officer (T27)."""
    return ask("retention", "list_sample", query=query)


def open_request(body: dict[str, Any]) -> dict[str, Any]:
    """Freeze, durably, then open the case.

    Contacts comes first: DHS complies at once (R170), whether or not the case can be opened at this moment. Should this
    end in between, retention opens the case when it hears that the individual was frozen, under the same id.
    """
    frozen = command("contacts", "freeze", request_id=new_id(), **body)
    opened: dict[str, Any] = command("retention", "open_no_contact_request", **{**body, "request_id": frozen["request_id"]})
    return opened


def followed(erasure: dict[str, Any]) -> Answer:
    """Return an erasure that was accepted, with the address at which it can be followed."""
    return Answer(erasure, 202, {"Location": f"/api/v1/erasures/{erasure['erasure_id']}"})


def erase(subject_type: str, subject_id: str, if_match: str, reason: str) -> dict[str, Any]:
    """Ask retention to erase a record of the caller's own; the one door (R131)."""
    accepted: dict[str, Any] = command(
        "retention",
        "request_erasure",
        subject_type=subject_type,
        subject_id=subject_id,
        reason=reason,
        if_match=if_match,
    )
    return accepted
