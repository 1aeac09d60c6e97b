"""Keep short fields that screening stops, with a reason, for the writer's component alone (T15, T32).

Everybody finds and lists people by their title, so a title cannot be visible to one component only. The kept text
becomes a note of the component that names its field. Nobody else sees it until it is released.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.chassis.messages import Caller, new_id
from services.contacts.contract.commands import GivenIndividual
from services.contacts.domain.notes import Note
from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import Screening, contact_values, findings_in, screen, screen_organization_name, screen_person_name

#: Fields of one person's that may be kept, and what a note calls each. Names are a person's or an organization's for all.
KEPT = {"salutation": "Salutation", "title": "Title", "interests": "Interest", "notes": ""}


def screened_fields(given: GivenIndividual) -> list[tuple[str, str | None, Screening]]:
    """Return what everybody sees of an individual: path, text, and how it is screened (T32)."""
    return [
        ("salutation", given.get("salutation"), screen),
        ("first_name", given.get("first_name"), screen_person_name),
        ("last_name", given.get("last_name"), screen_person_name),
        ("title", given.get("title"), screen),
        ("organization", given.get("organization"), screen_organization_name),
        *((f"interests.{at}", interest, screen) for at, interest in enumerate(given.get("interests") or ())),
    ]


def kept_apart(given: GivenIndividual) -> tuple[GivenIndividual, list[tuple[str, str]]]:
    """Return the fields that everybody may see, and what is kept for the writer's component: (field, text).

    :raises TextNeedsReview: screening found something without a reason to keep it, or in a name.
    """
    reason = given.get("keep_reason")
    # The reason is read beside the text, and holds no value either.
    TextNeedsReview.unless_clean([("keep_reason", reason, contact_values)])
    asked = screened_fields(given)
    findings = findings_in(asked)
    found = {str(finding["field"]) for finding in findings}
    if findings and (not reason or any(path.partition(".")[0] not in KEPT for path in found)):
        raise TextNeedsReview.of(findings)
    shared = given.copy()
    shared.pop("keep_reason", None)
    if "salutation" in found:
        shared["salutation"] = None
    if "title" in found:
        shared["title"] = None
    if interests := given.get("interests"):
        shared["interests"] = [interest for at, interest in enumerate(interests) if f"interests.{at}" not in found]
    return shared, [(path.partition(".")[0], written) for path, written, _ in asked if path in found and written]


def notes_of(kept: Iterable[tuple[str, str]], *, individual_id: str, by: Caller, author_id: str, reason: str | None, now: datetime) -> list[Note]:
    """Return the notes that keep these texts, (field, text)."""
    return [
        Note(
            new_id(), individual_id, f"{KEPT[name]}: {written}" if KEPT[name] else written, None, str(by.component), author_id, now, now, True, reason
        )
        for name, written in kept
    ]
