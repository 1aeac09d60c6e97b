"""Somebody's own office: "Office of Senator Tammy Baldwin" bears the name of the person whose it is."""

from __future__ import annotations

import re

from services.lexicon.canonical import canonical_organization
from services.lexicon.folding import fold
from services.lexicon.names import SUFFIXES, PersonName

_OWN_OFFICE = re.compile(r"^(?:the )?(?:\w+ )?office of (?:the )?(?P<rest>.+)$")
#: Nearly all are none, which is told without folding them: only an apostrophe or another script could hide the word.
_MAY_BE_OFFICE = re.compile(r"office|['`]|[^\x00-\x7f]", re.IGNORECASE)
_TITLES = {
    "sen": "senator",
    "us senator": "senator",
    "rep": "representative",
    "us representative": "representative",
    "congressman": "representative",
    "congresswoman": "representative",
    "member of congress": "representative",
    "delegate": "representative",
    "resident commissioner": "representative",
    "gov": "governor",
}

_OFFICIALS = frozenset(_TITLES.values())
_TITLE_WORDS = frozenset(word for title in (*_TITLES, *_TITLES.values()) for word in title.split())


def is_own_office(organization: str | None, last_name: str) -> bool:
    """Whether an organization is the office of the person of that family name: "Office of Senator Tammy Baldwin"."""
    if not organization or not _MAY_BE_OFFICE.search(organization):
        return False
    found = _OWN_OFFICE.match(fold(organization))
    names = [name for name in fold(last_name).split() if name not in SUFFIXES]
    return found is not None and any(name in found["rest"].split() for name in names if len(name) > 2)


def names_of(name: PersonName, title: str | None, organization: str | None, *, own: bool) -> tuple[PersonName, ...]:
    """Return a name, and the name that the person's own office bears: lists say "Garland Barr", the door "Andy Barr".

    :param own: whether the organization is their own office.
    """
    found = _OWN_OFFICE.match(fold(organization or "")) if own else None
    # Somebody of the same family name may work in that office, under a title of their own.
    if found is None or (title is not None and title_of(title, None, own=False) != title_of(None, organization, own=True)):
        return (name,)
    words = found["rest"].split()
    while len(words) > 1 and words[0] in _TITLE_WORDS:
        words.pop(0)
    while len(words) > 1 and words[-1] in SUFFIXES:
        words.pop()
    return name, PersonName("", " ".join(words[:-1]), words[-1])


def keys_of(name: PersonName, title: str | None, organization: str | None, *, own: bool) -> tuple[str, ...]:
    """Return what the person's own office may be called, as organizations are compared.

    :param title: theirs, as titles are compared.
    """
    keys = [canonical_organization(organization or "")] if own else []
    if title in _OFFICIALS:
        keys.append(canonical_organization(f"Office of {title} {name.first_name} {name.last_name}"))
    return tuple(keys)


def title_of(title: str | None, organization: str | None, *, own: bool) -> str | None:
    """Return a title as it is compared; an own office's name says it too."""
    if title:
        folded = fold(title)
        return _TITLES.get(folded, folded)
    if own and (found := _OWN_OFFICE.match(fold(organization or ""))):
        words = found["rest"].split()
        for length in (2, 1):
            known = " ".join(words[:length])
            if known in _TITLES or known in _TITLES.values():
                return _TITLES.get(known, known)
    return None
