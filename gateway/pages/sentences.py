"""What a page says of a wrong field: a plain sentence, which names the field as its label does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """A wrong field as the page shows it: its label, and the type of its control."""

    label: str
    control: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence of the summary, and the field that it links to, where the page shows it."""

    name: str
    sentence: str
    is_shown: bool


_NO_ARTICLE: Final = ("a ", "an ", "the ", "your ", "those ", "what ", "which ", "who ", "how ", "why ", "where ", "when ")
#: Fields that a user knows as their own.
_YOURS: Final = frozenset({"username", "password"})
_CHOSEN: Final = frozenset({"choice", "several"})
_THINGS: Final = {"individual": "a person", "organization": "an organization", "issue": "an issue", "event": "an event", "owner": "an owner"}

Say = Callable[[re.Match[str], str, Field], str]


def _give(_match: re.Match[str], name: str, field: Field) -> str:
    if field.control == "datetime-local":
        return "Enter a date and time."
    if field.control == "date":
        return "Enter a date."
    verb = "Choose" if field.control in _CHOSEN else "Enter"
    if field.label.endswith("?"):
        return f"{verb} an answer."
    return f"{verb} {_called(name, field.label)}."


def _choose(_match: re.Match[str], name: str, _field: Field) -> str:
    return f"Choose {next((thing for key, thing in _THINGS.items() if key in name), 'one from the list')}."


def _length(match: re.Match[str], name: str, _field: Field) -> str:
    if name.endswith("_ids"):
        return f"Choose no more than {match['most']}."
    return f"Use {match['least']} to {match['most']} characters." if match["least"] else f"Use {match['most']} characters or fewer."


def _number(match: re.Match[str], _name: str, _field: Field) -> str:
    least, most = match["least"], match["most"]
    return f"Enter a number from {least} to {most}." if most else f"Enter {least} or a larger number."


#: What a schema or a service says, in its own words for programs, and what a page says instead.
_SAID: Final[tuple[tuple[re.Pattern[str], Say | str], ...]] = (
    (re.compile(r"Missing data for required field\.|Field may not be null\.|Not empty\.|Shorter than minimum length 1\.", re.DOTALL), _give),
    (re.compile(r"Not a valid UUID\.|There is no individual .*|There is no organization .*|There is no issue .*", re.DOTALL), _choose),
    (
        re.compile(r"(?:Not a valid (?:aware |naive )?datetime\.|An instant with its offset, .*|There is no such day or time\.)", re.DOTALL),
        "Enter a date and time.",
    ),
    (re.compile(r"(?:Not a valid date\.|A day, such as .*|There is no such day\.)", re.DOTALL), "Enter a date."),
    (re.compile(r"Between (?P<least>\d{4}) and (?P<most>\d{4})\.", re.DOTALL), r"Enter a date from \g<least> to \g<most>."),
    (re.compile(r"Not in the future\.", re.DOTALL), "Enter a date that is not in the future."),
    (re.compile(r"Not in the past\.", re.DOTALL), "Enter a date that is not in the past."),
    (re.compile(r"Not before 2003\.", re.DOTALL), "Enter a date in 2003 or later."),
    (
        re.compile(r"(?:Length must be between (?P<least>\d+) and|Longer than maximum length|At most) (?P<most>\d+)(?: characters)?\.", re.DOTALL),
        _length,
    ),
    (re.compile(r"Shorter than minimum length (?P<least>\d+)\.", re.DOTALL), r"Use \g<least> characters or more."),
    (re.compile(r"Must be one of: .*|Not a state or territory of the United States\.|One or more of the choices .*", re.DOTALL), _choose),
    (re.compile(r"Must be greater than or equal to (?P<least>\d+)(?: and less than or equal to (?P<most>\d+))?\.", re.DOTALL), _number),
    (re.compile(r"Not a valid integer\.", re.DOTALL), "Enter a whole number."),
    (re.compile(r"Not a valid number\.|Number too large\.", re.DOTALL), "Enter a number."),
    (re.compile(r"Not a valid URL\.", re.DOTALL), "Enter a full web address, such as https://example.org."),
    (re.compile(r"Not a valid email address\.", re.DOTALL), "Enter an e-mail address, such as name@example.org."),
    (re.compile(r"Say (?:why|what for)\.", re.DOTALL), "Enter a reason."),
    (re.compile(r"Not a NUL character\.|No control characters\.", re.DOTALL), "Remove the characters that can't be seen."),
    (re.compile(r"Unknown field\.|There is no such parameter\.", re.DOTALL), "This page does not take this field."),
    (
        re.compile(r"(?:Not a valid|Invalid|String does not match|Must be equal to|Length must be|Special numeric).*", re.DOTALL),
        "Check what you entered.",
    ),
)


def worded(errors: Mapping[str, list[str]], shown: Mapping[str, Field]) -> dict[str, list[str]]:
    """Return the sentences of each field in the words of the page."""
    return {
        name: list(dict.fromkeys(_worded(sentence, name, shown.get(name) or Field(_words(name), "text")) for sentence in sentences))
        for name, sentences in errors.items()
    }


def problems(errors: Mapping[str, list[str]], shown: Mapping[str, Field]) -> list[Problem]:
    """Return the lines of the summary; a sentence that does not name its field follows the label."""
    lines = []
    for name, sentences in errors.items():
        label = shown[name].label if name in shown else _words(name)
        for sentence in sentences:
            is_named = not label or label.casefold() in sentence.casefold()
            mark = " " if label.endswith("?") else ": "
            lines.append(Problem(name, sentence if is_named else f"{label}{mark}{sentence}", name in shown))
    return lines


def _worded(sentence: str, name: str, field: Field) -> str:
    for pattern, said in _SAID:
        if match := pattern.fullmatch(sentence):
            return match.expand(said) if isinstance(said, str) else said(match, name, field)
    return sentence


def _called(name: str, label: str) -> str:
    lower = label if label[1:2].isupper() else label[:1].lower() + label[1:]
    if name in _YOURS:
        return f"your {lower}"
    return lower if lower.startswith(_NO_ARTICLE) else f"the {lower}"


def _words(name: str) -> str:
    return " ".join(part for part in re.split(r"[._]", name) if part and not part.isdigit()).removesuffix(" id").removesuffix(" ids").capitalize()
