"""Find all terms of the lexicon in one pass over the text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from services.lexicon.folding import fold
from services.lexicon.screening.terms import Term

_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text: its folded form and its position."""

    word: str
    start: int
    end: int
    written: str


class _Node(dict[str, "_Node"]):
    """The words that may follow, and the term that ends here."""

    term: Term | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A term and its first and last token."""

    first: int
    last: int
    term: Term


def tokens_of(text: str) -> list[Token]:
    """Split a text into words; if a word folds into several, they share its position."""
    found: list[Token] = []
    for word in _WORD.finditer(text):
        written = word[0]
        # Only the possessive is removed: "Catholic's" becomes "Catholic", "O'Neil" stays.
        folded = fold(re.sub(r"['’]s$", "", written))
        found.extend(Token(part, word.start(), word.end(), written) for part in folded.split())
    return found


class Automaton:
    """A trie of words that finds the longest term at each position."""

    def __init__(self, terms: Mapping[str, Term]) -> None:
        """Compile the terms."""
        self._root = _Node()
        for written, term in terms.items():
            node = self._root
            for word in fold(written).split():
                node = node.setdefault(word, _Node())
            if node is not self._root:
                node.term = term

    def matches(self, tokens: list[Token]) -> Iterator[Match]:
        """Yield the leftmost, longest terms without overlaps."""
        at = 0
        while at < len(tokens):
            node, found = self._root, None
            for ahead in range(at, len(tokens)):
                following = node.get(tokens[ahead].word)
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
