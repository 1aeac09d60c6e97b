"""Tune a process at start: memory allocator, garbage collection, and thread switches."""

from __future__ import annotations

import ctypes
import gc
import sys

from services.chassis.config import Settings

#: Parameters of glibc's `mallopt` (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def tune(settings: Settings) -> None:
    """Set the allocator's threshold and the interval of thread switches.

    If the threshold is not set, glibc raises it to the largest block that was ever freed. Without glibc there is no
    `mallopt`, and the allocator is not changed.
    """
    sys.setswitchinterval(settings.switch_interval)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and settings.malloc_mmap_threshold:
        mallopt(_M_MMAP_THRESHOLD, settings.malloc_mmap_threshold)
        mallopt(_M_TRIM_THRESHOLD, settings.malloc_mmap_threshold)
        # Only one thread runs Python at a time, so an arena for each would only fragment free memory.
        mallopt(_M_ARENA_MAX, 1)


def settle(settings: Settings) -> None:
    """Exclude the objects made at start from garbage collection, and set its threshold."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(settings.gc_threshold, 20, 20)
