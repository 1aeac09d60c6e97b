"""`python -m deploy.health`: whether the process in this container is well, from its own settings; for health checks.

A service touches its HEALTH_FILE while it is connected and its database answers; the gateway answers over HTTP, with TLS
by the name that everybody dials. Nothing but the standard library is loaded: it runs every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

#: A service says that it is well every five seconds.
OLDEST = 30.0
_WITHIN = 4.0
#: What the gateway's certificate has to be made out to, whoever made it.
GATEWAY_NAME = "gateway"


def why_unwell(environ: Mapping[str, str]) -> str | None:
    """Return, as a sentence, what is wrong; None if nothing is."""
    if file := environ.get("HEALTH_FILE"):
        try:
            age = time.time() - Path(file).stat().st_mtime
        except FileNotFoundError:
            return "It was not well yet."
        return f"It was well {age:.0f} seconds ago, and not since." if age > OLDEST else None
    connection = _connection(environ)
    try:
        connection.request("GET", "/health/ready")
        status = connection.getresponse().status
    except (HTTPException, OSError) as error:
        return f"{error}."
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"It answers {int(status)}."


def _connection(environ: Mapping[str, str]) -> HTTPConnection:
    port = int(environ["LISTEN_PORT"])
    if not environ.get("LISTEN_CERTIFICATE_FILE"):
        return HTTPConnection("127.0.0.1", port, timeout=_WITHIN)
    import ssl

    class Inside(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            context = ssl.create_default_context(cafile=environ.get("BROKER_AUTHORITY_FILE") or None)
            # Held before it is refused, so that it is closed like any other.
            self.sock = secured = context.wrap_socket(self.sock, server_hostname=GATEWAY_NAME, do_handshake_on_connect=False)
            secured.do_handshake()

    return Inside("127.0.0.1", port, timeout=_WITHIN)


if __name__ == "__main__":
    sys.exit(why_unwell(os.environ))
