"""`make bench`: six processes over RabbitMQ and a durable PostgreSQL, measured over HTTP with wrk.

Each load is printed beside limits of the same run (the same statement over psycopg, an empty call over the bus, an empty
route), and with the CPU time of each part for one request. Rates vary with the machine; CPU time varies less.

    python -m tests.bench [--people 10000,100000] [--seconds 10] [--write docs/performance.md]
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psycopg

from services.access.domain.passwords import password_hash
from services.access.usecases.seeding import Account, seed_accounts
from services.chassis.messages import Caller
from tests.bench import costs, limits, people, wrk
from tests.bench.profiles import Profiler
from tests.bench.tables import Profile, Row, table
from tests.journeys.client import Person
from tests.support import eventually
from tests.system import Full, memory_of

CLIENTS = (1, 16)
#: Rows of one file, and of one that is taken back; the latter's people are none of the others.
_FILE = 40_000
_UNDONE = 20_000
_FIRST_UNDONE = 5_000_000
_PASSWORD = "a bench of sixteen"
#: Seconds for which a process is looked into.
_LOOKS = 4
#: As the operator's server would be: every commit is durable.
_SERVER = {"shared_buffers": "512MB", "max_connections": "150"}


class Bench:
    """One system, filled and measured."""

    def __init__(self, system: Full, folder: Path, seconds: int) -> None:
        """Measure each thing for `seconds`."""
        self.system = system
        self.folder = folder
        self.seconds = seconds
        self.rows: list[Row] = []
        self.profiles: list[Profile] = []
        self.people = 0
        self.created = 0
        self.users: list[Person] = []
        self.issue = ""

    def sign_in(self) -> None:
        """Make sixteen contributors and a steward, and sign them in."""
        accounts = [
            Account(
                username=f"bench{n:02d}",
                name=f"Bench {n}",
                component="ICE",
                level="steward" if n == 0 else "contributor",
                roles=frozenset(),
                password_hash=password_hash(_PASSWORD),
            )
            for n in range(17)
        ]
        with self.system.opened("access") as database, database.work(Caller.operator("bench")) as work:
            seed_accounts(work, accounts, now=datetime.now(UTC))
        self.users = [Person(self.system.base).sign_in({"username": a.username, "password": _PASSWORD}) for a in accounts]
        self.issue = self.users[0].post("/issues", {"name": "Worksite enforcement", "priority": "immigration"})["id"]

    def fill(self, count: int) -> None:
        """Import until there are `count` people, in files of at most ten mebibytes; return the rate."""
        wanted = count - self.people
        begun = time.perf_counter()
        committing = sum(self._import(min(_FILE, count - first), first)[0] for first in range(self.people, count, _FILE))
        took = time.perf_counter() - begun
        limit = self._copy_limit(wanted)
        self._add("import (commit)", 1, wanted / committing, 0, 0, "COPY of as many rows, raw", limit, 0)
        self._add("import (upload, check and commit)", 1, wanted / took, 0, 0, "COPY of as many rows, raw", limit, 0)
        self.people = count
        self._settle()
        self._keep_house()

    def undo(self, count: int = _UNDONE) -> None:
        """Undo an import of so many people; return the rate and each part's CPU time."""
        _, path = self._import(count, _FIRST_UNDONE)
        self._settle()
        self._keep_house()
        steward = self.users[0]
        limit = self._delete_limit(count)
        before, begun = self._spent(), time.perf_counter()
        steward.post(f"{path}/undo", expect=202)
        while (done := steward.get(path))["state"] == "undoing":
            time.sleep(0.1)
        assert done["state"] == "undone", done
        rate = count / (time.perf_counter() - begun)
        # What others do about it (links, projections, the trail) belongs to it, and may go on behind it.
        self._settle()
        cpu = {part: 1000 * spent / count for part, spent in costs.difference(before, self._spent()).items()}
        self._add("import (undo)", 1, rate, 0, 0, "DELETE of as many rows, raw", limit, 0, cpu)
        self._keep_house()

    def _import(self, count: int, first: int) -> tuple[float, str]:
        """Import one file as the steward; return the seconds that the commit took, and the import's path."""
        file = self.folder / "people.csv"
        people.write_people(file, count, first=first)
        steward = self.users[0]
        with file.open("rb") as opened:
            started = steward.ask("POST", "/imports", expect=201, files={"file": ("people.csv", opened)}).json()
        path = f"/imports/{started['id']}"
        steward.patch(path, {"issues": [{"issue_id": self.issue, "kind": "interested"}]})
        steward.post(f"{path}/dry-run", expect=202)
        eventually(lambda: steward.get(path)["state"] == "checked", seconds=900, why="the import is checked")
        checked = time.perf_counter()
        steward.post(f"{path}/commit", expect=202)
        while (done := steward.get(path))["state"] == "committing":
            # As often as a page would look, and not so often that looking is what is measured.
            time.sleep(0.1)
        assert done["state"] == "committed", done
        return time.perf_counter() - checked, path

    def talk(self, count: int) -> None:
        """Log so many interactions about the issue, with twenty individuals each, so that reports have something to count."""
        ids = [str(i) for (i,) in self._sql("contacts", "SELECT id FROM individuals ORDER BY random() LIMIT 20 * %(count)s", count=count)]
        for n in range(count):
            self.users[1].post(
                "/interactions",
                {
                    "held_at": datetime.now(UTC).isoformat(),
                    "mode": "phone",
                    "individual_ids": ids[20 * n : 20 * n + 20],
                    "issue_ids": [self.issue],
                    "outcome": "Told of the new guidance.",
                },
                expect=201,
            )
        self._settle()

    def measure(self) -> None:
        """Measure every load at one client and at sixteen."""
        ids = self._sql("contacts", "SELECT id FROM individuals ORDER BY random() LIMIT 4000")
        names = people.family_names()
        chance = random.Random(7)
        states = ["TX", "NM", "CA", "NY", "FL", "AZ"]
        for clients in CLIENTS:
            tokens = [user.token or "" for user in self.users[1 : clients + 1]]

            def asks(method: str, paths: list[str], bodies: list[str] | None = None, tokens: list[str] = tokens) -> list[wrk.Ask]:
                return [wrk.Ask(method, path, tokens[n % len(tokens)], (bodies or [""] * len(paths))[n]) for n, path in enumerate(paths)]

            reads = asks("GET", [f"/api/v1/individuals/{i}" for (i,) in ids])
            self._load("read one", clients, reads, "select of the row, raw", self._select_limit(ids, clients))
            creates = 60 * 1000
            self._load(
                "create",
                clients,
                asks("POST", ["/api/v1/individuals"] * creates, [self._card(names) for _ in range(creates)]),
                "durable insert of one row, raw",
                self._insert_limit(clients),
            )
            self._load(
                "search by words",
                clients,
                asks("GET", [f"/api/v1/stakeholders?q={chance.choice(names)}" for _ in range(2000)]),
                "the words alone, raw",
                self._search_limit(names, clients),
            )
            self._load(
                "count by state and issue",
                clients,
                asks("GET", [f"/api/v1/stakeholders?state={chance.choice(states)}&issue={self.issue}&limit=1" for _ in range(200)]),
                "the count, raw",
                self._count_limit(states, clients),
            )
            self._load(
                "group state by issue",
                clients,
                asks("GET", [f"/api/v1/reports/spoken-to?issue_id={self.issue}"] * 50),
                "the count, raw",
                self._group_limit(clients),
            )
            self._load("empty route", clients, asks("GET", ["/api/v1/health/live"] * 50), "", None)
            self._add("empty call over the bus", clients, *self._bus_limit(clients), 0, "", 0, 0)

    def memory(self) -> dict[str, int]:
        """Return the memory of each part, in MiB."""
        parts = {name: [process.pid] for name, process in self.system.processes.items()}
        sizes = {name: memory_of(pids) // 2**20 for name, pids in parts.items()}
        assert self.system.broker
        sizes["rabbitmq"] = memory_of(self.system.broker.pids()) // 2**20
        return sizes

    def _load(self, what: str, clients: int, asks: list[wrk.Ask], limit: str, limit_rate: float | None) -> None:
        before, begun = self._spent(), time.perf_counter()
        result = wrk.run(self.system.base, asks, self.folder, clients=clients, seconds=self.seconds)
        requests = result.rate * (time.perf_counter() - begun)
        if result.refused:
            click.echo(f"  {result.refused} refused: {result.sample}", err=True)
        cpu = {part: 1000 * spent / max(requests, 1) for part, spent in costs.difference(before, self._spent()).items()}
        self._add(what, clients, result.rate, result.p50, result.p99, limit, limit_rate or 0.0, result.refused, cpu)
        if clients == max(CLIENTS) and limit:
            self._profile(what, asks, "interactions" if cpu["interactions"] > cpu["contacts"] else "contacts")
        self._settle()

    def _profile(self, what: str, asks: list[wrk.Ask], service: str) -> None:
        """Run the load once more, unmeasured, and profile the two processes that answer it."""
        profilers = {name: Profiler(self.system.processes[name].pid, self.folder, _LOOKS) for name in ("gateway", service)}
        wrk.run(self.system.base, asks, self.folder, clients=max(CLIENTS), seconds=_LOOKS + 1)
        self.profiles += [Profile(self.people, what, name, profiler.shares()) for name, profiler in profilers.items()]

    def _spent(self) -> dict[str, float]:
        assert self.system.broker
        assert self.system.postgres
        assert self.system.postgres.pid
        parts = {name: [process.pid] for name, process in self.system.processes.items()}
        parts |= {"rabbitmq": self.system.broker.pids()[:1], "postgres": [self.system.postgres.pid]}
        return {name: costs.cpu_seconds(pids) for name, pids in parts.items()}

    def _add(
        self,
        what: str,
        clients: int,
        rate: float,
        p50: float,
        p99: float,
        limit: str,
        limit_rate: float,
        refused: int,
        cpu: dict[str, float] | None = None,
    ) -> None:
        row = Row(self.people, what, clients, rate, p50, p99, limit, limit_rate, refused, cpu or {})
        self.rows.append(row)
        ratio = f"{rate / limit_rate:6.1%} of {limit_rate:8.0f}/s ({limit})" if limit_rate else limit
        click.echo(f"{self.people:7d}  {what:34s} {clients:2d}  {rate:8.0f}/s  p50 {p50:7.2f} ms  p99 {p99:7.2f} ms  {ratio}")
        if cpu:
            click.echo(f"{'':52s}CPU ms: {', '.join(f'{part} {spent:.2f}' for part, spent in cpu.items())}; in all {sum(cpu.values()):.2f}")

    def _settle(self) -> None:
        """Wait until everything is shipped, so that one load does not pay for the one before."""
        for service in ("contacts", "interactions", "access"):
            eventually(
                lambda service=service: (
                    self._sql(service, "SELECT count(*) FROM entries WHERE NOT done")[0][0] < 50
                    and self._sql(service, "SELECT count(*) FROM outbox WHERE NOT done")[0][0] < 50
                ),
                seconds=600,
                why=f"{service} has shipped",
            )

    def _keep_house(self) -> None:
        """Run the housekeeping that the database does within minutes after so many new rows, so that no load pays for it."""
        for service in ("access", "contacts", "interactions", "audit", "retention"):
            with psycopg.connect(self._url(service), autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")

    def _card(self, names: list[str]) -> str:
        self.created += 1
        n = self.created
        return json.dumps(
            {
                "first_name": names[n % len(names)],
                "last_name": f"{names[(n * 31) % len(names)]} {names[n // len(names)]} {n}",
                "title": "Director",
                "state": "TX",
                "contact_points": [{"kind": "email", "value": f"created.{n}@example.org"}],
            }
        )

    def _sql(self, service: str, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url(service)) as connection:
            return connection.execute(sql.encode(), parameters).fetchall()

    def _url(self, service: str) -> str:
        assert self.system.postgres
        return self.system.postgres.url.set(database=f"liaison_{service}").render_as_string(hide_password=False).replace("+psycopg", "")

    def _limit(self, sql: str, parameters: list[dict[str, object]], clients: int, service: str = "contacts") -> float:
        # This process is not monkey-patched: the threads are real, the limit is not eventlet's.
        done, _ = limits.rate(limits.statement(self._url(service), sql, parameters), clients=clients, seconds=3)
        return done

    def _bus_limit(self, clients: int) -> tuple[float, float]:
        """Return how many empty calls a second contacts answers, and their median in milliseconds."""
        url = self.system.broker_url("gateway")
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.bench.bus", url, str(clients), "3"], capture_output=True, text=True, check=True, timeout=60
        )
        rate, milliseconds = done.stdout.split()
        return float(rate), float(milliseconds)

    def _group_limit(self, clients: int) -> float:
        sql = (
            "SELECT p.state, count(DISTINCT p.id) FROM people p JOIN interaction_individuals l ON l.individual_id = p.id"
            " JOIN interaction_issues i ON i.interaction_id = l.interaction_id WHERE i.issue_id = %(issue)s GROUP BY 1"
        )
        return self._limit(sql, [{"issue": self.issue}], clients, service="interactions")

    def _select_limit(self, ids: list[tuple[Any, ...]], clients: int) -> float:
        return self._limit("SELECT * FROM individuals WHERE id = %(id)s", [{"id": i} for (i,) in ids], clients)

    def _insert_limit(self, clients: int) -> float:
        self._sql_void("CREATE TABLE IF NOT EXISTS bench_inserts (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), body text)")
        return self._limit("INSERT INTO bench_inserts (body) VALUES (%(body)s)", [{"body": "x" * 400}], clients)

    def _search_limit(self, names: list[str], clients: int) -> float:
        sql = "SELECT stakeholder_id, name FROM directory WHERE words @@ to_tsquery('simple', %(word)s) ORDER BY sort_name LIMIT 50"
        return self._limit(sql, [{"word": name.lower() + ":*"} for name in names[:500]], clients)

    def _count_limit(self, states: list[str], clients: int) -> float:
        sql = (
            "SELECT count(*) FROM directory d JOIN stakeholder_issues i ON i.stakeholder_id = d.stakeholder_id"
            " WHERE d.state = %(state)s AND i.issue_id = %(issue)s"
        )
        return self._limit(sql, [{"state": state, "issue": self.issue} for state in states], clients)

    def _copy_limit(self, count: int) -> float:
        self._sql_void("CREATE TABLE IF NOT EXISTS bench_copies (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, body text)")
        begun = time.perf_counter()
        with psycopg.connect(self._url("contacts")) as connection, connection.cursor().copy("COPY bench_copies (body) FROM STDIN") as copy:
            for _ in range(count):
                copy.write_row(["x" * 200])
        return count / (time.perf_counter() - begun)

    def _delete_limit(self, count: int) -> float:
        self._sql_void("CREATE TABLE IF NOT EXISTS bench_deletes (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, body text)")
        self._sql("contacts", "INSERT INTO bench_deletes (body) SELECT 'x' FROM generate_series(1, %(count)s) RETURNING 1", count=count)
        begun = time.perf_counter()
        self._sql_void("DELETE FROM bench_deletes")
        return count / (time.perf_counter() - begun)

    def _sql_void(self, sql: str) -> None:
        with psycopg.connect(self._url("contacts"), autocommit=True) as connection:
            connection.execute(sql)  # type: ignore[call-overload]  # our own words


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="liaison-bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Measure and print; write the table if asked."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--people", default="10000,100000", help="sizes to measure at, growing")
    parser.add_argument("--seconds", type=int, default=8, help="length of each load")
    parser.add_argument("--undo-only", action="store_true", help="measure nothing but imports and undoing one")
    parser.add_argument("--write", type=Path, help="a document whose part between the marks is replaced by the table")
    given = parser.parse_args()
    if shutil.which("wrk") is None and not given.undo_only:
        sys.exit("wrk is not installed (apt-get install wrk).")
    with _folder() as folder:
        # What the load enters in an hour is many users' day.
        unlimited = {"LOOKUPS_OF_CONTRIBUTOR": "1000000000", "LOOKUPS_OF_STEWARD": "1000000000"}
        system = Full(folder / "state", settings=_SERVER, environ=unlimited)
        try:
            bench = Bench(system.start(), folder, given.seconds)
            bench.sign_in()
            memory = bench.memory()
            for size in [int(text) for text in given.people.split(",")]:
                bench.fill(size)
                bench.undo()
                if not given.undo_only:
                    bench.talk(size // 200)
                    bench.measure()
        finally:
            system.stop()
    text = table(bench.rows, bench.profiles, memory)
    click.echo(text)
    if given.write:
        before, mark, rest = given.write.read_text().partition("<!-- measured -->\n")
        _, end, after = rest.partition("<!-- end -->")
        given.write.write_text(before + mark + text + end + after)


if __name__ == "__main__":
    main()
