"""Somebody who has every database, log and the broker's journal tries a dictionary, and finds nobody's value by its hash."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import requests

from tests.proofs.test_canaries import dumped
from tests.proofs.world import STORES, World
from tests.support import eventually

#: All numbers of one exchange that end in this way, and all names on a list: what somebody would try.
CELLS = [f"956-557-{n:04d}" for n in range(4000, 4100)]
NAMES = [f"Quillmark{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
CELL, NAME = CELLS[57], NAMES[57]
ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s", "sha3_256")


def _digests(tried: bytes) -> Iterator[str]:
    """Return hashes of a guess in every stored form, cut short."""
    found = [hashlib.new(name, tried, usedforsecurity=False).digest() for name in ALGORITHMS]
    found += [hashlib.blake2b(tried, digest_size=size).digest() for size in (16, 20, 32)]
    for digest in found:
        yield digest.hex()[:16]
        # A dump is read in lower case.
        yield base64.b64encode(digest).decode()[:16].lower()
        yield base64.urlsafe_b64encode(digest).decode()[:16].lower()
    for number in (zlib.crc32(tried), zlib.adler32(tried)):
        yield f"{number:08x}"
    for space in (uuid.NAMESPACE_DNS, uuid.NAMESPACE_URL, uuid.NAMESPACE_OID):
        yield str(uuid.uuid5(space, tried.decode(errors="replace")))


def _kept(haystack: str) -> set[str]:
    """Return the beginning of everything that could be a hash."""
    haystack = haystack.lower()
    found = {run[:16] for run in re.findall(r"[0-9a-f]{16,}", haystack)}
    found |= {run[:16] for run in re.findall(r"[a-z0-9+/_-]{20,}={0,2}", haystack)}
    return found | set(re.findall(r"\b[0-9a-f]{8}\b", haystack)) | set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", haystack))


def _guesses(forms: Iterable[Any]) -> dict[str, str]:
    """Return what each hash would prove, for every guess in every sent form."""
    proved: dict[str, str] = {}
    forms = list(forms)
    for value, words in ((CELL, CELLS), (NAME, NAMES)):
        for word in words:
            bare = word.replace("-", "")
            tried = {word.encode(), word.lower().encode(), bare.encode(), f"+1{bare}".encode()}
            tried |= {form.replace(value.encode(), word.encode()) for form in forms if value.encode() in form}
            for each in tried:
                proved |= dict.fromkeys(_digests(each), word)
    return proved


def _forms(answers: Iterable[requests.Response]) -> Iterator[bytes]:
    """Return bodies as they were sent, and in other JSON notations."""
    for answer in answers:
        for body in (answer.request.body, answer.content):
            raw = body.encode() if isinstance(body, str) else body or b""
            yield raw
            if raw.startswith(b"{"):
                yield json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.requirement("R2", "R123", "R149")
@pytest.mark.timeout(120)
def test_no_telephone_number_and_no_name_is_found_by_hashing_a_dictionary(world: World) -> None:
    amina, file = world.amina, f"First Name,Last Name,State,Cell\nRuth,{NAME},NM,{CELL}\n".encode()
    person = f"/individuals/{world.an_individual()['id']}"
    sent = [
        # A client may make its key of a value; and each body is short.
        amina.ask("POST", f"{person}/contact-points", expect=201, json={"kind": "cell", "value": CELL}, headers={"Idempotency-Key": CELL}),
        amina.ask("POST", "/individuals", expect=201, json={"last_name": NAME}, headers={"Idempotency-Key": NAME}),
        amina.ask("POST", f"{person}/notes", expect=201, json={"text": f"Met {NAME}.", "provenance": NAME}, headers={"Idempotency-Key": "n"}),
        amina.ask("PATCH", person, expect=200, json={"title": NAME}, headers={"If-Match": amina.ask("GET", person).headers["ETag"]}),
        amina.ask("POST", "/organizations", expect=201, json={"name": NAME}, headers={"Idempotency-Key": f"o {CELL}"}),
        amina.ask("POST", "/imports", expect=201, files={"file": ("list.csv", file)}, headers={"Idempotency-Key": f"i {CELL}"}),
        amina.ask("GET", "/stakeholders", expect=200, params={"q": NAME}),
    ]
    last = amina.told[-1].trace_id
    eventually(lambda: world.edda.get("/audit/entries", trace_id=last)["items"], seconds=30, why="the trail has the last of it")
    again = amina.ask("POST", "/individuals", expect=201, json={"last_name": NAME}, headers={"Idempotency-Key": NAME})
    assert again.json()["id"] == sent[1].json()["id"], "a repetition is still told from something new"

    kept = {name for store in STORES for name in _kept(dumped(world.address(store)))}
    kept |= _kept((world.system.data.parent / f"{world.system.data.name}.log").read_text(errors="replace"))
    kept |= _kept((world.system.data / "broker" / "journal").read_bytes().decode("latin-1"))
    tags = {answer.headers["ETag"].strip('"')[:16] for answer in sent if "ETag" in answer.headers}
    assert tags
    proved = _guesses([*_forms(sent), file])
    assert {proved[one] for one in (kept | tags) & proved.keys()} == set(), "values recovered by their hashes"


def test_the_dictionary_would_find_a_hash_of_what_was_sent() -> None:
    body = json.dumps({"kind": "cell", "value": CELL}).encode()
    proved = _guesses([body])
    for planted in (
        hashlib.sha256(body).hexdigest(),
        base64.b64encode(hashlib.md5(CELL.encode(), usedforsecurity=False).digest()).decode(),
        hashlib.blake2b(NAME.encode(), digest_size=16).hexdigest(),
    ):
        assert {proved[one] for one in _kept(f"x,{planted},y") & proved.keys()} in ({CELL}, {NAME})
