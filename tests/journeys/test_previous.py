"""Over HTTP: a value that a newer file or a user replaces stays as previous (T25, T28)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from tests.journeys.client import Person
from tests.support import eventually

pytestmark = pytest.mark.parametrize("system", ["embedded"], indirect=True, scope="module")
HEADER = "First name,Last name,State,Cell,Title,Company,Work address\n"
OLD, NEW = "1 Old Rd, Santa Fe, NM 87501", "2 New Rd, Santa Fe, NM 87501"


@pytest.mark.requirement("T28", "T25", "R111")
def test_who_moved_on_has_title_employer_and_address_as_previous_and_is_blocked_at_every_employer(system: Any) -> None:
    amina = Person(system.base).sign_in(system.account("ICE", "contributor"))
    chloe = Person(system.base).sign_in(system.account("PSO", "contributor"))
    family, unique = f"Previous{uuid.uuid4().hex[:8]}", uuid.uuid4().hex[:6]
    cell = f"806-555-01{uuid.uuid4().int % 100:02}"
    amina.take_in("first.csv", f'{HEADER}Hope,{family},NM,{cell},Director,Former {unique},"{OLD}"\n'.encode())
    (person,) = [one for one in amina.every("/individuals", sort="-created_at") if one["last_name"] == family]
    path = f"/individuals/{person['id']}"
    before = amina.get(path), addresses(amina, path)
    assert (before[0]["previous"], before[1]) == ([], [(OLD, False)])
    done = amina.take_in("second.csv", f'{HEADER}Hope,{family},NM,{cell},President,Present {unique},"{NEW}"\n'.encode())
    assert done["counts"] == {"update": 1}
    seen = chloe.get(path)
    assert (seen["title"], seen["organization_name"]) == ("President", f"Present {unique}")
    (former,) = seen["previous"]
    assert (former["title"], former["organization_name"], former["import_id"]) == ("Director", f"Former {unique}", done["id"])
    assert addresses(amina, path) == [(NEW, False), (OLD, True)]
    assert addresses(chloe, path) == []
    amina.post(f"/imports/{done['id']}/undo", expect=202)
    eventually(lambda: amina.get(f"/imports/{done['id']}")["state"] == "undone", seconds=60)
    after = amina.get(path)
    assert {name: after[name] for name in ("title", "organization_id", "previous")} == {
        name: before[0][name] for name in ("title", "organization_id", "previous")
    }
    assert addresses(amina, path) == [(OLD, False)]
    # By hand, by anybody.
    chloe.patch(path, {"title": "Chair", "organization": f"Latest {unique}"})
    (former,) = amina.get(path)["previous"]
    assert (former["title"], former["organization_name"], former["import_id"]) == ("Director", f"Former {unique}", None)
    request = {"individual_id": person["id"], "medium": "phone", "received_on": dt.datetime.now(dt.UTC).date().isoformat()}
    chloe.post("/no-contact-requests", request)
    for employer in ("Former", "Latest"):
        again = {"first_name": "Hope", "last_name": family, "organization": f"{employer} {unique}"}
        answer = amina.ask("POST", "/individuals", json=again, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert (answer.status_code, answer.json()["code"]) == (409, "blocked"), employer


def addresses(person: Person, path: str) -> list[tuple[str, bool]]:
    """Return the work addresses that a user sees, and whether each is a previous one."""
    return [(one["value"], one["previous"]) for one in person.get(f"{path}/contact-points")["items"] if one["kind"] == "work_address"]
