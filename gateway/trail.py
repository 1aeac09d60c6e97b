"""Records the gateway's own refusals in the audit trail before it answers with them."""

from __future__ import annotations

from flask import g, request

from gateway.context import app_context
from gateway.errors import TooManyRefusals, TrailUnavailable, status_of
from gateway.proxies import network_of
from services.chassis.messages import Refusal

#: Statuses of refusals that are recorded; 5xx are errors of the system, for which there are other alarms.
RECORDED = frozenset({401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 428, 429})


def recorded(refusal: Refusal) -> Refusal:
    """Record a refusal once, and return it, or a refusal that says that the trail cannot be written."""
    if getattr(refusal, "recorded", False):
        return refusal
    try:
        record(refusal.code, status_of(refusal))
    except Refusal:
        return TrailUnavailable()
    refusal.recorded = True  # type: ignore[attr-defined]  # a refusal is recorded once
    return refusal


def record(code: str, status: int) -> None:
    """Record a refusal by the name of its route and its code, never by its path, query or body.

    :raises Refusal: it cannot be recorded, so it must not be answered.
    """
    if status not in RECORDED:
        return
    # Access writes one entry per anonymous source and minute, and counts the others. It hears of limited requests once a
    # minute too, because each of them would cost it a call.
    if code == TooManyRefusals.code and not app_context().limited_entries.allow(source()):
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
    """Return the source that the request counts for: an IPv4 address, or an IPv6 network of 64 bits."""
    return network_of(request.remote_addr or "")
