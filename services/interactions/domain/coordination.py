"""The states of a coordination request, and who may change them (R86, R87).

requested → accepted or declined; accepted → done, declined or requested; the requester may withdraw an open request.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from services.interactions.contract.refusals import RequestSettled

#: The states that the addressee may set. An accepted request may still be declined, if the attempt failed.
_ANSWERS: Final = MappingProxyType(
    {
        "requested": ("accepted", "declined"),
        "accepted": ("done", "declined", "requested"),
    }
)

OPEN_STATES: Final = ("requested", "accepted")
WITHDRAWN: Final = "withdrawn"


def moves(current: str, *, may_answer: bool, may_withdraw: bool) -> tuple[str, ...]:
    """Return the states into which the caller may move a request now."""
    answers = _ANSWERS.get(current, ()) if may_answer else ()
    return (*answers, *((WITHDRAWN,) if may_withdraw and current in OPEN_STATES else ()))


def require_move(current: str, wanted: str) -> None:
    """Require that a request may move into the next state.

    :raises RequestSettled: the request is settled, or was not accepted before it is done.
    """
    if wanted not in moves(current, may_answer=True, may_withdraw=True):
        raise RequestSettled(f"The request is {current}; it cannot become {wanted}.")
