"""Retention over the bus: access and retention as they are, contacts and interactions in the parts the saga meets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import NullPool, create_engine

from deploy.postgres import as_url
from services.access.domain.passwords import password_hash
from services.access.domain.secrets import service_secret
from services.access.service import AccessService
from services.access.usecases.seeding import Account, seed_accounts
from services.chassis.config import Settings
from services.chassis.database import note_audited
from services.chassis.entrypoints import rpc
from services.chassis.messages import Caller, Operation, Refusal, new_id
from services.chassis.runtime.process import Services, compose, declare_topology, topics_handled_by
from services.chassis.topology import compute
from services.chassis.transport.embedded import register
from services.chassis.transport.rpc_client import RpcClient
from services.contacts.contract.announcements import IndividualFrozen, IndividualRegistered
from services.retention.service import RetentionService
from tests.integration.access.conftest import a_key
from tests.support import Databases, eventually
from tests.support.announcing import announce
from tests.support.keys import pem_of

MASTER = "a master secret of tests"
PASSWORD = "correct horse battery"


class World:
    """What the stand-ins know."""

    owner: ClassVar[str]
    person: ClassVar[str]
    frozen_for: ClassVar[str | None]
    erased: ClassVar[list[tuple[str, str]]]
    key: ClassVar[str | None]
    #: Notes on others in which the person is named.
    named: ClassVar[list[str]]


class ContactsStandIn:
    """Contacts, as far as retention asks it."""

    name = "contacts"

    @rpc("contacts:individual:may-erase", onward="retention")
    def may_erase(self, caller: Caller, individual_id: str) -> dict[str, Any]:
        note_audited()
        return {
            "allowed": caller.id == World.owner,
            "rule": "T2",
            "reason": "Only the owner erases.",
            "owner": {"user": World.owner, "component": "ICE"},
            "frozen": World.frozen_for is not None,
            "request_id": World.frozen_for,
            "etags": ['"the etag"'],
        }

    @rpc("contacts:individual:freeze", onward="retention")
    def freeze(self, caller: Caller, request_id: str, individual_id: str, medium: str, received_on: str, reason: str | None = None) -> dict[str, Any]:
        note_audited()
        World.frozen_for = World.frozen_for or request_id
        return {"request_id": World.frozen_for}

    @rpc("contacts:individual:erase", identity="retention")
    def erase(self, caller: Caller, erasure_id: str, individual_id: str, cause: str) -> dict[str, Any]:
        note_audited()
        World.key = "key"
        World.erased.append((individual_id, cause))
        receipts = [{"store": "contacts.individuals", "found": 1, "removed": 1, "left": 0, "method": "deleted"}]
        return {"sealed": "sealed", "receipts": receipts}

    @rpc("contacts:erasure:unseal-key", identity="retention")
    def unseal_key(self, caller: Caller, erasure_id: str) -> dict[str, Any]:
        note_audited()
        return {"key": World.key}

    @rpc("contacts:erasure:seek", identity="retention")
    def seek(self, caller: Caller, erasure_id: str, individual_id: str, sealed: str, key: str | None, look: str, **decided: Any) -> dict[str, Any]:
        note_audited()
        settled = decided["redact_in"] + decided["leave_in"]
        hits = [{"store": "contacts.notes", "id": each, "field": "text", "kinds": ["name"], "sure": True} for each in World.named]
        return {"receipts": [], "hits": [hit for hit in hits if [hit["store"], hit["id"], hit["field"]] not in settled], "carried_out": settled}

    @rpc("contacts:erasure:show-mentions", identity="retention")
    def show_mentions(self, caller: Caller, erasure_id: str, sealed: str, key: str | None, places: list[list[str]]) -> dict[str, Any]:
        note_audited()
        assert (sealed, key) == ("sealed", "key")
        excerpt = {"before": "Ask ", "found": "Dov Quillfeather", "after": ".", "kind": "name"}
        return {"items": [{"store": store, "id": record, "field": field, "excerpts": [excerpt]} for store, record, field in places]}

    @rpc("contacts:erasure:close", identity="retention")
    def close_erasure(self, caller: Caller, erasure_id: str, individual_id: str) -> dict[str, Any]:
        note_audited()
        World.key = None
        return {"receipts": []}


class InteractionsStandIn:
    """Interactions, as far as the saga asks it."""

    name = "interactions"

    @rpc("interactions:individual:erase", identity="retention")
    def erase(self, caller: Caller, erasure_id: str, individual_id: str, cause: str) -> dict[str, Any]:
        note_audited()
        return {"receipts": []}

    @rpc("interactions:individual:seek", identity="retention")
    def seek(self, caller: Caller, erasure_id: str, individual_id: str, sealed: str, key: str, look: str, **decided: Any) -> dict[str, Any]:
        note_audited()
        assert set(decided) == {"redact_in", "redact_sure_in", "leave_in"}
        receipt = {"store": "interactions.text", "found": 2, "removed": 2, "left": 0, "method": "redacted"}
        return {"receipts": [receipt], "hits": [], "carried_out": []}


class System:
    """Four services on the in-process broker, and a client in the gateway's place."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        """Start it."""
        register()
        self.broker = broker = f"embedded://retention-{new_id()[-12:]}"
        private_key, public_key = a_key()
        self.addresses = {name: databases.make(name) for name in ("access", "retention")}

        def settings(service: str) -> Settings:
            address = self.addresses.get(service)
            return Settings(
                service=service,
                database_url=address.runtime if address else "",
                broker_url=broker,
                passport_public_key=public_key,
                passport_private_key=private_key if service == "access" else "",
                service_master_secret=MASTER if service == "access" else "",
                service_secret=service_secret(MASTER, service),
                service_key=pem_of(service),
                cursor_key="a key of tests",
                erased_ids_key="another key of tests",
                erased_ids_file=str(folder / "erased-ids") if service == "retention" else "",
            )

        classes = (AccessService, ContactsStandIn, InteractionsStandIn, RetentionService)
        parts = [(each, compose(settings(each.name))) for each in classes]
        self.databases = {each.name: process.database for each, process in parts}
        access = parts[0][1]
        listened = {each.name: topics_handled_by(each) for each in classes}
        declare_topology(access.address, compute({**listened, "listener": ["#"]}))
        stored = password_hash(PASSWORD)
        with access.open_database().work(Caller.operator("tests")) as work:
            self.ids = seed_accounts(
                work,
                [
                    Account("amina", "Amina", "ICE", "contributor", stored),
                    Account("chloe", "Chloé", "PSO", "contributor", stored),
                    Account("denis", "Denis", "PSO", "contributor", stored),
                    Account("farid", "Farid", "PRIV", None, stored, frozenset({"privacy_officer"})),
                ],
                now=datetime.now(UTC) - timedelta(days=1),
            )
        World.owner, World.person, World.frozen_for, World.erased, World.key = self.ids["amina"], new_id(), None, [], None
        World.named = []
        self.services = Services(parts)
        assert self.services.start(seconds=20)
        self.client = RpcClient(access.address, identity="gateway")
        self.client.start()
        assert self.client.wait_up(20)
        self._tokens: dict[str, str] = {}

    def stop(self, databases: Databases) -> None:
        """Stop everything."""
        self.client.stop()
        self.services.stop()
        for addresses in self.addresses.values():
            databases.drop(addresses)

    def _token(self, username: str) -> str:
        if username not in self._tokens:
            given = {"username": username, "password": PASSWORD, "source": "198.51.100.7"}
            token = self.client.call("access", "sign_in", given)["token"]
            passport = self.client.call("access", "open_session", {"token": token})["passports"]["access"]
            self.client.call("access", "acknowledge", {"statements_version": "2.4-1", "accepted": True}, passport=passport)
            self._tokens[username] = token
        return self._tokens[username]

    def ask(self, username: str, method: str, *, command: bool = False, key: str | None = None, **given: Any) -> Any:
        """Ask retention as somebody."""
        passport = self.client.call("access", "open_session", {"token": self._token(username)})["passports"]["retention"]
        operation = Operation(new_id(), "POST", f"/{method}", key, "body") if command else None
        return self.client.call("retention", method, given, passport=passport, trace_id=new_id(), operation=operation)

    def code(self, username: str, method: str, **given: Any) -> str:
        """Return the code of the refusal that this meets."""
        with pytest.raises(Refusal) as refusal:
            self.ask(username, method, **given)
        return refusal.value.code

    def open(self, username: str = "denis", **given: Any) -> dict[str, Any]:
        """Open a request about the person."""
        body = {"request_id": new_id(), "individual_id": World.person, "medium": "phone", "received_on": "2026-11-20", **given}
        opened: dict[str, Any] = self.ask(username, "open_no_contact_request", command=True, **body)
        return opened


@pytest.fixture
def system(databases: Databases, tmp_path: Path) -> Iterator[System]:
    """Four services, running."""
    running = System(databases, tmp_path)
    yield running
    running.stop(databases)


@pytest.mark.requirement("R164", "R165", "R167", "R168", "R170")
def test_from_the_request_to_the_certificate(system, tmp_path):
    request = system.open()
    assert World.frozen_for == request["id"]
    assert request["state"] == "open"
    assert [task["subject"]["id"] for task in system.ask("amina", "list_tasks")["items"]] == [request["id"]]
    assert system.ask("denis", "list_tasks")["items"] == []
    assert system.code("denis", "erase_no_contact_request", command=True, request_id=request["id"]) == "not-yours-to-erase"
    assert World.erased == []
    accepted = system.ask("amina", "erase_no_contact_request", command=True, request_id=request["id"])
    erasure = eventually(lambda: (found := system.ask("amina", "read_erasure", erasure_id=accepted["erasure_id"]))["state"] == "done" and found)
    assert {receipt["service"] for receipt in erasure["receipts"]} == {"contacts", "interactions", "retention"}
    assert World.erased == [(World.person, "no_contact")]
    assert World.person in (tmp_path / "erased-ids").read_text()
    assert system.ask("denis", "read_no_contact_request", request_id=request["id"])["state"] == "done"
    again = system.ask("amina", "erase_no_contact_request", command=True, request_id=request["id"])
    assert again == {"erasure_id": accepted["erasure_id"], "state": "done"}
    assert [row["erasure_id"] for row in system.ask("farid", "list_destructions")["items"]] == [accepted["erasure_id"]]


@pytest.mark.requirement("T27")
def test_the_privacy_officer_sees_what_was_found_and_decides_and_a_repetition_decides_nothing_anew(system):
    World.named = [new_id(), new_id()]
    request = system.open()
    erasure_id = system.ask("amina", "erase_no_contact_request", command=True, request_id=request["id"])["erasure_id"]
    eventually(lambda: system.ask("amina", "read_erasure", erasure_id=erasure_id)["state"] == "waiting_for_decision")
    assert World.erased == [(World.person, "no_contact")]
    page = system.ask("farid", "list_hits", erasure_id=erasure_id, query={"undecided": "true", "limit": "1"})
    assert (page["total"], page["items"][0]["excerpts"][0]["found"]) == (2, "Dov Quillfeather")
    [second] = system.ask("farid", "list_hits", erasure_id=erasure_id, query={"undecided": "true", "limit": "1", "cursor": page["next"]})["items"]
    assert {page["items"][0]["record_id"], second["record_id"]} == set(World.named)
    body, key = {"hit_id": second["id"], "decision": "another_person"}, new_id()
    for _ in range(2):
        assert system.ask("farid", "decide_hits", command=True, key=key, erasure_id=erasure_id, body=body)["undecided"] == 1
    assert system.code("farid", "decide_hits", command=True, key=new_id(), erasure_id=erasure_id, body=body) == "hit-decided"
    for name in ("amina", "denis", "chloe"):
        assert system.code(name, "decide_hits", command=True, erasure_id=erasure_id, body=body) == "privacy-officer-only"
        assert system.code(name, "list_hits", erasure_id=erasure_id) == "privacy-officer-only"
    system.ask("farid", "decide_hits", command=True, erasure_id=erasure_id, body={"all": True, "decision": "redact"})
    eventually(lambda: system.ask("amina", "read_erasure", erasure_id=erasure_id)["state"] == "done")
    assert World.key is None
    [first] = system.ask("farid", "list_hits", erasure_id=erasure_id, query={"limit": "1"})["items"]
    assert first["excerpts"] == [], "nobody can look any more"


def test_frozen_by_the_gateway_first_it_is_the_same_request(system):
    World.frozen_for = first = new_id()
    assert system.open(request_id=first)["id"] == first
    assert system.open(request_id=new_id())["id"] == first


def test_contacts_announcement_alone_opens_the_request(system):
    """The process that froze the individual may die before it tells retention."""
    request_id = new_id()
    announce(
        system.broker,
        IndividualRegistered(World.person, None, World.owner, "ICE", None),
        IndividualFrozen(World.person, request_id, "letter", "2026-11-20", system.ids["denis"], "PSO"),
    )
    seen = eventually(lambda: system.ask("denis", "list_no_contact_requests")["items"])
    assert [(item["id"], item["medium"]) for item in seen] == [(request_id, "letter")]
    eventually(lambda: system.ask("amina", "list_tasks")["items"], why="the owner is known")
    assert system.ask("chloe", "list_no_contact_requests")["items"] == []


@pytest.mark.requirement("R131")
def test_the_owner_deletes_a_mistake_and_nobody_else_does(system):
    given = {"subject_type": "individual", "subject_id": World.person, "reason": "mistake", "if_match": '"the etag"'}
    assert system.code("chloe", "request_erasure", command=True, **given) == "not-yours-to-erase"
    assert system.code("amina", "request_erasure", command=True, **{**given, "if_match": None}) == "precondition-missing"
    assert system.code("amina", "request_erasure", command=True, **{**given, "if_match": '"old"'}) == "stale"
    accepted = system.ask("amina", "request_erasure", command=True, **given)
    eventually(lambda: system.ask("amina", "read_erasure", erasure_id=accepted["erasure_id"])["state"] == "done")
    assert World.erased == [(World.person, "mistake")]
    assert system.code("chloe", "read_erasure", erasure_id=accepted["erasure_id"]) == "erasure-unknown"


@pytest.mark.requirement("T9")
def test_whoever_asked_for_no_contact_is_erased_for_that_cause_by_the_other_door_too(system):
    request = system.open()
    given = {"subject_type": "individual", "subject_id": World.person, "reason": "mistake", "if_match": '"the etag"'}
    accepted = system.ask("amina", "request_erasure", command=True, **given)
    eventually(lambda: system.ask("amina", "read_no_contact_request", request_id=request["id"])["state"] == "done")
    assert World.erased == [(World.person, "no_contact")]
    assert system.ask("amina", "read_no_contact_request", request_id=request["id"])["erasure_id"] == accepted["erasure_id"]


def test_the_same_command_again_is_one_erasure(system):
    request, key = system.open(), new_id()
    first = system.ask("amina", "erase_no_contact_request", command=True, key=key, request_id=request["id"])
    second = system.ask("amina", "erase_no_contact_request", command=True, key=key, request_id=request["id"])
    assert first["erasure_id"] == second["erasure_id"]
    eventually(lambda: len(World.erased) == 1)


BAD = [
    ("open_no_contact_request", {"request_id": "x", "individual_id": "x", "medium": "phone", "received_on": "2026-11-20"}, {"invalid"}),
    ("open_no_contact_request", {"request_id": "x", "individual_id": new_id(), "medium": "phone", "received_on": "2026-11-20"}, {"not-found"}),
    ("open_no_contact_request", {"request_id": new_id(), "individual_id": new_id(), "medium": "smoke", "received_on": "2026-11-20"}, {"invalid"}),
    ("open_no_contact_request", {"request_id": new_id(), "individual_id": new_id(), "medium": "phone", "received_on": "yesterday"}, {"invalid"}),
    ("open_no_contact_request", {}, {"bad-call"}),
    ("read_no_contact_request", {"request_id": "x"}, {"not-found"}),
    ("read_no_contact_request", {"request_id": new_id()}, {"request-unknown"}),
    ("list_no_contact_requests", {"query": {"state": "lost"}}, {"invalid"}),
    ("list_no_contact_requests", {"query": {"limit": "0"}}, {"invalid"}),
    ("list_no_contact_requests", {"query": {"limit": "201"}}, {"invalid"}),
    ("list_no_contact_requests", {"query": {"cursor": "x"}}, {"cursor-invalid"}),
    ("list_no_contact_requests", {"query": {"party": "x"}}, {"unknown-field"}),
    ("erase_no_contact_request", {"request_id": new_id()}, {"request-unknown"}),
    ("request_erasure", {"subject_type": "issue", "subject_id": new_id(), "reason": "x"}, {"not-found"}),
    ("request_erasure", {"subject_type": "individual", "subject_id": "x", "reason": "x"}, {"not-found"}),
    ("request_erasure", {"subject_type": "individual", "subject_id": new_id(), "reason": ""}, {"invalid"}),
    ("request_erasure", {"subject_type": "individual", "subject_id": new_id(), "reason": "x\x00"}, {"invalid"}),
    ("read_erasure", {"erasure_id": new_id()}, {"erasure-unknown"}),
    ("decide_hits", {"erasure_id": new_id(), "body": {"all": True, "decision": "redact"}}, {"privacy-officer-only"}),
    ("decide_hits", {"erasure_id": new_id(), "body": {"hit_id": new_id(), "decision": "keep"}}, {"invalid"}),
    ("decide_hits", {"erasure_id": new_id(), "body": {}}, {"invalid"}),
    ("list_hits", {"erasure_id": new_id()}, {"privacy-officer-only"}),
    ("list_hits", {"erasure_id": new_id(), "query": {"limit": "0"}}, {"invalid"}),
    ("list_sample", {}, {"privacy-officer-only"}),
    ("list_sample", {"query": {"since": "lately"}}, {"invalid"}),
    ("place_hold", {"body": {"subject_id": new_id()}}, {"privacy-officer-only"}),
    ("place_hold", {"body": {"subject_id": "x"}}, {"invalid"}),
    ("lift_hold", {"hold_id": new_id()}, {"privacy-officer-only"}),
    ("list_holds", {}, {"privacy-officer-only"}),
    ("list_destructions", {}, {"privacy-officer-only"}),
    ("read_operation", {"operation_id": new_id()}, {"not-found"}),
]


def test_every_bad_request_is_answered_with_its_code(system):
    queries = {"read_no_contact_request", "list_no_contact_requests", "read_erasure", "list_holds", "list_destructions", "read_operation"}
    queries |= {"list_hits", "list_sample"}
    for method, given, codes in BAD:
        assert system.code("chloe", method, command=method not in queries, **given) in codes, (method, given)
    with system.databases["retention"].system_transaction() as connection:
        for table in ("no_contact_requests", "erasures", "holds"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0


@pytest.mark.requirement("R119", "R122")
def test_without_an_audit_entry_nothing_is_answered_and_nothing_erased(system):
    """P6: the insert of the entry fails; every method answers 503 and nothing else, and nothing is done."""
    request = system.open()
    erasure_id, subject = new_id(), World.person
    for username in ("amina", "farid"):
        system.ask(username, "list_tasks")
    methods = [
        ("amina", "read_no_contact_request", {"request_id": request["id"]}),
        ("amina", "list_no_contact_requests", {}),
        ("amina", "list_tasks", {}),
        ("amina", "erase_no_contact_request", {"request_id": request["id"]}),
        ("amina", "request_erasure", {"subject_type": "individual", "subject_id": subject, "reason": "mistake", "if_match": '"the etag"'}),
        ("amina", "read_erasure", {"erasure_id": erasure_id}),
        ("denis", "open_no_contact_request", {"request_id": new_id(), "individual_id": subject, "medium": "phone", "received_on": "2026-11-20"}),
        ("farid", "place_hold", {"body": {"subject_id": subject}}),
        ("farid", "list_holds", {}),
        ("farid", "list_destructions", {}),
        ("farid", "list_hits", {"erasure_id": erasure_id}),
        ("farid", "decide_hits", {"erasure_id": erasure_id, "body": {"all": True, "decision": "redact"}}),
        ("farid", "list_sample", {}),
    ]
    owner = create_engine(as_url(system.addresses["retention"].owner), poolclass=NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql("REVOKE INSERT ON entries FROM liaison_retention")
    for username, method, given in methods:
        assert system.code(username, method, command=True, **given) == "unavailable", method
    with owner.begin() as connection:
        for table in ("erasures", "holds"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
        connection.exec_driver_sql("GRANT INSERT ON entries TO liaison_retention")
    owner.dispose()
    assert World.erased == []
    assert system.ask("amina", "read_no_contact_request", request_id=request["id"])["state"] == "open"


def test_the_saga_is_nobodys_but_retentions(system):
    for service, method in (("contacts", "erase"), ("contacts", "seal"), ("interactions", "erase")):
        given = {"erasure_id": new_id(), "individual_id": World.person, "cause": "no_contact"}
        passport = system.client.call("access", "open_session", {"token": system._token("amina")})["passports"][service]
        with pytest.raises(Refusal):
            system.client.call(service, method, given, passport=passport)
    assert World.erased == []
