"""Two worlds that differ only in hidden phones and e-mails give Chloé the same answers over HTTP, byte by byte (P14, Part 4)."""

from __future__ import annotations

import io
import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from tests.cast import DOV
from tests.integration.contacts.asks import HIDDEN, TWIN, a_page, a_request, a_talk, looks_at
from tests.integration.contacts.two_worlds import AMINA, BRUNO, CHLOE, FARID, FEMA, GRACE, SYSTEM, Ask, World, counted_ids, kind_of, two_worlds
from tests.rows import SOAK, figure
from tests.support import Databases

pytestmark = pytest.mark.row("P14")

SEQUENCES = figure(2_000, 3)
STEPS = 6
#: In so many of a hundred steps something hidden is given to ICE before, or the matcher comes by.
_PLANTED, _MATCHED = 0.15, 0.25
#: Before so many of a hundred requests rows of the world with hidden values stand in another order.
_STIRRED = 0.2
#: Behind so many sequences a whole story is told: each of them in turn.
_STORY = 3 if SOAK else 1
#: Sequences after which both worlds are new: what Chloé has entered by then is more than a task list of people.
_FRESH = 100
#: Rows of an import, each with two values; and of the first in so many in the soak.
ROWS, MANY_ROWS, _MANY = 12, 2_000, 12
#: A request that is compared and whose answer comes back, or something behind the two worlds that is done in each.
Step = Ask | Callable[[World], Any]
Story = Generator[Step, Any, None]
#: What takes more where more is hidden, as docs/security.md argues: freezing, which marks every component's values, and what ends it.
ARGUED = re.compile("POST /no-contact-requests($|/)")
#: Each freeze marks its value: nobody enters it again.
NUMBERS = itertools.count(1)
FILES = itertools.count()
CARDS = b"First name,Last name,Title,State,E-mail\nRowa,Heldhere,Clerk,NM,heldhere@example.com\nRowb,Gonehere,,NM,\nRowc,Methere,,NM,\n"


def settle_down(world: World) -> list[str]:
    """Register three people of ICE, with values in only one of the worlds; return their ids."""
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
    """Give ICE or FEMA one of the hidden values, in the world that has them: before Chloé enters it, or after."""
    value, person, by = chance.choice(HIDDEN), chance.choice(people), chance.choice([AMINA, BRUNO, FEMA])
    return lambda world: world.hide(by, person, value)


def an_import(chance: random.Random, people: list[str]) -> Story:
    """Have Chloé import a file with hidden values among others, read every part of it, and undo it."""
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
        yield Ask("GET", at, page=True)
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
    yield from _all([Ask("GET", f"{at}/rows?limit=200"), Ask("GET", f"{at}/rows.csv"), Ask("GET", at, page=True)])
    yield from _all(looks_at(held[0]))
    content = "\n".join([lines[0], *lines[-2:]]).encode()
    again = yield Ask("POST", "/imports", {"data": {"file": (io.BytesIO, content, "list.csv")}})
    for step in ("dry-run", "commit"):
        yield Ask("POST", f"/imports/{again['id']}/{step}")
        yield World.work
        yield Ask("GET", f"/imports/{again['id']}")
        yield Ask("GET", f"/imports/{again['id']}/rows?limit=200")
    yield Ask("GET", "/stakeholders?q=vantongeren")
    yield Ask("GET", "/tasks?limit=200")
    yield World.match
    yield Ask("GET", "/tasks?limit=200")


def a_request_for_no_contact(chance: random.Random, _people: list[str]) -> Story:
    """Have somebody of ICE ask for no more contact whose hidden cell FEMA has for another: a twin that only FEMA sees frozen (T26).

    Then the request is withdrawn, or the person erased; Chloé, who recorded it, reads everything that she can.
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
        *(Ask("GET", f"/individuals/{one['id']}", page=page) for one in (asked, twin) for page in (False, True)),
        Ask("GET", f"/interactions?individual_id={twin['id']}"),
        Ask("POST", "/coordination-requests", {"json": {"individual_id": twin["id"], "message": "Who speaks to them?"}}),
        Ask("GET", "/reports/spoken-to"),
        Ask("GET", f"/requests/no-contact/{request['id']}", page=True),
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
    """Have the privacy officer ask Amina and Chloé about two records, and both answer; nothing may tell whether they share a value."""
    value = chance.choice(HIDDEN)
    point = {"kind": kind_of(value), "value": value}
    own = yield Ask("POST", "/individuals", {"json": {**TWIN, "contact_points": [point]}})
    pair = f"/duplicates/{own['id']}/{people[0]}"
    yield World.match
    yield Ask("GET", pair)
    yield Ask("GET", pair, page=True)
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
    """Yield the steps of one sequence; some contain a story."""
    for _ in range(STEPS):
        if chance.random() < _PLANTED:
            yield plant(chance, people)
        if chance.random() < _MATCHED:
            yield World.match
        yield chance.choices([a_request, a_page, a_talk], weights=[2, 1, 1])[0](chance, people)


class Comparison:
    """Both worlds, step by step. Every id begins at the same count in both, whatever one of them stored for itself."""

    def __init__(self, worlds: tuple[World, World], count_from: Callable[[int], None]) -> None:
        """Begin after everything that is in them."""
        self.worlds, self.count_from, self.at = worlds, count_from, 1
        self.chance = random.Random(1)
        #: Answers that were compared, and of how many what they took was compared, too.
        self.compared = self.counted = 0
        self.statuses: Counter[str] = Counter()

    def walk(self, story: Story, *, where: str) -> None:
        """Take every step in both worlds."""
        said: Any = None
        while True:
            try:
                step = story.send(said)
            except StopIteration:
                return
            said = self.take(step, where=where)

    def require_sight(self, ask: Ask) -> None:
        """Check that it sees a difference when there is one."""
        seen = [world.send(ask)[0] for world in self.worlds]
        assert all(answer.startswith(b"200") for answer in seen)
        assert seen[0] != seen[1]

    def take(self, step: Step, *, where: str) -> Any:
        """Take one step; return the answer, which is the same in both."""
        answers = []
        # An import makes a few ids for each of its values.
        self.at += 1_000_000
        if self.chance.random() < _STIRRED:
            self.worlds[0].stir()
        for world in self.worlds:
            self.count_from(self.at)
            answers.append(world.send(_filled(step)) if isinstance(step, Ask) else step(world))
        if not isinstance(step, Ask):
            return answers[0]
        self.compared += 1
        status = answers[0][0][:3].decode()
        self.statuses[status] += 1
        if os.environ.get("SHOW_P14"):
            print(status, step.method, "page" if step.page else "", re.sub("[0-9a-f-]{36}", "…", step.path), step.given.get("json", ""), flush=True)
        assert status < "500", f"{where}: {step.method} {step.path}"
        assert answers[0][0] == answers[1][0], f"{where}: {step.method} {step.path} {_first_difference(answers[0][0], answers[1][0])}"
        if not ARGUED.match(f"{step.method} {step.path}"):
            _require_alike(answers[0][2], answers[1][2], f"{where}: {step.method} {step.path}")
            self.counted += 1
        return answers[0][1]


def _first_difference(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    at = next((n for n, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), min(len(one), len(other)))
    return one[max(at - 200, 0) : at + 100], other[max(at - 200, 0) : at + 100]


def _require_alike(one: list[str], other: list[str], where: str) -> None:
    """Check that an answer took the same statements and calls in both worlds."""
    more, less = Counter(one) - Counter(other), Counter(other) - Counter(one)
    assert not more, f"{where}: where something is hidden, more: {more}"
    assert not less, f"{where}: where nothing is hidden, more: {less}"


def _filled(ask: Ask) -> Ask:
    """Give each world its own stream of the uploaded file."""
    data = ask.given.get("data")
    if not isinstance(data, Mapping) or "file" not in data:
        return ask
    made, content, name = data["file"]
    return replace(ask, given={**ask.given, "data": {"file": (made(content), name)}})


def _rounds(count: int) -> Iterator[range]:
    for first in range(0, count, _FRESH):
        yield range(first, min(first + _FRESH, count))


@pytest.fixture(scope="module")
def first(databases: Databases) -> Iterator[Comparison]:
    """Two worlds that the tests here share."""
    with _compared(databases) as comparison:
        yield comparison


@contextmanager
def _compared(databases: Databases) -> Iterator[Comparison]:
    with pytest.MonkeyPatch.context() as patched, counted_ids(patched) as count_from, two_worlds(databases, count_from) as worlds:
        yield Comparison(worlds, count_from)


@pytest.mark.requirement("T17", "T23", "T26", "T34", "R148", "R149", "R154")
@pytest.mark.timeout(0 if SOAK else 300)
def test_chloe_cannot_tell_a_world_with_hidden_values_from_one_without(databases: Databases, first: Comparison) -> None:
    seed = int(os.environ.get("SEED_P14", "0")) or random.SystemRandom().randrange(1, 2**31)
    chance = random.Random(seed)
    compared, counted, statuses = 0, 0, Counter[str]()
    told = dict.fromkeys(STORIES, 0)
    for sequences in _rounds(SEQUENCES):
        with ExitStack() as stack:
            comparison = stack.enter_context(_compared(databases)) if sequences.start else first
            comparison.chance = chance
            people = comparison.take(settle_down, where="at the beginning")
            for sequence in sequences:
                where = f"sequence {sequence}, SEED_P14={seed}"
                comparison.walk(_steps(chance, people), where=where)
                if sequence % _STORY == _STORY - 1:
                    name = min(told, key=lambda each: told[each])
                    comparison.walk(STORIES[name](chance, people), where=f"{where}, {name}")
                    told[name] += 1
                for world in comparison.worlds:
                    # A new day: what is counted by the day does not end the walk.
                    world.desk.later(days=1)
            compared, counted = compared + comparison.compared, counted + comparison.counted
            statuses += comparison.statuses
        alike = f"{compared} answers over HTTP alike, {counted} in what they took too, {dict(statuses)}"
        print(f"P14: {sequences.stop} of {SEQUENCES} sequences of {STEPS}, {told}, {alike}, SEED_P14={seed}", flush=True)


def _copies(world: World) -> dict[str, bytes]:
    with world.desk.work(SYSTEM, role="eraser") as work:
        return {str(row[0]): bytes(row[1]) for row in work.execute(text("SELECT individual_id, ciphertext FROM set_aside"))}


@pytest.mark.requirement("R138", "T24", "N16")
def test_whom_a_hold_keeps_from_an_undo_only_the_privacy_officer_finds_until_it_ends(first: Comparison) -> None:
    world = first.worlds[0]
    first.count_from(1 << 40)
    at = f"/imports/{world.send(Ask('POST', '/imports', {'data': {'file': (io.BytesIO(CARDS), 'list.csv')}}))[1]['id']}"
    for step in ("dry-run", "commit"):
        world.send(Ask("POST", f"{at}/{step}"))
        world.work()
    held, gone, met = (row["individual_id"] for row in world.send(Ask("GET", f"{at}/rows"))[1]["items"])
    world.send(Ask("POST", f"/individuals/{met}/notes", {"json": {"text": "Met at the fair."}}))
    world.hold(held)
    world.hold(met)
    world.send(Ask("POST", f"{at}/undo"))
    world.work()
    shown = world.send(Ask("GET", f"/individuals/{held}", by=FARID))[1]
    assert (shown["last_name"], shown["title"], shown["set_aside"]) == ("Heldhere", "Clerk", True)
    assert "Heldhere" in world.send(Ask("GET", f"/individuals/{held}", by=FARID, page=True))[0].decode()
    for person, by in ((held, CHLOE), (gone, CHLOE), (gone, FARID)):
        assert world.send(Ask("GET", f"/individuals/{person}", by=by))[0].startswith((b"404", b"403")), (person == held, by.id)
    assert world.send(Ask("GET", f"/individuals/{met}"))[1]["last_name"] == "Methere", "somebody has worked with them"
    kept = _copies(world)
    assert not {gone, met} & kept.keys()
    assert b"Heldhere" not in kept[held], "nothing of it stands in a dump"
    world.contacts.let_go_of_people_set_aside(SYSTEM)
    assert held in _copies(world), "the hold stands"
    vault = world.desk.layer.vault
    assert set(vault.keys([held, gone])) == {held}
    for hold in world.bus.ask("retention", "list_holds", FARID)["items"]:
        world.bus.ask("retention", "lift_hold", FARID, hold_id=hold["id"])
    world.contacts.let_go_of_people_set_aside(SYSTEM)
    assert _copies(world) == {}
    assert vault.keys([held, gone]) == {}
    assert world.send(Ask("GET", f"/individuals/{held}", by=FARID))[0][:3] in {b"403", b"404"}
    assert world.send(Ask("GET", f"/individuals/{met}"))[1]["last_name"] == "Methere"
