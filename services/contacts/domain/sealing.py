"""Collect a person's former values, which are sealed during an erasure, and find file rows about the person."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.contacts.domain.suppression import is_alone
from services.lexicon.canonical import canonical_contact_point, compared_as
from services.lexicon.folding import fold
from services.lexicon.mentions import DECIDED, FormerValues, Sought
from services.lexicon.names import family_key, given_key


def former_values(
    first_name: str,
    last_name: str,
    contact_points: Iterable[tuple[str, str]],
    *,
    held: Collection[tuple[str, str]] = (),
) -> FormerValues:
    """Return the values of (kind, value) pairs: those that identify the person alone (T9), and those that others may share (T27).

    :param held: (`email` or `phone`, canonical value) that a remaining record has too.
    """
    alone: dict[str, set[str]] = {"email": set(), "phone": set()}
    shared: dict[str, set[str]] = {"email": set(), "phone": set()}
    for given, value in contact_points:
        kind, canonical = compared_as(given), canonical_contact_point(given, value)
        if kind in alone and canonical is not None:
            (alone if is_alone(given, canonical) and (kind, canonical) not in held else shared)[kind].add(canonical)
    # A number may be a cell phone in one place and a work phone in another; then it identifies the person alone.
    return FormerValues(
        first_name,
        last_name,
        emails=tuple(sorted(alone["email"])),
        phones=tuple(sorted(alone["phone"])),
        shared_emails=tuple(sorted(shared["email"] - alone["email"])),
        shared_phones=tuple(sorted(shared["phone"] - alone["phone"])),
        held=tuple(sorted(value for _, value in held)),
    )


def is_told_in(cells: Iterable[str], values: FormerValues) -> bool:
    """Return whether cells of a row mention the person: by phone or e-mail, or by given and family name in any cells.

    A shared number that a remaining record has identifies nobody.
    """
    cells = list(cells)
    family, given = family_key(values.last_name), given_key(values.first_name)
    words = set(fold(" ".join(cells)).split())
    if family and family in words and (not given or given in words):
        return True
    sought = Sought(values)
    return any(mention.goes != DECIDED for cell in cells for mention in sought.find(cell))
