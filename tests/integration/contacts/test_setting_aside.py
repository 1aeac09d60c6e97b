"""Whom an undo takes away while a hold stands on them: gone to everybody, kept for the privacy officer until it ends (R138, T24)."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import text

from services.chassis.testing import Databases
from tests.integration.contacts.two_worlds import CHLOE, FARID, SYSTEM, Ask, World, counted_ids, two_worlds

PEOPLE = b"First name,Last name,Title,State,E-mail,Notes\nRowa,Heldhere,Clerk,NM,heldhere@example.com,Met at the forum\nRowb,Gonehere,,NM,,\n"


def _undone(world: World) -> tuple[str, str]:
    """Enter two people, hold one of them, and take the import back; return their ids."""
    at = f"/imports/{world.send(Ask('POST', '/imports', {'data': {'file': (io.BytesIO(PEOPLE), 'list.csv')}}))[1]['id']}"
    for step in ("dry-run", "commit"):
        world.send(Ask("POST", f"{at}/{step}"))
        world.work()
    held, gone = (row["individual_id"] for row in world.send(Ask("GET", f"{at}/rows"))[1]["items"])
    world.hold(held)
    world.send(Ask("POST", f"{at}/undo"))
    world.work()
    return held, gone


def _copies(world: World) -> list[bytes]:
    with world.desk.work(SYSTEM, role="eraser") as work:
        return [bytes(each) for each in work.execute(text("SELECT ciphertext FROM set_aside")).scalars()]


@pytest.mark.requirement("R138", "T24", "N16")
def test_whom_a_hold_keeps_from_an_undo_only_the_privacy_officer_finds_until_it_ends(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted_ids(monkeypatch) as count_from, two_worlds(databases, count_from) as (world, _):
        held, gone = _undone(world)
        shown = world.send(Ask("GET", f"/individuals/{held}", by=FARID))[1]
        assert (shown["last_name"], shown["title"], shown["set_aside"]) == ("Heldhere", "Clerk", True)
        for person, by in ((held, CHLOE), (gone, CHLOE), (gone, FARID)):
            assert world.send(Ask("GET", f"/individuals/{person}", by=by))[0].startswith((b"404", b"403")), (person == held, by.id)
        (kept,) = _copies(world)
        assert b"Heldhere" not in kept, "nothing of it stands in a dump"
        world.contacts.let_go_of_people_set_aside(SYSTEM)
        assert len(_copies(world)) == 1, "the hold stands"
        vault = world.desk.layer.vault
        assert set(vault.keys([held, gone])) == {held}
        (hold,) = world.bus.ask("retention", "list_holds", FARID)["items"]
        world.bus.ask("retention", "lift_hold", FARID, hold_id=hold["id"])
        world.contacts.let_go_of_people_set_aside(SYSTEM)
        assert _copies(world) == []
        assert vault.keys([held, gone]) == {}
        assert world.send(Ask("GET", f"/individuals/{held}", by=FARID))[0][:3] in {b"403", b"404"}


@pytest.mark.requirement("R138", "T24")
def test_of_whom_somebody_has_worked_with_nothing_is_set_aside(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted_ids(monkeypatch) as count_from, two_worlds(databases, count_from) as (world, _):
        at = f"/imports/{world.send(Ask('POST', '/imports', {'data': {'file': (io.BytesIO(PEOPLE), 'list.csv')}}))[1]['id']}"
        for step in ("dry-run", "commit"):
            world.send(Ask("POST", f"{at}/{step}"))
            world.work()
        met = world.send(Ask("GET", f"{at}/rows"))[1]["items"][0]["individual_id"]
        world.send(Ask("POST", f"/individuals/{met}/notes", {"json": {"text": "Met at the fair."}}))
        world.hold(met)
        world.send(Ask("POST", f"{at}/undo"))
        world.work()
        assert world.send(Ask("GET", f"/individuals/{met}"))[1]["last_name"] == "Heldhere"
        assert _copies(world) == []
