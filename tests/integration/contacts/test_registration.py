"""Registration: what is answered and stored without reading it again, and in how few statements."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from services.contacts.storage import directory
from tests.cast import AMINA, DOV
from tests.integration.contacts.conftest import Desk


def full(desk: Desk) -> dict[str, Any]:
    """Return a person with every field."""
    return {
        "salutation": "Dr.",
        "first_name": "María",
        "last_name": "Núñez-Ortega",
        "title": "Director",
        "state": "NM",
        "interests": ["Border trade", "Water"],
        "source": "public",
        "declined": ["cell"],
        "use_preferences": ["no_phone"],
        "issues": [
            {"issue_id": desk.issue(), "kind": "interested", "since": "2026-01-02", "ended_on": "2026-12-31"},
            {"issue_id": desk.issue(), "kind": "engaged"},
        ],
        "contact_points": [{"kind": "email", "value": "maria@example.org"}, {"kind": "work_phone", "value": "+1 202 555 0143"}],
    }


def of_an_organization(desk: Desk) -> dict[str, Any]:
    """Return a person of an existing organization with a sector and a group."""
    group = desk.issue()
    return {**full(desk), "organization_id": desk.organization(sector="private_sector", group_ids=[group])["id"]}


@pytest.mark.requirement("R42", "R43")
@pytest.mark.parametrize("card", [full, of_an_organization, lambda _: {"last_name": "Cher"}, lambda _: DOV.body(organization="Larkspur")])
def test_what_is_answered_of_a_new_record_and_what_is_found_is_what_a_read_gives(desk: Desk, card: Any) -> None:
    registered = desk.register(AMINA, **card(desk))
    assert registered == desk.read(AMINA, registered["id"])
    columns = "SELECT to_jsonb(d) AS line FROM directory d WHERE stakeholder_id = :id"
    (made,) = desk.rows(columns, id=registered["id"])
    with desk.work(AMINA) as work:
        directory.index_individuals(work, [registered["id"]])
    assert desk.rows(columns, id=registered["id"]) == [made]


def test_entering_somebody_takes_few_statements_and_one_transaction(desk: Desk) -> None:
    statements: list[str] = []
    for engine in (desk.database.engine, desk.layer.vault._engine):
        event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    desk.register(AMINA, first_name="Zoë", last_name="Łukasiewicz", contact_points=[{"kind": "email", "value": "zoe@example.org"}])
    assert len(statements) <= 7, statements
