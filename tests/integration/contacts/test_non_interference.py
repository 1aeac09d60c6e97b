"""Two worlds that differ only in hidden phones and e-mails answer Chloé the same over HTTP, byte by byte (P14, Part 4)."""

from __future__ import annotations

import io
import itertools
import os
import random
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from services.chassis.testing import Databases
from tests.cast import DOV
from tests.integration.contacts.two_worlds import AMINA, BRUNO, CHLOE, FARID, FEMA, GRACE, Ask, World, counted_ids, kind_of, two_worlds
from tests.rows import SOAK, figure

pytestmark = pytest.mark.row("P14")

SEQUENCES = figure(2_000, 9)
STEPS = 6
#: In so many of a hundred steps something hidden is given to ICE before, or the matcher comes by.
_PLANTED, _MATCHED = 0.15, 0.25
#: Behind so many sequences a whole story is told: each of them in turn.
_STORY = 3
#: Sequences after which both worlds are new: what Chloé has entered by then is more than a task list of people.
_FRESH = 100
#: Rows of an import, each with two values; and of the first in so many in the soak.
ROWS, MANY_ROWS, _MANY = 25, 2_000, 12
HIDDEN = ("956-555-0142", "dov.quillfeather@example.org", "956-555-0111", "ruth@example.net")
TWIN = {"last_name": "Twin", "duplicate_ok": True}
#: A request that is compared and whose answer comes back, or something behind the two worlds that is done in each.
Step = Ask | Callable[[World], Any]
Story = Generator[Step, Any, None]
#: Each freeze marks its value: nobody enters it again.
NUMBERS = itertools.count(1)
FILES = itertools.count()


def settle_down(world: World) -> list[str]:
    """Let ICE register three people, with values that only one of the worlds has; return their ids."""
    people = [
        world.desk.register(AMINA, **DOV.body(organization=DOV.organization))["id"],
        world.desk.register(BRUNO, first_name="Ruth", last_name="Oyelaran", state="NM")["id"],
        world.desk.register(GRACE, last_name="Plain")["id"],
    ]
    for person, value in ((people[0], HIDDEN[0]), (people[0], HIDDEN[1]), (people[1], HIDDEN[2]), (people[1], HIDDEN[3])):
        world.hide(AMINA, person, value)
    if world.hidden:
        world.desk.add(AMINA, people[1], "work_address", "12 Hidden Lane, Gallup, NM 87301")
    return people


def plant(chance: random.Random, people: list[str]) -> Callable[[World], None]:
    """Let ICE or FEMA be given one of the hidden values, where there are any: before Chloé enters it, or after."""
    value, person, by = chance.choice(HIDDEN), chance.choice(people), chance.choice([AMINA, BRUNO, FEMA])
    return lambda world: world.hide(by, person, value)


def a_request(chance: random.Random, people: list[str]) -> Ask:
    """Return one thing that Chloé may ask."""
    person, other = chance.choice(people), chance.choice(people)
    value = chance.choice([*HIDDEN, "956-555-0199", "somebody@example.com"])
    point = {"kind": kind_of(value), "value": value}
    at = f"/individuals/{person}"
    search = {
        "q": chance.choice(["dov", "quill", "ruth", "oyelaran", "hidden lane", ""]),
        "sort": chance.choice(["name", "-last_contacted_at", "created_at"]),
        "facets": "state,component",
        "limit": chance.choice([1, 2, 50]),
    }
    asked = {name: wanted for name, wanted in search.items() if wanted}
    return chance.choice(
        [
            Ask("GET", at),
            Ask("GET", f"{at}/history"),
            Ask("GET", f"{at}/contact-points?reason=outreach%20on%20the%20flood"),
            Ask("GET", f"{at}/notes?limit={chance.choice([1, 50])}"),
            Ask("POST", f"{at}/notes", {"json": {"text": chance.choice(["Met at the forum.", f"Call {HIDDEN[0]}."])}}),
            Ask("GET", "/tasks"),
            Ask("GET", f"/tasks?limit={chance.choice([1, 2, 200])}"),
            Ask("GET", f"/duplicates/{person}/{other}"),
            Ask("POST", f"/duplicates/{person}/{other}", {"json": {"decision": chance.choice(["same", "different", "propose"])}}),
            Ask("POST", f"{at}/contact-points/corrections", {"json": point}),
            Ask("POST", f"{at}/contact-points", {"json": point}),
            Ask("POST", "/individuals", {"json": {**TWIN, "contact_points": [point]}}),
            Ask("POST", "/individuals", {"json": {"first_name": "Ruth", "last_name": "Oyelaran", "state": "NM"}}),
            Ask("GET", "/stakeholders", {"query_string": asked}),
            Ask("POST", "/stakeholders/search", {"json": {"q": chance.choice([*HIDDEN, "956", "0142"]), "limit": 2}}),
            Ask("GET", "/individuals?state=NM&limit=1"),
            Ask("PATCH", at, {"json": {"title": "Clerk"}, "headers": {"If-Match": '"stale"'}}),
            Ask("DELETE", at, {"json": {"reason": "mistake"}, "headers": {"If-Match": '"stale"'}}),
            Ask("GET", "/reports/stakeholders-by-region"),
            Ask("GET", "/no-contact-requests"),
        ]
    )


def an_import(chance: random.Random, people: list[str]) -> Story:
    """Let Chloé import a file, hidden values among others, look at every part of it, and take it back."""
    rows = ROWS if next(FILES) % _MANY or not SOAK else MANY_ROWS
    lines = ["First name,Last name,State,E-mail,Mobile phone"]
    for n in range(rows):
        email = chance.choice(HIDDEN[1::2]) if chance.random() < 0.1 else f"row{n}@example.com"
        cell = chance.choice(HIDDEN[::2]) if chance.random() < 0.1 else f"505-{600 + n // 10_000}-{n % 10_000:04d}"
        first, last = ("Ruth", "Oyelaran") if chance.random() < 0.02 else (f"Row{_letters(n)}", f"Vantongeren{_letters(n)}")
        lines.append(f"{first},{last},NM,{email},{cell}")
    content = "\n".join(lines).encode()
    started = yield Ask("POST", "/imports", {"data": {"file": (io.BytesIO, content, "list.csv")}})
    at = f"/imports/{started['id']}"
    for step in ("dry-run", "commit"):
        yield Ask("POST", f"{at}/{step}")
        yield World.work
        yield Ask("GET", at)
        yield Ask("GET", f"{at}/rows?limit=200")
        yield plant(chance, people)
    yield Ask("POST", f"{at}/decisions", {"json": {"decision": chance.choice(["skip", "another"])}})
    yield World.work
    yield Ask("GET", at)
    yield World.match
    yield Ask("GET", "/tasks?limit=200")
    yield Ask("GET", f"{at}/rows.csv")
    entered = yield Ask("GET", f"{at}/rows?limit=200&outcome=create")
    # Others have worked with some of them, by values alone: nothing of that may show in what the undo leaves.
    yield World.wait
    for number, row in enumerate(entered["items"][:3]):
        yield _hidden(chance.choice([BRUNO, FEMA]), row["individual_id"], f"hidden{number}@example.org")
    held = [row["individual_id"] for row in entered["items"][-2:]]
    for person in held:
        yield _held(person)
    yield Ask("POST", f"{at}/undo")
    yield World.work
    undone = yield Ask("GET", at)
    assert undone["state"] == "undone"
    yield from _all([Ask("GET", f"{at}/rows?limit=200"), Ask("GET", f"{at}/rows.csv")])
    for person in held:
        yield from _all(_looks_at(person))
    again = yield Ask("POST", "/imports", {"data": {"file": (io.BytesIO, content + b"\n", "list.csv")}})
    for step in ("dry-run", "commit"):
        yield Ask("POST", f"/imports/{again['id']}/{step}")
        yield World.work
        yield Ask("GET", f"/imports/{again['id']}")
        yield Ask("GET", f"/imports/{again['id']}/rows?limit=200")
    yield Ask("POST", f"/imports/{again['id']}/undo")
    yield World.work
    yield Ask("GET", "/stakeholders?q=vantongeren")
    yield Ask("GET", "/tasks?limit=200")
    yield World.match
    yield Ask("GET", "/tasks?limit=200")


def a_request_for_no_contact(chance: random.Random, _people: list[str]) -> Story:
    """Let somebody of ICE ask for no more contact, whose hidden cell FEMA has for another: a twin that only FEMA sees frozen (T26).

    The request is taken back, or they are erased; Chloé, who recorded it, reads whatever there is to read.
    """
    number = next(NUMBERS)
    value = f"956-{200 + number // 10_000}-{number % 10_000:04d}"
    asked = yield Ask("POST", "/individuals", {"json": {"last_name": f"Hope{_letters(number)}"}}, by=AMINA)
    twin = yield Ask("POST", "/individuals", {"json": {"last_name": f"Elsewhere{_letters(number)}", "state": "NM"}}, by=FEMA)
    yield Ask("POST", f"/individuals/{asked['id']}/notes", {"json": {"text": "Met at the forum."}})
    for by, person in ((AMINA, asked), (FEMA, twin)):
        yield _hidden(by, person["id"], value)
    if chance.random() < 0.5:
        yield World.match
    request = yield Ask("POST", "/no-contact-requests", {"json": {"individual_id": asked["id"], "medium": "phone", "received_on": "2026-11-23"}})
    at = f"/no-contact-requests/{request['id']}"
    looks = [
        *(Ask("GET", f"/individuals/{one['id']}") for one in (asked, twin)),
        Ask("GET", f"/individuals/{twin['id']}/contact-points?reason=outreach"),
        *(Ask("GET", "/stakeholders", {"query_string": {"q": f"{word}{_letters(number)}"}}) for word in ("hope", "elsewhere")),
        Ask("POST", "/stakeholders/search", {"json": {"q": value}}),
        Ask("GET", "/reports/stakeholders-by-region"),
        Ask("GET", at),
        Ask("GET", "/tasks?limit=200"),
    ]
    yield from _all(looks)
    if chance.random() < 0.5:
        # Only where there is a twin is there something to decide.
        yield _unseen(Ask("POST", f"{at}/twins/{twin['id']}", {"json": {"decision": "another"}}, by=FARID))
        yield from _all(looks)
    if chance.random() < 0.3:
        yield Ask("POST", f"{at}/withdraw", {"json": {}})
        yield World.match
    else:
        erasure = yield Ask("POST", f"{at}/erase", by=AMINA)
        receipts = yield Ask("GET", f"/erasures/{erasure['erasure_id']}")
        assert receipts["state"] == "done"
        yield Ask("GET", f"/erasures/{erasure['erasure_id']}", by=AMINA)
    yield from _all(looks)


def a_proposal(chance: random.Random, people: list[str]) -> Story:
    """Let the privacy officer ask Amina and Chloé about two records, who answer; whether they share a value is not to be told."""
    value = chance.choice(HIDDEN)
    point = {"kind": kind_of(value), "value": value}
    own = yield Ask("POST", "/individuals", {"json": {**TWIN, "contact_points": [point]}})
    pair = f"/duplicates/{own['id']}/{people[0]}"
    yield World.match
    yield Ask("GET", pair)
    yield Ask("POST", pair, {"json": {"decision": "propose"}}, by=FARID)
    for by in chance.sample([AMINA, CHLOE], 2):
        yield Ask("GET", pair)
        yield Ask("GET", "/tasks?limit=200")
        yield Ask("POST", pair, {"json": {"decision": chance.choice(["same", "different"])}}, by=by)
    yield Ask("GET", pair)
    yield Ask("GET", "/tasks?limit=200")
    yield Ask("POST", pair, {"json": {"decision": "different"}}, by=FARID)


def _all(asked: Iterable[Ask]) -> Story:
    # Of a list nobody takes what is sent to it.
    return (ask for ask in asked)


def _looks_at(person: str) -> list[Ask]:
    """Return every way in which somebody may come upon a person who is gone, or do something to them."""
    at = f"/individuals/{person}"
    point = {"json": {"kind": "cell", "value": "956-555-0188"}}
    stale = {"headers": {"If-Match": '"stale"'}}
    return [
        *(Ask("GET", f"{at}{part}", by=by) for part in ("", "/history", "/notes", "/contact-points?reason=outreach") for by in (CHLOE, AMINA)),
        Ask("POST", f"{at}/notes", {"json": {"text": "Met at the forum."}}),
        Ask("POST", f"{at}/contact-points", point),
        Ask("POST", f"{at}/contact-points/corrections", point),
        Ask("PATCH", at, {"json": {"title": "Clerk"}, **stale}),
        Ask("DELETE", at, {"json": {"reason": "mistake"}, **stale}),
        Ask("PUT", f"{at}/owner", {"json": {"owner": CHLOE.id}}),
        Ask("POST", f"{at}/verifications", {"json": {"medium": "phone", "verified_on": "2026-11-22"}}),
        Ask("POST", "/no-contact-requests", {"json": {"individual_id": person, "medium": "phone", "received_on": "2026-11-22"}}),
        Ask("GET", "/reports/stakeholders-by-region"),
    ]


STORIES = {"imports": an_import, "requests": a_request_for_no_contact, "proposals": a_proposal}


def _hidden(by: Any, person: str, value: str) -> Callable[[World], None]:
    return lambda world: world.hide(by, person, value)


def _held(person: str) -> Callable[[World], None]:
    return lambda world: world.hold(person)


def _unseen(ask: Ask) -> Callable[[World], None]:
    return lambda world: world.send(ask) and None


def _letters(n: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in f"{n:05d}")


def _steps(chance: random.Random, people: list[str]) -> Story:
    """Yield the steps of one sequence, and in some a story."""
    for _ in range(STEPS):
        if chance.random() < _PLANTED:
            yield plant(chance, people)
        if chance.random() < _MATCHED:
            yield World.match
        yield a_request(chance, people)


class Comparison:
    """Both worlds, step by step: every id begins at the same count in both, whatever one of them had to keep for itself."""

    def __init__(self, worlds: tuple[World, World], count_from: Callable[[int], None]) -> None:
        """Begin behind everything that is in them."""
        self.worlds, self.count_from, self.at = worlds, count_from, 1
        self.compared = 0

    def walk(self, story: Story, *, where: str) -> None:
        """Take every step in both worlds."""
        said: Any = None
        while True:
            try:
                step = story.send(said)
            except StopIteration:
                return
            said = self.take(step, where=where)

    def take(self, step: Step, *, where: str) -> Any:
        """Take one step; return the answer, which is the same in both."""
        answers = []
        # An import makes a few ids for each of its values.
        self.at += 1_000_000
        for world in self.worlds:
            self.count_from(self.at)
            answers.append(world.send(_filled(step)) if isinstance(step, Ask) else step(world))
        if not isinstance(step, Ask):
            return answers[0]
        self.compared += 1
        assert answers[0][0] == answers[1][0], f"{where}: {step.method} {step.path}"
        return answers[0][1]


def _filled(ask: Ask) -> Ask:
    """Give each world a stream of its own of the file that is sent."""
    data = ask.given.get("data")
    if not isinstance(data, Mapping):
        return ask
    made, content, name = data["file"]
    return Ask(ask.method, ask.path, {**ask.given, "data": {"file": (made(content), name)}}, ask.by)


def _rounds(count: int) -> Iterator[range]:
    for first in range(0, count, _FRESH):
        yield range(first, min(first + _FRESH, count))


@pytest.mark.requirement("T17", "T23", "T26", "T34", "R148", "R149", "R154")
@pytest.mark.timeout(0 if SOAK else 300)
def test_chloe_cannot_tell_a_world_with_hidden_values_from_one_without(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = int(os.environ.get("SEED_P14", "0")) or random.SystemRandom().randrange(1, 2**31)
    chance = random.Random(seed)
    compared, told = 0, dict.fromkeys(STORIES, 0)
    for sequences in _rounds(SEQUENCES):
        with ExitStack() as stack:
            count_from = stack.enter_context(counted_ids(monkeypatch))
            worlds = stack.enter_context(two_worlds(databases, count_from))
            comparison = Comparison(worlds, count_from)
            people = comparison.take(settle_down, where="at the beginning")
            for sequence in sequences:
                where = f"sequence {sequence}, SEED_P14={seed}"
                comparison.walk(_steps(chance, people), where=where)
                if sequence % _STORY == _STORY - 1:
                    name = min(told, key=lambda each: told[each])
                    comparison.walk(STORIES[name](chance, people), where=f"{where}, {name}")
                    told[name] += 1
                for world in worlds:
                    # A new day: what is counted by the day does not end the walk.
                    world.desk.later(days=1)
            compared += comparison.compared
        print(f"P14: {sequences.stop} of {SEQUENCES} sequences of {STEPS}, {told}, {compared} answers over HTTP alike, SEED_P14={seed}", flush=True)


@pytest.mark.requirement("T17")
def test_the_comparison_sees_a_difference_when_there_is_one(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted_ids(monkeypatch) as count_from, two_worlds(databases, count_from) as worlds:
        comparison = Comparison(worlds, count_from)
        people = comparison.take(settle_down, where="at the beginning")
        seen = [world.send(Ask("GET", f"/individuals/{people[0]}/contact-points", by=BRUNO))[0] for world in worlds]
        assert all(answer.startswith(b"200") for answer in seen)
        assert seen[0] != seen[1]
