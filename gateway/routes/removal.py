"""Requests for no more contact, erasures and their receipts."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import Answer, ApiBlueprint, JsonObject, Parameters
from services.chassis.messages import new_id
from services.contacts.contract.answers.cases import (
    DayCountAnswer,
    FoundFrozen,
    HitAnswer,
    LookupsAnswer,
    LookupsSeenAnswer,
    ManyFreezesAnswer,
    MarkAnswer,
    MarkDecidedAnswer,
    NoticeAnswer,
    TwinAnswer,
)
from services.contacts.contract.schemas.cases import FrozenQuerySchema, LookupsSeenSchema, MarkDecisionSchema
from services.contacts.contract.schemas.shared import ListQuerySchema
from services.retention.contract import (
    DecisionsSchema,
    DestructionListQuerySchema,
    HitListQuerySchema,
    NoContactRequestCreateSchema,
    NoContactRequestListQuerySchema,
    SampleQuerySchema,
    TwinDecisionSchema,
    WithdrawalSchema,
)
from services.retention.contract.answers import AcceptedErasure, DestructionAnswer, ErasureAnswer, ErasureHit, RequestAnswer, TwinDecisionAnswer

requests = ApiBlueprint("no-contact-requests", "Freeze at once, erase by the owner (N6, R164-R170)", service="retention")
erasures = ApiBlueprint("erasures", "How far an erasure is, and its receipts (N3)", service="retention")
twins = ApiBlueprint("twins", "Records that may be of somebody who asked not to be contacted (T26)", service="contacts")
suppressions = ApiBlueprint("suppressions", "Values that block nothing until they are looked at (T25)", service="contacts")
hits = ApiBlueprint("suppression-hits", "Entries that hit the suppression ledger (T35)", service="contacts")
lookups = ApiBlueprint("suppression-lookups", "Who looks up how much in that ledger (T35)", service="contacts")
frozen = ApiBlueprint("frozen-individuals", "Frozen people, for those who may find them (T21)", service="contacts")
notices = ApiBlueprint("notices", "What your component is told of erasures (T16)", service="contacts")
many_freezes = ApiBlueprint("many-freezes", "Many requests of one user on one day (T36)", service="contacts")
destructions = ApiBlueprint("destructions", "The register of destruction (N3)", service="retention")
counts = ApiBlueprint("day-counts", "What users did on each day, in numbers (T36)", service="contacts")


@requests.forward("GET", "", query=NoContactRequestListQuerySchema, answers=RequestAnswer, collection=True)
def list_no_contact_requests() -> None:
    """List the requests that you may know of."""


@requests.endpoint("POST", "", body=NoContactRequestCreateSchema, answers=RequestAnswer, status=201, problems=(404,), located=True)
def create_no_contact_request(body: JsonObject) -> object:
    """Record a request for no more contact; the record is frozen before the answer (T21)."""
    return open_request(body)


@requests.forward("GET", "/<uuid:request_id>", answers=RequestAnswer, tagged=True)
def read_no_contact_request() -> None:
    """Read one request."""


@requests.endpoint("POST", "/<uuid:request_id>/erase", answers=AcceptedErasure, status=202)
def erase_no_contact_request(request_id: str) -> object:
    """Erase, as the owner or as the one who has the duty now; the answer has the address of the erasure (T10)."""
    return accepted_erasure(command("retention", "erase_no_contact_request", request_id=request_id))


@requests.forward("POST", "/<uuid:request_id>/withdraw", body=WithdrawalSchema, answers=RequestAnswer)
def withdraw_no_contact_request() -> None:
    """Withdraw a request, within an hour if you recorded it; afterwards propose it to the privacy officer (T36)."""


@requests.endpoint("GET", "/<uuid:request_id>/twins", query=ListQuerySchema, answers=TwinAnswer, collection=True)
def list_twins_of_request(request_id: str, query: Parameters) -> object:
    """List records that may be of the same person. For the privacy officer (T26)."""
    found = ask("contacts", "list_twins", request_id=request_id, query=query)
    # Contacts does not know a request without twins, so retention is asked whether it exists.
    ask("retention", "read_no_contact_request", request_id=request_id)
    return found


@requests.forward("POST", "/<uuid:request_id>/twins/<uuid:individual_id>", body=TwinDecisionSchema, answers=TwinDecisionAnswer)
def decide_twin() -> None:
    """Decide whether a record is of the same person and is erased too, or of another one and is unfrozen (T26)."""


@twins.forward("GET", "", query=ListQuerySchema, answers=TwinAnswer, collection=True)
def list_twins() -> None:
    """List records of all cases that may be of the same person. For the privacy officer (T26, T34)."""


@suppressions.forward("GET", "", query=ListQuerySchema, answers=MarkAnswer, collection=True)
def list_marks() -> None:
    """List recent values that block nothing until they are confirmed. For the privacy officer (T25)."""


@suppressions.forward("POST", "/<uuid:mark_id>", body=MarkDecisionSchema, answers=MarkDecidedAnswer)
def settle_mark() -> None:
    """Keep a value, so that it blocks, or drop it (T25)."""


@hits.forward("GET", "", to="list_hits", query=ListQuerySchema, answers=HitAnswer, collection=True)
def list_suppression_hits() -> None:
    """List the unseen marks of the suppression ledger that entries hit. For the privacy officer (T35)."""


@lookups.forward("GET", "", query=ListQuerySchema, answers=LookupsAnswer, collection=True)
def list_lookups() -> None:
    """List the accounts whose entries hit the ledger, or that reached the daily limit of lookups. For the privacy officer (T35)."""


@lookups.forward("POST", "/<string:account>", body=LookupsSeenSchema, answers=LookupsSeenAnswer)
def see_lookups() -> None:
    """Mark an account's hits as seen, and allow it more lookups; imports that waited continue (T35)."""


@frozen.forward("GET", "", query=FrozenQuerySchema, answers=FoundFrozen, collection=True)
def find_frozen() -> None:
    """Find frozen people by name: your own, your office's, and those whose request you recorded (T21)."""


@notices.forward("GET", "/<uuid:notice_id>", answers=NoticeAnswer, tagged=True)
def read_notice() -> None:
    """Read the notice that a person with a relationship to your component was erased; dismiss it as a task (T16)."""


@many_freezes.forward("GET", "", query=ListQuerySchema, answers=ManyFreezesAnswer, collection=True)
def list_many_freezes() -> None:
    """List the users of your office who recorded ten or more requests in a day. For the office administrator (T36)."""


@destructions.forward("GET", "", query=DestructionListQuerySchema, answers=DestructionAnswer, collection=True)
def list_destructions() -> None:
    """List the register of destruction. For the privacy officer and system owners (N3)."""


@counts.forward("GET", "", query=ListQuerySchema, answers=DayCountAnswer, collection=True)
def list_counts() -> None:
    """Count recorded requests and blocked entries by user and day. For the security officer (T36)."""


@erasures.forward("GET", "/<uuid:erasure_id>", answers=ErasureAnswer, tagged=True)
def read_erasure() -> None:
    """Read an erasure with its progress, its receipts by service, and its certificate."""


@erasures.forward("GET", "/<uuid:erasure_id>/hits", query=HitListQuerySchema, answers=ErasureHit, collection=True)
def list_hits() -> None:
    """List the texts in which the erased person was found, with excerpts. For the privacy officer (T27)."""


@erasures.forward("POST", "/<uuid:erasure_id>/decisions", body=DecisionsSchema, answers=ErasureAnswer)
def decide_hits() -> None:
    """Decide one hit, several or all: redact it, or leave it as another person's. For the privacy officer (T27)."""


@erasures.forward("GET", "/sample", query=SampleQuerySchema, answers=ErasureHit, collection=True)
def list_sample() -> None:
    """List undecided texts that were left as another person's, for the privacy officer's weekly sample (T27)."""


def open_request(body: JsonObject) -> RequestAnswer:
    """Freeze the record, then open the case.

    Contacts comes first, because DHS complies at once (R170). If the process ends in between, retention opens the case
    under the same id when it hears that the individual was frozen.
    """
    frozen = command("contacts", "freeze", request_id=new_id(), **body)
    opened: RequestAnswer = command("retention", "open_no_contact_request", **{**body, "request_id": frozen["request_id"]})
    return opened


def accepted_erasure(erasure: AcceptedErasure) -> Answer:
    """Return an accepted erasure with the address where the client can follow it."""
    return Answer(erasure, 202, {"Location": f"/api/v1/erasures/{erasure['erasure_id']}"})


def erase(subject_type: str, subject_id: str, if_match: str, body: JsonObject) -> AcceptedErasure:
    """Ask retention to erase a record that the caller owns (R131)."""
    accepted: AcceptedErasure = command(
        "retention",
        "request_erasure",
        subject_type=subject_type,
        subject_id=subject_id,
        if_match=if_match,
        **body,
    )
    return accepted
