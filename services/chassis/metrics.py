"""Prometheus metrics of one process, labeled with method names and codes, never with ids or values."""

from __future__ import annotations

import resource

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

registry = CollectorRegistry()

calls = Histogram(
    "liaison_call_seconds",
    "Time that a call took in the service, by method and outcome (ok, a refusal's code, internal).",
    ["service", "method", "outcome"],
    registry=registry,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
announcements = Counter(
    "liaison_announcements_total",
    "Announcements received, by what became of them (done, known, retried, dead-lettered).",
    ["service", "announcement", "outcome"],
    registry=registry,
)
ticks = Counter("liaison_ticks_total", "Timed work, by outcome.", ["service", "method", "outcome"], registry=registry)
dropped_calls = Counter("liaison_dropped_calls_total", "Calls that nobody could have answered.", ["service", "reason"], registry=registry)
dead_letters = Counter("liaison_dead_letters_total", "Messages put aside for an operator: an alarm.", ["service", "reason"], registry=registry)
shipped = Counter("liaison_shipped_total", "Outbox rows that the broker confirmed.", ["service"], registry=registry)
oldest_waiting = Gauge("liaison_outbox_oldest_seconds", "Age of the oldest row not shipped: alarm at 60.", ["service"], registry=registry)
memory = Gauge("liaison_resident_kibibytes", "Largest resident memory of this process.", registry=registry)
memory.set_function(lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def text() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return generate_latest(registry)
