"""Types of what services answer: one TypedDict is what use cases make, mypy checks, and OpenAPI documents."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Generic, TypedDict, TypeVar, get_args

import msgspec
from msgspec import Meta

Item = TypeVar("Item")

#: A UUID.
IdText = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
#: An instant of RFC 3339.
InstantText = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
#: A day of RFC 3339.
DayText = Annotated[str, Meta(extra_json_schema={"format": "date"})]


class AtLeast(TypedDict):
    """A total that was not counted to its end."""

    at_least: int


class Page(TypedDict, Generic[Item]):
    """A page of a list, with the cursor of the next."""

    items: list[Item]
    next: str | None
    total: int | AtLeast


class Part(TypedDict, Generic[Item]):
    """The first items after a position, which the gateway merges with those of other services."""

    items: list[Item]
    more: bool
    total: int | AtLeast


def total_up_to(counted: int, most: int) -> int | AtLeast:
    """Return the total of a list that is counted to `most` and no further."""
    return counted if counted <= most else {"at_least": most}


#: The documents of the answers that routes declare, by name.
COMPONENTS: dict[str, dict[str, Any]] = {}


def document(answer: Any) -> dict[str, Any]:
    """Return the JSON Schema of a type or of a union, and add the types that it names to `COMPONENTS`.

    :raises TypeError: two types have one name.
    """
    if isinstance(answer, UnionType):
        return {"anyOf": [document(each) for each in get_args(answer)]}
    (schema,), components = msgspec.json.schema_components([answer], ref_template="#/components/schemas/{name}")
    for name, component in components.items():
        if COMPONENTS.setdefault(name, component) != component:
            raise TypeError(f"Two answers are named {name}.")
    return schema
