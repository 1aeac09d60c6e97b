"""Likeness of names where no name is kept meets exactly where the lexicon finds two names alike (T9)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.contacts.domain.likeness import asked_words, kept_words
from services.lexicon.names import PersonName, are_names_alike

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
    # A family name alone is like itself here; the lexicon leaves that to other signs.
    bare = not first and not other_first and bool(asked_words("", family)) and asked_words("", family) == asked_words("", other_family)
    assert meet == (alike or bare)
