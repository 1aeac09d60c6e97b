"""A system that runs already, wherever it is: `LIAISON_SYSTEM` is its address, `LIAISON_ACCOUNTS` the file of its
demonstration accounts, `LIAISON_COMMAND` how its operator's command line is started.

    LIAISON_SYSTEM=https://localhost:8080 REQUESTS_CA_BUNDLE=deploy/secrets/tls_authority LIAISON_ACCOUNTS=accounts/demo-accounts.json \
    LIAISON_COMMAND='docker compose -f deploy/compose.yaml run --rm -T operator' pytest tests/journeys/test_outreach.py
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


def is_given(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the journeys are to go to a system that runs already."""
    return "LIAISON_SYSTEM" in environ


class Deployed:
    """What the journeys need to know of it."""

    #: The operator's container knows where everything is.
    audit_arguments: tuple[str, ...] = ()

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.base = environ["LIAISON_SYSTEM"].rstrip("/")
        self.liaison = shlex.split(environ.get("LIAISON_COMMAND", f"{sys.executable} -m deploy.cli"))
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._accounts: list[dict[str, Any]] = json.loads(Path(environ["LIAISON_ACCOUNTS"]).read_text())

    def account(self, component: str | None = None, level: str | None = None, index: int = 0, *, role: str | None = None) -> dict[str, Any]:
        fitting = [
            account
            for account in self._accounts
            if (component is None or account["component"] == component)
            and (level is None or account["level"] == level)
            and (role in account["roles"] if role else not account["roles"])
        ]
        return dict(fitting[index])
