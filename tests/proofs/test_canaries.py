"""P10 and P28 on the whole system: unique values go through every place of entry, and are found only where they may be."""

from __future__ import annotations

import base64
import functools
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.postgres import embedded_programs, local_programs
from tests.proofs.erased import any_of
from tests.proofs.world import BOOKKEEPING, STORES, World, day, instant
from tests.rows import figure
from tests.support import eventually

CANARIES = figure(10_000)
#: How many canaries `live_through` sets free for each person.
EACH = 21


@dataclass
class Aviary:
    """Makes unique values and remembers them: of the contact layer, of the directory, and of neither."""

    hidden: list[str] = field(default_factory=list)
    directory: list[str] = field(default_factory=list)
    #: What was refused, or only asked for: no database may keep it at all.
    stray: list[str] = field(default_factory=list)
    #: Of the hidden, what Chloé reported herself: that is her own component's, and she is shown it (T3).
    reported: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.hidden) + len(self.directory) + len(self.stray)

    def word(self, kept: bool = True) -> str:
        """Return a name that occurs nowhere else; letters, for canonical names drop digits."""
        number = "".join(chr(ord("a") + int(digit)) for digit in f"{next(self._numbers):05d}")
        (self.directory if kept else self.stray).append(found := f"Zqx{number}wyvern")
        return found

    def cell(self) -> str:
        """Return a telephone number that occurs nowhere else."""
        self.hidden.append(found := f"956-{200 + len(self.hidden) // 10_000}-{len(self.hidden) % 10_000:04d}")
        return found

    def email(self) -> str:
        """Return an e-mail address that occurs nowhere else."""
        self.hidden.append(found := f"canary{next(self._numbers):05d}@nest.example.org")
        return found

    def address(self) -> str:
        """Return a street that occurs nowhere else."""
        word = self.word()
        self.hidden.append(self.directory.pop())
        return f"12 {word} Street, Austin, TX 78701"

    def forms(self, values: list[str]) -> re.Pattern[str]:
        """Return all values, in the forms in which they may leak, as one expression (lower case)."""
        found: set[str] = set()
        for value in values:
            bare = value.replace("-", "")
            found |= {value.lower(), value.lower().encode().hex(), bare.encode().hex(), base64.b64encode(value.encode()).decode().rstrip("=").lower()}
            if value[0].isdigit():
                found |= {bare, f"{value[:3]}) {value[4:]}", value.replace("-", ".")}
        return any_of(frozenset(found))


@dataclass
class Released:
    """What was sent, and the state of the system afterwards."""

    aviary: Aviary
    statuses: list[tuple[str, int]]
    answers: list[tuple[str, str]]
    people: list[str]


def live_through(world: World, aviary: Aviary, people: int) -> Released:
    """Register, correct, speak to, search and refuse many people, and freeze and erase some."""
    done = Released(aviary, [], [], [])

    def ask(who: str, method: str, path: str, **given: Any) -> requests.Response:
        answer = world.people[who].ask(method, path, **given)
        done.statuses.append((f"{method} {re.sub(r'[0-9a-f-]{36}', '…', path)}", answer.status_code))
        if answer.status_code >= 400 or who == "chloe":
            done.answers.append((f"{who} {method} {path}", answer.text + str(dict(answer.headers))))
        return answer

    for n in range(people):
        card = {
            "salutation": aviary.word()[:60],
            "first_name": aviary.word(),
            "last_name": aviary.word(),
            "title": aviary.word(),
            "interests": [aviary.word()],
            "organization": f"{aviary.word()} Works",
            "state": "TX",
            "contact_points": [
                {"kind": "cell", "value": aviary.cell()},
                {"kind": "email", "value": aviary.email()},
                {"kind": "work_address", "value": aviary.address()},
            ],
        }
        person = ask("amina", "POST", "/individuals", json=card).json()["id"]
        done.people.append(person)
        path = f"/individuals/{person}"
        aviary.reported.append(aviary.email())
        ask("chloe", "POST", f"{path}/contact-points/corrections", json={"kind": "email", "value": aviary.reported[-1]})
        ask("bruno", "POST", f"{path}/contact-points", json={"kind": "personal_phone", "value": aviary.cell()})
        ask("amina", "POST", f"{path}/notes", json={"text": f"Told us of {aviary.word()}.", "provenance": aviary.word()})
        tag = ask("amina", "GET", path).headers["ETag"]
        ask("amina", "PATCH", path, json={"title": aviary.word()}, headers={"If-Match": tag})
        talk = {"held_at": instant(hours=-2), "mode": "phone", "individual_ids": [person], "outcome": f"Promised {aviary.word()}"}
        ask("amina", "POST", "/interactions", json={**talk, "follow_ups": [{"text": f"Send {aviary.word()}", "due_on": day(3)}]})
        ask("amina", "GET", f"{path}/contact-points", params={"reason": aviary.word()})
        ask("chloe", "GET", path)
        ask("chloe", "GET", f"{path}/contact-points")
        ask("chloe", "GET", "/stakeholders", params={"q": aviary.word(kept=False)})
        malformed(ask, aviary, path, n)
        if n % 8 == 7:
            engagement(ask, aviary, person)
        if n % 10 == 9:
            removal(ask, person)
    return done


def malformed(ask: Any, aviary: Aviary, path: str, n: int) -> None:
    """Send requests that are refused: in bodies, queries, headers, addresses, and file names, which the list of imports stores."""
    stray = functools.partial(aviary.word, kept=False)
    requests_: list[tuple[str, str, str, dict[str, Any]]] = [
        ("chloe", "POST", f"{path}/notes", {"json": {"text": f"Call {aviary.cell()}."}}),
        ("amina", "POST", f"{path}/contact-points", {"json": {"kind": "cell", "value": f"{stray()} is no number"}}),
        ("amina", "POST", "/individuals", {"json": {"last_name": stray(), "state": stray(), "party": stray()}}),
        ("amina", "POST", "/individuals", {"data": f'{{"last_name": "{stray()}', "headers": {"Content-Type": "application/json"}}),
        ("amina", "GET", f"/individuals/{stray()}", {"headers": {"X-Request-Id": stray()}}),
        ("amina", "GET", "/individuals", {"params": {stray(): stray(), "cursor": stray()}}),
        ("amina", "POST", "/interactions", {"json": {"held_at": stray(), "mode": stray(), "outcome": stray()}}),
        ("amina", "POST", "/imports", {"files": {"file": (f"{aviary.word()}.pdf", stray().encode())}}),
        ("amina", "PATCH", path, {"json": {"title": stray()}, "headers": {"If-Match": f'"{stray()}"'}}),
    ]
    # Some for each person: all of them for everybody would be many of a kind.
    for k in range(3):
        who, method, address, given = requests_[(n + k * 3) % len(requests_)]
        assert ask(who, method, address, **given).status_code in {400, 404, 412, 415, 422}


def engagement(ask: Any, aviary: Aviary, person: str) -> None:
    """Register an issue, an event and a coordination request, all full of words."""
    issue = ask("amina", "POST", "/issues", json={"name": aviary.word(), "priority": "one_dhs", "summary": aviary.word()}).json()["id"]
    ask("amina", "POST", f"/issues/{issue}/talking-points", json={"text": f"Say {aviary.word()}."})
    ask("amina", "POST", f"/issues/{issue}/updates", json={"kind": "event", "text": f"Then {aviary.word()}."})
    event = {"name": aviary.word(), "starts_at": instant(days=-1), "place": aviary.word(), "agenda": aviary.word(), "issue_ids": [issue]}
    made = ask("amina", "POST", "/events", json=event).json()["id"]
    ask("amina", "POST", f"/events/{made}/attendees", json={"individual_ids": [person]})
    ask("chloe", "POST", "/coordination-requests", json={"individual_id": person, "message": f"Ask about {aviary.word()}."})


def removal(ask: Any, person: str) -> None:
    """Freeze somebody and erase them."""
    body = {"individual_id": person, "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."}
    frozen = ask("chloe", "POST", "/no-contact-requests", json=body)
    erasing = ask("amina", "POST", f"/no-contact-requests/{frozen.json()['id']}/erase").json()["erasure_id"]
    eventually(lambda: ask("amina", "GET", f"/erasures/{erasing}").json()["state"] == "done", seconds=60, why="somebody is erased")


def an_import_of(world: World, aviary: Aviary, rows: int) -> None:
    """Import people from a file, one of them with half a row; the columns of one are refused."""
    lines = [
        "First Name,Last Name,State,Cell,E-mail Address,Party",
        *(f"{aviary.word()},{aviary.word()},TX,{aviary.cell()},{aviary.email()},{aviary.word(kept=False)}" for _ in range(rows)),
        f"{aviary.word(kept=False)},,Atlantis,{aviary.cell()},{aviary.email()} is none,Whig,surplus",
    ]
    done = world.an_import("committed", "\n".join(lines) + "\n")
    assert done["state"] == "committed"
    # Whoever sent it is given the half one back.
    assert aviary.hidden[-1] in world.amina.ask("GET", f"/imports/{done['id']}/rows.csv", expect=200).text


def crashes(world: World, aviary: Aviary) -> list[int]:
    """Make the database fail on a row, with an error that quotes the row."""
    function = "CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room for %', NEW; END $$"
    statuses = []
    for store, table, path, body in (
        ("contacts", "individuals", "/individuals", {"last_name": aviary.word(kept=False), "title": aviary.word(kept=False)}),
        ("interactions", "events", "/events", {"name": aviary.word(kept=False), "starts_at": instant(days=-1), "agenda": aviary.word(kept=False)}),
    ):
        world.sql(store, function)
        world.sql(store, f"CREATE TRIGGER quote BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION quote()")
        try:
            answer = world.amina.ask("POST", path, json=body)
        finally:
            world.sql(store, f"DROP TRIGGER quote ON {table}")
            world.sql(store, "DROP FUNCTION quote()")
        statuses.append(answer.status_code)
        assert not aviary.forms(aviary.stray).search((answer.text + str(dict(answer.headers))).lower())
    return statuses


@pytest.fixture(scope="module")
def released(world: World) -> Released:
    """Send all canaries, and wait until the trail has the last entry."""
    aviary = Aviary()
    done = live_through(world, aviary, CANARIES // EACH)
    an_import_of(world, aviary, 20)
    assert set(crashes(world, aviary)) <= {500, 503}
    last = world.amina.told[-1].trace_id
    eventually(lambda: world.edda.get("/audit/entries", trace_id=last)["items"], seconds=30, why="the trail has the last of it")
    print(f"P10: {aviary.count} canaries, {len(done.statuses)} requests")
    return done


@pytest.mark.requirement("T8")
@pytest.mark.timeout(figure(0, 240))
@pytest.mark.row("P10")
def test_enough_canaries_went_through_every_door(released: Released) -> None:
    assert released.aviary.count >= CANARIES
    by_door: dict[str, set[int]] = {}
    for door, status in released.statuses:
        by_door.setdefault(door, set()).add(status)
    for door in ("POST /individuals", "POST /individuals/…/notes", "POST /interactions", "POST /events", "POST /coordination-requests"):
        assert 201 in by_door[door], by_door
    assert not {status for statuses in by_door.values() for status in statuses} & {500, 503}


def _everything(aviary: Aviary) -> list[str]:
    return aviary.hidden + aviary.directory + aviary.stray


@pytest.mark.requirement("T8", "T14", "R123", "R148", "R149")
@pytest.mark.parametrize("service", [store for store in STORES if store != "keys"])
@pytest.mark.row("P10")
def test_no_canary_is_in_entries_outbox_inbox_or_operations(world: World, released: Released, service: str) -> None:
    forms = released.aviary.forms(_everything(released.aviary))
    looked = 0
    for table in BOOKKEEPING:
        if not world.sql(service, f"SELECT to_regclass('{table}')")[0][0]:
            continue
        for (row,) in world.sql(service, f"SELECT to_jsonb(t)::text FROM {table} t"):
            looked += 1
            assert not forms.search(row.lower()), f"{service}.{table}"
    assert looked > 1


@pytest.mark.requirement("T8", "T14", "R123")
@pytest.mark.timeout(figure(0, 240))
@pytest.mark.row("P10")
def test_no_canary_is_in_the_trail_as_the_isso_reads_it(world: World, released: Released) -> None:
    forms = released.aviary.forms(_everything(released.aviary))
    trail = world.entries(world.system.started_at)
    assert len(trail) > len(released.statuses)
    assert not forms.search(json.dumps(trail).lower())


@pytest.mark.requirement("R148", "R149", "N17")
@pytest.mark.parametrize("store", STORES)
@pytest.mark.row("P28")
def test_no_hidden_value_is_in_a_superusers_dump_of_any_database(world: World, released: Released, store: str) -> None:
    """P28. Databases of services without a directory contain no word of it, and none contains what was refused or only asked for."""
    dump = dumped(world.address(store))
    aviary = released.aviary
    forbidden = aviary.hidden + aviary.stray
    if store in {"access", "audit", "retention", "keys"}:
        forbidden = _everything(aviary)
    assert len(dump) > 1000
    assert _tables_with(aviary.forms(forbidden), dump) == {}
    if store == "contacts":
        assert aviary.directory[-1].lower() in dump, "the directory is in it"


@pytest.mark.requirement("T8", "R148", "R149")
@pytest.mark.row("P10")
def test_no_canary_is_in_the_logs_at_their_loudest(world: World, released: Released) -> None:
    forms = released.aviary.forms(_everything(released.aviary))
    logs = [world.system.data.parent / f"{world.system.data.name}.log", *_server_logs(world)]
    for log in logs:
        said = log.read_text(errors="replace").lower()
        assert sorted(set(forms.findall(said))) == [], log
    liaison = logs[0].read_text()
    assert '"level":"info"' in liaison
    assert "request.answered" in liaison


@pytest.mark.requirement("T8", "R148", "R149")
@pytest.mark.row("P10")
def test_no_canary_is_in_the_metrics_or_with_the_broker_or_in_any_file_beside_the_databases(world: World, released: Released) -> None:
    forms = released.aviary.forms(_everything(released.aviary))
    counted = requests.get(f"{world.system.base}/metrics", headers=world.operators, timeout=20).text.lower()
    assert "liaison_http_requests_total" in counted
    assert not forms.search(counted)
    files = [path for root in (world.system.data, world.temporary) for path in root.rglob("*") if path.is_file() and "postgres" not in path.parts]
    journal = world.system.data / "broker" / "journal"
    assert journal in files
    for path in files:
        said = path.read_text(errors="replace").lower()
        assert not forms.search(said), path
    for line in journal.read_text().splitlines():
        letter = json.loads(line)
        if "body" in letter:
            assert not forms.search(base64.b64decode(letter["body"]).decode(errors="replace").lower()), letter.get("queue")


@pytest.mark.requirement("R148", "R149", "R154")
@pytest.mark.row("P10")
def test_no_refusal_and_no_answer_to_chloe_holds_a_hidden_value(released: Released) -> None:
    aviary = released.aviary
    forms = aviary.forms([value for value in aviary.hidden if value not in aviary.reported])
    assert len(released.answers) > 50
    assert [(asked, found) for asked, said in released.answers if (found := forms.findall(said.lower()))] == []


@pytest.mark.row("P10")
def test_the_search_finds_a_canary_where_there_is_one(world: World) -> None:
    aviary = Aviary()
    cell, word = aviary.cell(), aviary.word()
    forms = aviary.forms([cell, word])
    for said in (cell, cell.replace("-", ""), word.upper().lower(), cell.encode().hex(), json.dumps({"title": word}).lower()):
        assert forms.search(said)
    world.sql("contacts", "CREATE TABLE escaped (value text)")
    try:
        world.sql("contacts", f"INSERT INTO escaped VALUES ('{cell}')")
        assert forms.search(dumped(world.address("contacts")))
    finally:
        world.sql("contacts", "DROP TABLE escaped")


def dumped(url: str) -> str:
    """Return what `pg_dump` writes of a database, as a superuser, in lower case."""
    programs = embedded_programs() or local_programs()
    if programs is None or not (programs.folder / "pg_dump").exists():
        pytest.skip("there is no pg_dump here")
    done = subprocess.run([programs["pg_dump"], url], capture_output=True, text=True, check=True, timeout=100)
    return done.stdout.lower()


def _tables_with(forms: re.Pattern[str], dump: str) -> dict[str, list[str]]:
    """Return the findings by table."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^copy public\.", dump, flags=re.MULTILINE):
        if values := sorted(set(forms.findall(part.split("\n\\.\n")[0]))):
            found[part.partition(")")[0]] = values
    return found


def _server_logs(world: World) -> list[Path]:
    folder = Path(world.server.url.query["host"]).parent  # type: ignore[arg-type]  # one host: its sockets' folder
    logs = [log for log in (folder / "log", world.system.data / "postgres" / "log") if log.is_file()]
    assert logs, "PostgreSQL logs somewhere"
    return logs
