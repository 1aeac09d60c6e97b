"""Rows are read in parts, in processes of their own: one that no process can read spoils no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from services.chassis.messages import Refusal
from services.contacts.domain.imports import rowwise
from services.contacts.domain.imports.records import record_of
from services.contacts.domain.imports.tables import Row
from services.contacts.usecases.imports.parsing import _AT_ONCE, _MOST_COSTLY, records_of, telling, unseen_of
from services.lexicon.mentions import FormerValues

MAPPING = {"Last name": "last_name", "First name": "first_name", "Notes": "notes", "Interests": "interests"}
POISON = "A poisonous note."


class Here:
    """Computes at once; a process that is given poison, or is ended, makes nothing."""

    def __init__(self, *, ended: Iterable[int] = ()) -> None:
        self.asked: list[list[bytes]] = []
        self._ended = set(ended)

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    def prefetch(self, function: Callable[[Any], Any], of: Iterable[Any]) -> Iterator[Any]:
        return map(function, of)

    def in_process(self, function: Callable[..., Any], *args: Any, refusal: type[Refusal], is_long: bool) -> Any:
        rows = args[0]
        assert is_long or sum(map(len, rows)) < _AT_ONCE
        self.asked.append(rows)
        if len(self.asked) in self._ended or any(POISON.encode() in row for row in rows):
            raise refusal
        return function(*args)


def people(many: int, **notes: str) -> list[Row]:
    return [Row(None, n, {"Last name": f"Levi{n}", "First name": "Dov", "Notes": notes.get(f"n{n}", "Asked for a call.")}) for n in range(many)]


def named(rows: Sequence[Row], threads: Here) -> list[str]:
    return [" ".join(record.problems) or record.name.last_name for record in records_of(rows, MAPPING, threads)]


def test_rows_come_back_in_order_as_they_would_be_read_here() -> None:
    rows = [
        *people(40),
        Row("A sheet", 41, {"Last name": "Li", "Notes": "Phone 202-555-0147"}, too_long=True, refused=(("Fax", "no"),), problems=("damaged",)),
    ]
    threads = Here()
    read = records_of(rows, MAPPING, threads)
    assert read == [record_of(row, MAPPING) for row in rows]
    assert [record.signs for record in read] == [record_of(row, MAPPING).signs for row in rows]
    assert len(threads.asked) == 1


def test_a_row_that_no_process_can_read_says_so_and_the_others_are_read() -> None:
    assert named(people(10, n3=POISON), Here()) == [rowwise.COSTLY if n == 3 else f"Levi{n}" for n in range(10)]


def test_a_process_that_is_ended_costs_no_row() -> None:
    assert named(people(10), Here(ended={1})) == [f"Levi{n}" for n in range(10)]
    assert named(people(1), Here(ended={1})) == ["Levi0"]


def test_many_such_rows_do_not_cost_a_process_each() -> None:
    threads = Here()
    read = named(people(200, **{f"n{n}": POISON for n in range(100)}), threads)
    assert read == [rowwise.COSTLY] * _MOST_COSTLY + [rowwise.UNREAD] * (200 - _MOST_COSTLY)
    assert len(threads.asked) == 1 + _MOST_COSTLY


def test_large_rows_are_asked_in_parts_and_somebody_may_go_on_between_them() -> None:
    threads, between = Here(), []
    rows = people(30, **{f"n{n}": f"{n} " + "word " * 3_000 for n in range(30)})
    assert len(records_of(rows, MAPPING, threads, between=lambda: between.append(1))) == 30
    assert len(threads.asked) == len(between) + 1 == 2
    assert [row for part in threads.asked for row in part] == [row for part in threads.asked for row in sorted(part, key=part.index)]
    assert max(sum(map(len, part)) for part in threads.asked) <= _AT_ONCE


@pytest.mark.requirement("N3")
def test_a_row_that_cannot_be_searched_counts_as_one_that_tells_of_an_erased_person() -> None:
    levi = FormerValues("Dov", "Levi", phones=("+12025550147",))
    rows = [b'["Rosen","Rivka"]', f'["{POISON}"]'.encode(), b'["(202) 555-","0147"]', b'["Levi, Dov"]', b'["x","(202)\\n555 0147"]']
    assert telling(rows, levi, Here()) == [1, 3, 4]
    assert telling(rows[:1], levi, Here()) == []


def test_what_screening_stops_in_a_row_is_found_apart_and_in_a_row_that_cannot_be_read_nothing() -> None:
    row = Row(None, 1, {"Last name": "Levi", "Notes": "Call 202-555-0147.", "Interests": "levees; he is Jewish"})
    assert [found.column for found in unseen_of(row, MAPPING, Here())] == ["Notes", "Interests"]
    assert unseen_of(Row(None, 1, {"Notes": POISON}), MAPPING, Here()) == []
