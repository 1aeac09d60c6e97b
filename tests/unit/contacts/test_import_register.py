"""The register finds everybody whom the matcher would take for a row's person."""

from __future__ import annotations

import random

import pytest

from services.contacts.domain.imports.matching import MOST_CANDIDATES, Person, best, evidence_of
from services.contacts.domain.imports.records import Record
from services.contacts.domain.imports.register import Register
from services.lexicon.names import are_given_names_alike
from services.lexicon.splitting import PersonName

GIVEN = ["William", "Bill", "W.", "J. W.", "Bill James", "", "James", "Rivka", "R", "Dr. Robert", "Bob", "Élodie"]
FAMILY = ["Levi", "Cortez Masto", "Masto", "Baldwin Jr.", "Baldwin"]
OFFICES = [None, "Acme Levees", "Office of Senator Bill Levi", "Office of Rivka Baldwin"]
TITLES = [None, "Senator", "Sheriff"]
VALUES = [
    ("cell", "512-555-0134", "+15125550134"),
    ("email", "a@example.org", "a@example.org"),
    ("work_address", "1 Main St, Austin, TX 78701", "1 main st austin tx 78701"),
]


def somebody(chance: random.Random, n: int) -> tuple[Person, Record]:
    name = PersonName("", chance.choice(GIVEN), chance.choice(FAMILY))
    title, organization, state = chance.choice(TITLES), chance.choice(OFFICES), chance.choice([None, "TX", "DC"])
    points = tuple(chance.sample(VALUES, chance.choice([0, 0, 1, 2])))
    person = Person(f"{n:04d}", name.first_name, name.last_name, title=title, state=state, organization=organization)
    return person, Record(None, n, name, title=title, organization=organization, state=state, points=points)


@pytest.mark.requirement("T23", "R82", "T28")
def test_looking_up_finds_whom_looking_at_everybody_takes_for_the_same() -> None:
    chance = random.Random(20091210)
    verdicts = set()
    for _ in range(60):
        register, people = Register(), []
        for n in range(40):
            person, record = somebody(chance, n)
            people.append(register.learn_person(person, [(kind, canonical) for kind, _, canonical in record.points]))
        for n in range(40):
            _, record = somebody(chance, n)
            meant = best(record, people)
            found = best(record, register.candidates(record))
            verdicts.add(meant.verdict)
            if meant.verdict == "same":
                assert found == meant, record
            else:
                # Of those who could be, only whoever shares neither a name nor a value is looked for in vain.
                assert found.verdict in {"like", "other"}, record
                near = [
                    person for person in meant.candidates if evidence_of(record, person).kinship.is_alike and person.family in record.signs.families
                ]
                assert len(found.candidates) == MOST_CANDIDATES or {person.id for person in near} <= {person.id for person in found.candidates}, (
                    record
                )
    assert verdicts == {"same", "like", "other"}


@pytest.mark.requirement("T9", "R82")
def test_short_forms_and_initials_are_looked_up_as_they_are_compared():
    for one in GIVEN:
        for other in GIVEN:
            register = Register()
            register.learn_person(Person("1", other, "Levi"))
            found = register.candidates(Record(None, 1, PersonName("", one, "Levi")))
            assert bool(found) == are_given_names_alike(one, other), (one, other)


def test_values_that_a_row_adds_find_the_person_too():
    register = Register()
    person = register.learn_person(Person("1", "Rivka", "Levi"))
    asked = Record(None, 1, PersonName("", "Odette", "Levi"), points=(VALUES[0],))
    assert register.candidates(asked) == []
    register.holds(person, [(VALUES[0][0], VALUES[0][2])])
    assert register.candidates(asked) == [person]
