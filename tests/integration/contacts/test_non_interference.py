"""Two worlds that differ only in hidden phones and e-mails answer Chloé the same, byte by byte (P14, Part 4)."""

from __future__ import annotations

import itertools
import os
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
import pytest

from services.chassis.messages import Caller, Refusal, entity_tag, wire_value
from services.chassis.testing import Databases
from services.contacts.storage import likenesses
from services.contacts.usecases import contact_points, finding, freezing, individuals, notes
from tests.cast import AMINA, BRUNO, CHLOE, DOV, GRACE
from tests.integration.contacts.conftest import Desk, open_desk

pytestmark = pytest.mark.row("P14")

#: A twentieth of P14's full size, but for a soak.
SEQUENCES = 2000 // (1 if os.environ.get("SOAK") else 20)
STEPS = 6
#: In so many of a hundred steps something hidden is given to ICE before, or the matcher comes by.
_PLANTED, _MATCHED = 0.15, 0.25
HIDDEN = ("956-555-0142", "dov.quillfeather@example.org", "956-555-0111", "ruth@example.net")
TWIN = {"last_name": "Twin", "duplicate_ok": True}


@contextmanager
def counted_ids(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Make ids that callers see the same in both worlds: a count that is begun anew for each."""
    state = {"count": itertools.count(1)}

    def following() -> str:
        return str(uuid.UUID(int=(0x7 << 76) | (0x8 << 60) | next(state["count"])))

    for module in ("entering", "individuals", "organizations", "notes", "contact_points"):
        monkeypatch.setattr(f"services.contacts.usecases.{module}.new_id", following)

    def again(at: int) -> None:
        state["count"] = itertools.count(at)

    yield again


class World:
    """One of the two, and what Chloé asks of it."""

    def __init__(self, desk: Desk, *, hidden: bool) -> None:
        """Let ICE register three people, with values that only one of the worlds has."""
        self.desk = desk
        self.hidden = hidden
        self.people = [
            desk.register(AMINA, **DOV.body(organization=DOV.organization))["id"],
            desk.register(BRUNO, first_name="Ruth", last_name="Oyelaran", state="NM")["id"],
            desk.register(GRACE, last_name="Plain")["id"],
        ]
        if hidden:
            for person, kind, value in (
                (self.people[0], "cell", HIDDEN[0]),
                (self.people[0], "email", HIDDEN[1]),
                (self.people[1], "cell", HIDDEN[2]),
                (self.people[1], "email", HIDDEN[3]),
                (self.people[1], "work_address", "12 Hidden Lane, Gallup, NM 87301"),
            ):
                desk.add(AMINA, person, kind, value)

    def plant(self, chance: random.Random) -> None:
        """Let ICE be given one of the hidden values, where there are any: before Chloé enters it, or after."""
        value = chance.choice(HIDDEN)
        person, by = chance.choice(self.people), chance.choice([AMINA, BRUNO])
        if self.hidden:
            self.desk.add(by, person, "email" if "@" in value else "cell", value)

    def match(self) -> None:
        """Compare whatever was entered since, as the service does every few seconds."""
        with self.desk.work(Caller.service("contacts"), role="matcher") as work:
            while likenesses.match_waiting(work):
                pass

    def ask(self, door: Callable[..., Any], given: dict[str, Any]) -> bytes:
        """Return the answer as it would leave, with its entity tag, or the refusal."""
        answer: Any
        try:
            answer = door(self.desk, **given)
        except Refusal as refused:
            return orjson.dumps([refused.branch, refused.to_wire()], default=wire_value)
        tag = entity_tag(answer) if isinstance(answer, dict) else ""
        (last,) = self.desk.rows("SELECT body FROM entries WHERE n > 0 ORDER BY n DESC LIMIT 1")
        entry = {key: last.body[key] for key in ("action", "subjects", "fields", "outcome", "rule")}
        return orjson.dumps([_seen(answer), bool(tag), entry if entry["subjects"] else None], default=wire_value)


def _seen(answer: Any) -> Any:
    """Return an answer without what chance makes: cursors, and ids of Chloé's own contact points."""
    if isinstance(answer, dict):
        return {
            name: bool(value) if name == "next" else _seen(value)
            for name, value in answer.items()
            if not (name == "id" and "kind" in answer and "value" in answer)
        }
    return [_seen(item) for item in answer] if isinstance(answer, list) else answer


def _by_chloe(use_case: Callable[..., Any]) -> Callable[..., Any]:
    return lambda desk, **given: desk.do(CHLOE, use_case, **given)


def a_request(chance: random.Random, people: list[str]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return one thing that Chloé may ask."""
    person = chance.choice(people)
    value = chance.choice([*HIDDEN, "956-555-0199", "somebody@example.com"])
    kind = "email" if "@" in value else "cell"
    words = [*HIDDEN, "dov", "quill", "ruth", "956", "oyelaran", "hidden lane", "0142"]
    search = {
        "q": chance.choice([*words, ""]),
        "sort": chance.choice(["name", "-last_contacted_at", "created_at"]),
        "facets": "state,component",
        "limit": chance.choice([1, 2, 50]),
    }
    requests: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (_by_chloe(individuals.read_individual), {"individual_id": person}),
        (_by_chloe(individuals.record_history), {"individual_id": person}),
        (_by_chloe(contact_points.reveal), {"individual_id": person, "reason": "outreach on the flood"}),
        (_by_chloe(notes.list_notes), {"individual_id": person, "query": {"limit": chance.choice([1, 50])}}),
        (_by_chloe(notes.add_note), {"individual_id": person, "text": chance.choice(["Met at the forum.", f"Call {HIDDEN[0]}."])}),
        (_by_chloe(freezing.may_erase), {"individual_id": person}),
        (_by_chloe(freezing.list_tasks), {}),
        (_by_chloe(contact_points.correct_contact_point), {"individual_id": person, "kind": kind, "value": value}),
        (_by_chloe(contact_points.add_contact_point), {"individual_id": person, "kind": kind, "value": value}),
        (
            lambda desk, **given: desk.register(CHLOE, **given),
            {**TWIN, "contact_points": [{"kind": kind, "value": value}]},
        ),
        (lambda desk, **given: desk.register(CHLOE, **given), {"first_name": "Ruth", "last_name": "Oyelaran", "state": "NM"}),
        (lambda desk, **given: desk.search(CHLOE, **given), {name: wanted for name, wanted in search.items() if wanted}),
        (lambda desk, **given: desk.change(CHLOE, **given), {"individual_id": person, "title": chance.choice(["Clerk", "Director"])}),
        (_by_chloe(finding.stakeholders_by_region), {"query": {}}),
    ]
    return chance.choice(requests)


@pytest.mark.requirement("T17", "R148", "R149", "R154", "T23")
@pytest.mark.timeout(0 if os.environ.get("SOAK") else 300)
def test_chloe_cannot_tell_a_world_with_hidden_values_from_one_without(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = int(os.environ.get("SEED_P14", "0")) or random.SystemRandom().randrange(1, 2**31)
    print(f"P14: {SEQUENCES} sequences of {STEPS}, SEED_P14={seed}")
    chance = random.Random(seed)
    with ExitStack() as stack, counted_ids(monkeypatch) as count_from:
        worlds = []
        for hidden in (True, False):
            desk = stack.enter_context(contextmanager(open_desk)(databases))
            count_from(1)
            worlds.append(World(desk, hidden=hidden))
        assert worlds[0].people == worlds[1].people
        for sequence in range(SEQUENCES):
            for step in range(STEPS):
                if chance.random() < _PLANTED:
                    planted = chance.randrange(2**31)
                    for world in worlds:
                        count_from(1000 * (sequence * STEPS + step + 1) + 500)
                        world.plant(random.Random(planted))
                if chance.random() < _MATCHED:
                    for world in worlds:
                        world.match()
                door, given = a_request(chance, worlds[0].people)
                answers = []
                for world in worlds:
                    count_from(1000 * (sequence * STEPS + step + 1))
                    answers.append(world.ask(door, given))
                assert answers[0] == answers[1], f"sequence {sequence}, step {step}, SEED_P14={seed}"
            for world in worlds:
                # A new day: what is counted by the day does not end the walk.
                world.desk.later(days=1)


@pytest.mark.requirement("T17")
def test_the_comparison_sees_a_difference_when_there_is_one(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack, counted_ids(monkeypatch) as count_from:
        seen = []
        for hidden in (True, False):
            desk = stack.enter_context(contextmanager(open_desk)(databases))
            count_from(1)
            world = World(desk, hidden=hidden)
            colleague = lambda desk, **given: desk.do(BRUNO, contact_points.reveal, **given)  # noqa: E731 - a door
            seen.append(world.ask(colleague, {"individual_id": world.people[0]}))
        assert seen[0] != seen[1]
