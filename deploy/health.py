"""`python -m deploy.health`: whether the process in this container is well, from its own settings; for health checks.

A service touches its HEALTH_FILE while it is connected and its database answers; the gateway answers over HTTP.
Nothing but the standard library is loaded: it runs every few seconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

#: A service says that it is well every five seconds.
OLDEST = 30.0
_WITHIN = 4.0


def why_unwell(environ: Mapping[str, str]) -> str | None:
    """Return, as a sentence, what is wrong; None if nothing is."""
    if file := environ.get("HEALTH_FILE"):
        try:
            age = time.time() - Path(file).stat().st_mtime
        except FileNotFoundError:
            return "It was not well yet."
        return f"It was well {age:.0f} seconds ago, and not since." if age > OLDEST else None
    address = f"http://127.0.0.1:{environ['LISTEN_PORT']}/health/ready"
    try:
        with urlopen(address, timeout=_WITHIN):
            return None
    except (URLError, OSError) as error:
        return f"{error}."


if __name__ == "__main__":
    sys.exit(why_unwell(os.environ))
