"""What a newer file or a user replaces stays as previous: titles, employers, addresses (T25, T28)."""

from __future__ import annotations

from typing import Any

import pytest

from services.contacts.domain.imports.planning import OFFERED
from services.contacts.storage import individuals
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.contacts.conftest import Desk
from tests.integration.contacts.test_imports import Porter
from tests.integration.contacts.test_nobody_comes_back import DENIS
from tests.integration.contacts.test_nobody_comes_back import _rename as rename

HEADER = "First name,Last name,State,Cell,Title,Company,Work address\n"
FIRST = 'Hope,Latergard,NM,505-555-0131,Director,Former Mills,"1 Old Rd, Santa Fe, NM 87501"\n'
SECOND = 'Hope,Latergard,NM,505-555-0131,President,Present Mills,"2 New Rd, Santa Fe, NM 87501"\n'
OLD, NEW = "1 Old Rd, Santa Fe, NM 87501", "2 New Rd, Santa Fe, NM 87501"


@pytest.fixture
def porter(desk: Desk) -> Porter:
    return Porter(desk)


def bring(porter: Porter, *lines: str, by: Any = AMINA) -> tuple[dict[str, Any], str]:
    """Import a file; return the import and the person of its first row."""
    done = porter.bring(HEADER + "".join(lines), by=by)
    porter.desk.later(minutes=1)
    return done, porter.rows(done["id"], by=by)[0]["individual_id"]


def facts(porter: Porter, person: str, by: Any = AMINA) -> tuple[str | None, str | None, list[tuple[str | None, str | None]]]:
    """Return title and employer, present and previous."""
    seen = porter.desk.read(by, person)
    return seen["title"], seen["organization_name"], [(one["title"], one["organization_name"]) for one in seen["previous"]]


def addresses(porter: Porter, person: str, by: Any = AMINA) -> list[tuple[str, bool]]:
    """Return the work addresses as they are shown, and whether each is a previous one."""
    return [(one["value"], one["previous"]) for one in porter.desk.reveal(by, person)["items"] if one["kind"] == "work_address"]


@pytest.mark.requirement("T28", "R80")
def test_a_newer_file_takes_the_place_of_title_employer_and_address_and_undone_it_is_as_it_was(porter: Porter) -> None:
    _, person = bring(porter, FIRST)
    before = facts(porter, person), addresses(porter, person)
    assert before == (("Director", "Former Mills", []), [(OLD, False)])
    done, same = bring(porter, SECOND)
    assert (same, done["counts"]) == (person, {"update": 1})
    assert facts(porter, person, CHLOE) == ("President", "Present Mills", [("Director", "Former Mills")])
    (one,) = porter.desk.read(CHLOE, person)["previous"]
    assert one["import_id"] == done["id"]
    assert one["replaced_at"]
    assert addresses(porter, person) == [(NEW, False), (OLD, True)], "the present one first"
    assert addresses(porter, person, CHLOE) == [], "a previous address is its component's, as every contact point"
    assert "kept as previous: organization_id, title, work_address" in porter.rows(done["id"])[0]["reason"]
    assert bring(porter, SECOND)[0]["counts"] == {"duplicate": 1}, "the same file again changes nothing"
    porter.undo(done["id"])
    assert (facts(porter, person), addresses(porter, person)) == before
    with porter.desk.work(DENIS, role="caseworker") as work:
        work.record("contacts:individual:read", subjects=[person])
        assert individuals.employers(work, person) == ["Former Mills"], "nobody worked where an import that was taken back had said"


@pytest.mark.requirement("T28")
def test_who_goes_back_to_a_former_address_has_it_as_the_present_one_again(porter: Porter) -> None:
    _, person = bring(porter, FIRST)
    bring(porter, SECOND)
    third, _ = bring(porter, FIRST)
    assert facts(porter, person) == ("Director", "Former Mills", [("President", "Present Mills"), ("Director", "Former Mills")])
    assert addresses(porter, person) == [(OLD, False), (NEW, True)]
    porter.undo(third["id"])
    assert facts(porter, person) == ("President", "Present Mills", [("Director", "Former Mills")])
    assert addresses(porter, person) == [(NEW, False), (OLD, True)]
    porter.desk.add(AMINA, person, "work_address", OLD)
    assert {value for value, previous in addresses(porter, person) if not previous} == {OLD, NEW}, "entered again by hand it is no previous one"


@pytest.mark.requirement("T28", "T30")
def test_of_two_rows_of_one_file_neither_is_newer(porter: Porter) -> None:
    done, person = bring(porter, FIRST, SECOND)
    assert facts(porter, person) == ("Director", "Former Mills", [])
    assert addresses(porter, person) == [(OLD, False), (NEW, False)] or addresses(porter, person) == [(NEW, False), (OLD, False)]
    assert "Left out, as the record says something else: organization_id, title." in porter.rows(done["id"])[1]["reason"]
    _, known = bring(porter, FIRST.replace("Hope", "Ruth").replace("0131", "0132"))
    other = SECOND.replace("President", "Chair").replace("2 New", "3 Other")
    both = [line.replace("Hope", "Ruth").replace("0131", "0132") for line in (SECOND, other)]
    bring(porter, *both)
    assert facts(porter, known) == ("President", "Present Mills", [("Director", "Former Mills")])
    assert {value[0] for value, previous in addresses(porter, known) if not previous} == {"2", "3"}


@pytest.mark.requirement("T28")
def test_a_row_that_is_decided_after_a_newer_file_came_replaces_nothing_of_it(porter: Porter) -> None:
    _, person = bring(porter, FIRST)
    # Without the cell it is to be decided: the title differs, and so does the employer.
    waiting = porter.bring(HEADER + SECOND.replace("505-555-0131", ""))
    assert waiting["counts"] == {"undecided": 1}
    porter.desk.later(minutes=1)
    bring(porter, SECOND.replace("President", "Chair").replace("Present", "Latest").replace("2 New", "3 Newest"))
    row = porter.decide(waiting["id"], 0, "same", person)
    assert "Left out, as the record says something else: organization_id, title." in row["reason"]
    assert facts(porter, person) == ("Chair", "Latest Mills", [("Director", "Former Mills")])
    assert ("3 Newest Rd, Santa Fe, NM 87501", False) in addresses(porter, person)


@pytest.mark.requirement("T28", "T23")
def test_another_component_s_file_replaces_nothing_and_says_what_it_left_out(porter: Porter) -> None:
    _, person = bring(porter, FIRST)
    porter.desk.add(CHLOE, person, "cell", "505-555-0131")
    porter.desk.add(CHLOE, person, "work_address", "9 Theirs Rd, Santa Fe, NM 87501")
    done, same = bring(porter, SECOND, by=CHLOE)
    assert same == person
    assert facts(porter, person) == ("Director", "Former Mills", [])
    assert "Left out, as the record says something else: organization_id, title." in porter.rows(done["id"], by=CHLOE)[0]["reason"]
    assert addresses(porter, person) == [(OLD, False)], "nobody else's address is touched"
    assert addresses(porter, person, CHLOE) == [(NEW, False), ("9 Theirs Rd, Santa Fe, NM 87501", True)]


@pytest.mark.requirement("R111", "R112")
def test_whoever_changes_title_or_employer_by_hand_keeps_what_was_and_another_spelling_is_none(porter: Porter) -> None:
    desk = porter.desk
    person = desk.register(AMINA, first_name="Hope", last_name="Latergard", title="Director", organization="Former Mills")["id"]
    assert desk.change(AMINA, person, title="DIRECTOR")["previous"] == []
    desk.change(BRUNO, person, title="President")
    desk.later(minutes=1)
    changed = desk.change(CHLOE, person, organization="Present Mills", title=None)
    assert [(one["title"], one["organization_name"], one["import_id"]) for one in changed["previous"]] == [
        ("President", "Former Mills", None),
        ("DIRECTOR", None, None),
    ]
    assert changed == desk.read(BRUNO, person)
    desk.freeze(DENIS, person)
    assert "previous" not in desk.read(AMINA, person), "of who is frozen the name is left (T21)"


@pytest.mark.requirement("T25")
@pytest.mark.parametrize("by_file", [True, False])
def test_former_employers_by_file_or_by_hand_and_those_of_former_titles_are_marked(porter: Porter, *, by_file: bool) -> None:
    desk = porter.desk
    _, person = bring(porter, FIRST.replace("Director", "Director at Titular Mills"))
    if by_file:
        bring(porter, SECOND)
    else:
        desk.change(AMINA, person, title="President", organization="Present Mills")
    (former,) = [one["organization_id"] for one in desk.read(AMINA, person)["previous"]]
    _rename(desk, former, "Renamed Mills")
    desk.freeze(DENIS, person)
    for name in ("Former Mills", "Titular Mills", "Renamed Mills", "Present Mills"):
        done = porter.bring(f"First name,Last name,Company\nHope,Latergard,{name}\n", by=CHLOE)
        assert done["counts"] == {"blocked": 1}, name
    assert porter.bring("First name,Last name,Company\nHope,Latergard,Never Mills\n", by=CHLOE)["counts"] != {"blocked": 1}


def _rename(desk: Desk, organization_id: str, name: str) -> None:
    desk.do(AMINA, rename, organization_id=organization_id, name=name)


@pytest.mark.requirement("R166", "N3")
def test_an_erasure_takes_what_was_previous_and_names_in_others_former_titles(porter: Porter) -> None:
    desk = porter.desk
    _, person = bring(porter, FIRST)
    bring(porter, SECOND)
    other = desk.register(AMINA, last_name="Otherly", title="Scheduler of Hope Latergard")["id"]
    desk.change(AMINA, other, title="Clerk")
    erased = desk.erase(person)
    counted = {receipt["store"]: receipt["removed"] for receipt in erased["receipts"]}
    assert counted["contacts.previous_facts"] == 1
    assert [(hit["store"], hit["field"]) for hit in erased["sought"]["hits"]] == [("contacts.previous_facts", "title")]
    desk.seek(erased, redact_in=[[hit["store"], hit["id"], hit["field"]] for hit in erased["sought"]["hits"]])
    assert "Latergard" not in str(desk.read(AMINA, other)["previous"])
    assert desk.rows("SELECT id FROM contact_points") == []


@pytest.mark.requirement("T28", "T2")
def test_a_better_name_is_offered_on_another_component_s_record_and_taken_on_one_s_own(porter: Porter) -> None:
    desk = porter.desk
    _, person = bring(porter, FIRST)
    desk.add(CHLOE, person, "cell", "505-555-0131")
    better = HEADER + "Hope Q.,Latergard III,NM,505-555-0131,,,\n"
    done = porter.bring(better, by=CHLOE)
    if done["counts"].get("undecided"):
        porter.decide(done["id"], 0, "same", person, by=CHLOE)
    (row,) = porter.rows(done["id"], by=CHLOE)
    assert row["individual_id"] == person
    assert OFFERED in row["reason"]
    assert (desk.read(CHLOE, person)["first_name"], desk.read(CHLOE, person)["last_name"]) == ("Hope", "Latergard")
    desk.change(CHLOE, person, first_name="Hope Q.", last_name="Latergard III")
    again = porter.bring(better, by=CHLOE)
    assert again["counts"] == {"duplicate": 1}
    # A shorter one takes nothing away, whoever owns the record; another one that is decided to be hers is named.
    bring(porter, FIRST)
    assert desk.read(AMINA, person)["last_name"] == "Latergard III"
    other = porter.bring(HEADER + "Hope,Newgard,NM,505-555-0131,,,\n")
    assert other["counts"] == {"undecided": 1}
    assert "Left out, as the record says something else: name." in porter.decide(other["id"], 0, "same", person)["reason"]
