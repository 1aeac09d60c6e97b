"""Stop the system during long work: it ends within the grace period, and continues after a restart."""

from __future__ import annotations

import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders import an_individual
from tests.journeys.client import Person
from tests.support import eventually
from tests.system import Embedded

pytestmark = pytest.mark.timeout(600)

#: Supervisors kill a process after thirty seconds.
GRACE = 30.0
ROWS = 6_000
_WAIT = 240


class System:
    """A system whose state folder is used again after each stop."""

    def __init__(self, folder: Path) -> None:
        self.running = Embedded(folder).start()

    @property
    def steward(self) -> Person:
        return Person(self.running.base).sign_in(self.running.account("ICE", "steward", role="office_administrator"))

    def stop_and_start(self, *, again: bool = True) -> None:
        """Stop the system, require a clean exit in time, and start it again."""
        process = self.running.process
        assert process
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert process.wait(GRACE + 10) == 0
        assert time.monotonic() - begun < GRACE
        if again:
            self.running = Embedded(self.running.data).start()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    made = System(tmp_path_factory.mktemp("stopping") / "data")
    yield made
    if made.running.process and made.running.process.poll() is None:
        made.running.stop()


def _names() -> Iterator[tuple[str, str]]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    for n in range(ROWS):
        yield f"Ada{letters[n % 26]}{letters[n // 26 % 26]}", f"Stopmid{letters[n // 676]}{letters[n // 26 % 26]}{letters[n % 26]}"


def _upload(person: Person) -> str:
    content = "First Name,Last Name\n" + "".join(f"{first},{last}\n" for first, last in _names())
    made = person.ask("POST", "/imports", expect=201, files={"file": ("people.csv", content.encode(), "text/csv")}).json()
    return str(made["id"])


def _is(person: Person, import_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = person.get(f"/imports/{import_id}")
        assert found["state"] != "failed", found
        return found if wanted(found) else None

    return eventually(look, seconds=_WAIT, why="the import is as it should be")


def test_an_import_that_is_stopped_in_the_middle_of_a_step_goes_on_with_it(system: System) -> None:
    import_id = _upload(system.steward)

    def stopped_in(path: str, working: str, end: str) -> dict[str, Any]:
        person = system.steward
        person.post(f"/imports/{import_id}/{path}", expect=202)
        begun = _is(person, import_id, lambda found: found["progress"]["done"] > 0 or found["state"] != working)
        assert begun["state"] == working, "it is stopped in the middle"
        system.stop_and_start()
        person = system.steward
        return _is(person, import_id, lambda found: found["state"] == end)

    def people() -> int:
        return int(system.steward.get("/individuals", limit=1)["total"])

    assert stopped_in("dry-run", "checking", "checked")["counts"]["create"] == ROWS
    assert people() == 0
    assert stopped_in("commit", "committing", "committed")["counts"]["create"] == ROWS
    assert people() == ROWS
    stopped_in("undo", "undoing", "undone")
    assert people() == 0


@pytest.mark.requirement("N3")
def test_erasures_that_are_stopped_in_the_middle_go_on(system: System) -> None:
    person = system.steward
    made = [person.post("/individuals", an_individual(last_name=f"Erasemid{n}")) for n in range(10)]

    def erase(one: dict[str, Any]) -> str | None:
        tag = person.ask("GET", f"/individuals/{one['id']}", expect=200).headers["ETag"]
        answer = person.ask("DELETE", f"/individuals/{one['id']}", headers={"If-Match": tag}, json={"reason": "mistake"})
        return str(answer.json()["erasure_id"]) if answer.status_code == 202 else None

    erasures = [eventually(lambda one=one: erase(one), seconds=60, why="a record may be deleted") for one in made]
    system.stop_and_start()
    person = system.steward
    for erasure in erasures:
        eventually(lambda erasure=erasure: person.get(f"/erasures/{erasure}")["state"] == "done", seconds=_WAIT, why="it is erased")
    assert [one for one in made if person.ask("GET", f"/individuals/{one['id']}").status_code != 404] == []


def test_requests_that_never_end_do_not_keep_the_system_from_stopping(system: System) -> None:
    """Hold an idle connection, one with half a request head, and a half-finished upload."""
    person = system.steward
    host, port = re.fullmatch(r"http://(.+):(\d+)", person.base).groups()  # type: ignore[union-attr]  # it is an address
    opened = [socket.create_connection((host, int(port))) for _ in range(3)]
    opened[1].sendall(f"GET /api/v1/individuals HTTP/1.1\r\nHost: {host}\r\n".encode())
    opened[2].sendall(
        f"POST /api/v1/imports HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {person.token}\r\nContent-Length: 1000000\r\n"
        'Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        "First Name,Last Name\n".encode()
        + b"Ada,Half\n" * 40_000
    )
    eventually(lambda: person.get("/imports")["items"][0]["state"] == "uploading", seconds=30, why="the upload has begun")
    system.stop_and_start()
    for each in opened:
        each.close()
    assert system.steward.get("/individuals", limit=1)["total"] == 0
