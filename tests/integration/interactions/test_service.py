"""Running interactions on the in-process broker, between stand-ins of access and contacts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import services.interactions
from services.chassis.config import Settings
from services.chassis.database import note_audited
from services.chassis.entrypoints import DatabaseProvider, rpc
from services.chassis.entrypoints.consumers import AnnouncementHandler
from services.chassis.messages import Caller, Conflict, Forbidden, Invalid, NotFound, Operation, new_id
from services.chassis.passport import PassportSigner, PassportVerifier
from services.chassis.runtime.process import Services, compose, declare_topology, topics_handled_by, topology_of
from services.chassis.transport.embedded import register
from services.chassis.transport.rpc_client import RpcClient
from services.contacts.contract.announcements import IndividualFrozen
from services.interactions.service import InteractionsService
from tests.cast import AMINA, CHLOE
from tests.support import Databases, eventually
from tests.support.announcing import announce
from tests.support.keys import pem_of

KNOWN_TO_CONTACTS = new_id()


class Access:
    """Stands in for access: every session lives, and passports are exchanged."""

    name = "access"
    signer: PassportSigner
    verifier: PassportVerifier

    @rpc("access:session:check", identity="anonymous")
    def check_session(self, caller: Caller, session_id: str, policy_version: str | None = None) -> dict[str, Any]:
        note_audited()
        return {"lives": True}

    @rpc("access:passport:exchange", identity="anonymous")
    def exchange(self, caller: Caller, passport: str, audience: str, service: str, secret: str) -> dict[str, str]:
        note_audited()
        bearer = self.verifier.verify(passport, datetime.now(UTC))
        return {"passport": self.signer.issue(bearer, audience, datetime.now(UTC))[0]}


class Contacts:
    """Stands in for contacts, which knows one individual."""

    name = "contacts"
    database = DatabaseProvider()
    asked: ClassVar[list[str]] = []

    @rpc("contacts:individual:read", subject="individual_id")
    def read_individual(self, caller: Caller, individual_id: str) -> dict[str, Any]:
        self.asked.append(individual_id)
        if individual_id != KNOWN_TO_CONTACTS:
            raise NotFound
        with self.database.work(caller) as work:
            work.record("contacts:individual:read", subjects=[individual_id])
        return {
            "id": individual_id,
            "state": "TX",
            "organization_id": None,
            "owner": {"user": AMINA.id, "component": "ICE"},
            "frozen": False,
        }


class Running:
    """The three of them, and a client in the gateway's place."""

    def __init__(self, database_url: str) -> None:
        register()
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.signer = PassportSigner(private)
        Access.signer, Access.verifier = self.signer, PassportVerifier(public, "interactions")
        self.broker = broker = f"embedded://interactions-{new_id()[-12:]}"

        def process(service: str) -> Any:
            url = "" if service == "access" else database_url
            return compose(
                Settings(
                    service=service,
                    database_url=url,
                    broker_url=broker,
                    service_key=pem_of(service),
                    passport_public_key=public,
                    cursor_key="A" * 43 + "=",
                    pool_size=3,
                )
            )

        parts = [(one, process(one.name)) for one in (Access, Contacts, InteractionsService)]
        declare_topology(parts[0][1].address, topology_of([Access, Contacts, InteractionsService]))
        self.services = Services(parts)
        self.client = RpcClient(parts[0][1].address, identity="gateway")
        assert self.services.start(seconds=20)
        self.client.start()
        assert self.client.wait_up(20)

    def call(self, by: Caller, method: str, *, key: str | None = None, body_hash: str = "x", service: str = "interactions", **given: Any) -> Any:
        """Call a method as the gateway does."""
        passport = self.signer.issue(by, service, datetime.now(UTC))[0]
        operation = Operation(new_id(), "POST", f"/{method}", key, body_hash)
        return self.client.call(service, method, given, passport=passport, trace_id=new_id(), operation=operation)


@pytest.fixture(scope="module")
def running(databases: Databases) -> Iterator[Running]:
    """Interactions as it runs."""
    addresses = databases.make("interactions")
    running = Running(addresses.runtime)
    yield running
    running.client.stop()
    running.services.stop()
    databases.drop(addresses)


def a_call(**given: Any) -> dict[str, Any]:
    """Return the body of a call just held."""
    return {"held_at": "2026-11-20T14:00:00Z", "mode": "phone", "individual_ids": [KNOWN_TO_CONTACTS], **given}


@pytest.mark.requirement("R74")
def test_an_individual_whose_announcement_is_late_is_asked_for_and_logged_once_per_key(running: Running) -> None:
    first = running.call(AMINA, "create_interaction", key="k", body=a_call())
    again = running.call(AMINA, "create_interaction", key="k", body=a_call())
    assert again == first
    assert Contacts.asked == [KNOWN_TO_CONTACTS]
    assert running.call(CHLOE, "list_interactions", query={"individual_id": KNOWN_TO_CONTACTS})["total"] == 1
    with pytest.raises(Conflict) as other:
        running.call(AMINA, "create_interaction", key="k", body_hash="y", body=a_call(mode="email"))
    assert other.value.code == "idempotency-mismatch"


def test_whoever_contacts_does_not_know_is_refused_by_field(running: Running) -> None:
    with pytest.raises(Invalid) as refused:
        running.call(AMINA, "create_interaction", body=a_call(individual_ids=[new_id()]))
    assert refused.value.errors is not None
    assert list(refused.value.errors) == ["individual_ids"]
    with pytest.raises(Invalid) as unknown:
        running.call(AMINA, "create_interaction", body=a_call(party="x"))
    assert unknown.value.code == "unknown-field"


def test_what_an_operation_came_to_is_told_to_its_user_alone(running: Running) -> None:
    passport = running.signer.issue(AMINA, "interactions", datetime.now(UTC))[0]
    operation = Operation(new_id(), "POST", "/issues", None, "x")
    body = {"name": "Worksite enforcement", "priority": "immigration"}
    issue = running.client.call("interactions", "create_issue", {"body": body}, passport=passport, trace_id=new_id(), operation=operation)
    told = running.call(AMINA, "read_operation", operation_id=operation.id)
    assert told == {"operation_id": operation.id, "status": 201, "subject_id": issue["id"]}
    with pytest.raises(NotFound):
        running.call(CHLOE, "read_operation", operation_id=operation.id)


def test_erasing_is_for_the_saga_alone(running: Running) -> None:
    given = {"erasure_id": new_id(), "individual_id": new_id(), "cause": "mistake"}
    with pytest.raises(Forbidden):
        running.call(AMINA, "erase", **given)
    assert all(receipt["left"] == 0 for receipt in running.call(Caller.service("retention"), "erase", **given)["receipts"])


@pytest.mark.requirement("T21", "R170")
def test_what_contacts_announces_takes_effect_here(running: Running) -> None:
    running.call(AMINA, "create_interaction", body=a_call())
    announce(running.broker, IndividualFrozen(KNOWN_TO_CONTACTS, new_id(), "phone", "2026-11-23", CHLOE.id, CHLOE.component))

    def is_refused() -> bool:
        try:
            running.call(AMINA, "create_interaction", body=a_call())
        except Conflict as refused:
            return refused.code == "individual-frozen"
        return False

    eventually(is_refused, why="the freezing is heard")


def test_it_listens_to_all_that_its_docstring_says() -> None:
    said = (services.interactions.__doc__ or "").partition("listens to:")[2]
    named = {
        entrypoint.announcement
        for method in vars(InteractionsService).values()
        for entrypoint in getattr(method, "nameko_entrypoints", ())
        if isinstance(entrypoint, AnnouncementHandler)
    }
    assert {announcement.routing_key() for announcement in named} <= set(topics_handled_by(InteractionsService))
    assert set(re.findall(r"(?:[A-Z][a-z]+){2,}", said)) == {announcement.__name__ for announcement in named}
