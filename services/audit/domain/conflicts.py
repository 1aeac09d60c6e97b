"""One number, one content: what happens when a second line of the same number arrives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from services.audit.domain.lines import Kind

Verdict = Literal["new", "known", "superfluous", "conflict"]


def judge(kind: Kind, leaf: bytes, present: Iterable[tuple[Kind, bytes]]) -> Verdict:
    """Say what a line is, given the lines of the same number that are in the trail.

    *known*: delivered before. *superfluous*: a void of unknown outcome whose real entry came. *conflict*: the number
    has another content already; the line is kept as evidence and is a finding. A real entry after a void of unknown
    outcome is *new*: the commit had succeeded after all.
    """
    others = list(present)
    if any(leaf == other for _, other in others):
        return "known"
    settled = [other for other, _ in others if other != "unknown"]
    if kind == "unknown":
        return "superfluous" if settled else "new"
    return "conflict" if settled else "new"
