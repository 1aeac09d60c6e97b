"""Shared text: what screening found in it, and whether its writer keeps it (T15, R41)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.contacts.contract.refusals import TextNeedsReview
from services.lexicon.screening import screen


@dataclass(frozen=True, slots=True)
class Written:
    """One field's text; `classes` says what was found in it, and then it is its component's alone."""

    path: str
    text: str | None
    classes: tuple[str, ...] = ()

    @property
    def shared(self) -> str | None:
        """What everybody may read."""
        return None if self.classes else self.text


def review(texts: Iterable[tuple[str, str | None]], *, keep_reason: str | None) -> list[Written]:
    """Screen texts, given as (path, text), and return them in order.

    :raises TextNeedsReview: something was found and no reason given; `spans` says where and of which class, never what.
    """
    written: list[Written] = []
    spans: list[dict[str, object]] = []
    errors: dict[str, list[str]] = {}
    for path, text in texts:
        findings = list(screen(text)) if text else []
        written.append(Written(path, text, tuple(sorted({finding.klass for finding in findings}))))
        spans += [{"field": path, "start": f.start, "end": f.end, "class": f.klass, "verdict": f.verdict} for f in findings]
        if findings:
            errors[path] = list(dict.fromkeys(finding.why for finding in findings))
    if spans and not keep_reason:
        raise TextNeedsReview(errors=errors, extra={"spans": spans})
    return written
