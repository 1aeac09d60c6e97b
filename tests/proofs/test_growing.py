"""Whatever text grows in a request, a file or a cell, twice the text takes about twice the work (P19)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

import gateway
import services.access.domain
import services.audit.domain
import services.contacts.domain
import services.interactions.domain
import services.lexicon
import services.retention.domain
from tests.proofs.growing import ALPHABETS, Reader, cells_of_imports, fields_of_requests, functions_of_texts, is_linear, parts_of_files
from tests.rows import SOAK, figure

pytestmark = pytest.mark.row("P19")

RULES = (
    services.lexicon,
    services.contacts.domain,
    services.interactions.domain,
    services.access.domain,
    services.retention.domain,
    services.audit.domain,
    gateway,
)
#: These take the square of a name's words, and a name has at most 200 characters: some milliseconds, which are not measured here.
BOUNDED = frozenset({"services.contacts.domain.likeness.asked_words"})
#: Always tried; of the others, here every thirtieth in turn.
ALWAYS = ("marks out of order", "mixed")


def _tried(at: int) -> list[str]:
    if SOAK:
        return list(ALPHABETS)
    return list(dict.fromkeys([*ALWAYS, *itertools.islice(ALPHABETS, at % 30, None, 30)]))


@pytest.mark.parametrize(
    ("kind", "readers"),
    [
        ("fields of requests", fields_of_requests(figure(128 << 10, 4_000))),
        ("functions of texts", functions_of_texts(RULES, BOUNDED, figure(16_000, 2_000))),
        ("cells of imports", cells_of_imports(figure(64 << 10, 1_500))),
        ("parts of files", parts_of_files(figure(256 << 10, 8_000))),
    ],
)
def test_twice_the_text_takes_about_twice_the_work(kind: str, readers: Iterator[Reader]) -> None:
    slow, many, tried = [], 0, 0
    for at, reader in enumerate(readers):
        many += 1
        for alphabet in _tried(at):
            tried += 1
            if ratio := is_linear(reader, alphabet, reader.most):
                slow.append((reader.where, alphabet, round(ratio, 1)))
    print(f"{many} {kind}, {tried} texts")
    assert many > 30
    assert slow == []


def test_a_reader_that_takes_the_square_is_found() -> None:
    """Uses a quadratic expression, and a quadratic loop."""
    expression = re.compile(r"\d+x")
    assert is_linear(Reader("an expression", expression.search, 3_000), "digits", 3_000)
    assert is_linear(Reader("a loop", lambda text: [text.count("ab", at) for at in range(len(text))], 4_000), "letters", 4_000)
    assert not is_linear(Reader("a linear one", lambda text: [text.upper() for _ in range(50)], 4_000), "mixed", 4_000)
