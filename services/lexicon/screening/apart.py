"""Screen long texts in a child process, so that they do not block the event loop."""

from dataclasses import astuple
from typing import Any

from services.chassis.refusals import TextTooCostly
from services.chassis.sandbox.pool import pool
from services.lexicon.screening.findings import Finding
from services.lexicon.screening.screen import screen_here, screen_long_texts_by


def screen_long_texts_apart() -> None:
    """Screen long texts in a child process from now on; call it in the event loop's thread."""
    pool()
    screen_long_texts_by(_apart)


def plainly(text: str) -> list[tuple[Any, ...]]:
    """Return findings as plain values."""
    return [astuple(found) for found in screen_here(text)]


def _apart(text: str) -> list[Finding] | None:
    # In another thread, screening does not block the event loop.
    if not pool().is_here:
        return None
    return [Finding(*found) for found in pool().run(plainly, text, refusal=TextTooCostly)]
