"""Canonical forms, names and display: one person, many spellings."""

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.lexicon import canonical, display, names, splitting
from services.lexicon.folding import fold
from services.lexicon.mailboxes import mailbox
from services.lexicon.places import state_code
from services.lexicon.telephones import telephones


@pytest.mark.requirement("T9", "R80")
@pytest.mark.parametrize(
    "written",
    ["202-224-3441", "(202) 224 3441", "+1 202.224.3441", "tel:+1-202-225-3441".replace("225", "224"), "1 202 224 3441 x12", "２０２２２４３４４１"],
)
def test_one_phone_in_many_spellings_has_one_canonical_form(written):
    assert canonical.canonical_phone(written) == "+12022243441"


@pytest.mark.parametrize("written", ["", "n/a", "call me", "12", "202-224", "1" * 40, "tel:"])
def test_what_is_no_phone_has_no_canonical_form(written):
    assert canonical.canonical_phone(written) is None


@pytest.mark.requirement("T9")
@pytest.mark.parametrize(
    "written",
    ["dov.levi@gmail.com", "DOV.LEVI@GMAIL.COM", " Dov Levi <dovlevi+dhs@googlemail.com> ", "mailto:d.o.v.levi@Gmail.com", "ｄovlevi@gmail.com"],
)
def test_one_mailbox_in_many_spellings_has_one_canonical_form(written):
    assert canonical.canonical_email(written) == "dovlevi@gmail.com"


_MAILBOX = "dov.levi@gmail.com"
_AROUND_AN_ADDRESS = [
    "'{}'", '"{},"', "{},", "{};", "{}.", "{}>", "<{}", "<{}>", "({})", "[{}]", "smtp:{}", "SMTP:{}", "sip:{}", "mailto://{}",
    "MAILTO:{}?subject=Hello&cc=x", "{}?subject=Hello%20there", "“{}”", "‘{}’", "´{}´", "`{}`", "«{}»", "„{}“", "''{}''", "＂{}＂",
    "Dov Levi <{}>", '"Levi, Dov" <{}>', "{} (Dov Levi)", "Dov Levi ({})", "Dov Levi - {}", "{} | work", "E-mail: {}", "e-mail address = {}",
    "[{0}](mailto:{0})", "{0}#mailto:{0}#", "{0} <mailto:{0}>", '<a href="mailto:{0}">{0}</a>', "{0}\t{0}", "&lt;{}&gt;",
    "\u200b{}\ufeff", "\u00a0{}\u202f", "\u202a{}\u202c", "*{}*", "_{}_", "- {}", "• {}", "{}/", "{}!",
]  # fmt: skip
_INSIDE_AN_ADDRESS = [
    "dov.levi%40gmail.com", "dov.levi%2540gmail.com", "dov.levi&#64;gmail.com", "dov.levi @ gmail.com", "dov.levi(at)gmail.com",
    "dov.levi [at] gmail [dot] com", "ｄｏｖ．ｌｅｖｉ＠ｇｍａｉｌ．ｃｏｍ", "dov.levi@gmail。com", "dov\u00ad.levi@gmail.com",
    '"dov.levi"@gmail.com', "'dov.levi'@gmail.com", "dov.levi%2Bdhs@gmail.com", "dov.levi@gmail.com.",
]  # fmt: skip


@pytest.mark.requirement("T25", "T9")
@pytest.mark.parametrize("written", [*(around.format(_MAILBOX) for around in _AROUND_AN_ADDRESS), *_INSIDE_AN_ADDRESS])
def test_a_mailbox_is_the_same_whatever_stands_around_it(written):
    assert canonical.canonical_email(written) == "dovlevi@gmail.com"


@pytest.mark.parametrize("around", _AROUND_AN_ADDRESS)
def test_what_is_cleaned_is_the_address_as_it_was_written(around):
    assert canonical.clean_email(around.format("Dov.O'Levi+x@Example.ORG")) == "Dov.O'Levi+x@Example.ORG"


@pytest.mark.parametrize(
    "written", ["a b@c.de", "gale@twom.example.org;g2@twom.example.org", "x@a.org, y@a.org", "a@@b.c", "dov@gmail,com", "Dov Levi dov@x.org", "none"]
)
def test_text_with_no_address_or_with_two_is_not_cut_down_to_one(written):
    assert canonical.clean_email(written) == written


@pytest.mark.requirement("T25", "T9")
@pytest.mark.parametrize(
    "written",
    [
        "tel 202-224-3441", "cell: 202-224-3441", "+1 (202) 224-3441 ext. 5", "(c) 202-224-3441", "202-224-3441 (c)", "202-224-3441 c",
        "C. 202-224-3441", "202-224-3441x5", "202-224-3441 extension 12", "202-224-3441 #5", "tel:+1-202-224-3441;ext=5",
        "00 1 202 224 3441", "011 1 202 224 3441",
        "+ 1 202 224 3441", "[202] 224-3441", "202-224-3441 cell", "Mobile # 202.224.3441", "'202-224-3441'", "“202-224-3441”", "(202-224-3441)",
        "202–224–3441", "202\u200b224\u200b3441", "\u202a202-224-3441\u202c", "202 224 34 41", "(202)224-3441 - work", "☎ 202-224-3441",
        "1(202)2243441", "202/224-3441", "001-202-224-3441", "202-224-3441 mobile preferred", "ph. no. 202-224-3441",
        "call 202-224-3441 evenings only",
        "1 (202) 224-3441 ext: 5 cell", "２０２－２２４－３４４１", "2022243441.0", "callto:202-224-3441", "%2B12022243441", "202-224-3441 x",
    ],
)  # fmt: skip
def test_a_number_is_the_same_whatever_stands_around_it(written):
    assert canonical.canonical_phone(written) == "+12022243441"


@pytest.mark.parametrize("written", ["2O2-224-3441", "202-224-344l", "202-224-3441 or 202-224-3442", "555-0129", "202-224-3441 before 9"])
def test_a_letter_for_a_digit_two_numbers_and_half_a_number_are_no_phone(written):
    assert canonical.canonical_phone(written) is None


def test_a_word_on_the_keys_is_a_number_and_an_extension_stays_with_what_is_cleaned():
    assert canonical.canonical_phone("1-800-GO-FEMA-1") == "+18004633621"
    assert canonical.clean_phone("cell: (202) 224-3441, Ext: 5 (direct)") == "(202) 224-3441 ext. 5"


@given(st.text(max_size=80), st.sampled_from(_AROUND_AN_ADDRESS))
def test_cleaning_what_is_clean_changes_nothing(text, around):
    for clean in (canonical.clean_email, canonical.clean_phone):
        for written in (text, around.format(text), around.format(_MAILBOX)):
            assert clean(clean(written)) == clean(written)


def test_dots_and_tags_count_where_the_provider_counts_them():
    assert canonical.canonical_email("d.levi+x@example.org") == "d.levi+x@example.org"
    assert canonical.canonical_email("dlevi@example.org") != canonical.canonical_email("d.levi@example.org")


def test_an_international_domain_is_the_same_in_unicode_and_in_ascii():
    assert canonical.canonical_email("x@München.de") == canonical.canonical_email("X@xn--mnchen-3ya.de")


@pytest.mark.parametrize("written", ["", "@", "a@", "@b.c", "a b@c.de", "a@b", "no at all", "a@@b.c", "a@.."])
def test_what_is_no_email_has_no_canonical_form(written):
    assert canonical.canonical_email(written) is None


@pytest.mark.requirement("T9", "R82")
@pytest.mark.parametrize(
    "written", ["Amy Klobuchar", "AMY JEAN KLOBUCHAR", "Klobuchar, Amy J.", "Sen. Amy Klobuchar", "amy  klobuchar, jr.", "Ａmy Klobuchar"]
)
def test_one_name_in_many_spellings_has_one_canonical_form(written):
    assert canonical.canonical_name(written) == "amy klobuchar"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Catherine", "Cortez Masto"), ("Catherine Cortez", "Masto")),
        (("Jesús G.", "García"), ("JESUS", "GARCIA")),
        (("Alexandria", "Ocasio-Cortez"), ("Alexandria", "Ocasio Cortez")),
        (("Sanford D.", "Bishop, Jr."), ("Sanford", "Bishop Jr")),
        (("Seán", "O’Neil"), ("Sean", "O'Neil")),
    ],
)
def test_lists_that_spell_a_name_differently_agree_on_its_canonical_form(one, other):
    assert canonical.canonical_name(*one) == canonical.canonical_name(*other)


def test_nicknames_are_likeness_and_no_canonical_form():
    mike, michael = splitting.PersonName("", "Mike", "Crapo"), splitting.PersonName("", "Michael D.", "Crapo")
    assert canonical.canonical_name("Mike", "Crapo") != canonical.canonical_name("Michael", "Crapo")
    assert names.are_names_alike(mike, michael)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (("John F.", "Reed"), ("Jack", "Reed"), True),
        (("W. Gregory", "Steube"), ("Greg", "Steube"), True),
        (("J.", "Smith"), ("Jane", "Smith"), True),
        (("J.", "Smith"), ("Adam", "Smith"), False),
        (("Adam", "Smith"), ("Adrian", "Smith"), False),
        (("Tina", "Smith"), ("Tina", "Smyth"), False),
        (('Eric A. "Rick"', "Crawford"), ("Rick", "Crawford"), True),
        (("", "Crawford"), ("Rick", "Crawford"), False),
        (("", "Crawford"), ("", "CRAWFORD"), True),
    ],
)
def test_names_are_alike_when_they_may_be_one_person_s(one, other, alike):
    a, b = splitting.PersonName("", *one), splitting.PersonName("", *other)
    assert names.are_names_alike(a, b) is alike
    assert names.are_names_alike(b, a) is alike


@pytest.mark.parametrize("written", ["International Business Machines Corp.", "THE INTERNATIONAL BUSINESS MACHINES CORPORATION, INC."])
def test_an_organization_is_recognised_without_its_legal_form(written):
    assert canonical.canonical_organization(written) == "international business machines"


def test_an_organization_s_ampersand_dots_and_country_are_words():
    assert canonical.canonical_organization("AT&T Inc.") == canonical.canonical_organization("AT and T")
    assert canonical.canonical_organization("I.B.M.") == "ibm"
    assert canonical.canonical_organization("U.S. Senate") == canonical.canonical_organization("United States Senate")
    assert canonical.canonical_organization("Co") == "co"  # a name that is nothing else keeps it


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Roger F. Wicker", ("", "Roger F.", "Wicker")),
        ("Sanford D. Bishop, Jr.", ("", "Sanford D.", "Bishop Jr.")),
        ("Sen. Klobuchar, Amy Jean", ("Sen.", "Amy Jean", "Klobuchar")),
        ('Eric A. "Rick" Crawford', ("", 'Eric A. "Rick"', "Crawford")),
        ("Monica De La Cruz", ("", "Monica", "De La Cruz")),
    ],
)
def test_middle_name_and_suffix_go_into_first_and_last_name(written, expected):
    assert splitting.split_name(written) == splitting.PersonName(*expected)


@pytest.mark.requirement("R27")
def test_a_name_in_five_columns_goes_into_three_fields():
    name = splitting.join_name(salutation="Sen.", first=" Angus", middle="S.", last="King ", suffix="Jr.")
    assert name == splitting.PersonName("Sen.", "Angus S.", "King Jr.")


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(max_codepoint=0x7F), max_size=60))
@example("Bram-Dorn, J. R.")
@example("O'Neil")
@example("AT&T")
@example("Rock`n`Roll #7_a")
def test_plain_words_are_folded_the_short_way_as_the_long_way_folds_them(text):
    # A marked letter is not ASCII: the whole text goes the long way.
    assert fold(f"{text} é") == f"{fold(text)} e".strip()


@given(st.text(max_size=40))
def test_folding_does_not_see_case_or_composition(text):
    import unicodedata

    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(text.casefold()) == fold(text)


@given(st.text(max_size=60))
def test_no_text_breaks_a_canonical_form_and_each_is_its_own(text):
    for form in (canonical.canonical_email, canonical.canonical_phone):
        once = form(text)
        assert once is None or form(once) == once
    once = canonical.canonical_organization(text)
    assert canonical.canonical_organization(once) == once
    canonical.canonical_name(text)
    canonical.canonical_address(text)


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_whatever_the_names(one, other):
    a, b = splitting.PersonName("", one, "Smith"), splitting.PersonName("", other, "smith")
    assert names.are_names_alike(a, b) == names.are_names_alike(b, a)


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(
    ("written", "shown"),
    [("MCDONALD JR", "McDonald Jr."), ("de la Cruz", "de la Cruz"), ("  van   Hollen ", "van Hollen"), ("TIMMONS IV", "Timmons IV"), ("", "")],
)
def test_a_name_is_evened_out_only_where_its_case_says_nothing(written, shown):
    assert display.display_name(written) == shown


@pytest.mark.requirement("R80")
def test_phones_emails_postal_codes_and_states_are_shown_in_one_way():
    assert [number.shown for number in telephones("(202) 224.3441 x5").found] == ["202-224-3441 ext. 5"]
    assert [number.shown for number in telephones("+442079460000").found] == ["+44 20 7946 0000"]
    assert not telephones("none").found
    assert mailbox("Dov <Dov@Example.ORG>") == "Dov@example.org"
    assert mailbox("dov") is None
    assert state_code("texas") == "TX"


@given(st.text(max_size=60))
def test_showing_a_shown_value_changes_nothing(text):
    for show in (display.display_name, display.tidy, display.tidy_lines):
        assert show(show(text)) == show(text)


def test_a_contact_point_is_canonical_by_its_kind():
    assert canonical.canonical_contact_point("email", "A@B.org") == "a@b.org"
    assert canonical.canonical_contact_point("cell", "202-224-3441") == "+12022243441"
    assert canonical.canonical_contact_point("work_address", "5 Main Street, Suite 4") == "5 main st ste 4"
    assert canonical.canonical_contact_point("work_address", " ") is None
    assert canonical.canonical_address("5 Main St. #4", "Austin", "TX", "78701-1234") == "5 main st ste 4 austin tx 78701"


@given(st.from_regex(r"(\+?1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-]{0,2}[2-9][0-9]{2}[ .-]?[0-9]{4}", fullmatch=True))
def test_the_short_way_for_usual_phones_says_what_the_parser_says(written):
    number = phonenumbers.parse(written, "US")
    assert canonical.canonical_phone(written) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # An area code that nobody has been given makes no telephone; it is compared all the same.
    for read in telephones(written).found:
        assert canonical.canonical_phone(read.shown) == canonical.canonical_phone(written)
