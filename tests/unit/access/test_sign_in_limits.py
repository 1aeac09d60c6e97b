"""Failed sign-ins are counted, and passwords are what they should be."""

from datetime import UTC, datetime, timedelta

import pytest

from services.access.domain.passwords import DECOY, is_right, password_hash, why_too_weak
from services.access.domain.secrets import is_service, service_secret, source_digest
from services.access.domain.throttle import NAME_LIMIT, PAIR_LIMIT, WINDOW, Throttle

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_after_five_failures_a_name_has_to_wait_at_that_source_and_only_there():
    throttle = Throttle()
    for n in range(PAIR_LIMIT):
        assert not throttle.is_closed("amina", "198.51.100.7", now=NOW + timedelta(seconds=n))
        throttle.failed("Amina", "198.51.100.7", now=NOW + timedelta(seconds=n))
    assert throttle.is_closed("amina", "198.51.100.7", now=NOW + timedelta(seconds=9))
    assert not throttle.is_closed("amina", "198.51.100.8", now=NOW)
    assert not throttle.is_closed("amina", "198.51.100.7", now=NOW + WINDOW + timedelta(seconds=9))


def test_wrong_names_of_others_shut_nobody_out_at_a_source():
    throttle = Throttle()
    for n in range(10 * NAME_LIMIT):
        throttle.failed(f"name-{n}", "198.51.100.7", now=NOW)
    assert not throttle.is_closed("another", "198.51.100.7", now=NOW)


def test_one_name_cannot_be_tried_from_many_sources():
    throttle = Throttle()
    for n in range(NAME_LIMIT):
        throttle.failed("amina", f"198.51.100.{n}", now=NOW)
    assert throttle.is_closed("amina", "203.0.113.1", now=NOW)


def test_success_forgets_the_pair_and_not_the_name():
    throttle = Throttle()
    for n in range(NAME_LIMIT):
        throttle.failed("amina", f"198.51.100.{n}", now=NOW)
    throttle.succeeded("amina", "198.51.100.7")
    assert throttle.is_closed("amina", "198.51.100.7", now=NOW)


def test_the_throttle_keeps_no_name_and_no_address():
    throttle = Throttle()
    throttle.failed("nobody.of.that.name", "198.51.100.7", now=NOW)
    kept = repr(vars(throttle))
    assert "nobody" not in kept
    assert "198.51" not in kept


def test_a_password_is_stored_as_argon2id_and_verified():
    stored = password_hash("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_right(stored, "correct horse battery")
    assert not is_right(stored, "correct horse batterz")
    assert not is_right("no hash at all", "correct horse battery")


def test_the_decoy_costs_what_a_stored_password_costs():
    assert DECOY.split("$")[1:4] == password_hash("x").split("$")[1:4]
    assert not is_right(DECOY, "anything")


@pytest.mark.parametrize(("password", "weak"), [("short", True), ("amina-is-my-name", True), ("correct horse battery", False)])
def test_which_passwords_are_too_weak(password, weak):
    assert bool(why_too_weak(password, username="Amina")) is weak


def test_a_service_is_known_by_its_own_secret_alone():
    secret = service_secret("master", "contacts")
    assert is_service("master", "contacts", secret)
    for service, shown in [
        ("retention", secret),
        ("contacts", secret[:-1] + "x"),
        ("nobody", service_secret("master", "")),
        ("", service_secret("master", "")),
        (None, None),
        ("contacts", "é"),
        ("contacts", 7),
    ]:
        assert not is_service("master", service, shown)
    assert not is_service("", "contacts", service_secret("", "contacts"))


def test_the_same_address_has_another_digest_under_another_key():
    assert source_digest("one", "198.51.100.7") == source_digest("one", "198.51.100.7")
    assert source_digest("one", "198.51.100.7") != source_digest("two", "198.51.100.7")
