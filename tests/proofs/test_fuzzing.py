"""P18: schemathesis asks every operation of our own document, with all its checks."""

from __future__ import annotations

import secrets

import pytest
import requests

from tests.journeys.client import Person
from tests.proofs.fuzzing import LEFT_OUT, fuzz
from tests.proofs.world import COMES_AND_GOES, World
from tests.rows import figure

#: P18's figure is 100 for each operation. Twenty would take longer than the minute that `make test` has for it: client and
#: system need 35 ms of computing for each, most of it for the request itself.
EXAMPLES = figure(100, 10)


@pytest.mark.row("P18")
@pytest.mark.timeout(figure(0, 600))
def test_whatever_the_document_allows_or_forbids_is_answered_as_it_says(world: World) -> None:
    person = Person(world.system.base).sign_in(world.accounts[COMES_AND_GOES])

    def token() -> str:
        if person.ask("GET", "/sessions/current").status_code != requests.codes.ok:
            person.sign_in(world.accounts[COMES_AND_GOES])
        return str(person.token)

    seed = secrets.randbelow(2**32)
    found = list(fuzz(world.document, world.system.base, token, examples=EXAMPLES, seed=seed))
    print(f"P18: seed {seed}, {len(found)} operations, {sum(one.asked for one in found)} requests, {EXAMPLES} for each; without {sorted(LEFT_OUT)}")
    assert not any(one.wrong for one in found), "\n".join(str(one) for one in found if one.wrong)
