"""Every key and password of a running system is replaced while people work. No request is lost, and retired keys are refused."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
import requests
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from deploy.cli import main
from deploy.keyrings import KINDS, PRIVATE
from deploy.migrations import SERVICES
from deploy.secrets import Secrets, service_key_file
from deploy.state import StateFolder
from services.chassis.identity import ServiceKey, Signature
from tests.journeys.client import Person
from tests.proofs.world import World
from tests.support import eventually

SERVICE_KEYS = [service_key_file(service) for service in SERVICES]
#: Rows of a file; one file follows the other.
ROWS = 40


class AtWork:
    """A user who works in a loop, and counts wrong answers."""

    def __init__(self, world: World, who: str) -> None:
        """Work as one of the people, over own connections."""
        self.person, self.world = world.people[who], world
        self.lost: list[str] = []
        self.made: list[str] = []
        self.done = 0

    def a_round(self) -> None:
        """Register somebody, repeat it, look them up, list, and change what was read."""
        mail = f"{uuid.uuid4().hex}@rotated.example.org"
        body = {"last_name": f"Rotated{self.world.letters()}", "contact_points": [{"kind": "email", "value": mail}]}
        again = {"Idempotency-Key": str(uuid.uuid4())}
        first = self.ask("POST", "/individuals", json=body, headers=again)
        if first is None:
            return
        path = f"/individuals/{first.json()['id']}"
        self.made.append(first.json()["id"])
        second = self.ask("POST", "/individuals", json=body, headers=again)
        if second is not None and second.json()["id"] != first.json()["id"]:
            self.lost.append("a repetition was done twice")
        read = self.ask("GET", path)
        if read is not None:
            self.ask("PATCH", path, json={"title": "Director"}, headers={"If-Match": read.headers["ETag"]})
        points = self.ask("GET", f"{path}/contact-points", params={"reason": "to call back"})
        if points is not None and mail not in points.text:
            self.lost.append("a contact point was not read again")
        page = self.ask("GET", "/individuals", params={"limit": 1})
        if page is not None:
            self.ask("GET", "/individuals", params={"limit": 1, "cursor": page.json()["next"]})

    def ask(self, method: str, path: str, **given: Any) -> requests.Response | None:
        """Send a request, and count a wrong answer."""
        headers = {"Authorization": f"Bearer {self.person.token}", **given.pop("headers", {})}
        try:
            answer = requests.request(method, f"{self.person.base}/api/v1{path}", headers=headers, timeout=40, **given)
        except requests.RequestException as lost:
            self.lost.append(f"{method} {path}: {lost!r}")
            return None
        self.done += 1
        if answer.status_code >= 300:
            self.lost.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            return None
        return answer


class Importing(AtWork):
    """A user who imports file after file, and counts people who are missing at the end."""

    def a_round(self) -> None:
        """Check a file and commit it."""
        rows = "".join(f"Ruth,Imported{self.world.letters()},NM,{uuid.uuid4().hex}@rotated.example.org\n" for n in range(ROWS))
        first = self.ask("POST", "/imports", files={"file": ("list.csv", f"First Name,Last Name,State,E-mail\n{rows}".encode())})
        if first is None:
            return
        path = f"/imports/{first.json()['id']}"
        for step, state in (("dry-run", "checked"), ("commit", "committed")):
            self.ask("POST", f"{path}/{step}")
            ends = eventually(partial(self._at_rest, path, state), seconds=60, why=f"an import is {state}")
            if (ends["state"], ends["counts"]) != (state, {"create": ROWS}):
                self.lost.append(f"{path} is {ends['state']}: {ends['counts']}")
                return

    def _at_rest(self, path: str, state: str) -> dict[str, Any] | None:
        read = self.ask("GET", path)
        return None if read is None or read.json()["state"] not in {state, "failed", "stopped"} else dict(read.json())


@contextmanager
def at_work(*people: AtWork) -> Iterator[None]:
    """Let these people work while the block runs, and one round more."""
    stop = threading.Event()

    def work(one: AtWork) -> None:
        while not stop.is_set():
            one.a_round()
        one.a_round()

    threads = [threading.Thread(target=work, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def liaison(world: World, *words: str, fails: bool = False) -> str:
    """Run `liaison keys` on this system."""
    done = CliRunner().invoke(main, ["keys", *words, "--data", str(world.system.data), "--operator", "olga"])
    assert (done.exit_code != 0) is fails, done.output
    return done.output


@pytest.mark.requirement("N17", "R2", "R15", "T37")
@pytest.mark.timeout(200)
def test_every_key_is_replaced_while_people_work_and_what_is_retired_is_refused(world: World) -> None:
    amina = world.amina
    held = world.an_individual(contact_points=[{"kind": "email", "value": "before@rotated.example.org"}])
    path = f"/individuals/{held['id']}"
    other = f"/individuals/{world.an_individual()['id']}"
    untouched = amina.ask("GET", other).headers["ETag"]
    before, cursor = amina.ask("GET", path).headers["ETag"], amina.get("/individuals", limit=1)["next"]
    again = {"Idempotency-Key": str(uuid.uuid4())}
    entered = amina.ask("POST", "/individuals", expect=201, json={"last_name": "Beforehand"}, headers=again).json()["id"]
    secrets = StateFolder(world.system.data).secrets

    def counted(token: str) -> int:
        return requests.get(f"{world.system.base}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code

    former = {name: secrets[name] for name in KINDS if name not in PRIVATE}

    people = [AtWork(world, "amina"), AtWork(world, "bruno"), Importing(world, "amina")]
    with at_work(*people):
        liaison(world, "rotate", *KINDS, "--wait", "5")
        assert all(secrets[name].partition(",")[2] == text for name, text in former.items()), "the former key is behind the new one"
        # A passport is kept for half a minute: whoever comes in now is the first to have one under the new key.
        assert Person(world.system.base).sign_in(world.accounts["bruno"]).get("/individuals", limit=1)["items"]
        # What was made under the former keys still counts.
        assert amina.ask("GET", "/individuals", params={"limit": 1, "cursor": cursor}).status_code == 200
        assert amina.ask("POST", "/individuals", json={"last_name": "Beforehand"}, headers=again).json()["id"] == entered
        assert "before@rotated.example.org" in amina.ask("GET", f"{path}/contact-points", params={"reason": "to call back"}).text
        assert amina.ask("PATCH", path, json={"title": "Dean"}, headers={"If-Match": before}).status_code == 200
        # Whatever is good for something is not retired by mistake.
        for name in ("form_key", "erased_ids_key", "checkpoint", "digest_key"):
            assert f"former {name}" in liaison(world, "retire", name, fails=True)
        eventually(lambda: world.sql("keys", "SELECT count(DISTINCT key_id) FROM subject_keys") == [(1,)], why="people's keys are wrapped again")
        assert counted(former["metrics_token"]) == 200
        eventually(lambda: certifying(world) == in_use(secrets), seconds=30, why="processes go on under the new keys")
        for name in ("form_key", "passport", "service_master_secret", "vault_master_key", "cursor_key", "metrics_token", *SERVICE_KEYS):
            assert "retired" in liaison(world, "retire", name, "--at-once")
        listing = {"limit": 1, "cursor": cursor}
        eventually(lambda: amina.ask("GET", "/individuals", params=listing).status_code == 422, seconds=30, why="the former keys are dropped")
        assert amina.ask("GET", "/individuals", params=listing).json()["code"] == "cursor-invalid"
        stale = amina.ask("PATCH", other, json={"title": "Rector"}, headers={"If-Match": untouched})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale"), "the tag was made under the former key"
        assert (counted(former["metrics_token"]), counted(secrets["metrics_token"])) == (401, 200)
        anew = amina.ask("POST", "/individuals", expect=201, json={"last_name": "Beforehand"}, headers=again)
        assert anew.json()["id"] != entered, "a repetition is no longer known under a retired key: so it is kept for a day"
    for one in people:
        assert one.lost == [], one.person.username
        assert one.done > 10
    assert all(amina.ask("GET", f"/individuals/{made}").status_code == 200 for one in people for made in one.made)
    actions = [entry["action"] for entry in amina_sees(world)]
    assert {"access:key:accept", "access:key:rotate", "access:key:retire"} <= set(actions)


def certifying(world: World) -> dict[str, set[str]]:
    """Return the keys that certify the running processes' streams."""
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        certificates = [json.loads(text) for (text,) in world.sql(service, "SELECT certificate FROM streams WHERE closed_at IS NULL")]
        found[service] = {Signature.parse(each["signature"]).key_id for each in certificates if each["beats"]}
    return found


def in_use(secrets: Secrets) -> dict[str, set[str]]:
    """Return the services' active keys."""
    return {service: {ServiceKey.parse(service, secrets[service_key_file(service)]).key_id} for service in SERVICES}


def amina_sees(world: World) -> list[dict[str, Any]]:
    """Return the trail of this run, once it has the last command."""
    return eventually(
        lambda: (found := world.entries(world.system.started_at)) and any(e["action"] == "access:key:retire" for e in found) and found,
        seconds=30,
        why="the trail has what the operator did",
    )


@pytest.mark.requirement("R123", "N17")
@pytest.mark.timeout(120)
def test_after_the_checkpoints_key_was_replaced_the_trail_still_verifies(world: World) -> None:
    verified = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "audit", "verify", *world.system.audit_arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.requirement("R15")
@pytest.mark.timeout(120)
def test_the_password_of_a_database_is_replaced_while_people_work(world: World) -> None:
    secrets = StateFolder(world.system.data).secrets
    former = secrets.password_of("liaison_contacts")
    at_it = AtWork(world, "amina")
    with at_work(at_it):
        liaison(world, "password", "liaison_contacts", "--wait", "5")
        liaison(world, "password", "liaison_contacts_owner")
        liaison(world, "password", "postgres")
    # The world knows the superuser by the former one.
    world.__dict__.pop("server", None)
    assert at_it.lost == []
    url = make_url(world.address("contacts"))
    for password, comes_in in ((secrets.password_of("liaison_contacts"), True), (former, False)):
        mine = url.set(username="liaison_contacts", password=password, drivername="postgresql").render_as_string(hide_password=False)
        try:
            psycopg.connect(mine).close()
        except psycopg.OperationalError:
            assert not comes_in
        else:
            assert comes_in
    assert "There is no password of nobody" in liaison(world, "password", "nobody", fails=True)
