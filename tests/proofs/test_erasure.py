"""P11 on the whole system: erased people whom others' texts name, the process killed meanwhile, and nothing of them left."""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.testing import eventually
from tests.builders import an_interaction
from tests.journeys.client import Person
from tests.proofs.test_canaries import dumped
from tests.proofs.world import STORES, World, day
from tests.rows import figure
from tests.spellings import HOPE, NAMED, ORGANIZATION, VALUES
from tests.system import Embedded

pytestmark = pytest.mark.row("P11")

#: The figure of the proof is 1,000, with 50 kills.
PEOPLE, KILLS = figure(1000, 4), figure(50, 2)
KEPT = {"keep_reason": "He gave it to us"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A system of this proof's own: it is killed."""
    folder = tmp_path_factory.mktemp("erasing")
    system = Embedded(folder / "state", environ={"LOG_LEVEL": "DEBUG"}).start()
    try:
        yield World(system, folder)
    finally:
        system.stop()


class Erased:
    """Somebody whom others' texts name in many ways."""

    def __init__(self, n: int) -> None:
        """Make up names and values that occur nowhere else."""
        word = "".join(chr(ord("a") + int(digit)) for digit in f"{n:04d}")
        self.first, self.last = f"Zqerst{word}", f"Wyvern-Lindq{word}"
        self.cell, self.mail = f"956-55{n // 1000}-{1000 + n % 1000:04d}", f"zqe.{word}@gmail.com"
        self.id = ""

    def entered(self, by: Person) -> None:
        """Be entered, and be named in what is about somebody else, in every way that there is."""
        points = [{"kind": "cell", "value": self.cell}, {"kind": "email", "value": self.mail}]
        card = {"first_name": self.first, "last_name": self.last, "state": "TX", "contact_points": points}
        self.id = by.post("/individuals", card)["id"]
        plain, turned = f"{self.first} {self.last}", f"{self.last.upper()}, {self.first}"
        other = by.post("/individuals", {"first_name": "Quincy", "last_name": f"Notewell{self.first[6:]}", "title": f"Aide to {plain}"})["id"]
        by.post(f"/individuals/{other}/notes", {"text": f"{plain} introduced us.", "provenance": turned})
        by.post(f"/individuals/{other}/notes", {"text": f"Reach him at ({self.cell[:3]}) {self.cell[4:]} or {self.mail.upper()}.", **KEPT})
        by.post("/organizations", {"name": f"Office of {plain}", "state": "TX"})
        by.post("/interactions", an_interaction(other, outcome=f"Ask {self.first} Q. {self.last.replace('-', ' ')}."))

    def forms(self) -> str:
        """Return how their name and values may have been written, as an expression."""
        name = rf"{self.last.lower().replace('-', '[ -]?')}"
        bare = self.cell.replace("-", "")
        return "|".join([self.first.lower(), name, re.escape(self.cell), bare, re.escape(self.mail), re.escape(self.mail.replace(".", ""))])


class Hope(Erased):
    """One who has an employer too, and whom files bring back in a hundred spellings."""

    def __init__(self) -> None:
        """Bear the name that the spellings are of."""
        self.first, self.last, self.id = HOPE["first_name"], HOPE["last_name"], ""

    def entered(self, by: Person) -> None:
        """Be entered at an organization, and be named in a note about somebody else."""
        employer = by.post("/organizations", {"name": ORGANIZATION, "state": "TX"})["id"]
        self.id = by.post("/individuals", {**{name: HOPE[name] for name in HOPE if name != "organization"}, "organization_id": employer})["id"]
        other = by.post("/individuals", {"first_name": "Quincy", "last_name": "Notewellhope"})["id"]
        by.post(f"/individuals/{other}/notes", {"text": f"{self.first} {self.last} introduced us."})

    def forms(self) -> str:
        """Return what is hers in every spelling."""
        return r"erasegard|h\.?erase@|505.?555.?0142|505.?555.?0177"

    @staticmethod
    def brought_back(by: Person, farid: Person) -> dict[str, str]:
        """Bring a file of all spellings; return those whose row came in, with its outcome.

        So many hits stop the import again and again, until the privacy officer has seen them (T35).
        """
        written = io.StringIO()
        rows = [{"Last name": f"Bringer{chr(97 + n // 26)}{chr(97 + n % 26)}", _COLUMNS[kind]: value} for n, (kind, value) in enumerate(VALUES)]
        for first, last, more in NAMED:
            said = {"Company": more.get("organization"), "Job title": more.get("title"), "Interests": "; ".join(more.get("interests", ()))}
            rows.append({"First name": first, "Last name": last, **said})
        table = csv.DictWriter(written, ["First name", "Last name", "Company", "Job title", "Interests", *_COLUMNS.values()])
        table.writeheader()
        table.writerows(rows)

        def seen() -> None:
            farid.ask("POST", f"/suppression-lookups/{by.user['id']}", json={})

        path = f"/imports/{by.take_in('list.csv', written.getvalue().encode(), stopped=seen)['id']}"
        found = {row["n"]: row["outcome"] for row in by.get(f"{path}/rows", limit=200)["items"]}
        assert len(found) == len(rows)
        return {str(rows[n]): outcome for n, outcome in found.items() if outcome != "blocked"}


_COLUMNS = {"email": "E-mail", "cell": "Mobile", "personal_phone": "Home phone", "work_phone": "Business phone"}


@pytest.mark.requirement("T27", "R165", "R166", "N3", "N17", "T9", "T25")
@pytest.mark.timeout(figure(0, 900))
def test_of_whoever_is_erased_nothing_is_left_though_others_name_them_and_the_process_is_killed(world: World) -> None:
    amina, farid = world.amina, world.farid
    hope = Hope()
    people = [*(Erased(n) for n in range(PEOPLE - 1)), hope]
    for person in people:
        person.entered(amina)
    erasures: list[str] = []
    for n, person in enumerate(people):
        if n % 3 or person is hope:
            body = {"individual_id": person.id, "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."}
            asked = world.chloe.post("/no-contact-requests", body)
            erasures.append(amina.post(f"/no-contact-requests/{asked['id']}/erase", expect=202)["erasure_id"])
        else:
            tag = {"If-Match": amina.ask("GET", f"/individuals/{person.id}", expect=200).headers["ETag"]}
            answer = amina.ask("DELETE", f"/individuals/{person.id}", expect=202, headers=tag, json={"reason": "mistake"})
            erasures.append(answer.json()["erasure_id"])
        if n % (PEOPLE // KILLS) == 1:
            _kill(world)
    for erasure_id in erasures:
        waiting = eventually(
            lambda erasure_id=erasure_id: (e := amina.get(f"/erasures/{erasure_id}"))["state"] == "waiting_for_decision" and e,
            seconds=90,
            why="what is theirs alone is gone, and the rest waits",
        )
        assert waiting["certificate"] is None
    for person in people:
        amina.ask("GET", f"/individuals/{person.id}", expect=404)
    assert world.sql("contacts", "SELECT count(*) FROM contact_points")[0][0] == 0
    left = {str(row[0]) for row in world.sql("keys", "SELECT subject_id FROM subject_keys")}
    assert not left & {person.id for person in people}, "the key goes with the record"
    for n, erasure_id in enumerate(erasures):
        farid.post(f"/erasures/{erasure_id}/decisions", {"all": True, "decision": "redact"}, expect=200)
        if n % (PEOPLE // KILLS) == 1:
            _kill(world)
    for erasure_id in erasures:
        done = eventually(
            lambda erasure_id=erasure_id: (e := farid.get(f"/erasures/{erasure_id}"))["state"] == "done" and e, seconds=90, why="every erasure ends"
        )
        services = {line["service"] for line in done["certificate"]["reached"]}
        assert services == {"contacts", "interactions", "retention"}
        assert {line["left"] for line in done["certificate"]["reached"]} == {0}
    assert world.sql("keys", "SELECT count(*) FROM seal_keys")[0][0] == 0
    assert hope.brought_back(world.chloe, farid) == {}
    assert world.sql("contacts", "SELECT count(*) FROM contact_points")[0][0] == 0
    _assert_nothing_is_left(world, re.compile("|".join(person.forms() for person in people)))
    verified = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "audit", "verify", *world.system.audit_arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _assert_nothing_is_left(world: World, forms: re.Pattern[str]) -> None:
    for store in STORES:
        dump = dumped(world.address(store))
        assert len(dump) > 1000
        assert sorted(set(forms.findall(dump))) == [], store
    data = world.system.data
    files = [path for path in data.rglob("*") if path.is_file() and "postgres" not in path.parts]
    assert data / "broker" / "journal" in files
    for path in [*files, Path(f"{data}.log")]:
        assert sorted(set(forms.findall(path.read_text(errors="replace").lower()))) == [], path


def _kill(world: World) -> None:
    """Kill the process as a power cut would, and start it again; everybody's session lives on."""
    system: Any = world.system
    system.process.send_signal(signal.SIGKILL)
    system.process.wait(20)
    system.process.stdout.close()
    system.start()
    # Its server of databases is another one now.
    world.__dict__.pop("server", None)
    for person in world.people.values():
        person.base = system.base
