"""A wrong setting is the operator's to mend: the command says which one, and what it has to be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "text"),
    [("WORKERS", "many"), ("SWITCH_INTERVAL", "-7"), ("COOKIE_SECURE", "ture"), ("LOG_LEVEL", "loud"), ("DATABASE_URL", "nonsense"),
     ("TRUSTED_PROXIES", "banana"), ("PROXY_HEADER", "X-Client")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_no_mistake_of_ours(tmp_path: Path, name: str, text: str) -> None:
    command = [sys.executable, "-m", "deploy.cli", "run", "--data", str(tmp_path / "data"), "--port", "0", "--seed", "none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, name: text}, check=False)
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert done.returncode == 1
    assert "made a mistake" not in said
    assert text not in said
    assert {name, "database"} & set(said.replace(";", "").split())
