"""Screen shared text for phones and e-mails (T15), and for race, ethnicity and religion (R41, N8)."""

from services.lexicon.screening.fields import (
    Screening,
    findings_in,
    screen_address,
    screen_organization_name,
    screen_person_name,
)
from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import contact_values, screen

__all__ = [
    "Finding",
    "Screening",
    "contact_values",
    "findings_in",
    "screen",
    "screen_address",
    "screen_organization_name",
    "screen_person_name",
]
