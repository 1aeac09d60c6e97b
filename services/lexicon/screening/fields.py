"""Screen short fields; the kind of field determines what is searched for (T32)."""

from collections.abc import Callable, Iterable

from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import contact_values, screen

Screening = Callable[[str], list[Finding]]


def screen_person_name(text: str) -> list[Finding]:
    """Find telephones and e-mails; any other word may be part of a person's name."""
    return contact_values(text)


def screen_organization_name(text: str) -> list[Finding]:
    """Find telephones and e-mails, and terms about a person in small letters, because names have capitals.

    "Muslim American Women's Policy Forum" is an organization, "club of a devout catholic" is not.
    """
    return [found for found in screen(text) if found.klass in {"phone", "email"} or (found.verdict == "hold" and text[found.start].islower())]


def screen_address(text: str) -> list[Finding]:
    """Find telephones and e-mails; streets and towns may have any name."""
    return contact_values(text)


def findings_in(texts: Iterable[tuple[str, str | None, Screening]]) -> list[dict[str, object]]:
    """Return the findings in fields, given as (path, text, screening function), in the form of refusals."""
    return [
        {"field": path, "start": found.start, "end": found.end, "class": found.klass, "verdict": found.verdict, "why": found.why}
        for path, text, how in texts
        if text
        for found in how(text)
    ]
