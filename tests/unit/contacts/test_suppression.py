"""An organization is recognized in any field and spelling (T25)."""

from __future__ import annotations

import pytest

from services.contacts.domain.suppression import asked_of, compared, employers_in, is_alone, marks_of, organization_form


@pytest.mark.requirement("T25")
@pytest.mark.parametrize(
    "written",
    [
        "Heritage Mills", "The Heritage Mills Corporation", "HERITAGE  MILLS", "Héritage Mills", "Hеritаgе Mills", "Heritage Mi11s", "Heritage-Mills",
        "Counsel at Heritage Mills", "Counsel, Heritage Mills (DC office)", "Heritage Mills Inc., Policy", "H e r i t a g e Mills",
        "heritage mills llc",
        "Ｈｅｒｉｔａｇｅ Ｍｉｌｌｓ", "Heritage\u00a0Mills", "Heri\u00adtage Mills", "Heritage Mills, Inc", "“Heritage Mills”",
    ],
)  # fmt: skip
def test_an_organization_is_known_again_however_it_is_written(written: str) -> None:
    (mark,) = marks_of(organizations=["Heritage Mills, Inc."], contact_points=[])
    assert (mark.kind, mark.canonical) in asked_of(texts=[written], points=[])


@pytest.mark.requirement("T25")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Larkspur Association", "Larkspur Assn."),
        ("University of Texas", "Univ. of Texas"),
        ("National Council of the Arts", "Nat'l Council of Arts"),
        ("AT&T Inc.", "AT and T"),
        ("United States Senate", "U.S. Senate"),
        ("L’Oréal USA", "L'Oreal U.S.A."),
        ("International Business Machines", "Intl Business Machines Corp"),
        ("O'Brien Group", "O’Brien Grp"),
    ],
)
def test_abbreviations_apostrophes_and_legal_forms_make_no_other_organization(one: str, other: str) -> None:
    assert organization_form(one) == organization_form(other) != ""


def test_another_organization_is_another() -> None:
    (mark,) = marks_of(organizations=["Heritage Mills"], contact_points=[])
    for written in ("Heritage Foundation", "Mills", "Heritage", "Director"):
        assert (mark.kind, mark.canonical) not in asked_of(texts=[written], points=[])


@pytest.mark.requirement("T25")
def test_an_employer_in_a_title_is_marked_and_a_position_is_not() -> None:
    assert employers_in("Counsel, Heritage Mills") == ["Heritage Mills"]
    assert employers_in("Director of Policy at Larkspur") == ["Larkspur"]
    assert employers_in("Director, Government Affairs") == []
    assert employers_in("Chief of Staff") == []


@pytest.mark.requirement("T9", "T25")
def test_a_person_s_mailbox_is_theirs_in_other_countries_too_and_tags_and_look_alikes_do_not_count() -> None:
    for address in ("a@yahoo.co.uk", "a@hotmail.fr", "a@proton.me", "a@outlook.com.br", "a@hey.com"):
        assert is_alone("email", address)
    assert not is_alone("email", "a@heritagemills.example")
    assert compared("email", "a+dhs@example.org") == compared("email", "а@example.org") == "a@example.org"
