"""Both stories of the PIA's overview, by hand in a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system import running


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.requirement("R103", "R105", "R148", "T29")
def test_coming_and_going_loses_nothing_and_gives_nothing_away(tmp_path: Path) -> None:
    _told("coming_and_going.py", tmp_path, seed="demo")


@pytest.mark.browser
@pytest.mark.timeout(300)
@pytest.mark.requirement("R73", "R86", "R105", "R154", "R164", "R165", "R187", "R14")
def test_both_stories_can_be_done_by_hand_in_a_browser_without_scripts(tmp_path: Path) -> None:
    _told("by_hand.py", tmp_path)


def _told(program: str, tmp_path: Path, **given: str) -> None:
    """Run a program of a browser against a system of its own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        assert not os.environ.get("CI"), "there is no Chromium"
        pytest.skip("there is no Chromium on this machine")
    with running("embedded", tmp_path / "state", **given) as system:
        told = subprocess.run(
            [sys.executable, str(Path(__file__).with_name(program)), system.base, str(system.data / "demo-accounts.json"), chromium],
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert told.returncode == 0, told.stderr[-4000:]
