"""Refusals that the gateway itself makes go into the trail before they are answered."""

from __future__ import annotations

from flask import g, request

from gateway.context import app_context
from gateway.errors import TooManyRefusals, TrailUnavailable, status_of
from gateway.proxies import network_of
from services.chassis.messages import Refusal

#: Statuses of refusals that are recorded; 5xx are faults, and alarms of another kind.
RECORDED = frozenset({401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 428, 429})


def recorded(refusal: Refusal) -> Refusal:
    """Return what may be answered: the refusal once it is in the trail, else that it cannot be written."""
    if getattr(refusal, "recorded", False):
        return refusal
    try:
        record(refusal.code, status_of(refusal))
    except Refusal:
        return TrailUnavailable()
    refusal.recorded = True  # type: ignore[attr-defined]  # a refusal is recorded once
    return refusal


def record(code: str, status: int) -> None:
    """Put a refusal that the gateway made into the trail: route name and code, never path, query or body.

    :raises Refusal: it cannot be recorded, so nothing may be answered.
    """
    if status not in RECORDED:
        return
    # Access writes one entry per anonymous source and minute and counts the rest; those that were limited here
    # already would still cost it a call each, so of them it hears once a minute.
    if code == TooManyRefusals.code and not app_context().limited_entries.admits(source()):
        return
    g.client.query(
        "access",
        "record_refusal",
        route=request.endpoint or "no-such-address",
        code=code,
        status=status,
        source=source(),
    )


def source() -> str:
    """Return the network that the request came from, as it is counted: an IPv4 address, or 64 bits of an IPv6 one."""
    return network_of(request.remote_addr or "")
