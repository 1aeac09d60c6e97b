"""P13 over HTTP: sampled cells of user, record, action and field answer as the policy decides."""

from __future__ import annotations

import datetime as dt
import functools
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.lexicon.policy import CONTACT_LAYER, FIELDS, Facts, decide
from tests.builders import an_individual, an_interaction
from tests.journeys.client import Person
from tests.proofs.world import World, day, tally, unknown_id
from tests.rows import figure

pytestmark = pytest.mark.row("P13")

CELLS = figure(5000)
REFUSALS = {403, 404, 409, 422}


@dataclass(frozen=True, slots=True)
class Record:
    """A record in the directory, with its facts for the policy."""

    name: str
    id: str
    last_name: str
    facts: Facts
    points: dict[str, str]


@dataclass(frozen=True, slots=True)
class Actor:
    """An account as the policy sees it."""

    id: str
    component: str | None
    level: str | None
    roles: frozenset[str]
    kind: str = "user"

    @classmethod
    def of(cls, person: Person) -> Actor:
        """Build it from the user's own profile."""
        user = person.user
        return cls(user["id"], user["component"], user["level"], frozenset(user["roles"]))


@dataclass(frozen=True, slots=True)
class Cell:
    """One question: may this user do that to this record's field?"""

    who: str
    record: Record
    action: str
    field: str | None
    ask: Callable[[Person], bool]
    facts: Facts

    @property
    def name(self) -> str:
        """A name for a failed cell."""
        return f"{self.who}: {self.action} {self.field or ''} of {self.record.name}"


VALUES = {
    "cell": "956-555-0171",
    "personal_phone": "956-555-0172",
    "work_phone": "956-555-0173",
    "email": "kept.apart@example.org",
    "work_address": "12 Hidden Lane, Gallup, NM 87301",
}
#: Of the frozen one: with a value of theirs, each of the others would be frozen as possibly the same person (T26).
APART = {
    "cell": "956-555-0191",
    "personal_phone": "956-555-0192",
    "work_phone": "956-555-0193",
    "email": "left.alone@example.org",
    "work_address": "16 Frozen Lane, Gallup, NM 87301",
}
#: What the sampled people add themselves: their own component's, and told apart from the values of the record's owner.
ADDED = {
    "cell": "956-555-0181",
    "personal_phone": "956-555-0182",
    "work_phone": "956-555-0183",
    "email": "added.later@example.org",
    "work_address": "14 Other Lane, Gallup, NM 87301",
}
CHANGES: dict[str, Any] = {
    "salutation": "Dr.",
    "title": "Mayor",
    "state": "NM",
    "interests": ["op-eds"],
    "source": "public",
    "use_preferences": ["no_mail"],
    "owner": unknown_id(),
    "created_at": "2026-01-01T00:00:00Z",
    "verified_at": "2026-01-01T00:00:00Z",
    "frozen": False,
    "last_contacted_at": "2026-01-01T00:00:00Z",
    "email": "somebody@example.org",
    "religion": "none",
}


@pytest.fixture(scope="module")
def records(world: World) -> list[Record]:
    """A record of ICE, one of PSO, one that declined e-mail, one that is frozen."""
    made = []
    for name, by, given in (
        ("Amina's", "amina", {}),
        ("Chloé's", "chloe", {}),
        ("Bruno's, who gives no e-mail", "bruno", {"declined": ["email"]}),
        ("Amina's, frozen", "amina", {}),
    ):
        values = APART if "frozen" in name else VALUES
        kinds = {kind: value for kind, value in values.items() if kind not in given.get("declined", ())}
        points = [{"kind": kind, "value": value} for kind, value in kinds.items()]
        person = world.an_individual(by, contact_points=points, duplicate_ok=True, **given)
        owner = world.people[by].user
        facts = Facts(
            now=dt.datetime.now(dt.UTC),
            owner_id=owner["id"],
            owner_component=owner["component"],
            point_component=owner["component"],
            declined=frozenset(given.get("declined", ())),
            by_exact_id=True,
        )
        if "frozen" in name:
            body = {"individual_id": person["id"], "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."}
            world.renata.post("/no-contact-requests", body)
            facts = replace(facts, frozen=True, recorded_by=world.renata.user["id"])
        made.append(Record(name, person["id"], person["last_name"], facts, kinds))
    return made


def cells(world: World, records: list[Record]) -> Iterator[Cell]:
    """Yield the whole matrix, as far as there are routes."""
    for who in world.people:
        for record in records:
            path = f"/individuals/{record.id}"
            cell = functools.partial(Cell, who, record)
            for field in sorted(FIELDS):
                if field in SHOWN:
                    yield cell("read", field, functools.partial(_shows, path, field), record.facts)
            for kind in sorted(CONTACT_LAYER):
                if kind in record.points:
                    yield cell("reveal", kind, functools.partial(_reveals, path, kind, record), record.facts)
                body = {"kind": kind, "value": ADDED[kind]}
                yield cell("add_contact_point", kind, functools.partial(_does, "POST", f"{path}/contact-points", body), record.facts)
                yield cell("correct_contact_point", kind, functools.partial(_does, "POST", f"{path}/contact-points/corrections", body), record.facts)
            for field, value in CHANGES.items():
                yield cell("change", field, functools.partial(_changes, path, {field: value}), record.facts)
            yield cell("search", None, functools.partial(_finds, record), record.facts)
            yield cell("write_note", None, functools.partial(_does, "POST", f"{path}/notes", {"text": "Met at the forum."}), record.facts)
            yield cell("log_interaction", None, functools.partial(_does, "POST", "/interactions", an_interaction(record.id)), record.facts)
            yield cell("create", None, functools.partial(_creates, world), Facts())
            few = replace(Facts(), rows=1)
            yield cell("import", None, functools.partial(_imports, world), few)
            yield cell("read_trail", None, functools.partial(_does, "GET", "/audit/entries?limit=1", None), Facts())


#: Of the policy's fields, those that a record always shows to whoever may see them.
SHOWN = frozenset(
    {"first_name", "last_name", "title", "state", "issues", "relationships", "declined", "owner", "frozen", "expires_on", "id", "source"}
)


def _does(method: str, path: str, body: Any, by: Person) -> bool:
    answer = by.ask(method, path, json=body)
    assert answer.status_code < 300 or answer.status_code in REFUSALS, answer.text
    return answer.status_code < 300


def _shows(path: str, field: str, by: Person) -> bool:
    answer = by.ask("GET", path)
    assert answer.status_code in {200, 403, 404}, answer.text
    return answer.status_code == 200 and answer.json().get(field) is not None


def _reveals(path: str, kind: str, record: Record, by: Person) -> bool:
    answer = by.ask("GET", f"{path}/contact-points")
    assert answer.status_code in {200, 403, 404, 409}, answer.text
    items = answer.json()["items"] if answer.status_code == 200 else []
    assert {item["component"] for item in items if not item["reported"]} <= {by.user["component"]}
    shown = [item for item in items if item["kind"] == kind and item["component"] == record.facts.point_component]
    if not shown:
        assert record.points[kind] not in answer.text
    return bool(shown)


def _changes(path: str, body: dict[str, Any], by: Person) -> bool:
    while True:
        seen = by.ask("GET", path)
        answer = by.ask("PATCH", path, json=body, headers={"If-Match": seen.headers.get("ETag", '"unseen"')})
        # A contact that was announced meanwhile makes another version of the record; then it is asked again.
        if answer.status_code != 412 or seen.status_code != 200:
            break
    assert answer.status_code == 200 or answer.status_code in {*REFUSALS, 412}, answer.text
    return answer.status_code == 200


def _finds(record: Record, by: Person) -> bool:
    answer = by.ask("GET", "/stakeholders", params={"q": record.last_name})
    assert answer.status_code in {200, 403}, answer.text
    return answer.status_code == 200 and record.id in {item["id"] for item in answer.json()["items"]}


def _creates(world: World, by: Person) -> bool:
    return _does("POST", "/individuals", an_individual(last_name=f"Vantongeren{world.letters()}"), by)


def _imports(world: World, by: Person) -> bool:
    content = f"First Name,Last Name\nRuth,Oyelaran{world.letters()}\n".encode()
    answer = by.ask("POST", "/imports", files={"file": ("list.csv", content)})
    assert answer.status_code in {201, 403}, answer.text
    return answer.status_code == 201


@pytest.mark.requirement("R150", "R152", "R153", "R154", "R148", "R149", "T2", "T3", "T4", "T5", "T19", "T21")
@pytest.mark.timeout(figure(0, 240))
def test_sampled_cells_answer_over_http_as_the_policy_decides(world: World, records: list[Record]) -> None:
    seed = int(os.environ.get("SEED_P13", "0")) or random.SystemRandom().randrange(1, 2**31)
    chance = random.Random(seed)
    matrix = list(cells(world, records))
    # Half of the sample from what is allowed, or it would be a sample of refusals.
    granted = [cell for cell in matrix if _decided(world, cell)]
    withheld = [cell for cell in matrix if not _decided(world, cell)]
    sample = [*_drawn(chance, granted, CELLS // 2), *_drawn(chance, withheld, CELLS - CELLS // 2)]
    chance.shuffle(sample)
    wrong = [
        (cell.name, "the policy says", _decided(world, cell)) for cell in sample if cell.ask(world.people[cell.who]) is not _decided(world, cell)
    ]
    asked = f"{len(sample)} questions over HTTP, of {len(set(map(id, sample)))} of {len(matrix)} cells"
    print(f"P13: {asked}, {tally(cell.action for cell in sample)}, SEED_P13={seed}")
    assert wrong == [], f"SEED_P13={seed}"


def _drawn(chance: random.Random, cells: list[Cell], count: int) -> list[Cell]:
    """Return that many cells, each once before any is repeated."""
    rounds, rest = divmod(count, len(cells))
    return [*cells * rounds, *chance.sample(cells, rest)]


def _decided(world: World, cell: Cell) -> bool:
    return bool(decide(Actor.of(world.people[cell.who]), cell.action, cell.field, cell.facts))


@pytest.mark.requirement("T19")
def test_an_unknown_action_or_field_is_denied_to_everybody(world: World) -> None:
    for name, person in world.people.items():
        assert not decide(Actor.of(person), "escalate", None, Facts()), name
        answer = person.ask("PUT", "/individuals", json={})
        assert answer.status_code == 405
        assert person.ask("POST", "/individuals", json={"last_name": "Plain", "religion": "none"}).status_code in {403, 422}
