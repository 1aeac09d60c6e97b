"""The suppression ledger is no oracle: look-ups are counted, hits go to the privacy officer, the tenth stops (T35)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from services.chassis.messages import Caller, NotFound, Refusal, new_id
from services.contacts.contract.refusals import (
    BlockedTooOften,
    ImportsStopped,
    IndividualBlocked,
    IndividualDuplicate,
    LookupsExhausted,
)
from services.contacts.service.cases import CaseMethods
from services.contacts.service.counting import blocked_tries_counted
from services.contacts.storage.contact_layer import ContactLayer, Lookups
from services.contacts.usecases import organizations
from tests.cast import AMINA, BRUNO, CHLOE, FARID, GRACE
from tests.integration.contacts.conftest import Called, Desk, creating, open_desk
from tests.integration.contacts.test_imports import Porter
from tests.integration.contacts.test_nobody_comes_back import take_back
from tests.spellings import HOPE
from tests.support import Databases


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Desk]:
    for opened in open_desk(databases):
        opened.database.clock = partial(getattr, opened, "now")
        yield opened


@pytest.fixture
def desk(shared: Desk) -> Iterator[Desk]:
    """One system for all tests; each has its own user and numbers."""
    layer = shared.layer
    yield shared
    shared.layer = layer


@pytest.fixture
def porter(desk: Desk) -> Porter:
    return Porter(desk)


@pytest.fixture
def user(desk: Desk) -> Caller:
    """A contributor of the Private Sector Office."""
    somebody = dataclasses.replace(CHLOE, id=new_id())
    desk.know(somebody)
    return somebody


def suppress(desk: Desk, *those: int) -> None:
    """Have one person of ICE ask not to be contacted, for each number."""
    for n in those:
        named = {"first_name": "Zo", "last_name": f"Frozen{letters(n)}"}
        person = desk.register(BRUNO, **named, contact_points=[{"kind": "cell", "value": number(n)}])["id"]
        desk.freeze(AMINA, person, reason="They called.")


def letters(n: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(n))


def number(n: int) -> str:
    return f"956-{220 + n // 10_000}-{n % 10_000:04}"


def invented(first: int, last: int) -> str:
    """A file of invented people, each with the next number."""
    rows = (f"Ina,Invented{letters(n)},{number(n)}\n" for n in range(first, last))
    return "First Name,Last Name,Cell\n" + "".join(rows)


def told_of(desk: Desk, account: Caller) -> list[dict[str, Any]]:
    """Return what the privacy officer sees of an account's hits."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = officer(desk).list_hits(FARID, query={"limit": "7", **({"cursor": cursor} if cursor else {})})
        found += page["items"]
        if not (cursor := page["next"]):
            assert len(found) == page["total"]
            return [item for item in found if item["account"] == account.id]


def waits(desk: Desk, account: Caller) -> list[tuple[int, bool]]:
    """Return what the privacy officer has to see of an account."""
    items = officer(desk).list_lookups(FARID, query={"limit": "200"})["items"]
    return [(item["hits"], item["exhausted"]) for item in items if item["account"] == account.id]


def looked(desk: Desk, account: Caller) -> int:
    return sum(row.looked for row in desk.rows("SELECT looked FROM ledger_lookups WHERE account = :account", account=account.id))


class Officer(Called, CaseMethods):
    """The privacy officer's methods, as the service has them."""


def officer(desk: Desk) -> Any:
    """Return the privacy officer's methods."""
    service: Any = Officer()
    service.database, service.dependencies = desk.database, SimpleNamespace(layer=desk.layer, cursors=desk.cursors)
    return service


@pytest.mark.requirement("T35", "T9")
def test_an_import_of_thousands_of_invented_people_tells_of_nine_at_most(desk: Desk, porter: Porter, user: Caller) -> None:
    suppress(desk, *range(100, 1000, 200), *range(1000, 1600, 100))
    taken = porter.bring(invented(0, 1600), by=user)
    assert (taken["state"], taken["problem"]["code"]) == ("stopped", "imports-stopped")
    rows = porter.rows(taken["id"], by=user)
    assert taken["counts"]["blocked"] == 5
    assert [row["n"] for row in rows if row["outcome"] == "blocked"] == list(range(100, 1000, 200)), "of the second block nothing is told"
    assert len(told_of(desk, user)) == 11
    for door in (porter.commit_import, porter.resume_import):
        with pytest.raises(ImportsStopped):
            door(user, import_id=taken["id"])
    # Another file tells no more.
    other = porter.upload(invented(1100, 1101), by=user)["id"]
    assert porter.check(other, by=user)["state"] == "checked"
    with pytest.raises(ImportsStopped):
        porter.commit_import(user, import_id=other)


@pytest.mark.requirement("T35")
def test_what_was_stopped_goes_on_by_itself_once_it_is_seen_and_the_next_tenth_stops_again(desk: Desk, porter: Porter, user: Caller) -> None:
    first = 10_000
    suppress(desk, *range(first, first + 21))
    taken = porter.bring(invented(first, first + 15), by=user)
    assert (taken["state"], taken["progress"]["done"], taken["counts"]) == ("stopped", 0, {"create": 15})
    assert ("lookups_to_see", user.id) in [(task["kind"], task["subject"]["id"]) for task in officer(desk).list_tasks(FARID)["items"]]
    assert len(told_of(desk, user)) == 15
    assert waits(desk, user) == [(15, False)]
    for somebody in (AMINA, user, GRACE):
        for ask in (officer(desk).list_hits, officer(desk).list_lookups, lambda by: officer(desk).see_lookups(by, account=user.id, body={})):
            with pytest.raises(Refusal):
                ask(somebody)
    assert officer(desk).see_lookups(FARID, account=user.id, body={})["imports"] == [taken["id"]]
    with pytest.raises(NotFound):
        officer(desk).see_lookups(FARID, account=user.id, body={})
    porter.work()
    done = porter.read(taken["id"], user)
    assert (done["state"], done["problem"], done["counts"]) == ("committed", None, {"blocked": 15})
    # Each mark is told once.
    assert told_of(desk, user) == []
    assert porter.bring(invented(first + 15, first + 19), by=user)["state"] == "committed"
    assert porter.bring(invented(first + 19, first + 20), by=user)["state"] == "stopped"


@pytest.mark.requirement("T35")
def test_hits_of_single_entries_stop_imports_and_not_single_entries(desk: Desk, porter: Porter, user: Caller) -> None:
    first = 20_000
    suppress(desk, *range(first, first + 10))
    ready = porter.upload(invented(first + 500, first + 501), by=user)["id"]
    porter.check(ready, by=user)
    for n in range(10):
        with pytest.raises(IndividualBlocked):
            desk.register(user, last_name="Probe", contact_points=[{"kind": "cell", "value": number(first + n)}])
    with pytest.raises(ImportsStopped):
        porter.commit_import(user, import_id=ready)
    desk.register(user, last_name="Genuine", contact_points=[{"kind": "cell", "value": number(first + 600)}])
    # Not the next day either, until it is seen.
    desk.now += timedelta(days=1)
    with pytest.raises(ImportsStopped):
        porter.commit_import(user, import_id=ready)
    officer(desk).see_lookups(FARID, account=user.id, body={})
    porter.commit_import(user, import_id=ready)
    porter.work()


def few(desk: Desk, porter: Porter | None = None, *, contributor: int, steward: int) -> None:
    """Lower the daily limit of look-ups to that."""
    desk.layer = ContactLayer(desk.layer.vault, desk.layer.digests, Lookups(contributor, steward))
    if porter:
        porter.dependencies.layer = desk.layer


@pytest.mark.requirement("T35")
def test_above_the_day_s_number_an_import_waits_until_more_is_let_through(desk: Desk, porter: Porter, user: Caller) -> None:
    first = 30_000
    few(desk, porter, contributor=20, steward=50)
    # Each row is two: the number, and the name beside organizations.
    assert porter.bring(invented(first, first + 10), by=user)["state"] == "committed"
    assert looked(desk, user) == 20
    taken = porter.bring(invented(first + 10, first + 15), by=user)
    assert (taken["state"], taken["problem"]["code"], taken["progress"]["done"]) == ("stopped", "lookups-exhausted", 0)
    assert (looked(desk, user), waits(desk, user)) == (20, [(0, True)])
    # Seen is not more.
    assert officer(desk).see_lookups(FARID, account=user.id, body={})["imports"] == []
    porter.resume_import(user, import_id=taken["id"])
    porter.work()
    assert porter.read(taken["id"], user)["state"] == "stopped"
    officer(desk).see_lookups(FARID, account=user.id, body={"more": True})
    porter.work()
    assert porter.read(taken["id"], user)["state"] == "committed"
    assert porter.bring(invented(first + 15, first + 20), by=user)["state"] == "committed"
    assert porter.bring(invented(first + 20, first + 21), by=user)["state"] == "stopped"
    # A steward may look up more, and a day begins anew.
    steward = dataclasses.replace(user, level="steward")
    desk.know(steward)
    assert porter.bring(invented(first + 30, first + 35), by=steward)["state"] == "committed"
    assert porter.bring(invented(first + 35, first + 36), by=steward)["state"] == "stopped"
    desk.now += timedelta(days=1)
    assert porter.bring(invented(first + 36, first + 61), by=steward)["state"] == "committed"


def _duplicate(desk: Desk, by: Caller, n: int) -> Any:
    named = {"first_name": "Dup", "last_name": "Licate", "organization": "Larkspur Freight"}
    if not desk.rows("SELECT 1 FROM individuals WHERE last_name = 'Licate'"):
        desk.register(AMINA, **named, contact_points=[])
    with pytest.raises(IndividualDuplicate):
        desk.register(by, **named, contact_points=[{"kind": "cell", "value": number(n)}])


def _add(desk: Desk, by: Caller, n: int) -> Any:
    return desk.add(by, _somebody(desk), "cell", number(n))


def _correct(desk: Desk, by: Caller, n: int) -> Any:
    return desk.correct(by, _somebody(desk), "cell", number(n))


def _rename(desk: Desk, by: Caller, n: int) -> Any:
    person = _somebody(desk)
    return desk.change(by, person, title=f"Director, Larkspur {letters(n)}")


def _office(desk: Desk, by: Caller, n: int) -> Any:
    return desk.do(by, organizations.register_organization, name=f"Office {letters(n)}", office_phone=number(n))


def _somebody(desk: Desk) -> str:
    rows = desk.rows("SELECT id FROM individuals WHERE last_name = 'Somebody'")
    return str(rows[0].id) if rows else str(desk.register(AMINA, last_name="Somebody", contact_points=[])["id"])


#: Each door by which values come to the ledger, and how many one passing asks for; an import has its own tests above.
DOORS: dict[str, tuple[Any, int]] = {
    "entering": (lambda desk, by, n: desk.register(by, last_name=f"New{letters(n)}", contact_points=[{"kind": "cell", "value": number(n)}]), 2),
    "entering who is refused as there already": (_duplicate, 2),
    "adding": (_add, 1),
    "correcting": (_correct, 1),
    "changing": (_rename, 1),
    "an office's telephone": (_office, 1),
}


@pytest.mark.requirement("T35")
@pytest.mark.parametrize("door", DOORS)
def test_by_every_door_what_is_looked_up_is_counted_hit_or_not_and_stops_at_the_day_s_number(desk: Desk, user: Caller, door: str) -> None:
    enter, values = DOORS[door]
    first = 40_000 + 10 * list(DOORS).index(door)
    few(desk, contributor=3 * values, steward=3 * values)
    for n in range(3):
        enter(desk, user, first + n)
        assert looked(desk, user) == (n + 1) * values, door
    with pytest.raises(LookupsExhausted):
        enter(desk, user, first + 3)
    assert looked(desk, user) == 3 * values
    assert waits(desk, user) == [(0, True)]
    officer(desk).see_lookups(FARID, account=user.id, body={"more": True})
    enter(desk, user, first + 4)
    assert looked(desk, user) == 4 * values


@pytest.mark.requirement("T35", "T9")
@pytest.mark.parametrize("door", ["entering", "adding", "correcting", "an office's telephone"])
def test_a_hit_is_counted_and_told_though_its_transaction_is_rolled_back(desk: Desk, user: Caller, door: str) -> None:
    one = 50_000 + list(DOORS).index(door)
    suppress(desk, one)
    enter, values = DOORS[door]
    for _ in range(2):
        with pytest.raises(IndividualBlocked):
            enter(desk, user, one)
    assert looked(desk, user) == 2 * values
    (told,) = told_of(desk, user)
    assert (told["component"], told["kind"]) == ("PSO", "cell")
    assert waits(desk, user) == [(1, False)]


@pytest.mark.requirement("T35", "T9")
def test_changing_a_title_again_and_again_is_limited_like_every_blocked_entry(desk: Desk, user: Caller) -> None:
    desk.freeze(BRUNO, str(desk.register(AMINA, **HOPE)["id"]), reason="She called.")
    person = str(desk.register(user, first_name="Hope", last_name="Erasegard", contact_points=[])["id"])
    for _ in range(20):
        with pytest.raises(IndividualBlocked), blocked_tries_counted(desk.database, user):
            desk.change(user, person, title=f"Counsel, {HOPE['organization']}")
        desk.database.clock = lambda: desk.now
    with pytest.raises(BlockedTooOften):
        desk.change(user, person, title=f"Counsel, {HOPE['organization']}")


@pytest.mark.requirement("T35")
def test_entries_that_are_made_together_are_counted_each_for_its_user(desk: Desk, user: Caller) -> None:
    first = 60_000
    suppress(desk, first + 1)
    few(desk, contributor=4, steward=4)
    registrations = desk.registrations()
    other = dataclasses.replace(user, id=new_id())
    for caller, n in ((user, 0), (user, 1), (other, 2)):
        given = {"last_name": f"Together{letters(n)}", "contact_points": [{"kind": "cell", "value": number(first + n)}]}
        if n == 1:
            with pytest.raises(IndividualBlocked):
                registrations.register(creating(desk.database, caller), given)
        else:
            assert registrations.register(creating(desk.database, caller), given)
    with pytest.raises(LookupsExhausted):
        registrations.register(creating(desk.database, user), {"last_name": "Onemore", "contact_points": []})
    assert (looked(desk, user), looked(desk, other)) == (4, 2)
    assert (len(told_of(desk, user)), told_of(desk, other)) == (1, [])


@pytest.mark.requirement("T35", "T36")
def test_what_a_case_that_was_taken_back_had_marked_is_no_hit_any_more(desk: Desk, user: Caller) -> None:
    one = 70_000
    person = str(desk.register(AMINA, last_name="Mistaken", contact_points=[{"kind": "cell", "value": number(one)}])["id"])
    request = desk.freeze(BRUNO, person, reason="A mistake.")
    with pytest.raises(IndividualBlocked):
        desk.register(user, last_name="Probe", contact_points=[{"kind": "cell", "value": number(one)}])
    assert len(told_of(desk, user)) == 1
    take_back(desk, request, person)
    assert told_of(desk, user) == []


@pytest.mark.requirement("T35")
def test_counts_are_of_ids_and_numbers_and_no_value(desk: Desk) -> None:
    columns = {row.column_name for row in desk.rows("SELECT column_name FROM information_schema.columns WHERE table_name LIKE 'ledger_%'")}
    assert columns == {
        *("account", "day", "component", "looked", "at_most", "allowed", "waiting_since"),
        *("mark_id", "entry_id", "case_id", "kind", "at", "seen_at", "seen_by"),
    }
