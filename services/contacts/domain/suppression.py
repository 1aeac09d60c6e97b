"""What of a person the suppression ledger knows again, alone or only together with likeness of name (T9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.lexicon.canonical import canonical_contact_point, canonical_organization
from services.lexicon.folding import words

#: Mailboxes of people, not of offices: the address matches alone.
_PERSONAL_MAIL = words(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com rocketmail.com icloud.com
    me.com mac.com aol.com proton.me protonmail.com gmx.com gmx.net mail.com zoho.com fastmail.com comcast.net
    verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net
    """
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One canonical value by which somebody is known again."""

    kind: str
    canonical: str
    #: Whether it matches alone; else only where the name is alike.
    alone: bool


def marks_of(*, organization: str | None, contact_points: Iterable[tuple[str, str]]) -> list[Mark]:
    """Return what a person is known again by; two members of Congress share one office's telephone."""
    found = known_by(
        canonical_organization(organization) if organization else "",
        ((kind, canonical_contact_point(kind, value)) for kind, value in contact_points),
    )
    return [Mark(kind, canonical, _is_alone(kind, canonical)) for kind, canonical in found]


def known_by(organization: str, points: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """Return the same as kinds and values, of values that are canonical already; an empty organization is none."""
    found = {(kind, canonical): None for kind, canonical in points if canonical is not None and kind != "work_address"}
    if organization:
        found["organization", organization] = None
    return list(found)


def _is_alone(kind: str, canonical: str) -> bool:
    return canonical.rpartition("@")[2] in _PERSONAL_MAIL if kind == "email" else kind in {"cell", "personal_phone"}
