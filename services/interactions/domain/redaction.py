"""Finding an erased person's values in text, and removing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import phonenumbers

from services.lexicon.canonical import canonical_email, canonical_phone
from services.lexicon.folding import fold
from services.lexicon.names import SUFFIXES, are_given_names_alike, family_key, split_name

REMOVED = "[removed]"

_EMAIL = re.compile(r"[^\s<>(),;:\"'\[\]]+@[^\s<>(),;:\"'\[\]]+\.[^\s<>(),;:\"'\[\]]+")
_DIGITS = re.compile(r"\+?\d[\d\s().\-/]{5,}\d")
_WORD = re.compile(r"[^\W_]+(?:['\u2019\u02bc][^\W_]+)*")
#: "Amy Jean Klobuchar" is Amy Klobuchar.
_BETWEEN = 2
#: A shorter address than this is a town, and says nothing of a person.
_ADDRESS_WORDS = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """Where in a text one of the values stands."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Sought:
    """A person's former values, in the forms they are recognized by."""

    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    #: First-name field as it was written, and the folded words of the last name.
    names: frozenset[tuple[str, tuple[str, ...]]] = frozenset()
    addresses: frozenset[tuple[str, ...]] = frozenset()
    #: Letters and digits that a text must hold, in a row, to be worth reading.
    needles: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, values: Mapping[str, Iterable[str]]) -> Sought:
        """Read an opened seal: `names`, `phones`, `emails`, `addresses`."""
        phones = frozenset(filter(None, (canonical_phone(phone) for phone in values.get("phones", ()))))
        emails = frozenset(filter(None, (canonical_email(email) for email in values.get("emails", ()))))
        names = set()
        for written in values.get("names", ()):
            name = split_name(written)
            family = tuple(word for word in fold(name.last_name).split() if word not in SUFFIXES)
            if family:
                # Lists disagree on where a double name begins, so its last word alone counts as well.
                names |= {(name.first_name, family), (name.first_name, (family_key(name.last_name),))}
        addresses = frozenset(words for words in (tuple(fold(a).split()) for a in values.get("addresses", ())) if len(words) >= _ADDRESS_WORDS)
        needles = {phone[-7:] for phone in phones}
        needles |= {fold(email.partition("@")[0]).replace(" ", "") for email in emails}
        needles |= {"".join(family) for _, family in names}
        needles |= {"".join(words[:_ADDRESS_WORDS]) for words in addresses}
        return cls(phones, emails, frozenset(names), addresses, frozenset(filter(None, needles)))


def find(text: str, sought: Sought, *, linked: bool) -> list[Hit]:
    """Return the values that stand in a text, in order and without overlaps.

    :param linked: the text speaks of this person for certain, so that a lone first or last name is theirs.
    """
    hits = [*_phones(text, sought), *_emails(text, sought), *_word_runs(text, sought, linked=linked)]
    found: list[Hit] = []
    # 1. Earlier ones first, and the longer of two that begin together. 2. What lies inside another goes.
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not found or hit.start >= found[-1].end:
            found.append(hit)
        elif hit.end > found[-1].end:
            found[-1] = Hit(found[-1].start, hit.end, found[-1].kind)
    return found


def redact(text: str, hits: Iterable[Hit]) -> str:
    """Replace what was found."""
    for hit in sorted(hits, key=lambda hit: hit.start, reverse=True):
        text = text[: hit.start] + REMOVED + text[hit.end :]
    return text


def _phones(text: str, sought: Sought) -> Iterable[Hit]:
    if not sought.phones:
        return
    for match in phonenumbers.PhoneNumberMatcher(text, "US", leniency=phonenumbers.Leniency.POSSIBLE):
        if phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164) in sought.phones:
            yield Hit(match.start, match.end, "phone")
    # The matcher leaves out numbers that stand in longer runs of signs; their digits are compared as they are.
    tails = {phone[-10:] for phone in sought.phones}
    for run in _DIGITS.finditer(text):
        digits = "".join(sign for sign in run[0] if sign.isdecimal())
        if any(tail in digits for tail in tails):
            yield Hit(run.start(), run.end(), "phone")


def _emails(text: str, sought: Sought) -> Iterable[Hit]:
    if not sought.emails:
        return
    for match in _EMAIL.finditer(text):
        if canonical_email(match[0].rstrip(".!?")) in sought.emails:
            yield Hit(match.start(), match.start() + len(match[0].rstrip(".!?")), "email")


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str
    is_capital: bool


def _tokens(text: str) -> list[_Token]:
    tokens = []
    for match in _WORD.finditer(text):
        # "Levi's" is Levi; "O'Neil" is one word.
        written = re.sub(r"['\u2019\u02bc]s$", "", match[0])
        end = match.start() + len(written)
        tokens += [_Token(match.start(), end, part, written[:1].isupper()) for part in fold(written).split()]
    return tokens


def _word_runs(text: str, sought: Sought, *, linked: bool) -> Iterable[Hit]:
    tokens = _tokens(text)
    words = [token.word for token in tokens]
    for start in range(len(tokens)):
        for address in sought.addresses:
            end = start + len(address)
            if tuple(words[start:end]) == address:
                yield Hit(tokens[start].start, tokens[end - 1].end, "address")
        for given, family in sought.names:
            yield from _name_at(tokens, words, start, given, family, linked=linked)


def _name_at(tokens: list[_Token], words: list[str], start: int, given: str, family: tuple[str, ...], *, linked: bool) -> Iterable[Hit]:
    def family_at(at: int) -> bool:
        return tuple(words[at : at + len(family)]) == family

    def given_at(at: int) -> bool:
        # "Bob" is Robert; "will" and "mark" are words, "Will" and "Mark" are people.
        return at < len(tokens) and tokens[at].is_capital and bool(given) and are_given_names_alike(words[at], given)

    if given_at(start) or (given and words[start] == fold(given).partition(" ")[0]):
        # First name, up to two words between, last name.
        for at in range(start + 1, start + 2 + _BETWEEN):
            if family_at(at):
                yield Hit(tokens[start].start, tokens[at + len(family) - 1].end, "name")
                break
    if family_at(start):
        end = start + len(family)
        if given_at(end):
            # Last name, first name.
            yield Hit(tokens[start].start, tokens[end].end, "name")
        elif not given or (linked and tokens[start].is_capital):
            yield Hit(tokens[start].start, tokens[end - 1].end, "name")
    if linked and given_at(start) and len(words[start]) > 1:
        yield Hit(tokens[start].start, tokens[start].end, "name")
