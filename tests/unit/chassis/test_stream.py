"""The numbers of a stream: none is given twice, the mark passes no number that is not settled, and every line is signed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.database.stream import Certificate, Stream, canonical, link_of
from services.chassis.identity import IdentityRefused, ServiceKey
from tests.support.keys import key_of, service_keys


def a_stream() -> Stream:
    return Stream(key_of("contacts"))


def take(stream: Stream, count: int) -> list[int]:
    return [numbered.n for numbered in stream.take([{"action": f"tests:thing:{place}"} for place in range(count)])]


def certificate_of(stream: Stream) -> Certificate:
    return Certificate(orjson.loads(stream.certificate), service_keys())


def test_the_mark_waits_for_the_oldest_number_that_is_not_settled() -> None:
    stream = a_stream()
    first, second, third = take(stream, 3)
    assert stream.sign_mark()["mark"] == 0
    stream.committed([second, third])
    assert stream.sign_mark()["mark"] == 0
    stream.committed([first])
    assert stream.sign_mark()["mark"] == 3


def test_a_number_whose_commit_failed_is_handed_out_once_to_be_shipped_as_void() -> None:
    stream = a_stream()
    numbers = take(stream, 2)
    stream.voided(numbers, unknown=False)
    assert [(void.n, void.unknown) for void in stream.take_voids()] == [(1, False), (2, False)]
    assert stream.take_voids() == []
    assert stream.sign_mark()["mark"] == 0, "a void number is settled when its void entry is durable"
    stream.committed(numbers)
    assert stream.sign_mark()["mark"] == 2


@pytest.mark.requirement("T37")
def test_every_line_is_signed_and_names_the_one_before_it() -> None:
    stream = a_stream()
    certificate = certificate_of(stream)
    assert (certificate.stream, certificate.service, certificate.beats) == (stream.id, "contacts", True)
    lines = [numbered.body for numbered in stream.take([{"action": "tests:thing:read"}] * 3)]
    stream.voided([2], unknown=True)
    (void,) = stream.take_voids()
    assert void.body["attempted"] == {"action": "tests:thing:read"}
    assert void.body["prev"] == link_of(canonical(lines[0]))
    assert lines[2]["prev"] == void.body["replaced"] == link_of(canonical(lines[1]))
    assert lines[0]["prev"] == link_of(stream.certificate.encode())
    stream.committed([1, 2, 3])
    mark = stream.sign_mark()
    assert (mark["mark"], mark["head"], mark["beat"]) == (3, link_of(canonical(lines[2])), 1)
    assert stream.sign_mark()["beat"] == 2
    for line in (*lines, void.body, mark):
        assert certificate.signed(orjson.loads(orjson.dumps(line)))
        for name in line:
            assert not certificate.signed({**line, name: "another"}), name
            assert not certificate.signed({other: value for other, value in line.items() if other != name}), name
        assert not certificate.signed({**line, "more": 1})


@pytest.mark.requirement("T37")
def test_a_certificate_is_its_services_or_it_is_none() -> None:
    wire: dict[str, Any] = orjson.loads(a_stream().certificate)
    stranger = orjson.loads(Stream(ServiceKey.generate("contacts")).certificate)
    posing = orjson.loads(Stream(key_of("interactions")).certificate) | {"service": "contacts"}
    changed = [{**wire, name: value} for name, value in (("stream", posing["stream"]), ("n", 1), ("beats", False), ("signature", "x"))]
    for bad in (stranger, posing, *changed, {**wire, "certificate": stranger["certificate"]}, {**wire, "certificate": "AAAA"}):
        with pytest.raises(IdentityRefused):
            Certificate(bad, service_keys())


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["commit", "void", "wait"])), max_size=40))
def test_whatever_happens_numbers_are_unique_and_the_mark_never_passes_an_open_one(
    steps: list[tuple[int, str]],
) -> None:
    stream = a_stream()
    waiting: set[int] = set()
    given_out: list[int] = []
    for count, fate in steps:
        numbers = take(stream, count)
        given_out += numbers
        if fate == "commit":
            stream.committed(numbers)
        else:
            waiting.update(numbers)
            if fate == "void":
                stream.voided(numbers, unknown=False)
        assert all(number > stream.sign_mark()["mark"] for number in waiting)
    assert given_out == list(range(1, len(given_out) + 1))
