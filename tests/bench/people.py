"""Invented people by the hundred thousand, the same every time."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from services.lexicon.places import STATES

_ONSETS = [*"bcdfghjklmnprstvw", *["br", "ch", "cl", "dr", "fr", "gr", "kr", "pl", "qu", "sh", "st", "th", "tr"]]
_VOWELS = [*"aeio", "ai", "ea", "ie", "oa", "ou"]
_CODAS = [*"nrstlmx", "nd", "rt", "sk", "lm", "rn", "th", "ck", "mp", "ll"]

COLUMNS = ["First Name", "Last Name", "Job Title", "Company", "State", "Business Phone", "Mobile Phone", "E-mail Address"]


def write_people(path: Path, count: int, *, first: int = 0) -> None:
    """Write a spreadsheet of `count` people, each with two phones and an e-mail, twenty to an organization."""
    chance = random.Random(20091210 + first)
    states = sorted(STATES)
    given = _names(random.Random(1), 400)
    families = _names(random.Random(2), 4000)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(first, first + count):
            name, family = given[n % len(given)], families[(n * 7919) % len(families)]
            writer.writerow(
                [
                    name,
                    f"{family}-{families[n // len(given) % len(families)]}",
                    chance.choice(["Director", "Counsel", "Head of Policy", "Sheriff", "Mayor", "Vice President"]),
                    f"{families[n // 20 % len(families)]} {chance.choice(['Partners', 'Works', 'Logistics'])} {n // 20}",
                    chance.choice(states),
                    f"202-555-{n % 10000:04d}",
                    f"956-{200 + n // 10000 % 700:03d}-{n % 10000:04d}",
                    f"{name}.{family}.{n}@example.org".lower(),
                ]
            )


def family_names() -> list[str]:
    """Return the words that a search can find."""
    return _names(random.Random(2), 4000)


def _names(chance: random.Random, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        syllables = [chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_CODAS) for _ in range(2)]
        names["".join(syllables).capitalize()] = None
    return list(names)
