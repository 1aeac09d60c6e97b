"""Preconditions of storing a value: clean text, blocked entries left, nobody of the suppression ledger (T9, T25, T32)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.commands import GivenIndividual
from services.contacts.contract.refusals import BlockedTooOften, IndividualBlocked
from services.contacts.domain.suppression import asked_of
from services.contacts.storage import ledger
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.usecases import looking
from services.contacts.usecases.keeping import screened_fields
from services.lexicon.canonical import canonical_contact_point
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import screen

#: Blocked entries of one user and day after which nothing more is taken (T9).
BLOCKED_A_DAY = 20


def require_clean(reason: str) -> None:
    """Require that screening finds nothing in a reason; a reason cannot be kept against a finding.

    :raises TextNeedsReview: it finds something.
    """
    TextNeedsReview.unless_clean([("reason", reason, screen)])


def require_clean_fields(given: GivenIndividual) -> None:
    """Require that screening finds nothing in what everybody sees of an individual (T32).

    :raises TextNeedsReview: it finds something.
    """
    TextNeedsReview.unless_clean(screened_fields(given))


def require_entries_left(work: UnitOfWork, *, by: Caller, now: datetime) -> None:
    """Require that the caller has blocked entries left today (T9).

    :raises BlockedTooOften: there are none left.
    """
    if by.kind == "user" and ledger.blocked_today(work, by.id, now.astimezone(UTC).date()) >= BLOCKED_A_DAY:
        raise BlockedTooOften


def count_blocked(work: UnitOfWork, *, by: Caller, now: datetime) -> None:
    """Count a blocked entry of the caller's (T9)."""
    ledger.count_blocked(work, by.id, now.astimezone(UTC).date())


def require_not_suppressed(
    work: UnitOfWork,
    layer: ContactLayer,
    *,
    by: Caller,
    now: datetime,
    first_name: str,
    last_name: str,
    texts: Iterable[str | None] = (),
    contact_points: Iterable[tuple[str, str]] = (),
) -> None:
    """Require that the suppression ledger does not know this person (T9, T25).

    :param texts: every field that may contain the words of an organization.
    :raises IndividualBlocked: it knows them.
    :raises BlockedTooOften: too many of the caller's entries were blocked today (T9).
    :raises LookupsExhausted: the caller has used all look-ups of today (T35).
    """
    require_entries_left(work, by=by, now=now)
    points = [(kind, canonical_contact_point(kind, value)) for kind, value in contact_points]
    words = [written for written in texts if written]
    asked = ledger.questions(layer.digests, [(first_name, last_name, asked_of(texts=words, points=points))])
    known = looking.look(
        work,
        layer,
        by=by,
        now=now,
        digests={digest for _, digest in asked},
        values=len(points) + bool(words),
        answer=lambda found: ledger.answers(layer.digests, asked, found, {0: (first_name, last_name)}),
    )
    if known:
        raise IndividualBlocked
