"""Values that cross a boundary mean the same on both sides."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.messages import (
    BRANCHES,
    Announcement,
    Conflict,
    PreconditionMissing,
    Refusal,
    Stale,
    Unavailable,
    chunks,
    entity_tag,
    is_any_match,
    new_id,
    require_match,
)


class OnHold(Conflict):
    """The record is held.

    This second paragraph is for the reader of the code.
    """

    code = "on-hold"


@dataclass(frozen=True, slots=True)
class Moved(Announcement):
    """Somebody moved."""

    name: ClassVar[str] = "tests:somebody:moved"
    somebody_id: str
    state: str | None = None


def test_a_refusals_docstring_is_its_message() -> None:
    assert OnHold().detail == "The record is held."
    assert OnHold("Held until Friday.").detail == "Held until Friday."


@pytest.mark.parametrize("branch", BRANCHES.values())
def test_a_refusal_crosses_the_bus_with_branch_code_errors_and_nothing_else(branch: type[Refusal]) -> None:
    sent = branch("No.", code="some-code", errors={"state": ["Unknown."]}, extra={"held_by": ["ICE"]})
    received = Refusal.from_wire(sent.to_wire())
    assert type(received) is branch
    assert received.to_wire() == sent.to_wire()


def test_a_branch_nobody_knows_is_taken_for_a_part_that_is_away() -> None:
    assert isinstance(Refusal.from_wire({"branch": "new", "code": "x"}), Unavailable)


def test_a_listener_ignores_fields_it_does_not_know_and_fills_in_what_is_missing() -> None:
    assert Moved.from_wire({"somebody_id": "1", "moved_by": "2"}) == Moved("1", None)
    assert Moved.from_wire(Moved("1", "TX").to_wire()) == Moved("1", "TX")


def test_an_id_is_a_uuid_of_version_seven_and_ids_sort_by_time() -> None:
    before = time.time_ns() // 1_000_000
    ids = [UUID(new_id()) for _ in range(100)]
    after = time.time_ns() // 1_000_000
    assert {i.version for i in ids} == {7}
    assert {i.variant for i in ids} == {"specified in RFC 4122"}
    assert all(before <= i.int >> 80 <= after for i in ids)
    assert len(set(ids)) == 100


def test_an_entity_tag_depends_on_content_and_not_on_order() -> None:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    assert entity_tag({"a": 1, "b": when}) == entity_tag({"b": when, "a": 1})
    assert entity_tag({"a": 1}) != entity_tag({"a": 2})
    assert entity_tag({"a": date(2026, 3, 1)}).startswith('"')


@pytest.mark.parametrize(
    ("if_match", "refusal"),
    [
        ('"now"', None),
        ('  "now" ', None),
        ("*", None),
        (" * ", None),
        ('"former", "now"', None),
        ('"former","now"', None),
        ('W/"now", "now"', None),
        ('"a, b", "now"', None),
        (None, PreconditionMissing),
        ("", PreconditionMissing),
        ("  ", PreconditionMissing),
        ('"former"', Stale),
        ('W/"now"', Stale),
        ('w/"now"', Stale),
        ("now", Stale),
        ('"NOW"', Stale),
        ('"x""now"', Stale),
        ('"former", *', Stale),
        ('"*"', Stale),
    ],
)
def test_an_if_match_is_compared_strongly_and_may_be_a_list_or_any(if_match: str | None, refusal: type[Refusal] | None) -> None:
    with pytest.raises(refusal) if refusal else nullcontext():
        require_match(if_match, ['"now"', '"now under a former key"'])
    require_match('"now under a former key"', ['"now"', '"now under a former key"'])


@pytest.mark.parametrize(
    ("if_none_match", "known"), [('"now"', True), ('W/"now"', True), ('"a", W/"now"', True), ("*", True), ('"a"', False), ("", False)]
)
def test_an_if_none_match_is_compared_weakly(if_none_match: str, *, known: bool) -> None:
    assert is_any_match(if_none_match, '"now"') is known


@given(st.lists(st.integers()), st.integers(1, 7))
def test_chunks_keep_everything_in_order(items: list[int], size: int) -> None:
    parts = list(chunks(items, size))
    assert [item for part in parts for item in part] == items
    assert all(1 <= len(part) <= size for part in parts)
