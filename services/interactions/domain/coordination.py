"""How a coordination request moves, and who moves it (R86, R87).

requested → accepted or declined; accepted → done, declined, or back to requested; whoever asked withdraws what is open.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from services.interactions.contract import RequestSettled

#: What the addressee may answer. Declined after accepted: they tried, and it came to nothing.
_ANSWERS: Final = MappingProxyType(
    {
        "requested": ("accepted", "declined"),
        "accepted": ("done", "declined", "requested"),
    }
)

OPEN_STATES: Final = ("requested", "accepted")
WITHDRAWN: Final = "withdrawn"


def moves(current: str, *, may_answer: bool, may_withdraw: bool) -> tuple[str, ...]:
    """Return the states that somebody may put a request into now."""
    answers = _ANSWERS.get(current, ()) if may_answer else ()
    return (*answers, *((WITHDRAWN,) if may_withdraw and current in OPEN_STATES else ()))


def require_move(current: str, wanted: str) -> None:
    """Allow the next state, whoever may set it.

    :raises RequestSettled: the request is settled, or cannot be done before it is accepted.
    """
    if wanted not in moves(current, may_answer=True, may_withdraw=True):
        raise RequestSettled(f"The request is {current}; it cannot become {wanted}.")
