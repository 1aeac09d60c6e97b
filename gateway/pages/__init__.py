"""The plain pages at `/`: server-rendered, no script, for people who have the phone in the other hand.

They say the same words on the bus as the API and know no rule of their own.
"""

from gateway.pages import (
    cases,
    coordination,
    desk,
    door,
    duplicates,
    engagement,
    entry,
    erasing,
    imports,
    kept_texts,
    preferences,
    profile,
    record,
    removal,
    search,
    trail,
)
from gateway.pages.frame import blueprint, fault_page, instead_of_form, refusal_page

__all__ = [
    "blueprint",
    "cases",
    "coordination",
    "desk",
    "door",
    "duplicates",
    "engagement",
    "entry",
    "erasing",
    "fault_page",
    "imports",
    "instead_of_form",
    "kept_texts",
    "preferences",
    "profile",
    "record",
    "refusal_page",
    "removal",
    "search",
    "trail",
]
