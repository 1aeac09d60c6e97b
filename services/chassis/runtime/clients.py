"""Build the RPC client of a process, with the heartbeats of access."""

from __future__ import annotations

from services.chassis.config import Settings
from services.chassis.messages import Caller
from services.chassis.revocations import Revocations
from services.chassis.transport.connection import Address
from services.chassis.transport.heartbeat import HeartbeatListener
from services.chassis.transport.rpc_client import RpcClient


def address_of(settings: Settings) -> Address:
    """Return the broker address of a process."""
    return Address(url=settings.broker_url, authority=settings.broker_authority_file, known_as=settings.service)


def client_and_revocations(settings: Settings, address: Address) -> tuple[RpcClient, Revocations]:
    """Return a client that is not started, and the ended sessions that it will receive.

    The gateway needs no more than this, since it has no database and no entrypoints.
    """
    revocations = Revocations(lambda caller: _ask_access(client, caller))
    client = RpcClient(
        address,
        identity=settings.service,
        deadline=settings.call_deadline,
        on_connect=HeartbeatListener(revocations, identity=settings.service),
    )
    return client, revocations


def _ask_access(client: RpcClient, caller: Caller) -> bool:
    answer = client.call(
        "access",
        "check_session",
        {"session_id": caller.session_id, "policy_version": caller.policy_version},
        trace_id=caller.trace_id,
        deadline=3.0,
    )
    return bool(answer["lives"])
