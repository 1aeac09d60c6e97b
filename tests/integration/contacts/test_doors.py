"""Nobody who asked not to be contacted returns, through any place of entry and in any spelling (T9, T25)."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from services.chassis.messages import Caller, Refusal, entity_tag, new_id
from services.chassis.transport.embedded import register
from services.contacts.contract.refusals import IndividualBlocked
from services.contacts.usecases import organizations, submissions
from services.contacts.usecases.imports import steering
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.contacts.conftest import Desk, open_desk
from tests.integration.contacts.systems import Running
from tests.integration.contacts.test_imports import Porter
from tests.spellings import HOPE, NAMED, REFUSED, VALUES
from tests.support import Databases

PSO = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000033")
FEMA = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000034", component="FEMA")
EVERYWHERE = pytest.mark.parametrize("by", [BRUNO, CHLOE, FEMA], ids=["own component", "another", "a third"])

Card = dict[str, Any]


def cards_of(values: Sequence[tuple[str, str]]) -> list[Card]:
    """Return each value on a card of somebody who has nothing else of hers."""
    return [
        {"first_name": "Some", "last_name": f"Body{_letters(n)}", "contact_points": [{"kind": kind, "value": value}]}
        for n, (kind, value) in enumerate(values)
    ]


def named_cards() -> list[Card]:
    """Return each spelling of her name and organization on a card."""
    return [{"last_name": last, **({"first_name": first} if first else {}), **more} for first, last, more in NAMED]


def _letters(n: int) -> str:
    return "".join("bcdfghjklm"[int(digit)] for digit in f"{n:03d}")


# Doors: each takes cards, one by one, and says what became of each: blocked, refused, or entered.


def create(desk: Desk, by: Caller, cards: Sequence[Card]) -> list[str]:
    return [_outcome(lambda card=card: desk.register(by, duplicate_ok=True, **card)) for card in cards]  # type: ignore[misc]


def add(desk: Desk, by: Caller, cards: Sequence[Card]) -> list[str]:
    return _onto_living(desk, by, cards, desk.add)


def correct(desk: Desk, by: Caller, cards: Sequence[Card]) -> list[str]:
    return _onto_living(desk, by, cards, desk.correct)


def change(desk: Desk, by: Caller, cards: Sequence[Card]) -> list[str]:
    outcomes = []
    for n, card in enumerate(cards):
        living = desk.register(by, last_name=f"Living{_letters(n)}")["id"]
        outcomes.append(_outcome(lambda living=living, card=card: desk.change(by, living, **card)))  # type: ignore[misc]
    return outcomes


def import_csv(desk: Desk, by: Caller, cards: Sequence[Card]) -> list[str]:
    written = io.StringIO()
    kinds = {"email": "E-mail", "cell": "Mobile", "personal_phone": "Home phone", "work_phone": "Business phone"}
    fields = {"first_name": "First name", "last_name": "Last name", "organization": "Company", "title": "Job title", "interests": "Interests"}
    table = csv.DictWriter(written, [*fields.values(), *kinds.values()])
    table.writeheader()
    for card in cards:
        row = {fields[name]: card[name] for name in fields if name in card and name != "interests"}
        row |= {fields["interests"]: "; ".join(card["interests"])} if "interests" in card else {}
        table.writerow(row | {kinds[point["kind"]]: point["value"] for point in card.get("contact_points", ())})
    return _imported(desk, by, written.getvalue(), "list.csv")


def import_cards(desk: Desk, by: Caller, cards: Sequence[Card]) -> list[str]:
    lines = []
    for card in cards:
        first, last = _escaped(card.get("first_name", "")), _escaped(card["last_name"])
        lines += ["BEGIN:VCARD", "VERSION:3.0", f"N:{last};{first};;;", f"FN:{first} {last}".rstrip()]
        lines += [f"ORG:{_escaped(card['organization'])}"] if "organization" in card else []
        # A card has no interests; the same words may stand in its title.
        title = card.get("title") or ", ".join(card.get("interests", ()))
        lines += [f"TITLE:{_escaped(title)}"] if title else []
        for point in card.get("contact_points", ()):
            kind = {"email": "EMAIL", "cell": "TEL;TYPE=CELL", "personal_phone": "TEL;TYPE=HOME", "work_phone": "TEL;TYPE=WORK"}[point["kind"]]
            lines.append(f"{kind}:{_escaped(point['value'])}")
        lines.append("END:VCARD")
    return _imported(desk, by, "\r\n".join([*lines, ""]), "cards.vcf")


def _imported(desk: Desk, by: Caller, content: str, name: str) -> list[str]:
    porter = Porter(desk)
    done = porter.bring(content, name, by)
    rows = porter.rows(done["id"], by=by)
    assert all("individual_id" in row for row in rows)
    return [_of_row(row) for row in sorted(rows, key=lambda row: row["n"])]


def _of_row(row: dict[str, Any]) -> str:
    return "blocked" if row["outcome"] == "blocked" else "refused" if row["refused"] or row["outcome"] == "invalid" else f"entered ({row['outcome']})"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _onto_living(desk: Desk, by: Caller, cards: Sequence[Card], door: Callable[..., Any]) -> list[str]:
    living = desk.register(by, last_name=f"Living{_letters(len(cards))}")["id"]
    points = [point for card in cards for point in card["contact_points"]]
    return [_outcome(lambda point=point: door(by, living, point["kind"], point["value"])) for point in points]  # type: ignore[misc]


def _outcome(door: Callable[[], Any]) -> str:
    try:
        door()
    except IndividualBlocked:
        return "blocked"
    except Refusal as refusal:
        return "refused" if refusal.code in {"contact-point-invalid", "text-needs-review"} else refusal.code
    return "entered"


#: Doors of values, and doors of a name with an organization.
VALUE_DOORS = {"create": create, "add": add, "correct": correct, "import CSV": import_csv, "import vCard": import_cards}
NAME_DOORS = {"create": create, "change": change, "import CSV": import_csv, "import vCard": import_cards}


@pytest.fixture(scope="module", params=[False, True], ids=["frozen", "erased"])
def after(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Desk]:
    """Contacts after somebody asked not to be contacted, and after she was erased."""
    desks = open_desk(databases)
    desk = next(desks)
    with pytest.MonkeyPatch.context() as patch:
        # Nobody enters a hundred who are blocked in one day.
        patch.setattr(steering, "require_entries_left", lambda *_, **__: None)
        person = desk.register(AMINA, **HOPE)["id"]
        desk.freeze(PSO, person)
        if request.param:
            desk.erase(person)
        yield desk
    for _ in desks:
        pass


@pytest.mark.requirement("T25", "T9", "R170")
@EVERYWHERE
@pytest.mark.parametrize("door", VALUE_DOORS)
def test_no_spelling_of_her_values_comes_in_by_a_door(after: Desk, door: str, by: Caller) -> None:
    outcomes = VALUE_DOORS[door](after, by, cards_of(VALUES))
    assert {value: outcome for (_, value), outcome in zip(VALUES, outcomes, strict=True) if outcome != "blocked"} == {}


@pytest.mark.requirement("T25", "T9", "R170")
@EVERYWHERE
@pytest.mark.parametrize("door", NAME_DOORS)
def test_no_spelling_of_her_name_at_her_organization_comes_in_by_a_door(after: Desk, door: str, by: Caller) -> None:
    outcomes = NAME_DOORS[door](after, by, named_cards())
    assert {str(named): outcome for named, outcome in zip(NAMED, outcomes, strict=True) if outcome != "blocked"} == {}


@pytest.mark.requirement("T25", "T30")
@pytest.mark.parametrize("door", VALUE_DOORS)
def test_what_is_no_value_is_refused_by_name_and_not_kept(after: Desk, door: str) -> None:
    outcomes = VALUE_DOORS[door](after, BRUNO, cards_of(REFUSED))
    assert {value: outcome for (_, value), outcome in zip(REFUSED, outcomes, strict=True) if outcome not in {"blocked", "refused"}} == {}


@pytest.mark.requirement("T25")
@EVERYWHERE
def test_an_office_s_telephone_is_asked_for_too(after: Desk, by: Caller) -> None:
    phones = [value for kind, value in VALUES if kind != "email"]
    known = after.organization(by, name=f"Known Mills {by.component}", offices=[{"label": "Main", "phone": "202-225-3121"}])
    for phone in phones:
        for office in ({"office_phone": phone}, {"offices": [{"label": "Main", "phone": "202-225-3121"}, {"label": "Second", "phone": phone}]}):
            registered = _outcome(lambda office=office: after.organization(by, name=f"Mills {new_id()}", **office))  # type: ignore[misc]
            changed = _outcome(lambda office=office: _change(after, by, known["id"], **office))  # type: ignore[misc]
            assert {registered, changed} <= {"blocked", "refused"}, phone
            assert "blocked" in {registered, changed} or "mobile" in phone or "cell" in phone, phone
    rows = "".join(f"Mills {_letters(n)},{phone}\n" for n, phone in enumerate(("505-555-0142", "(505) 555-0177", "505-555-0100")))
    outcomes = _imported(after, by, f"Company,Company Main Phone\n{rows}", "list.csv")
    assert outcomes[:2] == ["blocked", "blocked"]
    assert outcomes[2].startswith("entered"), "a line of the office is many people's"
    assert after.organization(by, name=f"Line {by.component}", office_phone="505-555-0100")["office_phone"]
    assert _change(after, by, known["id"], name=f"Renamed Mills {by.component}")["name"].startswith("Renamed")


def _change(desk: Desk, by: Caller, organization_id: str, **given: Any) -> dict[str, Any]:
    tag = entity_tag(desk.do(by, organizations.read_organization, organization_id=organization_id))
    found: dict[str, Any] = desk.do(by, organizations.change_organization, organization_id=organization_id, if_match=tag, **given)
    return found


@pytest.mark.requirement("T25")
def test_an_organization_keeps_the_telephone_that_it_had_before_somebody_s_request(desk: Desk) -> None:
    known = desk.organization(AMINA, name="Known Mills", office_phone="505-555-0142")
    person = desk.register(AMINA, **HOPE)["id"]
    desk.freeze(PSO, person)
    changed = _change(desk, BRUNO, known["id"], address={"street": "1 Main St", "city": "Hobbs", "state": "NM"})
    assert changed["office_phone"] == "505-555-0142"


@pytest.fixture(scope="module")
def running(databases: Databases) -> Iterator[Running]:
    register()
    broker = f"embedded://doors-{new_id()[-12:]}"
    desks = open_desk(databases)
    running = Running(next(desks), lambda _: broker)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submissions, "BLOCKED_A_DAY", 10_000)
        yield running
    running.stop()
    for _ in desks:
        pass


@pytest.mark.requirement("T25", "T9", "T13", "R170")
def test_no_spelling_comes_in_by_a_component_s_system(running: Running) -> None:
    person = running.desk.register(AMINA, **HOPE)["id"]
    running.desk.freeze(PSO, person)
    for system, owner in ((running.ice, "amina"), (running.pso, "chloe")):
        sent = [(card, system.submit(owner=owner, **card)) for card in (*cards_of(VALUES), *named_cards(), *cards_of(REFUSED))]
        told = [(card, system.answer(event_id)["data"]["code"]) for card, event_id in sent]
        hers = len(VALUES) + len(NAMED)
        assert [(card, code) for card, code in told[:hers] if code != "blocked"] == []
        assert [(card, code) for card, code in told[hers:] if code not in {"blocked", "contact-point-invalid"}] == []


@pytest.mark.requirement("T13", "R75")
def test_a_component_s_system_may_name_an_organization_that_nobody_knows(running: Running) -> None:
    accepted = running.ice.answer(running.ice.submit(owner="amina", last_name="Quillnew", organization=f"New Mills {new_id()}"))
    assert accepted["type"] == "individual.accepted"
    (row,) = running.rows(
        "SELECT o.owner_id::text FROM organizations o JOIN individuals i ON i.organization_id = o.id WHERE i.id = :id",
        id=accepted["data"]["individual_id"],
    )
    assert row.owner_id == AMINA.id
