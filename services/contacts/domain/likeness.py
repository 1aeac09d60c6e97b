"""Likeness of names where no name may be kept: as words to be digested (T9).

`lexicon.names.are_names_alike` compares two names. The suppression ledger keeps none, so that an erased person's name
is turned into every word under which a like name will be looked up, and a candidate's into the words it is looked up
by; the two sets meet exactly where the names are alike.
"""

from __future__ import annotations

from services.lexicon.names import family_key, given_names, known_as


def kept_words(first_name: str, last_name: str) -> frozenset[str]:
    """Return the words that the ledger keeps (as digests) of one name."""
    return _words(first_name, last_name, kept=True)


def asked_words(first_name: str, last_name: str) -> frozenset[str]:
    """Return the words by which a candidate's name is asked for."""
    return _words(first_name, last_name, kept=False)


def _words(first_name: str, last_name: str, *, kept: bool) -> frozenset[str]:
    family = family_key(last_name)
    given = given_names(first_name)
    if not family:
        return frozenset()
    if not given:
        # A family name alone is like itself alone.
        return frozenset({f"{family}|"})
    full = [name for name in given if len(name) > 1]
    first_letter = given[0][0]
    if not full:
        # "J. Smith": asked of by full names through "initials of", and of other initials through "letter".
        return frozenset({f"{family}|initials of {first_letter}" if kept else f"{family}|letter {first_letter}"}) | frozenset(
            {f"{family}|letters {first_letter}"}
        )
    names = {other for name in full for other in known_as(name)} if kept else set(full)
    words = {f"{family}|{name}" for name in names}
    words.add(f"{family}|letter {first_letter}" if kept else f"{family}|initials of {first_letter}")
    return frozenset(words)
