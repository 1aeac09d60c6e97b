"""Finding an erased person's values in text."""

from __future__ import annotations

import pytest

from services.interactions.domain.redaction import Sought, find, redact

SOUGHT = Sought.of(
    {
        "names": ["García-Levi Jr., Robert", "Levi, Robert James"],
        "phones": ["+1 956-555-0142"],
        "emails": ["rob.levi@example.org"],
        "addresses": ["1200 Elm Street, Houston"],
    }
)


def removed(text: str, *, linked: bool = True) -> str:
    """Return the text without what was found."""
    return redact(text, find(text, SOUGHT, linked=linked))


@pytest.mark.requirement("R166")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Robert Levi called.", "[removed] called."),
        ("ROBERT LEVI called.", "[removed] called."),
        ("robert levi called.", "[removed] called."),
        ("Robert J. Levi called.", "[removed] called."),
        ("Levi, Robert called.", "[removed] called."),
        ("Bob Levi called.", "[removed] called."),
        ("Robert García-Levi called.", "[removed] called."),
        ("Call (956) 555-0142 now", "Call [removed] now"),
        ("Call +1.956.555.0142 now", "Call [removed] now"),
        ("Call 9565550142x3 now", "Call [removed] now"),
        ("Mail ROB.LEVI@EXAMPLE.ORG.", "Mail [removed]."),
        ("Mail <rob.levi@example.org>, please", "Mail <[removed]>, please"),
    ],
)
def test_every_spelling_is_found_in_whatever_row(text: str, left: str) -> None:
    assert removed(text, linked=True) == left
    assert removed(text, linked=False) == left


@pytest.mark.requirement("R166")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Levi's office asked; Robert agreed.", "[removed]'s office asked; [removed] agreed."),
        ("Ms. Levi will call Bob.", "Ms. [removed] will call [removed]."),
    ],
)
def test_a_lone_name_is_theirs_only_where_the_row_is_theirs(text: str, left: str) -> None:
    assert removed(text, linked=True) == left
    assert removed(text, linked=False) == text


@pytest.mark.parametrize("text", ["Roberta Levine called.", "levi is a verb here", "Call 956-555-0143", "levi@example.org", "Elm Street", ""])
def test_what_only_looks_alike_stays(text: str) -> None:
    assert removed(text, linked=True) == text


def test_an_address_is_found_and_overlapping_finds_are_removed_once() -> None:
    assert removed("At 1200 Elm Street, Houston today") == "At [removed] today"
    assert removed("Robert Levi rob.levi@example.org 956-555-0142") == "[removed] [removed] [removed]"


def test_nothing_sought_is_nothing_found() -> None:
    assert find("Robert Levi, 956-555-0142", Sought.of({}), linked=True) == []
    assert Sought.of({}).needles == frozenset()
