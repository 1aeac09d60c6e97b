"""Screening of short fields: what they are decides what is looked for in them (T32)."""

from collections.abc import Callable, Iterable

from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import contact_values, screen

Screening = Callable[[str], list[Finding]]


def screen_person_name(text: str) -> list[Finding]:
    """Find telephones and e-mails: whatever else a name holds, it is the name."""
    return contact_values(text)


def screen_organization_name(text: str) -> list[Finding]:
    """Find telephones and e-mails, and what is said of a person in small letters: a name is written with capitals.

    "Muslim American Women's Policy Forum" is an organization, "club of a devout catholic" is not.
    """
    return [found for found in screen(text) if found.klass in {"phone", "email"} or (found.verdict == "hold" and text[found.start].islower())]


def screen_address(text: str) -> list[Finding]:
    """Find telephones and e-mails: streets and towns have all kinds of names."""
    return contact_values(text)


def findings_in(texts: Iterable[tuple[str, str | None, Screening]]) -> list[dict[str, object]]:
    """Return what is found in fields, given as (path, text, how it is screened), as refusals tell of it."""
    return [
        {"field": path, "start": found.start, "end": found.end, "class": found.klass, "verdict": found.verdict, "why": found.why}
        for path, text, how in texts
        if text
        for found in how(text)
    ]
