"""Wide signs begin a formula in some spreadsheets, and are made harmless like the narrow ones."""

import pytest

from services.lexicon.cells import as_written, harmless


@pytest.mark.parametrize("sign", ["\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_wide_sign_begins_no_formula(sign: str) -> None:
    assert harmless(f"{sign}1+1") == f"'{sign}1+1"
    assert as_written(harmless(f"{sign}1+1")) == f"{sign}1+1"
