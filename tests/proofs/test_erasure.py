"""P11 on the whole system: people whom others' texts name are erased while the process is killed, and nothing of them is left."""

from __future__ import annotations

import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.dictionary import STORES as TABLES
from tests.proofs.doors import columns_without, walk_through
from tests.proofs.erased import Erased, Everywhere, Hope, found_in
from tests.proofs.test_canaries import dumped
from tests.proofs.world import STORES, World, day
from tests.rows import SOAK, figure
from tests.support import eventually
from tests.system import Embedded

pytestmark = pytest.mark.row("P11")

#: The figure of the proof is 1,000, with 50 kills.
PEOPLE, KILLS = figure(1000, 4), figure(50, 2)
LATE = figure(1000, 50)
#: A thousand searches go on behind the last questions.
_PATIENT = {"CALL_DEADLINE": "35"} if SOAK else {}
_ENDS_WITHIN = float(figure(3600, 180))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """This proof's own system, because it is killed."""
    folder = tmp_path_factory.mktemp("erasing")
    temporary = folder / "temporary"
    temporary.mkdir(mode=0o777)
    system = Embedded(folder / "state", environ={"LOG_LEVEL": "DEBUG", "TMPDIR": str(temporary), **_PATIENT}).start()
    try:
        yield World(system, temporary)
    finally:
        system.stop()


@pytest.mark.requirement("T27", "R165", "R166", "N3", "N17", "T9", "T25")
@pytest.mark.timeout(figure(0, 900))
def test_of_whoever_is_erased_nothing_is_left_though_others_name_them_and_the_process_is_killed(world: World) -> None:
    amina, farid = world.amina, world.farid
    hope, everywhere = Hope(), Everywhere(0)
    people: list[Erased] = [everywhere, *(Erased(n) for n in range(1, PEOPLE - 1)), hope]
    for n, person in enumerate(people):
        person.entered(amina)
        _keep_awake(world, n)
    everywhere.asked_and_frozen(world)
    left = everywhere.filed(amina)
    seed = int(os.environ.get("SEED_OF_DOORS") or secrets.randbelow(10**6))
    statuses = walk_through(world, everywhere, seed)
    print(f"P11: {PEOPLE} people; words of one sent {statuses.total()} times: {dict(statuses)}; SEED_OF_DOORS={seed}")
    assert columns_without(world, everywhere) == [], "no door leads there: give it one, or say why not in WITHOUT_WORDS"
    # What a server samples of its columns outlives their rows.
    world.sql("contacts", "ANALYZE")
    assert found_in(_sampled(world, "contacts"), everywhere.needles), "there is something to forget"
    erasures: list[str] = []
    for n, person in enumerate(people):
        erasures.append(_asked(world, person, no_contact=bool(n % 3) or person is hope))
        if n % (PEOPLE // KILLS) == 1:
            _kill(world)
        _keep_awake(world, n)
    for n, erasure_id in enumerate(erasures):
        waiting = _ended(world, erasure_id, "waiting_for_decision")
        assert waiting["certificate"] is None
        _keep_awake(world, n)
    for person in people:
        amina.ask("GET", f"/individuals/{person.id}", expect=404)
    ids = {person.id for person in people}
    kept = {str(row[0]) for row in world.sql("keys", "SELECT subject_id FROM subject_keys")}
    assert not kept & ids, "the key goes with the record"
    for n, erasure_id in enumerate(erasures):
        farid.post(f"/erasures/{erasure_id}/decisions", {"all": True, "decision": "redact"}, expect=200)
        if n % (PEOPLE // KILLS) == 1:
            _kill(world)
        _keep_awake(world, n)
    for n, erasure_id in enumerate(erasures):
        _keep_awake(world, n)
        done = _ended(world, erasure_id, "done")
        services = {line["service"] for line in done["certificate"]["reached"]}
        assert services == {"contacts", "interactions", "retention"}
        assert {line["left"] for line in done["certificate"]["reached"]} == {0}
    assert world.sql("keys", "SELECT count(*) FROM seal_keys")[0][0] == 0
    assert hope.brought_back(world.chloe, farid) == {}
    needles = set().union(*(person.needles for person in people))
    assert _shown(world, left, needles) == {}
    said = _said_late(world, ids)
    assert _rows_about(world, ids) == {}, f"{said} late messages bring nobody back"
    print(f"P11: {said} late messages")
    _assert_nothing_is_left(world, needles, everywhere.digests(world))
    print(_times(world, erasures))
    verified = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "audit", "verify", *world.system.audit_arguments],
        capture_output=True,
        text=True,
        timeout=figure(2000, 200),
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _keep_awake(world: World, n: int) -> None:
    """Let every user ask for something now and then: at the full figure a session would end between two requests."""
    if n % 100 == 99:
        print(f"P11: {n + 1} people at {datetime.now(UTC):%H:%M:%S}", flush=True)
        for person in world.people.values():
            person.ask("GET", "/sessions/current", expect=200)


def _asked(world: World, person: Erased, *, no_contact: bool) -> str:
    """Request a person's erasure, for no more contact or as a mistake; return its id."""
    if no_contact:
        body = {"individual_id": person.id, "medium": "phone", "received_on": day(0), "reason": f"{person.first} {person.last} asked."}
        asked = world.chloe.post("/no-contact-requests", body)
        return str(world.amina.post(f"/no-contact-requests/{asked['id']}/erase", expect=202)["erasure_id"])
    tag = {"If-Match": world.amina.ask("GET", f"/individuals/{person.id}", expect=200).headers["ETag"]}
    reason = {"reason": f"{person.first} {person.last} is a mistake"}
    return str(world.amina.ask("DELETE", f"/individuals/{person.id}", expect=202, headers=tag, json=reason).json()["erasure_id"])


def _ended(world: World, erasure_id: str, state: str) -> dict[str, Any]:
    return dict(
        eventually(
            lambda: (now := world.farid.get(f"/erasures/{erasure_id}"))["state"] == state and now,
            seconds=_ENDS_WITHIN,
            why=f"the erasure is {state}",
        )
    )


def _shown(world: World, imports: Iterable[str], needles: Collection[str]) -> dict[str, list[str]]:
    """Return what abandoned imports, and what comes of them when they are resumed, still show of these people."""
    shown = {}
    for path in imports:
        if world.amina.get(path)["state"] == "mapped":
            world.amina.post(f"{path}/dry-run", expect=202)
            world.wait_for_import(world.amina, path, "checked")
        for part in ("", "/rows", "/rows.csv"):
            if found := found_in(world.amina.ask("GET", f"{path}{part}").text, needles):
                shown[f"{path}{part}"] = found
    return shown


def _said_late(world: World, ids: Collection[str]) -> int:
    """Send again, as new messages, everything that the services ever announced of these people; return how many messages."""
    about = "|".join(sorted(ids))
    said = 0
    while said < LATE:
        for store in ("contacts", "interactions", "retention"):
            with psycopg.connect(world.address(store)) as connection:
                old = connection.execute("SELECT routing_key, body FROM outbox WHERE done AND body::text ~ %s LIMIT %s", (about, LATE)).fetchall()
                for key, body in old:
                    new = str(uuid.uuid4())
                    connection.execute("INSERT INTO outbox (id, routing_key, body) VALUES (%s, %s, %s)", (new, key, json.dumps(_renewed(body, new))))
                said += len(old)
        assert said, "something was announced of them"
    world.settled_rows("contacts")
    return said


def _renewed(body: Any, new: str) -> Any:
    """Return an announcement with a new id."""
    return {**body, "id": new} if "id" in body else body


def _rows_about(world: World, ids: Collection[str]) -> dict[str, int]:
    """Count the rows that the data dictionary says are about these people."""
    found = {}
    for store, tables in TABLES.items():
        for table in tables:
            for column in table.linked:
                (count,) = world.sql(store, f"SELECT count(*) FROM {table.name} WHERE {column}::text IN ({', '.join(map(repr, sorted(ids)))})")[0]
                if count:
                    found[f"{store}.{table.name}.{column}"] = count
    return found


def _sampled(world: World, store: str) -> str:
    """Return the server's samples of every column, as a superuser sees them."""
    samples = "concat(most_common_vals, histogram_bounds, most_common_elems, most_common_freqs)"
    return str(world.sql(store, f"SELECT schemaname, tablename, attname, {samples} FROM pg_stats"))


def _assert_nothing_is_left(world: World, needles: Collection[str], digests: Collection[str]) -> None:
    sought = {*needles, *digests}
    for store in STORES:
        dump = dumped(world.address(store))
        assert len(dump) > 1000
        # By table, so that what is left says where it is.
        parts = {part.partition(" (")[0]: part.partition("\n\\.\n")[0] for part in dump.split("\ncopy public.")}
        assert _where(parts, sought) == {}, store
        assert found_in(_sampled(world, store), sought) == [], store
    roots = (world.system.data, world.temporary, Path(f"{world.system.data}.log"))
    files = [path for root in roots for path in [root, *root.rglob("*")] if path.is_file() and "postgres" not in path.parts]
    assert world.system.data / "broker" / "journal" in files
    assert _where({str(path): path.read_text(errors="replace") for path in files}, sought) == {}


def _where(texts: Mapping[str, str], sought: Collection[str]) -> dict[str, list[str]]:
    return {place: found for place, text in texts.items() if (found := found_in(text, sought))}


def _times(world: World, erasures: Collection[str]) -> str:
    """Describe how long erasures took: from the request until the record is gone, and from the last decision until the end."""
    chosen = ", ".join(map(repr, erasures))
    begun = {str(row[0]): row[1] for row in world.sql("retention", f"SELECT id, requested_at FROM erasures WHERE id IN ({chosen})")}
    gone = {str(row[0]): row[1] for row in world.sql("contacts", f"SELECT id, erased_at FROM erasures WHERE id IN ({chosen})")}
    ended = world.sql(
        "retention",
        "SELECT extract(epoch FROM completed_at - (SELECT max(decided_at) FROM hits WHERE erasure_id = e.id)) FROM erasures e"
        f" WHERE id IN ({chosen})",
    )
    spans = {"gone": [(gone[i] - begun[i]).total_seconds() for i in erasures], "ended": [float(row[0]) for row in ended]}
    said = (f"{name} after {statistics.median(took):.1f} s, p99 {sorted(took)[int(len(took) * 0.99)]:.1f} s" for name, took in spans.items())
    return f"P11: {len(erasures)} erasures: {', '.join(said)}, kills included"


def _kill(world: World) -> None:
    """Kill the process as a power cut does, and start it again; sessions live on."""
    system: Any = world.system
    system.process.send_signal(signal.SIGKILL)
    system.process.wait(20)
    system.process.stdout.close()
    system.start()
    # Its server of databases is another one now.
    world.__dict__.pop("server", None)
    for person in world.people.values():
        person.base = system.base
