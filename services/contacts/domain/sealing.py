"""A person's former values, sealed for the time of an erasure, and where they still stand in a text."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.lexicon.canonical import canonical_email, canonical_phone
from services.lexicon.folding import fold
from services.lexicon.names import family_key, given_key
from services.lexicon.screening import screen

_NONCE = 12
#: What stands where a phone or an e-mail stood.
REMOVED = "[removed]"


@dataclass(frozen=True, slots=True)
class FormerValues:
    """What a person was called and reached by; canonical forms beside the written ones."""

    first_name: str
    last_name: str
    emails: tuple[str, ...]
    phones: tuple[str, ...]

    @classmethod
    def of(cls, first_name: str, last_name: str, values: Iterable[tuple[str, str]]) -> FormerValues:
        """Collect them from (kind, value) pairs."""
        pairs = list(values)
        emails = {found for kind, value in pairs if kind == "email" and (found := canonical_email(value))}
        phones = {found for kind, value in pairs if kind not in {"email", "work_address"} and (found := canonical_phone(value))}
        return cls(first_name, last_name, tuple(sorted(emails)), tuple(sorted(phones)))

    def to_wire(self) -> dict[str, Any]:
        """Return what goes under the seal."""
        return {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "emails": list(self.emails),
            "phones": list(self.phones),
        }


def seal(values: FormerValues, key: bytes, *, erasure_id: str) -> str:
    """Seal former values under an erasure's one-time key (AES-256-GCM, bound to the erasure); base64."""
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, orjson.dumps(values.to_wire()), erasure_id.encode())).decode()


def unseal(sealed: str, key: bytes, *, erasure_id: str) -> FormerValues:
    """Open a seal.

    :raises InvalidTag: another key, another erasure, or a changed byte.
    """
    raw = base64.b64decode(sealed)
    wire = orjson.loads(AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], erasure_id.encode()))
    return FormerValues(wire["first_name"], wire["last_name"], tuple(wire["emails"]), tuple(wire["phones"]))


def redact(text: str, values: FormerValues) -> tuple[str, int]:
    """Return the text without the person's phones and e-mails, in whatever spelling, and how many there were."""
    found = 0
    # From the end, so that earlier offsets stay right.
    for finding in sorted(screen(text), key=lambda finding: finding.start, reverse=True):
        words = text[finding.start : finding.end]
        if (finding.klass == "email" and canonical_email(_plain_address(words)) in values.emails) or (
            finding.klass == "phone" and _is_one_of(words, values.phones)
        ):
            text = text[: finding.start] + REMOVED + text[finding.end :]
            found += 1
    for email in values.emails:
        text, more = re.subn(re.escape(email), REMOVED, text, flags=re.IGNORECASE)
        found += more
    return text, found


def names_in(text: str, values: FormerValues) -> bool:
    """Whether the text bears the person's family name beside their given name, or an initial of it."""
    family, given = family_key(values.last_name), given_key(values.first_name)
    if not family:
        return False
    words = fold(text).split()
    if not given:
        return family in words
    for at, word in enumerate(words):
        near = words[max(0, at - 3) : at + 4]
        if word == family and (given in near or given[0] in near):
            return True
    return False


def is_told_in(cells: Iterable[str], values: FormerValues) -> bool:
    """Whether cells of a table tell of the person: by a phone or an e-mail, or by family and given name in whatever cells."""
    text = " ".join(cells)
    family, given = family_key(values.last_name), given_key(values.first_name)
    words = set(fold(text).split())
    if family and family in words and (not given or given in words):
        return True
    return names_in(text, values) or redact(text, values)[1] > 0


def _plain_address(words: str) -> str:
    spoken = re.sub(r"\s*(?:\(at\)|\[at\]|\bat\b)\s*", "@", words, flags=re.IGNORECASE)
    spoken = re.sub(r"\s*(?:\(dot\)|\[dot\]|\bdot\b)\s*", ".", spoken, flags=re.IGNORECASE)
    return spoken.replace(" ", "").strip(".,;:")


def _is_one_of(words: str, phones: tuple[str, ...]) -> bool:
    canonical = canonical_phone(words)
    if canonical in phones:
        return True
    digits = "".join(character for character in words if character.isdigit())
    # A local number leaves out the area code.
    return len(digits) >= 7 and any(phone.endswith(digits) for phone in phones)
