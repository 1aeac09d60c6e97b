"""Likeness of names without stored names finds every pair that the lexicon finds alike, in every spelling (T9, T25)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.contacts.domain.likeness import asked_words, kept_words, may_be_one
from services.lexicon.names import are_names_alike
from services.lexicon.splitting import PersonName

GIVEN = st.sampled_from(["Dov", "Robert", "Bob", "R.", "D", "Amy Jean", "A. J.", "Amy J.", "Jean", "", "Mike", "Michael", "M.", "José", "Joe"])
FAMILY = st.sampled_from(["Quillfeather", "QUILLFEATHER Jr.", "O'Neil", "ONeil", "Cortez Masto", "Masto", ""])


@pytest.mark.requirement("T9")
@given(GIVEN, FAMILY, GIVEN, FAMILY)
@example("Robert", "Smith", "Bob", "SMITH")
@example("J.", "Smith", "John", "Smith")
@example("J.", "Smith", "J", "Smith")
def test_words_of_two_names_meet_where_the_names_are_alike(first: str, family: str, other_first: str, other_family: str) -> None:
    meet = bool(kept_words(first, family) & asked_words(other_first, other_family))
    alike = are_names_alike(PersonName("", first, family), PersonName("", other_first, other_family))
    assert meet or not alike


WRITTEN = [
    ("Levi", "Dov"), ("", "Dov Levi"), ("Dov Levi", ""), ("", "Levi, Dov B."), ("Dr. Dov", "Levi"), ("The Hon. Dov", "Levi, III"),
    ("Levi Jr.", "Dov"), ("Dov", "Levi Junior"), ("Dov", "Levi (ret.)"), ("Dоv", "Lеvі"), ("D0v", "Lev1"), ("Dοv", "Levi"), ("ᴅᴏᴠ", "ʟᴇᴠɪ"),
    ("ＤＯＶ", "ＬＥＶＩ"), ("Dóv", "Lévi"), ("D.", "Levi"), ("Dov\u200b", "Le\u00advi"), ("DOV", "LEVI SR"), ("Mr Dov Benjamin", "Levi"),
]  # fmt: skip


@pytest.mark.requirement("T25", "T9")
@pytest.mark.parametrize(("first", "last"), WRITTEN)
def test_a_name_is_known_again_however_it_is_written(first: str, last: str) -> None:
    assert may_be_one(("Dov B.", "Levi Jr."), (first, last))


@pytest.mark.requirement("T25")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Robert", "Smith"), ("Smith", "Bob")),
        (("William", "O'Neil"), ("Bill", "O Neil")),
        (("William", "O’Neil"), ("Bill", "O´Neil")),
        (("María José", "De La Cruz"), ("Maria", "Delacruz")),
        (("Mary Ann", "Ocasio-Cortez"), ("Maryann", "Cortez")),
        (("Catherine", "Cortez Masto"), ("Catherine", "Cortez")),
        (("Ian", "McDonald"), ("Ian", "Mc Donald")),
    ],
)
def test_short_swapped_parted_and_joined_names_are_known_again(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert may_be_one(one, other)
    assert may_be_one(other, one) or one[1] != other[1]


@pytest.mark.requirement("T9")
@pytest.mark.parametrize("other", [("Adam", "Levi"), ("Dov", "Cohen"), ("", "Levi"), ("Hon.", "Levi"), ("Benjamin", "Harrison"), ("A.", "Levi")])
def test_a_colleague_and_a_namesake_by_half_are_somebody_else(other: tuple[str, str]) -> None:
    assert not may_be_one(("Hon. Dov", "Levi"), other)
