"""Lists that are answered page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.interactions.storage import pages

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of one user; its cursors go on in it and in no other."""

    cursors: Cursors
    name: str
    user_id: str
    query: Mapping[str, object]

    def after(self, cursor: str | None) -> Sequence[object] | None:
        """Return the position of a cursor, or None without one.

        :raises CursorInvalid: it is not of this list.
        """
        position: Sequence[object] | None = self.cursors.open(cursor, of=self.name, user_id=self.user_id, query=self.query)
        return position

    def answer(self, page: pages.Page[Row], items: list[Item]) -> Page[Item]:
        """Return these items of a page, with the cursor of the next."""
        position = page.position
        return {
            "items": items,
            "next": self.cursors.seal(position, of=self.name, user_id=self.user_id, query=self.query) if position else None,
            "total": page.total,
        }
