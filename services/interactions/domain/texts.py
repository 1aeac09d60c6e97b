"""Shared text: what screening found in it, and whether its writer keeps it (T15, R41)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.contacts.contract.refusals import TextNeedsReview
from services.lexicon.screening import contact_values, findings_in, screen


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

    :raises TextNeedsReview: something was found and no reason given; `findings` says where and of which class, never what.
    """
    # The reason is read beside the text, and holds no value either.
    TextNeedsReview.unless_clean([("keep_reason", keep_reason, contact_values)])
    written: list[Written] = []
    findings: list[dict[str, object]] = []
    for path, text in texts:
        found = findings_in([(path, text, screen)])
        written.append(Written(path, text, tuple(sorted({str(finding["class"]) for finding in found}))))
        findings += found
    if findings and not keep_reason:
        raise TextNeedsReview.of(findings)
    return written
