"""What in a search is a contact-layer value, and what only words."""

from __future__ import annotations

import pytest

from services.lexicon.searching import has_contact_value, has_street, read_search


@pytest.mark.requirement("T31")
@pytest.mark.parametrize(
    "text",
    [
        "956-555-0163",
        "(956) 555-0163",
        "956.555.0163",
        "9565550163",
        "+1 956 555 0163",
        "1-956-555-0163 x12",
        "956/555/0163",
        "956\u2011555\u20110163",
        "\uff19\uff15\uff16-\uff15\uff15\uff15-\uff10\uff11\uff16\uff13",
        "\u0669\u0665\u0666 \u0665\u0665\u0665 \u0660\u0661\u0666\u0663",
        "555-0163",
        "+44 20 7946 0958",
        "dorn 956-555-0163 texas",
        "dov@example.org",
        "DOV@EXAMPLE.ORG",
        "<dov@example.org>",
        "dov (at) example.org",
        "dov [at] example.org",
        "dov\uff20example.org",
        "dov @ example.org",
        "mailto:dov@example.org",
        "dov\u200b@example.org",
        "9 5 6 5 5 5 0 1 6 3",
        "@example.org",
    ],
)
def test_a_number_and_an_address_are_known_however_they_are_written(text: str) -> None:
    assert has_contact_value(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dov Quillfeather",
        "O'Connor, Ann-Marie",
        "Local 1199",
        "9/11 families",
        "501(c)(3)",
        "2026-11-28",
        "11/28/2026",
        "1999-2004",
        "20528",
        "20528-1234",
        "Area 51 Studio 54",
        "at home",
        "Hurricane Katrina 2005",
        "3M",
        "Boeing 747 737",
        "956",
        "956-555",
    ],
)
def test_words_are_words(text: str) -> None:
    assert not has_contact_value(text)
    assert read_search(text).words == " ".join(text.split())


def test_words_and_values_are_parted() -> None:
    asked = read_search("  dorn 956-555-0163, dov@example.org texas ")
    assert asked.emails == ("dov@example.org",)
    assert asked.phones == ("956-555-0163",)
    assert asked.words.replace(",", "").split() == ["dorn", "texas"]


@pytest.mark.parametrize("text", ["100 Main Street", "1600 N. Pennsylvania Ave", "PO Box 12", "P.O. Box 12", "12 Old Mill Rd Suite 4"])
def test_a_street_is_known(text: str) -> None:
    assert has_street(text)
    assert not has_contact_value(text)


@pytest.mark.parametrize("text", ["Main Street Alliance", "Wall Street", "St. Mary's", "Drive Forward", "100 Black Men"])
def test_a_name_with_a_street_in_it_is_a_name(text: str) -> None:
    assert not has_street(text)
