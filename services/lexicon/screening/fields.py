"""Screen short fields; the kind of field determines what is searched for (T32)."""

from collections.abc import Callable, Iterable

from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import contact_values, screen

Screening = Callable[[str], list[Finding]]


#: In a person's name, any word may stand; streets and towns may have any name. So only telephones and e-mails are found.
screen_person_name: Screening = contact_values
screen_address: Screening = contact_values


def screen_organization_name(text: str) -> list[Finding]:
    """Find telephones and e-mails, and terms about a person in small letters, because names have capitals.

    "Muslim American Women's Policy Forum" is an organization, "club of a devout catholic" is not.
    """
    return [found for found in screen(text) if found.klass in {"phone", "email"} or (found.verdict == "hold" and text[found.start].islower())]


def findings_in(texts: Iterable[tuple[str, str | None, Screening]]) -> list[dict[str, object]]:
    """Return the findings in fields, given as (path, text, screening function), in the form of refusals."""
    return [
        {"field": path, "start": found.start, "end": found.end, "class": found.klass, "verdict": found.verdict, "why": found.why}
        for path, text, how in texts
        if text
        for found in how(text)
    ]
