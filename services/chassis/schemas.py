"""Schemas, each made once: making one costs more than using it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate

S = TypeVar("S", bound=Schema)

#: Names that no schema has: so many are told one by one, which is more than anybody mistypes.
_MOST_UNKNOWN = 50


class Closed(Schema):
    """Input: a field that is not listed is refused (R13)."""

    class Meta:
        """Nothing is let through unseen."""

        unknown = RAISE

    @pre_load
    def _refuse_floods(self, data: Any, **_: object) -> Any:
        """Refuse what is too long for its field, and a flood of names, before each of their parts is looked at.

        :raises ValidationError: with the sentences that these would get, too.
        """
        if not isinstance(data, Mapping):
            return data
        known = {field.data_key or name: field for name, field in self.load_fields.items()}
        problems: dict[str, list[str]] = {}
        for name in data.keys() & known.keys():
            value, most = data[name], longest_list(known[name])
            if most is not None and isinstance(value, list | tuple) and len(value) > most:
                problems[name] = [validate.Length.message_max.format(max=most)]
        if len(data) > len(known) + _MOST_UNKNOWN:
            unknown = [str(name) for name in data if name not in known][:_MOST_UNKNOWN]
            problems |= {name: [str(self.error_messages["unknown"])] for name in unknown}
        if problems:
            raise ValidationError(problems)
        return data


def longest_list(field: fields.Field[Any]) -> int | None:
    """Return how many items a list may have as its field says; None where it says nothing, and of what is no list."""
    if not isinstance(field, fields.List) and not (isinstance(field, fields.Nested) and field.many):
        return None
    said = [most for each in field.validators if isinstance(each, validate.Length) for most in (each.equal, each.max) if most is not None]
    return min(said, default=None)


@functools.cache
def ready(schema: type[S]) -> S:
    """Return the schema, ready for use; using it changes nothing in it."""
    return schema()
