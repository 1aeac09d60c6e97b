"""The Merkle tree of RFC 6962: hashes, appending, proofs and their verification.

Pure: standard library only, no I/O. Leaves are hashed as `SHA-256(0x00 || entry)`, nodes as
`SHA-256(0x01 || left || right)`. A perfect subtree is named by (level, index): it covers the leaves from
`index << level` up to `(index + 1) << level`. Proofs are computed from stored subtrees, read by a `SubtreeReader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from hashlib import sha256
from hmac import compare_digest
from typing import Self

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

SubtreeReader = Callable[[int, int], bytes]


class ProofImpossible(ValueError):
    """No such proof exists: the positions lie outside the tree."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the leaf hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: its perfect subtrees, one for each bit of `size`, the largest first.

    It is all the state that appending and computing the root need.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Continue a tree of `size` leaves with the root hashes of its perfect subtrees."""
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ProofImpossible("The number of perfect subtrees does not fit the size.")

    @classmethod
    def read(cls, size: int, subtree: SubtreeReader) -> Self:
        """Continue the tree of the first `size` leaves from its stored subtrees."""
        return cls(size, [subtree(level, index) for level, index in perfect_subtrees(0, size)])

    def copy(self) -> Frontier:
        """Return an independent copy."""
        return Frontier(self.size, self.peaks)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Append a leaf hash; return the completed inner subtrees as (level, index, hash), lowest first."""
        completed = []
        level, index, current = 0, self.size, leaf
        while index & 1:
            current = node_hash(self.peaks.pop(), current)
            level += 1
            index >>= 1
            completed.append((level, index, current))
        self.peaks.append(current)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root hash."""
        return _joined(self.peaks)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root hash of the tree over these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def perfect_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Split the leaves from `start` to `end` into the largest perfect subtrees, left to right.

    `start` must be a multiple of the largest subtree's size, which is true for the ranges of proofs.
    """
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append((level, start >> level))
        start += 1 << level
    return parts


def range_hash(start: int, end: int, subtree: SubtreeReader) -> bytes:
    """Return RFC 6962's MTH over the leaves from `start` to `end`."""
    return _joined([subtree(level, index) for level, index in perfect_subtrees(start, end)])


def inclusion_proof(index: int, size: int, subtree: SubtreeReader) -> list[bytes]:
    """Return the inclusion proof of leaf `index` in the tree of `size` leaves: the siblings up to the root, lowest first."""
    if not 0 <= index < size:
        raise ProofImpossible(f"There is no leaf {index} in a tree of {size}.")
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(range_hash(start, middle, subtree))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, subtree: SubtreeReader) -> list[bytes]:
    """Return the proof that the tree of `second` leaves begins with the tree of `first` leaves (RFC 6962, 2.1.2)."""
    if not 0 < first <= second:
        raise ProofImpossible(f"There is no consistency proof from {first} to {second} leaves.")
    path = []
    start, end, target = 0, second, first
    # While the first tree is not split, the verifier already has its root, which is left out of the proof.
    whole = True
    while target != end:
        middle = start + _split(end - start)
        if target <= middle:
            path.append(range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(range_hash(start, middle, subtree))
            start = middle
            whole = False
    if not whole:
        path.append(range_hash(start, end, subtree))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether `path` proves that `leaf` is at `index` in the tree of `size` leaves with this root."""
    if not 0 <= index < size or not _all_hashes(leaf, root, *path):
        return False
    position, last, current = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and compare_digest(current, root)


def verify_consistency(first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Return whether `path` proves that the tree of `second` leaves begins with the tree of `first` leaves."""
    if not 0 <= first <= second or not _all_hashes(first_root, second_root, *path):
        return False
    if first in {0, second}:
        known = EMPTY_ROOT if first == 0 else second_root
        return not path and compare_digest(first_root, known)
    position, last = first - 1, second - 1
    while position & 1:
        position >>= 1
        last >>= 1
    # Position 0 means that the first tree is perfect; then both computations start with its root.
    steps = list(path) if position else [first_root, *path]
    if not steps:
        return False
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and compare_digest(old, first_root) and compare_digest(new, second_root)


def _joined(roots: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees, left to right, each smaller than the one before it."""
    return reduce(lambda right, left: node_hash(left, right), reversed(roots)) if roots else EMPTY_ROOT


def _split(width: int) -> int:
    """Return the largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _all_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
