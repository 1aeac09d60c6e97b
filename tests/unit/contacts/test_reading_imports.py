"""Reading files to import: real ones in every order, and harmful ones."""

import codecs
import io
import itertools
import re
import time
import zipfile
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import vobject
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.chassis.messages import Refusal
from services.contacts.contract import imports as contract
from services.contacts.contract.imports import NOT_TAKEN_IN
from services.contacts.domain.imports import columns, planning, reading, records
from services.contacts.domain.imports.addresses import Office, split_address
from services.contacts.domain.imports.cards import CUT_OFF
from services.contacts.domain.imports.records import Record
from services.contacts.domain.imports.tables import DAMAGED, SAMPLE, Row, Rows, Table
from services.lexicon.names import family_key
from services.lexicon.splitting import PersonName

DATA = Path(__file__).parents[2] / "data"
FILES = ("congress.csv", "district-offices.xlsx", "outlook-senators.csv", "cards.vcf")


def table_of(name: str) -> Table:
    return reading.read(name, (DATA / name).read_bytes())


def values_of(record: records.Record) -> dict[str, str]:
    return {kind: value for kind, value, _ in record.points}


def records_of(table: Table) -> list[records.Record]:
    mapping = columns.propose(table.columns, table.rows)
    return [records.record_of(row, mapping) for row in table.rows]


def first(text: str, name: str = "list.csv") -> records.Record:
    return records_of(reading.read(name, text.encode()))[0]


@pytest.fixture(scope="module")
def real():
    return {name: records_of(table_of(name)) for name in FILES}


def workbook(*sheets) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for at, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, tuple):
                        sheet.write_formula(at, column, *cell)
                    else:
                        sheet.write(at, column, cell)
    return file.getvalue()


FAR_ROW = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>1</v></c></row>'
FAR_COLUMN = b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1"><v>1</v></c></row>'


def sheet_of(rows: bytes) -> bytes:
    return b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"


def archive(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook([["Last name"], ["Levi"]]))) as good, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bad:
        for entry in good.infolist():
            bad.writestr(entry.filename, parts.pop(entry.filename.rpartition("/")[2].replace(".", "_"), None) or good.read(entry))
    assert not parts
    return file.getvalue()


# --- real files ---


@pytest.mark.requirement("R77", "R78", "R79", "R82")
@pytest.mark.parametrize("order", list(itertools.permutations(FILES))[::4], ids=lambda order: "-".join(name[0] for name in order))
def test_in_whatever_order_every_member_exists_once_and_no_office_is_lost(real, order):
    register, ids = planning.Register(), itertools.count()
    for name in order:
        # Of whom T28 asks is decided all alike: they are the same.
        same = dict.fromkeys(range(len(real[name])), planning.Answer("same", or_new=True))
        made = planning.plan(real[name], register, blocked=(), new_id=lambda: str(next(ids)), answers=same)
        assert {decision.outcome for decision in made.decisions} <= {"create", "update", "duplicate"}
        assert len(made.decisions) == len(real[name])
    people = [person for family in register.people.values() for person in family.everybody.values()]
    assert len(people) == 537
    # Nobody was merged with another who then exists twice: by family name they are as many as in the list of all.
    listed = Counter(family_key(record.name.last_name) for record in real["congress.csv"])
    there = Counter(person.family for person in people)
    assert sum((listed - there).values()) <= 1  # "Hernández Rivera" and "Hernández" are one
    offices = Counter({o.name: len(o.offices) for o in register.organizations.values() if o.offices})
    assert (len(offices), offices.total()) == (536, 1312)
    assert sum(person.organization in offices for person in people) == 536


@pytest.mark.requirement("R13", "R193", "R34")
def test_columns_that_the_system_must_not_hold_are_refused_by_name_with_reason_and_requirement():
    refused = {name: {r["column"]: r for r in columns.refused(table_of(name).columns)} for name in FILES}
    assert set(refused["congress.csv"]) == {"Party", "DOB", "Gender", "Web site", "Contact form"}
    assert set(refused["district-offices.xlsx"]) == {"Fax"}
    assert set(refused["outlook-senators.csv"]) == {
        "Birthday", "Gender", "Business Fax", "Web Page", "Home Street", "Home City", "Home State",
    }  # fmt: skip
    assert set(refused["cards.vcf"]) == {"Web page"}
    assert all(r["reason"] and re.fullmatch(r"R\d+", r["requirement"]) for found in refused.values() for r in found.values())


def test_what_is_kept_of_a_record_is_the_record_with_its_signs(real):
    for found in real.values():
        for record in found:
            again = msgspec.json.decode(msgspec.json.encode(record), type=Record)
            assert again == record
            assert again.signs == record.signs


@pytest.mark.requirement("R27", "R80", "T18")
def test_the_list_of_congress_is_read_as_its_note_says(real):
    by_name = {(r.name.first_name, r.name.last_name): r for r in real["congress.csv"]}
    bishop = by_name["Sanford D.", "Bishop Jr."]
    assert (bishop.title, bishop.state, bishop.state_proposed) == ("Representative", "GA", False)
    assert values_of(bishop)["work_address"].endswith("Washington, DC 20515-1002")
    assert ('Jesús G. "Chuy"', "García") in by_name
    assert not any(r.problems for r in real["congress.csv"])


@pytest.mark.requirement("R77", "R21", "R22")
def test_the_workbook_s_header_is_in_row_three_and_suites_go_with_the_street(real):
    record = real["district-offices.xlsx"][0]
    assert (record.sheet, record.number, record.organization) == ("Senate", 4, "Office of Senator Tammy Baldwin")
    assert record.offices == (
        Office(street="500 South Barstow St., Suite LL2", city="Eau Claire", state="WI", postal_code="54701", phone="715-832-8424"),
    )
    assert len(real["district-offices.xlsx"]) == 1312
    assert any("#780" in (r.offices[0].street or "") for r in real["district-offices.xlsx"])


@pytest.mark.requirement("R79")
def test_outlook_s_categories_are_proposed_as_state_where_all_are_states():
    table = table_of("outlook-senators.csv")
    mapping = columns.propose(table.columns, table.rows)
    assert len(table.columns) == 29
    assert (mapping["Categories"], mapping["Title"], mapping["Job Title"]) == ("state", "salutation", "title")
    other = Rows([Row(None, 2, {"Categories": "Golf"})])
    assert "Categories" not in columns.propose(table.columns, other)


@pytest.mark.requirement("R79", "R73")
def test_cards_are_read_as_the_usual_library_reads_them(real):
    text = (DATA / "cards.vcf").read_text()
    cards = [vobject.readOne("BEGIN:VCARD" + part, ignoreUnreadable=True, allowQP=True) for part in text.split("BEGIN:VCARD")[1:]]
    assert len(cards) == len(real["cards.vcf"]) == 179
    for card, record in zip(cards, real["cards.vcf"], strict=True):
        assert record.name.last_name == " ".join(part for part in (card.n.value.family, card.n.value.suffix) if part)
        assert record.organization == card.org.value[0]
        assert ("tel" in card.contents) is ("work_phone" in values_of(record))
        if "tel" in card.contents:
            assert values_of(record)["work_phone"] == card.tel.value.removeprefix("tel:+1-")
        if "adr" in card.contents:
            assert card.adr.value.street.split(" Washington")[0] in values_of(record)["work_address"]
    assert any(record.name == PersonName("", "Ben", "Luján") for record in real["cards.vcf"])


# --- how tables may look ---


@pytest.mark.requirement("R78", "R80")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_a_list_is_read_in_whatever_encoding_it_was_saved(encoding):
    text = "Last name;First name;City\nGarcía;Jesús;San José\nMüller;Jörg;Düsseldorf\nÑuñez;Begoña;A Coruña\n"
    table = reading.read("list.csv", text.encode(encoding))
    assert [row.cells["Last name"] for row in table.rows] == ["García", "Müller", "Ñuñez"]


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gb18030"])
def test_a_list_in_another_script_is_recognised(encoding):
    names = {"cp1251": "Иванова Мария Сергеевна\n", "shift_jis": "山田太郎さんとすずきはなこさん\n", "gb18030": "王小明和李小红在北京的朋友们\n"}
    text = "Last name\n" + names[encoding] * 5
    assert reading.read("list.csv", text.encode(encoding)).rows[0].cells["Last name"] == names[encoding].strip()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_found_even_where_cells_have_others(delimiter):
    text = delimiter.join(["Last name", "Organization"]) + f'\n"Levi"{delimiter}"Smith, Jones; Partners | Sons"\n'
    assert reading.read("list.csv", text.encode()).rows[0].cells["Organization"] == "Smith, Jones; Partners | Sons"


def test_a_title_row_blank_rows_and_blank_columns_are_passed_over():
    text = "Guests of the roundtable,,\n,,\n,Last name,First name\n,Levi,Dov\n,,\n,Adams,Alma\n"
    table = reading.read("list.csv", text.encode())
    assert [(row.number, row.cells["Last name"]) for row in table.rows] == [(4, "Levi"), (6, "Adams")]


@pytest.mark.requirement("R77")
def test_a_formula_is_text_and_numbers_and_zips_are_as_written():
    content = workbook([["Last name", "Organization", "Street", "ST", "Zip"], [("=1+1", None, "Levi"), "=HYPERLINK(1)", "5 Main St", "MA", 2458]])
    record = records_of(reading.read("list.xlsx", content))[0]
    assert (record.name.last_name, record.organization, record.offices[0].postal_code) == ("Levi", "=HYPERLINK(1)", "02458")


def test_two_sheets_with_the_same_columns_are_one_table():
    content = workbook([["LAST NAME"], ["Levi"]], [["Last name", "Org"], ["Adams", "ICE"]], [])
    table = reading.read("list.xlsx", content)
    assert (table.columns, len(table.rows)) == (["LAST NAME", "Org"], 2)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (",202-224-3441,,", "The row has neither a name nor an organization."),
        ("Levi,,,TX,surplus", "The row has more cells than there are columns."),
        (f"{'L' * 201},,,", "The row has neither a name nor an organization."),
    ],
)
def test_a_row_that_is_half_there_says_what_is_wrong_with_it(cells, problem):
    assert problem in first(f"Last name,Phone,E-mail,State\n{cells}\n").problems


@pytest.mark.requirement("T18")
def test_a_state_is_proposed_from_the_address_only_where_no_column_says_it():
    given = first("Last name,State,Address\nLevi,TX,5 Main St Albany NY 12207\n")
    assert (given.state, given.state_proposed) == ("TX", False)
    proposed = first("Last name,State,Address\nLevi,,5 Main St Albany NY 12207\n")
    assert (proposed.state, proposed.state_proposed) == ("NY", True)
    assert proposed.points == (("work_address", "5 Main St, Albany, NY 12207", "5 main st albany ny 12207"),)


def test_an_organization_without_a_person_is_a_row_too():
    record = first("Organization,Office phone\nAcme Levees,512-555-0134\n")
    assert not record.is_person
    assert record.problems == ()


def test_a_card_that_was_never_closed_and_one_of_nonsense_do_not_take_the_others():
    text = "BEGIN:VCARD\nN:Levi;Dov\nBEGIN:VCARD\nVERSION:3.0\nEND:VCARD\nBEGIN:VCARD\nN:Adams;Alma\nEMAIL:a@b.org\nEND:VCARD\n"
    names = [record.name for record in records_of(reading.read("c.vcf", text.encode()))]
    assert names == [PersonName("", "Dov", "Levi"), PersonName("", "Alma", "Adams")]
    assert [record.problems for record in records_of(reading.read("c.vcf", text.encode()))] == [(CUT_OFF,), ()]


@pytest.mark.requirement("R34")
def test_what_a_card_says_of_the_home_is_refused_and_let_go():
    table = reading.read("c.vcf", b"BEGIN:VCARD\nN:Levi;Dov\nADR;TYPE=home:;;5 Secret St;Austin;TX\nX-SPOUSE:Rivka\nEND:VCARD\n")
    assert {r["column"] for r in columns.refused(table.columns)} == {"Home address", "Card field X-SPOUSE"}
    assert "Secret" not in repr(table)
    assert "Rivka" not in repr(table)


# --- mappings ---


def test_a_mapping_can_be_changed_but_a_refused_column_cannot_be_mapped():
    names = ["Member", "Party", "Notes"]
    refused = columns.refused(names)
    staged = [name for name in names if name not in {r["column"] for r in refused}]
    assert columns.checked([{"column": "Member", "field": "last_name"}, {"column": "Party", "field": None}], staged, refused) == {
        "Member": "last_name"
    }
    with pytest.raises(contract.ColumnRefused, match=r"Party.*R13"):
        columns.checked([{"column": "Party", "field": "title"}], staged, refused)
    with pytest.raises(contract.MappingInvalid):
        columns.checked([{"column": "Nobody", "field": "title"}], staged, refused)
    with pytest.raises(contract.MappingInvalid):
        columns.checked([{"column": "Member", "field": "title"}, {"column": "Notes", "field": "title"}], staged, refused)
    with pytest.raises(contract.MappingIncomplete):
        columns.require_enough({"Notes": "title"})


@pytest.mark.requirement("R13", "R41")
@pytest.mark.parametrize("name", ["Religion", "Member's party", "Fax 2", "date_of_birth", "E-mail Fax", "SSN", "Race/Ethnicity", "SPOUSE", "Age"])
def test_a_forbidden_column_is_known_in_other_spellings(name):
    assert columns.refused([name])


# --- files that nobody should have sent ---


def csv_of(rows: int) -> bytes:
    return b"Last name\n" + b"Levi\n" * rows


@pytest.mark.parametrize(
    ("name", "content", "refusal"),
    [
        ("a.pdf", b"%PDF", contract.FileTypeUnknown),
        ("a", b"x", contract.FileTypeUnknown),
        ("a.csv", b"", contract.FileEmpty),
        ("a.csv", b"\xef\xbb\xbf \r\n", contract.FileEmpty),
        ("a.csv", b"Last name,First name\n", contract.FileEmpty),
        ("a.csv", b"Last name,last NAME\nLevi,Dov\n", contract.HeaderDuplicate),
        ("a.csv", bytes(range(256)) * 10, contract.NotText),
        ("a.csv", b"PK\x03\x04" + bytes(range(200)), contract.NotText),
        ("a.csv", b"\xff\xfe\x00", contract.NotText),
        ("a.csv", b"x" * (10 * 2**20 + 1), contract.FileTooLarge),
        ("a.csv", csv_of(100_001), contract.TooManyRows),
        ("a.csv", ",".join(f"c{n}" for n in range(101)).encode() + b"\n" + b"x," * 101, contract.TooManyColumns),
        ("a.csv", b'Last name\n"' + b"x\n" * 100_000, contract.CellTooLong),
        ("a.xlsx", b"no workbook", contract.NotAWorkbook),
        ("a.xlsx", b"PK\x03\x04", contract.NotAWorkbook),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, contract.OldWorkbook),
        ("a.xlsx", workbook([]), contract.FileEmpty),
        ("a.xlsx", workbook([["Last name", "Last name"], ["Levi", "x"]]), contract.HeaderDuplicate),
        ("a.xlsx", workbook([["x"] * 101]), contract.TooManyColumns),
        ("a.vcf", b"hello", contract.NotCards),
        ("a.vcf", b"BEGIN:VCARD\nEND:VCARD\n", contract.NotCards),
        ("a.vcf", b"BEGIN:VCARD\n" + b"BEGIN:X\n" * 21, contract.NestedTooDeep),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_its_code(name, content, refusal):
    with pytest.raises(refusal) as refused:
        reading.read(name, content)
    assert refused.value.code
    assert str(refused.value)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("part", "content", "refusal"),
    [
        ("sheet1_xml", b"<worksheet>" + b" " * (101 << 20), contract.FileUnpacksTooLarge),
        ("sheet1_xml", sheet_of(FAR_ROW), contract.TooManyRows),
        ("sheet1_xml", sheet_of(FAR_COLUMN), contract.TooManyColumns),
        ("sheet1_xml", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>', contract.NotAWorkbook),
        ("workbook_xml", b"<nonsense", contract.NotAWorkbook),
    ],
    ids=["bomb", "far row", "far column", "entities", "nonsense"],
)  # fmt: skip
def test_a_workbook_made_to_hurt_is_refused_before_it_is_laid_out(part, content, refusal):
    with pytest.raises(refusal):
        reading.read("a.xlsx", archive(**{part: content}))


@pytest.mark.timeout(20)
def test_one_long_text_in_a_million_cells_is_refused():
    shared = b"<sst><si><t>" + b"x" * 60_000 + b"</t></si></sst>"
    rows = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 5000))
    with pytest.raises(contract.FileUnpacksTooLarge):
        reading.read("a.xlsx", archive(sheet1_xml=sheet_of(rows), sharedStrings_xml=shared))


SAMPLES = {name: (DATA / name).read_bytes() for name in FILES}


@settings(max_examples=150)
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(max_size=12), st.integers(0, 40)), min_size=1, max_size=6),
    st.integers(200, 6000),
)
def test_a_damaged_file_is_read_or_refused_and_never_anything_else(name, changes, length):
    content = bytearray(SAMPLES[name] if name.endswith("xlsx") else SAMPLES[name][:length])
    for at, put, cut in changes:
        start = at % (len(content) + 1)
        content[start : start + cut] = put
    try:
        table = reading.read(name, bytes(content))
    except Refusal:
        return
    mapping = columns.propose(table.columns, table.rows)
    for row in table.rows:
        records.record_of(row, mapping)


@given(st.text(max_size=400), st.sampled_from(["a.csv", "a.vcf"]))
def test_any_text_is_read_or_refused(text, name):
    try:
        table = reading.read(name, ("Last name,Address,Phone,E-mail,State,Zip\n" + text).encode("utf-8", "replace"))
    except Refusal:
        return
    for row in table.rows:
        records.record_of(row, columns.propose(table.columns, table.rows))


NAMES = st.text(max_size=60) | st.text("ABcé .,-'&1", max_size=30)


@example(":,0", "", "")
@given(NAMES, NAMES, st.text(max_size=60))
def test_no_row_breaks_the_reading_of_records_and_planning(name, organization, address):
    row = Row(None, 1, {"n": name, "o": organization, "a": address, "p": address})
    mapping = {"n": "name", "o": "organization", "a": "office_address", "p": "work_address"}
    record = records.record_of(row, mapping)
    made = planning.plan([record, record], planning.Register(), blocked=(), new_id=iter(map(str, range(99))).__next__)
    assert made.decisions[1].outcome in {"duplicate", "undecided", "invalid"}


@pytest.mark.requirement("R77", "R78")
@pytest.mark.parametrize("name", ["list.csv", "list.xlsx"])
def test_a_file_of_refused_rows_that_comes_back_is_read_as_what_was_sent(name):
    rows = [
        ["Last name", "'=Cell", NOT_TAKEN_IN.upper(), "E-mail"],
        ["Levi", "'+1 512 555 0134", "Row 3: email: not an e-mail address.", "rivka@example.org"],
        ["", "", "Row 9: This entry is blocked; the privacy officer can say why.", ""],
        ["'tis", "''-", "", ""],
    ]
    file = io.BytesIO()
    if name.endswith("xlsx"):
        with xlsxwriter.Workbook(file, {"strings_to_formulas": False}) as book:
            sheet = book.add_worksheet()
            for at, cells in enumerate(rows):
                sheet.write_row(at, 0, cells)
        content = file.getvalue()
    else:
        content = codecs.BOM_UTF8 + "\r\n".join(",".join(cells) for cells in rows).encode()
    table = reading.read(name, content)
    assert table.columns == ["Last name", "=Cell", "E-mail"]
    assert [(row.number, row.cells, row.too_long) for row in table.rows] == [
        (2, {"Last name": "Levi", "=Cell": "+1 512 555 0134", "E-mail": "rivka@example.org"}, False),
        (4, {"Last name": "'tis", "=Cell": "'-"}, False),
    ]


def test_elsewhere_a_cell_is_what_it_says():
    table = reading.read("list.csv", b"Last name,Note\nLevi,'=1\n")
    assert table.rows[0].cells["Note"] == "'=1"


def test_every_row_is_read_as_it_was_written_however_many_there_are() -> None:
    """All but the first lie packed."""
    rows = [Row(None, n + 2, {"Last name": f"Levi{n}", "Notes": f'{n} "é",\n漢'}) for n in range(700)]
    text = "Last name,Notes\n" + "".join('"{}","{}"\n'.format(*(cell.replace('"', '""') for cell in row.cells.values())) for row in rows)
    found = reading.read("list.csv", text.encode()).rows
    numbered = [Row(row.sheet, found[at].number, row.cells) for at, row in enumerate(rows)]
    assert list(found) == found[:] == [found[at] for at in range(len(found))] == numbered
    assert found[-3:] == numbered[-3:]
    damaged = reading.read("list.csv", text.encode() + b"\xff,x\n,,,,y\n").rows[-2:]
    assert [(row.problems, row.too_long) for row in damaged] == [((DAMAGED,), False), ((), True)]
    assert found.sample("Notes") == [row.cells["Notes"] for row in rows[:SAMPLE]]


def test_a_column_that_is_filled_late_is_known_by_what_stands_in_it() -> None:
    text = "Last name,Where to\n" + "Levi,\n" * 900 + "".join(f"Levi,dov{n}@example.org\n" for n in range(20))
    table = reading.read("list.csv", text.encode())
    assert table.rows.sample("Where to") == [row.cells["Where to"] for row in table.rows if "Where to" in row.cells]
    assert columns.propose(table.columns, table.rows) == {"Last name": "last_name", "Where to": "email"}


def test_columns_of_a_sheet_that_begins_further_right_keep_their_places() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at in range(3):
            sheet.write_row(at + 3, 2, [f"dov{at}@example.org", f"202-555-010{at}"])
    table = reading.read("list.xlsx", file.getvalue())
    assert [(row.number, list(row.cells)) for row in table.rows] == [(at, ["Column 3", "Column 4"]) for at in (4, 5, 6)]


def test_a_line_that_is_longer_than_any_address_is_not_taken_apart() -> None:
    """The parser's work grows with the square of a word's hyphens: 64 KiB of them would take a minute."""
    line = "a" + "\u2010\u2013" * 30_000 + ", Albany NY 12203"
    began = time.process_time()
    assert split_address(line).city is None
    print(f"{time.process_time() - began:.3f} s of CPU")
    assert split_address("1 Main St, Albany NY 12203").city == "Albany"
