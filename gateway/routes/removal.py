"""Requests for no more contact, erasures and their receipts."""

from __future__ import annotations

from gateway.clients import command
from gateway.clients import query as ask
from gateway.endpoints import Answer, ApiBlueprint, JsonObject, Parameters, created
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

requests = ApiBlueprint(
    "no-contact-requests",
    __name__,
    url_prefix="/no-contact-requests",
    description="Freeze at once, erase by the owner (N6, R164-R170)",
)
twins = ApiBlueprint("twins", __name__, url_prefix="/twins", description="Records that may be of somebody who asked not to be contacted (T26)")
suppressions = ApiBlueprint(
    "suppressions", __name__, url_prefix="/suppressions", description="Values that block nothing until they are looked at (T25)"
)
hits = ApiBlueprint("suppression-hits", __name__, url_prefix="/suppression-hits", description="Entries that hit the suppression ledger (T35)")
lookups = ApiBlueprint("suppression-lookups", __name__, url_prefix="/suppression-lookups", description="Who looks up how much in that ledger (T35)")
frozen = ApiBlueprint(
    "frozen-individuals", __name__, url_prefix="/frozen-individuals", description="Frozen people, for those who may find them (T21)"
)
notices = ApiBlueprint("notices", __name__, url_prefix="/notices", description="What your component is told of erasures (T16)")
many_freezes = ApiBlueprint("many-freezes", __name__, url_prefix="/many-freezes", description="Many requests of one user on one day (T36)")
counts = ApiBlueprint("day-counts", __name__, url_prefix="/day-counts", description="What users did on each day, in numbers (T36)")
destructions = ApiBlueprint("destructions", __name__, url_prefix="/destructions", description="The register of destruction (N3)")
erasures = ApiBlueprint("erasures", __name__, url_prefix="/erasures", description="How far an erasure is, and its receipts (N3)")


@requests.endpoint("GET", "", query=NoContactRequestListQuerySchema, answers=RequestAnswer, collection=True)
def list_no_contact_requests(query: Parameters) -> object:
    """List the requests that you may know of."""
    return ask("retention", "list_no_contact_requests", query=query)


@requests.endpoint("POST", "", body=NoContactRequestCreateSchema, answers=RequestAnswer, status=201, problems=(404,))
def create_no_contact_request(body: JsonObject) -> object:
    """Record a request for no more contact; the record is frozen before the answer (T21)."""
    return created("no-contact-requests.read_no_contact_request", request_id=open_request(body))


@requests.endpoint("GET", "/<uuid:request_id>", answers=RequestAnswer, tagged=True, problems=(404,))
def read_no_contact_request(request_id: str) -> object:
    """Read one request."""
    return ask("retention", "read_no_contact_request", request_id=request_id)


@requests.endpoint("POST", "/<uuid:request_id>/erase", answers=AcceptedErasure, status=202, problems=(404,))
def erase_no_contact_request(request_id: str) -> object:
    """Erase, as the owner or as the one who has the duty now; the answer has the address of the erasure (T10)."""
    return accepted_erasure(command("retention", "erase_no_contact_request", request_id=request_id))


@requests.endpoint("POST", "/<uuid:request_id>/withdraw", body=WithdrawalSchema, answers=RequestAnswer, status=200, problems=(403, 404, 409))
def withdraw_no_contact_request(request_id: str, body: JsonObject) -> object:
    """Withdraw a request, within an hour if you recorded it; afterwards propose it to the privacy officer (T36)."""
    return command("retention", "withdraw_no_contact_request", request_id=request_id, body=body)


@requests.endpoint("GET", "/<uuid:request_id>/twins", query=ListQuerySchema, answers=TwinAnswer, collection=True, problems=(403, 404))
def list_twins_of_request(request_id: str, query: Parameters) -> object:
    """List records that may be of the same person. For the privacy officer (T26)."""
    found = ask("contacts", "list_twins", request_id=request_id, query=query)
    # Contacts does not know a request without twins, so retention is asked whether it exists.
    ask("retention", "read_no_contact_request", request_id=request_id)
    return found


@requests.endpoint(
    "POST",
    "/<uuid:request_id>/twins/<uuid:individual_id>",
    body=TwinDecisionSchema,
    answers=TwinDecisionAnswer,
    status=200,
    problems=(403, 404, 409),
)
def decide_twin(request_id: str, individual_id: str, body: JsonObject) -> object:
    """Decide whether a record is of the same person and is erased too, or of another one and is unfrozen (T26)."""
    return command("retention", "decide_twin", request_id=request_id, individual_id=individual_id, body=body)


@twins.endpoint("GET", "", query=ListQuerySchema, answers=TwinAnswer, collection=True, problems=(403,))
def list_twins(query: Parameters) -> object:
    """List records of all cases that may be of the same person. For the privacy officer (T26, T34)."""
    return ask("contacts", "list_twins", query=query)


@suppressions.endpoint("GET", "", query=ListQuerySchema, answers=MarkAnswer, collection=True, problems=(403,))
def list_marks(query: Parameters) -> object:
    """List recent values that block nothing until they are confirmed. For the privacy officer (T25)."""
    return ask("contacts", "list_marks", query=query)


@suppressions.endpoint("POST", "/<uuid:mark_id>", body=MarkDecisionSchema, answers=MarkDecidedAnswer, status=200, problems=(403, 404))
def settle_mark(mark_id: str, body: JsonObject) -> object:
    """Keep a value, so that it blocks, or drop it (T25)."""
    return command("contacts", "settle_mark", mark_id=mark_id, body=body)


@hits.endpoint("GET", "", query=ListQuerySchema, answers=HitAnswer, collection=True, problems=(403,))
def list_suppression_hits(query: Parameters) -> object:
    """List the unseen marks of the suppression ledger that entries hit. For the privacy officer (T35)."""
    return ask("contacts", "list_hits", query=query)


@lookups.endpoint("GET", "", query=ListQuerySchema, answers=LookupsAnswer, collection=True, problems=(403,))
def list_lookups(query: Parameters) -> object:
    """List the accounts whose entries hit the ledger, or that reached the daily limit of lookups. For the privacy officer (T35)."""
    return ask("contacts", "list_lookups", query=query)


@lookups.endpoint("POST", "/<string:account>", body=LookupsSeenSchema, answers=LookupsSeenAnswer, status=200, problems=(403, 404))
def see_lookups(account: str, body: JsonObject) -> object:
    """Mark an account's hits as seen, and allow it more lookups; imports that waited continue (T35)."""
    return command("contacts", "see_lookups", account=account, body=body)


@frozen.endpoint("GET", "", query=FrozenQuerySchema, answers=FoundFrozen, collection=True, problems=(403,))
def find_frozen(query: Parameters) -> object:
    """Find frozen people by name: your own, your office's, and those whose request you recorded (T21)."""
    return ask("contacts", "find_frozen", query=query)


@notices.endpoint("GET", "/<uuid:notice_id>", answers=NoticeAnswer, tagged=True, problems=(404,))
def read_notice(notice_id: str) -> object:
    """Read the notice that a person with a relationship to your component was erased; dismiss it as a task (T16)."""
    return ask("contacts", "read_notice", notice_id=notice_id)


@many_freezes.endpoint("GET", "", query=ListQuerySchema, answers=ManyFreezesAnswer, collection=True, problems=(403,))
def list_many_freezes(query: Parameters) -> object:
    """List the users of your office who recorded ten or more requests in a day. For the office administrator (T36)."""
    return ask("contacts", "list_many_freezes", query=query)


@destructions.endpoint("GET", "", query=DestructionListQuerySchema, answers=DestructionAnswer, collection=True, problems=(403,))
def list_destructions(query: Parameters) -> object:
    """List the register of destruction. For the privacy officer and system owners (N3)."""
    return ask("retention", "list_destructions", query=query)


@counts.endpoint("GET", "", query=ListQuerySchema, answers=DayCountAnswer, collection=True, problems=(403,))
def list_counts(query: Parameters) -> object:
    """Count recorded requests and blocked entries by user and day. For the security officer (T36)."""
    return ask("contacts", "list_counts", query=query)


@erasures.endpoint("GET", "/<uuid:erasure_id>", answers=ErasureAnswer, tagged=True, problems=(404,))
def read_erasure(erasure_id: str) -> object:
    """Read an erasure with its progress, its receipts by service, and its certificate."""
    return ask("retention", "read_erasure", erasure_id=erasure_id)


@erasures.endpoint("GET", "/<uuid:erasure_id>/hits", query=HitListQuerySchema, answers=ErasureHit, collection=True, problems=(404,))
def list_hits(erasure_id: str, query: Parameters) -> object:
    """List the texts in which the erased person was found, with excerpts. For the privacy officer (T27)."""
    return ask("retention", "list_hits", erasure_id=erasure_id, query=query)


@erasures.endpoint("POST", "/<uuid:erasure_id>/decisions", body=DecisionsSchema, answers=ErasureAnswer, problems=(404,))
def decide_hits(erasure_id: str, body: JsonObject) -> object:
    """Decide one hit, several or all: redact it, or leave it as another person's. For the privacy officer (T27)."""
    return command("retention", "decide_hits", erasure_id=erasure_id, body=body)


@erasures.endpoint("GET", "/sample", query=SampleQuerySchema, answers=ErasureHit, collection=True)
def list_sample(query: Parameters) -> object:
    """List undecided texts that were left as another person's, for the privacy officer's weekly sample (T27)."""
    return ask("retention", "list_sample", query=query)


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
