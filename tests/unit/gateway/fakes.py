"""A bus with canned answers, which remembers what was said on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.chassis.messages import Operation, Refusal
from services.chassis.revocations import Revocations

TOKEN = "a-token-of-amina"
AMINA = "0197f2a0-0000-7000-8000-000000000001"
STATEMENTS = ["One.", "Two.", "Three."]


#: What is asked beside something else, and answered with nothing where a test cans no other answer.
QUIET: Mapping[tuple[str, str], Any] = {("contacts", "find_frozen"): {"items": [], "next": None, "total": 0}}


@dataclass(frozen=True)
class Said:
    """One call."""

    service: str
    method: str
    kwargs: Mapping[str, Any]
    passport: str | None
    trace_id: str | None
    operation: Operation | None


@dataclass
class FakeBus:
    """Answers by (service, method): a value, a refusal to raise, or a function of the arguments."""

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    def call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        *,
        passport: str | None = None,
        trace_id: str | None = None,
        operation: Operation | None = None,
    ) -> Any:
        """Remember the call and answer it."""
        self.said.append(Said(service, method, dict(kwargs), passport, trace_id, operation))
        answer = self.answers.get((service, method), QUIET.get((service, method)))
        if isinstance(answer, Refusal):
            raise answer
        if callable(answer):
            return answer(**kwargs)
        if answer is None and (service, method) != ("access", "record_refusal"):
            message = f"no answer is canned for {service}.{method}"
            raise AssertionError(message)
        return answer

    def of(self, service: str, method: str) -> list[Said]:
        """Return the calls of one method."""
        return [said for said in self.said if (said.service, said.method) == (service, method)]


def session(*, acknowledged: bool = True, component: str | None = "ICE", roles: list[str] | None = None) -> dict[str, Any]:
    """Return a session in access's format."""
    user = {
        "id": AMINA,
        "username": "amina",
        "name": "Amina Adler",
        "component": component,
        "level": "contributor",
        "roles": roles or [],
    }
    return {
        "session_id": "0197f2a0-0000-7000-8000-0000000000aa",
        "user": user,
        "component": component,
        "level": "contributor",
        "roles": roles or [],
        "acknowledged": acknowledged,
        "statements": STATEMENTS,
        "statements_version": "2.4-1",
        "expires_at": "2026-11-23T02:00:00Z",
        "idle_expires_at": "2026-11-22T14:15:00Z",
    }


def opened(*, acknowledged: bool = True, roles: list[str] | None = None) -> dict[str, Any]:
    """Return the answer of `open_session`."""
    audiences = ("access", "contacts", "interactions", "retention", "audit") if acknowledged else ("access",)
    return {
        "session": session(acknowledged=acknowledged, roles=roles),
        "passports": {audience: f"passport-for-{audience}" for audience in audiences},
    }


def heard() -> Revocations:
    """Return revocations that have just heard access."""
    revocations = Revocations()
    revocations.hear(1, [], "1")
    return revocations
