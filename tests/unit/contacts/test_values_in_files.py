# ruff: noqa: E501 - rows and cards as programs write them
"""No value vanishes (T30): each value of a file is stored, standardized, or refused by name."""

from __future__ import annotations

import io
import re
import string

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from services.contacts.contract import imports as contract
from services.contacts.contract.imports import IMPORT_FIELDS, PLURAL_FIELDS
from services.contacts.domain.imports import cards, columns, planning, reading, records
from services.contacts.domain.imports.headers import NAMES, PLAIN_PARTS
from services.contacts.domain.imports.tables import DAMAGED, Row, Rows, Table
from services.lexicon.folding import fold
from services.lexicon.telephones import FAX, NO_AREA_CODE


def read(content: str | bytes, name: str = "list.csv") -> tuple[Table, dict[str, str], list[records.Record]]:
    table = reading.read(name, content if isinstance(content, bytes) else content.encode())
    refused = {refusal["column"] for refusal in columns.refused(table.columns, table.rows)}
    kept = [column for column in table.columns if column not in refused]
    mapping = columns.propose(kept, table.rows)
    return table, mapping, [records.record_of(row, mapping) for row in table.rows]


def points(record: records.Record) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value, _ in record.points]


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


def one(content: str | bytes, name: str = "list.csv") -> records.Record:
    (record,) = read(content, name)[2]
    return record


def name_of(record: records.Record) -> str:
    return f"{record.name.first_name} {record.name.last_name}".strip()


# --- what was tried by hand ---


@pytest.mark.requirement("T30", "R30", "R31")
def test_all_numbers_of_a_card_are_kept_the_preferred_one_first():
    record = one(
        card("N:Quill;Nadia", "TEL;type=CELL:(505) 555-0101", "TEL;type=CELL;type=PREF:(505) 555-0102", "TEL;type=WORK:(505) 555-0103",
             "TEL;type=WORK:(505) 555-0104", "TEL;type=HOME:(505) 555-0105", "TEL;type=MAIN:(505) 555-0106"),
        "c.vcf",
    )  # fmt: skip
    assert points(record) == [
        ("cell", "505-555-0102"), ("cell", "505-555-0101"), ("personal_phone", "505-555-0105"),
        ("work_phone", "505-555-0103"), ("work_phone", "505-555-0104"), ("work_phone", "505-555-0106"),
    ]  # fmt: skip
    record = one(
        card("N:Pref;Lou", "EMAIL:old@p.example.org", "EMAIL;PREF=2:two@p.example.org", "EMAIL;PREF=1:new@p.example.org", version="4.0"), "c.vcf"
    )
    assert [value for _, value in points(record)] == ["new@p.example.org", "two@p.example.org", "old@p.example.org"]


@pytest.mark.requirement("T30", "R20")
@pytest.mark.parametrize(
    "lines",
    [
        ("N:;;;;", "FN:Cobalt District", "ORG:Cobalt District;", "TEL;type=WORK:505-555-0114", "X-ABShowAs:COMPANY"),
        ("KIND:org", "FN:Cobalt District", "TEL;type=WORK:505-555-0114"),
        ("KIND:org", "N:Cobalt District;;;;", "FN:Cobalt District", "ORG:Cobalt District", "TEL:505-555-0114"),
        ("KIND:location", "FN:Cobalt District", "TEL:505-555-0114"),
        ("FN:Cobalt District", "N:;;;;", "ORG:Cobalt District", "TEL:505-555-0114"),
        ("X-ADDRESSBOOKSERVER-KIND:organization", "FN:Cobalt District", "TEL:505-555-0114"),
    ],
)
def test_a_card_of_an_organization_makes_no_person(lines):
    record = one(card(*lines), "c.vcf")
    assert (record.is_person, record.organization, record.problems) == (False, "Cobalt District", ())
    assert [office.phone for office in record.offices] == ["505-555-0114"]


@pytest.mark.requirement("T30")
def test_a_card_of_a_group_is_refused_by_name_and_one_of_a_person_at_a_company_is_a_person():
    for kind in ("KIND:group", "X-ADDRESSBOOKSERVER-KIND:group"):
        assert one(card(kind, "FN:Friends", "MEMBER:urn:uuid:1"), "c.vcf").problems == (cards.A_GROUP,)
    record = one(card("N:Levi;Dov;;;", "FN:Dov Levi", "ORG:Acme", "X-ABShowAs:COMPANY"), "c.vcf")
    assert (record.name.last_name, record.organization) == ("Levi", "Acme")


@pytest.mark.requirement("T30", "R27")
@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (("N:Listgard;Ann,Lee;Mary,Jo;Dr.,Hon.;Jr.", "FN:Ann Lee Listgard"), "Ann Lee Mary Jo Listgard Jr."),
        (("N:;Otho Givengard;;;", "FN:Otho Givengard"), "Otho Givengard"),
        (("N:;Otho;;;", "FN:Otho Givengard"), "Otho Givengard"),
        (("N:;;;;", "FN:Otho Givengard"), "Otho Givengard"),
        (("FN:Otho Givengard",), "Otho Givengard"),
        (("N:Smith\\, Jr.;John;;;",), "John Smith Jr."),
    ],
)
def test_names_of_cards_are_read_whole(lines, name):
    assert name_of(one(card(*lines), "c.vcf")) == name


@pytest.mark.requirement("T30", "R34")
def test_boxes_second_addresses_labels_and_groups_of_a_card_are_kept():
    record = one(
        card("N:Boxgard;Noe", "item1.TEL:505-555-0101", "item1.X-ABLabel:_$!<HomeFAX>!$_", "item2.TEL:505-555-0102", "item2.X-ABLabel:_$!<Mobile>!$_",
             "item3.ADR:PO Box 89;;;Santa Fe;NM;87501;USA", "item3.X-ABLabel:_$!<Work>!$_", "ADR;TYPE=WORK:;Suite 5;2 Elm St, Annex;Taos;NM;87571;",
             "ADR;TYPE=HOME:;;9 Secret;Taos;NM;87571;", "ROLE:Director", "NOTE:Met in May", "NOTE:Likes boats"),
        "c.vcf",
    )  # fmt: skip
    assert [value for kind, value in points(record) if kind == "work_address"] == [
        "PO Box 89, Santa Fe, NM 87501", "2 Elm St, Annex, Suite 5, Taos, NM 87571",
    ]  # fmt: skip
    assert [value for kind, value in points(record) if kind == "cell"] == ["505-555-0102"]
    assert (record.title, record.notes) == ("Director", ("Met in May\nLikes boats",))
    table = reading.read("c.vcf", card("N:B;N", "TEL;FAX:5", "TEL;PAGER:6", "URL:x", "BDAY:1", "PHOTO:x", "X-FOO:y", "ADR;HOME:;;1 St").encode())
    assert {r["column"] for r in columns.refused(table.columns)} == {
        "Fax",
        "Pager",
        "Web page",
        "Birthday",
        "Photo",
        "Card field X-FOO",
        "Home address",
    }


@pytest.mark.requirement("T30")
def test_empty_values_before_filled_ones_hide_nothing():
    record = one(card("N:Levi;Dov", "TITLE:", "TITLE:Director", "ORG:;", "ORG:Acme", "ADR;WORK:;;;;;;", "ADR;WORK:;;1 Elm;Taos;NM;87571", "EMAIL:",
                      "EMAIL:d@e.example.org", "NOTE:", "NOTE:x"), "c.vcf")  # fmt: skip
    assert (record.title, record.organization, record.notes) == ("Director", "Acme", ("x",))
    assert points(record) == [("email", "d@e.example.org"), ("work_address", "1 Elm, Taos, NM 87571")]


@pytest.mark.requirement("T30")
def test_nested_and_cut_off_cards_are_refused_by_name_and_make_nobody():
    agent = card("N:Boss;Ann", "AGENT:", "BEGIN:VCARD", "N:Helper;Hal", "END:VCARD", "TITLE:Director", "EMAIL:ann@b.example.org", version="2.1")
    (record,) = read(agent, "c.vcf")[2]
    assert (name_of(record), record.title, points(record)) == ("Ann Boss", "Director", [("email", "ann@b.example.org")])
    assert record.refused == (("Agent", cards.NESTED),)
    bare = card("N:Boss;Ann", "BEGIN:VCARD", "N:Helper;Hal", "END:VCARD", "TITLE:Director")
    assert [(name_of(r), r.title) for r in read(bare, "c.vcf")[2]] == [("Ann Boss", "Director")]
    text = "BEGIN:VCARD\r\nN:Cut;Off\r\nTEL:505-555\r\n" + card("N:Levi;Dov") + "BEGIN:VCARD\r\nN:End;Of\r\n"
    assert [(name_of(r), r.problems) for r in read(text, "c.vcf")[2]] == [
        ("Off Cut", (cards.CUT_OFF,)),
        ("Dov Levi", ()),
        ("Of End", (cards.CUT_OFF,)),
    ]
    nested = "BEGIN:VCARD\r\nN:A;B\r\nAGENT:\r\n" * 25 + "END:VCARD\r\n" * 25
    with pytest.raises(contract.NestedTooDeep):
        reading.read("c.vcf", nested.encode())
    cut = "BEGIN:VCARD\r\nN:A;B\r\n" * 5000
    assert len(reading.read("c.vcf", cut.encode()).rows) == 5000


@pytest.mark.requirement("T30", "R80")
def test_cards_are_unfolded_as_bytes_and_read_in_the_character_set_of_each_property():
    folded = b"BEGIN:VCARD\r\nN:Garc\xc3\r\n \xada;Jos\xc3\xa9\r\nEND:VCARD\r\n"
    assert name_of(one(folded, "c.vcf")) == "José García"
    mixed = (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:Garc=EDa;Jos=E9\r\nORG;CHARSET=UTF-8:Caf\xc3\xa9\r\n"
        b"TITLE;CHARSET=ISO-8859-1:Pr\xe9sident\r\nEND:VCARD\r\n"
    )
    record = one(mixed, "c.vcf")
    assert (name_of(record), record.organization, record.title) == ("José García", "Café", "Président")
    spoilt = card("N:Levi;Dov").encode() + b"BEGIN:VCARD\r\nN:Jos\xe9;\xc3\xa9\r\nEND:VCARD\r\n" + card("N:Núñez;Íñigo").encode()
    assert [(name_of(r), r.problems) for r in read(spoilt, "c.vcf")[2]][::2] == [("Dov Levi", ()), ("Íñigo Núñez", ())]
    assert read(spoilt, "c.vcf")[2][1].problems == (DAMAGED,)


# --- encodings ---


@pytest.mark.requirement("T30", "R78")
@pytest.mark.parametrize("bad", [b"\xe9", b"\xff", b"\xc3", b"\x80\x80", b"\xed\xa0\x80", b"\x00"])
def test_one_bad_byte_refuses_its_row_and_no_other_letter(bad):
    names = ["García", "Núñez", "Müller", "Ångström", "Zoë"]
    lines = [b"Last name,City", *(f"{name},Santa Fe".encode() for name in names)]
    lines.insert(3, b"Jos" + bad + b",Santa Fe")
    _, _, found = read(b"\n".join(lines))
    assert [r.name.last_name for r in found if not r.problems] == names
    assert [r.problems for r in found if r.problems] == [(DAMAGED,)]


@pytest.mark.requirement("T30", "R78")
def test_older_encodings_stay_what_they_are_and_lines_that_may_be_either_are_refused():
    names = ["García", "Núñez", "Müller", "O\u2019Brien", "Zoë", "Dvořák"]
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"):
        mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
        found = read(mark + "\n".join(["Last name", *names]).encode(encoding))[2]
        assert [fold(r.name.last_name) for r in found] == [fold(name) for name in names]
    western = names[:5]
    found = read("\n".join(["Last name", *western]).encode("cp1252"))[2]
    assert [fold(r.name.last_name) for r in found] == [fold(name) for name in western]
    mixed = b"Last name\n" + "\n".join(western * 2).encode("cp1252") + "\nÅngström\n".encode()
    found = read(mixed)[2]
    assert [bool(r.problems) for r in found] == [False] * 10 + [True]
    undefined = b"Last name\nGarc\xeda\nM\xfcller\nBad\x81\n"
    assert [(r.name.last_name, bool(r.problems)) for r in read(undefined)[2]][:2] == [("García", False), ("Müller", False)]
    assert read(undefined)[2][2].problems


# --- where a table begins, and what is a row ---


@pytest.mark.requirement("T30", "R77", "R78")
@pytest.mark.parametrize(
    "content",
    [
        "Dov,Levi,dov@example.org\nAlma,Adams,alma@example.org\n",
        "Levi,505-555-0101\nAdams,505-555-0102\n",
        "Dov,Levi,Acme,TX\nAlma,Adams,Beanery,NM\n",
        "Dov,Levi\nAlma,Adams\n",
        "John,Smith,Office,Santa Fe,NM,87501\nAlma,Adams,Office,Taos,NM,87571\n",
        "Dov,Levi,Director,dov@example.org\nAlma,Adams,Member,alma@example.org\nBo,Bean,Title,bo@example.org\n",
        "Levi,,505-555-0101\nAdams,Title,505-555-0102\n",
        "Dov,Levi,1 Main St\n" * 3 + "First,Last,Street\n",
    ],
)
def test_no_row_of_somebody_s_data_is_taken_for_a_header(content):
    table, _, _ = read(content)
    assert table.columns[0] == "Column 1"
    assert len(table.rows) == len(content.splitlines())
    mapping = {"Column 1": "first_name", "Column 2": "last_name"}
    assert records.record_of(table.rows[0], mapping).number == 1


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("Guests,,\n\nLast name,First name,Phone\nLevi,Dov,505-555-0101\n", 1),
        ('Notes:\n"When exporting your connection data, you may notice that some are missing."\n\nFirst Name,Last Name,URL\nQuin,Fen,x\n', 1),
        ("Alpha,Beta\n1,2\n", 1),
        ("fld_one,fld_two\nx,y\n", 1),
        ("Apellidos,Teléfono\nGarcía,505-555-0101\nMás,505-555-0102\n", 2),
    ],
)
def test_a_header_is_a_header_below_titles_and_in_words_that_nobody_knows(content, rows):
    assert len(read(content)[0].rows) == rows


@pytest.mark.requirement("T30")
def test_columns_without_a_name_doubled_names_and_long_cells_refuse_nothing():
    table, mapping, (record,) = read(
        f"Last name,,Notes,Notes,Memo of us,Phone,Phone\nLevi,dov@example.org,a,b,{'x' * 200_000},505-555-0101,505-555-0102\n"
    )
    assert table.columns == ["Last name", "Notes", "Notes (2)", "Memo of us", "Phone", "Phone (2)", "Column 2"]
    assert mapping["Column 2"] == "email"
    assert (record.notes, points(record)) == (
        ("a", "b"),
        [("work_phone", "505-555-0101"), ("work_phone", "505-555-0102"), ("email", "dov@example.org")],
    )
    with pytest.raises(contract.HeaderDuplicate):
        reading.read("a.csv", b"Last name,LAST NAME\nLevi,Dov\n")


@pytest.mark.requirement("T30")
def test_a_quotation_mark_that_is_never_closed_takes_nobody_else():
    _, _, found = read('Last name,Phone\n"Levi,505-555-0101\nAdams,505-555-0102\nBean,505-555-0103\n')
    assert [(r.name.last_name, bool(r.problems)) for r in found][1:] == [("Adams", False), ("Bean", False)]
    assert found[0].problems == (DAMAGED,)


def workbook(rows: list[list[object]], *, blank: int = 0) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        for at, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                if isinstance(cell, tuple):
                    sheet.write_formula(at, place, *cell)
                else:
                    sheet.write(at, place, cell)
        for at in range(len(rows), len(rows) + blank):
            sheet.write_blank(at, 0, None, bold)
    return file.getvalue()


@pytest.mark.requirement("T30", "R77")
def test_formatted_rows_that_are_empty_are_none_and_formulas_that_failed_are_no_values():
    content = workbook(
        [["Last name", "Company", "Title", "Phone"], ["Levi", ("=A1",), ("=NA()", None, "#N/A"), 2025550142.0], ["Adams", "#REF!", 0, 2.02e9]],
        blank=150_000,
    )
    _, _, (levi, adams) = read(content, "a.xlsx")
    assert (levi.organization, levi.title, points(levi)) == (None, None, [("work_phone", "202-555-0142")])
    assert [column for column, _ in levi.refused] == ["Company"]
    assert (adams.organization, adams.title, [column for column, _ in adams.refused]) == (None, None, ["Company", "Phone", "Title"])


# --- one bad cell refuses the cell ---


@pytest.mark.requirement("T30", "R13", "R80")
def test_one_bad_cell_refuses_the_cell_and_not_the_row():
    content = (
        "Last name,State,Street,City,Zip,Work phone,Cell,Email,Title\n"
        "Levi,Atlantis,1 Elm,Santa Fe,87501,555-0129,2.02E+09,nobody,n/a\n"
        "Adams,NM,1 Elm,Santa Fe,10001,Fax 202-555-0149,202-555-0143,a@b.example.org,Director\n"
        "Bean,NM,1 Elm,Santa Fe,87501-1234,202-555-0144 (cell),2025550145.0,b@c.example.org; c@d.example.org,0\n"
    )
    _, _, (levi, adams, bean) = read(content)
    assert (levi.problems, adams.problems, bean.problems) == ((), (), ())
    assert {column for column, _ in levi.refused} == {"State", "Cell", "Work phone", "Email", "Title"}
    assert dict(levi.refused)["Work phone"] == NO_AREA_CODE
    assert {column: reason for column, reason in adams.refused if column == "Work phone"} == {"Work phone": FAX}
    assert {column for column, _ in adams.refused} == {"Zip", "Work phone"}
    assert points(adams)[-1] == ("work_address", "1 Elm, Santa Fe") or ("work_address", "1 Elm, Santa Fe, NM") in points(adams)
    assert ("cell", "202-555-0144") in points(bean)
    assert ("cell", "202-555-0145") in points(bean)
    assert [value for kind, value in points(bean) if kind == "email"] == ["b@c.example.org", "c@d.example.org"]
    assert not any(part in str(levi.refused) for part in ("Atlantis", "555-0129", "nobody"))


@pytest.mark.requirement("T30", "R37", "R41")
def test_notes_are_screened_as_notes_are():
    _, mapping, (levi, adams) = read("Last name,Notes\nLevi,Met at the roundtable\nAdams,She is Catholic\n")
    assert mapping["Notes"] == "notes"
    assert levi.notes == ("Met at the roundtable",)
    assert (adams.notes, [column for column, _ in adams.refused]) == ((), ["Notes"])


PHONE, EMAIL, FAITH = "call 202-555-0143", "dov.quill@example.org", "He is a devout Catholic"
#: Of an organization's name what is written in small letters is said of a person; names of people and places may be of a faith.
FOUND = {
    **dict.fromkeys(("salutation", "title", "interests", "notes", "organization", "office_label"), (PHONE, EMAIL, FAITH)),
    **dict.fromkeys(
        (
            "name",
            "first_name",
            "middle_name",
            "last_name",
            "suffix",
            "office_address",
            "office_street",
            "office_suite",
            "office_city",
            "office_country",
        ),
        (PHONE, EMAIL),
    ),
}
#: What is never shared, what is one of a closed list or a code, or is where such a value belongs.
NOT_SCREENED = {
    *("cell", "personal_phone", "work_phone", "email", "office_phone", "value_kind", "state", "organization_state", "office_state"),
    *("office_postal_code", "office_po_box", "work_address", "work_street", "work_street_2", "work_po_box", "work_city", "work_state"),
    *("work_postal_code", "work_country"),
}


@pytest.mark.requirement("T32", "R41")
@pytest.mark.parametrize("field", IMPORT_FIELDS)
def test_a_cell_that_everybody_would_see_is_screened_as_the_same_field_is_where_somebody_types_it(field):
    assert (field in FOUND) is not (field in NOT_SCREENED), "a field is screened, or is listed with what it is"
    for said in FOUND.get(field, ()):
        row = {"Last": "Quill", "First": "Dov", "Body": "Basin Trust", "Street": "1 Elm", "X": said}
        mapping = {"Last": "last_name", "First": "first_name", "Body": "organization", "Street": "office_street", "X": field}
        whole = {column: its for column, its in mapping.items() if column == "X" or its != field}
        record = records.record_of(Row(None, 1, {column: text for column, text in row.items() if column in whole}), whole)
        reasons = [reason for column, reason in record.refused if column == "X"]
        assert reasons, (field, said)
        assert said not in str(astuple(record)), "neither kept nor repeated"
        # Whoever has half a name would be somebody else; everything else of the row is taken in.
        assert bool(record.problems) is (field in {"name", "first_name", "last_name"})
        if not record.problems and field != "organization":
            assert (record.name.last_name, record.organization) == ("Quill", "Basin Trust")


@pytest.mark.requirement("T32", "R41")
def test_an_organization_s_addresses_in_a_person_s_columns_are_screened_where_they_become_an_office_of_it():
    record = one("Company,Business street,Business city\nBasin Trust,1 Elm (call 202-555-0143),Santa Fe\n")
    assert "0143" not in str([astuple(office) for office in record.offices])
    assert {column for column, _ in record.refused} == {"Business street"}


@pytest.mark.requirement("T32", "R41")
@pytest.mark.parametrize("line", ["TITLE:{}", "ROLE:{}", "NOTE:{}", "CATEGORIES:{}", "ORG:{}"])
@pytest.mark.parametrize("said", [PHONE, EMAIL, FAITH])
def test_what_a_card_says_of_everybody_to_see_is_screened(line, said):
    others = [card(f"N:Sand{letter};Ann", line.format("Ports")) for letter in "abcdefghi"]
    content = "".join([*others, card("N:Quill;Dov", line.format(said))])
    table, mapping, found = read(content, "c.vcf")
    assert said not in str(astuple(found[-1]))
    # What no field takes is named as a column that is not taken in.
    assert found[-1].refused or any(said in text and column not in mapping for column, text in table.rows[-1].cells.items())


@pytest.mark.requirement("T32")
def test_of_several_interests_the_one_that_screening_finds_is_refused_and_the_others_are_kept():
    record = one("Last name,Interests\nQuill,Ports; He is a devout Catholic; Supply chains\n")
    assert (record.interests, [column for column, _ in record.refused]) == (("Ports", "Supply chains"), ["Interests"])


@pytest.mark.requirement("T32")
def test_names_that_only_look_like_findings_come_in():
    record = one(
        "First name,Last name,Title,Company,Office street\n"
        "Christian,Church,Director of Catholic Charities,Muslim American Women's Policy Forum,1200 Church St\n"
    )
    assert (record.refused, record.problems) == ((), ())
    assert (name_of(record), record.title) == ("Christian Church", "Director of Catholic Charities")
    assert (record.organization, record.offices[0].street) == ("Muslim American Women's Policy Forum", "1200 Church St")


@pytest.mark.requirement("T30", "T18", "R20", "R21", "R22")
def test_organizations_own_columns_go_to_the_organization():
    content = (
        "Organization,State,Organization phone,Organization email,Organization address,Cell\n"
        'Basin Trust,NM,(505) 555-0101,info@basin.example.org,"1 Pier Rd, Santa Fe, NM 87501",505-555-0102\n'
    )
    _, _, (record,) = read(content)
    assert (record.is_person, record.organization_state, record.problems) == (False, "NM", ())
    assert [(o.street, o.city, o.state, o.postal_code, o.phone) for o in record.offices] == [("1 Pier Rd", "Santa Fe", "NM", "87501", "505-555-0101")]
    assert {column for column, _ in record.refused} == {"Organization email", "Cell"}
    _, mapping, (person,) = read("Last name,Organization,Organization state,State\nLevi,Basin Trust,MA,NM\n")
    assert mapping["Organization state"] == "organization_state"
    made = planning.plan([person], planning.Register(), blocked=(), new_id=iter(map(str, range(9))).__next__)
    assert (made.new_organizations[0].state, made.new_people[0].state) == ("MA", "NM")


# --- the property ---

WORDS = st.text(string.ascii_letters + " .'-", min_size=1, max_size=12).filter(lambda text: any(c.isalpha() for c in text))
CELLS = st.one_of(
    st.text(max_size=30),
    WORDS,
    st.sampled_from(
        ["505-555-0101", "(505) 555-0102 x5", "555-0129", "fax 202-555-0149", "202-555-0101; 202-555-0102", "a@b.example.org", "a@b.example.org, c@d.example.org",
         "'x@y.example.org'", "nobody@", "NM", "Texas", "Ontario", "87501", "2458", "K1A 0B1", "1 Pier Rd", "PO Box 5", "Santa Fe", "USA", "n/a", "-", "#REF!", "0",
         "1 Pier Rd, Santa Fe, NM 87501", "Dr.", "Jr.", "Dov Levi", "Levi, Dov", "Mobile", "Home", "* Work", "Skip's boat", "A ::: B", "123-45-6789"]
    ),
)  # fmt: skip
MAPPINGS = st.lists(st.sampled_from(IMPORT_FIELDS), min_size=2, max_size=9).map(
    lambda fields: {
        f"Column {at}": field for at, field in enumerate(fields) if field in PLURAL_FIELDS or field not in fields[:at]
    }
)  # fmt: skip


def said_by(record: records.Record) -> str:
    offices = " ".join(part for office in record.offices for part in astuple(office) if part)
    values = " ".join([*(value for _, value, _ in record.points), *record.interests, *record.notes])
    named = " ".join([record.name.salutation, record.name.first_name, record.name.last_name, record.title or "", record.organization or ""])
    return f"{named} {values} {offices} {record.state or ''} {record.organization_state or ''}"


def pieces(text: str) -> set[str]:
    return set(fold(text).split()) - {"usa", "us", "united", "states"}


def is_found(text: str, field: str, record: records.Record) -> bool:
    said = said_by(record)
    # A control character is dropped, or is a space.
    if any(pieces(read) <= pieces(said) for read in (text, " ".join(text.split()))):
        return True
    digits, kept = re.sub(r"\D", "", text), re.sub(r"\D", "", said)
    if len(digits) >= 7 and field.endswith(("phone", "cell")) and (digits in kept or digits.removeprefix("1") in kept):
        return True
    if "state" in field:
        return records.state_of(text) is not None and records.state_of(text) in re.split(r"\W+", said)
    # What a column says of the kind of another is used up by it.
    return field == "value_kind"


@settings(max_examples=150)
@example({"Column 0": "work_phone", "Column 1": "work_phone", "Column 2": "last_name"}, ["505-555-0101", "505-555-0101 x9", "Levi"])
@example({"Column 0": "last_name", "Column 1": "work_street", "Column 2": "work_city"}, ["Levi", "12 Main St, Taos, NM 87571", "000"])
@example({"Column 0": "last_name", "Column 1": "work_street", "Column 2": "work_state"}, ["Levi", "12 Main St, Taos, NM 87571", "TX"])
@example({"Column 0": "name"}, ["Honorable " * 9 + "Ana Levi"])
@given(MAPPINGS, st.lists(CELLS, min_size=9, max_size=9))
def test_every_cell_of_a_row_is_found_again_or_refused_by_name(mapping, cells):
    row = Row(None, 1, {column: text.strip() for column, text in zip(mapping, cells, strict=False) if text.strip()})
    record = records.record_of(row, mapping)
    if record.problems:
        return
    refused = {column for column, _ in record.refused}
    for column, field in mapping.items():
        text = row.cells.get(column, "")
        assert not text or not pieces(text) or column in refused or is_found(text, field, record), (column, field, text, record)


PROPERTIES = st.sampled_from(
    ["TEL;CELL:505-555-0101", "TEL;WORK:505-555-0102", "TEL;HOME:505-555-0103", "TEL:505-555-0104", "TEL;FAX:505-555-0105", "TEL;WORK;PREF:505-555-0106",
     "item1.TEL:505-555-0107", "item1.X-ABLabel:_$!<Home>!$_", "TEL;PAGER:505-555-0108", "TEL:call me", "EMAIL:a@b.example.org", "EMAIL;PREF=1:c@d.example.org",
     "EMAIL:nobody", "ADR;WORK:;;1 Elm;Taos;NM;87571;", "ADR:PO Box 5;;;Santa Fe;NM;87501;", "ADR;HOME:;;9 Secret;Taos;NM;87571;", "ORG:Acme;Levees", "ORG:Beanery",
     "TITLE:Director", "TITLE:Chair", "ROLE:Speaker", "NOTE:Met in May", "NOTE:Likes boats", "NICKNAME:Dovi", "URL:https://x.example.org", "BDAY:1970-01-02",
     "X-FOO:bar", "IMPP:xmpp:a", "CATEGORIES:Friends", "TITLE:", "TEL:", "GENDER:M", "junk without a colon", "AGENT:BEGIN:VCARD\\nFN:Hal\\nEND:VCARD"]
)  # fmt: skip


@settings(max_examples=120)
@given(st.lists(PROPERTIES, max_size=14))
def test_every_property_of_a_card_is_found_again_left_out_by_name_or_refused(properties):
    table, mapping, (record,) = read(card("N:Levi;Dov;;;", *properties), "c.vcf")
    refused = {refusal["column"] for refusal in columns.refused(table.columns)} | {column for column, _ in record.refused}
    unmapped = [text for column, text in table.rows[0].cells.items() if column not in mapping and column not in refused]
    said = pieces(said_by(record)) | pieces(" ".join(unmapped))
    labelled = "item1.X-ABLabel:_$!<Home>!$_" in properties
    for line in properties:
        head, _, value = line.partition(":")
        of = {"Fax": "FAX", "Pager": "PAGER", "Web page": "URL", "Birthday": "BDAY", "Gender": "GENDER", "Card field X-FOO": "X-FOO", "Instant messaging": "IMPP",
              "Home address": "HOME", "A line": "junk", "Agent": "AGENT"}  # fmt: skip
        by_name = any(word in line for column, word in of.items() if column in refused)
        bad = value in {"call me", "nobody"} and any(column.startswith(("Work phone", "Home phone", "E-mail")) for column in refused)
        assert not value or head.endswith("X-ABLabel") or by_name or bad or labelled or pieces(value.replace(";", " ")) <= said, (line, record)


# --- what people call their columns ---

EXPORTS = {
    "Google, old": (
        "Name,Given Name,Family Name,Name Prefix,Birthday,Location,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,"
        "Phone 2 - Type,Phone 2 - Value,Address 1 - Type,Address 1 - Formatted,Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,"
        "Address 1 - Postal Code,Address 1 - Country,Organization 1 - Name,Organization 1 - Title,Organization 1 - Department,Notes\n"
        'Fen Wold,Fen,Wold,Dr.,1970-01-02,,* myContacts,* Work,f@wold.example.org ::: g@wold.example.org,Mobile,505-555-0101,Work,505-555-0102,Work,'
        '"1 Pier Rd\nSanta Fe, NM 87501",1 Pier Rd,Santa Fe,,NM,87501,US,Wold Works,Director,Levees,hello\n'
    ),
    "Google, new": (
        "First Name,Middle Name,Last Name,Name Prefix,File As,Organization Name,Organization Title,Birthday,Notes,Labels,E-mail 1 - Label,E-mail 1 - Value,"
        "E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Address 1 - Label,Address 1 - Street,Address 1 - City,"
        "Address 1 - Region,Address 1 - Postal Code,Website 1 - Value\n"
        "Fen,,Wold,Dr.,,Wold Works,Director,1970-01-02,hello,* myContacts,* Work,f@wold.example.org,Home,g@wold.example.org,Mobile,505-555-0101,Work,505-555-0102,"
        "Work,1 Pier Rd,Santa Fe,NM,87501,x\n"
    ),
    "Outlook": (
        "Title,First Name,Middle Name,Last Name,Company,Department,Job Title,Business Street,Business City,Business State,Business Postal Code,"
        "Business Country/Region,Home Street,Assistant's Phone,Business Fax,Business Phone,Home Fax,Mobile Phone,Anniversary,E-mail Address,E-mail Type,"
        "E-mail Display Name,E-mail 2 Address,Gender,Government ID Number,Hobby,Notes,Spouse\n"
        "Dr.,Fen,,Wold,Wold Works,Levees,Director,1 Pier Rd,Santa Fe,NM,87501,United States of America,,,,505-555-0102,,505-555-0101,0/0/00,f@wold.example.org,SMTP,"
        "Fen Wold (f@wold.example.org),g@wold.example.org,Unspecified,,,hello,\n"
    ),
    "Outlook.com": (
        "First Name,Last Name,Title,E-mail Address,E-mail 2 Address,Home Phone 2,Business Phone,Mobile Phone,Pager,Job Title,Company,Business Street,Business City,"
        "Business State,Business Postal Code,Notes,Birthday\n"
        "Fen,Wold,Dr.,f@wold.example.org,g@wold.example.org,,505-555-0102,505-555-0101,,Director,Wold Works,1 Pier Rd,Santa Fe,NM,87501,hello,1/2/1970\n"
    ),
    "Thunderbird": (
        "First Name,Last Name,Display Name,Primary Email,Secondary Email,Screen Name,Work Phone,Fax Number,Mobile Number,Home Address,Work Address,Work Address 2,"
        "Work City,Work State,Work ZipCode,Job Title,Organization,Birth Year,Custom 1,Notes\n"
        "Fen,Wold,Fen Wold,f@wold.example.org,g@wold.example.org,,505-555-0102,,505-555-0101,,1 Pier Rd,,Santa Fe,NM,87501,Director,Wold Works,1970,,hello\n"
    ),
    "Yahoo": (
        "First,Middle,Last,Email,Alternate Email 1,Work,Fax,Mobile,Title,Company,Work Address,Work City,Work State,Work ZIP,Comments,Birthday\n"
        "Fen,,Wold,f@wold.example.org,g@wold.example.org,505-555-0102,,505-555-0101,Director,Wold Works,1 Pier Rd,Santa Fe,NM,87501,hello,1970\n"
    ),
    "HubSpot": (
        "Record ID,First Name,Last Name,Email,Other email,Phone Number,Mobile Phone Number,Contact owner,Associated Company,Job Title,Street Address,City,State/Region,"
        "Postal Code,Create Date,Notes\n"
        "1001,Fen,Wold,f@wold.example.org,g@wold.example.org,505-555-0102,505-555-0101,Bob,Wold Works,Director,1 Pier Rd,Santa Fe,NM,87501,2024-05-01,hello\n"
    ),
    "Salesforce": (
        "Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Mailing City,Mailing State/Province,Mailing Zip/Postal Code,Phone,Mobile,Fax,Email,"
        "Secondary Email,Contact Owner,Birthdate,Description\n"
        "Dr.,Fen,Wold,Director,Wold Works,1 Pier Rd,Santa Fe,NM,87501,505-555-0102,505-555-0101,,f@wold.example.org,g@wold.example.org,Bob,1970-01-02,hello\n"
    ),
    "spreadsheet": (
        "Contact Name,Agency,Position Title,Tel. No.,Cell #,E-Mail,Alt. E-mail,Address,City/Town,ST,ZIP Code,Comments\n"
        "Fen Wold,Wold Works,Director,505-555-0102,505-555-0101,f@wold.example.org,g@wold.example.org,1 Pier Rd,Santa Fe,NM,87501,hello\n"
    ),
    "order of words": (
        "NAME_LAST,NAME_FIRST,companyName,jobTitle,PHONE (WORK),phoneMobile,E_MAIL,Address - Email (2nd),Street,CITY,STATE,zip_code,NOTES\n"
        "Wold,Fen,Wold Works,Director,505-555-0102,505-555-0101,f@wold.example.org,g@wold.example.org,1 Pier Rd,Santa Fe,NM,87501,hello\n"
    ),
}  # fmt: skip


@pytest.mark.requirement("R77", "R78", "R79", "T30")
@pytest.mark.parametrize("export", EXPORTS)
def test_what_each_program_exports_gives_every_value(export):
    _, _, (record,) = read(EXPORTS[export])
    assert (name_of(record), record.organization, record.title, record.state, record.problems) == ("Fen Wold", "Wold Works", "Director", "NM", ())
    found = points(record) + [("work_address", f"{o.street}, {o.city}, {o.state} {o.postal_code}") for o in record.offices]
    for wanted in (("cell", "505-555-0101"), ("work_phone", "505-555-0102"), ("email", "f@wold.example.org"), ("email", "g@wold.example.org")):
        assert wanted in found
    assert ("work_address", "1 Pier Rd, Santa Fe, NM 87501") in found
    assert record.notes == ("hello",)


@pytest.mark.requirement("R79", "T30")
@pytest.mark.parametrize(
    "lines",
    [
        # An iPhone, iCloud
        ("PRODID:-//Apple Inc.//iPhone OS 17.0//EN", "N:Wold;Fen;;;", "FN:Fen Wold", "ORG:Wold Works;", "TITLE:Director", "item1.EMAIL;type=INTERNET;type=pref:f@wold.example.org",
         "item1.X-ABLabel:work", "EMAIL;type=INTERNET;type=HOME:g@wold.example.org", "TEL;type=IPHONE;type=CELL;type=VOICE;type=pref:(505) 555-0101",
         "item2.TEL:505-555-0102", "item2.X-ABLabel:_$!<Main>!$_", "item3.ADR;type=WORK:;;1 Pier Rd;Santa Fe;NM;87501;United States", "item3.X-ABADR:us", "NOTE:hello"),
        # Android
        ("N:Wold;Fen;;;", "FN:Fen Wold", "TEL;CELL;PREF:5055550101", "TEL;WORK:505-555-0102", "EMAIL;WORK:f@wold.example.org", "EMAIL;X-Other:g@wold.example.org",
         "ADR;WORK;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;;=31=20=50=69=65=72=20=52=64;Santa Fe;NM;87501;", "ORG:Wold Works", "TITLE:Director", "NOTE:hello"),
        # Outlook
        ("N;LANGUAGE=en-us:Wold;Fen", "FN:Fen Wold", "ORG:Wold Works", "TITLE:Director", "TEL;WORK;VOICE:(505) 555-0102", "TEL;CELL;VOICE:(505) 555-0101",
         "ADR;WORK;PREF:;;1 Pier Rd;Santa Fe;NM;87501;United States of America", "LABEL;WORK;PREF;ENCODING=QUOTED-PRINTABLE:1 Pier Rd=0D=0A=", "Santa Fe, NM  87501",
         "X-MS-OL-DEFAULT-POSTAL-ADDRESS:2", "EMAIL;PREF;INTERNET:f@wold.example.org", "EMAIL;INTERNET:g@wold.example.org", "NOTE:hello"),
    ],
)  # fmt: skip
def test_what_each_telephone_exports_gives_every_value(lines):
    record = one(card(*lines), "c.vcf")
    assert (name_of(record), record.organization, record.title, record.notes) == ("Fen Wold", "Wold Works", "Director", ("hello",))
    assert {("cell", "505-555-0101"), ("work_phone", "505-555-0102"), ("email", "f@wold.example.org"), ("email", "g@wold.example.org")} <= set(
        points(record)
    )
    assert [value for kind, value in points(record) if kind == "work_address"] == ["1 Pier Rd, Santa Fe, NM 87501"]


@pytest.mark.requirement("R77", "R78")
def test_hundreds_of_spellings_are_known_and_each_is_of_one_field_and_refused_by_none():
    spellings = [(field, name) for field, names in NAMES.items() for name in names.split("|")]
    assert len(spellings) > 500
    for _, name in (each for each in spellings if all(len(word) > 1 for word in each[1].split())):
        for spelt in (name.upper(), name.title().replace(" ", "_"), " ".join(reversed(name.split())), f" {name}: "):
            table = Table("csv", [spelt.strip()], [])
            assert columns.refused(table.columns) == []
            proposed = columns.propose(table.columns, Rows())
            assert len(proposed) == 1, spelt
    for names in PLAIN_PARTS.values():
        assert all(columns.propose([name], Rows()) for name in names.split("|"))


def test_where_the_heading_says_nothing_the_contents_do():
    _, mapping, _ = read("Contact,X,Y,Z\na@b.example.org,505-555-0101,NM,Dov Levi\nc@d.example.org,505-555-0102,TX,Alma Adams\n")
    assert (mapping["Contact"], mapping["X"], mapping["Y"]) == ("email", "work_phone", "state")
    _, mapping, _ = read("First Name,Last Name,Company,Assistant's Phone,E-mail Type\nFen,Wold,f@wold.example.org,505-555-0101,SMTP\n")
    assert mapping == {"First Name": "first_name", "Last Name": "last_name", "Company": "email", "E-mail Type": "value_kind"}


# --- what must not be held ---


@pytest.mark.requirement("R13", "R41", "R193")
@pytest.mark.parametrize(
    "name",
    [
        "D.O.B.", "dob", "DateOfBirth", "date_of_birth", "Birth Date", "BDay", "b-day", "Birth Year", "Year of Birth", "YOB", "Born", "Geb.", "Fecha nac.", "Age",
        "AGE (YRS)", "Rel.", "Religious aff.", "Faith", "memberReligion", "Denomination", "Ethn.", "Ethnicity", "Race/Eth", "race_ethnicity", "Hispanic?", "Latino Y/N",
        "Party", "Pol. Party", "political_affiliation", "PartyAffil", "Aff. (party)", "Registered voter",  "Gender", "Gndr", "Sex", "M/F", "Sex (M/F)", "Pronouns",
        "SSN", "S.S.N.", "Soc Sec No", "Social Security #", "SS#", "Passport No.", "passportNumber", "A-Number", "A#", "Alien Reg. No.", "Driver's License",
        "License No", "Tax ID", "Salary", "Annual income", "Net worth", "Marital Status", "Spouse's Name", "Husband", "Wife", "No. of Children", "Kids", "Children's names",
        "Health", "Health conditions", "Disability", "Disabled?", "Medical notes", "Allergies", "Blood type", "Citizenship", "Citizen of", "Nationality", "Country of birth",
        "Immigration status", "Visa status", "Language(s) spoken", "Sexual orientation", "Union member", "Veteran status", "Home Address", "Home_Zip", "Residential Street",
        "Fax", "Fax #", "Home Fax 2", "Pager", "TTY", "Web Site", "URL", "Twitter", "Facebook page", "Skype", "Photo", "Maiden name", "Emergency contact", "Criminal record",
    ],
)  # fmt: skip
def test_a_column_that_must_not_be_held_is_known_in_disguise(name):
    assert columns.refused([name]), name


@pytest.mark.requirement("R13", "R41", "R193")
@pytest.mark.parametrize(
    ("cells", "requirement"),
    [
        (["123-45-6789", "321-54-9876"], "R193"), (["A123456789", "A987654321"], "R193"), (["1958-10-13", "1960-05-25"], "R193"), (["5/25/60", "10/13/1958"], "R193"),
        (["M", "F", "M"], "R193"), (["Male", "Female"], "R193"), (["Democrat", "Republican"], "R13"), (["D", "R", "D", "I"], "R13"), (["Catholic", "Jewish"], "R41"),
        (["Hispanic", "White"], "R41"), (["Married", "Single"], "R193"), (["O+", "AB-"], "R193"), (["US Citizen", "Green card"], "R41"),
    ],
)  # fmt: skip
def test_a_column_that_must_not_be_held_is_known_by_what_stands_in_it(cells, requirement):
    table = reading.read("a.csv", ("Last name,Field 7\n" + "".join(f"Levi,{cell}\n" for cell in cells)).encode())
    (refusal,) = columns.refused(table.columns, table.rows)
    assert (refusal["column"], refusal["requirement"]) == ("Field 7", requirement)


def test_names_titles_and_dates_of_meetings_are_not_taken_for_what_must_not_be_held():
    content = "Last name,First name,Connected on,Title,Vote,Third party,Health department\nWhite,Christian,2021-05-01,Director,Yes,No,Taos\nBlack,Jean,2022-03-04,Chair,No,No,Taos\n"
    table = reading.read("a.csv", content.encode())
    assert columns.refused(table.columns, table.rows) == []


@pytest.mark.requirement("R193")
def test_a_number_of_the_government_in_a_cell_is_refused_wherever_it_stands():
    _, _, (record,) = read("Last name,Title,Phone\nLevi,123-45-6789,123-45-6789\n")
    assert (record.title, points(record), [column for column, _ in record.refused]) == (None, [], ["Phone", "Title"])


@pytest.mark.requirement("R13", "R27")
@pytest.mark.parametrize(
    "written", ["Sen. Ana Quill (D-VA)", "Ana Quill (R)", "Rep. Ana Quill (R-TX-12)", "Ana Quill [I-VT]", "Quill, Ana (Democrat)"]
)
def test_a_party_behind_a_name_is_refused_and_the_name_is_kept(written):
    record = one(f'Name,State\n"{written}",VA\n')
    assert name_of(record).endswith("Ana Quill")
    assert record.refused == (("Name", records.PARTY),)
    assert record.problems == ()


@pytest.mark.requirement("R27", "T28")
@pytest.mark.parametrize(
    "content",
    ["Name\nJohn and Mary Quill\n", "Name\nJohn & Mary Quill\n", "First name,Last name\nJohn + Mary,Quill\n", 'Name\n"Quill, John and Mary"\n'],
)
def test_a_couple_in_one_row_is_not_made_one_person(content):
    assert "first_name: two people; give each a row of their own." in one(content).problems


@pytest.mark.requirement("T26", "T30")
def test_of_one_kind_twenty_values_are_kept_and_more_are_refused_by_name():
    many = "; ".join(f"ana{n}@quill.example.org" for n in range(12))
    more = "; ".join(f"ana{n}@quill.example.org" for n in range(8, 24))
    _, _, rows = read(f"Name,Organization,Email\nAna Quill,Beanery,{many}\nAna Quill,Beanery,{more}\n")
    made = planning.plan(rows, planning.Register(), blocked=(), new_id=iter(map(str, range(99))).__next__)
    assert [decision.outcome for decision in made.decisions] == ["create", "update"]
    assert len(made.new_points) == 20
    assert made.decisions[0].reason is None
    assert "Left out, as 20 values of a kind are there: email." in made.decisions[1].reason
