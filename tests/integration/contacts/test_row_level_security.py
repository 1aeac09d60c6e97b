"""What row-level security alone shows to whom, without the policy before it: grants, reports, kept notes (Part 4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from services.chassis.messages import Caller, new_id
from tests.cast import AMINA, BRUNO, CHLOE, DOV
from tests.integration.contacts.conftest import Desk, open_desk

CBP = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000041", component="CBP")
NOBODY = dataclasses.replace(CHLOE, id="01900000-0000-7000-8000-000000000042", component="")
EVERYBODY = {"ICE": AMINA, "PSO": CHLOE, "CBP": CBP, "nobody": NOBODY}
NEW = "956-555-0177"


@pytest.fixture(scope="module")
def shared(databases: Any) -> Iterator[Desk]:
    yield from open_desk(databases)


@pytest.fixture
def dov(shared: Desk) -> str:
    """A person of this test only, with a cell and an e-mail that they gave to ICE."""
    return shared.dov(last_name=f"Quill{''.join(sign for sign in new_id()[-12:] if sign.isalpha())}q", duplicate_ok=True)


def seen(desk: Desk, table: str, individual_id: str, *, role: str | None = None) -> dict[str, int]:
    """Count a person's rows with everybody's eyes."""
    count = text(f"SELECT count(*) FROM {table} WHERE individual_id = CAST(:id AS uuid)")
    found = {}
    for name, somebody in EVERYBODY.items():
        with desk.work(somebody, role) as work:
            found[name] = int(work.execute(count, {"id": individual_id}).scalar_one())
    return {name: many for name, many in found.items() if many}


def granted(
    desk: Desk,
    individual_id: str,
    *,
    by: Caller = AMINA,
    to: str = "PSO",
    point: str | None = None,
    expires: str = "1 hour",
    revoked: str | None = None,
) -> None:
    """Insert a grant as its component may; the database's own clock decides about instants."""
    with desk.work(by) as work:
        work.execute(
            text(
                "INSERT INTO contact_point_grants (id, individual_id, contact_point_id, from_component, to_component, reason, granted_by, granted_at,"
                " expires_at, revoked_at) VALUES (CAST(:id AS uuid), CAST(:individual AS uuid), CAST(:point AS uuid), :of, :to, 'joint visit',"
                " CAST(:by AS uuid), clock_timestamp() - interval '2 days', clock_timestamp() + CAST(:expires AS interval),"
                " clock_timestamp() + CAST(:revoked AS interval))"
            ),
            {
                "id": new_id(),
                "individual": individual_id,
                "point": point,
                "of": by.component,
                "to": to,
                "by": by.id,
                "expires": expires,
                "revoked": revoked,
            },
        )


def points(desk: Desk, individual_id: str) -> dict[str, str]:
    """Return kinds and ids of ICE's values of a person."""
    with desk.work(AMINA) as work:
        rows = work.execute(text("SELECT kind, id FROM contact_points WHERE individual_id = CAST(:id AS uuid)"), {"id": individual_id})
        return {row.kind: str(row.id) for row in rows}


@pytest.mark.requirement("R154", "T5")
@pytest.mark.parametrize(
    ("grants", "shown"),
    [
        ([], {}),
        ([{}], {"PSO": 2}),
        ([{"expires": "-1 second"}], {}),
        ([{"expires": "-400 days"}], {}),
        ([{"expires": "0"}], {}),
        ([{"revoked": "-1 hour"}], {}),
        ([{"revoked": "0"}], {}),
        # A grant that was taken back is over, whatever instant stands beside it.
        ([{"revoked": "1 hour"}], {}),
        ([{"revoked": "-1 hour", "expires": "-1 second"}], {}),
        ([{"expires": "-1 second"}, {"revoked": "-1 hour"}], {}),
        ([{"revoked": "-1 hour"}, {}], {"PSO": 2}),
        ([{"to": "CBP"}], {"CBP": 2}),
        ([{"to": ""}], {}),
        ([{"to": "pso"}], {}),
        ([{"to": "PSO "}], {}),
        ([{"point": "cell"}], {"PSO": 1}),
        ([{"point": "cell", "expires": "-1 second"}], {}),
        ([{"point": "cell", "revoked": "-1 second"}, {"point": "email"}], {"PSO": 1}),
        # Nobody grants what is not theirs.
        ([{"by": CBP}], {}),
        ([{"by": CHLOE}], {}),
    ],
)
def test_a_grant_shows_values_only_as_long_as_it_stands_and_to_nobody_else(
    shared: Desk, dov: str, grants: list[dict[str, Any]], shown: dict[str, int]
) -> None:
    other = shared.dov(last_name="Quillother", duplicate_ok=True)
    ids = points(shared, dov)
    for grant in grants:
        granted(shared, dov, **{**grant, **({"point": ids[grant["point"]]} if "point" in grant else {})})
    assert seen(shared, "contact_points", dov) == {"ICE": 2, **shown}
    assert seen(shared, "contact_points", other) == {"ICE": 2}, "a grant of one person shows nobody else"


@pytest.mark.requirement("R154")
def test_who_was_granted_values_reads_them_and_changes_none(shared: Desk, dov: str) -> None:
    granted(shared, dov)
    with shared.work(CHLOE) as work:
        for statement in ("UPDATE contact_points SET source = 'x'", "DELETE FROM contact_points"):
            assert work.execute(text(f"{statement} WHERE individual_id = CAST(:id AS uuid)"), {"id": dov}).rowcount == 0, statement
        extend = text("UPDATE contact_point_grants SET revoked_at = NULL WHERE individual_id = CAST(:id AS uuid)")
        assert work.execute(extend, {"id": dov}).rowcount == 0, "nor the grant"
    assert seen(shared, "contact_point_grants", dov) == {"ICE": 1, "PSO": 1}


@pytest.mark.requirement("T3", "N11", "R154")
def test_a_report_is_shown_to_who_held_that_kind_when_it_was_filed_and_never_to_its_own_component(shared: Desk, dov: str) -> None:
    shared.add(CHLOE, dov, "cell", "956-555-0190")
    shared.later(hours=1)
    shared.correct(CHLOE, dov, "cell", NEW)
    assert seen(shared, "corrections", dov) == {"ICE": 1}
    shared.later(hours=1)
    shared.add(CBP, dov, "cell", "956-555-0191")
    assert seen(shared, "corrections", dov) == {"ICE": 1}, "whoever holds one only since has not held it then"
    cells = [item for item in shared.reveal(CHLOE, dov)["items"] if item["kind"] == "cell"]
    assert [item for item in cells if item.get("reported")] == [], "what PSO reported is PSO's value, and no report to PSO"


@pytest.mark.requirement("T3", "R154")
def test_a_report_of_one_kind_is_not_shown_to_who_holds_another(shared: Desk, dov: str) -> None:
    shared.add(CBP, dov, "email", "dov@example.net")
    shared.later(hours=1)
    shared.correct(CHLOE, dov, "cell", NEW)
    assert seen(shared, "corrections", dov) == {"ICE": 1}


@pytest.mark.requirement("T15", "R154")
def test_a_kept_note_is_its_component_s_until_it_is_released_and_nobody_else_changes_it(shared: Desk, dov: str) -> None:
    shared.note(AMINA, dov, f"Reach him on {DOV.cell} after five.", keep_reason="he asked for it")
    assert seen(shared, "notes", dov) == {"ICE": 1}
    for somebody in (CHLOE, CBP, NOBODY):
        with shared.work(somebody) as work:
            for statement in ("UPDATE notes SET text = 'x'", "DELETE FROM notes"):
                assert work.execute(text(f"{statement} WHERE individual_id = CAST(:id AS uuid)"), {"id": dov}).rowcount == 0, statement
    with shared.work(AMINA, "caseworker") as work:
        work.execute(text("UPDATE notes SET released_at = clock_timestamp() WHERE individual_id = CAST(:id AS uuid)"), {"id": dov})
    assert seen(shared, "notes", dov) == {"ICE": 1, "PSO": 1, "CBP": 1, "nobody": 1}


@pytest.mark.requirement("R154")
def test_every_table_of_the_contact_layer_forces_its_policies_and_these_are_all(shared: Desk) -> None:
    """A new table or policy must be added here."""
    forced = {row.relname for row in shared.rows("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relrowsecurity")}
    assert forced == {"contact_points", "contact_point_grants", "corrections", "match_digests", "likenesses", "notes"}
    found = {(row.tablename, row.policyname, row.cmd) for row in shared.rows("SELECT tablename, policyname, cmd FROM pg_policies")}
    assert {name for _, name, _ in found} == {
        *("own_read", "own_insert", "own_update", "own_delete", "granted_read", "party_read", "holder_read", "holder_settle", "matcher"),
        *("readable", "readable_update", "readable_delete", "eraser", "caseworker", "caseworker_release", "caseworker_settle"),
    }
    assert {(table, command) for table, name, command in found if name in {"granted_read", "party_read", "holder_read", "readable"}} == {
        (table, "SELECT") for table in ("contact_points", "contact_point_grants", "corrections", "likenesses", "notes")
    }


@pytest.mark.requirement("R154")
def test_a_colleague_sees_what_their_component_holds(shared: Desk, dov: str) -> None:
    with shared.work(BRUNO) as work:
        assert work.execute(text("SELECT count(*) FROM contact_points WHERE individual_id = CAST(:id AS uuid)"), {"id": dov}).scalar_one() == 2
