"""The pages at `/`, rendered on the server and usable without scripts.

They say the same words on the bus as the API and know no rule of their own.
"""

from gateway.pages import (
    auth,
    cases,
    coordination,
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
    tasks,
    trail,
)
from gateway.pages.layout import blueprint, error_page, redirect_to_page, refusal_page

__all__ = [
    "auth",
    "blueprint",
    "cases",
    "coordination",
    "duplicates",
    "engagement",
    "entry",
    "erasing",
    "error_page",
    "imports",
    "kept_texts",
    "preferences",
    "profile",
    "record",
    "redirect_to_page",
    "refusal_page",
    "removal",
    "search",
    "tasks",
    "trail",
]
