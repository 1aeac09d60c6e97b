"""Register what components' own systems submit, and tell them about their people (T13).

Screening, suppression, firewall and audit apply as for a user, because it is the same registration.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time

from services.chassis.database import UnitOfWork
from services.chassis.keyed import Keyed
from services.chassis.messages import Announcement, Caller, Refusal
from services.contacts.contract.announcements import (
    IndividualChanged,
    IndividualErased,
    IndividualFrozen,
    IndividualRegistered,
    IndividualsErased,
    IndividualsImported,
    IndividualUnfrozen,
    OwnerChanged,
    RelationshipEstablished,
)
from services.contacts.contract.commands import GivenIndividual
from services.contacts.contract.integrations import (
    ACCEPTED,
    PASSED_ON,
    REFUSED,
    EventIdReused,
    SubmissionsBlocked,
    announcement_key,
    reply_key,
)
from services.contacts.contract.refusals import ImportsStopped
from services.contacts.domain.submissions import Delivered, Submission, outgoing
from services.contacts.storage import submissions
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.submissions import Outcome
from services.contacts.usecases import looking
from services.contacts.usecases.individuals import register_individual
from services.contacts.usecases.preconditions import BLOCKED_A_DAY, require_clean_fields
from services.lexicon.refusals import TextNeedsReview

ACTION = "contacts:integration:submit"
_ACCEPTED = "accepted"


def answer_again(work: UnitOfWork, *, by: Caller, now: datetime, keyed: Keyed, delivered: Delivered, event_id: str) -> bool:
    """Answer a repeated message as the first one; return whether it was one.

    :raises EventIdReused: another message had this id.
    """
    component = str(by.component)
    earlier = submissions.find(work, component=component, keyed=keyed, event_id=event_id)
    if earlier is None:
        return False
    if not keyed.is_of(earlier.digest, delivered.body):
        raise EventIdReused
    _reply(work, component, delivered, earlier, now=now)
    work.record(ACTION, subjects=[earlier.individual_id] if earlier.individual_id else [], rule="replayed")
    return True


def take(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    layer: ContactLayer,
    keyed: Keyed,
    delivered: Delivered,
    submission: Submission,
    owner_id: str,
    command: GivenIndividual,
) -> None:
    """Register the person that a component submitted, and answer the message.

    :raises EventIdReused: another message had this id.
    :raises SubmissionsBlocked: too many of the component's messages were blocked today, or nobody has seen its tenth hit (T35).
    :raises TextNeedsReview: screening stops a text.
    :raises Refusal: as for a user.
    """
    component = str(by.component)
    is_new = submissions.claim(
        work,
        component=component,
        keyed=keyed,
        event_id=submission.id,
        delivered=delivered,
        code=_ACCEPTED,
        fields=(),
        now=now,
    )
    if not is_new:
        # A copy came in while this one was being read, and has committed meanwhile.
        answer_again(work, by=by, now=now, keyed=keyed, delivered=delivered, event_id=submission.id)
        return
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    if submissions.blocked_since(work, component=component, since=midnight) >= BLOCKED_A_DAY:
        raise SubmissionsBlocked
    try:
        looking.require_going_on(work, by=by, now=now)
    except ImportsStopped:
        raise SubmissionsBlocked from None
    _require_clean(command)
    individual = register_individual(work, by=by, now=now, layer=layer, owner_id=owner_id, **command)
    submissions.note_individual(work, component=component, keyed=keyed, event_id=submission.id, individual_id=individual["id"])
    work.record(ACTION, subjects=[individual["id"]], fields=command)
    earlier = submissions.find(work, component=component, keyed=keyed, event_id=submission.id)
    if earlier is not None:
        _reply(work, component, delivered, earlier, now=now)


def refuse(work: UnitOfWork, *, by: Caller, now: datetime, keyed: Keyed, delivered: Delivered, event_id: str | None, refusal: Refusal) -> None:
    """Answer a refused message with its code and the names of fields, never with a value."""
    component = str(by.component)
    fields = sorted(refusal.errors or ())
    submissions.claim(
        work,
        component=component,
        keyed=keyed,
        # Of an id that is taken the first message is kept; this one is told apart by its digest.
        event_id=None if refusal.code == EventIdReused.code else event_id,
        delivered=delivered,
        code=refusal.code,
        fields=fields,
        now=now,
    )
    outcome = Outcome(event_id, len(delivered.body), "", refusal.code, fields)
    _reply(work, component, delivered, outcome, now=now)
    work.record(ACTION, outcome="refused", rule=refusal.code)


def tell(work: UnitOfWork, told: Announcement, *, now: datetime, components: Collection[str]) -> None:
    """Pass an announcement to those of `components` that have a relationship with the individual.

    It has only ids and codes, without who recorded what. For fields a person asks the HTTP API.
    """
    if isinstance(told, IndividualsImported):
        for individual_id, organization_id, state in told.individuals:
            each = IndividualRegistered(str(individual_id), organization_id, told.owner_id, told.component, state)
            tell(work, each, now=now, components=components)
        return
    if isinstance(told, IndividualsErased):
        for each_id in told.individuals:
            tell(work, IndividualErased(each_id, told.cause), now=now, components=components)
        return
    if isinstance(told, RelationshipEstablished) and told.stakeholder_type != "individual":
        return
    individual_id = str(getattr(told, "individual_id", None) or getattr(told, "stakeholder_id", ""))
    if isinstance(told, RelationshipEstablished | IndividualRegistered):
        submissions.admit(work, individual_id, told.component)
    event = outgoing(PASSED_ON[type(told)], _codes(told, individual_id), subject=individual_id, now=now)
    for component in sorted(submissions.audience(work, individual_id) & set(components)):
        # Each copy is a message of its own: the relay publishes by id.
        submissions.send(work, outgoing(event["type"], event["data"], subject=individual_id, now=now), routing_key=announcement_key(component))
    if isinstance(told, IndividualErased):
        submissions.dismiss(work, individual_id)


def _codes(told: Announcement, individual_id: str) -> dict[str, object]:
    shared = {name: value for name, value in told.to_wire().items() if name in _SHARED[type(told)]}
    return {"individual_id": individual_id, **shared}


_SHARED: Mapping[type[Announcement], frozenset[str]] = {
    IndividualRegistered: frozenset({"organization_id", "state", "component", "owner_id"}),
    IndividualChanged: frozenset({"organization_id", "state", "revision"}),
    OwnerChanged: frozenset({"component", "owner_id", "revision"}),
    # That somebody asked for no more contact is what everybody must know; who heard it, and how, is not (T21).
    IndividualFrozen: frozenset(),
    IndividualUnfrozen: frozenset(),
    IndividualErased: frozenset({"cause"}),
    RelationshipEstablished: frozenset({"component"}),
}


def _require_clean(command: GivenIndividual) -> None:
    """Require that screening finds nothing: a system cannot be asked for a reason (T15, R41)."""
    try:
        require_clean_fields(command)
    except TextNeedsReview as refusal:
        found = sorted({name.partition(".")[0] for name in refusal.errors or ()})
        raise TextNeedsReview(errors={name: ["This text has information that can't be shared."] for name in found}) from None


def _reply(work: UnitOfWork, component: str, delivered: Delivered, outcome: Outcome, *, now: datetime) -> None:
    data = {
        "submission_id": outcome.event_id,
        "size": outcome.size,
        "message_id": delivered.message_id,
        "code": outcome.code,
        "fields": list(outcome.fields),
        "individual_id": outcome.individual_id,
    }
    kind = ACCEPTED if outcome.code == _ACCEPTED else REFUSED
    submissions.send(work, outgoing(kind, data, subject=outcome.event_id, now=now), routing_key=reply_key(component))
