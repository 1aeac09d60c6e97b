"""Parse e-mail addresses in typed text: clean and validate each, or reject it with a reason (R80, T30)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from services.lexicon.canonical import canonical_email, clean_email
from services.lexicon.folding import plain, words

NOT_AN_ADDRESS: Final = "Not an e-mail address."
IMPOSSIBLE: Final = "Not an e-mail address: there can't be such a domain."
MORE_THAN_AN_ADDRESS: Final = "There is more in it than an e-mail address; the rest is not kept."
INSIDE_A_SERVER: Final = "Not an e-mail address but a name inside a mail server; export the addresses instead."

#: Fast path for usual addresses; the full check takes thirty times as long.
_USUAL: Final = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9_+-]{0,62}[A-Za-z0-9_-])?(?:\.[A-Za-z0-9_+-]{0,62}[A-Za-z0-9_-]){0,5})@((?:(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6})([A-Za-z]{2,24})"
)
_STRONG: Final = re.compile(r"(?:(?<![^\S\r\n])[^\S\r\n]++)?(?::::|[;|\r\n\u2022])\s*")
_WEAK: Final = re.compile(r"\s*[,/]\s*|\s+(?:or|and|&)\s+|\s+", re.IGNORECASE)
#: Undeliverable domains: reserved ones, and common typing errors.
_NOWHERE: Final = words(
    "test invalid local localhost localdomain onion arpa internal con cmo ocm vom xom comm coom conm nett ner ogr rog orgg giv govv ghov gob0 edi eud"
)
_SILENT: Final = words(
    "or and e mail email mailto home work office personal business private primary secondary alt alternate preferred other also smtp sip at h w o c"
)
_SERVER: Final = re.compile(r"(?:ex:|x500:|imceaex-)?/o=|^ex:|^imceaex-", re.IGNORECASE)
_LONGEST: Final = 600


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """The addresses of a text in order, and the reasons for rejected parts; the reasons do not quote the text."""

    found: tuple[str, ...]
    refused: tuple[str, ...] = ()


def mailboxes(written: str) -> Mailboxes:
    """Parse all addresses in a text: "dov@example.org; Dov <dov.levi@example.org>" has two."""
    if _is_usual(written):
        local, _, domain = written.rpartition("@")
        return Mailboxes((f"{local}@{domain.lower()}",))
    text = written.strip()
    if len(text) > _LONGEST:
        return Mailboxes((), (NOT_AN_ADDRESS,))
    found: dict[str, str] = {}
    refused: dict[str, None] = {}
    for part in _parts(text):
        address, why = _one(part)
        if address:
            found.setdefault(address.casefold(), address)
        if why:
            refused.setdefault(why)
    if not found and not refused:
        refused[NOT_AN_ADDRESS] = None
    return Mailboxes(tuple(found.values()), tuple(refused))


def mailbox(written: str) -> str | None:
    """Return the cleaned address of a field with one address, or None."""
    read = mailboxes(written)
    return read.found[0] if len(read.found) == 1 and not read.refused else None


def why_no_mailbox(written: str) -> str | None:
    """Return a sentence with the reason if a field is not one valid address, else None."""
    read = mailboxes(written)
    if read.refused:
        return read.refused[0]
    return None if len(read.found) == 1 else "More than one e-mail address: enter each by itself."


def _parts(text: str) -> list[str]:
    if _one(text)[0]:
        return [text]
    for separator in (_STRONG, _WEAK):
        parts = [part for part in separator.split(text) if part]
        # With a single "@", a weak separator is part of a malformed address.
        if len(parts) > 1 and (text.count("@") > 1 or separator is _STRONG):
            return [piece for part in parts for piece in _parts(part)]
    return [text]


def _one(text: str) -> tuple[str | None, str | None]:
    if _SERVER.search(text):
        return None, INSIDE_A_SERVER
    cleaned = clean_email(text)
    local, at, domain = cleaned.rpartition("@")
    if not at:
        only_words = {word.lower() for word in re.findall(r"\w+", text)} <= _SILENT
        return None, None if only_words else NOT_AN_ADDRESS
    if not local or "@" in local:
        return None, NOT_AN_ADDRESS
    domain = domain.lower().rstrip(".")
    more = MORE_THAN_AN_ADDRESS if _has_more(text, cleaned) else None
    if _is_usual(f"{local}@{domain}"):
        return f"{local}@{domain}", more
    address, why = _checked(local, domain)
    return address, why or more


def _has_more(text: str, address: str) -> bool:
    """Return whether there is text beside an address other than its owner's name, "Dov <dov@…>", or a label."""
    before, *others = re.split(re.escape(address), text, flags=re.IGNORECASE)
    rest = " ".join([before.rpartition("<")[2], *(other.partition("?")[0] for other in others)]) if others else ""
    return not {word.lower() for word in re.findall(r"\w+", rest)} <= _SILENT


def _checked(local: str, domain: str) -> tuple[str | None, str | None]:
    # Loaded on first use, because most addresses take the fast path.
    from email_validator import EmailNotValidError, validate_email

    top = domain.rpartition(".")[2]
    if top in _NOWHERE or len(top) < 2:
        return None, IMPOSSIBLE
    if len(local) > 64:
        return None, NOT_AN_ADDRESS
    try:
        known = validate_email(f"{local}@{domain}", check_deliverability=False)
    except EmailNotValidError as error:
        return None, IMPOSSIBLE if "after the @" in str(error) else NOT_AN_ADDRESS
    address = plain(known.normalized)
    return (address, None) if len(address) <= 254 and canonical_email(address) else (None, NOT_AN_ADDRESS)


def _is_usual(text: str) -> bool:
    found = _USUAL.fullmatch(text)
    return found is not None and len(found[1]) <= 64 and len(text) <= 254 and found[3].lower() not in _NOWHERE
