"""Names over HTTP: a typed or imported name is stored as a name, and found however it is typed (R27, R80, R83)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.client import Person

#: A walk over many values, not a story: what the bus carries does not change it, so one deployment is enough.
pytestmark = pytest.mark.parametrize("system", ["embedded"], indirect=True, scope="module")


@pytest.fixture(scope="module")
def amina(system: Any) -> Person:
    """A contributor of ICE, signed in."""
    return Person(system.base).sign_in(system.account("ICE", "contributor", 1))


def found(person: Person, words: str) -> list[str]:
    """Return the names that a search finds."""
    return [item["name"] for item in person.get("/stakeholders", q=words)["items"]]


def named(person: Person, words: str) -> list[tuple[str | None, str, str]]:
    """Return salutation, first and last name of the people that a search finds."""
    people = [person.get(f"/individuals/{item['id']}") for item in person.get("/stakeholders", q=words)["items"] if item["type"] == "individual"]
    return sorted((each["salutation"], each["first_name"], each["last_name"]) for each in people)


@pytest.mark.requirement("R26", "R27", "R77", "R80")
def test_a_file_s_names_keep_their_titles_initials_and_suffixes(amina: Person) -> None:
    amina.take_in("n07.csv", b"Name\nThe Honorable Ana Honogard\nThe Hon. Ben Honogard\nLt. Col. Cy Honogard (Ret.)\n")
    assert named(amina, "honogard") == [
        ("Lt. Col.", "Cy", "Honogard (Ret.)"),
        ("The Hon.", "Ben", "Honogard"),
        ("The Honorable", "Ana", "Honogard"),
    ]
    amina.take_in("n09.csv", b"First name,Last name\nJD,Initgard\nTJ,Initgard\nAMY,INITGARD\n")
    assert named(amina, "initgard") == [(None, "Amy", "Initgard"), (None, "JD", "Initgard"), (None, "TJ", "Initgard")]
    amina.take_in("n12.csv", b'Name\nAna Ordigard 3rd\n"Ordigard, Jr., Ben"\nMajor Ordigard\nSukarnogard\n')
    assert named(amina, "ordigard") == [(None, "Ana", "Ordigard 3rd"), (None, "Ben", "Ordigard Jr."), (None, "Major", "Ordigard")]
    assert named(amina, "sukarnogard") == [(None, "", "Sukarnogard")]


@pytest.mark.requirement("R80", "R82")
def test_two_rows_that_differ_in_their_apostrophe_are_one_person_found_by_either(amina: Person) -> None:
    file = "First name,Last name,State,Email\nAna,O\u00b4Acutegard,NM,ana@acuteg.example.org\nAna,O'Acutegard,NM,\n"
    amina.take_in("s02.csv", file.encode())
    for words in ("O'Acutegard", "O\u00b4Acutegard", "O\u2019Acutegard", "oacutegard", "O\u02bcacutegard"):
        assert found(amina, words) == ["Ana O'Acutegard"], words


@pytest.mark.requirement("R20", "R83")
def test_an_organization_with_an_okina_is_found_with_and_without_it(amina: Person) -> None:
    assert amina.post("/organizations", {"name": "O\u02bbahugard League"})["name"] == "O'ahugard League"
    for words in ("oahugard", "O'ahugard", "O\u02bbahugard", "O\u2018ahugard league"):
        assert found(amina, words) == ["O'ahugard League"], words
    assert amina.post("/organizations", {"name": "O\u2019ahugard League"}, expect=409)["code"] == "duplicate-organization"


@pytest.mark.requirement("R26", "R83")
@pytest.mark.parametrize(
    "words",
    [
        "Dr. Robard Salugard",
        "Dr Robard Salugard",
        "Senator Salugard",
        "Sen. Salugard",
        "Lt. Col. Robard Salugard",
        "Robard Salugard Jr",
        "Robard Salugard, Jr., PhD",
        "Salugard, Dr. Robard",
        "the honorable salugard",
        "Judge Salugard",
    ],
)
def test_a_salutation_or_suffix_typed_into_the_search_box_hides_nobody(amina: Person, words: str) -> None:
    if not found(amina, "salugard"):
        amina.post("/individuals", {"salutation": "Dr.", "first_name": "Robard", "last_name": "Salugard"})
    assert found(amina, words) == ["Robard Salugard"]


@pytest.mark.requirement("R83")
def test_initials_and_joined_names_are_found_in_either_spelling_and_a_title_in_an_organization_s_name_counts(amina: Person) -> None:
    amina.post("/individuals", {"first_name": "A.J.", "last_name": "Al-Rashigard"})
    amina.post("/individuals", {"first_name": "TJ", "last_name": "Ocasigard-Cortez", "organization": "General Electrigard"})
    amina.post("/individuals", {"first_name": "Mona", "last_name": "Plain", "organization": "Southern Electrigard"})
    for words in ("AJ Alrashigard", "A.J. al rashigard", "A J Al\u2010Rashigard"):
        assert found(amina, words) == ["A.J. Al-Rashigard"], words
    assert found(amina, "T.J. Ocasigardcortez") == ["TJ Ocasigard-Cortez"]
    assert found(amina, "General Electrigard") == ["General Electrigard", "TJ Ocasigard-Cortez"]


@pytest.mark.requirement("R27", "R111")
def test_somebody_of_one_name_is_registered_found_and_corrected(amina: Person) -> None:
    person = amina.post("/individuals", {"last_name": "Monogard"})
    assert (person["first_name"], found(amina, "monogard")) == ("", ["Monogard"])
    path = f"/individuals/{person['id']}"
    assert amina.patch(path, {"first_name": None, "title": "Poet"})["first_name"] == ""
    assert amina.patch(path, {"first_name": "Mona"})["first_name"] == "Mona"
    assert amina.patch(path, {"first_name": None})["first_name"] == ""
    assert amina.ask("PATCH", path, json={"last_name": None}, headers={"If-Match": amina.ask("GET", path).headers["ETag"]}).status_code == 422
