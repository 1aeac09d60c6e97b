"""Screen shared text, and keep findings for one component if the writer gives a reason (T15, R41)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.lexicon.refusals import TextNeedsReview
from services.lexicon.screening import contact_values, findings_in, screen


@dataclass(frozen=True, slots=True)
class Written:
    """The text of one field. If `classes` names findings, only its component may read it, and `reason` says why it stays."""

    path: str
    text: str | None
    classes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def shared(self) -> str | None:
        """Return the text that everybody may read."""
        return None if self.classes else self.text


def review(texts: Iterable[tuple[str, str | None]], *, keep_reason: str | None) -> list[Written]:
    """Screen texts, given as (path, text), and return them in order.

    :raises TextNeedsReview: screening found something and there is no reason; `findings` names places and classes, never values.
    """
    # Readers of the text see the reason too, so it is screened as well.
    TextNeedsReview.unless_clean([("keep_reason", keep_reason, contact_values)])
    written: list[Written] = []
    findings: list[dict[str, object]] = []
    for path, text in texts:
        found = findings_in([(path, text, screen)])
        written.append(Written(path, text, tuple(sorted({str(finding["class"]) for finding in found})), keep_reason or ""))
        findings += found
    if findings and not keep_reason:
        raise TextNeedsReview.of(findings)
    return written
