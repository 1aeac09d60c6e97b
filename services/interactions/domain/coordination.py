"""How a coordination request moves: requested → accepted or declined → done (R86, R87)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from services.interactions.contract import RequestSettled

#: Declined after accepted: the owner tried, and it came to nothing.
_MOVES: Final = MappingProxyType(
    {
        "requested": frozenset({"accepted", "declined"}),
        "accepted": frozenset({"done", "declined"}),
        "declined": frozenset[str](),
        "done": frozenset[str](),
    }
)

OPEN_STATES: Final = ("requested", "accepted")


def demand_move(current: str, wanted: str) -> None:
    """Allow the owner's next answer.

    :raises RequestSettled: the request is settled, or cannot be done before it is accepted.
    """
    if wanted not in _MOVES[current]:
        raise RequestSettled(f"The request is {current}; it cannot become {wanted}.")
