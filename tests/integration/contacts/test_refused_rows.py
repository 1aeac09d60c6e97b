"""Refused rows go back to their importer, to be corrected: to nobody else, for a limited time, and without blocked people."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from services.contacts.contract import imports as contract
from services.contacts.storage.vault import KeyDestroyed, decrypt
from services.contacts.usecases.imports import refused_rows
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, GRACE
from tests.integration.contacts.conftest import Desk
from tests.integration.contacts.test_imports import SYSTEM, Porter

HEADER = "Company,Last name,Party,First name,Cell,E-mail,State\n"
GOOD = "Acme Levees,Levi,Whig,Rivka,512-555-0134,rivka@example.org,TX\n"
BAD = "Beanery,Bean,Whig,Aaron,call me,aaron@example.org,FL\n"
WORSE = ",,Whig,Zelda,,nowhere,\n"
COLUMNS = ["Company", "Last name", "First name", "Cell", "E-mail", "State"]


@pytest.fixture
def porter(desk: Desk) -> Porter:
    return Porter(desk)


@pytest.mark.requirement("R77", "R13")
def test_refused_rows_come_back_with_their_cells_and_without_refused_columns(porter):
    import_id = porter.upload(HEADER + GOOD + BAD + WORSE)["id"]
    given = [
        (3, {"Company": "Beanery", "Last name": "Bean", "First name": "Aaron", "Cell": "call me", "E-mail": "aaron@example.org", "State": "FL"}),
        (4, {"First name": "Zelda", "E-mail": "nowhere"}),
    ]
    checked = porter.check(import_id)
    assert (checked["counts"], checked["refused_rows_until"]) == ({"create": 3}, None)
    assert porter.refused(import_id) == (COLUMNS, given)
    done = porter.commit(import_id)
    assert done["counts"] == {"create": 3}
    assert porter.refused(import_id, limit=1) == (COLUMNS, given)
    until = dt.datetime.fromisoformat(done["refused_rows_until"]) - dt.datetime.fromisoformat(done["finished_at"])
    assert until == refused_rows.KEPT
    assert [row["cells"] for row in porter.list_refused_import_rows(AMINA, import_id=import_id, query={})["items"]] == [cells for _, cells in given]


@pytest.mark.requirement("T17", "R193")
def test_refused_rows_are_their_sender_s_alone(porter):
    done = porter.bring(HEADER + BAD)
    for who in (BRUNO, CHLOE, GRACE, EDDA):
        with pytest.raises(contract.ImportUnknown):
            porter.refused(done["id"], who)
    porter.refused(done["id"])
    read = [entry for entry in porter.desk.entries() if entry["action"] == "contacts:import:list-refused-rows"]
    assert [(entry["actor"], entry["subjects"], entry["fields"]) for entry in read] == [(AMINA.id, [done["id"]], ["cells"])]
    assert "bean" not in str(porter.desk.entries()).lower()


@pytest.mark.requirement("N17", "R193")
def test_refused_rows_are_kept_under_a_key_that_opens_no_other_row(porter):
    import_id = porter.upload(HEADER + GOOD + BAD)["id"]
    porter.check(import_id)
    (staged,) = porter.desk.rows("SELECT ciphertext FROM import_blocks")
    porter.commit(import_id)
    stored = "".join(str(row) for table in ("imports", "import_refused", "import_rows") for row in porter.desk.rows(f"SELECT * FROM {table}"))
    assert "Bean" not in stored
    vault = porter.desk.layer.vault
    with pytest.raises(KeyDestroyed):
        vault.key(import_id)
    with pytest.raises(InvalidTag):
        decrypt(vault.key(refused_rows.key_of(import_id)), bytes(staged.ciphertext), bound_to=f"import block {import_id} 0")
    assert porter.count("import_refused") == 1


def _gone(porter: Porter, import_id: str) -> bool:
    _, rows = porter.refused(import_id)
    assert all(cells is None for _, cells in rows)
    return porter.count("import_refused") == 0 and porter.desk.layer.vault.keys([refused_rows.key_of(import_id)]) == {}


@pytest.mark.requirement("N17")
def test_refused_rows_are_gone_for_good_at_their_date_with_undo_with_cancel_and_with_a_failure(porter):
    kept = porter.bring(HEADER + BAD)["id"]
    now = dt.datetime.now(dt.UTC)
    porter.database.clock = lambda: now + refused_rows.KEPT - dt.timedelta(minutes=1)
    porter.cancel_imports_left_behind(SYSTEM)
    assert porter.refused(kept)[1][0][1]
    porter.database.clock = lambda: now + refused_rows.KEPT + dt.timedelta(minutes=1)
    porter.cancel_imports_left_behind(SYSTEM)
    assert _gone(porter, kept)
    assert porter.read(kept)["refused_rows_until"] is None
    assert [row["refused"] for row in porter.rows(kept)] == [[{"column": "Cell", "reason": "Not a telephone number."}]]
    (entry,) = [entry for entry in porter.desk.entries() if entry["action"] == "contacts:import:forget-refused-rows"]
    assert entry["subjects"] == [kept]
    undone = porter.bring(HEADER + GOOD + BAD)["id"]
    porter.undo(undone)
    assert _gone(porter, undone)
    cancelled = porter.upload(HEADER + BAD)["id"]
    porter.check(cancelled)
    porter.cancel_import(AMINA, import_id=cancelled)
    assert _gone(porter, cancelled)
    failed = porter.upload(HEADER + BAD)["id"]
    porter.check(failed)
    porter.commit_import(AMINA, import_id=failed)
    porter.desk.know(AMINA, active=False)
    porter.work()
    assert porter.read(failed)["state"] == "failed"
    assert _gone(porter, failed)


def test_nothing_is_kept_of_an_import_without_refused_rows(porter):
    done = porter.bring(HEADER + GOOD)
    assert done["refused_rows_until"] is None
    assert _gone(porter, done["id"])


def test_another_mapping_is_another_check(porter):
    import_id = porter.upload(HEADER + BAD)["id"]
    porter.check(import_id)
    porter.change(import_id, mapping=[{"column": "Last name", "field": "last_name"}])
    assert porter.count("import_refused") == 0
    assert porter.check(import_id)["counts"] == {"create": 1}
    assert porter.count("import_refused") == 0


@pytest.mark.requirement("T9", "T21", "R165")
def test_of_who_is_blocked_no_cell_is_kept_whatever_is_wrong_with_the_row(porter):
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    wrong = HEADER + GOOD.replace("TX", "Atlantis")
    porter.desk.freeze(CHLOE, person)
    frozen = porter.bring(wrong)
    porter.desk.erase(person)
    suppressed = porter.bring(wrong)
    for done in (frozen, suppressed):
        assert done["counts"] == {"blocked": 1}
        assert porter.refused(done["id"])[1] == []
    assert porter.count("import_refused") == 0


@pytest.mark.requirement("T9", "R165")
def test_who_is_blocked_between_check_and_commit_is_kept_of_no_more(porter):
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    import_id = porter.upload(HEADER + GOOD.replace("TX", "Atlantis"))["id"]
    porter.check(import_id)
    assert porter.count("import_refused") == 1
    porter.commit_import(AMINA, import_id=import_id)
    porter.desk.freeze(CHLOE, person)
    porter.work()
    assert porter.read(import_id)["counts"] == {"blocked": 1}
    assert porter.count("import_refused") == 0


@pytest.mark.requirement("N3", "R165")
def test_erasing_somebody_reaches_the_refused_rows_that_tell_of_them(porter):
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    rows = [
        "Rivka and all the others,Levi,,,call me,,TX,surplus\n",  # by given and family name, in whatever cells
        "Nowhere,Cohen,,Dalia,call me,rivka@example.org,TX,surplus\n",  # by an e-mail
        "Nowhere,Cohen,,Dalia,(512) 555-0134 or so,,TX,surplus\n",  # by a telephone
        "Nowhere,Levi,,Dalia,call me,,TX,surplus\n",  # of another of that family
    ]
    import_id = porter.bring(HEADER + "".join(rows) + BAD)["id"]
    assert [row for row, _ in porter.refused(import_id)[1]] == [2, 3, 4, 5, 6]
    receipts = porter.desk.erase(person)["sought"]["receipts"]
    (receipt,) = [receipt for receipt in receipts if receipt["store"] == "contacts.import_refused"]
    assert (receipt["found"], receipt["removed"], receipt["left"]) == (3, 3, 0)
    assert [row for row, cells in porter.refused(import_id)[1] if cells is not None] == [5, 6]


@pytest.mark.requirement("N3")
def test_where_a_column_is_called_by_a_person_s_name_the_seeker_looks_there_too(porter):
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    started = porter.upload("Last name,First name,Rivka Levi\nBean,Aaron,nowhere\n")
    fields = {"Last name": "last_name", "First name": "first_name", "Rivka Levi": "email"}
    porter.change(started["id"], mapping=[{"column": column, "field": field} for column, field in fields.items()])
    porter.commit(started["id"])
    assert porter.rows(started["id"])[0]["refused"][0]["column"] == "Rivka Levi"
    assert porter.refused(started["id"])[1][0][1]
    porter.desk.erase(person)
    assert porter.refused(started["id"]) == ([], [(2, None)])
    assert porter.rows(started["id"])[0]["refused"][0]["column"] == "A column"


def test_a_page_is_no_larger_than_a_message_should_be(porter):
    long = "x" * 60_000
    done = porter.bring("Last name,Note\n" + "".join(f",{long}{n}\n" for n in range(12)), by=AMINA)
    assert done["counts"] == {"invalid": 12}
    page = porter.list_refused_import_rows(AMINA, import_id=done["id"], query={"limit": "200"})
    assert 0 < len(page["items"]) < 12
    assert [cells["Note"][60_000:] for _, cells in porter.refused(done["id"])[1]] == [str(n) for n in range(12)]


def test_the_seeker_goes_through_more_rows_than_it_takes_at_once(porter, monkeypatch):
    monkeypatch.setattr(refused_rows, "_SOUGHT_AT_ONCE", 2)
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    told = "Nowhere,Cohen,,Dalia,call me,rivka@example.org,TX,surplus\n"
    import_id = porter.bring(HEADER + told + BAD + BAD + told + told)["id"]
    porter.desk.erase(person)
    assert [row for row, cells in porter.refused(import_id)[1] if cells] == [3, 4]
    with porter.desk.work(AMINA) as work:
        assert work.execute(text("SELECT count(*) FROM import_refused")).scalar_one() == 2


@pytest.mark.requirement("N3", "T27")
def test_rows_of_a_file_that_waits_to_be_committed_lose_whoever_is_erased(porter):
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    other = "Nowhere,Cohen,,Dalia,512-555-0177,dalia@example.org,TX\n"
    uploaded, checked = (porter.upload(HEADER + other + GOOD + "Nowhere,Cohen,,Noa,,RIVKA@example.org,TX\n")["id"] for _ in range(2))
    assert porter.check(checked)["counts"] == {"create": 2, "duplicate": 1}
    receipts = porter.desk.erase(person, cause="mistake")["sought"]["receipts"]
    (receipt,) = [receipt for receipt in receipts if receipt["store"] == "contacts.import_blocks"]
    assert (receipt["found"], receipt["removed"], receipt["left"]) == (4, 4, 0)
    for import_id in (uploaded, checked):
        vault = porter.desk.layer.vault
        for block in porter.desk.rows("SELECT n, ciphertext, prepared FROM import_blocks WHERE import_id = :id", id=import_id):
            said = decrypt(vault.key(import_id), bytes(block.ciphertext), bound_to=f"import block {import_id} {block.n}")
            assert block.prepared is None
            assert "rivka" not in said.lower()
            assert "Dalia" in said
        porter.commit(import_id)
        assert [row["reason"].startswith(refused_rows.GONE) for row in porter.rows(import_id, "invalid")] == [True, True]
    assert porter.desk.found(AMINA, q="Rivka") == []
    assert len(porter.desk.found(AMINA, q="Dalia Cohen")) == 1


@pytest.mark.requirement("N3")
def test_a_file_whose_columns_are_called_by_an_erased_person_is_given_up_and_its_refused_columns_lose_the_name(porter):
    person = porter.rows(porter.bring(HEADER + GOOD)["id"])[0]["individual_id"]
    waits = porter.upload("Last name,First name,Rivka Levi\nBean,Aaron,nowhere\n")["id"]
    ended = porter.upload("Last name,First name,Religion of Rivka Levi\nBean,Aaron,none\n")["id"]
    assert [column["column"] for column in porter.read(ended)["refused_columns"]] == ["Religion of Rivka Levi"]
    porter.desk.erase(person)
    given_up = porter.read(waits)
    assert (given_up["state"], given_up["problem"]["code"], given_up["mapping"]) == ("failed", "file-tells-of-erased", [])
    assert porter.desk.rows("SELECT 1 FROM import_blocks WHERE import_id = :id", id=waits) == []
    with pytest.raises(KeyDestroyed):
        porter.desk.layer.vault.key(waits)
    (column,) = porter.read(ended)["refused_columns"]
    assert (column["column"], bool(column["reason"]), bool(column["requirement"])) == ("A column", True, True)
