"""Rows that may be an existing person's: kept, shown beside them, and imported only as their importer decides (T28)."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from csv import DictWriter
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from services.contacts.contract import imports as contract
from services.contacts.usecases.imports import deciding, refused_rows, working
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, GRACE
from tests.integration.contacts.conftest import Desk
from tests.integration.contacts.test_imports import SYSTEM, Porter
from tests.likenesses import COLUMNS, pairs

HEADER = "First name,Last name,State,Email,Cell,Organization,Title\n"
ONE = "Maria,Samegard,TX,maria.s@one.example.org,512-555-0135,,\n"
OTHER = "Maria,Samegard,TX,mq77@two.example.net,915-555-0136,,\n"


@pytest.fixture
def porter(desk: Desk) -> Porter:
    return Porter(desk)


def asked(porter: Porter, name: str = "Maria,Samegard", number: str = "013") -> tuple[str, dict[str, Any], str]:
    """Import a namesake in two files; return the second import, its row, and the existing person."""
    first, done = (
        porter.bring(HEADER + line.replace("Maria,Samegard", name).replace("013", number).replace("@", f"{number}@"))
        if number != "013"
        else porter.bring(HEADER + line)
        for line in (ONE, OTHER)
    )
    assert done["counts"] == {"undecided": 1}
    (row,) = porter.rows(done["id"], "undecided")
    return done["id"], row, porter.rows(first["id"])[0]["individual_id"]


def values(porter: Porter) -> list[list[str]]:
    """Return what ICE holds of each person."""
    found = porter.desk.rows("SELECT id FROM individuals ORDER BY created_at, id")
    return [sorted(porter.desk.values(AMINA, str(row.id))) for row in found]


@pytest.mark.requirement("T28")
@pytest.mark.parametrize(
    ("content", "people"),
    [
        ("Adlai,Fathgard Jr.,NM,adlai.jr@fath.example.org,,,\nAdlai,Fathgard III,NM,adlai.iii@fath.example.org,,,\nAdlai,Fathgard Sr.,NM,,,,\n", 3),
        ("Luis,García Corvegard,NM,l.garcia@corveg.example.org,,,\nLuis,Mendoza Corvegard,NM,l.mendoza@corveg.example.org,,,\n", 2),
        (ONE + OTHER, 1),
    ],
)
def test_fathers_and_sons_double_names_and_namesakes_keep_their_own_values(porter: Porter, content: str, people: int) -> None:
    done = porter.bring(HEADER + content)
    assert porter.count("individuals") == people
    assert done["counts"].get("undecided", 0) + people == len(content.splitlines())
    assert all(len([value for value in held if "@" in value]) <= 1 for held in values(porter))


@pytest.mark.requirement("T28", "R82")
def test_of_pairs_in_real_files_none_of_two_people_is_merged(porter: Porter) -> None:
    """A sample of the generator's; each pair's second row is in its own file, through upload, check and commit."""
    made = list(pairs(200, same=False, seed=7))
    for at in ("one", "other"):
        file = io.StringIO()
        writer = DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(getattr(pair, at) for pair in made)
        done = porter.bring(file.getvalue(), by=GRACE)
        assert done["state"] == "committed"
    outcomes = Counter(row["outcome"] for row in porter.rows(done["id"], by=GRACE))
    print(outcomes)
    assert set(outcomes) <= {"create", "undecided"}
    assert outcomes["undecided"] > 100


@pytest.mark.requirement("T28", "N17")
def test_a_row_to_be_decided_is_kept_encrypted_is_a_task_and_is_shown_beside_whom_it_may_be(porter: Porter) -> None:
    import_id, row, there = asked(porter)
    assert values(porter) == [["512-555-0135", "maria.s@one.example.org"]]
    stored = "".join(str(one) for table in ("imports", "import_refused", "import_rows") for one in porter.desk.rows(f"SELECT * FROM {table}"))
    assert "mq77" not in stored
    assert porter.count("import_blocks") == 0
    shown = porter.read_import_row(AMINA, import_id=import_id, n=row["n"])
    assert {cell["column"]: cell["value"] for cell in shown["cells"]}["Email"] == "mq77@two.example.net"
    (person,) = shown["people"]
    assert (person["individual"]["id"], person["held_kinds"]) == (there, ["cell", "email"])
    assert (person["agrees"], person["differs"]) == (["name", "state"], ["email", "phone"])
    tasks = porter.desk.do(AMINA, lambda work: deciding.list_tasks(work, by=AMINA))
    assert [(task["kind"], task["subject"]) for task in tasks] == [("decide-import-rows", {"type": "import", "id": import_id})]
    assert porter.desk.do(BRUNO, lambda work: deciding.list_tasks(work, by=BRUNO)) == []
    for who in (BRUNO, CHLOE, GRACE, EDDA):
        with pytest.raises(contract.ImportUnknown):
            porter.read_import_row(who, import_id=import_id, n=row["n"])
        with pytest.raises(contract.ImportUnknown):
            porter.decide(import_id, row["n"], "same", by=who)


@pytest.mark.requirement("T28")
def test_the_same_person_gets_the_row_another_is_entered_and_a_skipped_one_is_nobody(porter: Porter) -> None:
    import_id, row, there = asked(porter)
    decided = porter.decide(import_id, row["n"], "same")
    assert (decided["outcome"], decided["individual_id"], decided["decided"]) == ("update", there, "same")
    assert values(porter) == [["512-555-0135", "915-555-0136", "maria.s@one.example.org", "mq77@two.example.net"]]
    assert porter.read(import_id)["counts"] == {"update": 1}
    # The same again changes nothing; another decision comes too late.
    assert porter.decide(import_id, row["n"], "same", there) == decided
    with pytest.raises(contract.DecisionAlreadyMade):
        porter.decide(import_id, row["n"], "another")
    assert porter.count("import_refused") == 0
    third = porter.bring(HEADER + OTHER.replace("mq77@two", "third@three").replace("915-555-0136", "713-555-0137"))
    (row,) = porter.rows(third["id"])
    assert porter.decide(third["id"], row["n"], "another")["outcome"] == "create"
    assert [len(held) for held in values(porter)] == [4, 2]
    fourth = porter.bring(HEADER + OTHER.replace("mq77@two", "fourth@four").replace("915-555-0136", "713-555-0138"))
    (row,) = porter.rows(fourth["id"])
    assert len(row["candidates"]) == 2
    with pytest.raises(contract.CandidateGone):
        porter.decide(fourth["id"], row["n"], "same")
    assert porter.decide(fourth["id"], row["n"], "skip")["outcome"] == "skipped"
    assert porter.count("individuals") == 2
    assert porter.desk.do(AMINA, lambda work: deciding.list_tasks(work, by=AMINA)) == []
    told = [entry for entry in porter.desk.entries() if entry["action"] == "contacts:import:decide"]
    assert [entry["rule"] for entry in told] == ["same", "same", "another", "skip"]


@pytest.mark.requirement("T28")
def test_undoing_the_import_takes_decided_rows_back_too(porter: Porter) -> None:
    import_id, row, there = asked(porter)
    porter.decide(import_id, row["n"], "same", there)
    second = porter.bring(HEADER + OTHER.replace("mq77@two", "third@three").replace("915-555-0136", "713-555-0137"))
    (row,) = porter.rows(second["id"])
    porter.decide(second["id"], row["n"], "another")
    assert porter.count("individuals") == 2
    assert porter.undo(second["id"])["state"] == "undone"
    assert porter.undo(import_id)["state"] == "undone"
    assert values(porter) == [["512-555-0135", "maria.s@one.example.org"]]


@pytest.mark.requirement("T28", "T9", "T21")
def test_a_decision_is_taken_under_what_holds_at_that_moment(porter: Porter) -> None:
    import_id, row, there = asked(porter)
    porter.desk.freeze(CHLOE, there)
    assert porter.read_import_row(AMINA, import_id=import_id, n=row["n"])["people"] == []
    assert porter.decide(import_id, row["n"], "same", there)["outcome"] == "blocked"
    assert porter.count("import_refused") == 0
    porter.desk.erase(there)
    later = porter.bring(HEADER + "Felix,Tornvald,NM,felix@one.example.org,,,\n")
    (felix,) = [each["individual_id"] for each in porter.rows(later["id"])]
    second = porter.bring(HEADER + "Felix,Tornvald,NM,tornvald@two.example.org,,,\n")
    (row,) = porter.rows(second["id"])
    porter.desk.freeze(CHLOE, felix)
    porter.desk.erase(felix)
    # What the row said of an erased person went with them.
    with pytest.raises(contract.DecisionAlreadyMade):
        porter.decide(second["id"], row["n"], "same", felix)
    third, row, _ = asked(porter, "Boris,Wolmoor", "017")
    with pytest.raises(contract.CandidateGone):
        porter.decide(third, row["n"], "same", import_id)
    porter.desk.know(AMINA, active=False)
    with pytest.raises(contract.ImportsForContributors):
        porter.decide(third, row["n"], "another")
    assert porter.count("individuals") == 1


@pytest.mark.requirement("T28")
def test_whoever_was_entered_meanwhile_is_asked_about_first(porter: Porter) -> None:
    import_id, row, _ = asked(porter)
    porter.desk.register(AMINA, first_name="Maria", last_name="Samegard", state="TX", organization="Larkspur")
    waits = porter.decide(import_id, row["n"], "another")
    assert (waits["outcome"], waits["reason"]) == ("undecided", deciding.OTHERS_CAME)
    assert len(waits["candidates"]) == 2
    assert porter.decide(import_id, row["n"], "another")["outcome"] == "create"
    assert porter.count("individuals") == 3


@pytest.mark.requirement("T28")
@pytest.mark.parametrize(("decision", "people"), [("same", 250), ("another", 500), ("skip", 250)])
def test_all_rows_are_decided_alike_and_a_killed_worker_s_successor_goes_on(
    porter: Porter, monkeypatch: pytest.MonkeyPatch, decision: str, people: int
) -> None:
    def file(box: str) -> str:
        return HEADER + "".join(f"Maria,Samegard{_letters(n)},TX,{box}{n}@one.example.org,,,\n" for n in range(250))

    porter.bring(file("one"))
    done = porter.bring(file("two"))
    assert done["counts"] == {"undecided": 250}
    porter.decide_import_rows(AMINA, import_id=done["id"], body={"decision": decision})
    assert porter.read(done["id"])["deciding"] == decision
    take_in, calls = deciding.decide_block, iter(range(9))

    def killed(*args: Any, **kwargs: Any) -> bool:
        if next(calls) == 1:
            raise SystemExit
        return take_in(*args, **kwargs)

    monkeypatch.setattr(deciding, "decide_block", killed)
    with pytest.raises(SystemExit):
        porter.work()
    assert porter.read(done["id"])["progress"] == {"done": 200, "of": 250}
    with porter.desk.work(SYSTEM) as work:
        work.execute(text("UPDATE imports SET lease_until = NULL"))
    porter.work()
    after = porter.read(done["id"])
    assert (after["deciding"], after["counts"].get("undecided")) == (None, None)
    assert porter.count("individuals") == people
    with pytest.raises(contract.NothingToDecide):
        porter.decide_import_rows(AMINA, import_id=done["id"], body={"decision": decision})


@pytest.mark.requirement("T28")
def test_others_of_one_mailbox_are_entered_by_one_decision_and_namesakes_among_them_asked_about_again(porter: Porter) -> None:
    families = ["Samegard", "Tornvald", "Wolmoor", "Corvegard", "Fathgard", "Larkmoor", "Brendvald"]
    lines = [f"Maria,{family},TX,desk@office.example.org,,,\n" for family in families]
    done = porter.bring(HEADER + "".join(lines) + "Maria,Tornvald,NM,desk@office.example.org,,,\n")
    assert done["counts"] == {"create": 1, "undecided": 7}
    porter.decide_import_rows(AMINA, import_id=done["id"], body={"decision": "another"})
    porter.work()
    assert porter.read(done["id"])["counts"] == {"create": 7, "undecided": 1}
    (row,) = porter.rows(done["id"], "undecided")
    assert row["n"] == 7, "Maria Tornvald of New Mexico"
    assert porter.decide(done["id"], row["n"], "another")["outcome"] == "create"
    assert porter.count("individuals") == 8


def _letters(n: int) -> str:
    return "".join("abcdefghij"[int(digit)] for digit in f"{n:03d}")


@pytest.mark.requirement("T28", "N17")
def test_after_a_week_what_nobody_decided_ends_with_a_word(porter: Porter) -> None:
    import_id, row, _ = asked(porter)
    columns, ((number, cells),) = porter.refused(import_id)
    assert (columns[0], number, (cells or {})["Email"]) == ("First name", 2, "mq77@two.example.net")
    now = dt.datetime.now(dt.UTC)
    porter.database.clock = lambda: now + refused_rows.KEPT + dt.timedelta(minutes=1)
    porter.cancel_imports_left_behind(SYSTEM)
    (gone,) = porter.rows(import_id)
    assert (gone["outcome"], gone["reason"]) == ("lapsed", refused_rows.LAPSED)
    assert porter.read(import_id)["counts"] == {"lapsed": 1}
    with pytest.raises(contract.DecisionAlreadyMade):
        porter.decide(import_id, row["n"], "same")
    assert porter.desk.layer.vault.keys([refused_rows.key_of(import_id)]) == {}


@pytest.mark.requirement("N3", "T28")
def test_an_erasure_reaches_rows_that_wait_to_be_decided(porter: Porter) -> None:
    import_id, _, there = asked(porter)
    other = porter.desk.register(CHLOE, first_name="Somebody", last_name="Else", contact_points=[{"kind": "email", "value": "mq77@two.example.net"}])
    porter.desk.erase(other["id"])
    (gone,) = porter.rows(import_id)
    assert (gone["outcome"], gone["reason"]) == ("lapsed", refused_rows.GONE)
    assert porter.count("import_refused") == 0
    second = porter.bring(HEADER + OTHER)
    porter.desk.erase(there)
    kept = porter.desk.rows("SELECT candidates, individual_id FROM import_rows WHERE import_id = :id", id=second["id"])
    assert [(list(one.candidates), one.individual_id) for one in kept] == [([], None)]


@pytest.mark.requirement("T28")
def test_a_row_that_became_undecided_only_at_the_commit_is_kept_as_well(porter: Porter) -> None:
    import_id = porter.upload(HEADER + OTHER)["id"]
    assert porter.check(import_id)["counts"] == {"create": 1}
    porter.desk.register(AMINA, first_name="Maria", last_name="Samegard", state="TX")
    porter.commit_import(AMINA, import_id=import_id)
    porter.work()
    (row,) = porter.rows(import_id)
    assert row["outcome"] == "undecided"
    assert porter.decide(import_id, row["n"], "another")["outcome"] == "create"


@pytest.mark.requirement("T28")
def test_a_late_worker_decides_nothing(porter: Porter) -> None:
    import_id, _, _ = asked(porter)
    with porter.desk.work(AMINA) as work, pytest.raises(working.ImportOvertaken):
        deciding.decide_block(
            work, by=AMINA, now=porter.database.clock(), layer=porter.desk.layer, import_id=import_id, threads=SimpleNamespace(run=_at_once)
        )


def _at_once(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)
