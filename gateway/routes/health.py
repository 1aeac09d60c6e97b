"""Health probes for anybody, and metrics for operators with the token; neither contains data."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram

from gateway.context import app_context
from services.chassis import metrics as measured

blueprint = Blueprint("health", __name__)

requests = Counter(
    "liaison_http_requests_total",
    "Requests by route, method and status.",
    ("route", "method", "status"),
    registry=measured.registry,
)
seconds = Histogram("liaison_http_seconds", "How long an answer took.", ("route",), registry=measured.registry)


@blueprint.get("/health/live")
def live() -> Response:
    """Answer that the process is alive."""
    return Response('{"status":"live"}', content_type="application/json")


@blueprint.get("/health/ready")
def ready() -> Response:
    """Answer whether the heartbeat of access arrives through the bus."""
    if app_context().revocations.is_current:
        return Response('{"status":"ready"}', content_type="application/json")
    return Response('{"status":"waiting for access"}', status=503, content_type="application/json")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer with the metrics in the Prometheus text format."""
    return Response(measured.text(), content_type=CONTENT_TYPE_LATEST)


def count(route: str | None, method: str, status: int, took: float) -> None:
    """Count a response under the name of its route, because a path may contain a person's id."""
    name = route or "no-such-address"
    requests.labels(name, method, str(status)).inc()
    seconds.labels(name).observe(took)
