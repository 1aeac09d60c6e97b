"""Waiting for a condition."""

from __future__ import annotations

import pytest

from tests.support import eventually


def test_what_comes_true_is_returned() -> None:
    answers = iter([None, [], "here"])
    assert eventually(lambda: next(answers)) == "here"


def test_what_never_comes_true_fails_with_the_reason_and_the_last_answer() -> None:
    with pytest.raises(AssertionError, match="the queue drained did not happen within 0.05 s; the last answer was 0"):
        eventually(lambda: 0, 0.05, why="the queue drained")


def test_a_failed_assertion_means_not_yet_and_any_other_error_means_never() -> None:
    tries = iter([False, True])

    def holds() -> bool:
        assert next(tries)
        return True

    assert eventually(holds)
    with pytest.raises(ZeroDivisionError):
        eventually(lambda: 1 // 0)
