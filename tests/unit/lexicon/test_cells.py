"""A cell written to a spreadsheet is no formula, and is read back unchanged."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.lexicon.cells import as_written, harmless

pytestmark = pytest.mark.row("P20")

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
CELLS = st.text(st.sampled_from([*FORMULAS, "'", " ", "1", "a", "é"]), max_size=8) | st.text(max_size=40)


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_no_cell_is_taken_for_a_formula(cell):
    assert harmless(cell) == f"'{cell}"


@given(CELLS)
@example("+1 202 555 0123")
@example("'=1")
@example("''-")
def test_a_cell_comes_back_as_it_was(text):
    assert not harmless(text).startswith(FORMULAS)
    assert as_written(harmless(text)) == text


@pytest.mark.parametrize("text", ["+1 202 555 0123", "-5", "@home"])
def test_what_somebody_types_into_such_a_file_stays(text):
    assert as_written(text) == text


@pytest.mark.parametrize("text", ["O'Neil", "'tis", "'", "", "Levi"])
def test_what_is_no_formula_is_left_alone(text):
    assert harmless(text) == as_written(text) == text
