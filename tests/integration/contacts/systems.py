"""Components' own systems: contacts running between a stand-in of access and two systems, on any broker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.access.contract import UserUnknown
from services.chassis.config import Settings
from services.chassis.database import note_audited
from services.chassis.entrypoints import rpc
from services.chassis.messages import Caller, Unavailable, new_id
from services.chassis.passport import PassportSigner
from services.chassis.runtime.process import Services, compose, declare_topology, topology_of
from services.chassis.transport.connection import Address, BrokerConnection, Delivery
from services.contacts.contract.integrations import account_of, announcements_of, replies_of, topology
from services.contacts.service import ContactsService
from services.contacts.storage.contact_layer import ContactLayer
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring, Vault
from tests.cast import AMINA, BRUNO, CHLOE
from tests.integration.access.conftest import a_key
from tests.integration.contacts.conftest import Desk
from tests.support import eventually
from tests.support.keys import pem_of

COMPONENTS = ("ICE", "PSO")
CONTRIBUTORS = {("integration.ICE", "amina"): AMINA, ("integration.ICE", "bruno"): BRUNO, ("integration.PSO", "chloe"): CHLOE}


class Access:
    """Stands in for access: issues passports, and knows who may own."""

    name = "access"
    signer: PassportSigner
    away = 0

    @rpc("access:passport:service", identity="anonymous")
    def service_passport(self, caller: Caller, service: str, secret: str, audience: str) -> dict[str, str]:
        note_audited()
        return {"passport": self.signer.issue(Caller.service(service), audience, datetime.now(UTC))[0]}

    @rpc("access:integration:owner", identity="contacts")
    def integration_owner(self, caller: Caller, account: str, username: str) -> dict[str, Any]:
        if Access.away:
            Access.away -= 1
            raise Unavailable
        owner = CONTRIBUTORS.get((account, username))
        if owner is None:
            raise UserUnknown
        note_audited()
        return {"component": owner.component, "user": {"id": owner.id, "username": username}}


class System:
    """One component's own system, with its own connection."""

    def __init__(self, address: Any, component: str) -> None:
        self.component = component
        self.replies: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []
        self._broker = BrokerConnection(address, name=account_of(component), on_connect=self._prepare)
        self._broker.start()
        assert self._broker.wait_up(10)

    def _prepare(self, channel: Any) -> None:
        for queue, kept in ((replies_of(self.component), self.replies), (announcements_of(self.component), self.told)):

            def receive(raw: Any, kept: list[dict[str, Any]] = kept) -> None:
                delivery = Delivery(raw, channel)
                kept.append(json.loads(delivery.body))
                delivery.ack()

            channel.basic_consume(queue=queue, callback=receive, consumer_tag=new_id())

    def send(
        self,
        body: bytes,
        *,
        content_type: str | None = "application/cloudevents+json",
        headers: Mapping[str, Any] | None = None,
        message_id: str | None = None,
    ) -> None:
        """Publish to the component's exchange."""
        message = self._broker.channel.prepare_message(
            body,
            content_type=content_type,
            headers=dict(headers or {}),
            properties={"delivery_mode": 2, **({"message_id": message_id} if message_id else {})},
        )
        self._broker.channel.basic_publish(message, exchange=account_of(self.component), routing_key="")

    def submit(self, *, id: str | None = None, type: str = "individual.submitted", **data: Any) -> str:  # noqa: A002 - CloudEvents' words
        """Submit an individual; return the message's id."""
        event_id = id or new_id()
        event = {"specversion": "1.0", "id": event_id, "source": "urn:ice:crm", "type": type, "data": data}
        self.send(json.dumps(event).encode())
        return event_id

    def answer(self, event_id: str | None, *, nth: int = 1) -> dict[str, Any]:
        """Wait for the n-th answer to a message."""

        def found() -> list[dict[str, Any]]:
            return [reply for reply in self.replies if reply["data"]["submission_id"] == event_id][nth - 1 : nth]

        return eventually(found, why=f"the answer to {event_id}")[0]

    def heard(self, individual_id: str) -> list[str]:
        """Return the types of announcements about an individual."""
        return [event["type"] for event in self.told if event["subject"] == individual_id]

    def close(self) -> None:
        """Close the connection."""
        self._broker.stop()


class Running:
    """Contacts as it runs, with the systems of ICE and of the Private Sector Office."""

    def __init__(self, desk: Desk, url_of: Callable[[str], str]) -> None:
        """Start it; `url_of` has the broker's address for each user."""
        self.desk = desk
        private, public = a_key()
        Access.signer = PassportSigner(private)
        Access.away = 0
        key = "A" * 43 + "="
        settings = Settings(
            service="contacts",
            database_url=desk.addresses.runtime,
            keys_database_url=desk.keys.runtime,
            broker_url=url_of("contacts"),
            service_key=pem_of("contacts"),
            passport_public_key=public,
            vault_master_key=key,
            digest_key=key,
            cursor_key=key,
            pool_size=4,
            integrations="PSO, ICE",
        )
        access = Settings(
            service="access",
            database_url=desk.addresses.runtime,
            broker_url=url_of("access"),
            passport_public_key=public,
            service_key=pem_of("access"),
        )
        parts = [(Access, compose(access)), (ContactsService, compose(settings))]
        deployer = Address(url=url_of("deployer"))
        declare_topology(deployer, topology_of([Access, ContactsService]))
        declare_topology(deployer, topology(COMPONENTS))
        # The desk works with the service's own keys, so that both know the same digests.
        self.vault = Vault(desk.keys.runtime, Keyring.read(key))
        desk.layer = ContactLayer(self.vault, Digests(Keyring.read(key)))
        self.services = Services(parts)
        assert self.services.start(seconds=20)
        self.ice, self.pso = (System(Address(url=url_of(account_of(one))), one) for one in COMPONENTS)

    def stop(self) -> None:
        """Stop everything."""
        self.ice.close()
        self.pso.close()
        self.services.stop()
        self.vault.close()

    def rows(self, statement: str, **given: Any) -> list[Any]:
        """Query the database."""
        return self.desk.rows(statement, **given)


def a_name() -> dict[str, Any]:
    """Return the name of somebody who was not submitted before."""
    name = "".join(sign for sign in new_id()[-12:] if sign.isalpha()) + "quill"
    return {"first_name": "Dov", "last_name": name.capitalize()}


def a_person(**more: Any) -> dict[str, Any]:
    """Return the data of somebody who was not submitted before."""
    return {"owner": "amina", **a_name(), "state": "TX", **more}
