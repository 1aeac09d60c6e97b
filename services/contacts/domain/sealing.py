"""A person's former values, as they are sealed for the time of an erasure, and rows of a file that tell of the person."""

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
    """Collect them from (kind, value) pairs: what matches alone (T9) apart from what may be somebody else's as well (T27).

    :param held: (`email` or `phone`, canonical value) of what a living record holds too.
    """
    alone: dict[str, set[str]] = {"email": set(), "phone": set()}
    shared: dict[str, set[str]] = {"email": set(), "phone": set()}
    for given, value in contact_points:
        kind, canonical = compared_as(given), canonical_contact_point(given, value)
        if kind in alone and canonical is not None:
            (alone if is_alone(given, canonical) and (kind, canonical) not in held else shared)[kind].add(canonical)
    # One number may be a cell here and a work phone there: then it matches alone.
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
    """Whether cells of a table tell of the person: by a phone or an e-mail, or by family and given name in whatever cells.

    A switchboard that a living record holds tells of nobody.
    """
    cells = list(cells)
    family, given = family_key(values.last_name), given_key(values.first_name)
    words = set(fold(" ".join(cells)).split())
    if family and family in words and (not given or given in words):
        return True
    sought = Sought(values)
    return any(mention.goes != DECIDED for cell in cells for mention in sought.find(cell))
