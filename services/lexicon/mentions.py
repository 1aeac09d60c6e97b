"""Find mentions of an erased person in text, and decide which may be removed without a decision (T27).

All services use this rule. A mention is the name as a phrase, a phone number or an e-mail address. Each mention is
removed at once, after a deadline, or only if the privacy officer decides so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import phonenumbers

from services.lexicon.canonical import canonical_email, canonical_phone
from services.lexicon.folding import fold
from services.lexicon.honorifics import SUFFIXES, may_stand_in_a_name
from services.lexicon.names import given_names, known_as

#: The text that replaces a mention.
REMOVED: Final = "[removed]"

#: Remove at the first search: a value that identifies the person and is in no other record, or a row about the person.
AT_ONCE: Final = "at_once"
#: The privacy officer decides; without a decision, it may be removed after the deadline.
LATER: Final = "later"
#: Remove only if the privacy officer decides so.
DECIDED: Final = "decided"
_CAUTION: Final = (AT_ONCE, LATER, DECIDED)

#: Combining marks of decomposed text, and invisible characters.
_UNSEEN = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"
_LETTERS = rf"[^\W_][^\W_{_UNSEEN}]*(?:[{_UNSEEN}]+[^\W_{_UNSEEN}]*)*"
_APOSTROPHES = "'\u2019\u2018\u02bc\u02bb\u02b9\u00b4`\u2032"
_WORD: Final = re.compile(rf"{_LETTERS}(?:[{_APOSTROPHES}]{_LETTERS})*")
_POSSESSIVE: Final = re.compile(rf"[{_APOSTROPHES}][sS]$")
_ONE_APOSTROPHE: Final = {ord(sign): "'" for sign in _APOSTROPHES}
_QUOTES: Final = "\"'()[]\u201c\u201d\u2018\u2019\u00ab\u00bb\u201e"
_HYPHENS: Final = "-\u2010\u2011_+"
_GENERATIONS: Final = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "2", "2nd": "2", "iii": "3", "3rd": "3", "iv": "4", "4th": "4"}
#: The most words between two parts of a name: "Catherine Ann Mary O. Masto".
_BETWEEN: Final = 4
#: The most given names and initials of a name.
_ROW: Final = 16
#: The most written words that form one word of a name: "Mac Donald", "De La Cruz".
_PARTS: Final = 5
#: The least letters of a part that may stand for a family name: "Levi" for García-Levi, but not "de" or "la".
_LONE: Final = 4

# A word that starts no address is also matched, with group None, so that it is scanned only once.
_EMAIL: Final = re.compile(r"[^\s<>(),;:\"'\[\]@]++(@[^\s<>(),;:\"'\[\]@]+\.[^\s<>(),;:\"'\[\]@]+)?")
_SPOKEN: Final = re.compile(
    r"[\w.+%-]++((?:\s*+[(\[{]\s*+dot\s*+[)\]}]\s*+[\w.+%-]++|\s++dot\s++[\w.+%-]++){0,4}"
    r"(?:\s*+[(\[{]\s*+at\s*+[)\]}]\s*+|\s++at\s++|\s*+@\s*+)"
    r"[\w-]++(?:(?:\s*+[(\[{]\s*+dot\s*+[)\]}]\s*+|\s++dot\s++|\s*+\.\s*+)[\w-]++){1,5})?",
    re.IGNORECASE,
)
_AT: Final = re.compile(r"(?:(?<!\s)\s++)?(?:[(\[{]\s*at\s*[)\]}]|@)\s*|(?<!\s)\s++at\s+", re.IGNORECASE)
_DOT: Final = re.compile(r"(?:(?<!\s)\s++)?(?:[(\[{]\s*dot\s*[)\]}]|\.)\s*|(?<!\s)\s++dot\s+", re.IGNORECASE)
#: Separators between the digits of a number.
_GAP: Final = r"[\s().\-/\u00a0\u00b7\u2010-\u2015\u2212]{0,4}"
_LOCAL = 7


@dataclass(frozen=True, slots=True)
class FormerValues:
    """A person's former name, phone numbers and e-mail addresses, the latter in canonical form."""

    first_name: str
    last_name: str
    #: Values that identify a person (T9) and are in no other record.
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    #: Values that other people may have, too, such as switchboards.
    shared_emails: tuple[str, ...] = ()
    shared_phones: tuple[str, ...] = ()
    #: Those of the shared values that are in other records.
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """The position of a value in a text."""

    start: int
    end: int
    #: `name`, `phone` or `email`.
    kind: str
    #: `AT_ONCE`, `LATER` or `DECIDED`.
    goes: str


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str
    is_capital: bool


class Sought:
    """A person's former values, prepared for searching text."""

    def __init__(self, values: FormerValues) -> None:
        """Prepare the folded name."""
        last = _folded(values.last_name)
        self.values = values
        self.generation: str | None = None
        while len(last) > 1 and last[-1] in SUFFIXES | _GENERATIONS.keys():
            self.generation = _GENERATIONS.get(last.pop(), self.generation)
        self.family = "".join(last)
        #: Words that may stand for the family name in a row about the person.
        self.lone = frozenset(word for word in last if len(word) >= _LONE)
        given = given_names(values.first_name.translate(_ONE_APOSTROPHE))
        longer = {word for word in given if len(word) > 1}
        #: Recorded given names, and their short forms.
        self.given = frozenset((longer or set(given[:1])) | {"".join(given)} - {""})
        self.short = frozenset().union(*(known_as(word) for word in longer)) - self.given

    @cached_property
    def needles(self) -> frozenset[str]:
        """Runs of letters and digits; a text that contains none of them has no mention."""
        found = {self.family or "".join(sorted(self.given, key=len)[-1:])}
        values = self.values
        found |= {phone[-_LOCAL:] for phone in (*values.phones, *values.shared_phones)}
        for email in (*values.emails, *values.shared_emails):
            labels = email.rpartition("@")[2].split(".")
            found.add(fold(labels[-2] if len(labels) > 1 else labels[0]).replace(" ", ""))
            if email.endswith("@gmail.com"):
                found.add("googlemail")
        return frozenset(found - {""})

    def find(self, text: str, *, linked: bool = False) -> list[Mention]:
        """Return the mentions in a text, in order and without overlaps.

        :param linked: the row is about this person, so all their values are removed, even a family name alone.
        """
        found: list[Mention] = []
        mentions = [*self._emails(text), *self._phones(text), *self._names(text, linked=linked)]
        if linked:
            # A name of one word may be any word, even in a row about the person.
            mentions = [each if each.kind == "name" and not self.is_full else replace(each, goes=AT_ONCE) for each in mentions]
        for mention in sorted(mentions, key=lambda each: (each.start, -each.end)):
            if not found or mention.start >= found[-1].end:
                found.append(mention)
            elif mention.end > found[-1].end:
                last = found[-1]
                found[-1] = Mention(last.start, mention.end, last.kind, max(last.goes, mention.goes, key=_CAUTION.index))
        return found

    @property
    def is_full(self) -> bool:
        """Whether there are a given and a family name, which form a phrase."""
        return bool(self.family and self.given)

    def _names(self, text: str, *, linked: bool) -> Iterator[Mention]:
        tokens = _tokens(text)
        addresses = [match.span() for match in _EMAIL.finditer(text) if match[1]] if "@" in text else []
        begins = [start for start, _ in addresses]
        for at in range(len(tokens)):
            for mention in self._name_at(text, tokens, at, linked=linked):
                last = bisect_right(begins, mention.start) - 1
                if last >= 0 and mention.start < addresses[last][1]:
                    # A part of another person's address, which would change if it were redacted.
                    yield Mention(mention.start, mention.end, "name", DECIDED)
                else:
                    yield mention

    def _name_at(self, text: str, tokens: list[_Token], at: int, *, linked: bool) -> Iterator[Mention]:
        if not self.is_full:
            end = _word_at(text, tokens, at, self.family or max(self.given, key=len, default=""))
            if end and tokens[at].is_capital and not _is_part(text, tokens, at, end):
                yield Mention(tokens[at].start, tokens[end - 1].end, "name", DECIDED)
            return
        end = _word_at(text, tokens, at, self.family)
        if end and not _is_part(text, tokens, at, end):
            yield from self._around_family(text, tokens, at, end, linked=linked)
        elif end and not _is_hyphenated_after(text, tokens, end) and self._is_given(tokens[at - 1]):
            # "who/Dov-Quillfeather" is an address, and "Ms. Dov-Quillfeather" is another person.
            yield Mention(tokens[at - 1].start, tokens[end - 1].end, "name", DECIDED)
        if linked and tokens[at].is_capital and len(tokens[at].word) > 1 and (tokens[at].word in self.lone or self._is_given(tokens[at])):
            yield Mention(tokens[at].start, tokens[at].end, "name", AT_ONCE)

    def _around_family(self, text: str, tokens: list[_Token], at: int, end: int, *, linked: bool) -> Iterator[Mention]:
        after, generation = _suffix_after(text, tokens, end)
        if generation and self.generation and generation != self.generation:
            return
        first = self._given_before(text, tokens, at)
        if first is not None:
            yield Mention(tokens[first].start, tokens[after - 1].end, "name", LATER)
            return
        last = self._given_after(text, tokens, after)
        if last is not None:
            # "Mary Smith, John Doe" is a list of two people; "Ask Smith, John" is one.
            is_list = _follows_a_name(text, tokens, at) or (_follows_capital(text, tokens, at) and _follows_capital(text, tokens, last, of_next=True))
            goes = DECIDED if is_list else LATER
            yield Mention(tokens[at].start, tokens[last - 1].end, "name", goes)
        elif linked and tokens[at].is_capital:
            yield Mention(tokens[at].start, tokens[end - 1].end, "name", AT_ONCE)
        elif (span := self._initial_beside(text, tokens, at, after)) is not None:
            # "D. Quillfeather" may be Dov or Dina, so the privacy officer decides.
            yield Mention(tokens[span[0]].start, tokens[span[1] - 1].end, "name", DECIDED)

    def _given_before(self, text: str, tokens: list[_Token], family_at: int) -> int | None:
        """Return the start of the name with this family name, or None."""
        for first in range(max(0, family_at - 1 - _BETWEEN), family_at):
            begins = self._given_ends(text, tokens, first) and not _is_hyphenated_before(text, tokens, first)
            if begins and self._reaches(text, tokens, first, family_at):
                return first
        return None

    def _reaches(self, text: str, tokens: list[_Token], at: int, family_at: int) -> bool:
        """Return whether only the person's given names, initials and titles are between here and the family name."""
        if at == family_at:
            return True
        ends = self._given_ends(text, tokens, at) | ({at + 1} if _may_stand_between(tokens[at]) else set())
        return any(end <= family_at and _joins(text, tokens[end - 1], tokens[end]) and self._reaches(text, tokens, end, family_at) for end in ends)

    def _given_ends(self, text: str, tokens: list[_Token], at: int) -> set[int]:
        """Return the possible ends of the person's given names that start here."""
        ends = {end for name in self.given if (end := _word_at(text, tokens, at, name))}
        return ends | ({at + 1} if self._is_given(tokens[at]) else set())

    def _given_after(self, text: str, tokens: list[_Token], after: int) -> int | None:
        """Return the end of a name whose family name comes first, or None."""
        for at in range(after, min(len(tokens), after + 1 + _BETWEEN)):
            if not _joins(text, tokens[at - 1], tokens[at], comma=at == after):
                return None
            end = max(self._given_ends(text, tokens, at), default=0)
            if end:
                furthest = min(len(tokens), end + _ROW)
                while end < furthest and _joins(text, tokens[end - 1], tokens[end]) and self._is_given(tokens[end]):
                    end += 1
                return None if _is_hyphenated_after(text, tokens, end) else end
            if not _may_stand_between(tokens[at]):
                return None
        return None

    def _initial_beside(self, text: str, tokens: list[_Token], at: int, after: int) -> tuple[int, int] | None:
        """Return (start, end) of a family name with an initial of the given name, or None."""
        initials = {name[0] for name in self.given}
        first = at
        while (
            first > max(0, at - _ROW)
            and len(tokens[first - 1].word) == 1
            and tokens[first - 1].is_capital
            and _joins(text, tokens[first - 1], tokens[first])
        ):
            first -= 1
        if first < at and tokens[first].word in initials and not _follows_a_name(text, tokens, first):
            return first, after
        if after < len(tokens) and tokens[after].word in initials and tokens[after].is_capital:
            is_beside = _joins(text, tokens[after - 1], tokens[after], comma=True) and not _follows_a_name(text, tokens, at)
            return (at, after + 1) if is_beside and "," in text[tokens[after - 1].end : tokens[after].start] else None
        return None

    def _is_given(self, token: _Token) -> bool:
        # "Bob" is Robert; "will" and "mark" are words, but "Will" and "Mark" are names.
        return token.word in self.given or (token.is_capital and token.word in self.short)

    def _emails(self, text: str) -> Iterator[Mention]:
        values = self.values
        if not values.emails and not values.shared_emails:
            return
        for pattern in (_EMAIL, _SPOKEN):
            for match in pattern.finditer(text):
                if not match[1]:
                    continue
                written = match[0].rstrip(".!?")
                address = canonical_email(_DOT.sub(".", _AT.sub("@", written)))
                if address in values.emails:
                    yield Mention(match.start(), match.start() + len(written), "email", AT_ONCE)
                elif address in values.shared_emails:
                    yield Mention(match.start(), match.start() + len(written), "email", DECIDED if address in values.held else LATER)

    def _phones(self, text: str) -> Iterator[Mention]:
        for phone in (*self.values.phones, *self.values.shared_phones):
            goes = DECIDED if phone in self.values.held else AT_ONCE if phone in self.values.phones else LATER
            whole, local = _patterns(phone)
            for match in whole.finditer(text):
                # Within a longer run of digits, it may be a file or account number.
                within = _is_digit(text, match.start() - 1) or _is_digit(text, match.end())
                yield Mention(match.start(), match.end(), "phone", max(goes, LATER, key=_CAUTION.index) if within else goes)
            for match in local.finditer(text) if local else ():
                yield Mention(match.start(), match.end(), "phone", max(goes, LATER, key=_CAUTION.index))
        # Digits of other scripts, and other forms that the library recognizes.
        written = phonenumbers.PhoneNumberMatcher(text, "US", leniency=phonenumbers.Leniency.POSSIBLE) if self.values.phones else ()
        for number in written:
            if canonical_phone(number.raw_string) in self.values.phones:
                yield Mention(number.start, number.end, "phone", AT_ONCE)


def redact(text: str, mentions: Iterable[Mention]) -> str:
    """Replace mentions in a text by `REMOVED`."""
    kept: list[str] = []
    behind = 0
    for mention in sorted(mentions, key=lambda each: each.start):
        if mention.start >= behind:
            kept += [text[behind : mention.start], REMOVED]
        behind = max(behind, mention.end)
    return "".join([*kept, text[behind:]])


def excerpts(text: str, mentions: Iterable[Mention], *, around: int = 120) -> list[dict[str, str]]:
    """Return each mention with up to `around` characters of text on both sides."""
    found = []
    for mention in mentions:
        start, end = max(0, mention.start - around), min(len(text), mention.end + around)
        found.append(
            {
                "before": ("\u2026" if start else "") + text[start : mention.start],
                "found": text[mention.start : mention.end],
                "after": text[mention.end : end] + ("\u2026" if end < len(text) else ""),
                "kind": mention.kind,
            }
        )
    return found


def _tokens(text: str) -> list[_Token]:
    tokens = []
    for match in _WORD.finditer(text):
        # "Levi's" is the possessive of Levi; "O'Neil" is one word.
        written = _POSSESSIVE.sub("", match[0])
        tokens += [_Token(match.start(), match.start() + len(written), part, written[:1].isupper()) for part in _folded(written)]
    return tokens


def _folded(written: str) -> list[str]:
    return fold(written.translate(_ONE_APOSTROPHE)).split()


def _word_at(text: str, tokens: list[_Token], at: int, word: str) -> int:
    """Return the end of a name's word that starts here, even if it is written as several words; 0 without one."""
    run = ""
    for end in range(at, min(len(tokens), at + _PARTS)):
        if end > at and not _joins(text, tokens[end - 1], tokens[end]):
            return 0
        run += tokens[end].word
        if run == word:
            return end + 1
        if not word.startswith(run):
            return 0
    return 0


def _joins(text: str, one: _Token, other: _Token, *, comma: bool = False) -> bool:
    """Return whether two words may be adjacent parts of one name, and not of two sentences or a list."""
    between = text[one.end : other.start]
    core = between.translate(_WITHOUT_QUOTES)
    if between.count("\n") > 1:
        return False
    if not core:
        return True
    if core == ".":
        return between == "." or _may_stand_between(one)
    if core in {",", ".,"}:
        return comma or one.word in SUFFIXES or other.word in SUFFIXES
    return len(between) == 1 and core in _HYPHENS


_WITHOUT_QUOTES: Final = {ord(sign): None for sign in f"{_QUOTES} \t\r\n\u00a0\u2007\u2009\u202f\u3000"}


def _may_stand_between(token: _Token) -> bool:
    return len(token.word) == 1 or may_stand_in_a_name(token.word)


def _suffix_after(text: str, tokens: list[_Token], end: int) -> tuple[int, str | None]:
    """Return the end of a name with its suffix, and the suffix's generation, if any."""
    if end < len(tokens) and _joins(text, tokens[end - 1], tokens[end], comma=True):
        word = tokens[end].word
        if word in _GENERATIONS or (word in SUFFIXES and len(word) > 1):
            return end + 1, _GENERATIONS.get(word)
    return end, None


def _is_part(text: str, tokens: list[_Token], at: int, end: int) -> bool:
    """Return whether these words are part of a longer, hyphenated word."""
    return _is_hyphenated_before(text, tokens, at) or _is_hyphenated_after(text, tokens, end)


def _is_hyphenated_after(text: str, tokens: list[_Token], end: int) -> bool:
    return end < len(tokens) and text[tokens[end - 1].end : tokens[end].start] in _REAL_HYPHENS and tokens[end].word[0].isalpha()


def _is_hyphenated_before(text: str, tokens: list[_Token], at: int) -> bool:
    if at == 0 or text[tokens[at - 1].end : tokens[at].start] not in _REAL_HYPHENS:
        return False
    # In a URL ("who-is-john-smith"), hyphens separate words that are not names.
    return tokens[at - 1].is_capital


_REAL_HYPHENS: Final = ("-", "\u2010", "\u2011")


def _follows_a_name(text: str, tokens: list[_Token], at: int) -> bool:
    """Return whether the word before looks like a name; the first word of a sentence is treated the same."""
    if not _follows_capital(text, tokens, at) or may_stand_in_a_name(tokens[at - 1].word):
        return False
    return at > 1 and not re.search(r"[.!?:\n]", text[tokens[at - 2].end : tokens[at - 1].start])


def _follows_capital(text: str, tokens: list[_Token], at: int, *, of_next: bool = False) -> bool:
    if at == 0 or at >= len(tokens) or text[tokens[at - 1].end : tokens[at].start].strip():
        return False
    return tokens[at if of_next else at - 1].is_capital


def _patterns(phone: str) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    """Return the patterns of a number in full, and without its area code."""
    if phone.startswith("+1") and len(phone) == 12:
        digits = phone[2:]
        # Including the country code and an extension.
        whole = rf"(?:(?:\+|\b00|\b)1{_GAP})?\(?{_GAP.join(digits)}(?:\s?(?:x|ext\.?|extension)\s?\d{{1,6}})?"
        local = rf"(?<![\d+])(?<!\d[\s.\-/)\u2010-\u2015]){_GAP.join(digits[3:])}(?!\d)"
        return re.compile(whole, re.IGNORECASE), re.compile(local)
    number = phonenumbers.parse(phone, None)
    digits = str(number.national_number)
    return re.compile(rf"(?:\+|\b00)?(?:{number.country_code}{_GAP})?(?:\(?0\)?{_GAP})?{_GAP.join(digits)}"), None


def _is_digit(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isdecimal()
