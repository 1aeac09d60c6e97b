"""There is one code path for both deployments; only a few modules know which one runs."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_KNOWS = re.compile(r"embedded://|\btransport(?:\.| import )embedded\b|\bdeploy\.embedded\b")
#: The broker and the run themselves; the address that is taken where none is given; the command that runs it, and the
#: one that looks into the dead letters of a stopped one.
KNOW = {
    "services/chassis/transport/embedded.py",
    "services/chassis/config.py",
    "deploy/embedded.py",
    "deploy/cli.py",
    "deploy/dead_letters.py",
}


def test_neither_a_service_nor_the_gateway_knows_how_it_is_deployed() -> None:
    sources = [path for part in ("services", "gateway", "deploy") for path in (ROOT / part).rglob("*.py")]
    assert {str(path.relative_to(ROOT)) for path in sources if _KNOWS.search(path.read_text())} == KNOW
