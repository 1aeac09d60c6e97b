"""A cursor continues only its own user's own query of its own list."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.chassis.cursors import Cursors
from services.chassis.refusals import CursorInvalid

HERE = {"of": "stakeholders", "user_id": "amina", "query": {"q": "dov", "state": "TX", "limit": 50}}
POSITION = {"key": "quillfeather dov", "id": "1"}
CURSORS = Cursors("a key", "contacts")
CURSOR = CURSORS.seal(POSITION, **HERE)


def test_a_cursor_opens_where_it_was_made_whatever_the_size_of_the_page() -> None:
    assert CURSORS.open(CURSOR, **HERE | {"query": {**HERE["query"], "limit": 3, "facets": ["state"], "cursor": CURSOR}}) == POSITION
    assert CURSORS.open(None, **HERE) is None
    assert CURSORS.open("", **HERE) is None


@pytest.mark.parametrize(
    "changed",
    [{"user_id": "chloe"}, {"of": "notes"}, {"query": {"q": "ruth", "state": "TX"}}, {"query": {"state": "TX"}}, {"query": {}}],
)
def test_a_cursor_is_bound_to_its_user_list_and_query(changed: dict[str, object]) -> None:
    with pytest.raises(CursorInvalid):
        CURSORS.open(CURSOR, **HERE | changed)


def test_a_cursor_of_another_service_or_key_does_not_open_and_one_of_a_former_key_does() -> None:
    for other in (Cursors("a key", "access"), Cursors("another key", "contacts")):
        with pytest.raises(CursorInvalid):
            other.open(CURSOR, **HERE)
    assert Cursors("a new key,a key", "contacts").open(CURSOR, **HERE) == POSITION
    assert Cursors("a new key,a key", "contacts").seal(1, **HERE) != CURSORS.seal(1, **HERE)


def test_no_changed_cursor_opens() -> None:
    for at in range(len(CURSOR) - 1):
        with pytest.raises(CursorInvalid):
            CURSORS.open(CURSOR[:at] + ("A" if CURSOR[at] != "A" else "B") + CURSOR[at + 1 :], **HERE)
    for nonsense in ("x", "%%%", "é", "====", CURSOR[1:], CURSOR[:-1], CURSOR + "AAAA", "A" * 100):
        with pytest.raises(CursorInvalid) as refused:
            CURSORS.open(nonsense, **HERE)
        assert refused.value.errors == {"cursor": ["Begin again without it."]}


def test_nobody_reads_a_position_in_a_cursor_and_no_two_are_alike() -> None:
    assert "quill" not in CURSOR
    assert CURSORS.seal(POSITION, **HERE) != CURSOR


def test_instants_and_ids_are_positions_and_parts_of_queries() -> None:
    moment, one = datetime(2026, 11, 30, 1, 2, 3, 7, tzinfo=UTC), UUID(int=7)
    query = {"since": moment, "ids": [one], "kinds": frozenset({"b", "a"})}
    cursor = CURSORS.seal([moment, one], of="sample", user_id="amina", query=query)
    at, own_id = CURSORS.open(cursor, of="sample", user_id="amina", query=query)
    assert (datetime.fromisoformat(at), own_id) == (moment, str(one))
