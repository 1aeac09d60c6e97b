"""The rules of engagement that need no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from marshmallow import Schema, ValidationError

from services.chassis.messages import Invalid, new_id
from services.chassis.validation import invalid
from services.interactions.contract import schemas
from services.interactions.contract.commands import FollowUpGiven, InteractionChange
from services.interactions.contract.refusals import RequestSettled
from services.interactions.domain.coordination import require_move
from services.interactions.domain.moments import CLOCK_SKEW, require_past
from services.interactions.domain.rights import Person
from services.interactions.domain.texts import review
from services.interactions.usecases.authorization import may_answer, require_contributor, scope_of
from services.lexicon.refusals import ContributorsOnly, TextNeedsReview
from tests.cast import AMINA, BRUNO, CHLOE, EDDA, FARID, GRACE, RENATA

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
DOVS_RECORD = Person("dov", owner_id=AMINA.id, component="ICE", frozen_request_id="request", frozen_by=CHLOE.id)
STATES = ("requested", "accepted", "declined", "withdrawn", "done")


@pytest.mark.requirement("R86", "R87")
def test_a_request_moves_only_along_its_path() -> None:
    allowed = {("requested", "accepted"), ("requested", "declined"), ("accepted", "done"), ("accepted", "declined")}
    # An acceptance is taken back; what is open is withdrawn by whoever asked.
    allowed |= {("accepted", "requested"), ("requested", "withdrawn"), ("accepted", "withdrawn")}
    for current in STATES:
        for wanted in STATES:
            if (current, wanted) in allowed:
                require_move(current, wanted)
            else:
                with pytest.raises(RequestSettled):
                    require_move(current, wanted)


@pytest.mark.requirement("T10", "T21")
def test_the_owner_and_their_office_administrator_answer_and_who_recorded_the_request_still_sees() -> None:
    assert [may_answer(by, DOVS_RECORD) for by in (AMINA, GRACE, BRUNO, CHLOE, FARID)] == [True, True, False, False, False]
    assert [scope_of(by).frozen_of for by in (AMINA, GRACE, CHLOE)] == [None, "ICE", None]
    assert [scope_of(by).sees_frozen for by in (AMINA, GRACE, CHLOE, FARID)] == [False, False, False, True]


@pytest.mark.requirement("T19", "R153")
def test_only_contributors_and_above_write() -> None:
    assert require_contributor(GRACE) == "ICE"
    for by in (RENATA, EDDA, FARID):
        with pytest.raises(ContributorsOnly):
            require_contributor(by)


@pytest.mark.requirement("R48")
def test_clocks_may_differ_a_little_and_no_more() -> None:
    require_past(NOW + CLOCK_SKEW, now=NOW, field="held_at")
    for moment in (NOW + CLOCK_SKEW + timedelta(seconds=1), datetime(1999, 1, 1, tzinfo=UTC)):
        with pytest.raises(Invalid):
            require_past(moment, now=NOW, field="held_at")


@pytest.mark.requirement("T15", "R41")
def test_text_with_a_finding_is_asked_about_and_kept_only_with_a_reason() -> None:
    with pytest.raises(TextNeedsReview) as asked:
        review([("outcome", "Call 956-555-0142"), ("agenda", "Nothing")], keep_reason=None)
    assert list(asked.value.errors or {}) == ["outcome"]
    kept, clean = review([("outcome", "Call 956-555-0142"), ("agenda", "Nothing")], keep_reason="He asked")
    assert (kept.shared, kept.classes, clean.shared) == (None, ("phone",), "Nothing")


CALL: dict[str, Any] = {"held_at": "2026-11-23T14:00:00Z", "mode": "phone", "individual_ids": [new_id()]}


@pytest.mark.requirement("R13")
@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        (schemas.InteractionCreateSchema(), {**CALL, "party": "x"}, "party"),
        (schemas.InteractionCreateSchema(), {**CALL, "mode": "telepathy"}, "mode"),
        (schemas.InteractionCreateSchema(), {**CALL, "held_at": "yesterday"}, "held_at"),
        (schemas.InteractionCreateSchema(), {**CALL, "individual_ids": []}, "individual_ids"),
        (schemas.InteractionCreateSchema(), {**CALL, "individual_ids": ["x"]}, "individual_ids.0"),
        (schemas.InteractionCreateSchema(), {**CALL, "outcome": "a\x00b"}, "outcome"),
        (schemas.InteractionCreateSchema(), {**CALL, "follow_ups": [{"due_on": "2026-12-01"}]}, "follow_ups.0.text"),
        (schemas.IssueCreateSchema(), {"name": "X"}, "priority"),
        (schemas.IssueCreateSchema(), {"name": " ", "priority": "one_dhs"}, "name"),
        (schemas.EventCreateSchema(), {"name": "X", "starts_at": "2026-11-23T14:00Z", "ends_at": "2026-11-22T14:00Z"}, "ends_at"),
        (schemas.CoordinationRequestChangeSchema(), {"status": "declined"}, "reason"),
        (schemas.CoordinationRequestChangeSchema(), {"status": "forgotten"}, "status"),
        (schemas.HistoryQuerySchema(), {}, "individual_id"),
        (schemas.SpokenToQuerySchema(), {"state": "XX"}, "state"),
        (schemas.InteractionListQuerySchema(), {"limit": 201}, "limit"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(schema: Schema, body: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        schema.load(body)
    said = invalid(refused.value)
    assert field in (said.errors or {})
    assert said.code == ("unknown-field" if field == "party" else "invalid")


def test_what_is_right_is_taken_and_a_follow_up_is_taken_back_as_it_was_read() -> None:
    promise = {"id": new_id(), "text": None, "due_on": None, "mode": None, "assignee": None, "done_at": None, "done_by": new_id()}
    taken = schemas.InteractionChangeSchema().load({"follow_ups": [promise]})
    assert taken == InteractionChange(follow_ups=[FollowUpGiven(id=promise["id"])])
    assert schemas.InteractionCreateSchema().load(CALL).held_at == datetime(2026, 11, 23, 14, tzinfo=UTC)
