"""Every hash without a key has a reason; none is over a person's values."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = {
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "blake2b",
    "blake2s",
    "sha3_256",
    "sha3_512",
    "new",
    "crc32",
    "adler32",
    "uuid3",
    "uuid5",
    "file_digest",
}
MODULES = {"hashlib", "zlib", "uuid", "binascii"}
IN_SQL = ("md5(", "sha224(", "sha256(", "sha384(", "sha512(", " digest(", "hashtext(", "hashtextextended(", "hash_record")

#: By file: how many there are, and why nobody learns a person's values from them.
REASONS: dict[str, tuple[int, str]] = {
    "gateway/identity.py": (1, "of a session's token: 256 random bits, which nobody guesses; it never leaves the process"),
    "gateway/pages/assets.py": (1, "of our own static files"),
    "gateway/uploads.py": (1, "proves to contacts that a file came whole; neither side keeps it, and what contacts keeps is keyed"),
    "deploy/broker.py": (1, "RabbitMQ's own form of passwords, salted; of long random ones"),
    "services/access/domain/sessions.py": (1, "of a session's token: 256 random bits, which nobody guesses"),
    "services/audit/usecases/sequencing.py": (1, "names a checkpoint that is not ours: it has no value in it"),
    "services/chassis/translog/checkpoints.py": (1, "the id of a public key, as C2SP signed-note has it"),
    "services/chassis/identity.py": (1, "the id of a public key"),
    "services/chassis/keyed.py": (1, "the id of a key: 256 random bits"),
    "services/chassis/translog/merkle.py": (3, "RFC 9162's tree over the trail: entries hold ids and codes, and everybody must be able to verify it"),
    "services/chassis/messages.py": (2, "derives a key, and makes tags under one"),
    "deploy/migrations.py": (1, "of our migrations' text"),
    "deploy/postgres.py": (2, "of a path on this machine"),
    "services/contacts/usecases/imports/refused_rows.py": (1, "the id of a key, from an import's id"),
    "services/contacts/domain/imports/staging.py": (1, "compares a file with what was sent, in memory"),
    "services/contacts/usecases/imports/uploading.py": (1, "the id of a key, from an import's id"),
    "services/retention/storage/erased_ids.py": (1, "of a list of ids, in memory"),
    "services/retention/usecases/erasing.py": (1, "of a certificate as its reader is shown it: ids, instants, and the officer's counts"),
}  # fmt: skip


def _unkeyed(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    bare = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in MODULES
        for alias in node.names
        if alias.name in NAMES
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in MODULES and called.attr in NAMES:
            yield called.attr
        elif isinstance(called, ast.Name) and called.id in bare:
            yield called.id
        elif isinstance(called, ast.Name) and called.id == "hash":
            yield "hash"


def _files() -> Iterator[tuple[str, str]]:
    for folder in ("services", "gateway", "deploy"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


@pytest.mark.requirement("R2")
def test_every_hash_without_a_key_has_a_reason() -> None:
    found = Counter({name: sum(1 for _ in _unkeyed(source)) for name, source in _files()})
    assert +found == +Counter({name: count for name, (count, _) in REASONS.items()}), (
        "a digest of what people wrote is made under a key (services/chassis/keyed.py); any other has its reason here"
    )


def test_a_hash_is_found_however_it_is_called() -> None:
    for source in (
        "import hashlib\nhashlib.sha256(b'')",
        "from hashlib import blake2b as b\nb(b'')",
        "from hashlib import sha256\nsha256(b'')",
        "import zlib\nzlib.crc32(b'')",
        "hash('x')",
    ):
        assert list(_unkeyed(source)), source
    assert not list(_unkeyed("import hmac, hashlib\nhmac.digest(k, b'', hashlib.sha256)"))


def test_a_hash_in_a_statement_names_a_lock_and_is_never_kept() -> None:
    for name, source in _files():
        for line in source.splitlines():
            if any(word in line for word in IN_SQL) and any(quoted in line for quoted in ('"', "'", "PERFORM")):
                is_python = "hashlib" in line or ("sha256(" in line.replace("(sha256(", "") and "def " in line)
                assert is_python or "lock" in line or "hashtext" in line or name in REASONS, f"{name}: {line.strip()}"
