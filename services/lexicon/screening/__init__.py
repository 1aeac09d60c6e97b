"""Screening of shared text: phones and e-mails (T15), race, ethnicity and religion (R41, N8)."""

from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import screen

__all__ = ["Finding", "screen"]
