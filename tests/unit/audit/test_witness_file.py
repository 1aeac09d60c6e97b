"""The witness's file: appended to, never written over; a crash in the middle of a line costs that line only."""

import os
from datetime import UTC, datetime

import pytest

from services.audit.storage.witness import Leaves, WitnessDamaged, WitnessFile

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def witness(tmp_path):
    return WitnessFile(tmp_path / "volume" / "checkpoints")


def leaf(n):
    return n.to_bytes(32, "big")


def test_what_was_appended_is_read_back_in_order(witness):
    assert (list(witness.notes()), witness.last_note(), witness.leaf_count()) == ([], None, 0)
    witness.append("first — note\n", NOW)
    before = witness.path.read_bytes()
    witness.append("second\n", NOW)
    assert witness.path.read_bytes().startswith(before)
    assert list(witness.notes()) == [(1, "first — note\n"), (2, "second\n")]
    assert witness.last_note() == "second\n"


def test_every_place_at_which_a_crash_may_tear_a_line_leaves_the_others_whole(witness):
    witness.append("first\n", NOW)
    whole = witness.path.read_bytes()
    witness.append("second\n", NOW)
    second = witness.path.read_bytes()[len(whole) :]
    for length in range(len(second)):
        witness.path.write_bytes(whole + second[:length])
        assert [note for _, note in witness.notes()] == ["first\n"]
        witness.append("third\n", NOW)
        assert [note for _, note in witness.notes() if note != "second\n"] == ["first\n", "third\n"]


def test_a_damaged_line_is_handed_on_as_it_is(witness):
    witness.append("first\n", NOW)
    witness.append("second\n", NOW)
    witness.path.write_bytes(witness.path.read_bytes().replace(b'"note": "first', b'"nope": "first'))
    assert [note == "second\n" for _, note in witness.notes()] == [False, True]


def test_leaves_are_appended_once_whatever_part_of_them_a_crash_left(witness):
    leaves = [leaf(n) for n in range(10)]
    witness.append_leaves(0, leaves[:4])
    for length in range(4 * 32, 10 * 32 + 1, 7):
        os.truncate(witness.leaves_path, 4 * 32)
        with witness.leaves_path.open("ab") as file:
            file.write(b"".join(leaves)[4 * 32 : length])
        witness.append_leaves(4, leaves[4:])
        assert witness.leaves_path.read_bytes() == b"".join(leaves)
    witness.append_leaves(2, leaves[2:5])
    assert witness.leaf_count() == 10


def test_other_leaves_than_those_in_the_file_and_a_gap_are_refused(witness):
    witness.append_leaves(0, [leaf(n) for n in range(4)])
    with pytest.raises(WitnessDamaged, match="other leaves"):
        witness.append_leaves(2, [leaf(2), leaf(9), leaf(4)])
    with pytest.raises(WitnessDamaged, match="ends after 4"):
        witness.append_leaves(5, [leaf(5)])
    assert witness.leaf_count() == 4


def test_leaves_are_a_sequence(witness):
    witness.append_leaves(0, [leaf(n) for n in range(5)])
    with Leaves(witness.leaves_path) as leaves:
        assert list(leaves) == [leaf(n) for n in range(5)]
        assert (len(leaves), leaves[1]) == (5, leaf(1))
        with pytest.raises(IndexError):
            leaves[5]
    witness.leaves_path.write_bytes(b"")
    with Leaves(witness.leaves_path) as leaves:
        assert list(leaves) == []
