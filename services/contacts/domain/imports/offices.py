"""Recognize a person's own office, such as "Office of Senator Tammy Baldwin"."""

from __future__ import annotations

import re

from services.lexicon.canonical import canonical_organization
from services.lexicon.folding import fold
from services.lexicon.honorifics import SUFFIXES
from services.lexicon.splitting import PersonName

_OWN_OFFICE = re.compile(r"^(?:the )?(?:\w+ )?office of (?:the )?(?P<rest>.+)$")
#: Most organizations are excluded without folding: only an apostrophe or another script could hide the word.
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
    """Return whether an organization is the own office of a person with that family name."""
    if not organization or not _MAY_BE_OFFICE.search(organization):
        return False
    found = _OWN_OFFICE.match(fold(organization))
    names = [name for name in fold(last_name).split() if name not in SUFFIXES]
    return found is not None and any(name in found["rest"].split() for name in names if len(name) > 2)


def names_of(name: PersonName, title: str | None, organization: str | None, *, own: bool) -> tuple[PersonName, ...]:
    """Return a name, and the name in the person's own office: a list may say "Garland Barr", and the office "Andy Barr".

    :param own: whether the organization is the person's own office.
    """
    found = _OWN_OFFICE.match(fold(organization or "")) if own else None
    # A person with the same family name and another title may work in that office.
    if found is None or (title is not None and title_of(title, None, own=False) != title_of(None, organization, own=True)):
        return (name,)
    words = found["rest"].split()
    while len(words) > 1 and words[0] in _TITLE_WORDS:
        words.pop(0)
    while len(words) > 1 and words[-1] in SUFFIXES:
        words.pop()
    return name, PersonName("", " ".join(words[:-1]), words[-1])


def keys_of(name: PersonName, title: str | None, organization: str | None, *, own: bool) -> tuple[str, ...]:
    """Return the possible names of the person's own office, as organizations are compared.

    :param title: the person's title, as titles are compared.
    """
    keys = [canonical_organization(organization or "")] if own else []
    if title in _OFFICIALS:
        keys.append(canonical_organization(f"Office of {title} {name.first_name} {name.last_name}"))
    return tuple(keys)


def title_of(title: str | None, organization: str | None, *, own: bool) -> str | None:
    """Return a title as it is compared. The name of an own office may contain it."""
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
