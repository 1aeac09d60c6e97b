"""A user of the HTTP API in the journeys."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from tests.support import eventually


def _session() -> requests.Session:
    session = requests.Session()
    # Looking for a proxy in the environment, again for each request, is a third of what it costs to send one.
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    return session


@dataclass(frozen=True)
class Told:
    """One request with its answer."""

    method: str
    path: str
    status: int
    trace_id: str
    user: str | None


@dataclass
class Person:
    """A user, signed in or not, with every answer they got."""

    base: str
    username: str | None = None
    token: str | None = None
    user: dict[str, Any] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    http: requests.Session = field(default_factory=_session)

    def ask(self, method: str, path: str, *, expect: int | None = None, **given: Any) -> requests.Response:
        """Send one request under /api/v1; fail at once if the status is not the expected one."""
        headers = dict(given.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self.http.request(method, f"{self.base}/api/v1{path}", headers=headers, timeout=40, **given)
        self.told.append(Told(method, path, answer.status_code, answer.headers.get("X-Request-Id", ""), self.user.get("id")))
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """Return the body of a read that must succeed."""
        return self.ask("GET", path, expect=200, params=query).json()

    def post(self, path: str, body: Any = None, *, expect: int = 201, **given: Any) -> Any:
        """Create something, once, however often the network makes us send it."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), **given.pop("headers", {})}
        answer = self.ask("POST", path, expect=expect, json=body, headers=headers, **given)
        return answer.json() if answer.content else None

    def patch(self, path: str, body: Any, *, expect: int = 200) -> Any:
        """Change something in its present version."""
        tag = self.ask("GET", path, expect=200).headers["ETag"]
        answer = self.ask("PATCH", path, expect=expect, json=body, headers={"If-Match": tag})
        return answer.json() if answer.content else None

    def every(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Walk a collection to its end."""
        cursor = None
        while True:
            page = self.get(path, **query, limit=200, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page["next"]
            if not cursor:
                return

    def sign_in(self, account: dict[str, Any], *, acknowledge: bool = True) -> Person:
        """Sign in with a demonstration account and acknowledge the three statements."""
        answer = self.ask(
            "POST",
            "/sessions",
            expect=201,
            json={"username": account["username"], "password": account["password"]},
        ).json()
        self.username, self.token, self.user = account["username"], answer["token"], answer["user"]
        # Whose sign-in it was is known only now.
        self.told[-1] = replace(self.told[-1], user=self.user["id"])
        assert answer["acknowledged"] is False
        assert len(answer["statements"]) == 3
        if acknowledge:
            self.ask("GET", "/individuals", expect=403)
            self.ask(
                "POST",
                "/sessions/current/acknowledgement",
                expect=204,
                json={"statements_version": answer["statements_version"], "accepted": True},
            )
        return self

    def take_in(self, name: str, content: bytes, *, stopped: Callable[[], object] = lambda: None) -> dict[str, Any]:
        """Upload, check and commit a file; return the import, and as `checked` the check's counts.

        :param stopped: called whenever the import was stopped, to let it resume.
        """
        path = f"/imports/{self.ask('POST', '/imports', expect=201, files={'file': (name, content)}).json()['id']}"

        def looked(state: str) -> dict[str, Any] | None:
            now = dict(self.get(path))
            if now["state"] == "stopped":
                stopped()
            return now if now["state"] == state else None

        def done(step: str, state: str) -> dict[str, Any]:
            self.post(f"{path}/{step}", expect=202)
            return eventually(lambda: looked(state), seconds=90, why=f"the import is {state}") or {}

        checked = done("dry-run", "checked")
        return {**done("commit", "committed"), "checked": checked["counts"]}
