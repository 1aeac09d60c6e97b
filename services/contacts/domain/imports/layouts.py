"""Prepare a mapping for reading rows: the columns of each field, of each kind of value and of each address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from services.contacts.domain.imports.columns import stem
from services.lexicon.folding import fold

_PLACES = ("work", "office")
#: Fields whose values may be of several kinds, which the next column tells.
_OF_KINDS = frozenset({"cell", "personal_phone", "work_phone", "email", "work_address", "office_phone"})


@dataclass(frozen=True, slots=True)
class Address:
    """The columns of an address: part → columns in order, and the column that says whose it is."""

    place: str
    parts: Mapping[str, tuple[str, ...]]
    kind: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A mapping, prepared once for all rows."""

    fields: Mapping[str, tuple[str, ...]]
    #: Column → the column with the kind of its value.
    kinds: Mapping[str, str]
    addresses: tuple[Address, ...]


def layout_of(mapping: Mapping[str, str]) -> Layout:
    """Return the layout of a mapping (column → field)."""
    return _layout(tuple(mapping.items()))


@lru_cache(maxsize=64)
def _layout(mapping: tuple[tuple[str, str], ...]) -> Layout:
    fields: dict[str, list[str]] = {}
    for column, field in mapping:
        fields.setdefault(field, []).append(column)
    kinds, of_addresses = _kinds(mapping)
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for column, field in mapping:
        place, _, part = field.partition("_")
        if place in _PLACES and part not in {"phone", "label", "address"}:
            groups.setdefault((place, stem(column)), {}).setdefault(part, []).append(column)
    addresses = tuple(
        Address(place, {part: tuple(columns) for part, columns in parts.items()}, of_addresses.get(group)) for (place, group), parts in groups.items()
    )
    return Layout({field: tuple(columns) for field, columns in fields.items()}, kinds, addresses)


def _kinds(mapping: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Pair each column of kinds with its value columns: those with the same prefix, or the next one."""
    kinds: dict[str, str] = {}
    of_addresses: dict[str, str] = {}
    for at, (column, field) in enumerate(mapping):
        if field != "value_kind":
            continue
        begin = " ".join(word for word in fold(column).split() if word not in {"type", "label", "kind", "of"})
        alike = [other for other, its in mapping if its in _OF_KINDS and other != column and f"{fold(other)} ".startswith(f"{begin} ")]
        if begin.startswith("address"):
            of_addresses[begin.removeprefix("address").strip()] = column
        elif not alike:
            beside = [other for other, its in (*mapping[at + 1 :][:1], *mapping[:at][-1:]) if its in _OF_KINDS]
            alike = beside[:1]
        kinds.update(dict.fromkeys(alike, column))
    return kinds, of_addresses
