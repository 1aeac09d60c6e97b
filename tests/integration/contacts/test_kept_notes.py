"""Only contributors of its component see a note kept against a finding; row-level security alone ensures it (T15, M6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.chassis.messages import Refusal, entity_tag
from services.contacts.contract.refusals import NoteUnknown
from services.contacts.usecases import notes, releasing
from services.lexicon.policy.decision import at_least
from services.lexicon.refusals import TextNeedsReview
from tests.cast import AMINA, BRUNO, CHLOE, DOV, EDDA, EVERYBODY, FARID, GRACE, RENATA, callers
from tests.integration.contacts.conftest import Desk

WORDS = f"Reach him on {DOV.cell} after five."
KEPT = {"keep_reason": "no other place for it"}
pytestmark = pytest.mark.requirement("T15", "T19", "R148")


def _every_way(desk: Desk) -> str:
    """Keep a text in every way that takes a reason; return whose notes they are."""
    dov = desk.dov(title=f"Director, {DOV.cell}", interests=[f"sailing, {DOV.email}"], **KEPT)
    desk.note(AMINA, dov, WORDS, **KEPT)
    desk.change(AMINA, dov, salutation=f"Mr. ({DOV.cell})", **KEPT)
    note = desk.note(RENATA, dov, "Spoke at the border forum.")
    desk.do(
        BRUNO,
        notes.change_note,
        individual_id=dov,
        note_id=note["id"],
        if_match=entity_tag(note),
        text=f"Spoke at the border forum. {DOV.cell}",
        **KEPT,
    )
    return dov


def test_the_database_shows_kept_notes_to_contributors_of_their_component_and_to_no_other_transaction(desk: Desk) -> None:
    _every_way(desk)
    shown = {}
    for name, caller in callers("contacts").items():
        with desk.work(caller) as work:
            shown[name] = int(work.execute(text("SELECT count(*) FROM notes")).scalar_one())
    expected = {
        name: 5 if caller.kind == "user" and caller.component == "ICE" and at_least(caller.level, "contributor") else 0
        for name, caller in callers("contacts").items()
    }
    assert shown == expected
    for url in (desk.addresses.runtime, desk.addresses.owner):
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.execute(text("SELECT set_config('app.component', 'ICE', false)"))
            assert connection.execute(text("SELECT count(*) FROM notes")).scalar_one() == 0, "a component alone is not enough"
            connection.execute(text("SELECT set_config('app.level', '', false)"))
            assert connection.execute(text("SELECT count(*) FROM notes")).scalar_one() == 0


def test_nobody_who_may_not_see_a_kept_note_changes_deletes_or_makes_one(desk: Desk) -> None:
    _every_way(desk)
    for by in (RENATA, CHLOE, EDDA, FARID):
        for statement in ("UPDATE notes SET kept = false", "UPDATE notes SET text = ''", "DELETE FROM notes"):
            with desk.work(by) as work:
                assert work.execute(text(statement)).rowcount == 0
    with desk.work(RENATA) as work, pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        work.execute(
            text(
                "INSERT INTO notes (id, individual_id, text, component, author_id, created_at, updated_at, kept)"
                " SELECT gen_random_uuid(), id, 'x', 'ICE', id, now(), now(), true FROM individuals"
            )
        )


def _refusal(act: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as refused:
        act()
    return str(refused.value.code)


def test_readers_officers_and_others_have_no_door_to_kept_notes_and_colleagues_do(desk: Desk) -> None:
    dov = _every_way(desk)
    plain = desk.note(RENATA, dov, "Plans to speak again.")
    kept = next(one for one in desk.do(BRUNO, notes.list_notes, individual_id=dov, limit=50)["items"] if one["text"] == WORDS)
    for by in (AMINA, BRUNO, GRACE):
        assert len(desk.notes(by, dov)) == 6
    for by in (RENATA, CHLOE):
        listed = desk.do(by, notes.list_notes, individual_id=dov, limit=50)
        assert ([one["id"] for one in listed["items"]], listed["total"]) == ([plain["id"]], 1)
    for by in (one for one in EVERYBODY if one not in {AMINA, BRUNO, GRACE}):
        given = {"individual_id": dov, "note_id": kept["id"]}
        ways: list[tuple[Any, dict[str, Any]]] = [
            (notes.read_note, given),
            (notes.change_note, {**given, "if_match": entity_tag(kept), "text": "Nothing."}),
            (notes.delete_note, {**given, "if_match": entity_tag(kept)}),
        ]
        for way, asked in ways:
            code = _refusal(lambda by=by, way=way, asked=asked: desk.do(by, way, **asked))  # type: ignore[misc]  # its own values
            assert code == NoteUnknown.code if by.level else code in {NoteUnknown.code, "forbidden"}, by
    desk.do(FARID, releasing.release_kept_text, role="caseworker", note_id=kept["id"], kept_at=datetime.fromisoformat(kept["updated_at"]))
    for by in (RENATA, CHLOE):
        assert WORDS in desk.notes(by, dov)


def test_a_reader_is_told_why_they_cannot_keep_what_they_could_not_read(desk: Desk) -> None:
    dov = desk.dov()
    for given in ({}, KEPT):
        with pytest.raises(TextNeedsReview, match="Only contributors") as refused:
            desk.note(RENATA, dov, WORDS, **given)
        assert refused.value.extra["findings"][0]["field"] == "text"
    with pytest.raises(TextNeedsReview, match="keep it with a reason"):
        desk.note(AMINA, dov, WORDS)
    note = desk.note(RENATA, dov, "Spoke at the border forum.")
    with pytest.raises(TextNeedsReview):
        desk.do(RENATA, notes.change_note, individual_id=dov, note_id=note["id"], if_match=entity_tag(note), text=WORDS, **KEPT)
    assert desk.notes(AMINA, dov) == ["Spoke at the border forum."]
