"""Pages of a list by keyset, so that the last page costs what the first does; totals are exact up to 10,000."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_

from services.chassis.answers import AtLeast, total_up_to
from services.chassis.database import UnitOfWork
from services.chassis.database.rows import all_typed

COUNTED = 10_000
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """The rows of one page, and whether there are more after it."""

    rows: Sequence[Record]
    has_more: bool
    total: int | AtLeast
    #: The fields that order the rows.
    order: Sequence[str | None]

    @property
    def position(self) -> list[object] | None:
        """The keys of the last row, after which the next page begins, or None."""
        return [getattr(self.rows[-1], str(name)) for name in self.order] if self.has_more else None


def equal(wanted: Mapping[Any, object]) -> list[ColumnElement[bool]]:
    """Return the conditions that columns have these values; None allows every value."""
    return [column == value for column, value in wanted.items() if value is not None]


def within(column: ColumnElement[datetime], since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """Return the conditions that an instant lies in a period, which may have no beginning and no end."""
    return [*([column >= since] if since is not None else ()), *([column <= until] if until is not None else ())]


def page(
    work: UnitOfWork,
    kind: type[Record],
    query: Select[Any],
    *,
    keys: Sequence[ColumnElement[Any]],
    after: Sequence[object] | None,
    limit: int,
    descending: bool = True,
) -> Page[Record]:
    """Read one page of `query` in the order of `keys`, which together name one row.

    :param kind: the dataclass of a row.
    :param after: the keys of the last row of the page before.
    """
    counted = query.with_only_columns(keys[-1]).order_by(None).limit(COUNTED + 1).subquery()
    total = work.execute(select(func.count()).select_from(counted)).scalar_one()
    wanted = query.order_by(*(key.desc() if descending else key.asc() for key in keys)).limit(limit + 1)
    if after is not None:
        here = tuple_(*keys)
        there = tuple_(*(literal(value, key.type) for value, key in zip(after, keys, strict=True)))
        wanted = wanted.where(here < there if descending else here > there)
    rows = all_typed(kind, work.execute(wanted).mappings())
    return Page(rows[:limit], len(rows) > limit, total_up_to(total, COUNTED), [key.key for key in keys])
