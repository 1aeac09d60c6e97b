"""Requests that schemathesis makes from the document, and the errors that it finds in the answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup

from gateway.refusals import rows
from services.chassis.messages import new_id

#: JSON Schema cannot say which issue there is, which version is the present one, or what screening stops, so that what it
#: allows may be refused. Instead each refusal has to be one of the table, with its status.
LEFT_OUT = frozenset({"positive_data_acceptance"})
#: Whoever asks without a session is limited by address; a proxy that the system trusts says one for each request.
_ADDRESSES = itertools.count()


@dataclass(slots=True)
class Found:
    """The answers of one operation."""

    operation: str
    asked: int = 0
    #: What was wrong, each with the first request that showed it.
    wrong: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Describe the errors for a developer."""
        return "\n".join(f"{self.operation}: {what}\n    {request}" for what, request in self.wrong.items())


def fuzz(document: dict[str, Any], base: str, token: Callable[[], str], *, examples: int, seed: int) -> Iterator[Found]:
    """Send requests to every operation of the document.

    :param token: called for a session's token before each operation, because one of them ends the session.
    """
    load_all_checks()
    checks = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]
    codes = {(code, status) for code, status, _, _ in rows()}
    for loaded in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = loaded.ok()
        yield _fuzz_one(operation, base, token(), checks, codes, hypothesis.seed(seed), examples)


def _fuzz_one(
    operation: Any,
    base: str,
    bearer: str,
    checks: list[Any],
    codes: set[tuple[str, int]],
    seeded: Callable[[Any], Any],
    examples: int,
) -> Found:
    found = Found(operation.label)

    @seeded
    @hypothesis.settings(max_examples=examples, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        found.asked += 1
        n = next(_ADDRESSES)
        headers = {"Authorization": f"Bearer {bearer}"}
        # In the request itself, so that a check that asks again without a session comes from there, too.
        case.headers["X-Forwarded-For"] = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        if operation.method == "post":
            headers["Idempotency-Key"] = new_id()
        try:
            answer = case.call(base_url=base, headers=headers, timeout=30)
            if answer.status_code >= requests.codes.bad_request and (answer.json().get("code"), answer.status_code) not in codes:
                found.wrong.setdefault(f"{answer.status_code} {answer.text[:200]} is not in the table of refusals", case.as_curl_command()[:600])
            case.validate_response(answer, checks=checks, headers=headers)
        except (FailureGroup, Failure) as failed:
            for failure in getattr(failed, "exceptions", [failed]):
                found.wrong.setdefault(f"{type(failure).__name__}: {failure}"[:600], case.as_curl_command()[:600])
        except requests.RequestException as failed:
            found.wrong.setdefault(f"{type(failed).__name__}: {failed}"[:300], case.as_curl_command()[:600])

    one()
    return found
