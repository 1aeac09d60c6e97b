"""Whom a row may mean is looked up, and nobody whom the matcher would have taken is passed over."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from services.contacts.domain.imports.matching import Person, best
from services.contacts.domain.imports.records import Record
from services.contacts.domain.imports.register import Register
from services.lexicon.names import PersonName, are_given_names_alike

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


@pytest.mark.requirement("T23", "R82")
def test_looking_up_finds_whom_looking_at_everybody_finds():
    chance = random.Random(20091210)
    verdicts = set()
    for _ in range(60):
        register, people = Register(), []
        for n in range(40):
            person, record = somebody(chance, n)
            people.append(replace(person, values=set(record.signs.values)))
            register.learn_person(person, record.signs.values)
        for n in range(40):
            _, record = somebody(chance, n)
            verdict, meant = best(record, people)
            found, looked_up = best(record, register.candidates(record))
            assert (found, looked_up and looked_up.id) == (verdict, meant and meant.id), record
            verdicts.add(verdict)
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
    register.holds(person, asked.signs.values)
    assert register.candidates(asked) == [person]
