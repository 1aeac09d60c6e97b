"""P5: the trail has an entry for every operation of the document, whatever the answer, and for a random walk."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.journeys.client import Person, Told
from tests.proofs.conforming import violations
from tests.proofs.operations import (
    BEFORE_ACKNOWLEDGEMENT,
    MAKERS,
    NoMaker,
    Operation,
    Request,
    allowed,
    denied,
    failing,
    operations,
)
from tests.proofs.world import World, instant, tally
from tests.rows import figure

pytestmark = pytest.mark.row("P5")

WALK = figure(10_000)
GATEWAY = "gateway:request:refuse"


@dataclass
class Asked:
    """One request, with its operation and case."""

    operation: str
    case: str
    told: Told


@dataclass
class Completeness:
    """Every operation in every case, with its answer and the trail's entries by trace id."""

    since: str = ""
    asked: list[Asked] = field(default_factory=list)
    entries: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    undocumented: list[str] = field(default_factory=list)


def cases(world: World, operation: Operation) -> dict[str, tuple[Request, Person | None]]:
    """Return the request of each case; there is no denied case if nobody can be denied."""
    request = allowed(world, operation)
    found: dict[str, tuple[Request, Person | None]] = {}
    if refused := denied(world, operation, request):
        found["denied"] = refused
    if operation.name != "POST /sessions":
        found["anonymous"] = (request, world.nobody)
    if operation.name not in BEFORE_ACKNOWLEDGEMENT:
        found["unacknowledged"] = (request, world.unacknowledged)
    found["failed"] = (failing(world, operation, request), None)
    # The last: it uses up what the others are refused.
    found["allowed"] = (request, None)
    return found


EXPECTED = {"denied": {403, 404}, "anonymous": {401}, "unacknowledged": {403}, "failed": {401, 404, 415, 422}}


@pytest.fixture(scope="module")
def answered(world: World) -> Completeness:
    """Send every operation in every case, once."""
    done = Completeness(since=instant(seconds=-1))
    for operation in operations(world.document):
        for case, (request, by) in cases(world, operation).items():
            person = by or request.by
            answer = request.send(by)
            done.asked.append(Asked(operation.name, case, person.told[-1]))
            done.undocumented += [f"{operation.name}, {case}: {what}" for what in violations(world.document, operation, answer)]
            expected = EXPECTED.get(case) or {operation.success, *({409} if operation.name == "POST /audit/reviews" else ())}
            if answer.status_code not in expected or (case == "unacknowledged" and answer.json()["code"] != "acknowledgement-required"):
                done.unexpected.append(f"{operation.name}, {case}: {answer.status_code} {answer.text[:300]}")
    done.entries = world.entries_of([a.told for a in done.asked if a.case != "anonymous" and a.told.user], done.since)
    return done


@pytest.mark.requirement("R118", "R119", "R120", "R121", "R122", "T14")
@pytest.mark.timeout(240)
def test_every_operation_in_every_case_is_in_the_trail_as_it_was_answered(world: World, answered: Completeness) -> None:
    silent, wrong = [], []
    for asked in answered.asked:
        if asked.case == "anonymous" or not asked.told.user:
            continue
        entries = answered.entries.get(asked.told.trace_id, [])
        if not entries:
            silent.append((asked.operation, asked.case, asked.told.status))
            continue
        if not _is_told(asked.told, entries):
            wrong.append((asked.operation, asked.case, asked.told.status, entries))
    print(f"P5: {len(answered.asked)} requests, {tally(a.case for a in answered.asked)}; in the trail {len(answered.entries)}")
    assert answered.unexpected == []
    assert silent == []
    assert wrong == []
    assert world.document["paths"]


@pytest.mark.requirement("R118", "R123")
def test_every_operation_is_asked_in_every_case_that_it_has(world: World, answered: Completeness) -> None:
    names = {operation.name for operation in operations(world.document)}
    assert len(names) >= 70
    for case in ("allowed", "failed"):
        assert {asked.operation for asked in answered.asked if asked.case == case} == names
    assert {asked.operation for asked in answered.asked if asked.case == "anonymous"} == names - {"POST /sessions"}
    assert {asked.operation for asked in answered.asked if asked.case == "unacknowledged"} == names - BEFORE_ACKNOWLEDGEMENT
    assert names >= MAKERS.keys(), "makers of what there no longer is"


@pytest.mark.requirement("R13")
def test_every_answer_is_one_that_the_document_promises(answered: Completeness) -> None:
    assert not answered.undocumented, "\n".join(answered.undocumented)


def test_an_operation_that_nobody_knows_to_ask_for_fails_by_its_name(world: World) -> None:
    for added in (Operation("POST", "/exports", {}), Operation("GET", "/exports/{export_id}", {})):
        with pytest.raises(NoMaker, match="/exports"):
            allowed(world, added)


@pytest.mark.requirement("R118", "R123")
def test_strangers_are_in_the_trail_once_a_minute_and_counted_beyond_that(world: World, answered: Completeness) -> None:
    """One entry for each source and minute, and a count of the rest: together, every request."""
    strangers = [Person(world.system.base) for _ in range(3)]
    before = _strangers(world)
    for stranger in strangers:
        for path in ("/individuals", "/stakeholders", "/audit/entries", "/no-such-address"):
            stranger.ask("GET", path, expect=401)
    assert _strangers(world) == before + 12
    assert answered.asked


def _is_told(told: Told, entries: list[dict[str, object]]) -> bool:
    """Return whether the entries say who asked, and whether it was refused. Entries of services have the same trace."""
    asked = [entry for entry in entries if entry["actor_kind"] == "user"]
    refused = any(entry["outcome"] != "allowed" for entry in asked)
    return {entry["actor"] for entry in asked} == {told.user} and refused == (told.status >= 400)


def _strangers(world: World) -> int:
    query = f"SELECT count(*) FROM entries WHERE body->>'action' = '{GATEWAY}' AND body->>'actor_kind' = 'anonymous'"
    return int(world.sql("access", query)[0][0]) + world.counted_refusals()


@pytest.mark.requirement("R118", "R120", "R123")
@pytest.mark.timeout(figure(0, 240))
def test_a_random_walk_and_the_trail_match_one_to_one(world: World) -> None:
    seed = int(os.environ.get("SEED_P5", "0")) or random.SystemRandom().randrange(1, 2**31)
    print(f"P5: {WALK} requests, SEED_P5={seed}")
    chance = random.Random(seed)
    walkers = [person for person in world.people.values() if person is not world.edda]
    for person in walkers:
        person.told.clear()
    since = instant()
    known = [op for op in operations(world.document) if op.name not in SLOW and not op.path.startswith("/sessions")]
    for n in count():
        if n % 50 == 0:
            # More entries of one person are blocked here than a day allows (T9): another day begins.
            world.sql("contacts", "DELETE FROM blocked_tries")
        if sum(len(person.told) for person in walkers) >= WALK:
            break
        _step(world, chance.choice(known), chance, walkers)
    told = [one for person in walkers for one in person.told]
    entries = world.entries_of(told, since)
    by_trace = {one.trace_id: one for one in told}
    assert len(by_trace) == len(told), "every request has a trace id of its own"
    silent = [one for one in told if one.trace_id not in entries]
    assert silent == [], f"SEED_P5={seed}"
    ids = {person.user["id"]: person for person in walkers}
    ghosts = [entry for entry in world.entries(since) if entry["actor"] in ids and entry["trace_id"] not in by_trace]
    assert ghosts == [], f"SEED_P5={seed}"
    for trace_id, written in entries.items():
        refused = [entry for entry in written if entry["outcome"] != "allowed"]
        assert _is_told(by_trace[trace_id], written), (by_trace[trace_id], refused, f"SEED_P5={seed}")
    print(f"P5: {len(told)} requests, {tally(one.status for one in told)}")


#: What takes seconds each, and what makes a new import each time; the matrix above has asked for them.
SLOW = frozenset(
    {f"POST /imports/{{import_id}}/{step}" for step in ("commit", "undo", "decisions", "rows/{n}/decision")} | {"GET /imports/{import_id}/rows/{n}"}
)


def _step(world: World, operation: Operation, chance: random.Random, walkers: list[Person]) -> None:
    """Send one request: as an allowed user, as another, or with wrong content."""
    request = allowed(world, operation)
    if chance.random() < 0.3:
        request = failing(world, operation, request)
    by = chance.choice(walkers) if chance.random() < 0.4 and request.by is not world.edda else None
    request.send(by or (chance.choice(walkers) if request.by is world.edda else None))
