"""Telephones, mailboxes and ZIP codes as people type them: each is stored clean, or refused with the reason (R80, T30)."""

import phonenumbers
import pytest
import zipcodes
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from services.lexicon.canonical import canonical_email, canonical_phone
from services.lexicon.mailboxes import IMPOSSIBLE, INSIDE_A_SERVER, MORE_THAN_AN_ADDRESS, NOT_AN_ADDRESS, mailboxes
from services.lexicon.places import STATES
from services.lexicon.postal import ELSEWHERE as OF_ANOTHER_STATE
from services.lexicon.postal import NOT_A_CODE, ZERO_LOST, postal_code, states_of
from services.lexicon.telephones import (
    ELSEWHERE,
    FAX,
    MISTYPED,
    MORE_THAN_A_NUMBER,
    NO_AREA_CODE,
    NO_VOICE,
    NOT_A_NUMBER,
    ROUNDED,
    american_area_codes,
    telephone,
    telephones,
)

HOME, WORK, CELL = "personal_phone", "work_phone", "cell"


@pytest.mark.requirement("R80", "T30")
@pytest.mark.parametrize(
    "written",
    [
        "202-555-0142",
        "(202) 555-0142",
        "202.555.0142",
        "202 555 0142",
        "2025550142",
        "+12025550142",
        "+1 (202) 555-0142",
        "1-202-555-0142",
        "202/555-0142",
        "tel:+1-202-555-0142",
        "2025550142.0",
        "2.025550142E+09",
        "2025550142,00",
        " 202\u2011555\u20110142 ",
        "202-555-0142;",
        "’202-555-0142",
        "Tel. 202-555-0142",
        "Ph: 202-555-0142",
        "T 202-555-0142",
        "phone no. 202-555-0142",
        "Tel/Fax: 202-555-0142",
        "001 202 555 0142",
    ],
)
def test_one_number_is_kept_in_one_form_however_it_is_written(written):
    assert telephones(written).found == telephones("202-555-0142").found
    assert telephones(written).refused == ()


@pytest.mark.requirement("R31", "R32", "T30")
@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("202-555-0142 (cell)", [("202-555-0142", CELL)]),
        ("m: 202-555-0142", [("202-555-0142", CELL)]),
        ("Mobile 202-555-0142", [("202-555-0142", CELL)]),
        ("202-555-0142 - home cell", [("202-555-0142", CELL)]),
        ("(h) 202-555-0142", [("202-555-0142", HOME)]),
        ("202-555-0142 residence", [("202-555-0142", HOME)]),
        ("202-555-0142 (w)", [("202-555-0142", WORK)]),
        ("direct: 202-555-0142 x 77", [("202-555-0142 ext. 77", WORK)]),
        ("202-555-0142 ext. 12", [("202-555-0142 ext. 12", None)]),
        ("202-555-0142x12", [("202-555-0142 ext. 12", None)]),
        ("202-555-0142, extension 12", [("202-555-0142 ext. 12", None)]),
        ("202-555-0142,,12#", [("202-555-0142 ext. 12", None)]),
        ("tel:+1-202-555-0142;ext=102", [("202-555-0142 ext. 102", None)]),
        ("h: 202-555-0101; w: 202-555-0102 x5", [("202-555-0101", HOME), ("202-555-0102 ext. 5", WORK)]),
        ("202-555-0101 (h), 202-555-0102 (w)", [("202-555-0101", HOME), ("202-555-0102", WORK)]),
        ("202-555-0101/202-555-0102", [("202-555-0101", None), ("202-555-0102", None)]),
        ("202-555-0101 or 202-555-0102", [("202-555-0101", None), ("202-555-0102", None)]),
        ("202-555-0101 202-555-0102", [("202-555-0101", None), ("202-555-0102", None)]),
        ("202-555-0101\n202-555-0102", [("202-555-0101", None), ("202-555-0102", None)]),
        ("(202) 555-0101 ::: (202) 555-0102", [("202-555-0101", None), ("202-555-0102", None)]),
        ("h 202-555-0101 c 202-555-0102", [("202-555-0101", HOME), ("202-555-0102", CELL)]),
        ("1-800-GO-FEMA-1", [("800-463-3621", None)]),
        ("1-800-FLOWERS", [("800-356-9377", None)]),
        ("800-555-CARE", [("800-555-2273", None)]),
        ("+44 (0)20 7946 0000", [("+44 20 7946 0000", None)]),
        ("011 44 20 7946 0000", [("+44 20 7946 0000", None)]),
        ("+1 416-555-0134", [("+1 416-555-0134", None)]),
        ("+52 55 5555 0134 ext 4", [("+52 55 5555 0134 ext. 4", None)]),
        ("787-555-0134", [("787-555-0134", None)]),
    ],
)
def test_extensions_kinds_and_second_numbers_are_kept(written, found):
    read = telephones(written)
    assert ([(number.shown, number.kind) for number in read.found], read.refused) == (found, ())


@pytest.mark.requirement("R13", "T30")
@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("555-0129", NO_AREA_CODE),
        ("5550129", NO_AREA_CODE),
        ("555-0129 x5", NO_AREA_CODE),
        ("12345678", NOT_A_NUMBER),
        ("123456", NOT_A_NUMBER),
        ("000-000-0000", NOT_A_NUMBER),
        ("0000000000", NOT_A_NUMBER),
        ("111-111-1111", NOT_A_NUMBER),
        ("123-456-7890", NOT_A_NUMBER),
        ("999-999-9999", NOT_A_NUMBER),
        ("202-155-0142", NOT_A_NUMBER),
        ("202-555-01423", NOT_A_NUMBER),
        ("0", NOT_A_NUMBER),
        ("+999 123", NOT_A_NUMBER),
        ("+44 1", NOT_A_NUMBER),
        ("call me", NOT_A_NUMBER),
        ("see notes", NOT_A_NUMBER),
        ("416-555-0134", ELSEWHERE),
        ("876-555-0134", ELSEWHERE),
        ("2O2-555-0142", MISTYPED),
        ("202-555-014O", MISTYPED),
        ("202-55S-0142", MISTYPED),
        ("l02-555-0142", MISTYPED),
        ("2.02E+09", ROUNDED),
        ("2.02555E9", ROUNDED),
        ("2,03E+09", ROUNDED),
        ("Fax 202-555-0149", FAX),
        ("202-555-0149 (fax)", FAX),
        ("F: 202-555-0149", FAX),
        ("Work fax 202-555-0149", FAX),
        ("facsimile: 202-555-0149", FAX),
        ("pager 202-555-0142", NO_VOICE),
        ("202-555-0142 (TTY)", NO_VOICE),
        ("TDD 202-555-0142", NO_VOICE),
        ("telex 202-555-0142", NO_VOICE),
        ("202-555-0142 ask for Ann", MORE_THAN_A_NUMBER),
        ("Ann's: 202-555-0142", MORE_THAN_A_NUMBER),
        ("202-555-0142 after five", MORE_THAN_A_NUMBER),
    ],
)
def test_what_is_no_telephone_of_a_person_is_refused_with_the_reason(written, why):
    read = telephones(written)
    assert (read.found, read.refused) == ((), (why,))


@pytest.mark.requirement("T30")
def test_of_two_numbers_in_a_cell_the_good_one_is_kept_and_the_other_refused():
    read = telephones("202-555-0142; Fax 202-555-0149")
    assert ([number.shown for number in read.found], read.refused) == (["202-555-0142"], (FAX,))
    assert telephones("202-555-0142 or 0143").refused == (NOT_A_NUMBER,)
    assert telephone("202-555-0142; 202-555-0143") == "More than one telephone number: enter each by itself."


@example("1-800-CALL")
@example("+")
@example("202-555-0142 x")
@given(st.text(max_size=60) | st.text("0123456789 ()+-./,;xXeEextabcfhmw:#&|", max_size=40))
def test_whatever_stands_in_a_cell_a_number_is_whole_and_stays_what_it_is(written):
    read = telephones(written)
    assert read.found or read.refused
    for number in read.found:
        assert telephones(number.shown).found[0].shown == number.shown
        assert telephones(number.shown).refused == ()
        assert canonical_phone(number.shown)
        assert phonenumbers.is_valid_number(phonenumbers.parse(number.shown, "US"))


def test_the_quick_look_at_area_codes_is_what_the_library_says():
    assert 350 < len(american_area_codes()) < 500
    assert {"202", "787", "671", "800"} <= american_area_codes()
    assert not {"416", "876", "555", "123", "999"} & american_area_codes()


@pytest.mark.requirement("R33", "R80", "T30")
@pytest.mark.parametrize(
    "written",
    [
        "dov@example.org",
        "dov@EXAMPLE.org",
        " dov@example.org ",
        "mailto:dov@example.org",
        "MAILTO:dov@example.org?subject=Hi",
        "smtp:dov@example.org",
        "SMTP:dov@example.org",
        "'dov@example.org'",
        '"dov@example.org"',
        "<dov@example.org>",
        "Dov Levi <dov@example.org>",
        '"Levi, Dov" <dov@example.org>',
        "dov@example.org,",
        "dov@example.org;",
        "dov@example.org>",
        "dov@example.org.",
        "(dov@example.org)",
        "[dov@example.org]",
        "dov@example.org (work)",
        "E-mail: dov@example.org",
        "dov@example.org; dov@example.org",
        "\u200bdov@example.org",
        "dov @ example.org",
        "DOV@example.org; dov@example.org",
    ],
)
def test_one_address_is_kept_clean_however_it_is_written(written):
    read = mailboxes(written)
    assert ([address.casefold() for address in read.found], read.refused) == (["dov@example.org"], ())


@pytest.mark.requirement("R33", "T30")
@pytest.mark.parametrize(
    ("written", "found", "refused"),
    [
        ("a@example.org;b@example.org", ["a@example.org", "b@example.org"], []),
        ("a@example.org,b@example.org", ["a@example.org", "b@example.org"], []),
        ("a@example.org / b@example.org", ["a@example.org", "b@example.org"], []),
        ("a@example.org b@example.org", ["a@example.org", "b@example.org"], []),
        ("a@example.org\nb@example.org", ["a@example.org", "b@example.org"], []),
        ("a@example.org or b@example.org", ["a@example.org", "b@example.org"], []),
        ("a@example.org ::: b@example.org", ["a@example.org", "b@example.org"], []),
        ("home: a@example.org; work: b@example.org", ["a@example.org", "b@example.org"], []),
        ("Levi, Dov <a@example.org>; Adams, Al <b@example.org>", ["a@example.org", "b@example.org"], []),
        ("a@example.org; nobody", ["a@example.org"], [MORE_THAN_AN_ADDRESS]),
        ("a@example.org; b@example", ["a@example.org"], [IMPOSSIBLE]),
        ("a@example.org / see below", ["a@example.org"], [MORE_THAN_AN_ADDRESS]),
        ("o'neil+dhs@mail.example.org", ["o'neil+dhs@mail.example.org"], []),
        ("jörg@müller.de", ["jörg@müller.de"], []),
        ("dov", [], [NOT_AN_ADDRESS]),
        ("dov at home", [], [NOT_AN_ADDRESS]),
        ("@example.org", [], [NOT_AN_ADDRESS]),
        ("a@b@example.org", [], [NOT_AN_ADDRESS]),
        ("dov..levi@example.org", [], [NOT_AN_ADDRESS]),
        ("dov@example", [], [IMPOSSIBLE]),
        ("dov@localhost", [], [IMPOSSIBLE]),
        ("dov@-example.org", [], [IMPOSSIBLE]),
        ("dov@gmail.con", [], [IMPOSSIBLE]),
        ("dov@host.invalid", [], [IMPOSSIBLE]),
        ("dov@printer.local", [], [IMPOSSIBLE]),
        ("dov@10.0.0.1", [], [IMPOSSIBLE]),
        (f"{'d' * 65}@example.org", [], [NOT_AN_ADDRESS]),
        ("/o=ExchangeLabs/ou=Group/cn=Recipients/cn=dov", [], [INSIDE_A_SERVER]),
    ],
)
def test_two_addresses_are_both_kept_and_what_is_none_is_refused(written, found, refused):
    read = mailboxes(written)
    assert (list(read.found), list(read.refused)) == (found, refused)


LOCAL = st.text("abz019._+-'", min_size=1, max_size=12)
DOMAIN = st.lists(st.text("abz09-", min_size=1, max_size=6), min_size=1, max_size=3).map(".".join)


@given(LOCAL, DOMAIN, st.sampled_from(["org", "gov", "c", "museum", "test", "local", "xn--p1ai", "con"]))
def test_the_quick_look_at_an_address_is_the_library_s(local, domain, top):
    written = f"{local}@{domain}.{top}"
    for address in mailboxes(written).found:
        validate_email(address, check_deliverability=False)
        assert canonical_email(address)
        assert mailboxes(address).found == (address,)
    if top in {"org", "gov", "museum"} and "'" not in local:
        try:
            validate_email(written, check_deliverability=False)
        except EmailNotValidError:
            return
        assert mailboxes(written).found or canonical_email(written) is None


@given(st.text(max_size=80) | st.text("ab@.,;<>\"' /()\n:", max_size=40))
def test_whatever_stands_in_a_cell_an_address_is_possible_or_refused(written):
    read = mailboxes(written)
    assert read.found or read.refused
    for address in read.found:
        assert mailboxes(address).found == (address,)
        assert mailboxes(address).refused == ()


@pytest.mark.requirement("R80", "T30")
@pytest.mark.parametrize(
    ("written", "state", "country", "kept", "why"),
    [
        ("20515", "DC", None, "20515", None),
        ("20515-0904", "DC", None, "20515-0904", None),
        ("205150904", "DC", None, "20515-0904", None),
        ("20515 0904", "DC", "USA", "20515-0904", None),
        ("20515.0", "DC", None, "20515", None),
        ("20515-0000", "DC", None, "20515", None),
        ("20515", None, None, "20515", None),
        ("2458", "MA", None, "02458", None),
        ("2458.0", "MA", None, "02458", None),
        ("601", "PR", None, "00601", None),
        ("2458-1234", "MA", None, "02458-1234", None),
        ("2458", "TX", None, None, ZERO_LOST),
        ("2458", None, None, None, ZERO_LOST),
        ("20515", "TX", None, None, OF_ANOTHER_STATE),
        ("10001", "NJ", None, None, OF_ANOTHER_STATE),
        ("00000", None, None, None, NOT_A_CODE),
        ("2051", "DC", None, None, ZERO_LOST),
        ("205151", None, None, None, NOT_A_CODE),
        ("Zip", None, None, None, NOT_A_CODE),
        ("0", "TX", None, None, NOT_A_CODE),
        ("K1A 0B1", "Ontario", None, "K1A 0B1", None),
        ("K1A 0B1", None, "Canada", "K1A 0B1", None),
        ("K1A 0B1", "TX", None, None, OF_ANOTHER_STATE),
        ("sw1a 2aa", None, "United Kingdom", "SW1A 2AA", None),
        ("75008", None, "France", "75008", None),
        ("8001", None, "Switzerland", "8001", None),
        ("96799", "AS", None, "96799", None),
        ("09021", "AE", None, "09021", None),
        ("99950", "AK", "us", "99950", None),
        ("nowhere at all", None, "France", None, NOT_A_CODE),
    ],
)
def test_a_zip_code_agrees_with_the_state_beside_it_or_is_refused(written, state, country, kept, why):
    assert postal_code(written, state=state, country=country) == (kept, why)


def test_every_zip_code_there_is_lies_in_one_of_its_states():
    known = [(entry["zip_code"], entry["state"]) for entry in zipcodes.list_all()]
    assert all(state in states_of(code) for code, state in known)
    assert {state for _, state in known} >= set(STATES)
