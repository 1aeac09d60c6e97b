"""Screening stops what is said of a person, and lets names of other things pass."""

import csv
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lexicon.screening import screen

HELD = """She is a devout Catholic.
He identifies as Latino
A black woman who runs the shelter
Is Muslim
He's Jewish
Dov is a practicing Christian
her Korean heritage came up
An African American leader in Houston
He attends a mosque downtown
She is white.
He was raised Mormon
Ethnicity: Hispanic
The sheriff is Black
They are Hindu
Marta is Mexican American
Race: white
He is an Orthodox Jew
Religion: Sikh
SHE IS CATHOLIC
His wife is Buddhist""".splitlines()

LET_GO = """Met with Black & Veatch about levees
Christian Smith called
Christian is the director
It was a race to the deadline
Spoke with the U.S. Conference of Catholic Bishops
The Navajo Nation sent a delegate
Jack Black wrote an op-ed
White House meeting on Tuesday
Office in White Plains
Islamic Society of North America hosted
Jewish Federation of Houston
He speaks Spanish and Arabic
Visited the Cherokee County sheriff
Catholic Charities USA will follow up
The Senate race is close
He acted in good faith
The Mexican government replied
Sent the white paper
Mr. White is late
African American Chamber of Commerce
The report was black and white
polish the draft
He is Chief of the Indian Affairs office
Baptist Hospital called
Korean War memorial event
The box is black
The Lutheran Immigration and Refugee Service is helpful
First Baptist Church hosted the meeting
Uses social media regularly; often writes op-eds for a local newspaper""".splitlines()


@pytest.mark.requirement("R41")
@pytest.mark.parametrize("text", HELD)
def test_what_is_said_of_a_person_is_held(text):
    assert any(found.verdict == "hold" and found.klass in {"race", "ethnicity", "religion"} for found in screen(text))


@pytest.mark.parametrize("text", LET_GO)
def test_names_of_firms_bodies_places_and_people_are_let_go(text):
    assert screen(text) == []


@pytest.mark.requirement("R41")
def test_a_strong_word_that_nobody_is_said_to_be_is_asked_about():
    (found,) = screen("Talked about hispanic media")
    assert (found.klass, found.verdict) == ("ethnicity", "ask")


def _labelled(which):
    with Path(__file__).with_name("screening.csv").open(newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["set"] == which]


@pytest.mark.requirement("N8", "R41", "T15")
@pytest.mark.parametrize(
    ("which", "recall", "precision"),
    [
        # What shaped the rules: nothing that was once found may be lost again.
        pytest.param("made", 0.98, 0.99, id="sentences that shaped the rules"),
        # These were labelled first and screened once: 0.87 and 0.98 then. Some that were missed shaped the rules since.
        pytest.param("first", 0.95, 0.98, id="sentences labelled before"),
    ],
)
def test_what_is_said_of_somebody_is_found_and_hard_negatives_are_let_go(which, recall, precision):
    rows = _labelled(which)
    about = [row for row in rows if row["about"] != "-"]
    missed = [row["sentence"] for row in about if not _is_found(row)]
    alarms = [row["sentence"] for row in rows if row["about"] == "-" and screen(row["sentence"])]
    found = len(about) - len(missed)
    print(f"{which}: {len(rows)} sentences, recall {found / len(about):.2f}, precision {found / (found + len(alarms)):.2f}")
    assert found / len(about) >= recall, missed
    assert found / (found + len(alarms)) >= precision, alarms


def _is_found(row):
    classes = {finding.klass for finding in screen(row["sentence"])}
    return bool(classes) if row["about"] == "person" else row["about"] in classes


@pytest.mark.requirement("T15")
@pytest.mark.parametrize(
    ("text", "quoted", "klass"),
    [
        ("call 202-224-3441 now", "202-224-3441", "phone"),
        ("(202) 224 3441", "(202) 224 3441", "phone"),
        ("London +44 20 7946 0000.", "+44 20 7946 0000", "phone"),
        ("2022243441", "2022243441", "phone"),
        ("２０２-２２４-３４４１", "２０２-２２４-３４４１", "phone"),
        ("mail dov@example.org, please", "dov@example.org", "email"),
        ("dov at example dot org", "dov at example dot org", "email"),
        ("dov (at) example (dot) org", "dov (at) example (dot) org", "email"),
    ],
)
def test_phones_and_emails_in_text_are_held_where_they_stand(text, quoted, klass):
    (found,) = screen(text)
    assert (text[found.start : found.end], found.klass, found.verdict) == (quoted, klass, "hold")


@pytest.mark.requirement("T15")
def test_seven_digits_after_a_word_of_calling_are_asked_about():
    assert [(f.klass, f.verdict) for f in screen("her cell is 555-0173")] == [("phone", "ask")]


@pytest.mark.parametrize(
    "text",
    ["2010-05-06 to 2010-05-09", "ZIP 20515-0904", "P.L. 107-296", "FY 2025-2026", "grant 1234567890", "6 U.S.C. 112(c)", "$2,000,000,000",
     "meet at noon. dot the i", "case 2024-00012345", "meet me at example.org", "12:30-14:45"],
)  # fmt: skip
def test_dates_codes_and_sums_are_no_phones(text):
    assert screen(text) == []


def test_a_finding_never_carries_the_words():
    for found in screen("dov@example.org is Catholic, 202-224-3441"):
        assert "dov" not in found.why
        assert "Catholic" not in found.why
        assert "224" not in found.why


@given(st.text(max_size=300))
def test_no_text_breaks_screening_and_findings_are_in_order_and_apart(text):
    found = screen(text)
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    [
        "a@" * 20_000,
        "1-" * 40_000,
        "a." * 40_000,
        "black & " * 10_000,
        "x at " * 15_000,
        "A " * 40_000,
        " " * 100_000 + "@",
        "born " * 20_000,
        "Of Aaa " * 15_000,
        "one " * 30_000,
        "A-" * 40_000,
        "member of the Aaa " * 6_000,
        "dob " * 20_000,
        "w/m, " * 20_000,
        "a.b at " * 15_000,
        "1O" * 40_000,
    ],
)
def test_hostile_text_is_screened_in_reasonable_time(text):
    screen(text)
