"""The component firewall: Chloé of PSO learns nothing of the values that Dov gave to ICE (Part 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import eventlet
import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from sqlalchemy import text

from services.chassis.messages import Refusal
from services.contacts.contract.refusals import (
    BlockedTooOften,
    ContactLayerWithheld,
    IndividualBlocked,
    RevealReasonRequired,
    RevealsExhausted,
    StewardsOnly,
)
from services.contacts.storage import ledger
from services.contacts.usecases import contact_points
from services.lexicon.policy import Granted
from services.lexicon.policy.rules import REASON_FROM, REFUSED_FROM
from services.lexicon.refusals import PreferenceStands, TextNeedsReview
from tests.cast import AMINA, BRUNO, CHLOE, DOV, FARID, GRACE, RENATA
from tests.integration.contacts.conftest import RETENTION, Desk

NEW = "956-555-0177"


@pytest.mark.requirement("R148", "R149", "R154", "T5", "T11")
def test_a_reveal_shows_colleagues_the_values_and_others_only_who_has_the_relationship(desk: Desk) -> None:
    dov = desk.dov()
    assert desk.values(BRUNO, dov) == [DOV.cell, DOV.email]
    seen = desk.reveal(CHLOE, dov)
    assert seen == {"items": [], "held_by": [{"component": "ICE", "owner": AMINA.id}], "use_preferences": []}


@pytest.mark.requirement("T17")
def test_the_reveal_says_who_has_a_relationship_whether_or_not_they_hold_anything(desk: Desk) -> None:
    with_values, without = desk.dov(), desk.dov(reached=False, first_name="Dora", last_name="Quillfeather-Two")
    assert desk.reveal(CHLOE, with_values) == desk.reveal(CHLOE, without)


@pytest.mark.requirement("T19", "T21")
def test_readers_and_privacy_without_a_case_reveal_nothing(desk: Desk) -> None:
    dov = desk.dov()
    with pytest.raises(ContactLayerWithheld):
        desk.reveal(RENATA, dov)
    with pytest.raises(Refusal):
        desk.reveal(FARID, dov)


@pytest.mark.requirement("R154", "R150")
def test_row_level_security_stands_alone_when_the_policy_check_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dov = desk.dov()
    desk.note(AMINA, dov, f"Call him on {DOV.cell}.", keep_reason="he asked for it to be noted")
    monkeypatch.setattr(contact_points, "decide", lambda *_, **__: Granted("patched out"))
    for somebody in (CHLOE, FARID):
        monkeypatch.setattr("services.contacts.usecases.authorization.decide", lambda *_, **__: Granted("patched out"))
        assert desk.reveal(somebody, dov)["items"] == []
        assert desk.notes(somebody, dov) == []
    assert len(desk.reveal(BRUNO, dov)["items"]) == 2


@pytest.mark.requirement("R154", "R150")
def test_the_policy_stands_alone_when_row_level_security_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dov = desk.dov()
    engine = sa.create_engine(desk.addresses.superuser.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(text("DROP POLICY own_read ON contact_points"))
        connection.execute(text("CREATE POLICY own_read ON contact_points FOR SELECT USING (true)"))
    assert desk.reveal(CHLOE, dov)["items"] == []
    # Without either, everything is open: both tests can fail.
    monkeypatch.setattr(contact_points, "decide", lambda *_, **__: Granted("patched out"))
    assert len(desk.reveal(CHLOE, dov)["items"]) == 2


@pytest.mark.requirement("R154")
@pytest.mark.parametrize("table", ["contact_points", "contact_point_grants", "corrections", "likenesses"])
def test_the_database_answers_with_nothing_to_no_component_another_and_the_tables_owner(desk: Desk, table: str) -> None:
    dov = desk.dov()
    desk.do(GRACE, contact_points.grant, individual_id=dov, component="CBP", reason="border visit", expires_at=desk.now + timedelta(days=9000))
    desk.correct(CHLOE, dov, "cell", NEW)
    count = text(f"SELECT count(*) FROM {table}")
    if table != "corrections":
        with desk.work(CHLOE) as work:
            assert work.execute(count).scalar_one() == (1 if table == "contact_points" else 0)
    for url in (desk.addresses.runtime, desk.addresses.owner):
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert connection.execute(count).scalar_one() == 0
            connection.execute(text("SELECT set_config('app.component', '', false)"))
            assert connection.execute(count).scalar_one() == 0


@pytest.mark.requirement("R154")
def test_narrow_roles_are_put_on_and_never_inherited(desk: Desk) -> None:
    desk.dov()
    with desk.work(CHLOE) as work, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        work.execute(text("SELECT count(*) FROM match_digests"))
    with desk.work(CHLOE, "matcher") as work, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        work.execute(text("SELECT count(*) FROM contact_points"))
    with desk.work(RETENTION, "eraser") as work:
        assert work.execute(text("SELECT count(*) FROM contact_points")).scalar_one() == 2


@pytest.mark.requirement("R154")
def test_a_pooled_connection_carries_no_component_to_its_next_user(desk: Desk) -> None:
    desk.dov()
    with desk.work(AMINA) as work:
        assert work.execute(text("SELECT count(*) FROM contact_points")).scalar_one() == 2
        used = work.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with desk.database.system_transaction() as connection:
        # The same connection, after the transaction: the setting is '' and not NULL, and neither is a component.
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() == used
        assert connection.execute(text("SELECT current_setting('app.component', true)")).scalar_one() == ""
        assert connection.execute(text("SELECT count(*) FROM contact_points")).scalar_one() == 0
    with desk.work(CHLOE) as work:
        assert work.execute(text("SELECT count(*) FROM contact_points")).scalar_one() == 0


@pytest.mark.requirement("R154")
def test_nobody_writes_a_contact_point_into_another_components_name(desk: Desk) -> None:
    dov = desk.dov()
    with desk.work(CHLOE) as work:
        moved = work.execute(text("UPDATE contact_points SET component = 'PSO'")).rowcount
        assert moved == 0
    with desk.work(AMINA) as work, pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        work.execute(text("UPDATE contact_points SET component = 'PSO' WHERE individual_id = CAST(:id AS uuid)"), {"id": dov})


@pytest.mark.requirement("N17")
def test_a_ciphertext_that_is_moved_to_another_place_does_not_decrypt(desk: Desk) -> None:
    dov = desk.dov()
    other = desk.register(AMINA, last_name="Other", contact_points=[{"kind": "cell", "value": NEW}])["id"]
    with desk.work(AMINA) as work:
        work.execute(
            text(
                "UPDATE contact_points SET ciphertext = (SELECT ciphertext FROM contact_points WHERE individual_id = CAST(:dov AS uuid)"
                " AND kind = 'cell') WHERE individual_id = CAST(:other AS uuid)"
            ),
            {"dov": dov, "other": other},
        )
    with pytest.raises(InvalidTag):
        desk.reveal(AMINA, other)


@pytest.mark.requirement("T32", "T5")
def test_what_a_person_does_not_want_shared_is_not_granted_and_the_reason_holds_nobody_s_number(desk: Desk) -> None:
    dov = desk.dov()
    until = desk.now + timedelta(days=30)
    wanted = {"individual_id": dov, "component": "PSO", "expires_at": until}
    with pytest.raises(TextNeedsReview):
        desk.do(GRACE, contact_points.grant, **wanted, reason="Call 202-555-0143")
    desk.change(AMINA, dov, use_preferences=["no_sharing"])
    with pytest.raises(PreferenceStands) as refused:
        desk.do(GRACE, contact_points.grant, **wanted, reason="joint visit")
    assert refused.value.extra == {"preferences": ["no_sharing"]}


def test_a_steward_grants_a_component_one_persons_values_until_a_day(desk: Desk) -> None:
    dov = desk.dov()
    # The database asks its own clock whether a grant is in force.
    until = desk.now + timedelta(days=9000)
    with pytest.raises(StewardsOnly):
        desk.do(AMINA, contact_points.grant, individual_id=dov, component="PSO", reason="joint visit", expires_at=until)
    granted = desk.do(GRACE, contact_points.grant, individual_id=dov, component="PSO", reason="joint visit", expires_at=until)
    shown = desk.reveal(CHLOE, dov)["items"]
    assert [(item["value"], item["component"]) for item in shown] == [(DOV.cell, "ICE"), (DOV.email, "ICE")]
    desk.do(GRACE, contact_points.revoke_grant, individual_id=dov, grant_id=granted["id"])
    assert desk.values(CHLOE, dov) == []


@pytest.mark.requirement("T5", "T33", "R169")
def test_what_was_granted_is_withheld_as_long_as_the_person_wants_nothing_shared(desk: Desk) -> None:
    dov = desk.dov()
    desk.do(GRACE, contact_points.grant, individual_id=dov, component="PSO", reason="joint visit", expires_at=desk.now + timedelta(days=9000))
    desk.change(AMINA, dov, use_preferences=["no_sharing"])
    assert desk.values(CHLOE, dov) == []
    assert desk.values(AMINA, dov) != [], "one's own are shown"
    desk.change(AMINA, dov, use_preferences=["no_phone"])
    assert desk.values(CHLOE, dov) == [DOV.cell, DOV.email]


@pytest.mark.requirement("T11", "R191")
def test_from_the_fiftieth_reveal_of_others_people_a_reason_is_asked_and_the_hundredth_is_refused(desk: Desk) -> None:
    dov = desk.dov()
    for _ in range(49):
        desk.reveal(BRUNO, dov)
    with pytest.raises(RevealReasonRequired):
        desk.reveal(BRUNO, dov)
    for _ in range(50):
        assert desk.reveal(BRUNO, dov, reason="calling everyone about the flood")["items"]
    with pytest.raises(RevealsExhausted):
        desk.reveal(BRUNO, dov, reason="calling everyone about the flood")
    assert desk.reveal(AMINA, dov)["items"], "one's own people are not counted"
    desk.later(days=1)
    assert desk.reveal(BRUNO, dov)["items"]


@pytest.mark.requirement("T11", "R191")
@pytest.mark.parametrize(("reason", "from_", "refusal"), [(None, REASON_FROM, RevealReasonRequired), ("a flood", REFUSED_FROM, RevealsExhausted)])
def test_the_count_holds_when_one_user_reveals_sixteen_at_once(desk: Desk, reason: str | None, from_: int, refusal: type[Refusal]) -> None:
    people = [desk.dov(last_name=f"Quill{letter * 3}") for letter in "abcd"]
    done_before = from_ - 6
    desk.do(BRUNO, lambda work: [ledger.count_reveal(work, BRUNO.id, desk.now.date()) for _ in range(done_before)])

    def reveal(number: int) -> bool:
        try:
            desk.reveal(BRUNO, people[number % 4], reason=reason)
        except refusal:
            return False
        return True

    outcomes = list(eventlet.GreenPool(16).imap(reveal, range(16)))
    assert outcomes.count(True) == 5, "the five that were left, and not one more"
    assert [row.count for row in desk.rows("SELECT count FROM reveals WHERE user_id = :bruno", bruno=BRUNO.id)] == [from_ - 1]


@pytest.mark.requirement("T11", "T15", "R41")
@pytest.mark.parametrize("reason", ["Dov said 956-555-0142", "write to dov@example.org", "he is a Catholic priest"])
def test_a_reason_for_a_reveal_that_holds_what_no_text_may_is_refused_and_kept_nowhere(desk: Desk, reason: str) -> None:
    dov = desk.dov()
    with pytest.raises(TextNeedsReview) as refused:
        desk.reveal(BRUNO, dov, reason=reason)
    assert refused.value.errors.keys() == {"reason"}
    assert {finding["field"] for finding in refused.value.extra["findings"]} == {"reason"}
    with desk.work(RETENTION, "eraser") as work:
        assert work.execute(text("SELECT count(*) FROM reveal_reasons")).scalar_one() == 0
    assert desk.rows("SELECT 1 FROM reveals") == [], "what is refused counts for nothing"


@pytest.mark.requirement("T3", "N11")
def test_a_blind_correction_answers_the_same_whoever_holds_what(desk: Desk) -> None:
    with_value, without = desk.dov(), desk.dov(reached=False, last_name="Quillfeather-Two")
    answers = [desk.correct(CHLOE, person, "cell", NEW) for person in (with_value, without)]
    for answer in answers:
        answer.pop("individual_id")
    assert answers[0] == answers[1] == {"kind": "cell", "component": "PSO", "status": "received"}
    assert desk.values(CHLOE, with_value) == [NEW]


@pytest.mark.requirement("T3", "N11", "R111", "R113")
def test_holders_see_a_correction_first_as_reported_and_their_own_as_previous_until_they_restore_it(desk: Desk) -> None:
    dov = desk.dov()
    desk.later(hours=1)
    desk.correct(CHLOE, dov, "cell", NEW)
    cells = [item for item in desk.reveal(BRUNO, dov)["items"] if item["kind"] == "cell"]
    assert [(item["value"], item["previous"]) for item in cells] == [(NEW, False), (DOV.cell, True)]
    assert cells[0]["reported"] == {"component": "PSO", "on": "2026-11-23", "verified": False}
    assert ("correction", dov) in desk.tasks(AMINA)
    assert desk.tasks(CHLOE) == []
    desk.later(hours=1)
    desk.add(AMINA, dov, "cell", DOV.cell)
    cells = [item for item in desk.reveal(BRUNO, dov)["items"] if item["kind"] == "cell"]
    assert [(item["value"], item["previous"]) for item in cells] == [(DOV.cell, False)]
    assert desk.tasks(AMINA) == []


@pytest.mark.requirement("T3")
def test_a_correction_reaches_nobody_who_does_not_hold_that_kind(desk: Desk) -> None:
    dov = desk.dov()
    desk.correct(AMINA, dov, "cell", NEW)
    desk.add(CHLOE, dov, "email", "dov@example.net")
    assert desk.values(CHLOE, dov) == ["dov@example.net"]
    desk.later(hours=1)
    desk.add(CHLOE, dov, "cell", "956-555-0100")
    assert NEW not in desk.values(CHLOE, dov), "what was filed before they held one stays hidden"


@pytest.mark.requirement("T23", "T34")
def test_a_match_across_components_is_told_to_the_privacy_officer_alone_and_changes_nothing_for_who_enters(desk: Desk) -> None:
    dov = desk.dov()
    twin = desk.register(CHLOE, last_name="Quill", contact_points=[{"kind": "email", "value": DOV.email.upper()}])
    fresh = desk.register(CHLOE, last_name="Feather", contact_points=[{"kind": "email", "value": "feather@example.org"}])
    assert set(twin) == set(fresh)
    with desk.work(RETENTION, "matcher") as work:
        assert contact_points.match_waiting(work) == 3
    for somebody in (AMINA, BRUNO, CHLOE, RENATA):
        assert desk.tasks(somebody) == []
    told = desk.waiting(FARID, role="caseworker")
    assert [(task["kind"], sorted(task["subject"]["individual_ids"])) for task in told] == [("same_value", sorted([dov, twin["id"]]))]


@pytest.mark.requirement("T34")
def test_a_match_within_a_component_is_told_to_the_owner_and_to_nobody_elsewhere(desk: Desk) -> None:
    dov = desk.dov()
    twin = desk.register(BRUNO, last_name="Quill", contact_points=[{"kind": "email", "value": DOV.email}])["id"]
    with desk.work(RETENTION, "matcher") as work:
        contact_points.match_waiting(work)
    assert [kind for kind, _ in desk.tasks(AMINA)] == ["duplicate"]
    assert [kind for kind, _ in desk.tasks(BRUNO)] == ["duplicate"]
    assert desk.tasks(CHLOE) == []
    assert twin != dov


@pytest.mark.requirement("T15")
def test_text_with_a_phone_is_asked_about_and_kept_for_ones_own_component(desk: Desk) -> None:
    dov = desk.dov()
    words = f"Reach him on {DOV.cell} after five."
    with pytest.raises(Refusal) as refused:
        desk.note(AMINA, dov, words)
    assert refused.value.code == "text-needs-review"
    (finding,) = refused.value.extra["findings"]
    assert words[finding["start"] : finding["end"]] == DOV.cell
    assert DOV.cell not in str(refused.value.to_wire())
    desk.note(AMINA, dov, words, keep_reason="no other place for it")
    desk.note(RENATA, dov, "Spoke at the border forum.")
    assert desk.notes(BRUNO, dov) == ["Spoke at the border forum.", words]
    assert desk.notes(CHLOE, dov) == ["Spoke at the border forum."]


@pytest.mark.requirement("T9")
def test_whoever_was_erased_on_request_is_not_entered_again_upper_case_and_all(desk: Desk) -> None:
    dov = desk.dov()
    desk.freeze(CHLOE, dov)
    desk.erase(dov)
    cards: list[dict[str, Any]] = [
        DOV.body(organization=DOV.organization),
        {"first_name": "DOV", "last_name": "QUILLFEATHER", "contact_points": [{"kind": "email", "value": DOV.email.upper()}]},
        {"first_name": "Anne", "last_name": "Other", "contact_points": [{"kind": "cell", "value": "(956) 555 0142"}]},
        {"first_name": "D.", "last_name": "Quillfeather Jr.", "organization": "THE LARKSPUR FREIGHT, INC."},
    ]
    for card in cards:
        for somebody in (AMINA, CHLOE):
            with pytest.raises(IndividualBlocked):
                desk.register(somebody, **card)
    other = desk.register(CHLOE, first_name="Anne", last_name="Other", organization=DOV.organization)["id"]
    for door in (desk.add, desk.correct):
        with pytest.raises(IndividualBlocked):
            door(CHLOE, other, "personal_phone", DOV.cell)


@pytest.mark.requirement("T9")
def test_two_people_with_one_office_telephone_do_not_block_each_other(desk: Desk) -> None:
    phone = {"kind": "work_phone", "value": "907-225-6880"}
    first = desk.register(AMINA, first_name="Lisa", last_name="Northlight", contact_points=[phone])["id"]
    desk.erase(first)
    assert desk.register(AMINA, first_name="Dan", last_name="Southlight", contact_points=[phone])
    with pytest.raises(IndividualBlocked):
        desk.register(AMINA, first_name="L.", last_name="Northlight", contact_points=[phone])


@pytest.mark.requirement("T9")
@pytest.mark.parametrize("cause", ["expiry", "mistake", "no_longer_needed", "import_undo"])
def test_who_expired_or_was_a_mistake_may_be_entered_again(desk: Desk, cause: str) -> None:
    desk.erase(desk.dov(), cause=cause)
    assert desk.dov(CHLOE)


@pytest.mark.requirement("T9")
def test_after_many_blocked_entries_nothing_more_is_taken_that_day(desk: Desk) -> None:
    desk.erase(desk.dov())
    with desk.work(CHLOE) as work:
        for _ in range(20):
            ledger.count_blocked(work, CHLOE.id, desk.now.date())
    with pytest.raises(BlockedTooOften):
        desk.register(CHLOE, last_name="Anybody")
    desk.later(days=1)
    assert desk.register(CHLOE, last_name="Anybody")


@pytest.mark.requirement("N3")
def test_a_late_message_brings_nobody_back(desk: Desk) -> None:
    dov = desk.dov()
    talk = desk.talked(AMINA, dov)
    desk.erase(dov)
    desk.talked(AMINA, dov)
    desk.talked(AMINA, dov, source_id=talk, revision=2)
    assert desk.rows("SELECT 1 FROM engagements") == desk.rows("SELECT 1 FROM relationships WHERE stakeholder_id = :id", id=dov) == []
