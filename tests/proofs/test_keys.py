"""Every key and password of a running system is replaced while people work: no request is lost, and what is retired is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import requests
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from deploy.cli import main
from deploy.keyrings import KINDS
from deploy.state import StateFolder
from services.chassis.testing import eventually
from tests.proofs.world import World


class AtWork:
    """Somebody who works on and on, and counts what did not come back as it should."""

    def __init__(self, world: World, who: str) -> None:
        """Work as one of the people, over connections of their own."""
        self.person, self.world = world.people[who], world
        self.lost: list[str] = []
        self.made: list[str] = []
        self.done = 0

    def a_round(self) -> None:
        """Enter somebody, repeat it, look them up, list, and change what was read."""
        mail = f"{uuid.uuid4().hex}@rotated.example.org"
        body = {"last_name": f"Rotated{self.world.letters()}", "contact_points": [{"kind": "email", "value": mail}]}
        again = {"Idempotency-Key": str(uuid.uuid4())}
        first = self._ask("POST", "/individuals", json=body, headers=again)
        if first is None:
            return
        path = f"/individuals/{first.json()['id']}"
        self.made.append(first.json()["id"])
        second = self._ask("POST", "/individuals", json=body, headers=again)
        if second is not None and second.json()["id"] != first.json()["id"]:
            self.lost.append("a repetition was done twice")
        read = self._ask("GET", path)
        if read is not None:
            self._ask("PATCH", path, json={"title": "Director"}, headers={"If-Match": read.headers["ETag"]})
        points = self._ask("GET", f"{path}/contact-points", params={"reason": "to call back"})
        if points is not None and mail not in points.text:
            self.lost.append("a contact point was not read again")
        page = self._ask("GET", "/individuals", params={"limit": 1})
        if page is not None:
            self._ask("GET", "/individuals", params={"limit": 1, "cursor": page.json()["next"]})

    def _ask(self, method: str, path: str, **given: Any) -> requests.Response | None:
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


@contextmanager
def at_work(world: World, *names: str) -> Iterator[list[AtWork]]:
    """Let these people work for as long as the block lasts, and each a round more."""
    stop, people = threading.Event(), [AtWork(world, name) for name in names]

    def work(one: AtWork) -> None:
        while not stop.is_set():
            one.a_round()
        one.a_round()

    threads = [threading.Thread(target=work, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    try:
        yield people
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
    former = {name: secrets[name] for name in KINDS if name in secrets}

    with at_work(world, "amina", "bruno") as people:
        liaison(world, "rotate", *KINDS, "--wait", "5")
        assert all(secrets[name].partition(",")[2] == text for name, text in former.items()), "the former key is behind the new one"
        # What was made under the former keys still counts.
        assert amina.ask("GET", "/individuals", params={"limit": 1, "cursor": cursor}).status_code == 200
        assert amina.ask("POST", "/individuals", json={"last_name": "Beforehand"}, headers=again).json()["id"] == entered
        assert "before@rotated.example.org" in amina.ask("GET", f"{path}/contact-points", params={"reason": "to call back"}).text
        assert amina.ask("PATCH", path, json={"title": "Dean"}, headers={"If-Match": before}).status_code == 200
        # Whatever is good for something is not retired by mistake.
        for name in ("form_key", "erased_ids_key", "checkpoint", "digest_key"):
            assert f"former {name}" in liaison(world, "retire", name, fails=True)
        eventually(lambda: world.sql("keys", "SELECT count(DISTINCT key_id) FROM subject_keys") == [(1,)], why="people's keys are wrapped again")
        for name in ("form_key", "passport", "service_master_secret", "vault_master_key", "cursor_key"):
            assert "retired" in liaison(world, "retire", name, "--at-once")
        listing = {"limit": 1, "cursor": cursor}
        eventually(lambda: amina.ask("GET", "/individuals", params=listing).status_code == 422, seconds=30, why="the former keys are dropped")
        assert amina.ask("GET", "/individuals", params=listing).json()["code"] == "cursor-invalid"
        stale = amina.ask("PATCH", other, json={"title": "Rector"}, headers={"If-Match": untouched})
        assert (stale.status_code, stale.json()["code"]) == (412, "stale"), "the tag was made under the former key"
        anew = amina.ask("POST", "/individuals", expect=201, json={"last_name": "Beforehand"}, headers=again)
        assert anew.json()["id"] != entered, "a repetition is no longer known under a retired key: so it is kept for a day"
    for one in people:
        assert one.lost == [], one.person.username
        assert one.done > 20
    assert all(amina.ask("GET", f"/individuals/{made}").status_code == 200 for one in people for made in one.made)
    actions = [entry["action"] for entry in amina_sees(world)]
    assert {"access:key:accept", "access:key:rotate", "access:key:retire"} <= set(actions)


def amina_sees(world: World) -> list[dict[str, Any]]:
    """Return the trail of this run, once the last command is in it."""
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
    with at_work(world, "amina") as people:
        liaison(world, "password", "liaison_contacts", "--wait", "5")
    assert people[0].lost == []
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
