"""Patterns for personal data in numbers and abbreviations: document numbers, dates of birth, "W/M, mid 30s" (R41).

Every repetition is bounded, so each pattern needs a single pass over a text.
"""

import re
from collections.abc import Iterator
from typing import Final

from services.lexicon.screening.automaton import Token
from services.lexicon.screening.findings import SAYS, Finding

_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE: Final = (
    rf"(?:\d{{1,2}}[-/.]\d{{1,2}}(?:[-/.]\d{{2,4}})?|\d{{4}}-\d{{1,2}}-\d{{1,2}}|{_MONTH}\s{{1,2}}\d{{1,2}}(?:,?\s{{1,2}}\d{{4}})?"
    rf"|\d{{1,2}}\s{{1,2}}{_MONTH}(?:\s{{1,2}}\d{{4}})?|(?:19|20)\d\d|\d{{8}}|\d{{6}})"
)
_AGE: Final = (
    r"(?:in\s(?:his|her|their)\s)?(?:mid|early|late|about|approx\.?|abt\.?|aged?|around|ca\.?|~)[\s-]{0,2}\d{2}'?s?\b"
    r"|\d{2}(?:\s?yo\b|\s?y/o\b|\b(?![%:./]))"
)

_PATTERNS: Final[tuple[tuple[str, str, re.Pattern[str]], ...]] = (
    # A social security number has three, two and four digits; without hyphens, it needs a label.
    ("government number", "hold", re.compile(r"(?<![\w-])(?!000|666)\d{3}-\d{2}-\d{4}(?![\w-])")),
    (
        "government number",
        "hold",
        re.compile(r"\b(?:ssn|social security(?: number| no\.?| #)?|itin|tin)\W{0,4}(?:is\s|ends in\s)?\d[\d -]{2,12}\d\b", re.IGNORECASE),
    ),
    # Alien registration numbers have eight or nine digits after an A; travel document and license numbers need a label.
    ("government number", "hold", re.compile(r"(?<![\w-])A[-# ]{0,2}\d{8,9}(?![\w-])|(?<![\w-])A[-# ]{0,2}\d{3}[- ]\d{3}[- ]\d{3}(?![\w-])")),
    (
        "government number",
        "hold",
        re.compile(
            r"\b(?:passport|driver'?s? licen[sc]e|dl|visa|green card|license plate|medicare|medicaid|uscis)"
            r"(?:\s(?:number|no\.?|num\.?|id|#))?\W{0,4}(?:is\s)?(?=[a-z]{0,3}\d)[a-z]{0,3}\d[\d-]{5,14}\b",
            re.IGNORECASE,
        ),
    ),
    (
        "date of birth",
        "hold",
        re.compile(rf"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|birth ?day)\W{{0,4}}(?:is\s|on\s){{0,2}}{_DATE}\b", re.IGNORECASE),
    ),
    ("date of birth", "hold", re.compile(rf"\bborn\s(?:on\s|in\s|the\s)?{_DATE}\b", re.IGNORECASE)),
    (
        "religion",
        "ask",
        re.compile(
            r"\b(?<![Bb]oard )[Mm]ember\sof\s(?:the\s)?(?:[A-Z][\w.'’-]{0,20}\s){0,4}"
            r"(?:Temple|Church|Mosque|Masjid|Synagogue|Parish|Congregation|Cathedral|Ward)\b"
        ),
    ),
    (
        "ethnicity",
        "ask",
        re.compile(
            r"\b(?:[Mm]ember|[Cc]itizen|[Dd]escendant)\s(?:of|in)\s(?:the\s)?(?:[A-Z][\w'’-]{1,20}\s){1,4}(?:Nation|Tribe|Band|Pueblo)\b"
            r"(?!'s|’s|\s(?:Council|Government|Business|Police|Legislature|Court|of\s\w+\sCouncil))"
        ),
    ),
    (
        "ethnicity",
        "hold",
        re.compile(r"\b[Oo]f\s(?:[A-Z][a-z]{2,14}[\s-]){1,2}(?:descent|origin|heritage|ancestry|extraction|background|parentage)\b"),
    ),
    ("ethnicity", "hold", re.compile(r"\b[A-Z][a-z]{2,14}\sby\s(?:birth|descent|origin|heritage|ancestry)\b")),
    ("race", "hold", re.compile(rf"(?<![\w/])[wbhal]\s?/\s?[mf],?\s{{1,2}}(?:{_AGE})", re.IGNORECASE)),
    ("race", "ask", re.compile(r"(?<![\w/])[WBHAL]/[MF](?![\w/])")),
    ("race", "hold", re.compile(rf"(?<![\w/])(?:WM|WF|BM|BF|HM|HF|AA),\s{{1,2}}(?:{_AGE})")),
)

#: "Double five": words that repeat the next digit.
_TIMES: Final = frozenset(["double", "triple"])
_DIGITS: Final = frozenset(["zero", "oh", "o", "nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]) | _TIMES
_BETWEEN: Final = re.compile(r"[\s,.;()\-\u2010-\u2015]{0,6}")
#: The least spoken digits of a telephone number; fewer are a count.
_SPOKEN: Final = 7


def personal_patterns(text: str) -> Iterator[Finding]:
    """Yield document numbers, dates of birth and abbreviations for race, in the order of the patterns."""
    for klass, verdict, pattern in _PATTERNS:
        for found in pattern.finditer(text):
            yield Finding(found.start(), found.end(), klass, verdict, SAYS.format(klass=klass))


def spoken_numbers(text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of telephone numbers in words: seven or more digits with only punctuation between them."""
    run: list[Token] = []
    for token in tokens:
        if not (run and _BETWEEN.fullmatch(text, run[-1].end, token.start)) or not _is_digit(token):
            yield from _spoken(run)
            run = []
        if _is_digit(token):
            run.append(token)
    yield from _spoken(run)


def _is_digit(token: Token) -> bool:
    return token.word in _DIGITS or (len(token.word) == 1 and token.word.isdecimal())


def _spoken(run: list[Token]) -> Iterator[tuple[int, int]]:
    digits = sum(token.word not in _TIMES for token in run)
    words = sum(token.word in _DIGITS for token in run)
    if digits >= _SPOKEN and words * 2 > digits:
        yield run[0].start, run[-1].end
