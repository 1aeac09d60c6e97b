"""Undoing imports: in blocks, beside others, stopped and resumed, and without telling what others hold (N16)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.messages import Unavailable
from services.contacts.contract import imports as contract
from services.contacts.contract.refusals import IndividualUnknown
from services.contacts.storage.imports import set_aside
from services.contacts.usecases.imports import checking, committing, setting_aside, steering, undoing, working
from tests.cast import AMINA, BRUNO, CHLOE, GRACE
from tests.integration.contacts.conftest import Desk
from tests.integration.contacts.test_canaries import superuser
from tests.integration.contacts.test_imports import SMALL, SYSTEM, Porter


@pytest.fixture
def porter(desk: Desk) -> Porter:
    return Porter(desk)


def people(count: int) -> str:
    return "Last name,First name,Company,State,E-mail,Phone\n" + "".join(
        f"Levi{_letters(n)},Rivka,Company {_letters(n)},TX,u{n}@example.org,713-{220 + n % 600}-{n % 10000:04d}\n" for n in range(count)
    )


def _letters(n: int) -> str:
    return "".join(("bor", "tag", "nul", "fex", "wim", "dop", "kiz", "hys", "raq", "gev")[int(digit)] for digit in f"{n:05d}")


def test_an_undo_goes_in_blocks_shows_its_progress_and_goes_on_after_a_kill(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    done = porter.bring(people(3000), by=GRACE)
    porter.undo_import(GRACE, import_id=done["id"])
    total = porter.read(done["id"], GRACE)["progress"]["of"]
    undo_block, calls = undoing.undo_block, iter(range(99))

    def killed(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == 2:
            raise SystemExit
        return undo_block(*args, **kwargs)

    monkeypatch.setattr(undoing, "undo_block", killed)
    began = time.perf_counter()
    with pytest.raises(SystemExit):
        porter.work()
    halfway = porter.read(done["id"], GRACE)
    assert halfway["state"] == "undoing"
    assert 0 < halfway["progress"]["done"] < total
    left = porter.count("individuals")
    assert 0 < left < 3000
    with porter.desk.work(SYSTEM) as work:
        work.execute(text("UPDATE imports SET lease_until = NULL"))
    porter.work()
    print(f"{3000 / (time.perf_counter() - began):.0f} rows a second taken back")
    undone = porter.read(done["id"], GRACE)
    assert (undone["state"], undone["progress"]) == ("undone", {"done": total, "of": total})
    tables = ("individuals", "organizations", "contact_points", "directory", "import_effects", "relationships")
    assert [porter.count(table) for table in tables] == [0] * len(tables)
    told = [each for one in porter.desk.announced("contacts:individuals:erased") for each in one["individuals"]]
    assert len(set(told)) == len(told) == 3000


def test_an_undo_is_stopped_and_gone_on_with_and_holds_up_no_other_import(porter: Porter) -> None:
    big = porter.bring(people(2200), by=GRACE)
    second = porter.bring(SMALL.replace("Levi", "Adams").replace("rivka", "adams").replace("0134", "0199"), by=BRUNO)
    small = porter.upload(SMALL)["id"]
    porter.check(small)
    porter.undo_import(GRACE, import_id=big["id"])
    porter.commit_import(AMINA, import_id=small)
    assert porter.work_on_one_import(SYSTEM, undoing=True)
    while porter.work_on_one_import(SYSTEM):
        pass
    assert porter.read(small)["state"] == "committed"
    # One import after the other, a block of each.
    porter.undo_import(BRUNO, import_id=second["id"])
    for _ in range(2):
        porter.work_on_one_import(SYSTEM, undoing=True)
    assert porter.read(second["id"], BRUNO)["state"] == "undone"
    assert porter.read(big["id"], GRACE)["state"] == "undoing"
    for _ in range(2):
        stopped = porter.stop_import(GRACE, import_id=big["id"])
        assert (stopped["state"], stopped["stopped"]) == ("stopped", "undoing")
    left = porter.count("individuals")
    porter.work()
    assert porter.count("individuals") == left > 1
    assert porter.cancel_import(GRACE, import_id=big["id"])["state"] == "stopped"
    assert porter.resume_import(GRACE, import_id=big["id"])["state"] == "undoing"
    porter.work()
    assert porter.read(big["id"], GRACE)["state"] == "undone"
    assert porter.count("individuals") == 1
    with pytest.raises(contract.ImportStateUnsuitable):
        porter.stop_import(GRACE, import_id=big["id"])
    with pytest.raises(contract.ImportStateUnsuitable):
        porter.resume_import(GRACE, import_id=big["id"])


def test_a_check_and_a_commit_are_stopped_and_gone_on_with(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = porter.upload(people(1500), by=GRACE)["id"]
    steps = (("dry_run_import", checking, "check_block", "checked"), ("commit_import", committing, "commit_block", "committed"))
    for step, module, block, state in steps:
        original, calls = getattr(module, block), iter(range(99))

        def stopping(*args: Any, original: Any = original, calls: Any = calls, **kwargs: Any) -> Any:
            if next(calls) == 1:
                raise working.ImportOvertaken
            return original(*args, **kwargs)

        monkeypatch.setattr(module, block, stopping)
        getattr(porter, step)(GRACE, import_id=import_id)
        porter.work()
        monkeypatch.undo()
        assert porter.stop_import(GRACE, import_id=import_id)["state"] == "stopped"
        porter.work()
        assert porter.read(import_id, GRACE)["progress"] == {"done": 1000, "of": 1500}
        assert porter.resume_import(GRACE, import_id=import_id)["stopped"] is None
        porter.work()
        assert porter.read(import_id, GRACE)["state"] == state
    assert porter.read(import_id, GRACE)["counts"] == {"create": 1500}


@pytest.mark.requirement("N17")
def test_a_commit_that_was_stopped_is_taken_back_or_ends_after_a_day_with_what_is_in(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    for taken_back in (True, False):
        import_id = porter.upload(people(1500), by=GRACE)["id"]
        porter.check(import_id, GRACE)
        porter.commit_import(GRACE, import_id=import_id)
        original, calls = committing.commit_block, iter(range(99))

        def stopping(*args: Any, original: Any = original, calls: Any = calls, **kwargs: Any) -> Any:
            if next(calls) == 1:
                raise working.ImportOvertaken
            return original(*args, **kwargs)

        monkeypatch.setattr(committing, "commit_block", stopping)
        porter.work()
        monkeypatch.undo()
        porter.stop_import(GRACE, import_id=import_id)
        if taken_back:
            porter.undo_import(GRACE, import_id=import_id)
            porter.work()
            assert porter.read(import_id, GRACE)["state"] == "undone"
            assert porter.count("individuals") == 0
        else:
            porter.database.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)
            porter.cancel_imports_left_behind(SYSTEM)
            ended = porter.read(import_id, GRACE)
            assert (ended["state"], ended["counts"]) == ("committed", {"create": 1000, "lapsed": 500})
            assert porter.rows(import_id, "lapsed", GRACE)[0]["reason"] == steering.STOPPED
        assert porter.count("import_blocks") == 0
        assert porter.desk.layer.vault.keys([import_id]) == {}


@pytest.mark.requirement("T17")
def test_whether_a_record_stays_tells_nothing_of_what_another_component_holds(porter: Porter) -> None:
    outcomes = []
    for held in (False, True):
        name = "Levi" if held else "Adams"
        content = SMALL.replace("Levi", name).replace("rivka", name.lower()).replace("0134", "0135" if held else "0136")
        done = porter.bring(content)
        person = porter.rows(done["id"])[0]["individual_id"]
        if held:
            porter.desk.add(CHLOE, person, "cell", "713-555-0171")
            porter.desk.correct(CHLOE, person, "email", "levi@elsewhere.example.org")
        porter.undo(done["id"])
        outcomes.append((porter.read(done["id"])["progress"], porter.count("individuals")))
    assert outcomes[0] == outcomes[1]
    kept = porter.bring(SMALL.replace("rivka", "kept").replace("0134", "0137"))
    person = porter.rows(kept["id"])[0]["individual_id"]
    porter.desk.note(CHLOE, person, "Met at the levee.")
    porter.undo(kept["id"])
    assert porter.count("individuals") == 1, "a note is told to everybody"


@pytest.mark.requirement("R43")
def test_undoing_takes_back_the_relationship_that_the_import_made(porter: Porter) -> None:
    person = porter.desk.register(AMINA, last_name="Levi", first_name="Rivka", state="TX")["id"]
    done = porter.bring(SMALL.replace("Acme Levees", ""), by=CHLOE)
    (row,) = porter.rows(done["id"], by=CHLOE)
    porter.decide(done["id"], row["n"], "same", by=CHLOE)
    assert [each["component"] for each in porter.desk.read(AMINA, person)["relationships"]] == ["ICE", "PSO"]
    porter.undo(done["id"], CHLOE)
    assert [each["component"] for each in porter.desk.read(AMINA, person)["relationships"]] == ["ICE"]
    assert porter.desk.values(CHLOE, person) == []


def test_what_somebody_changed_between_commit_and_decision_stays(porter: Porter) -> None:
    done = porter.bring(SMALL)
    person = porter.rows(done["id"])[0]["individual_id"]
    porter.desk.change(BRUNO, person, title="Levee Master")
    porter.undo(done["id"])
    assert porter.desk.read(AMINA, person)["title"] == "Levee Master"


@pytest.mark.requirement("R138", "T24")
def test_on_whom_a_hold_stands_goes_for_everybody_and_is_set_aside(porter: Porter) -> None:
    done = porter.bring(people(3).replace("Rivka", "Rivka,").replace("First name", "First name,Title"))
    everybody = [row["individual_id"] for row in porter.rows(done["id"])]
    second = everybody[1]
    porter.held = {second}
    before = porter.desk.read(AMINA, second)
    assert porter.undo(done["id"])["state"] == "undone"
    with pytest.raises(IndividualUnknown):
        porter.desk.read(AMINA, second)
    assert [row["individual_id"] for row in porter.rows(done["id"])] == [None, None, None]
    told = [each for one in porter.desk.announced("contacts:individuals:erased") for each in one["individuals"]]
    assert sorted(told) == sorted(everybody)
    vault = porter.desk.layer.vault
    assert set(vault.keys(everybody)) == {second}
    with porter.desk.work(SYSTEM, role="eraser") as work:
        assert setting_aside.read(work, vault=vault, individual_id=second) == {**before, "set_aside": True}
        kept = set_aside.everybody(work)
    assert kept == [second]


def test_while_retention_cannot_say_who_is_held_nobody_goes(porter: Porter) -> None:
    done = porter.bring(people(3))
    answered = porter.bus.call
    porter.bus.call = lambda *_, **__: (_ for _ in ()).throw(Unavailable())
    porter.undo_import(AMINA, import_id=done["id"])
    with pytest.raises(Unavailable):
        porter.work()
    assert porter.count("individuals") == 3
    porter.bus.call = answered
    with porter.desk.work(SYSTEM) as work:
        work.execute(text("UPDATE imports SET lease_until = NULL"))
    porter.work()
    assert (porter.count("individuals"), porter.read(done["id"])["state"]) == (0, "undone")


@pytest.mark.requirement("R77")
def test_an_upload_that_was_interrupted_fails_with_a_sentence(porter: Porter) -> None:
    started = porter.create_import(AMINA, filename="a.csv")
    porter.append_import(AMINA, import_id=started["id"], n=0, chunk="TGFzdCBuYW1lCg==")
    porter.cancel_imports_left_behind(SYSTEM)
    assert porter.read(started["id"])["state"] == "uploading"
    porter.database.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)
    porter.cancel_imports_left_behind(SYSTEM)
    failed = porter.read(started["id"])
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "upload-interrupted")
    assert failed["problem"]["detail"] == "The upload was interrupted before the file was whole; upload it again."
    assert porter.count("import_pieces") == 0
    with pytest.raises(contract.ImportStateUnsuitable):
        porter.append_import(AMINA, import_id=started["id"], n=1, chunk="TGV2aQo=")


@pytest.mark.requirement("R77", "N17")
def test_however_an_upload_ends_no_key_of_its_pieces_is_kept(porter: Porter) -> None:
    def kept() -> set[str]:
        return {row.subject_id for row in superuser(porter.desk.keys.superuser, "SELECT subject_id::text AS subject_id FROM subject_keys")}

    def begun() -> str:
        started = porter.create_import(GRACE, filename="a.csv")
        porter.append_import(GRACE, import_id=started["id"], n=0, chunk="TGFzdCBuYW1lCg==")
        assert len(kept()) == 1, "the pieces are under a key of their own"
        return str(started["id"])

    porter.cancel_import(GRACE, import_id=begun())
    assert kept() == set()
    begun()
    clock = porter.database.clock
    porter.database.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)
    porter.cancel_imports_left_behind(SYSTEM)
    porter.database.clock = clock
    assert kept() == set()
    with pytest.raises(contract.NotAWorkbook):
        porter.upload(b"PK\x03\x04 and no workbook", "a.xlsx", by=GRACE)
    assert kept() == set()
    import_id = porter.upload(people(1), by=GRACE)["id"]
    assert kept() == {import_id}, "that of its rows"
    porter.commit(import_id, GRACE)
    (row,) = porter.rows(import_id, by=GRACE)
    assert kept() == {row["individual_id"]}


def test_a_worker_whose_lease_lapsed_takes_in_no_block_twice(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = porter.upload(people(1500), by=GRACE)["id"]
    porter.check(import_id, GRACE)
    porter.commit_import(GRACE, import_id=import_id)
    commit_block, late = committing.commit_block, []

    def overtaken(work: Any, **given: Any) -> None:
        late.append(given)
        commit_block(work, **given)

    monkeypatch.setattr(committing, "commit_block", overtaken)
    porter.work()
    monkeypatch.undo()
    assert porter.count("individuals") == 1500
    for given in late:
        with porter.desk.work(GRACE) as work, pytest.raises(working.ImportOvertaken):
            commit_block(work, **given)
    # As long as it goes on, too: the other one's position is not ours.
    again = porter.upload(people(1500).replace("Rivka", "Odette").replace("@", "@o.").replace("713-", "214-"), by=GRACE)["id"]
    porter.check(again, GRACE)
    porter.commit_import(GRACE, import_id=again)
    taken = iter(range(9))

    def twice(work: Any, **given: Any) -> None:
        commit_block(work, **given)
        if next(taken) == 0:
            late.append(given)
            raise SystemExit

    monkeypatch.setattr(committing, "commit_block", twice)
    with pytest.raises(SystemExit):
        porter.work()
    monkeypatch.undo()
    with porter.desk.work(GRACE) as work:
        commit_block(work, **late[-1])
    with porter.desk.work(GRACE) as work, pytest.raises(working.ImportOvertaken):
        commit_block(work, **late[-1])
    with porter.desk.work(SYSTEM) as work:
        work.execute(text("UPDATE imports SET lease_until = NULL"))
    porter.work()
    assert porter.read(again, GRACE)["counts"] == {"create": 1500}
    assert porter.count("individuals") == 3000


@pytest.mark.requirement("R82")
def test_a_check_that_was_killed_after_its_first_block_begins_again(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two rows of one person lie in two blocks: only a check that knows its first block sees that.
    content = people(1100) + people(1).splitlines()[1] + "\n"
    import_id = porter.upload(content, by=GRACE)["id"]
    porter.dry_run_import(GRACE, import_id=import_id)
    check_block, done = checking.check_block, []

    def killed(work: Any, **given: Any) -> None:
        if done:
            raise SystemExit
        check_block(work, **given)
        done.append(given)

    monkeypatch.setattr(checking, "check_block", killed)
    with pytest.raises(SystemExit):
        porter.work()
    monkeypatch.undo()
    assert porter.read(import_id, GRACE)["progress"]["done"] == 1000
    # Nor does anybody check a block that was checked, though the import waits for its next one.
    with porter.desk.work(GRACE) as work, pytest.raises(working.ImportOvertaken):
        check_block(work, **done[0])
    with porter.desk.work(SYSTEM) as work:
        work.execute(text("UPDATE imports SET lease_until = NULL"))
    porter.work()
    assert porter.read(import_id, GRACE)["counts"] == {"create": 1100, "duplicate": 1}


def _stop(porter: Porter, import_id: str) -> None:
    porter.stop_import(GRACE, import_id=import_id)


def _stop_and_resume_elsewhere(porter: Porter, import_id: str) -> None:
    _stop(porter, import_id)
    porter.resume_import(GRACE, import_id=import_id)
    porter.work()


def _cancel(porter: Porter, import_id: str) -> None:
    porter.cancel_import(GRACE, import_id=import_id)


@pytest.mark.requirement("R82", "N16")
@pytest.mark.parametrize(
    ("step", "meanwhile"),
    [
        ("check_block", _stop),
        ("check_block", _cancel),
        ("check_block", _stop_and_resume_elsewhere),
        ("commit_block", _stop),
        ("commit_block", _stop_and_resume_elsewhere),
        ("undo_block", _stop),
        ("undo_block", _stop_and_resume_elsewhere),
    ],
)
def test_a_block_that_comes_late_changes_nothing_whatever_became_of_its_import(
    porter: Porter, monkeypatch: pytest.MonkeyPatch, step: str, meanwhile: Callable[[Porter, str], None]
) -> None:
    """A worker hung until its lease lapsed: it has its block, and others have gone on."""
    module: Any = {"check_block": checking, "commit_block": committing, "undo_block": undoing}[step]
    import_id = porter.upload(people(3), by=GRACE)["id"]
    if step != "check_block":
        porter.check(import_id, GRACE)
    if step == "undo_block":
        porter.commit(import_id, GRACE)
    ask = {"check_block": porter.dry_run_import, "commit_block": porter.commit_import, "undo_block": porter.undo_import}[step]
    ask(GRACE, import_id=import_id)
    do, late = getattr(module, step), []

    def sits_still(work: Any, **given: Any) -> Any:
        late.append(given)
        raise SystemExit

    monkeypatch.setattr(module, step, sits_still)
    with pytest.raises(SystemExit):
        porter.work()
    monkeypatch.undo()
    meanwhile(porter, import_id)
    before = (porter.read(import_id, GRACE), porter.count("individuals"), porter.count("import_rows"))
    role = "eraser" if step == "undo_block" else None
    with porter.desk.work(GRACE, role) as work, pytest.raises(working.ImportOvertaken):
        do(work, **late[0])
    assert (porter.read(import_id, GRACE), porter.count("individuals"), porter.count("import_rows")) == before


@pytest.mark.requirement("N16")
def test_a_block_that_another_has_taken_back_is_not_taken_back_again_while_the_undo_goes_on(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing, "EFFECTS", 2)
    import_id = porter.bring(people(3), by=GRACE)["id"]
    porter.undo_import(GRACE, import_id=import_id)
    with porter.desk.work(GRACE, "eraser") as work:
        block = undoing.next_block(work, import_id)
    given: dict[str, Any] = {"vault": porter.desk.layer.vault, "import_id": import_id, "block": block, "held": ()}

    def take_back() -> None:
        with porter.desk.work(GRACE, "eraser") as work:
            undoing.undo_block(work, now=porter.database.clock(), **given)

    take_back()
    before = (porter.read(import_id, GRACE), porter.count("individuals"))
    assert before[0]["state"] == "undoing"
    with pytest.raises(working.ImportOvertaken):
        take_back()
    assert (porter.read(import_id, GRACE), porter.count("individuals")) == before
    porter.work()
    assert (porter.read(import_id, GRACE)["state"], porter.count("individuals")) == ("undone", 0)


@pytest.mark.requirement("R82")
def test_only_one_worker_has_an_import_until_its_lease_lapses(porter: Porter, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = porter.upload(people(3), by=GRACE)["id"]
    porter.dry_run_import(GRACE, import_id=import_id)

    def sits_still(work: Any, **given: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(checking, "check_block", sits_still)
    with pytest.raises(SystemExit):
        porter.work()
    monkeypatch.undo()
    clock = porter.database.clock
    assert porter.work_on_one_import(SYSTEM) is False
    began = clock()
    monkeypatch.setattr(porter.database, "clock", lambda: began + working.LEASE - dt.timedelta(seconds=10))
    assert porter.work_on_one_import(SYSTEM) is False
    monkeypatch.setattr(porter.database, "clock", lambda: began + working.LEASE + dt.timedelta(seconds=1))
    assert porter.work_on_one_import(SYSTEM) is True
    assert porter.read(import_id, GRACE)["state"] == "checked"
