"""Keyed digests and tags: each purpose has its own, and a former key counts as long as it is configured."""

from __future__ import annotations

import hashlib
import hmac
import os

import pytest

from gateway.app import create_app
from services.chassis import messages
from services.chassis.config import Settings
from services.chassis.database.locks import Lock
from services.chassis.keyed import Keyed, join_digests, keys_for, parts_of, split_digests
from services.chassis.messages import Caller, Operation, entity_tag, entity_tags, tag_with
from services.chassis.revocations import Revocations
from services.chassis.runtime.process import compose
from tests.unit.gateway.fakes import FakeBus


@pytest.mark.requirement("R2")
def test_a_digest_needs_the_key_and_is_of_one_purpose() -> None:
    keyed = Keyed("one key", "request")
    digest = keyed.of("956-555-0142")
    assert digest == Keyed("one key", "request").of(b"956-555-0142")
    assert len({digest, Keyed("another", "request").of("956-555-0142"), Keyed("one key", "contacts sent in").of("956-555-0142")}) == 3
    assert digest.partition(".")[2] not in {
        hashlib.sha256(b"956-555-0142").hexdigest(),
        hmac.digest(b"one key", b"956-555-0142", "sha256").hex(),
    }


def test_without_a_key_a_digest_lives_as_long_as_its_process() -> None:
    assert Keyed("", "request").of("x") != Keyed("", "request").of("x")


def test_a_digest_under_a_former_key_counts_until_the_key_is_dropped() -> None:
    old, both, new = Keyed("old", "p"), Keyed(" new , old ", "p"), Keyed("new", "p")
    kept = old.of("value")
    assert both.is_of(kept, "value")
    assert not both.is_of(kept, "another")
    assert both.of("value") == new.of("value")
    assert both.each("value") == [new.of("value"), kept]
    assert not new.is_of(kept, "value")
    assert split_digests(join_digests(both.each("value"))) == both.each("value")


def test_each_purpose_has_keys_of_its_own_from_every_key_of_the_setting() -> None:
    assert parts_of("a, b,,") == ["a", "b"]
    assert keys_for("a,b", "access cursors") == (*keys_for("a", "access cursors"), *keys_for("b", "access cursors"))
    assert not {*keys_for("a,b", "access cursors")} & {*keys_for("a,b", "audit cursors"), b"a", b"b"}


def test_a_repetition_waits_for_the_first_whichever_key_its_gateway_uses() -> None:
    def locks(setting: str) -> list[Lock]:
        operation = Operation("id", "POST", "/individuals", join_digests(Keyed(setting, "request").each("k")), "hash")
        return Lock.of_request(Caller(kind="user", id="amina", operation=operation))

    before, adding, changed, after = locks("old"), locks("old,new"), locks("new,old"), locks("new")
    assert adding == changed, "in one order, so that two never wait for each other"
    for one, other in ((before, adding), (changed, after)):
        assert set(one) & set(other)
    assert Lock.of_request(Caller(kind="user", id="amina")) == []


def test_a_gateway_and_a_service_in_processes_of_their_own_make_the_same_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, seen, tags = Settings(service="contacts", cursor_key="of both"), {"last_name": "Dorn"}, []
    for put_together in (compose, lambda given: create_app(FakeBus(), Revocations(lambda _: True), given)):
        monkeypatch.setattr(messages, "_tag_keys", [os.urandom(32)])
        put_together(settings)
        tags.append(entity_tag(seen))
    assert tags[0] == tags[1]


def test_an_entity_tag_needs_the_key_and_a_former_one_counts() -> None:
    seen = {"last_name": "Dorn"}
    tag_with(["old"])
    tag = entity_tag(seen)
    tag_with(["new", "old"])
    assert entity_tag(seen) != tag
    assert {entity_tag(seen), tag} <= set(entity_tags(seen))
    assert tag not in entity_tags({"last_name": "Other"})
