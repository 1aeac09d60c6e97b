"""Judging a second line of the same number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from services.audit.domain.lines import Kind

Verdict = Literal["new", "known", "conflict"]


def judge(leaf: bytes, present: Iterable[tuple[Kind, bytes]]) -> Verdict:
    """Compare a line with the lines of the same number that are in the trail.

    *known*: delivered before. *conflict*: the number has another content already; the line is kept as evidence and is a
    finding. A void and its entry have one primary key at their sender, so that even a void of unknown outcome is one.
    """
    others = [other for _, other in present]
    if leaf in others:
        return "known"
    return "conflict" if others else "new"
