"""`python -m deploy.health`: check the process in this container, from its settings, for container health checks.

A service touches its HEALTH_FILE while it is connected and its database answers. The gateway answers over HTTP or HTTPS.
This imports only the standard library, because it runs every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

#: The greatest age of a health file in seconds; services touch it every five.
OLDEST = 30.0
_WITHIN = 4.0
#: The host name that the gateway's certificate must have.
GATEWAY_NAME = "gateway"


def why_unwell(environ: Mapping[str, str]) -> str | None:
    """Return a sentence with the problem, or None."""
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
            # Set before the handshake, so that the socket is closed if that fails.
            self.sock = secured = context.wrap_socket(self.sock, server_hostname=GATEWAY_NAME, do_handshake_on_connect=False)
            secured.do_handshake()

    return Inside("127.0.0.1", port, timeout=_WITHIN)


if __name__ == "__main__":
    sys.exit(why_unwell(os.environ))
