"""No answer and no audit entry follows the physical order of rows, because hidden writes change it (P14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.proofs.operations import Request, allowed, operations
from tests.proofs.test_collections import fill
from tests.proofs.world import World
from tests.stirring import STIRRED

#: Their answers grow with every question, this one's too; they are numbered and not moved.
OF_THE_TRAIL = "/audit"
#: So often rows are moved for all of them; and for one that differed then, which may have been changed in the background.
ROUNDS, AGAIN = 2, 6


def _answer(world: World, request: Request) -> tuple[int, Any, list[Any]]:
    """Send a request; return status, body, and whom its entries name."""
    answer = request.send()
    trace = answer.headers["X-Request-Id"]
    entries = [
        row
        for store in STIRRED
        for row in world.sql(store, f"SELECT body->>'action', body->>'subjects' FROM entries WHERE body->>'trace_id' = '{trace}' ORDER BY 1, 2")
    ]
    return answer.status_code, answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.content, entries


def _unlike(world: World, asked: Mapping[str, Request]) -> dict[str, Any]:
    """Ask twice, move rows, ask twice; return the requests whose pairs were alike while the two pairs differ."""
    pairs = []
    for moved in (False, True):
        if moved:
            world.stir()
        pairs.append({name: (_answer(world, request), _answer(world, request)) for name, request in asked.items()})
    return {
        name: (before, after)
        for name, ((before, again), (after, still)) in ((name, (pairs[0][name], pairs[1][name])) for name in asked)
        if before == again and after == still and before != after
    }


@pytest.mark.row("P14")
@pytest.mark.requirement("R148", "T34")
@pytest.mark.timeout(600)
def test_what_is_read_is_the_same_in_whatever_order_rows_stand(world: World) -> None:
    fill(world)
    asked = {
        one.name: request
        for one in operations(world.document)
        if one.method == "GET" and not one.path.startswith(OF_THE_TRAIL) and (request := allowed(world, one)).send().status_code == one.success
    }
    unlike = dict[str, Any]()
    for _ in range(ROUNDS):
        unlike |= _unlike(world, {name: request for name, request in asked.items() if name not in unlike})
    confirmed = [name for name in unlike if any(_unlike(world, {name: asked[name]}) for _ in range(AGAIN))]
    print(f"{len(asked)} operations read alike, {ROUNDS} times with rows in another order; {len(unlike)} were asked again")
    assert len(asked) > 50
    assert {name: unlike[name] for name in confirmed} == {}
