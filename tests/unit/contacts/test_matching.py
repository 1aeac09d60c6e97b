"""Whom an import takes for a row's person by itself, about whom it asks, and whom it never merges (T28)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import count

import pytest

from services.contacts.domain.imports.comparing import as_words
from services.contacts.domain.imports.matching import Person, best, likeliest
from services.contacts.domain.imports.planning import Plan, plan
from services.contacts.domain.imports.records import record_of
from services.contacts.domain.imports.register import Register
from services.contacts.domain.imports.tables import Row
from tests.likenesses import COLUMNS, DIFFERENT, SAME, Pair, pairs

MAPPING = {column: column.lower().replace("e-mail", "email").replace(" ", "_") for column in COLUMNS}
PAIRS = 2000


def planned(*rows: dict[str, str]) -> Plan:
    """Plan these rows of one file, as a check and a commit do."""
    ids = (f"{n:08d}" for n in count())
    records = [record_of(Row(None, n, {column: cell for column, cell in row.items() if cell}), MAPPING) for n, row in enumerate(rows, 2)]
    return plan(records, Register(), blocked=(), new_id=lambda: next(ids))


def outcome(one: dict[str, str], other: dict[str, str]) -> str:
    """Return the outcome of the second of two rows: "merged", "asked" or "apart"."""
    made = planned(one, other)
    first, second = made.decisions
    assert first.outcome == "create", (one, first)
    assert second.outcome in {"create", "update", "duplicate", "undecided"}, (other, second)
    return {"create": "apart", "undecided": "asked"}.get(second.outcome, "merged")


def told(kinds: Sequence[str], found: Counter[tuple[str, str]]) -> str:
    """Return a table: by kind, how many merged, asked, apart."""
    words = ("merged", "asked", "apart")
    lines = [f"{kind:34}" + "".join(f"{found[kind, word]:8}" for word in words) for kind in kinds]
    total = [sum(found[kind, word] for kind in kinds) for word in words]
    return "\n".join([f"{'':34}" + "".join(f"{word:>8}" for word in words), *lines, f"{'together':34}" + "".join(f"{n:8}" for n in total)])


def counted(made: Sequence[Pair]) -> Counter[tuple[str, str]]:
    """Plan each pair in both orders."""
    found: Counter[tuple[str, str]] = Counter()
    for n, pair in enumerate(made):
        first, second = (pair.one, pair.other) if n % 2 else (pair.other, pair.one)
        found[pair.kind, outcome(first, second)] += 1
    return found


@pytest.mark.requirement("T28", "R82")
def test_of_two_thousand_pairs_of_people_who_look_alike_none_are_merged() -> None:
    apart = counted(list(pairs(PAIRS, same=False, seed=20260615)))
    together = counted(list(pairs(PAIRS, same=True, seed=20260616)))
    print(f"\ndifferent people\n{told(list(DIFFERENT), apart)}\n\none person\n{told(list(SAME), together)}")
    asked = {name: sum(many for (_, word), many in found.items() if word == "asked") for name, found in (("different", apart), ("same", together))}
    merged = {name: sum(many for (_, word), many in found.items() if word == "merged") for name, found in (("different", apart), ("same", together))}
    seen = asked["same"] + merged["same"]
    print(f"same or asked: precision {seen / (seen + asked['different'] + merged['different']):.2f}, recall {seen / PAIRS:.2f}")
    assert merged["different"] == 0, [kind for kind, word in apart if word == "merged"]
    # Of one person who doesn't look it, hardly anybody is entered twice without a question.
    assert seen >= 0.95 * PAIRS


MARIA = {"First name": "Maria", "Last name": "Samegard", "State": "TX", "Work address": "1 Main Street, Austin, TX 78701"}


@pytest.mark.requirement("T28")
def test_a_shared_address_speaks_for_nobody() -> None:
    assert outcome(MARIA, MARIA) == "asked"
    assert outcome(MARIA | {"Title": "Mayor"}, MARIA | {"Title": "Mayor"}) == "asked"
    assert outcome(MARIA, {**MARIA, "First name": "Boris"}) == "apart"


@pytest.mark.requirement("T28")
def test_of_two_who_are_both_certain_neither_is_taken() -> None:
    one = {**MARIA, "Organization": "Larkspur Levee Board"}
    row = {**MARIA, "Organization": "Larkspur Levee Board", "Work address": ""}
    register = Register()
    for n in ("1", "2"):
        register.learn_person(Person(n, "Maria", "Samegard", state="TX", organization="Larkspur Levee Board"))
    record = record_of(Row(None, 2, {column: cell for column, cell in row.items() if cell}), MAPPING)
    found = best(record, register.candidates(record))
    assert (found.verdict, found.is_clear, {person.id for person in found.candidates}) == ("like", False, {"1", "2"})
    assert likeliest(found).verdict == "like", "said of all alike, a tie still waits"
    assert outcome(one, row) == "merged"


@pytest.mark.requirement("T28")
@pytest.mark.parametrize("shared", [(), ("1",), ("2",), ("1", "2"), ("1", "2", "3")])
@pytest.mark.parametrize("backwards", [False, True])
def test_of_several_who_are_certain_only_one_whom_alone_a_value_reaches_is_taken(shared: tuple[str, ...], *, backwards: bool) -> None:
    """The first one is not likelier for being first."""
    people = [Person(n, "Maria", "Samegard", state="TX", organization="Larkspur Levee Board") for n in ("1", "2", "3")]
    for person in people:
        if person.id in shared:
            person.holds("cell", "+15125550135")
    row = {"First name": "Maria", "Last name": "Samegard", "State": "TX", "Organization": "Larkspur Levee Board", "Cell": "512-555-0135"}
    found = best(record_of(Row(None, 2, row), MAPPING), people[::-1] if backwards else people)
    if len(shared) == 1:
        assert (found.verdict, found.person and found.person.id) == ("same", shared[0])
    else:
        assert (found.verdict, found.is_clear) == ("like", False)
        assert likeliest(found).verdict == "like", "said of all alike, a tie still waits"


@pytest.mark.requirement("T28")
@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"Cell": "512-555-0135"}, {"Cell": "512-555-0135"}, "merged"),
        ({"Cell": "512-555-0135", "E-mail": "a@larks.example.org"}, {"Cell": "512-555-0135", "E-mail": "b@larks.example.org"}, "asked"),
        ({"E-mail": "maria@gmail.com"}, {"E-mail": "maria@gmail.com"}, "merged"),
        ({"E-mail": "m@larks.example.org"}, {"E-mail": "m@larks.example.org", "Title": "Mayor"}, "merged"),
        ({"E-mail": "m@larks.example.org"}, {"E-mail": "m@larks.example.org", "State": "NM"}, "asked"),
        ({"Work phone": "512-555-0135"}, {"Work phone": "512-555-0135", "State": "NM"}, "asked"),
        ({"Cell": "512-555-0135", "Suffix": "Jr."}, {"Cell": "512-555-0135"}, "asked"),
        ({"Cell": "512-555-0135", "Suffix": "Jr."}, {"Cell": "512-555-0135", "Suffix": "III"}, "asked"),
        ({"Cell": "512-555-0135", "Suffix": "2nd"}, {"Cell": "512-555-0135", "Suffix": "II"}, "merged"),
        ({"Cell": "512-555-0135"}, {"Cell": "512-555-0135", "First name": "Marie"}, "asked"),
        ({"State": "TX"}, {"State": "NM", "Title": "Mayor"}, "apart"),
        ({"Title": "Mayor"}, {"Title": "Mayor"}, "asked"),
    ],
)
def test_what_t28_says_of_each_sign(one: dict[str, str], other: dict[str, str], said: str) -> None:
    maria = {"First name": "Maria", "Last name": "Samegard", "State": "TX"}
    assert outcome(maria | one, maria | other) == said
    assert outcome(maria | other, maria | one) == said


@pytest.mark.requirement("T28")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Robt.", "Larkgard"), ("Robert", "Larkgard")),
        (("Jmaes", "Larkgard"), ("James", "Larkgard")),
        (("Mohammed", "Larkgard"), ("Muhammad", "Larkgard")),
        (("Sergei", "Larkgard"), ("Sergey", "Larkgard")),
        (("Bernard", "Larkgard"), ("Bemard", "Larkgard")),
        (("Müller", "Larkgard"), ("Mueller", "Larkgard")),
        (("Jonathan", "Larkgcrd"), ("Jonathan", "Larkgard")),
        (("Ann", "McLarkgard"), ("Ann", "Mc Larkgard")),
    ],
)
def test_a_colleague_whose_name_is_written_otherwise_is_asked_about_though_nothing_else_is_known(one, other) -> None:
    rows = [{"First name": first, "Last name": last, "Organization": "League of Larks"} for first, last in (one, other)]
    assert outcome(*rows) != "apart"
    assert outcome(*reversed(rows)) != "apart"
    assert outcome(rows[0], rows[1] | {"Organization": "Guild of Wrens", "State": "TX"} | {"Title": "Clerk"}) != "merged"


@pytest.mark.parametrize(
    ("last_name", "generation"), [("Smith Jr.", "jr"), ("Smith III", "3"), ("Smith 3rd", "3"), ("Smith", ""), ("III", ""), ("Smith PhD Sr", "sr")]
)
def test_what_tells_a_father_from_a_son_is_the_same_in_every_spelling(last_name, generation):
    assert as_words("Dov", last_name).generation == generation
