"""Only contributors of its component see text kept against a finding; row-level security alone ensures it (T15, M6)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.chassis.messages import Caller
from services.interactions.usecases import writing
from services.lexicon.policy.decision import at_least
from tests.cast import AMINA, BRUNO, DOV, GRACE, RENATA, callers
from tests.integration.interactions.conftest import Office, a_promise

pytestmark = pytest.mark.requirement("T15", "T19", "R148")
QUOTED = f"He is on {DOV.cell} after five."
KEPT = {"keep_reason": "He asked for it"}


def _may(caller: Caller) -> bool:
    return caller.kind == "user" and caller.component == "ICE" and at_least(caller.level, "contributor")


def _quote(office: Office) -> str:
    talk = office.talk(individual_ids=[office.individual()], outcome=QUOTED, follow_ups=[a_promise(text=QUOTED)], **KEPT)
    office.event(agenda=QUOTED, **KEPT)
    return str(talk["id"])


def test_the_database_shows_kept_text_to_contributors_of_its_component_and_to_no_other_transaction(office: Office) -> None:
    _quote(office)
    for name, caller in callers("interactions").items():
        with office.work(caller) as work:
            assert work.execute(text("SELECT count(*) FROM kept_texts")).scalar_one() == (3 if _may(caller) else 0), name
            if not _may(caller):
                assert work.execute(text("UPDATE kept_texts SET text = ''")).rowcount == 0
                assert work.execute(text("DELETE FROM kept_texts")).rowcount == 0
    with office.work(RENATA) as work, pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        work.execute(
            text(
                "INSERT INTO kept_texts (id, subject_type, subject_id, field, component, text, reason, classes, kept_by, kept_at)"
                " VALUES (gen_random_uuid(), 'event', gen_random_uuid(), 'name', 'ICE', 'x', 'x', '{}', gen_random_uuid(), now())"
            )
        )


def test_it_stands_when_the_check_in_the_code_is_gone(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = _quote(office)
    monkeypatch.setattr(writing, "component_of_kept_texts", lambda by: by.component)
    assert office.read(RENATA, talk)["outcome"] is None
    for by in (AMINA, BRUNO, GRACE):
        assert office.read(by, talk)["outcome"] == QUOTED
