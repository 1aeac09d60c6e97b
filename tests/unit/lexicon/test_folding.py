"""Folding takes time linear in the text, whatever marks its letters have."""

from __future__ import annotations

import contextlib
import random
import re
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from marshmallow import ValidationError

from services.contacts.contract.schemas.fields import Line
from services.lexicon.canonical import canonical_email
from services.lexicon.folding import even_signs, fold, normalized, plain

ROOT = Path(__file__).parents[3]
FORMS = ("NFC", "NFD", "NFKC", "NFKD")
MARKS = [chr(code) for code in range(0x20000) if unicodedata.combining(chr(code))] + list("\u0f73\u0f75\u0f81\uff9e\uff9f")
OTHERS = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
#: Rows of marks that have to change places, each in its own way.
ROWS: list[Callable[[int], str]] = [
    lambda n: "a" + "\u0315\u0300" * (n // 2),
    lambda n: "a" + "\u0315" * (n // 2) + "\u0300" * (n // 2),
    lambda n: "\uff9e\u0300" * (n // 2),
    lambda n: "\u0f73\u0f35" * (n // 2),
    lambda n: "\u0344\u0315" * (n // 2),
    lambda n: "\u05b9\u05b0" * (n // 2),
]


def test_a_normalized_text_is_what_the_library_makes_of_it() -> None:
    rng = random.Random(7)
    for _ in range(300):
        text = "".join(rng.choice(MARKS if rng.random() < 0.95 else OTHERS) for _ in range(rng.randint(1, 150)))
        for form in FORMS:
            assert normalized(form, text) == unicodedata.normalize(form, text), ascii(text)


@pytest.mark.row("P19")
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(
    "read",
    [*(lambda text, form=form: normalized(form, text) for form in FORMS), plain, fold, even_signs, canonical_email, Line().deserialize],
)
def test_marks_out_of_order_are_put_in_order_in_no_more_than_twice_the_time_for_twice_as_many(
    row: Callable[[int], str], read: Callable[[str], object]
) -> None:
    def seconds(text: str) -> float:
        before = time.process_time()
        with contextlib.suppress(ValueError, ValidationError):
            read(text)
        return time.process_time() - before

    short, long = row(1_500), row(3_000)
    once, twice = (min(times) for times in zip(*((seconds(short), seconds(long)) for _ in range(5)), strict=True))
    assert twice < 0.008 or twice / once <= 2.5


def test_nobody_else_asks_the_library() -> None:
    asking = [
        str(path.relative_to(ROOT))
        for part in ("services", "gateway", "deploy")
        for path in (ROOT / part).rglob("*.py")
        if re.search(r"unicodedata\.normalize|import normalize\b", path.read_text())
    ]
    assert asking == ["services/lexicon/folding.py"]
