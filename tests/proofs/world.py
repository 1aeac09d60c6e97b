"""The system of all proofs, its users, and access to its databases."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql

from deploy.migrations import NARROW_ROLES, SERVICES
from deploy.postgres import OwnServer
from deploy.state import StateFolder
from tests.builders import an_individual, an_organization
from tests.journeys.client import Person, Told
from tests.stirring import STIRRED, TABLES, UNSEEN, moves
from tests.support import eventually
from tests.system import Embedded, Full

#: Who keeps a session of their own for all proofs; the others' accounts are for sessions that come and go.
SIGNED_IN = ("amina", "bruno", "renata", "grace", "chloe", "denis", "paula", "femi", "ivan", "wanda", "simon", "edda", "farid")
COMES_AND_GOES = "hanna"
UNACKNOWLEDGED = "ursula"
#: Seconds after which what was shipped is heard.
_HEARD_WITHIN = 0.5


@dataclass
class World:
    """A running system and all its users."""

    system: Embedded | Full
    #: Where the system's processes put their temporary files.
    temporary: Path
    people: dict[str, Person] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        """Sign every user in."""
        self.accounts = {account["username"]: account for account in json.loads((self.system.data / "demo-accounts.json").read_text())}
        for name in SIGNED_IN:
            self.people[name] = Person(self.system.base).sign_in(self.accounts[name])
        self.unacknowledged = Person(self.system.base).sign_in(self.accounts[UNACKNOWLEDGED], acknowledge=False)
        self.nobody = Person(self.system.base)

    def __getattr__(self, name: str) -> Person:
        """Return a user by their name."""
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def operators(self) -> dict[str, str]:
        """The header with which an operator's tool reads the counters."""
        return {"Authorization": f"Bearer {(self.system.data / 'secrets' / 'metrics_token').read_text().strip()}"}

    def cookies(self, token: str | None) -> dict[str, str]:
        """The session as a browser's cookie."""
        (visit,) = requests.get(f"{self.system.base}/sign-in", timeout=20).cookies.keys()
        return {visit.removesuffix("_visit") + "_session": str(token)}

    # --- what there is ---------------------------------------------------------------------------------------

    @functools.cached_property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document of the running system."""
        answer = requests.get(f"{self.system.base}/api/v1/openapi.json", timeout=20)
        return dict(answer.json())

    @functools.cached_property
    def issue(self) -> dict[str, Any]:
        """An issue that contacts knows."""
        issue = self.amina.post("/issues", {"name": "Ports of entry", "priority": "secure_borders"})
        probe = an_individual(last_name=f"Probe{self.letters()}", issue_ids=[issue["id"]])
        eventually(lambda: self.amina.ask("POST", "/individuals", json=probe).status_code == 201, why="contacts hears of the issue")
        return dict(issue)

    @functools.cached_property
    def person(self) -> dict[str, Any]:
        """A person whom Amina registered and nobody erases."""
        return self.an_individual()

    @functools.cached_property
    def organization(self) -> dict[str, Any]:
        """An organization that stays."""
        return self.an_organization()

    @functools.cached_property
    def interaction(self) -> dict[str, Any]:
        """A call of Amina's, with a promise."""
        return self.an_interaction()

    @functools.cached_property
    def event(self) -> dict[str, Any]:
        """An event, of yesterday."""
        return self.an_event()

    @functools.cached_property
    def note(self) -> dict[str, Any]:
        """Chloé's note on the person who stays."""
        return dict(self.chloe.post(f"/individuals/{self.person['id']}/notes", {"text": "Met at the forum."}))

    @functools.cached_property
    def coordination_request(self) -> dict[str, Any]:
        """Chloé's request to Amina."""
        return self.a_coordination_request()

    @functools.cached_property
    def import_(self) -> dict[str, Any]:
        """An import of Amina's, mapped and not checked."""
        return self.an_import()

    @functools.cached_property
    def no_contact_request(self) -> dict[str, Any]:
        """A request that stays open."""
        return self.a_no_contact_request()

    @functools.cached_property
    def erasure(self) -> dict[str, Any]:
        """An erasure that Amina started."""
        request = self.a_no_contact_request()
        return dict(self.amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202))

    def an_erasure_that_waits(self) -> dict[str, Any]:
        """An erasure that found its person in a note on somebody else."""
        request = self.a_no_contact_request()
        person = self.amina.get(f"/individuals/{request['individual_id']}")
        name = f"{person['first_name']} {person['last_name']}"
        self.amina.post(f"/individuals/{self.person['id']}/notes", {"text": f"{name} introduced us."})
        begun = self.amina.post(f"/no-contact-requests/{request['id']}/erase", expect=202)["erasure_id"]
        waiting = eventually(lambda: (e := self.amina.get(f"/erasures/{begun}"))["state"] == "waiting_for_decision" and e, seconds=60)
        return dict(waiting)

    @functools.cached_property
    def operation_id(self) -> str:
        """The id of a command of Amina's."""
        made = self.amina.ask("POST", "/individuals", expect=201, json=an_individual(last_name=f"Probe{self.letters()}"))
        trace = made.headers["X-Request-Id"]
        entries = eventually(lambda: self.edda.get("/audit/entries", trace_id=trace)["items"], why="the command is in the trail")
        return str(next(entry["operation"] for entry in entries if entry["operation"]))

    # --- what is made anew for a proof that uses it up --------------------------------------------------------

    def letters(self) -> str:
        """Return unique letters: canonical names drop digits."""
        return "".join(chr(ord("a") + int(digit)) for digit in str(10_000 + next(self._numbers)))

    def an_individual(self, by: str = "amina", **given: Any) -> dict[str, Any]:
        """Register somebody new."""
        return dict(self.people[by].post("/individuals", an_individual(**{"last_name": f"Vantongeren{self.letters()}", **given})))

    def an_organization(self, **given: Any) -> dict[str, Any]:
        """Register an organization."""
        return dict(self.amina.post("/organizations", an_organization(**{"name": f"Larkspur {self.letters()}", **given})))

    def an_interaction(self, *people: str, **given: Any) -> dict[str, Any]:
        """Log a call."""
        body = {
            "held_at": instant(hours=-1),
            "mode": "phone",
            "individual_ids": list(people) or [self.person["id"]],
            "follow_ups": [{"text": "Send the guidance", "due_on": day(7)}],
            **given,
        }
        return dict(self.amina.post("/interactions", body))

    def an_event(self, **given: Any) -> dict[str, Any]:
        """Enter an event."""
        return dict(self.amina.post("/events", {"name": "Roundtable", "starts_at": instant(days=-1), **given}))

    def an_attendee(self) -> tuple[str, str]:
        """Let somebody attend; return the event and the attendance."""
        event = self.an_event()["id"]
        self.amina.post(f"/events/{event}/attendees", {"individual_ids": [self.person["id"]]})
        return event, str(self.amina.get(f"/events/{event}/attendees")["items"][0]["id"])

    def an_issue(self) -> str:
        """Enter an issue of its own name."""
        return str(self.amina.post("/issues", {"name": f"Ports of entry {self.letters()}", "priority": "secure_borders"})["id"])

    def a_coordination_request(self, individual_id: str | None = None) -> dict[str, Any]:
        """Ask Amina to speak to somebody, once interactions knows whose record it is."""
        body = {"individual_id": individual_id or self.person["id"], "message": "Please pass on the guidance."}
        eventually(
            lambda: self.chloe.ask("POST", "/coordination-requests", json=body).status_code == 201,
            why="interactions hears whose record it is",
        )
        # The latest first: the one that was just made.
        return dict(self.chloe.get("/coordination-requests", side="sent", limit=1)["items"][0])

    def a_no_contact_request(self) -> dict[str, Any]:
        """Freeze somebody new."""
        person = self.an_individual()
        body = {"individual_id": person["id"], "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."}
        return dict(self.chloe.post("/no-contact-requests", body))

    def an_import(self, until: str = "mapped", content: str | None = None) -> dict[str, Any]:
        """Upload a file, and bring it to this state."""
        content = content or f"First Name,Last Name,State\nRuth,Oyelaran{self.letters()},NM\n"
        started = self.amina.ask("POST", "/imports", expect=201, files={"file": ("list.csv", content.encode())}).json()
        path = f"/imports/{started['id']}"
        for step, state in (("dry-run", "checked"), ("commit", "committed")):
            if until in {"checked", "committed"} and (state == "checked" or until == "committed"):
                self.amina.post(f"{path}/{step}", expect=202)
                self.wait_for_import(self.amina, path, state)
        return dict(self.amina.get(path))

    def an_undecided_import(self) -> dict[str, Any]:
        """Commit two namesakes; the second waits for a decision."""
        name = f"Ruth,Oyelaran{self.letters()}"
        return self.an_import("committed", f"First Name,Last Name,State,E-mail\n{name},NM,ruth@one.example.org\n{name},NM,ruth@two.example.org\n")

    def a_stopped_import(self) -> dict[str, Any]:
        """Start a check that takes a while, and stop it at once."""
        content = "First Name,Last Name,State\n" + "".join(f"Ruth,Oyelaran{self.letters()}{'x' * (n % 50)},NM\n" for n in range(1900))
        for _ in range(5):
            path = f"/imports/{self.an_import(content=content)['id']}"
            self.amina.post(f"{path}/dry-run", expect=202)
            if self.amina.ask("POST", f"{path}/stop").status_code == 202:
                return dict(self.amina.get(path))
        message = "every check was quicker than its stop"
        raise AssertionError(message)

    @staticmethod
    def wait_for_import(by: Person, path: str, state: str) -> None:
        """Wait until an import is in this state, or failed."""
        eventually(lambda: by.get(path)["state"] in {state, "failed"}, seconds=120, why=f"the import is {state}")

    # --- what lies underneath ---------------------------------------------------------------------------------

    @functools.cached_property
    def server(self) -> OwnServer:
        """The system's PostgreSQL, as a superuser."""
        state = StateFolder(self.system.data)
        return OwnServer(state.postgres, state.secrets["postgres_password"]).locate()

    def address(self, store: str) -> str:
        """Return a database's address for a superuser."""
        return self.server.url.set(database=f"liaison_{store}", drivername="postgresql").render_as_string(hide_password=False)

    def sql(self, store: str, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(self.address(store), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def stir(self) -> None:
        """Move rows of every table to other places in it."""
        for store in STIRRED:
            with psycopg.connect(self.address(store), autocommit=True) as connection:
                for statement in (UNSEEN, *moves(connection.execute(TABLES.encode()).fetchall())):
                    connection.execute(statement.encode())

    @contextmanager
    def without_audit_entries(self, service: str) -> Iterator[None]:
        """Make the insert of every audit entry of this service fail (P6)."""
        roles = [f"liaison_{service}", *(f"liaison_{service}_{role}" for role in NARROW_ROLES.get(service, ()))]
        held = [role for role in roles if self.sql(service, f"SELECT has_table_privilege('{role}', 'entries', 'INSERT')")[0][0]]
        for role in held:
            self.sql(service, f"REVOKE INSERT ON entries FROM {role}")
        try:
            yield
        finally:
            for role in held:
                self.sql(service, f"GRANT INSERT ON entries TO {role}")

    def rows(self, service: str) -> dict[str, int]:
        """Count a service's rows, without the chassis's own tables and without the trail."""
        names = [
            name
            for (name,) in self.sql(service, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
            if not name.startswith(BOOKKEEPING) and (service != "audit" or name.startswith("review"))
        ]
        counted: dict[str, int] = {}
        with psycopg.connect(self.address(service)) as connection:
            for name in names:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
                (counted[name],) = connection.execute(query).fetchone() or (0,)
        return counted

    def settled_rows(self, service: str) -> dict[str, int]:
        """Count as `rows`, once announcements are handled and background work is done."""

        def settled() -> dict[str, int] | None:
            if any(self.sql(each, "SELECT 1 FROM outbox WHERE NOT done") for each in SERVICES):
                return None
            rows = self.rows(service)
            time.sleep(_HEARD_WITHIN)
            return rows if rows == self.rows(service) and not rows.get("match_queue") else None

        return eventually(settled, 60, why=f"{service} has heard of everything")

    # --- the trail --------------------------------------------------------------------------------------------

    def entries(self, since: str) -> list[dict[str, Any]]:
        """Return the trail since an instant."""
        return list(self.edda.every("/audit/entries", since=since))

    def entries_of(self, told: Sequence[Told], since: str) -> dict[str, list[dict[str, Any]]]:
        """Return the entries of these requests by trace id, once each has some, or at the deadline."""
        wanted = {one.trace_id for one in told}
        found: dict[str, list[dict[str, Any]]] = {}

        def all_there() -> bool:
            # The bulk is read when the last has come, not each time that somebody looks.
            last = next(one for one in reversed(told) if one.user)
            if not self.edda.get("/audit/entries", trace_id=last.trace_id)["items"]:
                return False
            found.clear()
            for entry in self.entries(since):
                if entry["trace_id"] in wanted:
                    found.setdefault(entry["trace_id"], []).append(entry)
            return wanted == found.keys()

        try:
            eventually(all_there, seconds=20)
        except AssertionError:
            # Whoever asked says which are missing, and why they matter.
            return found
        return found

    def counted_refusals(self) -> int:
        """Return how many anonymous refusals access has counted without an entry of their own."""
        return int(self.sql("access", "SELECT coalesce(sum(further), 0) FROM gateway_refusals")[0][0])


#: Tables of the chassis, and what access counts of strangers: no data of anybody's.
BOOKKEEPING = ("entries", "outbox", "inbox", "streams", "operations", "checkpoints_seen", "alembic_version", "gateway_refusals")
STORES = (*SERVICES, "keys")


def instant(**ago: float) -> str:
    """Return an instant relative to now, as the API writes it."""
    return (dt.datetime.now(dt.UTC) + dt.timedelta(**ago)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(days: int) -> str:
    """Return a day relative to today."""
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)).isoformat()


def unknown_id() -> str:
    """Return an id that nothing has."""
    return str(uuid.uuid4())


def tally(outcomes: Iterable[object]) -> str:
    """Return the count of each, most frequent first."""
    return ", ".join(f"{count} of {what}" for what, count in Counter(outcomes).most_common())
