"""What both stories share: the scene of congress.csv and district-offices.xlsx, and checks of the trail."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.journeys.client import Person, Told
from tests.support import eventually

DATA = Path(__file__).parents[1] / "data"

#: A telephone number as the system writes it, or an e-mail.
_VALUE = re.compile(r"\b\d{3}-\d{3}-\d{4}\b|@")
#: Ten cell numbers and ten e-mails that occur nowhere else.
TEN = [(f"956-555-01{n:02d}", f"canary.{n:02d}.quillfeather@example.org") for n in range(40, 50)]
#: What came of each call, and what was promised.
SAID, PROMISED = "Asked how the new guidance would affect employers; we promised an answer.", "Send the guidance"


@dataclass
class Scene:
    """People and what they did, once for all tests of a story."""

    system: Any
    amina: Person
    bruno: Person
    chloe: Person
    issue: str
    congress_import: dict[str, Any]
    members: int
    ten: list[dict[str, Any]]
    spoken_to: set[str]
    event: str
    called_on: dt.date

    @classmethod
    def set(cls, system: Any) -> Self:
        """Import the files as Amina, record the ten people's cell and e-mail, log calls and a meeting."""
        amina = Person(system.base).sign_in(system.account("ICE", "contributor"))
        bruno = Person(system.base).sign_in(system.account("ICE", "contributor", 1))
        chloe = Person(system.base).sign_in(system.account("PSO", "contributor"))
        issue = amina.post("/issues", {"name": "Worksite enforcement", "priority": "immigration"})["id"]
        congress = import_file(amina, "congress.csv", issue)
        import_file(amina, "district-offices.xlsx", issue)
        members = amina.get("/individuals", limit=1)["total"]
        texans = list(amina.every("/individuals", state="TX"))[:7]
        others = [p for state in ("AZ", "CA", "OK") for p in list(amina.every("/individuals", state=state))[:1]]
        ten = [*texans, *others]
        for person, (cell, email) in zip(ten, TEN, strict=True):
            path = f"/individuals/{person['id']}/contact-points"
            amina.post(path, {"kind": "cell", "value": cell})
            amina.post(path, {"kind": "email", "value": email})
        called = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
        for person in ten:
            amina.post(
                "/interactions",
                {
                    "held_at": called.isoformat(timespec="seconds").replace("+00:00", "Z"),
                    "mode": "phone",
                    "individual_ids": [person["id"]],
                    "issue_ids": [issue],
                    "outcome": SAID,
                    "follow_ups": [{"text": PROMISED, "due_on": (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=7)).isoformat()}],
                },
            )
        event = amina.post(
            "/events",
            {
                "name": "Roundtable on worksite enforcement",
                "starts_at": (called - dt.timedelta(days=3)).isoformat(timespec="seconds").replace("+00:00", "Z"),
                "ends_at": (called - dt.timedelta(days=3, hours=-1)).isoformat(timespec="seconds").replace("+00:00", "Z"),
                "place": "Houston",
                "agenda": "The new guidance",
                "issue_ids": [issue],
            },
        )["id"]
        amina.post(f"/events/{event}/attendees", {"individual_ids": [ten[0]["id"], ten[1]["id"]]}, expect=201)
        eventually(
            lambda: (amina.get(f"/individuals/{ten[-1]['id']}")["last_contact"] or {}).get("mode") == "phone",
            why="contacts hears of the last call",
        )
        return cls(
            system=system,
            amina=amina,
            bruno=bruno,
            chloe=chloe,
            issue=issue,
            congress_import=congress,
            members=members,
            ten=ten,
            spoken_to={p["id"] for p in ten},
            event=event,
            called_on=called.date(),
        )

    def people(self) -> list[Person]:
        """Everybody whose requests must be in the trail."""
        return [self.amina, self.bruno, self.chloe]

    def secrets(self) -> list[str]:
        """Values that no entry may contain: the twenty, and everybody's family name (without the shortest, which are parts of words)."""
        names = {person["last_name"] for person in self.amina.every("/individuals")}
        return [value for pair in TEN for value in pair] + [name for name in names if len(name) > 3]


def import_file(person: Person, name: str, issue: str) -> dict[str, Any]:
    """Import one of the real files, with everybody interested in `issue`; return the finished import."""
    with (DATA / name).open("rb") as file:
        started = person.ask("POST", "/imports", expect=201, files={"file": (name, file)}).json()
    path = f"/imports/{started['id']}"
    person.patch(path, {"issues": [{"issue_id": issue, "kind": "interested"}]})
    person.post(f"{path}/dry-run", expect=202)
    eventually(lambda: person.get(path)["state"] == "checked", seconds=120, why=f"{name} is checked")
    person.post(f"{path}/commit", expect=202)
    done = eventually(lambda: (i := person.get(path))["state"] in {"committed", "failed"} and i, seconds=120, why=f"{name} is committed")
    assert done["state"] == "committed", done
    if done["counts"].get("undecided"):
        # Whom T28 asks about in these files is the same; it is decided all alike.
        person.post(f"{path}/decisions", {"decision": "same"}, expect=202)
        done = eventually(lambda: (i := person.get(path))["deciding"] is None and i, seconds=120, why=f"{name} is decided")
        assert not done["counts"].get("undecided"), done["counts"]
    return dict(done)


def spoken_to(person: Person, issue: str, state: str) -> dict[str, Any]:
    """Return one state's row of the report, drilled from its region (T12)."""
    report = person.get("/reports/spoken-to", issue_id=issue)
    rows = [row for region in report["regions"] for row in region["states"] if row["state"] == state]
    assert len(rows) == 1
    return {key: rows[0][key] for key in ("state", "spoken_to", "known")}


def assert_in_the_trail(system: Any, people: Iterable[Person], secrets: Iterable[str]) -> None:
    """Check that the trail has every request of these people, verifies, and contains no secret, number or e-mail."""
    edda = Person(system.base).sign_in(system.account(role="isso"), acknowledge=True)
    missing = {told.trace_id: told for person in people for told in person.told if told.user}
    assert {told.status >= 400 for told in missing.values()} == {False, True}, "answers and refusals"

    def all_there() -> bool:
        for entry in edda.every("/audit/entries", since=system.started_at):
            if (told := missing.get(entry["trace_id"])) and _tells_of(entry, told):
                del missing[told.trace_id]
        assert not missing, f"unaudited: {list(missing.values())[:5]}"
        return True

    eventually(all_there, seconds=60)
    # Of a signature's or a hash's letters some are a short name by chance.
    shown = [{**entry, "signature": "", "prev": ""} for entry in edda.every("/audit/entries", since=system.started_at)]
    trail = json.dumps(shown, ensure_ascii=False)
    assert not [secret for secret in secrets if secret in trail]
    assert not _VALUE.findall(trail)
    liaison = getattr(system, "liaison", [sys.executable, "-m", "deploy.cli"])
    verified = subprocess.run(
        [*liaison, "audit", "verify", *system.audit_arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _tells_of(entry: dict[str, Any], told: Told) -> bool:
    """Return whether an entry says who asked this, when, and whether it was refused. A trace has entries of services, too."""
    refused = told.status >= 400
    return bool(entry["at"]) and entry["actor"] == told.user and (entry["outcome"] != "allowed") == refused
