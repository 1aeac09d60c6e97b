"""What has to hold before a value is kept: clean text, blocked entries left, and nobody of the suppression ledger (T9, T25, T32)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from services.chassis.database import UnitOfWork
from services.chassis.messages import Caller
from services.contacts.contract.commands import GivenIndividual
from services.contacts.contract.refusals import BlockedTooOften, IndividualBlocked, TextNeedsReview
from services.contacts.domain.suppression import asked_of
from services.contacts.storage import ledger
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.usecases import looking
from services.contacts.usecases.keeping import screened_fields
from services.lexicon.canonical import canonical_contact_point
from services.lexicon.screening import screen

#: Blocked entries of one user and day after which nothing more is taken (T9).
BLOCKED_A_DAY = 20


def require_clean(reason: str) -> None:
    """Go on only if a reason holds nothing that no text of ours may; there is no keeping it against that.

    :raises TextNeedsReview: it does.
    """
    TextNeedsReview.unless_clean([("reason", reason, screen)])


def require_clean_fields(given: GivenIndividual) -> None:
    """Go on only if what everybody sees of an individual holds nothing that shared text must not (T32).

    :raises TextNeedsReview: it does.
    """
    TextNeedsReview.unless_clean(screened_fields(given))


def require_entries_left(work: UnitOfWork, *, by: Caller, now: datetime) -> None:
    """Go on only if not too many of the caller's entries were blocked today (T9).

    :raises BlockedTooOften: they were.
    """
    if by.kind == "user" and ledger.blocked_today(work, by.id, now.astimezone(UTC).date()) >= BLOCKED_A_DAY:
        raise BlockedTooOften


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
    """Go on only if the suppression ledger doesn't know this person (T9, T25).

    :param texts: every field in which the words of an organization may stand.
    :raises IndividualBlocked: it does.
    :raises BlockedTooOften: too many of the caller's entries were blocked today (T9).
    :raises LookupsExhausted: the caller has looked up as many values today as they may (T35).
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
