"""Verify a person's details with them: the one-year clock restarts, and declined kinds may be withdrawn (R115, T6, T20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller, Invalid, NotFound, new_id, wire_value
from services.contacts.contract.announcements import IndividualChanged
from services.contacts.contract.answers.individuals import VerificationAnswer
from services.contacts.contract.refusals import OwnerUnsuitable
from services.contacts.domain.stakeholders import IndividualChanges
from services.contacts.storage import individuals, verifications
from services.contacts.storage.verifications import Verification
from services.contacts.usecases.authorization import facts_of, open_individual, require_contributor

#: Clocks of clients and servers differ by so much, and not by more.
_CLOCK_SKEW = timedelta(minutes=2)
#: There was no department before.
_EARLIEST = datetime(2003, 1, 1, tzinfo=UTC)


def verify(
    work: UnitOfWork,
    *,
    by: Caller,
    now: datetime,
    individual_id: str,
    medium: str,
    verified_at: datetime,
    contact_point_ids: Sequence[str] = (),
    withdraw_declined: Sequence[str] = (),
) -> VerificationAnswer:
    """Record that a person's details were verified with them.

    A declined kind that is gone already is not withdrawn again; `withdrawn` lists those that were.

    :param contact_point_ids: values of the caller's component that were verified.
    :param withdraw_declined: kinds that the person no longer declines to give.
    :raises ContributorsOnly, IndividualUnknown, IndividualFrozen: see there.
    :raises Invalid: the day is in the future, or a contact point is not the caller's component's own of this person.
    """
    row = open_individual(work, individual_id, by=by, now=now, lock=True)
    require_contributor(by, "verify", None, facts_of(row))
    if by.component is None:
        raise OwnerUnsuitable
    if verified_at > now + _CLOCK_SKEW:
        raise Invalid(errors={"verified_at": ["Not in the future."]})
    if verified_at < _EARLIEST:
        raise Invalid(errors={"verified_at": ["Not before 2003."]})
    named = set(contact_point_ids)
    # Whether there is none, or it is another's, nobody is told.
    if named and named != set(verifications.verify_own_points(work, individual_id, sorted(named), component=by.component, at=verified_at)):
        raise Invalid(errors={"contact_point_ids": ["Contact points of this person that were given to your component."]})
    withdrawn = [kind for kind in row.declined if kind in withdraw_declined]
    entry = Verification(new_id(), individual_id, medium, verified_at, now, by.id, by.component, withdrawn)
    verifications.add(work, entry)
    left: IndividualChanges = {"declined": [kind for kind in row.declined if kind not in withdrawn]} if withdrawn else {}
    individuals.update(work, individual_id, left, now=now)
    work.announce(IndividualChanged(individual_id, row.organization_id, row.state, row.version + 1))
    work.record("contacts:individual:verify", subjects=[individual_id], fields=["verified_at", *left], rule="T6")
    return _representation(entry)


def repeat_verification(work: UnitOfWork, *, by: Caller, now: datetime, individual_id: str, verification_id: str) -> VerificationAnswer:
    """Answer a repeated verification as the first one."""
    open_individual(work, individual_id, by=by, now=now)
    entry = verifications.find(work, verification_id)
    if entry is None or entry.individual_id != individual_id:
        raise NotFound
    work.record("contacts:individual:verify", subjects=[individual_id], fields=["verified_at"], outcome="replayed")
    return _representation(entry)


def _representation(entry: Verification) -> VerificationAnswer:
    return {
        "id": entry.id,
        "individual_id": entry.individual_id,
        "medium": entry.medium,
        "verified_at": str(wire_value(entry.verified_at)),
        "recorded_at": str(wire_value(entry.recorded_at)),
        "by": entry.by_user,
        "component": entry.by_component,
        "withdrawn": entry.withdrawn,
    }
