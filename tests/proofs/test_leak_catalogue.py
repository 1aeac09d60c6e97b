"""Part 4 over HTTP, as Chloé: on every route a record with a hidden cell and e-mail answers as its twin without them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.proofs.world import World, instant
from tests.support import eventually

ROOT = Path(__file__).parents[2]
CELL, EMAIL = "956-555-0186", "hidden.otter@burrow.example.org"
#: Values of the same shape that nobody holds.
NO_CELL, NO_EMAIL = "956-555-0187", "absent.otter@burrow.example.org"
FORMS = (CELL, CELL.replace("-", ""), "(956) 555-0186", "555-0186", EMAIL, "hidden.otter", CELL.encode().hex(), EMAIL.encode().hex())
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?")
#: Headers that say something of the record; the others are of the connection or of the request.
TELLING = ("Content-Type", "Cache-Control", "Last-Modified", "Location", "Retry-After", "Vary")


@dataclass
class Twins:
    """Two records with the same directory layer; ICE holds a cell and an e-mail of the first."""

    world: World
    hidden: dict[str, Any]
    plain: dict[str, Any]
    answers: list[requests.Response] = field(default_factory=list)

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        """Send a request as Chloé; the answer may contain nothing hidden."""
        answer = self.world.chloe.ask(method, path, **given)
        self.answers.append(answer)
        found = [form for form in FORMS if form in (answer.text + str(dict(answer.headers))).lower()]
        sent = json.dumps([path, {name: value for name, value in given.items() if name != "files"}], default=str).lower()
        assert [form for form in found if form not in sent] == [], f"{method} {path}"
        return answer

    def seen(self, answer: requests.Response, *also: str) -> tuple[Any, ...]:
        """Return an answer without what may differ between the twins, or between two requests."""
        text = answer.text
        for word in (self.hidden["last_name"], self.plain["last_name"], *also):
            text = text.replace(word, "…")
        headers = {name: UUID.sub("…", answer.headers[name]) for name in TELLING if name in answer.headers}
        return answer.status_code, INSTANT.sub("…", UUID.sub("…", text)), headers, "ETag" in answer.headers

    def alike(self, method: str, path: str, **given: Any) -> requests.Response:
        """Ask the same about both, and compare. Return the answer about the record with hidden values."""
        first = self.ask(method, path.format(self.hidden["id"]), **given)
        second = self.ask(method, path.format(self.plain["id"]), **given)
        assert self.seen(first) == self.seen(second)
        return first

    def alike_for(self, path: str, name: str = "q", **query: Any) -> requests.Response:
        """Ask for a hidden value, and for one that nobody has; compare."""
        found = None
        for held, absent in ((CELL, NO_CELL), (EMAIL, NO_EMAIL), ("hidden.ot", "absent.ot"), ("5550186", "5550187")):
            found = self.ask("GET", path, params={name: held, **query})
            other = self.ask("GET", path, params={name: absent, **query})
            assert self.seen(found, held) == self.seen(other, absent), held
            assert self.hidden["id"] not in found.text
            if path == "/stakeholders":
                # An address takes no such value (T31); a body does.
                found = self.ask("POST", "/stakeholders/search", json={name: held, **query})
                other = self.ask("POST", "/stakeholders/search", json={name: absent, **query})
                assert found.status_code == 200
                assert self.seen(found, held) == self.seen(other, absent), held
                assert self.hidden["id"] not in found.text
        assert found is not None
        return found


@pytest.fixture(scope="module")
def twins(world: World) -> Twins:
    """Register both as Amina; add the hidden values a moment later."""
    made = [
        world.an_individual(last_name=f"Twinn{letter}", first_name="Ottoline", title="Envoy", state="NM", duplicate_ok=True)
        for letter in ("xa", "xb")
    ]
    for kind, value in (("cell", CELL), ("email", EMAIL)):
        world.amina.post(f"/individuals/{made[0]['id']}/contact-points", {"kind": kind, "value": value})
    return Twins(world, hidden=made[0], plain=made[1])


def read_one(twins: Twins) -> None:
    twins.alike("GET", "/individuals/{}")
    for path in ("contact-points", "notes", "history"):
        twins.alike("GET", f"/individuals/{{}}/{path}")
    dates = [{(p := twins.ask("GET", f"/individuals/{one['id']}").json())["updated_at"] == p["created_at"]} for one in (twins.hidden, twins.plain)]
    assert dates[0] == dates[1], "when a contact point came is not the directory's to tell"


def listed(twins: Twins) -> None:
    items = {item["id"]: item for item in _pages(twins.ask, "/individuals", state="NM")}
    shown = [_without(items[one["id"]], "id", "last_name", "created_at", "updated_at") for one in (twins.hidden, twins.plain)]
    assert shown[0] == shown[1]


def filtered(twins: Twins) -> None:
    for parameter in ("email", "cell", "contact", "phone", "email__startswith", "cell[gt]"):
        for path in ("/individuals", "/stakeholders", "/organizations"):
            assert twins.ask("GET", path, params={parameter: EMAIL}).status_code == 422
    twins.alike_for("/stakeholders", "interest")


def sorted_by_hidden(twins: Twins) -> None:
    for by in ("email", "-email", "cell", "-cell", "contact_points", "contact_points.value"):
        for path in ("/individuals", "/stakeholders"):
            assert twins.ask("GET", path, params={"sort": by}).status_code == 422
    order = [i["id"] for i in twins.ask("GET", "/stakeholders", params={"q": "twinnx", "sort": "name"}).json()["items"]]
    assert order == [twins.hidden["id"], twins.plain["id"]]


def grouped(twins: Twins) -> None:
    twins.alike_for("/reports/stakeholders-by-region")


def faceted(twins: Twins) -> None:
    twins.alike_for("/stakeholders", facets="state,component,sector,issue")
    assert twins.ask("GET", "/stakeholders", params={"facets": "email"}).status_code == 422


def searched(twins: Twins) -> None:
    assert twins.alike_for("/stakeholders").json()["total"] == 0


def completed(twins: Twins) -> None:
    for q in ("hid", "hidden", "hidden.", "956", "956-5", "burrow"):
        ids = {item["id"] for item in twins.ask("GET", "/stakeholders", params={"q": q}).json()["items"]}
        assert not ids & {twins.hidden["id"], twins.plain["id"]}, q


def reported(twins: Twins) -> None:
    twins.alike_for("/reports/stakeholders-by-region", state="NM")
    for report in ("spoken-to", "coverage-gaps"):
        assert twins.ask("GET", f"/reports/{report}", params={"email": EMAIL}).status_code == 422
        assert twins.ask("GET", f"/reports/{report}").status_code in {200, 422}


def printed(twins: Twins) -> None:
    """Fetch the printed pages: the record, the search, the tasks."""
    base, token = twins.world.system.base, twins.world.chloe.token
    pages = {}
    for name, one in (("hidden", twins.hidden), ("plain", twins.plain)):
        answer = requests.get(f"{base}/individuals/{one['id']}", cookies=twins.world.cookies(token), timeout=30)
        assert answer.status_code == 200
        assert one["last_name"] in answer.text, "it is the record, not the sign-in"
        twins.answers.append(answer)
        once = r'name="(csrf_token|idempotency_key|if_match|kept|author)" value="[^"]*"|data-ends-in="\d+"|Your session ends at [^<]*'
        pages[name] = re.sub(once, "…", str(twins.seen(answer)[1]))
        pages[name] = pages[name].replace("nonce", "")
    assert pages["hidden"] == pages["plain"]
    for path, status in (("/search?q=hidden.ot", 200), (f"/search?q={CELL}", 422), ("/", 200)):
        answer = requests.get(f"{base}{path}", cookies=twins.world.cookies(token), timeout=30)
        assert answer.status_code == status
        assert twins.hidden["last_name"] not in answer.text
        assert EMAIL not in answer.text


def duplicated(twins: Twins) -> None:
    said = []
    for kind, value in (("email", EMAIL), ("email", NO_EMAIL), ("cell", CELL), ("cell", NO_CELL)):
        name = f"Duplic{twins.world.letters()}"
        body = {"last_name": name, "contact_points": [{"kind": kind, "value": value}]}
        answer = twins.ask("POST", "/individuals", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        said.append(twins.seen(answer, name))
    assert said[0][0] == 201
    assert len({str(one) for one in said}) == 1


def imported(twins: Twins) -> None:
    """Import a row with the hidden values and one with others; their outcomes are alike, before, after and undone."""
    names = [f"Import{twins.world.letters()}" for _ in range(2)]
    content = "First Name,Last Name,State,Cell,E-mail Address\n" + "".join(
        f"Ottoline,{name},NM,{cell},{email}\n" for name, cell, email in zip(names, (CELL, NO_CELL), (EMAIL, NO_EMAIL), strict=True)
    )
    chloe = twins.world.chloe
    started = chloe.ask("POST", "/imports", expect=201, files={"file": ("list.csv", content.encode())}).json()
    path = f"/imports/{started['id']}"
    for step, state in (("dry-run", "checked"), ("commit", "committed"), ("undo", "undone")):
        chloe.post(f"{path}/{step}", expect=202)
        twins.world.wait_for_import(chloe, path, state)
        assert chloe.get(path)["state"] == state
        rows = twins.world.chloe.get(f"{path}/rows")["items"]
        assert len(rows) == 2
        shown = [
            re.sub("|".join((CELL, NO_CELL, EMAIL, NO_EMAIL, *names, UUID.pattern)), "…", json.dumps(_without(row, "row", "n", "line")))
            for row in rows
        ]
        assert shown[0] == shown[1], state
        assert twins.hidden["id"] not in json.dumps(rows)


def audited(twins: Twins) -> None:
    assert twins.ask("GET", "/audit/entries").status_code == 403
    world = twins.world
    entries = eventually(lambda: world.edda.get("/audit/entries", subject=twins.hidden["id"])["items"], why="the record is in the trail")
    said = json.dumps(entries).lower()
    assert not [form for form in FORMS if form in said]


def told_as_task(twins: Twins) -> None:
    world, hidden = twins.world, twins.hidden["id"]
    sent = twins.ask("POST", f"/individuals/{hidden}/contact-points/corrections", json={"kind": "email", "value": NO_EMAIL})
    assert sent.status_code == 201, sent.text
    mine = eventually(lambda: _tasks(world.amina.ask, hidden), why="the owner has a task")
    theirs = _tasks(twins.ask, hidden)
    assert not [task for task in theirs if task["kind"] == "correction"]
    assert not [form for form in (*FORMS, NO_EMAIL) if form in json.dumps([*mine, *theirs])]


def _tasks(ask: Callable[..., requests.Response], about: str) -> list[dict[str, Any]]:
    """Return a user's tasks about one person, from every page: there are many of others."""
    return [task for task in _pages(ask, "/tasks") if task["subject"]["id"] == about]


def _pages(ask: Callable[..., requests.Response], path: str, **query: str) -> Iterator[dict[str, Any]]:
    given = {**query, "limit": "200"}
    while True:
        page = ask("GET", path, params=given).json()
        yield from page["items"]
        if not page["next"]:
            return
        given["cursor"] = page["next"]


def promised(twins: Twins) -> None:
    """Text with a number or an address is refused, so that no text carries it past the firewall."""
    body = {"held_at": instant(hours=-1), "mode": "phone", "individual_ids": [twins.hidden["id"]]}
    for text in (f"Call {CELL}", f"Write to {EMAIL}"):
        refused = twins.world.amina.ask("POST", "/interactions", json={**body, "follow_ups": [{"text": text}]})
        assert refused.status_code == 422, refused.text
        assert refused.json()["code"] == "text-needs-review"
    twins.ask("GET", "/interactions", params={"individual_id": twins.hidden["id"]})


def announced(twins: Twins) -> None:
    made = twins.world.an_interaction(twins.plain["id"])
    contacted = f"/individuals/{twins.plain['id']}"
    eventually(lambda: twins.world.amina.get(contacted)["last_contacted_at"] == made["held_at"], why="the call is known as the last contact")
    for service in ("contacts", "interactions", "retention", "access"):
        said = str(twins.world.sql(service, "SELECT to_jsonb(t)::text FROM outbox t")).lower()
        assert not [form for form in FORMS if form in said], service
        assert "individual" in said or service not in {"contacts", "interactions"}


def dead_letters(twins: Twins) -> None:
    """Search what the broker stores on disk: every durable queue, dead-letter queues included."""
    import base64

    for line in (twins.world.system.data / "broker" / "journal").read_text().splitlines():
        letter = json.loads(line)
        said = base64.b64decode(letter.get("body", "")).decode(errors="replace").lower()
        assert not [form for form in FORMS if form in said], letter.get("queue")


def tagged(twins: Twins) -> None:
    path = f"/individuals/{twins.plain['id']}"
    before = twins.ask("GET", path)
    twins.world.amina.post(f"{path}/contact-points", {"kind": "work_phone", "value": "956-555-0188"})
    after = twins.ask("GET", path)
    assert before.headers["ETag"] == after.headers["ETag"]
    assert "Last-Modified" not in after.headers
    assert twins.ask("GET", path, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    twins.world.amina.post(f"/individuals/{twins.hidden['id']}/contact-points", {"kind": "work_phone", "value": "956-555-0189"})


def erring(twins: Twins) -> None:
    twins.alike("PATCH", "/individuals/{}", json={"title": "Mayor"}, headers={"If-Match": '"stale"'})
    twins.alike("PATCH", "/individuals/{}", json={"email": "x"}, headers={"If-Match": '"stale"'})
    twins.alike("PATCH", "/individuals/{}", json={"title": "Mayor"})
    twins.alike("POST", "/individuals/{}/contact-points", json={"kind": "email", "value": "no address"})
    twins.alike("POST", "/individuals/{}/contact-points/corrections", json={"kind": "fax", "value": CELL})


def refused_alike(twins: Twins) -> None:
    twins.alike("DELETE", "/individuals/{}", json={"reason": "mistake"}, headers={"If-Match": '"stale"'})
    twins.alike("PUT", "/individuals/{}/owner", json={"owner": twins.world.chloe.user["id"]})
    assert twins.alike("GET", "/individuals/{}/contact-points/" + str(uuid.uuid4())).status_code == 404


def paged(twins: Twins) -> None:
    totals = set()
    for q in (CELL, NO_CELL, EMAIL, NO_EMAIL):
        for limit in (1, 2, 200):
            totals.add(str(twins.ask("POST", "/stakeholders/search", json={"q": q, "limit": limit}).json()["total"]))
    assert totals == {"0"}


def corrected(twins: Twins) -> None:
    path = "/individuals/{}/contact-points/corrections"
    said = {
        str(twins.seen(twins.ask("POST", path.format(one["id"]), json={"kind": kind, "value": value})))
        for one in (twins.hidden, twins.plain)
        for kind, value in (("email", EMAIL), ("email", NO_EMAIL))
    }
    assert len(said) == 1
    twins.alike("POST", path, json={"kind": "cell", "value": CELL})


def handed_over(twins: Twins) -> None:
    """Hand the record to another component: its owner changes, the values' component does not (T5)."""
    world = twins.world
    moved = world.an_individual(contact_points=[{"kind": "cell", "value": "956-555-0190"}, {"kind": "email", "value": "moved.otter@example.org"}])
    path = f"/individuals/{moved['id']}"
    answer = world.amina.ask("PUT", f"{path}/owner", json={"owner": world.chloe.user["id"]})
    assert answer.status_code in {200, 403, 422}, answer.text
    for who in (world.chloe, world.denis):
        for asked in (path, f"{path}/contact-points", f"{path}/history"):
            said = who.ask("GET", asked, expect=200).text
            assert "956-555-0190" not in said
            assert "moved.otter" not in said


def logged(twins: Twins) -> None:
    said = (twins.world.system.data.parent / f"{twins.world.system.data.name}.log").read_text().lower()
    assert "request.answered" in said
    assert not [form for form in FORMS if form in said]


#: Part 4, entry by entry; where a route exists, what Chloé tries.
CATALOGUE: dict[str, Callable[[Twins], None]] = {
    # First: what Chloé corrects and adds below is held by her own component, which finds it.
    "totals while paging": paged,
    "read one": read_one,
    "list": listed,
    "filter by equality, prefix, range": filtered,
    "sort and watch the order": sorted_by_hidden,
    "group and count": grouped,
    "facets": faceted,
    "full text": searched,
    "autocomplete": completed,
    "report column and report filter": reported,
    "print view": printed,
    "the duplicate answer": duplicated,
    "import preview and undo preview": imported,
    "audit entries": audited,
    "notification and task text": told_as_task,
    "follow-up text": promised,
    "a message on the bus": announced,
    "a dead letter": dead_letters,
    "ETag and Last-Modified": tagged,
    "an error message": erring,
    "403 against 404": refused_alike,
    "the answer to a write-blind correction": corrected,
    "a record moved between components": handed_over,
    "logs and traces": logged,
}
#: Entries without a route so far, by what its path would hold: once there is one, it has to be in the catalogue above.
NO_ROUTE = {
    "a saved search shared by someone who can see it": "saved-search",
    "report file": "reports/{name}",
    "ICS and vCard": ".ics",
    "merge preview": "merge",
    "a merged record": "merge",
    "an export made before rights were lost": "export",
    "a user moved between components with an open session": "hand-over",
}
#: What has no HTTP to ask by is asked of the services themselves.
ELSEWHERE = {"a call straight to the service past the gateway": "tests/integration/contacts/test_firewall.py"}


@pytest.mark.requirement("N1", "R148", "R149", "R150", "R154", "R190", "T3", "T17", "T23")
@pytest.mark.parametrize("entry", CATALOGUE)
def test_chloe_learns_nothing_hidden_by(twins: Twins, entry: str) -> None:
    CATALOGUE[entry](twins)


def test_every_entry_without_a_proof_here_has_no_route(world: World) -> None:
    paths = " ".join(world.document["paths"])
    assert [entry for entry, route in NO_ROUTE.items() if route in paths] == []
    assert all((ROOT / file).is_file() for file in ELSEWHERE.values())


@pytest.mark.requirement("N1")
def test_the_comparison_sees_what_a_colleague_is_shown(twins: Twins) -> None:
    """Bruno of ICE sees both values: the same comparison of his answers tells the twins apart."""
    bruno = twins.world.bruno
    answers = [bruno.ask("GET", f"/individuals/{one['id']}/contact-points", expect=200) for one in (twins.hidden, twins.plain)]
    assert twins.seen(answers[0]) != twins.seen(answers[1])
    assert CELL in answers[0].text
    assert EMAIL in answers[0].text


def _without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in names}
