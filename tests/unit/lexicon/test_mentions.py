"""Finding an erased person in text: the name as a phrase, phones and e-mails, and how cautiously each is taken out (T27)."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lexicon.mentions import AT_ONCE, DECIDED, LATER, REMOVED, FormerValues, Mention, Sought, excerpts, redact

JOHN = ("John", "Smith")
PHONE = "+19565550142"


def found(name: tuple[str, str], text: str, *, linked: bool = False, **values: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the finds in a text, and how each is removed."""
    return [(text[each.start : each.end], each.goes) for each in Sought(FormerValues(*name, **values)).find(text, linked=linked)]


@pytest.mark.requirement("T27", "R166")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (JOHN, "John Smith"),
        (JOHN, "JOHN SMITH"),
        (JOHN, "john smith"),
        (JOHN, "Smith, John"),
        (JOHN, "Smith John"),
        (JOHN, "John Q. Smith"),
        (JOHN, "John Q Smith"),
        (JOHN, "Smith, Dr. John"),
        (JOHN, "John “Jack” Smith"),
        (JOHN, "Jack Smith"),
        (JOHN, "John\nSmith"),
        (JOHN, "John\tSmith"),
        (JOHN, "John\u00a0Smith"),
        (JOHN, "Jo\u00adhn Smi\u200bth"),
        (JOHN, "John Smith Jr"),
        (JOHN, "john-smith"),
        (JOHN, "john_smith"),
        (JOHN, "john.smith"),
        (JOHN, "\uff2aohn \uff33mith"),
        (("John Quincy", "Smith"), "John Quincy Smith"),
        (("John Quincy", "Smith"), "John Smith"),
        (("John Quincy", "Smith"), "John Q. Smith"),
        (("John Quincy", "Smith"), "Smith, John Quincy"),
        (("Mary Ann", "Smith"), "Maryann Smith"),
        (("Maryann", "Smith"), "Mary Ann Smith"),
        (("José", "García-Núñez"), "Jose Garcia Nunez"),
        (("Jose", "Garcia Nunez"), "JOSÉ GARCÍA-NÚÑEZ"),
        (("José", "García-Núñez"), unicodedata.normalize("NFD", "José García-Núñez")),
        (("José", "García-Núñez"), "García-Núñez, José"),
        (("José Luis María Pedro Pablo Juan", "García"), "García, José Luis María Pedro Pablo Juan"),
        (("Kate", "O'Brien"), "Kate O’Brien"),
        (("Kate", "O’Brien"), "Kate OBrien"),
        (("Kate", "O'Brien"), "Kate O´Brien"),
        (("Kate", "O'Brien"), "Kate Oʻbrien"),
        (("Kate", "O'Brien"), "Katherine O'Brien"),
        (("Maria", "de la Cruz"), "Maria Delacruz"),
        (("Hans", "Weiß"), "Hans Weiss"),
        (("JD", "Vance"), "J.D. Vance"),
        (("J. D.", "Vance"), "JD Vance"),
        (("Sen. John", "Smith"), "John Smith"),
        (("John", "Smith Sr."), "John Smith"),
    ],
)
def test_the_name_as_a_phrase_is_found_however_it_is_written(name: tuple[str, str], text: str) -> None:
    assert found(name, f"With {text.lower() if text.islower() else text}; more") == [(text, LATER)]


@pytest.mark.requirement("T27")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (JOHN, "John Smithson called"),
        (JOHN, "Johnson Smith called"),
        (JOHN, "John Smith-Jones called"),
        (JOHN, "Jones-Smith, John called"),
        (JOHN, "Anne-John Smith called"),
        (JOHN, "I met John. Smith was late"),
        (JOHN, "Ask John; Smith knows"),
        (JOHN, "John and Mary Smith"),
        (JOHN, "John Adams and Jane Smith"),
        (JOHN, "John\n\nSmith"),
        (JOHN, "Smith's John"),
        (JOHN, "Mr. Smith called, and John too"),
        (JOHN, "will call John today about the smith"),
        (JOHN, "see Mary J. Smith"),
        (JOHN, "Dr. Smith"),
        (("William", "Smith"), "he will smith it"),
        (("John", "Smith Sr."), "John Smith Jr."),
        (("Ana", "Smith-Jones"), "Ana Jones and Ana Smith"),
        (("José", "García-Núñez"), "José García"),
        (("J.", "Vance"), "John Vance"),
        (("", "Madonna"), "madonna lilies"),
    ],
)
def test_what_is_no_phrase_is_nobodys_name(name: tuple[str, str], text: str) -> None:
    assert found(name, text) == []


@pytest.mark.requirement("T27")
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (JOHN, "https://example.org/who/John-Smith", "John-Smith"),
        (JOHN, "Ask Mr. John-Smith.", "John-Smith"),
        (("", "Madonna"), "Met Madonna.", "Madonna"),
        (("Cher", ""), "Met Cher.", "Cher"),
        (JOHN, "Met J. Smith.", "J. Smith"),
        (JOHN, "See Smith, J.", "Smith, J"),
        (JOHN, "Mary Smith, John Doe", "Smith, John"),
        (JOHN, "write to john.smith@agency.gov", "john.smith"),
        (("José Luis María Pedro Pablo Juan", "García"), "With J. L. M. P. P. J. García", "J. L. M. P. P. J. García"),
    ],
)
def test_what_may_be_somebody_else_goes_on_the_privacy_officers_word_alone(name: tuple[str, str], text: str, words: str) -> None:
    assert found(name, text) == [(words, DECIDED)]
    assert found(name, text, linked=True)


@pytest.mark.requirement("T27", "T9")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Call (956) 555-0142 now", "(956) 555-0142"),
        ("Call +1.956.555.0142 now", "+1.956.555.0142"),
        ("Call 956 555 0142 now", "956 555 0142"),
        ("Call 956\u2011555\u20110142 now", "956\u2011555\u20110142"),
        ("Call 1-956-555-0142 ext. 12 now", "1-956-555-0142 ext. 12"),
        ("Call 9565550142x3 now", "9565550142x3"),
        ("Call \uff19\uff15\uff16\uff15\uff15\uff15\uff10\uff11\uff14\uff12 now", "\uff19\uff15\uff16\uff15\uff15\uff15\uff10\uff11\uff14\uff12"),
        ("202-555-0100 956-555-0142", "956-555-0142"),
        ("Mail U.ERASED+x@googlemail.com.", "U.ERASED+x@googlemail.com"),
        ("Mail <u.erased@gmail.com>, please", "u.erased@gmail.com"),
        ("Mail u.erased (at) gmail (dot) com", "u.erased (at) gmail (dot) com"),
        ("Mail u.erased at gmail dot com", "u.erased at gmail dot com"),
    ],
)
def test_a_value_that_is_theirs_alone_goes_at_once_in_whatever_spelling(text: str, words: str) -> None:
    assert (words, AT_ONCE) in found(JOHN, text, phones=(PHONE,), emails=("uerased@gmail.com",))
    assert len(found(JOHN, text, phones=(PHONE,), emails=("uerased@gmail.com",))) == 1


@pytest.mark.requirement("T27")
@pytest.mark.parametrize(
    "text", ["956-555-0143", "202-555-0142", "xu.erased@gmail.com", "u.erased@gmail.com.example.org", "please call at gmail dot com"]
)
def test_somebody_elses_value_stays(text: str) -> None:
    assert found(JOHN, text, phones=(PHONE,), emails=("uerased@gmail.com",)) == []


@pytest.mark.requirement("T27")
def test_a_number_in_a_longer_run_of_digits_or_without_its_area_code_is_found_and_does_not_go_at_once() -> None:
    assert found(JOHN, "account 4495655501423301", phones=(PHONE,)) == [("9565550142", LATER)]
    assert found(JOHN, "call 555-0142", phones=(PHONE,)) == [("555-0142", LATER)]


@pytest.mark.requirement("T27", "T9")
def test_a_shared_line_is_a_hit_and_one_that_a_living_record_holds_is_never_sure() -> None:
    shared = {"shared_phones": (PHONE, "+12025550100"), "shared_emails": ("desk@example.org",), "held": (PHONE,)}
    assert found(JOHN, "956-555-0142, 202-555-0100, desk@example.org", **shared) == [
        ("956-555-0142", DECIDED),
        ("202-555-0100", LATER),
        ("desk@example.org", LATER),
    ]


@pytest.mark.requirement("R166")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Levi's office asked; Robert agreed.", "[removed]'s office asked; [removed] agreed."),
        ("Ms. Levi will call Bob.", "Ms. [removed] will call [removed]."),
        ("Robert García-Levi called.", "[removed] called."),
        ("levi is a verb here; Roberta Levine", "levi is a verb here; Roberta Levine"),
    ],
)
def test_a_lone_name_is_theirs_only_where_the_row_is_theirs(text: str, left: str) -> None:
    sought = Sought(FormerValues("Robert James", "García-Levi Jr."))
    assert redact(text, sought.find(text, linked=True)) == left
    if "García" not in text:
        assert sought.find(text) == []


@pytest.mark.requirement("T27")
def test_a_name_of_one_word_is_never_taken_out_by_itself_not_even_where_the_row_is_theirs() -> None:
    assert found(("", "May"), "Met May in May", linked=True) == [("May", DECIDED), ("May", DECIDED)]


def test_overlapping_finds_are_taken_out_once_and_an_excerpt_shows_what_is_around() -> None:
    text = "x" * 200 + " John Smith john.smith@gmail.com 956-555-0142 " + "y" * 200
    mentions = Sought(FormerValues(*JOHN, emails=("johnsmith@gmail.com",), phones=(PHONE,))).find(text)
    assert redact(text, mentions).split()[1:4] == [REMOVED] * 3
    first, *_ = excerpts(text, mentions, around=10)
    assert first == {"before": "…xxxxxxxxx ", "found": "John Smith", "after": " john.smit…", "kind": "name"}


def test_a_find_within_a_longer_one_leaves_nothing_of_it() -> None:
    assert redact("Ask John Smith today.", [Mention(4, 14, "name", AT_ONCE), Mention(9, 12, "name", AT_ONCE)]) == f"Ask {REMOVED} today."


def test_nothing_sought_is_nothing_found() -> None:
    assert found(("", ""), "Robert Levi, 956-555-0142, Smith") == []
    assert Sought(FormerValues("", "")).needles == frozenset()


@given(st.text(max_size=80), st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_written_is_read_and_what_is_taken_out_leaves_the_rest(text: str, first: str, last: str) -> None:
    sought = Sought(FormerValues(first, last, phones=(PHONE,), emails=("a@b.example",)))
    for linked in (False, True):
        mentions = sought.find(text, linked=linked)
        assert all(one.end <= other.start for one, other in itertools.pairwise(mentions))
        assert all(0 <= each.start < each.end <= len(text) for each in mentions)
        kept = len(text) - sum(each.end - each.start for each in mentions)
        assert len(redact(text, mentions)) == kept + len(REMOVED) * len(mentions)
