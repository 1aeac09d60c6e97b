"""The bytes of the trail's lines: canonical and bounded; what cannot be read is not stored."""

from typing import Any

import orjson
import pytest

from services.audit.domain.lines import MAX_BYTES, Unreadable, parse_body, read_line
from services.chassis.translog.merkle import leaf_hash

STREAM = "01900000-0000-7000-8000-000000000001"
ENTRY: dict[str, Any] = {
    "stream": STREAM,
    "n": 3,
    "at": "2026-11-22T09:00:00.007Z",
    "service": "contacts",
    "actor": "01900000-0000-7000-8000-000000000002",
    "actor_kind": "user",
    "component": "ICE",
    "session": None,
    "acknowledgement": None,
    "jti": None,
    "action": "contacts:individual:read",
    "subjects": ["a"],
    "fields": ["title"],
    "outcome": "allowed",
    "rule": None,
    "trace_id": None,
    "operation": None,
    "prev": "0" * 64,
    "signature": "s",
}
ATTEMPTED = {name: value for name, value in ENTRY.items() if name not in {"stream", "n", "prev", "signature"}}
VOID: dict[str, Any] = {
    "stream": STREAM,
    "n": 4,
    "void": True,
    "prev": "0" * 64,
    "replaced": "1" * 64,
    "attempted": ATTEMPTED,
    "signature": "s",
}
MARK: dict[str, Any] = {"stream": STREAM, "mark": 9, "head": "0" * 64, "beat": 3, "at": "2026-11-22T09:00:00.007Z", "signature": "s"}
CRASH: dict[str, Any] = {"stream": STREAM, "mark": 9, "crashed": True, "highest": 12, "by": STREAM, "signature": "s"}


def test_the_bytes_of_a_line_do_not_depend_on_the_order_in_which_its_fields_came():
    line = read_line(ENTRY)
    assert line == read_line(dict(reversed(ENTRY.items())))
    assert (line.kind, line.stream, line.n, line.leaf) == ("entry", STREAM, 3, leaf_hash(line.body.encode()))
    assert orjson.loads(line.body) == ENTRY


@pytest.mark.parametrize(
    ("wire", "kind", "n", "closed", "highest"),
    [
        ({"stream": STREAM, "n": 0, "service": "contacts", "at": "x", "certificate": "c", "signature": "s"}, "certificate", 0, False, None),
        (VOID, "void", 4, False, None),
        ({**VOID, "unknown": True}, "unknown", 4, False, None),
        ({**MARK, "mark": 0}, "mark", 0, False, None),
        (MARK, "mark", 9, False, None),
        ({**MARK, "closed": True}, "mark", 9, True, None),
        (CRASH, "mark", 9, True, 12),
        ({**ENTRY, "a_later_version": "says more"}, "entry", 3, False, None),
    ],
)
def test_every_kind_of_line_is_read_and_read_back(wire, kind, n, closed, highest):
    line = read_line(wire)
    assert (line.kind, line.n, line.closed, line.highest) == (kind, n, closed, highest)
    assert parse_body(line.body) == line


@pytest.mark.requirement("R118", "T8")
@pytest.mark.parametrize(
    "change",
    [
        {"action": "read"},
        {"action": "contacts:Individual:read"},
        {"at": "2026-11-22"},
        {"at": "2026-11-22T09:00:00.007+00:00"},
        {"at": None},
        {"actor": 5},
        {"component": ["ICE"]},
        {"subjects": "a"},
        {"subjects": [1]},
        {"fields": {"first_name": "Dov"}},
        {"values": {"first_name": "Dov"}},
        {"actor": "nul\0"},
        {"subjects": ["x" * MAX_BYTES]},
        {"void": True},
        {"void": "yes"},
        {"prev": None},
        {"prev": "0" * 63},
        {"signature": None},
        {"outcome": None},
    ],
)
def test_what_has_a_number_and_is_otherwise_malformed_leaves_its_hash_only(change):
    line = read_line(ENTRY | change)
    assert (line.kind, line.stream, line.n) == ("malformed", STREAM, 3)
    assert orjson.loads(line.body).keys() == {"malformed", "n", "digest", "size", "stream", "link"}
    assert parse_body(line.body) == line


@pytest.mark.parametrize(
    "wire",
    [
        None,
        [],
        "x",
        {},
        {"n": 1},
        {"stream": STREAM},
        {"stream": "x", "n": 1},
        {"stream": STREAM.upper().replace("A", "a") + "x", "n": 1},
        {"stream": STREAM.replace("-", ""), "n": 1},
        {**ENTRY, "n": 0},
        {**ENTRY, "n": True},
        {**ENTRY, "n": 1.0},
        {**ENTRY, "n": 2**53},
        {**ENTRY, "actor": "\ud800"},
        {**ENTRY, "actor": b"bytes"},
        {**MARK, "mark": -1},
        {**MARK, "head": None},
        {**MARK, "head": "x"},
        {**MARK, "beat": 0},
        {**MARK, "beat": None},
        {**MARK, "at": "nul\0"},
        {**CRASH, "highest": 8},
        {**CRASH, "highest": None},
        {**CRASH, "by": None},
    ],
)
def test_what_has_no_number_is_unreadable(wire):
    with pytest.raises(Unreadable):
        read_line(wire)


@pytest.mark.parametrize(
    "change",
    [
        {"attempted": None},
        {"attempted": {**ATTEMPTED, "action": "no action"}},
        {"replaced": "x"},
        {"replaced": None},
        {"values": "Dov"},
        {"unknown": []},
        {"unknown": {}},
    ],
)
def test_a_void_says_what_was_attempted_and_what_it_replaces(change):
    assert read_line(VOID).link == "1" * 64
    assert read_line(VOID | change).kind == "malformed"


def test_stored_bytes_that_are_not_canonical_are_told():
    body = read_line(ENTRY).body
    for stored in (body + " ", body.replace(":", ": ", 1), "{", '{"malformed":true}', '"x"'):
        with pytest.raises(Unreadable):
            parse_body(stored)
