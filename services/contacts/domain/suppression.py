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
    marks: list[Mark] = []
    for kind, value in contact_points:
        canonical = canonical_contact_point(kind, value)
        if canonical is None or kind == "work_address":
            continue
        alone = canonical.rpartition("@")[2] in _PERSONAL_MAIL if kind == "email" else kind in {"cell", "personal_phone"}
        marks.append(Mark(kind, canonical, alone))
    if organization:
        marks.append(Mark("organization", canonical_organization(organization), alone=False))
    return list(dict.fromkeys(marks))
