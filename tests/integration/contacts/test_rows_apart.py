"""Child processes screen and search an import's rows; a failure there affects at most the row (P19)."""

from __future__ import annotations

import os
import pickle
import signal
import time
from typing import Any

import eventlet
import pytest

from services.chassis.sandbox.pool import Child, Pool
from services.contacts.domain.imports import records, rowwise
from services.contacts.domain.imports.tables import MAX_CELL
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring
from services.contacts.usecases.imports import refused_rows
from tests.cast import AMINA, GRACE
from tests.integration.contacts.test_imports import Porter
from tests.integration.contacts.test_stalls import AIM, ALPHABETS, own, porter, stalls  # noqa: F401 - fixtures
from tests.rows import SOAK, figure

pytestmark = pytest.mark.row("P19")

ROWS = "Last name,First name,Interests,Notes\n" + "".join(f"Levi{n},Dov,levees,Asked for call {n}.\n" for n in range(30))
KEPT = "Last name,First name,Interests,Notes\nLevi,Dov,he is Jewish;levees,Call 202-555-0147.\n"


@pytest.mark.requirement("R77", "N3", "T28")
def test_no_row_is_screened_in_the_process_of_the_service_and_no_key_leaves_it(porter: Porter, own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    porter.desk.register(AMINA, first_name="Maria", last_name="Samegard", state="TX")
    # Of the first, a note is stopped; the second may be the person who is here.
    import_id = porter.upload(KEPT + "Samegard,Maria,,A note.\n")["id"]

    def read_here(*_: object) -> None:
        raise AssertionError("A row was read in the process of the service.")

    for module, name in ((rowwise, "record_of"), (records, "record_of"), (rowwise, "unseen_in"), (records, "unseen_in"), (rowwise, "is_told_in")):
        monkeypatch.setattr(module, name, read_here)
    crossed: list[tuple[str, bytes]] = []
    ask = Child.ask

    def seen(self: Child, seconds: int, module: str, name: str, arguments: tuple[Any, ...]) -> Any:
        crossed.append((name, pickle.dumps(arguments)))
        return ask(self, seconds, module, name, arguments)

    monkeypatch.setattr(Child, "ask", seen)
    done = porter.commit(import_id)
    assert done["counts"] == {"create": 1, "undecided": 1}
    first, second = porter.rows(import_id)
    shown = porter.read_import_row(AMINA, import_id=import_id, n=first["n"])
    assert shown["keepable"] == ["Interests", "Notes"]
    assert porter.read_import_row(AMINA, import_id=import_id, n=second["n"])["people"]
    porter.decide_import_row(AMINA, import_id=import_id, n=first["n"], body={"decision": "keep", "keep_reason": "He asked us to."})
    assert porter.decide(import_id, second["n"], "another")["outcome"] == "create"
    assert {name for name, _ in crossed} == {"recorded", "unseen"}
    vault = porter.desk.layer.vault
    keys = [*vault.keys([import_id, refused_rows.key_of(import_id)]).values()]
    assert keys
    assert not any(key in data for key in keys for _, data in crossed)


@pytest.mark.requirement("R77")
def test_processes_that_die_while_rows_are_checked_and_committed_cost_no_row(porter: Porter, own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    import_id = porter.upload(ROWS)["id"]
    ask, asked = Child.ask, []

    def dying(self: Child, seconds: int, module: str, name: str, arguments: tuple[Any, ...]) -> Any:
        asked.append(len(arguments[0]))
        if len(asked) in {1, 4}:
            os.kill(self.pid, signal.SIGKILL)
        return ask(self, seconds, module, name, arguments)

    monkeypatch.setattr(Child, "ask", dying)
    assert porter.check(import_id)["counts"] == {"create": 29, "invalid": 1}
    asked.clear()
    (spoiled,) = porter.rows(import_id, "invalid")
    assert spoiled["reason"] == rowwise.COSTLY
    # Under other keys what the check had worked out is worked out again.
    porter.dependencies.layer = ContactLayer(porter.desk.layer.vault, Digests(Keyring([os.urandom(32)])))
    porter.commit_import(AMINA, import_id=import_id)
    porter.work()
    assert porter.read(import_id)["counts"] == {"create": 29, "invalid": 1}
    assert porter.count("individuals") == 29
    (again,) = porter.rows(import_id, "invalid")
    _, ((row, cells),) = porter.refused(import_id)
    assert row == again["row"]
    assert cells is not None
    assert cells["Last name"] not in {name.split()[-1] for name in porter.desk.found(type="individual", limit=50)}
    assert cells == {"Last name": f"Levi{row - 2}", "First name": "Dov", "Interests": "levees", "Notes": f"Asked for call {row - 2}."}


@pytest.mark.requirement("R77", "R41")
def test_rows_of_every_alphabet_hold_nobody_up(porter: Porter, own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    columns = ["Last name", "First name", "Title", "Company", "Work address", "Work phone", "E-mail", "Interests", "Notes"]
    size = MAX_CELL // 2 if SOAK else 1 << 10
    cells = ['"' + (letters * (size // len(letters) + 1))[:size].replace('"', '""') + '"' for letters in ALPHABETS.values()]
    lines = [
        ",".join(["Levi", "Dov", *("" if at != place else cell for place in range(2, len(columns)))])
        for at in range(2, len(columns))
        for cell in cells
    ]
    lines += [",".join([cell, cell, *[""] * (len(columns) - 2)]) for cell in cells]
    longest = {}
    with stalls(monkeypatch) as found:
        started = porter.upload("\n".join([",".join(columns), *lines]) + "\n", by=GRACE)
    longest["upload"] = max(found)
    for step in (porter.dry_run_import, porter.commit_import):
        with stalls(monkeypatch) as found:
            step(GRACE, import_id=started["id"])
            porter.work()
        longest[step.__name__] = max(found)
    with stalls(monkeypatch) as found:
        for row in porter.rows(started["id"], by=GRACE)[:: 10 if not SOAK else 1]:
            porter.read_import_row(GRACE, import_id=started["id"], n=row["n"])
    longest["read rows"] = max(found)
    assert sum(porter.read(started["id"], GRACE)["counts"].values()) == started["rows"]
    told = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in longest.items())
    print(f"{started['rows']} rows with cells of {size} letters in {len(cells)} alphabets: the loop's longest stall {told} (aim {AIM * 1000:.0f})")


@pytest.mark.requirement("R77")
def test_an_import_of_many_rows_with_long_texts_holds_nobody_up(porter: Porter, own: Pool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Comparing rows and making digests run in threads; a waiting greenlet measures how long they block the loop."""
    many, late = figure(10_000, 60), [0.0]

    def wait_beside() -> None:
        while True:
            began = time.perf_counter()
            eventlet.sleep(0.005)
            late.append(time.perf_counter() - began - 0.005)

    note = "Asked about the levee, the shelter and the grant, and wants to be told of what comes next. " * 10
    rows = "".join(f"Levi{n},Dov,Director of relief {n},Food Bank {n % 97},dov{n}@example.org,Austin TX {n},{note}\n" for n in range(many))
    started = porter.upload("Last name,First name,Title,Company,E-mail,Work address,Notes\n" + rows, by=GRACE)
    beside, longest = eventlet.spawn(wait_beside), {}
    for step in (porter.dry_run_import, porter.commit_import):
        late.clear()
        with stalls(monkeypatch) as found:
            step(GRACE, import_id=started["id"])
            porter.work()
        longest[step.__name__] = (max(found), max(late))
    beside.kill()
    told = ", ".join(f"{name} {computed * 1000:.0f} ms of computing, late by {waited * 1000:.0f} ms" for name, (computed, waited) in longest.items())
    print(f"{many} rows with notes of {len(note)} letters: the loop's longest stall: {told} (aim {AIM * 1000:.0f})")
    assert sum(porter.read(started["id"], GRACE)["counts"].values()) == many
