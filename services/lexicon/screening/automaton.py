"""One automaton over words: every term of the lexicon in one pass over the text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.lexicon.folding import fold
from services.lexicon.screening.terms import Term

_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text: its folded form, and where it stands."""

    word: str
    start: int
    end: int
    written: str


@dataclass(slots=True)
class _Node:
    next: dict[str, "_Node"] = field(default_factory=dict)
    term: Term | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """Where a term stands, in tokens."""

    first: int
    last: int
    term: Term


def tokens_of(text: str) -> list[Token]:
    """Cut a text into words; a word that folds into several keeps its one place."""
    found: list[Token] = []
    for word in _WORD.finditer(text):
        written = word[0]
        # Only the possessive goes: "Catholic's" is a Catholic's, "O'Neil" is a name.
        folded = fold(re.sub(r"['’]s$", "", written))
        found.extend(Token(part, word.start(), word.end(), written) for part in folded.split())
    return found


class Automaton:
    """A trie of words; the longest term wins wherever it begins."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        """Compile the terms, which are folded here once more, so that lists may be as published."""
        self._root = _Node()
        for written, term in terms.items():
            node = self._root
            for word in fold(written).split():
                node = node.next.setdefault(word, _Node())
            if node is not self._root:
                node.term = term

    def matches(self, tokens: list[Token]) -> Iterator[Match]:
        """Give the terms found, leftmost and longest first, none overlapping another."""
        at = 0
        while at < len(tokens):
            node, found = self._root, None
            for ahead in range(at, len(tokens)):
                following = node.next.get(tokens[ahead].word)
                if following is None:
                    break
                node = following
                if node.term:
                    found = Match(at, ahead, node.term)
            if found:
                yield found
                at = found.last + 1
            else:
                at += 1
