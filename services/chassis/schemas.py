"""Schemas, each made once: making one costs more than using it."""

from __future__ import annotations

import functools
from typing import TypeVar

from marshmallow import RAISE, Schema

S = TypeVar("S", bound=Schema)


class Closed(Schema):
    """Input: a field that is not listed is refused (R13)."""

    class Meta:
        """Nothing is let through unseen."""

        unknown = RAISE


@functools.cache
def ready(schema: type[S]) -> S:
    """Return the schema, ready for use; using it changes nothing in it."""
    return schema()
