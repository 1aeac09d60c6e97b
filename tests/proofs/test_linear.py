"""No expression of the product is slow on any text: twice the text takes about twice the work."""

from __future__ import annotations

import time

from tests.proofs.expressions import Expression, against, found, worked

#: A text that takes less is not looked at more closely.
_QUICK = 0.004


def _seconds(expression: Expression, begin: str, repeated: str, size: int, end: str) -> float:
    text = (begin + repeated * (size // len(repeated) + 1))[:size] + end
    least = 9.0
    for _ in range(5):
        before = time.process_time()
        worked(expression.pattern, text, searches=expression.searches)
        least = min(least, time.process_time() - before)
        if least < _QUICK:
            break
    return least


def test_every_expression_is_found_in_the_source_and_linear() -> None:
    expressions, unread = found()
    assert unread == []
    slow = {}
    for expression in expressions:
        for begin, repeated in against(expression.pattern):
            for end in ("", "\x00", "!"):
                once = _seconds(expression, begin, repeated, 2000, end)
                if once >= _QUICK and (ratio := _seconds(expression, begin, repeated, 4000, end) / once) > 2.5:
                    slow[expression.where] = (round(ratio, 1), begin, repeated, end)
    assert slow == {}
