"""Contacts over the bus: its answers, and the code of every bad input."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import text

from services.chassis.config import Settings
from services.chassis.entrypoints.context import Process
from services.chassis.messages import Announcement, Caller, Operation, Refusal, entity_tag, new_id
from services.chassis.passport import PassportSigner
from services.chassis.runtime.process import Services, compose, declare_topology, topology_of
from services.chassis.transport.embedded import register
from services.chassis.transport.rpc_client import RpcClient
from services.contacts.service import ContactsService
from services.interactions.contract.announcements import InteractionLogged, IssueRegistered
from tests.cast import AMINA, BRUNO, CHLOE, DOV, EDDA, GRACE, RENATA, UNACKNOWLEDGED
from tests.support import Databases, eventually
from tests.support.announcing import announce
from tests.support.keys import pem_of

RETENTION = Caller.service("retention")
CARD = DOV.body(
    organization=DOV.organization,
    contact_points=[{"kind": "cell", "value": DOV.cell}, {"kind": "email", "value": DOV.email}],
)
GRANT = {"component": "PSO", "reason": "A joint visit.", "expires_at": "2099-01-01T00:00:00Z"}
FILE = b"Last name,Title\nQuill,Director\n"


@dataclass
class Running:
    """Running contacts, and a client in the gateway's place."""

    process: Process
    services: Services
    client: RpcClient
    signer: PassportSigner
    entries_before: int = field(default=0)
    operation_id: str = ""

    def call(self, by: Caller, method: str, /, *, idempotency: str | None = None, body_hash: str = "none", **kwargs: Any) -> Any:
        """Call a method as the gateway does, with somebody's passport."""
        # Access is not there to say that sessions live: its last heartbeat is always this moment.
        self.process.revocations.hear(1, [], "1")
        passport, _ = self.signer.issue(by, "contacts", datetime.now(UTC))
        self.operation_id = new_id()
        operation = Operation(self.operation_id, "POST", f"/{method}", idempotency, body_hash)
        return self.client.call("contacts", method, kwargs, passport=passport, trace_id=new_id(), operation=operation)

    def outcome(self, by: Caller) -> tuple[int, str | None]:
        """Return the outcome of the last operation, as a client that lost its answer asks."""
        found = self.call(by, "read_operation", operation_id=self.operation_id)
        return found["status"], found["subject_id"]

    def code(self, by: Caller, method: str, /, **kwargs: Any) -> str:
        """Return the code with which a call is refused."""
        with pytest.raises(Refusal) as refused:
            self.call(by, method, **kwargs)
        return refused.value.code

    def tell(self, announcement: Announcement) -> None:
        """Send an announcement as its service."""
        announce(self.process.settings.broker_url, announcement)

    def entries(self) -> list[dict[str, Any]]:
        """Return the audit entries."""
        with self.process.open_database().system_transaction() as connection:
            return list(connection.execute(text("SELECT body FROM entries WHERE n > 0 ORDER BY created_at, n")).scalars())


@pytest.fixture(scope="module")
def running(databases: Databases) -> Iterator[Running]:
    """Contacts as it runs, on the in-process broker."""
    register()
    addresses, keys = databases.make("contacts"), databases.make("keys")
    key = Ed25519PrivateKey.generate()
    secrets = {name: base64.b64encode(os.urandom(32)).decode() for name in ("vault_master_key", "digest_key", "cursor_key")}
    settings = Settings(
        service="contacts",
        database_url=addresses.runtime,
        keys_database_url=keys.runtime,
        broker_url=f"embedded://contacts-{new_id()[-12:]}",
        service_key=pem_of("contacts"),
        passport_public_key=key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        **secrets,
    )
    process = compose(settings)
    declare_topology(process.address, topology_of([ContactsService]))
    services = Services([(ContactsService, process)])
    client = RpcClient(process.address, identity="gateway")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    running = Running(process, services, client, PassportSigner(private))
    assert services.start(seconds=20)
    client.start()
    assert client.wait_up(20)
    yield running
    client.stop()
    services.stop()
    databases.drop(addresses)
    databases.drop(keys)


@pytest.fixture(scope="module")
def dov(running: Running) -> str:
    """Dov, registered by Amina."""
    return str(running.call(AMINA, "register_individual", body=CARD)["id"])


@pytest.mark.requirement("R119", "R120", "R123", "R154")
def test_a_record_is_created_read_revealed_and_every_call_is_an_entry(running: Running, dov: str) -> None:
    assert running.call(CHLOE, "read_individual", individual_id=dov)["last_name"] == DOV.last_name
    assert [item["value"] for item in running.call(BRUNO, "reveal", individual_id=dov)["items"]] == [DOV.cell, DOV.email]
    assert running.call(CHLOE, "reveal", individual_id=dov)["items"] == []
    assert running.call(CHLOE, "search_stakeholders", query={"q": "quillfeather"})["total"] >= 1
    entries = running.entries()
    assert [e["actor"] for e in entries if e["action"] == "contacts:individual:reveal" and dov in e["subjects"]] == [BRUNO.id, CHLOE.id]
    for value in (DOV.cell, DOV.email, DOV.last_name):
        assert value not in str(entries)


@pytest.mark.requirement("R110", "T14", "T19")
def test_refusals_are_coded_and_recorded(running: Running, dov: str) -> None:
    assert running.code(UNACKNOWLEDGED, "read_individual", individual_id=dov) == "acknowledgement-required"
    assert running.code(RENATA, "register_individual", body={"last_name": "Nobody"}) == "contributors-only"
    assert running.code(EDDA, "read_individual", individual_id=dov) == "forbidden"
    assert running.code(CHLOE, "read_individual", individual_id=new_id()) == "individual-unknown"
    assert running.code(CHLOE, "read_individual", individual_id="' OR 1=1") == "individual-unknown"
    assert running.code(CHLOE, "change_individual", individual_id=dov, if_match='"other"', body={"title": "x"}) == "stale"
    assert running.code(CHLOE, "change_individual", individual_id=dov, if_match=None, body={"title": "x"}) == "precondition-missing"
    last = running.entries()[-1]
    assert (last["outcome"], last["rule"], last["subjects"]) == ("refused", "precondition-missing", [dov])


@pytest.mark.requirement("R13")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"last_name": ""},
        {"last_name": "X", "party": "none"},
        {"last_name": "X", "state": "Ontario"},
        {"last_name": "X\x00"},
        {"last_name": "X" * 201},
        {"last_name": "X", "issues": [{"issue_id": "7"}]},
        {"last_name": "X", "contact_points": [{"kind": "fax", "value": "1"}]},
        {"last_name": "X", "contact_points": [{"kind": "cell", "value": "not a number"}]},
        {"last_name": "X", "contact_points": [{"kind": "email", "value": "nobody"}]},
        {"last_name": "X", "organization": "A", "organization_id": "01900000-0000-7000-8000-000000000001"},
        {"last_name": 7},
        {"last_name": ["X"]},
    ],
)
def test_bad_input_is_refused_field_by_field_and_never_repeated(running: Running, body: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        running.call(AMINA, "register_individual", body=body)
    assert refused.value.branch == "invalid"
    assert refused.value.errors
    assert "not a number" not in str(refused.value.to_wire())


def test_the_same_key_and_body_give_the_same_record_and_another_body_is_a_mismatch(running: Running) -> None:
    card = {"first_name": "Ida", "last_name": "Potent"}
    first = running.call(AMINA, "register_individual", body=card, idempotency="k1", body_hash="a")
    again = running.call(AMINA, "register_individual", body=card, idempotency="k1", body_hash="a")
    assert again["id"] == first["id"]
    assert running.code(AMINA, "register_individual", body=card, idempotency="k1", body_hash="b") == "idempotency-mismatch"
    with running.process.open_database().system_transaction() as connection:
        (operation,) = connection.execute(text("SELECT id FROM operations WHERE key = 'k1'")).scalars()
    assert running.call(AMINA, "read_operation", operation_id=str(operation))["subject_id"] == first["id"]
    assert running.code(CHLOE, "read_operation", operation_id=str(operation)) == "not-found"


def test_a_grant_is_given_once_however_often_it_is_asked_for(running: Running, dov: str) -> None:
    first, again = (running.call(GRACE, "grant_contact_points", individual_id=dov, body=GRANT, idempotency="grant") for _ in range(2))
    assert first == again


def test_the_end_of_a_grant_is_an_operation_that_is_done_once(running: Running, dov: str) -> None:
    grant = running.call(GRACE, "grant_contact_points", individual_id=dov, body=GRANT)["id"]
    running.call(GRACE, "revoke_grant", individual_id=dov, grant_id=grant, idempotency="revoke")
    assert running.outcome(GRACE) == (204, dov)
    running.call(GRACE, "revoke_grant", individual_id=dov, grant_id=grant, idempotency="revoke")
    assert running.entries()[-1]["outcome"] == "replayed"


def test_a_change_of_a_note_is_an_operation_that_is_done_once(running: Running, dov: str) -> None:
    note = running.call(AMINA, "add_note", individual_id=dov, body={"text": "He likes trains."})
    given = {"individual_id": dov, "note_id": note["id"], "if_match": entity_tag(note), "body": {"text": "He likes ships."}}
    changed = running.call(AMINA, "change_note", **given, idempotency="change")
    assert running.outcome(AMINA) == (200, note["id"])
    assert running.call(AMINA, "change_note", **given, idempotency="change") == changed


def test_a_deletion_of_a_note_is_an_operation_that_is_done_once(running: Running, dov: str) -> None:
    note = running.call(AMINA, "add_note", individual_id=dov, body={"text": "He likes planes."})
    given = {"individual_id": dov, "note_id": note["id"], "if_match": entity_tag(note)}
    running.call(AMINA, "delete_note", **given, idempotency="delete")
    assert running.outcome(AMINA) == (204, note["id"])
    running.call(AMINA, "delete_note", **given, idempotency="delete")
    assert running.entries()[-1]["outcome"] == "replayed"


def test_each_piece_of_an_upload_is_an_operation(running: Running) -> None:
    started = running.call(AMINA, "create_import", filename="people.csv")["id"]
    running.call(AMINA, "append_import", import_id=started, n=0, chunk=base64.b64encode(FILE).decode())
    assert running.outcome(AMINA) == (200, started)


def test_the_end_of_an_upload_is_an_operation_and_so_is_its_repetition(running: Running) -> None:
    started = running.call(AMINA, "create_import", filename="people.csv")["id"]
    running.call(AMINA, "append_import", import_id=started, n=0, chunk=base64.b64encode(FILE).decode())
    for _ in range(2):
        running.call(AMINA, "finish_import_upload", import_id=started, sha256=hashlib.sha256(FILE).hexdigest())
        assert running.outcome(AMINA) == (200, started)


@pytest.mark.requirement("R55", "R35")
def test_what_interactions_announces_shows_in_the_record_once_however_often_it_comes(running: Running, dov: str) -> None:
    issue = new_id()
    running.tell(IssueRegistered(issue, "immigration", None, active=True))
    talk = InteractionLogged(new_id(), [dov], [], [issue], "PSO", CHLOE.id, "2026-11-20T10:00:00Z", "phone")
    for _ in range(2):
        running.tell(talk)
    seen = eventually(lambda: (r := running.call(CHLOE, "read_individual", individual_id=dov))["last_contacted_at"] and r)
    assert seen["last_contact"] == {"by": CHLOE.id, "component": "PSO", "mode": "phone"}
    assert [(link["issue_id"], link["kind"]) for link in seen["issues"]] == [(issue, "engaged")]
    eventually(lambda: running.call(CHLOE, "search_stakeholders", query={"priority": "immigration"})["total"] == 1)


@pytest.mark.requirement("R165", "N3")
def test_only_retention_erases(running: Running) -> None:
    person = running.call(AMINA, "register_individual", body={"last_name": "Gone", "contact_points": [{"kind": "cell", "value": "956-555-0188"}]})
    erasure = new_id()
    given = {"erasure_id": erasure, "individual_id": person["id"]}
    unsealing: dict[str, Any] = {"erasure_id": erasure, "sealed": "", "key": None}
    closed: list[tuple[str, dict[str, Any]]] = [
        ("erase", {**given, "cause": "no_contact"}),
        ("seek", {**given, **unsealing}),
        ("unseal_key", {"erasure_id": erasure}),
        ("show_mentions", {**unsealing, "places": []}),
        ("namesake", unsealing),
        ("close_erasure", given),
    ]
    for method, more in closed:
        assert running.code(AMINA, method, **more) == "identity-refused"
    erased = running.call(RETENTION, "erase", **given, cause="no_contact")
    assert {receipt["left"] for receipt in erased["receipts"]} == {0}
    unsealing = {"sealed": erased["sealed"], "key": running.call(RETENTION, "unseal_key", erasure_id=erasure)["key"]}
    assert running.call(RETENTION, "seek", **given, **unsealing)["hits"] == []
    assert running.call(RETENTION, "erase", **given, cause="no_contact") == erased
    for _ in range(2):
        assert {receipt["left"] for receipt in running.call(RETENTION, "close_erasure", **given)["receipts"]} == {0}
    assert running.call(RETENTION, "unseal_key", erasure_id=erasure)["key"] is None
    assert running.code(RETENTION, "seek", **given, sealed=erased["sealed"], key=None) == "seal-unknown"
    assert running.code(AMINA, "read_individual", individual_id=person["id"]) == "individual-unknown"
    blocked = {"last_name": "Anybody", "contact_points": [{"kind": "personal_phone", "value": "+1 (956) 555-0188"}]}
    for _ in range(20):
        assert running.code(BRUNO, "register_individual", body=blocked) == "blocked"
    assert running.code(BRUNO, "register_individual", body={"last_name": "Innocent"}) == "blocked-too-often"


def test_a_change_means_the_version_that_was_read(running: Running) -> None:
    person = running.call(AMINA, "register_individual", body={"first_name": "Vera", "last_name": "Sion"})
    changed = running.call(CHLOE, "change_individual", individual_id=person["id"], if_match=entity_tag(person), body={"title": "Director"})
    assert changed["title"] == "Director"
    assert running.code(CHLOE, "change_individual", individual_id=person["id"], if_match=entity_tag(person), body={"title": "x"}) == "stale"
