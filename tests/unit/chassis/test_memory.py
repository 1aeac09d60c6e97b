"""Tuning is a setting of the process, and none of it is hidden in an import."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CODE = """
import services.chassis.green, gc, sys
from services.chassis.config import Settings
from services.chassis.runtime import memory
settings = Settings.read({given!r}, service="access")
memory.tune(settings)
memory.settle(settings)
print(round(sys.getswitchinterval(), 6), gc.get_threshold()[0], gc.get_freeze_count() > 1000)
"""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "0.0002 5000 True"),
        ({"SWITCH_INTERVAL": "0.005", "GC_THRESHOLD": "700", "MALLOC_MMAP_THRESHOLD": "0"}, "0.005 700 True"),
    ],
)
def test_a_process_is_tuned_as_its_settings_say(given: dict[str, str], told: str) -> None:
    done = subprocess.run([sys.executable, "-c", _CODE.format(given=given)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told
