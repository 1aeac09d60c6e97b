"""A name that one column holds: where its title ends, where its suffix begins, and how it is written (R26, R27, R80)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lexicon import display, names, splitting
from services.lexicon.folding import APOSTROPHES, even_signs, fold
from services.lexicon.honorifics import without_titles

TITLES = """
The Honorable|The Hon.|Hon.|Mr.|Mrs.|Ms|Miss|Mx.|Sra.|Srta.|Herr|Frau|Mme|Madame|Monsieur|Sir|Dame
Dr.|Prof.|Professor|Prof. Dr.|The Hon. Dr.|Dr. and Mrs.|Mr. & Mrs.|Mr. and Dr.
Rev.|The Rev.|The Rev. Dr.|The Right Rev.|The Most Reverend|Fr.|Father|Rabbi|Imam|Pastor|Sister|Brother|Bishop|Archbishop|Msgr.|Deacon|Chaplain
Senator|Sen.|U.S. Senator|US Sen.|State Senator|State Sen.|Rep.|Representative|U.S. Rep.|State Representative|Congressman|Congresswoman
Congressmember|Delegate|Del.|Assemblymember|Assemblywoman|Assembly Member|Alderman|Alderwoman|Councilmember|Council Member|City Councilman
Supervisor|County Supervisor|County Executive|County Judge|County Commissioner|Governor|Gov.|Lt. Governor|Lieutenant Governor|Lt. Gov.
Governor-elect|Former Governor|Mayor|Vice Mayor|Deputy Mayor|Sheriff|Undersheriff|Chief|Police Chief|Fire Chief|Chief of Police|Fire Marshal
Principal Chief|Chairman|Chairwoman|Vice Chair|Commissioner|Ambassador|Amb.|Secretary|Deputy Secretary|Acting Secretary|Under Secretary
Assistant Secretary|Secretary of State|Secretary of Homeland Security|Attorney General|Solicitor General|Surgeon General|Judge|Chief Judge
Magistrate Judge|Justice|Chief Justice|Associate Justice|Speaker|President|Vice President|Prime Minister|Minister|Consul General
His Excellency|H.E.|Her Honor|Special Agent|Detective|Trooper|Officer|Superintendent|Administrator|Director
Gen.|General|Lt. Gen.|LtGen|LTG|Maj. Gen.|Major General|MajGen|Brig. Gen.|Brigadier General|BGen|Col.|COL|Lt. Col.|Lt.Col.|LtCol|LTC
Lieutenant Colonel|Maj.|Major|MAJ|Capt.|CPT|1st Lt.|1LT|2nd Lieutenant|2ndLt|Lt.|LT|Adm.|Admiral|Vice Admiral|VADM|Rear Admiral|RADM
Cmdr.|CDR|Lt. Cmdr.|LCDR|Ensign|Sgt.|Sergeant|Staff Sgt.|SSG|SSgt|Sergeant First Class|SFC|Master Sergeant|MSG|MSgt|1SG|First Sergeant
Sgt. Maj.|Sergeant Major|SGM|CSM|Command Sergeant Major|GySgt|Gunnery Sergeant|CMSgt|Chief Master Sergeant|Cpl.|Lance Corporal|PFC|CW3
Chief Warrant Officer|Petty Officer First Class|Master Chief Petty Officer
"""
SUFFIXES = "Jr.|Jr|Sr.|II|III|IV|2nd|3rd|4th|Esq.|Esquire|Ph.D.|PhD|Ph. D.|M.D.|MD|J.D.|CPA|C.P.A.|RN|Ed.D.|MBA|USN|USA (Ret.)|USMC|USAF|(Ret.)|Ret."


def listed(text):
    return [entry for line in text.strip().splitlines() for entry in line.split("|")]


@pytest.mark.requirement("R26", "R27")
@pytest.mark.parametrize("title", listed(TITLES))
def test_ranks_offices_and_honorifics_are_salutations(title):
    assert splitting.split_name(f"{title} Ana Maria Honogard") == splitting.PersonName(title, "Ana Maria", "Honogard")
    assert splitting.split_name(f"Honogard, {title} Ana") == splitting.PersonName(title, "Ana", "Honogard")
    assert splitting.split_name(f"{title} Ana Honogard, Jr.") == splitting.PersonName(title, "Ana", "Honogard Jr.")


@pytest.mark.requirement("R26", "R27")
@pytest.mark.parametrize(
    "written",
    """Major Owens|Judge Reinhold|Dean Phillips|King Charles|Bishop Sand|Pope Francis|Earl Warren|Prince Rogers|Sister Souljah|Marshall Dillon
    Shri Thanedar|Justice Winslett|Del Rio|Duke Snider|Baron Hill|Deacon Jones|Lord Byron""".replace("\n", "|").split("|"),
)
def test_a_word_that_is_the_name_is_no_salutation(written):
    first, last = written.split()
    assert splitting.split_name(written) == splitting.PersonName("", first, last)
    assert splitting.split_name(f"{last}, {first}") == splitting.PersonName("", first, last)
    assert splitting.split_name(f"{written}, Jr.") == splitting.PersonName("", first, f"{last} Jr.")


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Rev", ("", "", "Rev")),
        ("Judge", ("", "", "Judge")),
        ("Sukarno", ("", "", "Sukarno")),
        ("Dr. Sukarno", ("Dr.", "", "Sukarno")),
        ("Senator Smith", ("Senator", "", "Smith")),
        ("Sergeant Major Lee", ("Sergeant Major", "", "Lee")),
        ("Rep. Major Owens", ("Rep.", "Major", "Owens")),
        ("Rep. Dean Phillips", ("Rep.", "Dean", "Phillips")),
        ("Earl Ray Tomblin", ("", "Earl Ray", "Tomblin")),
        ("John King", ("", "John", "King")),
        ("Mary Bishop", ("", "Mary", "Bishop")),
        ("Robard Salugard, Dr.", ("Dr.", "Robard", "Salugard")),
        ("Dr. Smith, John", ("Dr.", "John", "Smith")),
        ("Sr. Juan Pérez", ("Sr.", "Juan", "Pérez")),
        ("M. Emmanuel Macron", ("M.", "Emmanuel", "Macron")),
        ("M. Night Shyamalan", ("", "M. Night", "Shyamalan")),
        ("Robert (Bob) Smith", ("", 'Robert "Bob"', "Smith")),
        ("Robert ‘Bob’ Smith", ("", 'Robert "Bob"', "Smith")),
    ],
)
def test_a_name_with_few_words_keeps_at_least_one_of_them(written, expected):
    assert splitting.split_name(written) == splitting.PersonName(*expected)


@pytest.mark.requirement("R27", "R80")
@pytest.mark.parametrize("suffix", listed(SUFFIXES))
def test_a_suffix_stays_with_the_last_name_wherever_it_stands(suffix):
    expected = splitting.PersonName("", "John", f"Ordigard {suffix}")
    for written in ("John Ordigard {}", "John Ordigard, {}", "Ordigard, John, {}", "Ordigard, John {}", "Ordigard {}, John", "Ordigard, {}, John"):
        assert splitting.split_name(written.format(suffix)) == expected, written
    assert names.family_key(expected.last_name) == "ordigard"


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("written", "last"),
    [
        ("John Smith, Jr., Esq.", "Smith Jr. Esq."),
        ("Col. John Smith III, USA (Ret.)", "Smith III USA (Ret.)"),
        ("John J. McGuire III", "McGuire III"),
        ("Jane Smith MA", "Smith MA"),
        ("Jim Ma", "Ma"),
        ("JIM MA", "MA"),
        ("Kim Do", "Do"),
        ("John V", "V"),
        ("John Smith V", "Smith V"),
    ],
)
def test_several_suffixes_stay_and_short_family_names_are_none(written, last):
    assert splitting.split_name(written).last_name == last


@pytest.mark.requirement("R27")
@pytest.mark.parametrize("initials", ["JD", "TJ", "J.D.", "A.J.", "AJ", "CJ", "Md"])
def test_initials_behind_a_family_name_are_a_given_name(initials):
    assert splitting.split_name(f"Initgard, {initials}") == splitting.PersonName("", initials, "Initgard")
    assert splitting.split_name(f"{initials} Initgard") == splitting.PersonName("", initials, "Initgard")


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Juan", "de la Cruz"),
        ("Vincent", "van der Berg"),
        ("Ahmed", "al-Rashid"),
        ("Khalid", "bin Salman"),
        ("Patrick", "O'Neil"),
        ("John", "St. John"),
        ("Ludwig", "von Mises"),
        ("José", "Ortega y Gasset"),
        ("Gabriel", "García Márquez"),
        ("Ana María", "López Hernández"),
        ("Debbie", "Wasserman Schultz"),
        ("Teresa", "Leger Fernandez"),
        ("Catherine", "Cortez Masto"),
        ("Linda", "Thomas-Greenfield"),
        ("Amy Jean", "Klobuchar"),
        ("John Norman", "Smith"),
        ("Hillary Rodham", "Clinton"),
        ("Luz Ángel", "Torres"),
    ],
)
def test_particles_and_both_halves_of_a_double_name_are_the_family_name(first, last):
    assert splitting.split_name(f"{first} {last}") == splitting.PersonName("", first, last)
    assert splitting.split_name(f"{last}, {first}") == splitting.PersonName("", first, last)


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("JD", "JD"),
        ("TJ", "TJ"),
        ("jd", "JD"),
        ("AJ", "AJ"),
        ("J.D.", "J.D."),
        ("A.J.", "A.J."),
        ("MLK", "MLK"),
        ("AMY", "Amy"),
        ("ED", "Ed"),
        ("JO ANN", "Jo Ann"),
        ("KLOBUCHAR", "Klobuchar"),
        ("O’NEIL", "O'Neil"),
        ("ST. JOHN", "St. John"),
        ("SMITH 3RD", "Smith 3rd"),
        ("SMITH PHD", "Smith PhD"),
        ("MCGUIRE III", "McGuire III"),
    ],
)
def test_initials_stay_as_they_were_typed_and_shouting_is_evened(written, shown):
    assert display.display_name(written) == shown


def test_two_capitals_of_a_family_name_are_no_initials():
    assert display.display_name("KU", given=False) == "Ku"
    assert display.display_name("WU") == "Wu"


@pytest.mark.requirement("R80")
@pytest.mark.parametrize("apostrophe", APOSTROPHES)
def test_every_apostrophe_is_one_on_entry_and_in_search(apostrophe):
    assert display.display_name(f"O{apostrophe}Acutegard") == "O'Acutegard"
    assert even_signs(f"O{apostrophe}ahugard League") == "O'ahugard League"
    assert fold(f"O{apostrophe}Acutegard") == fold("O'Acutegard") == "oacutegard"
    assert splitting.split_name(f"Seán O{apostrophe}Neil") == splitting.PersonName("", "Seán", "O'Neil")


@pytest.mark.requirement("R80")
@pytest.mark.parametrize("hyphen", "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d")
def test_every_hyphen_inside_a_name_is_one(hyphen):
    assert display.display_name(f"Ocasio{hyphen}Cortez") == "Ocasio-Cortez"
    assert fold(f"Ocasio{hyphen}Cortez") == fold("Ocasio-Cortez")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Major R.", "Major"), ("Shri", "Shri"), ("Judge", "Judge E."), ("Dr. Robert", "Robert"), ("The Hon. Robert", "Robert")],
)
def test_a_given_name_that_is_a_title_is_like_itself(one, other):
    assert names.are_given_names_alike(one, other)


def test_a_search_goes_without_titles_and_suffixes_unless_nothing_is_left():
    assert without_titles(["Dr.", "Robard", "Salugard", "Jr."]) == ["Robard", "Salugard"]
    assert without_titles(["Lt.", "Col.", "Smith"]) == ["Smith"]
    assert without_titles(["Senator"]) == ["Senator"]


@given(st.text(alphabet=st.sampled_from("Dr. Jane,()\"' Smith III Ma Md Lt 2nd de la ʻ"), max_size=40))
def test_no_letter_of_a_name_is_lost_whatever_stands_in_it(written):
    split = splitting.split_name(written)
    letters = sorted(fold(f"{split.salutation} {split.first_name} {split.last_name}").replace(" ", ""))
    assert letters == sorted(fold(written).replace(" ", ""))


@pytest.mark.requirement("R26", "R27")
@pytest.mark.parametrize(
    ("written", "salutation", "first", "last"),
    [
        ("Capt. (Ret.) Dan Quill, USN", "Capt. (Ret.)", "Dan", "Quill USN"),
        ("Ambassador (Ret.) Ana Quill", "Ambassador (Ret.)", "Ana", "Quill"),
        ("Ana Quill - Levi", "", "Ana", "Quill-Levi"),
        ("Ana Quill - Mayor", "Mayor", "Ana", "Quill"),
    ],
)
def test_brackets_and_dashes_belong_to_what_they_stand_at(written, salutation, first, last):
    name = splitting.split_name(written)
    assert (name.salutation, name.first_name, name.last_name) == (salutation, first, last)
