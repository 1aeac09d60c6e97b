"""P16, exchange of passports: every service shows every passport under every name and asks for every audience."""

from __future__ import annotations

import itertools

import pytest

from services.access.contract import AUDIENCES, ONWARD
from services.access.domain.secrets import service_secret
from services.chassis.messages import Refusal
from tests.integration.access.conftest import MASTER
from tests.rows import figure

#: How often the whole of it is tried.
ROUNDS = figure(17, 1)
USERS = (*AUDIENCES, "gateway")

pytestmark = pytest.mark.row("P16")


def exchange(running, passport, audience, service, secret):
    """Return the new passport, or None if it is refused."""
    try:
        return running.call("exchange", passport=passport, audience=audience, service=service, secret=secret)["passport"]
    except Refusal as refusal:
        return None if refusal.code == "passport-not-exchangeable" else refusal.code


@pytest.mark.requirement("R156", "R148")
def test_a_passport_is_exchanged_by_the_service_it_was_made_out_to_and_by_no_other(running):
    token = running.signed_in("chloe")
    accepted, tried = [], 0
    for _ in range(ROUNDS):
        shown = {audience: running.passport(token, audience) for audience in AUDIENCES}
        for attacker, claimed, shown_to, audience in itertools.product(USERS, USERS, AUDIENCES, AUDIENCES):
            if attacker == claimed == shown_to and audience in ONWARD.get(attacker, ()):
                continue
            tried += 1
            if exchange(running, shown[shown_to], audience, claimed, service_secret(MASTER, attacker)):
                accepted.append((attacker, claimed, shown_to, audience))
    print(f"P16: {tried} forged exchanges, {len(accepted)} accepted")
    assert accepted == []
    # The user is signed in as before: asking for what is not given ends nothing.
    assert running.call("current_session", running.passport(token))


@pytest.mark.requirement("R156", "R148")
def test_what_is_exchanged_opens_what_its_service_needs_and_goes_no_further(running):
    token = running.signed_in("sam")
    secret = service_secret(MASTER, "interactions")
    onward = exchange(running, running.passport(token, "interactions"), "access", "interactions", secret)
    assert running.call("read_user", onward, user_id=running.ids["sam"])["id"] == running.ids["sam"]
    for method, arguments in (
        ("sign_out", {}),
        ("current_session", {}),
        ("acknowledge", {"statements_version": "2.4-1", "accepted": True}),
        ("list_users", {}),
        ("withdraw_approval", {"user_id": running.ids["amina"]}),
        ("change_profile", {"body": {}, "if_match": "x"}),
    ):
        with pytest.raises(Refusal) as refused:
            running.call(method, onward, command=True, **arguments)
        assert refused.value.code == "identity-refused", method
    contacts = exchange(running, running.passport(token, "interactions"), "contacts", "interactions", secret)
    for service, audience in itertools.product(AUDIENCES, AUDIENCES):
        for passport in (onward, contacts):
            assert exchange(running, passport, audience, service, service_secret(MASTER, service)) is None
    # Nor does it put a refusal into the trail under the user's name.
    running.call("record_refusal", onward, route="individuals.reveal", code="forbidden", status=403, source="198.51.100.7")
    assert not [e for e in running.entries() if e["action"] == "gateway:request:refuse" and e["actor"] == running.ids["sam"]]
    assert running.call("current_session", running.passport(token))
