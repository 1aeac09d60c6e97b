"""Answers to retention, which erases."""

from __future__ import annotations

from typing import TypedDict


class ReceiptAnswer(TypedDict):
    """What an erasure found and removed in one store."""

    store: str
    found: int
    removed: int
    left: int
    method: str


class ReceiptsAnswer(TypedDict):
    """What an erasure found and removed."""

    receipts: list[ReceiptAnswer]


class ErasedAnswer(ReceiptsAnswer):
    """The same, with the person's former values under a seal."""

    sealed: str | None


class UnsealedKey(TypedDict):
    """The one-time key of a seal, in base64; null once it is broken."""

    key: str | None


class PlaceAnswer(TypedDict):
    """Where a text stands."""

    store: str
    id: str
    field: str


class HitOfErasure(PlaceAnswer):
    """A text that mentions an erased person (T27)."""

    kinds: list[str]
    sure: bool


class SoughtAnswer(ReceiptsAnswer):
    """What a search for mentions found, and which decisions it carried out."""

    hits: list[HitOfErasure]
    carried_out: list[list[str]]


class ShownMention(PlaceAnswer):
    """The mentions in a text, with the words around them."""

    excerpts: list[dict[str, str]]


class MentionsAnswer(TypedDict):
    """Mentions, for the privacy officer."""

    items: list[ShownMention]


class NamesakeAnswer(TypedDict):
    """Whether a living record bears the erased person's name."""

    living: bool
