"""P26: the whole system runs both stories without a route out, and sends nothing beyond the loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.row("P26")

_NAMESPACE = ["unshare", "--net"]
_STORIES = ["tests/journeys/test_outreach.py", "tests/journeys/test_removal.py"]


@pytest.fixture(scope="module")
def namespaces() -> None:
    """Skip where such a namespace cannot be made."""
    if shutil.which("ip") is None or subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be made here: that nothing calls out was not looked at")


def _cut_off(folder: Path, *command: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    told = folder / "told.json"
    run = [*_NAMESPACE, sys.executable, "-m", "tests.proofs.cut_off", str(told), sys.executable, *command]
    ended = subprocess.run(run, capture_output=True, text=True, check=False)
    return ended, json.loads(told.read_text())


@pytest.mark.requirement("R14")
@pytest.mark.timeout(600)
def test_both_stories_go_without_a_packet_beyond_the_loopback(namespaces: None, tmp_path: Path) -> None:
    ended, sent = _cut_off(tmp_path, "-m", "pytest", "-q", "-k", "embedded", *_STORIES)
    print(ended.stdout[-300:], sent)
    assert ended.returncode == 0, ended.stdout[-3000:]
    assert " passed" in ended.stdout
    assert " skipped" not in ended.stdout
    assert sent["local"] > 1000
    assert sent["beyond"] == []


def test_a_look_up_and_a_connection_are_noticed(namespaces: None, tmp_path: Path) -> None:
    tried = (
        "import socket\n"
        "address = ('192.0.2.7', 443)\n"
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.53', 53))\n"
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'', ('2001:db8::53', 53))\n"
        "line = socket.socket()\n"
        "line.setblocking(False)\n"
        "line.connect_ex(address)\n"
    )
    ended, sent = _cut_off(tmp_path, "-c", tried)
    assert ended.returncode == 0
    assert sent["beyond"] == ["192.0.2.53", "192.0.2.7", "2001:db8::53"]
