"""The saga in the background: what it cannot do now does not end the process."""

from __future__ import annotations

from typing import Any

import pytest

from services.chassis.database import DatabaseUnavailable
from services.chassis.messages import OutcomeUnknown, Refusal, new_id
from services.retention.service.saga import Saga
from tests.support import lines_logged


class _Away:
    """A database that refuses every unit of work."""

    def __init__(self, refusal: Refusal) -> None:
        self._refusal = refusal

    def work(self, *_: Any) -> Any:
        raise self._refusal


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("refusal", [DatabaseUnavailable(), OutcomeUnknown()])
def test_an_erasure_that_is_woken_while_the_database_is_away_waits_for_the_next_look(refusal):
    saga = Saga(_Away(refusal), lambda *_, **__: None, clock=lambda: None)
    with lines_logged() as lines:
        saga.wake(erasure := new_id())
    assert [(line["event"], line["erasure"], line["code"]) for line in lines] == [("erasure.left", erasure, refusal.code)]
