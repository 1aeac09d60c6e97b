"""Checkpoints of the audit trail: signed notes (C2SP signed-note and tlog-checkpoint), and the check by witnesses.

Pure: no I/O. The audit service's sequencer signs checkpoints. Every service stores those it received, and accepts a new
one only with a consistency proof.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from services.chassis.keyed import pems_of
from services.chassis.translog import merkle

ED25519 = b"\x01"
MAX_NOTE = 64 * 1024
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointRefused(ValueError):
    """The note, key or proof is malformed or not of this trail."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the trail: origin, number of entries, and root hash of the tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text, three lines as in C2SP tlog-checkpoint."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Parse a note text; raise CheckpointRefused unless it has exactly three well-formed lines."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            raise CheckpointRefused("A checkpoint has three lines: origin, size and root.")
        origin, size, encoded = lines[:3]
        if not _SIZE.fullmatch(size):
            raise CheckpointRefused("The size of a checkpoint is a decimal number.")
        root = _decode(encoded)
        if len(root) != merkle.HASH_SIZE:
            raise CheckpointRefused("The root of a checkpoint has 32 bytes.")
        return cls(origin=origin, size=int(size), root=root)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public key: a name, which is the origin of the trail, and an Ed25519 key."""

    name: str
    public: bytes
    #: Former keys of the same name, whose signatures stay valid.
    former: tuple[bytes, ...] = ()

    @property
    def key_id(self) -> bytes:
        """Return the four bytes at the start of each of this key's signatures."""
        return _note_key_id(self.name, self.public)

    @classmethod
    def parse(cls, pems: str, *, name: str) -> VerifierKey:
        """Parse concatenated public keys in PEM, the current one first; raise CheckpointRefused if one is malformed."""
        public, *former = [_public_pem(pem) for pem in pems_of(pems) or [pems]]
        return cls(name=_name(name), public=public, former=tuple(former))

    def open(self, note: str) -> str:
        """Verify a note and return its text; raise CheckpointRefused if this key or a former one did not sign it."""
        if len(note) > MAX_NOTE or any(ord(char) < 32 and char != "\n" for char in note):
            raise CheckpointRefused("The note is too large or has control characters.")
        text, blank, signatures = note.rpartition("\n\n")
        text += "\n"
        if not blank or not signatures.endswith("\n"):
            raise CheckpointRefused("The note has no signature.")
        ours = {_note_key_id(self.name, public): public for public in (self.public, *self.former)}
        verified = False
        for line in signatures[:-1].split("\n"):
            dash, _, rest = line.partition(" ")
            name, _, encoded = rest.partition(" ")
            if dash != "—" or not _NAME.fullmatch(name):
                raise CheckpointRefused("A signature line of the note is malformed.")
            blob = _decode(encoded)
            if name != self.name or blob[:4] not in ours:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(ours[blob[:4]]).verify(blob[4:], text.encode())
            except InvalidSignature:
                raise CheckpointRefused("The signature of the checkpoint does not verify.") from None
            verified = True
        if not verified:
            raise CheckpointRefused("The checkpoint is not signed by our key.")
        return text

    def checkpoint(self, note: str) -> Checkpoint:
        """Verify a note and return its checkpoint; raise CheckpointRefused if its origin is not the key's name."""
        checkpoint = Checkpoint.parse(self.open(note))
        if checkpoint.origin != self.name:
            raise CheckpointRefused("The checkpoint speaks of another trail.")
        return checkpoint


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The private key: a name, which is the origin of the trail, and an Ed25519 seed."""

    name: str
    seed: bytes
    #: Former public keys of the same name.
    former: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        """Return the name only, because the seed must not be logged."""
        return f"SigningKey(name={self.name!r})"

    @classmethod
    def parse(cls, pem: str, *, name: str, public: str = "") -> SigningKey:
        """Parse a key in PEM; raise CheckpointRefused if it is malformed.

        :param public: concatenated public keys in PEM; those other than this key's own become `former`.
        """
        key = cls(name=_name(name), seed=_seed(pem))
        known = [_public_pem(each) for each in pems_of(public)]
        return replace(key, former=tuple(each for each in known if each != key.verifier.public))

    @property
    def verifier(self) -> VerifierKey:
        """Return the public key."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(name=self.name, public=public, former=self.former)

    def sign(self, text: str) -> str:
        """Return the signed note: the text, a blank line and the signature line."""
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(text.encode())
        blob = base64.b64encode(self.verifier.key_id + signature).decode()
        return f"{text}\n— {self.name} {blob}\n"


def write_proof(first: int, path: Iterable[bytes]) -> str:
    """Format a consistency proof from the checkpoint of `first` entries."""
    return " ".join([str(first), *(base64.b64encode(step).decode() for step in path)])


def read_proofs(proofs: Iterable[str]) -> dict[int, list[bytes]]:
    """Parse proofs into a dictionary by their first size; raise CheckpointRefused if one is malformed."""
    read = {}
    for proof in proofs:
        first, *steps = str(proof).split(" ")
        if not _SIZE.fullmatch(first):
            raise CheckpointRefused("A proof begins with a size.")
        read[int(first)] = [_decode(step) for step in steps]
    return read


def witness(key: VerifierKey, last: str, note: str, proof: Sequence[bytes] = ()) -> Checkpoint:
    """Verify that `note` continues `last`, the previous note, and return its checkpoint (R124, R126).

    :param proof: the consistency proof between the two sizes; not needed for equal sizes.
    :raises CheckpointRefused: the note is not signed by `key`, is smaller than `last`, or has no valid proof.
    """
    checkpoint = key.checkpoint(note)
    before = key.checkpoint(last)
    if checkpoint.size < before.size:
        raise CheckpointRefused(f"The trail shrank from {before.size} to {checkpoint.size} entries.")
    if not merkle.verify_consistency(before.size, checkpoint.size, list(proof), before.root, checkpoint.root):
        raise CheckpointRefused(f"The trail of {checkpoint.size} entries does not continue the one of {before.size}.")
    return checkpoint


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CheckpointRefused("A key's name has no spaces and no plus.")
    return name


def _seed(pem: str) -> bytes:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CheckpointRefused("The PEM of the signing key cannot be read.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CheckpointRefused("Only Ed25519 keys are known.")
    return key.private_bytes_raw()


def _public_pem(pem: str) -> bytes:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise CheckpointRefused("The PEM of the verifying key cannot be read.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise CheckpointRefused("Only Ed25519 keys are known.")
    return key.public_bytes_raw()


def _note_key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def _decode(encoded: str) -> bytes:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointRefused("A base64 part is malformed.") from None
    if base64.b64encode(decoded).decode() != encoded:
        raise CheckpointRefused("A base64 part is not in its canonical form.")
    return decoded
