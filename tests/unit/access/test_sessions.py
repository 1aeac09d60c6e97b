"""Sessions: how long one lives, how many there may be, what a token is."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.domain.sessions import Session, beyond_limit, new_token, token_digest, why_over
from services.access.domain.statements import STATEMENTS, STATEMENTS_VERSION, are_accepted

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def a_session(number: int = 1, *, opened: datetime = NOW, seen: datetime | None = None) -> Session:
    return Session(id=f"session-{number}", user_id="amina", opened_at=opened, last_seen_at=seen or opened, expires_at=opened + timedelta(hours=12))


@pytest.mark.requirement("R106", "R107", "R108")
def test_the_three_statements_are_the_pias_word_for_word():
    assert STATEMENTS[STATEMENTS_VERSION] == (
        "Information may be used only for DHS outreach purposes.",
        "Any unauthorized access may be subject to criminal and civil penalties;",
        (
            "Each participating agency is responsible for its own compliance in collecting, maintaining, and sharing "
            "information under the Privacy Act and any applicable regulations."
        ),
    )


@pytest.mark.requirement("R105")
@pytest.mark.parametrize(
    ("version", "accepted", "is_affirmative"),
    [(STATEMENTS_VERSION, True, True), (STATEMENTS_VERSION, False, False), ("0", True, False), ("", True, False), (STATEMENTS_VERSION, 1, False)],
)
def test_only_yes_to_the_present_version_is_an_acknowledgement(version, accepted, is_affirmative):
    assert are_accepted(version, accepted=accepted) is is_affirmative


def test_a_session_lives_to_the_last_moment_of_fifteen_idle_minutes():
    session = a_session()
    assert why_over(session, now=NOW + timedelta(minutes=15, microseconds=-1)) is None
    assert why_over(session, now=NOW + timedelta(minutes=15)) == "idle"


def test_however_busy_a_session_ends_after_twelve_hours():
    session = a_session(seen=NOW + timedelta(hours=11, minutes=59))
    assert why_over(session, now=NOW + timedelta(hours=12, microseconds=-1)) is None
    assert why_over(session, now=NOW + timedelta(hours=12)) == "expired"
    assert session.idle_expires_at == NOW + timedelta(hours=12)


@pytest.mark.parametrize(("is_administrator", "held", "ended"), [(False, 1, 0), (False, 2, 1), (False, 4, 3), (True, 2, 0), (True, 3, 1)])
def test_a_sign_in_beyond_the_limit_ends_the_oldest(is_administrator, held, ended):
    alive = [a_session(n, opened=NOW + timedelta(minutes=n)) for n in reversed(range(held))]
    assert [s.id for s in beyond_limit(alive, is_administrator=is_administrator)] == [f"session-{n}" for n in range(ended)]


def test_what_is_stored_of_a_token_is_its_sha256():
    token = new_token()
    assert len(token) == 43
    assert token_digest(token) == hashlib.sha256(token.encode()).digest()


@given(st.integers(0, 42), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \x00é"))
def test_a_token_with_another_character_is_another_token_or_none(place, character):
    token = new_token()
    mutated = token[:place] + character + token[place + 1 :]
    assert mutated == token or token_digest(mutated) != token_digest(token)


@pytest.mark.parametrize("no_token", [None, 7, "", "a", "A" * 42, "A" * 44, " " + "A" * 43, "A" * 43 + "\n", "B" * 43, b"A" * 43, ["A" * 43]])
def test_what_cannot_be_a_token_has_no_digest(no_token):
    assert token_digest(no_token) is None
