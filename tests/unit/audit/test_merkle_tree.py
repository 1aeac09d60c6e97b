"""P8: the tree against the vectors of Certificate Transparency, against pymerkle, and against mutants."""

import os
import random

import pymerkle
import pytest

from services.chassis.translog import merkle
from tests.rows import figure

pytestmark = pytest.mark.row("P8")

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        3,
        8,
        [
            "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
            "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
]


class Grown:
    """A tree that remembers every perfect subtree and every root, built by `Frontier.append` alone."""

    def __init__(self, leaves):
        self.nodes = {}
        self.roots = [merkle.EMPTY_ROOT]
        self.leaves = list(leaves)
        frontier = merkle.Frontier()
        for index, leaf in enumerate(self.leaves):
            self.nodes[0, index] = leaf
            for level, position, value in frontier.append(leaf):
                self.nodes[level, position] = value
            self.roots.append(frontier.root())

    def subtree(self, level, index):
        return self.nodes[level, index]


def grown(size, seed=0):
    chance = random.Random(seed)
    return Grown(merkle.leaf_hash(chance.randbytes(20)) for _ in range(size))


def reference_tree():
    return Grown(merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES)


@pytest.mark.requirement("R124", "N2")
def test_roots_are_those_of_certificate_transparency():
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [root.hex() for root in reference_tree().roots[1:]] == ROOTS


def test_proofs_are_those_of_certificate_transparency():
    tree = reference_tree()
    for index, size, expected in INCLUSION:
        assert [h.hex() for h in merkle.inclusion_proof(index, size, tree.subtree)] == expected
    for first, second, expected in CONSISTENCY:
        assert [h.hex() for h in merkle.consistency_proof(first, second, tree.subtree)] == expected


@pytest.mark.requirement("R124", "N2")
def test_every_inclusion_proof_up_to_512_leaves_verifies():
    tree = grown(512)
    for size in range(1, 513):
        root = tree.roots[size]
        for index in range(size):
            path = merkle.inclusion_proof(index, size, tree.subtree)
            assert merkle.verify_inclusion(tree.leaves[index], index, size, path, root)


@pytest.mark.requirement("R124", "N2")
def test_every_consistency_proof_up_to_256_leaves_verifies():
    tree = grown(256)
    for second in range(1, 257):
        for first in range(1, second + 1):
            path = merkle.consistency_proof(first, second, tree.subtree)
            assert merkle.verify_consistency(first, second, path, tree.roots[first], tree.roots[second])


def test_roots_and_proofs_agree_with_another_implementation():
    entries = [index.to_bytes(4, "big") for index in range(130)]
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    tree = Grown(merkle.leaf_hash(entry) for entry in entries)
    for entry in entries:
        oracle.append_entry(entry)
    for size in range(1, len(entries) + 1):
        assert oracle.get_root(size) == tree.roots[size]
    for size in (1, 2, 3, 7, 8, 64, 65, 100, 127, 130):
        for index in range(0, size, 3):
            # pymerkle writes the leaf's own hash first; RFC 6962 leaves out what the verifier holds.
            assert oracle.prove_inclusion(index + 1, size).path[1:] == merkle.inclusion_proof(index, size, tree.subtree)
        for first in range(1, size, 5):
            # Its consistency proofs have another form, so that they serve as judges of our roots only.
            pymerkle.verify_consistency(tree.roots[first], tree.roots[size], oracle.prove_consistency(first, size))


def subproof(first, leaves, *, whole):
    """RFC 6962, 2.1.2, word for word."""
    if first == len(leaves):
        return [] if whole else [merkle.root_of(leaves)]
    k = max(1 << bit for bit in range(10) if 1 << bit < len(leaves))
    if first <= k:
        return [*subproof(first, leaves[:k], whole=whole), merkle.root_of(leaves[k:])]
    return [*subproof(first - k, leaves[k:], whole=False), merkle.root_of(leaves[:k])]


def test_consistency_proofs_are_those_of_the_recursive_definition():
    tree = grown(65)
    for second in range(1, 66):
        for first in range(1, second + 1):
            expected = subproof(first, tree.leaves[:second], whole=True)
            assert merkle.consistency_proof(first, second, tree.subtree) == expected


def mutants(chance, path, roots):
    """Yield (path, roots) that differ from the true ones in one way each."""
    kind = chance.randrange(7 if path else 3)
    path, roots = list(path), list(roots)
    if kind == 0:
        which = chance.randrange(len(roots))
        roots[which] = flipped(chance, roots[which])
    elif kind == 1:
        path.insert(chance.randrange(len(path) + 1), chance.randbytes(32))
    elif kind == 2:
        which = chance.randrange(len(roots))
        roots[which] = chance.choice([b"", roots[which][:-1], roots[which] + b"\0", chance.randbytes(32)])
    elif kind == 3:
        which = chance.randrange(len(path))
        path[which] = flipped(chance, path[which])
    elif kind == 4:
        del path[chance.randrange(len(path))]
    elif kind == 5:
        path.insert(chance.randrange(len(path) + 1), chance.choice(path))
    else:
        which = chance.randrange(len(path))
        path[which] = chance.choice([b"", path[which][:-1], path[which] + b"\0", chance.randbytes(32)])
    return path, roots


def flipped(chance, value):
    bit = chance.randrange(256)
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(32, "big")


def mutant_count():
    return figure(100_000, given="P8_MUTANTS")


@pytest.mark.requirement("R124", "N2")
def test_no_mutated_inclusion_proof_is_accepted():
    seed = int(os.environ.get("SEED_P8", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    tree = grown(300, seed)
    for _ in range(mutant_count() // 2):
        size = chance.randrange(1, 301)
        index = chance.randrange(size)
        path = merkle.inclusion_proof(index, size, tree.subtree)
        bad_path, (leaf, root) = mutants(chance, path, [tree.leaves[index], tree.roots[size]])
        assert not merkle.verify_inclusion(leaf, index, size, bad_path, root), (seed, index, size)
        other = chance.randrange(-2, size + 2)
        if other != index:
            assert not merkle.verify_inclusion(tree.leaves[index], other, size, path, tree.roots[size]), (seed, index, size)


@pytest.mark.requirement("R124", "N2")
def test_no_mutated_consistency_proof_is_accepted():
    seed = int(os.environ.get("SEED_P8", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    tree = grown(300, seed)
    for _ in range(mutant_count() // 2):
        second = chance.randrange(2, 301)
        first = chance.randrange(1, second)
        path = merkle.consistency_proof(first, second, tree.subtree)
        bad_path, roots = mutants(chance, path, [tree.roots[first], tree.roots[second]])
        assert not merkle.verify_consistency(first, second, bad_path, *roots), (seed, first, second)
        assert not merkle.verify_consistency(second, first, path, tree.roots[second], tree.roots[first])
        # The right roots the wrong way round, and the same root twice.
        assert not merkle.verify_consistency(first, second, path, tree.roots[second], tree.roots[first])
        assert not merkle.verify_consistency(first, second, path, tree.roots[second], tree.roots[second])


def test_there_is_no_proof_of_what_is_not_in_the_tree():
    tree = grown(5)
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(merkle.ProofImpossible):
            merkle.inclusion_proof(index, size, tree.subtree)
    for first, second in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(merkle.ProofImpossible):
            merkle.consistency_proof(first, second, tree.subtree)
    with pytest.raises(merkle.ProofImpossible):
        merkle.Frontier(3, [tree.leaves[0]])


def test_every_tree_continues_the_empty_one_and_itself_without_a_proof():
    tree = grown(5)
    assert merkle.verify_consistency(0, 5, [], merkle.EMPTY_ROOT, tree.roots[5])
    assert merkle.verify_consistency(5, 5, [], tree.roots[5], tree.roots[5])
    assert not merkle.verify_consistency(0, 5, [], tree.roots[1], tree.roots[5])
    assert not merkle.verify_consistency(5, 5, [], tree.roots[4], tree.roots[5])
    assert not merkle.verify_consistency(5, 5, [tree.roots[5]], tree.roots[5], tree.roots[5])


def test_a_frontier_taken_up_from_stored_subtrees_grows_like_the_first():
    tree = grown(200)
    for size in (0, 1, 7, 64, 99):
        frontier = merkle.Frontier.read(size, tree.subtree)
        assert frontier.root() == tree.roots[size]
        twin = frontier.copy()
        for leaf in tree.leaves[size:]:
            frontier.append(leaf)
        assert frontier.root() == tree.roots[200] == merkle.root_of(tree.leaves)
        assert twin.root() == tree.roots[size]
