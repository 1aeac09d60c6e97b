"""Long texts are screened in a process of their own, so that nobody else waits for it."""

from dataclasses import astuple
from typing import Any

from services.chassis.refusals import TextTooCostly
from services.chassis.sandbox.pool import pool
from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import screen_here, screen_long_texts_by


def screen_long_texts_apart() -> None:
    """From now on long texts are screened by a child of this process; called in the thread of the loop."""
    pool()
    screen_long_texts_by(_apart)


def plainly(text: str) -> list[tuple[Any, ...]]:
    """Return what is found, as plain values."""
    return [astuple(found) for found in screen_here(text)]


def _apart(text: str) -> list[Finding] | None:
    # In a thread beside the loop nobody waits for it.
    if not pool().is_here:
        return None
    return [Finding(*found) for found in pool().run(plainly, text, refusal=TextTooCostly)]
