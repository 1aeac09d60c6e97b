"""Broker users and their permissions: one user per service, with the least permissions.

RabbitMQ checks three things. *Permissions* are patterns for names of exchanges and queues (configure, write, read). *Topic
permissions* are patterns for routing keys; without them, a user who may bind could bind `#` and read every call. And it
rejects a `user_id` other than the sender's. Services may configure only the queues of their own process; the deployer
declares everything else (`chassis.topology`).
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import TypedDict

from services.chassis.topology import ANNOUNCEMENTS, AUDIT, CALLS, ENTRIES, HEARTBEAT, OPERATOR, call_queue, inbox, retries
from services.contacts.contract.integrations import account_of, consumed_by_contacts
from services.contacts.contract.integrations import permissions as permissions_of_component

VHOST = "liaison"
GATEWAY = "gateway"
ACCESS = "access"
AUDITOR = "audit"
CONTACTS = "contacts"
#: The user that declares the topology at deploy time.
DEPLOYER = "deployer"

#: The services that each service may call. All call access for passports and, after three seconds without a heartbeat, for
#: the state of a session. All call audit for the numbers that a checkpoint covers.
MAY_CALL: Mapping[str, tuple[str, ...]] = {
    "contacts": ("access", "retention", "audit"),
    "interactions": ("access", "contacts", "audit"),
    "access": ("access", "audit"),
    "audit": ("access", "audit"),
    "retention": ("access", "contacts", "interactions", "audit"),
}
_NOTHING = "^$"
_HEX = "[0-9a-f]+"


def users(services: Iterable[str], integrations: Iterable[str] = ()) -> tuple[str, ...]:
    """Return all broker users of an installation; `integrations` are the components with their own systems."""
    return (*sorted(services), GATEWAY, DEPLOYER, OPERATOR, *(account_of(component) for component in sorted(integrations)))


class Definitions(TypedDict):
    """RabbitMQ's definitions file."""

    vhosts: list[dict[str, str]]
    users: list[dict[str, str]]
    permissions: list[dict[str, str]]
    topic_permissions: list[dict[str, str]]


def definitions(
    services: Iterable[str],
    passwords: Mapping[str, str],
    *,
    vhost: str = VHOST,
    integrations: Iterable[str] = (),
    former: Mapping[str, str] | None = None,
) -> Definitions:
    """Return RabbitMQ's definitions: virtual host, users and permissions, without `guest`.

    :param passwords: by user; the result has only their salted hashes.
    :param integrations: codes of the components with their own systems (T13).
    :param former: earlier hashes by user, which are kept for unchanged passwords.
    """
    hashes = former or {}
    components = sorted(integrations)
    known = sorted(services)
    permissions: list[dict[str, str]] = []
    topics: list[dict[str, str]] = []
    for service in known:
        submitted = consumed_by_contacts(components) if service == CONTACTS else []
        permissions.append({"user": service, "vhost": vhost, **_permissions_of(service, also_read=submitted)})
        callees = [name for name in MAY_CALL.get(service, ()) if name in known]
        topics += [
            _topic(service, vhost, CALLS, write=_calls(callees, answers=True), read=rf"^reply\.{service}\.{_HEX}$"),
            _topic(service, vhost, ANNOUNCEMENTS, write=rf"^{service}\.", read=_NOTHING),
        ]
    permissions.append({"user": GATEWAY, "vhost": vhost, **_permissions_of(GATEWAY, is_service=False)})
    topics += [
        _topic(GATEWAY, vhost, CALLS, write=_calls(known, answers=False), read=rf"^reply\.{GATEWAY}\.{_HEX}$"),
        _topic(GATEWAY, vhost, ANNOUNCEMENTS, write=_NOTHING, read=_NOTHING),
    ]
    permissions.append({"user": DEPLOYER, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"})
    permissions.append({"user": OPERATOR, "vhost": vhost, "configure": _NOTHING, "write": r"\.retries$", "read": r"\.dead-letters$"})
    topics += [_topic(OPERATOR, vhost, exchange, write=_NOTHING, read=_NOTHING) for exchange in (CALLS, ANNOUNCEMENTS)]
    for component in components:
        account = account_of(component)
        permissions.append({"user": account, "vhost": vhost, **permissions_of_component(component)})
        topics += [_topic(account, vhost, exchange, write=_NOTHING, read=_NOTHING) for exchange in (CALLS, ANNOUNCEMENTS)]
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            {
                "name": user,
                "password_hash": _hash_again(passwords[user], hashes.get(user)),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
            for user in users(known, components)
        ],
        "permissions": permissions,
        "topic_permissions": topics,
    }


def _permissions_of(user: str, *, is_service: bool = True, also_read: Iterable[str] = ()) -> dict[str, str]:
    own = [rf"rpc\.reply\.{user}\.{_HEX}", rf"heartbeat\.{user}\.{_HEX}"]
    write = [*own, CALLS]
    read = [*own, CALLS, HEARTBEAT]
    if is_service:
        write += [ANNOUNCEMENTS, AUDIT, retries(inbox(user))]
        read += [call_queue(user), inbox(user), *also_read]
    if user == ACCESS:
        write.append(HEARTBEAT)
    if user == AUDITOR:
        write.append(retries(ENTRIES))
        read.append(ENTRIES)
    return {"configure": _any_of(own), "write": _any_of(write), "read": _any_of(read)}


def _calls(callees: Iterable[str], *, answers: bool) -> str:
    names = [rf"{name}\.[a-z0-9_]+" for name in callees]
    if answers:
        names.append(rf"reply\.[a-z]+\.{_HEX}")
    return _any_of(names)


def _any_of(patterns: list[str]) -> str:
    # An unescaped dot in a name also matches other characters, but there are no such names.
    return f"^({'|'.join(patterns)})$" if patterns else _NOTHING


def _topic(user: str, vhost: str, exchange: str, *, write: str, read: str) -> dict[str, str]:
    return {"user": user, "vhost": vhost, "exchange": exchange, "write": write, "read": read}


def password_hash(password: str) -> str:
    """Return RabbitMQ's hash of a password, with a new salt."""
    return _hash(password, salt=os.urandom(4))


def _hash_again(password: str, former: str | None) -> str:
    if former is not None and _hash(password, salt=base64.b64decode(former)[:4]) == former:
        return former
    return password_hash(password)


def _hash(password: str, *, salt: bytes) -> str:
    """Return RabbitMQ's hash of a password: base64 of the salt and the salted SHA-256."""
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
