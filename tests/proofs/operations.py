"""Requests for every operation of the document: one that is allowed, and one that must be refused.

A read is made from its path's ids. An operation that changes something, or needs a body, has its maker in `MAKERS`. An
operation with neither fails the proofs with its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from tests.builders import an_individual, an_interaction, an_issue, an_organization
from tests.journeys.client import Person
from tests.proofs.world import COMES_AND_GOES, World, day, instant, unknown_id
from tests.support import eventually

PREFIX = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent."""

    by: Person
    method: str
    path: str
    given: dict[str, Any] = field(default_factory=dict)

    def send(self, by: Person | None = None) -> requests.Response:
        """Send it, as somebody else if given."""
        return (by or self.by).ask(self.method, self.path, **self.given)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    said: dict[str, Any]

    @property
    def name(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """Return the ids in its path."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def success(self) -> int:
        """Return the status of its success."""
        return min(int(status) for status in self.said["responses"] if status.startswith("2"))


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Return every operation of the document."""
    for path, item in sorted(document["paths"].items()):
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path.removeprefix(PREFIX), item[method])


class NoMaker(AssertionError):
    """An operation of the document without a maker; add one to `MAKERS`."""


def allowed(world: World, operation: Operation) -> Request:
    """Return a request for the operation that succeeds.

    :raises NoMaker: nobody has said how to make it.
    """
    if maker := MAKERS.get(operation.name):
        made = maker(world)
        return replace(made, method=operation.method)
    if operation.method != "GET":
        raise NoMaker(operation.name)
    try:
        ids = {name: IDS[name](world) for name in operation.parameters}
    except KeyError as unknown:
        raise NoMaker(f"{operation.name}: {unknown}") from None
    by = world.edda if operation.path.startswith("/audit/") else world.amina
    return Request(by, "GET", operation.path.format(**ids))


def denied(world: World, operation: Operation, request: Request) -> tuple[Request, Person] | None:
    """Return the request and a user who must be refused, or None if every user is allowed."""
    if operation.name in EVERYBODY_S:
        return None
    return request, world.amina if request.by is world.edda else world.edda


def failing(world: World, operation: Operation, request: Request) -> Request:
    """Return a request of the same user that fails for its content: an id of nothing, or an unknown field."""
    if operation.name == "POST /sessions":
        return Request(world.nobody, "POST", "/sessions", {"json": {"username": "nobody-of-that-name", "password": "a wrong guess"}})
    if operation.parameters:
        ids = dict.fromkeys(operation.parameters, unknown_id())
        return replace(request, path=operation.path.format(**ids))
    if "requestBody" in operation.said:
        return replace(request, given={"json": {"party": "Whig"}, "headers": request.given.get("headers", {})})
    return replace(request, path=request.path.partition("?")[0], given={"params": {"party": "Whig"}})


#: What those may do whom every other route refuses: no stakeholder is in it.
EVERYBODY_S = frozenset(
    {
        "POST /sessions",
        "GET /sessions/current",
        "DELETE /sessions/current",
        "POST /sessions/current/acknowledgement",
        "GET /components",
        "GET /users",
        "GET /users/{user_id}",
        # It lists what waits for whoever asks.
        "GET /tasks",
        # One's own settings.
        "GET /profile",
        "PATCH /profile",
    }
)
#: What answers in a session that is not acknowledged.
BEFORE_ACKNOWLEDGEMENT = frozenset({"POST /sessions", "GET /sessions/current", "DELETE /sessions/current", "POST /sessions/current/acknowledgement"})

#: What an id in a path stands for, when it is only looked at.
IDS: dict[str, Callable[[World], str]] = {
    "individual_id": lambda w: w.person["id"],
    "organization_id": lambda w: w.organization["id"],
    "issue_id": lambda w: w.issue["id"],
    "interaction_id": lambda w: w.interaction["id"],
    "event_id": lambda w: w.event["id"],
    "note_id": lambda w: w.note["id"],
    "import_id": lambda w: w.import_["id"],
    "n": lambda _: "0",
    "request_id": lambda w: w.coordination_request["id"],
    "erasure_id": lambda w: w.erasure["erasure_id"],
    "operation_id": lambda w: w.operation_id,
    "user_id": lambda w: w.amina.user["id"],
}


def path_of(world: World, operation: Operation) -> str:
    """Return the operation's path with existing ids."""
    ids = {name: IDS[name](world) for name in operation.parameters}
    if operation.path.startswith("/no-contact-requests/"):
        ids["request_id"] = world.no_contact_request["id"]
    return operation.path.format(**ids)


def _post(by: Person, path: str, body: Any = None, **given: Any) -> Request:
    return Request(by, "POST", path, ({"json": body} if body is not None else {}) | given)


def _matched(by: Person, path: str, body: Any = None) -> Request:
    """Return a change of a record in its present version."""
    tag = by.ask("GET", path, expect=200).headers["ETag"]
    return Request(by, "PATCH", path, {"headers": {"If-Match": tag}} | ({"json": body} if body is not None else {}))


def _passing_session(world: World, *, acknowledge: bool) -> Person:
    return Person(world.system.base).sign_in(world.accounts[COMES_AND_GOES], acknowledge=acknowledge)


def _acknowledgement(world: World) -> Request:
    person = Person(world.system.base)
    account = world.accounts[COMES_AND_GOES]
    said = person.ask("POST", "/sessions", expect=201, json={"username": account["username"], "password": account["password"]}).json()
    person.token, person.user = said["token"], said["user"]
    return _post(person, "/sessions/current/acknowledgement", {"statements_version": said["statements_version"], "accepted": True})


def _sign_in(world: World) -> Request:
    account = world.accounts[COMES_AND_GOES]
    return _post(Person(world.system.base), "/sessions", {"username": account["username"], "password": account["password"]})


def _attendance(world: World) -> Request:
    event, attendee = world.an_attendee()
    return Request(world.amina, "DELETE", f"/events/{event}/attendees/{attendee}")


def _follow_up(world: World) -> Request:
    interaction = world.an_interaction()
    return _post(world.amina, f"/interactions/{interaction['id']}/follow-ups/{interaction['follow_ups'][0]['id']}/done")


def _notice(world: World) -> Request:
    asked = world.a_coordination_request(world.an_individual()["id"])
    world.amina.patch(f"/coordination-requests/{asked['id']}", {"status": "declined", "reason": "We spoke yesterday."})
    told = next(task for task in world.chloe.every("/tasks") if task["notice"] and task["subject"]["id"] == asked["id"])
    return _post(world.chloe, f"/tasks/{told['id']}/dismissal")


def _note(world: World) -> str:
    note = world.amina.post(f"/individuals/{world.person['id']}/notes", {"text": "Met at the forum."})
    return f"/individuals/{world.person['id']}/notes/{note['id']}"


def _proof(world: World) -> Request:
    eventually(lambda: world.edda.get("/audit/checkpoints")["items"], seconds=60, why="a checkpoint is signed")
    return Request(world.edda, "GET", "/audit/proofs", {"params": {"position": 0}})


def _review(world: World) -> Request:
    week = next((review["week"] for review in world.edda.get("/audit/reviews")["items"] if review["state"] in {"due", "overdue"}), None)
    # A system of today has no week to look back upon; that none is due yet is then the answer, and an entry all the same.
    return _post(world.edda, "/audit/reviews", {"week": week or _this_monday()})


def _this_monday() -> str:
    import datetime as dt

    today = dt.datetime.now(dt.UTC).date()
    return (today - dt.timedelta(days=today.weekday())).isoformat()


def _erasable(world: World, kind: str) -> Request:
    made = world.an_individual() if kind == "individuals" else world.an_organization()
    return _matched(world.amina, f"/{kind}/{made['id']}", {"reason": "mistake"})


def _requested(world: World, **card: Any) -> tuple[str, str]:
    """Register somebody who then wants no more contact; return their id and the request's."""
    person = world.an_individual(**card)["id"]
    body = {"individual_id": person, "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."}
    return person, world.chloe.post("/no-contact-requests", body)["id"]


def _twin(world: World) -> Request:
    points = [{"kind": "email", "value": f"{world.letters()}@gmail.com"}]
    twin = world.an_individual(by="chloe", contact_points=points)["id"]
    _, asked = _requested(world, contact_points=points)
    return _post(world.farid, f"/no-contact-requests/{asked}/twins/{twin}", {"decision": "another"})


def _pair(world: World) -> str:
    """Return the path of two records of any people: the privacy officer may propose any."""
    return f"/duplicates/{world.person['id']}/{world.an_individual()['id']}"


def _mark(world: World) -> Request:
    person = world.an_individual()["id"]
    world.chloe.post(f"/individuals/{person}/contact-points", {"kind": "email", "value": f"{world.letters()}@gmail.com"})
    world.chloe.post("/no-contact-requests", {"individual_id": person, "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."})
    mark = next(mark for mark in world.farid.every("/suppressions") if mark["individual_id"] == person)
    return _post(world.farid, f"/suppressions/{mark['id']}", {"decision": "drop"})


def _lookups(world: World) -> Request:
    """Let somebody of the Private Sector Office hit a mark, and mark that as seen."""
    value = f"{world.letters()}@gmail.com"
    person = world.an_individual(contact_points=[{"kind": "email", "value": value}])["id"]
    world.chloe.post("/no-contact-requests", {"individual_id": person, "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."})
    probe = {"last_name": world.letters(), "contact_points": [{"kind": "email", "value": value}]}
    assert world.chloe.ask("POST", "/individuals", json=probe).json()["code"] == "blocked"
    return _post(world.farid, f"/suppression-lookups/{world.chloe.user['id']}", {})


def _kept_text(world: World) -> Request:
    person = world.an_individual()["id"]
    note = world.amina.post(f"/individuals/{person}/notes", {"text": "Call the desk at 202-555-0123.", "keep_reason": "The desk of the governor."})
    kept = next(item for item in world.farid.every("/kept-texts") if item["id"] == f"contacts.{note['id']}")
    return _post(world.farid, f"/kept-texts/{kept['id']}/release", {"kept_at": kept["kept_at"]})


def _erased_notice(world: World) -> Request:
    def told() -> list[dict[str, Any]]:
        return [task for task in world.amina.every("/tasks") if task["kind"] == "erased_notice"]

    if not told():
        world.amina.post(f"/no-contact-requests/{world.a_no_contact_request()['id']}/erase", expect=202)
    notice = eventually(told, seconds=60, why="whoever had the relationship is told")[0]
    return Request(world.amina, "GET", f"/notices/{notice['subject']['id']}")


#: Whose last contact may still be announced has no version that stands: what is changed of a stakeholder is changed of a new one.
MAKERS: dict[str, Callable[[World], Request]] = {
    "GET /audit/proofs": _proof,
    "POST /audit/reviews": _review,
    "GET /no-contact-requests/{request_id}": lambda w: Request(w.amina, "GET", f"/no-contact-requests/{w.no_contact_request['id']}"),
    "GET /individuals/{individual_id}/notes/{note_id}": lambda w: Request(w.chloe, "GET", f"/individuals/{w.person['id']}/notes/{w.note['id']}"),
    "POST /sessions": _sign_in,
    "DELETE /sessions/current": lambda w: Request(_passing_session(w, acknowledge=True), "DELETE", "/sessions/current"),
    "POST /sessions/current/acknowledgement": _acknowledgement,
    "POST /individuals": lambda w: _post(w.amina, "/individuals", an_individual(last_name=f"Vantongeren{w.letters()}")),
    "PATCH /individuals/{individual_id}": lambda w: _matched(w.amina, f"/individuals/{w.an_individual()['id']}", {"title": f"Head {w.letters()}"}),
    "DELETE /individuals/{individual_id}": lambda w: _erasable(w, "individuals"),
    "POST /individuals/{individual_id}/contact-points": lambda w: _post(
        w.amina, f"/individuals/{w.person['id']}/contact-points", {"kind": "email", "value": f"{w.letters()}@example.org"}
    ),
    "POST /individuals/{individual_id}/contact-points/corrections": lambda w: _post(
        w.chloe, f"/individuals/{w.person['id']}/contact-points/corrections", {"kind": "email", "value": f"{w.letters()}@example.org"}
    ),
    "POST /individuals/{individual_id}/notes": lambda w: _post(w.amina, f"/individuals/{w.person['id']}/notes", {"text": "Met at the forum."}),
    "PATCH /individuals/{individual_id}/notes/{note_id}": lambda w: _matched(w.amina, _note(w), {"text": "Met at the fair."}),
    "DELETE /individuals/{individual_id}/notes/{note_id}": lambda w: _matched(w.amina, _note(w)),
    "PUT /individuals/{individual_id}/owner": lambda w: Request(
        w.amina, "PUT", f"/individuals/{w.an_individual()['id']}/owner", {"json": {"owner": w.bruno.user["id"]}}
    ),
    "POST /organizations": lambda w: _post(w.amina, "/organizations", an_organization(name=f"Larkspur {w.letters()}")),
    "PATCH /organizations/{organization_id}": lambda w: _matched(
        w.amina, f"/organizations/{w.an_organization()['id']}", {"office_phone": "202-555-0111"}
    ),
    "DELETE /organizations/{organization_id}": lambda w: _erasable(w, "organizations"),
    "POST /issues": lambda w: _post(w.amina, "/issues", an_issue(name=f"Issue {w.letters()}")),
    "PATCH /issues/{issue_id}": lambda w: _matched(w.amina, f"/issues/{w.issue['id']}", {"summary": f"Summary {w.letters()}"}),
    "POST /issues/{issue_id}/talking-points": lambda w: _post(w.amina, f"/issues/{w.issue['id']}/talking-points", {"text": "We listen."}),
    "POST /issues/{issue_id}/updates": lambda w: _post(w.amina, f"/issues/{w.issue['id']}/updates", {"kind": "policy", "text": "New guidance."}),
    "POST /interactions": lambda w: _post(w.amina, "/interactions", an_interaction(w.person["id"])),
    "PATCH /interactions/{interaction_id}": lambda w: _matched(
        w.amina, f"/interactions/{w.interaction['id']}", {"outcome": f"Promised {w.letters()}"}
    ),
    "DELETE /interactions/{interaction_id}": lambda w: _matched(w.amina, f"/interactions/{w.an_interaction()['id']}"),
    "POST /interactions/{interaction_id}/follow-ups/{follow_up_id}/done": _follow_up,
    "POST /events": lambda w: _post(w.amina, "/events", {"name": f"Roundtable {w.letters()}", "starts_at": instant(days=-1)}),
    "PATCH /events/{event_id}": lambda w: _matched(w.amina, f"/events/{w.event['id']}", {"agenda": f"Agenda {w.letters()}"}),
    "POST /events/{event_id}/attendees": lambda w: _post(w.amina, f"/events/{w.an_event()['id']}/attendees", {"individual_ids": [w.person["id"]]}),
    "DELETE /events/{event_id}/attendees/{attendee_id}": _attendance,
    "POST /coordination-requests": lambda w: _post(
        w.chloe,
        "/coordination-requests",
        {"individual_id": w.coordination_request["individual_id"], "issue_id": w.an_issue(), "message": "Please call."},
    ),
    "PATCH /coordination-requests/{request_id}": lambda w: _matched(
        w.amina, f"/coordination-requests/{w.a_coordination_request(w.an_individual()['id'])['id']}", {"status": "accepted"}
    ),
    "POST /tasks/{task_id}/dismissal": _notice,
    "POST /individuals/{individual_id}/verifications": lambda w: _post(
        w.amina, f"/individuals/{w.person['id']}/verifications", {"medium": "phone", "verified_at": instant(minutes=-5)}
    ),
    "POST /stakeholders/search": lambda w: _post(w.amina, "/stakeholders/search", {"q": f"{w.letters()}@example.org"}),
    "PATCH /profile": lambda w: _matched(w.amina, "/profile", {"time_zone": "America/Chicago"}),
    "POST /no-contact-requests/{request_id}/twins/{individual_id}": _twin,
    "GET /no-contact-requests/{request_id}/twins": lambda w: Request(w.farid, "GET", f"/no-contact-requests/{w.no_contact_request['id']}/twins"),
    "POST /no-contact-requests/{request_id}/withdraw": lambda w: _post(w.chloe, f"/no-contact-requests/{_requested(w)[1]}/withdraw", {}),
    "GET /duplicates/{individual_id}/{other_id}": lambda w: Request(w.farid, "GET", _pair(w)),
    "POST /duplicates/{individual_id}/{other_id}": lambda w: _post(w.farid, _pair(w), {"decision": "propose"}),
    "GET /twins": lambda w: Request(w.farid, "GET", "/twins"),
    "GET /suppressions": lambda w: Request(w.farid, "GET", "/suppressions"),
    "POST /suppressions/{mark_id}": _mark,
    "GET /suppression-hits": lambda w: Request(w.farid, "GET", "/suppression-hits"),
    "GET /suppression-lookups": lambda w: Request(w.farid, "GET", "/suppression-lookups"),
    "POST /suppression-lookups/{account}": _lookups,
    "GET /day-counts": lambda w: Request(w.edda, "GET", "/day-counts"),
    "GET /destructions": lambda w: Request(w.farid, "GET", "/destructions"),
    "GET /many-freezes": lambda w: Request(w.grace, "GET", "/many-freezes"),
    "GET /notices/{notice_id}": _erased_notice,
    "POST /no-contact-requests": lambda w: _post(
        w.chloe,
        "/no-contact-requests",
        {"individual_id": w.an_individual()["id"], "medium": "phone", "received_on": day(0), "reason": "Asked at the fair."},
    ),
    "POST /no-contact-requests/{request_id}/erase": lambda w: _post(w.amina, f"/no-contact-requests/{w.a_no_contact_request()['id']}/erase"),
    "GET /interactions/against-preferences": lambda w: Request(w.farid, "GET", "/interactions/against-preferences"),
    "GET /kept-texts": lambda w: Request(w.farid, "GET", "/kept-texts"),
    "POST /kept-texts/{kept_id}/release": _kept_text,
    "GET /erasures/sample": lambda w: Request(w.farid, "GET", "/erasures/sample"),
    "GET /erasures/{erasure_id}/hits": lambda w: Request(w.farid, "GET", f"/erasures/{w.erasure['erasure_id']}/hits"),
    "POST /erasures/{erasure_id}/decisions": lambda w: _post(
        w.farid, f"/erasures/{w.an_erasure_that_waits()['id']}/decisions", {"all": True, "decision": "redact"}
    ),
    "POST /imports": lambda w: _post(
        w.amina, "/imports", files={"file": ("list.csv", f"First Name,Last Name\nRuth,Oyelaran{w.letters()}\n".encode())}
    ),
    "PATCH /imports/{import_id}": lambda w: _matched(w.amina, f"/imports/{w.import_['id']}", {"source": "public"}),
    "POST /imports/{import_id}/dry-run": lambda w: _post(w.amina, f"/imports/{w.an_import()['id']}/dry-run"),
    "POST /imports/{import_id}/cancel": lambda w: _post(w.amina, f"/imports/{w.an_import()['id']}/cancel"),
    "POST /imports/{import_id}/commit": lambda w: _post(w.amina, f"/imports/{w.an_import('checked')['id']}/commit"),
    "GET /imports/{import_id}/rows/{n}": lambda w: Request(w.amina, "GET", f"/imports/{w.an_undecided_import()['id']}/rows/1"),
    "POST /imports/{import_id}/rows/{n}/decision": lambda w: _post(
        w.amina, f"/imports/{w.an_undecided_import()['id']}/rows/1/decision", {"decision": "another"}
    ),
    "POST /imports/{import_id}/decisions": lambda w: _post(w.amina, f"/imports/{w.an_undecided_import()['id']}/decisions", {"decision": "skip"}),
    "POST /imports/{import_id}/stop": lambda w: _post(w.amina, f"/imports/{w.a_stopped_import()['id']}/stop"),
    "POST /imports/{import_id}/resume": lambda w: _post(w.amina, f"/imports/{w.a_stopped_import()['id']}/resume"),
    "POST /imports/{import_id}/undo": lambda w: _post(w.amina, f"/imports/{w.an_import('committed')['id']}/undo"),
}
