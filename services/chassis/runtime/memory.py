"""Tune a process once: what the allocator returns, how often garbage is collected, and how often threads switch."""

from __future__ import annotations

import ctypes
import gc
import sys

from services.chassis.config import Settings

#: Parameters of glibc's `mallopt` (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def tune(settings: Settings) -> None:
    """Set the allocator's threshold and the interval of thread switches.

    glibc raises its threshold to the largest block that was ever freed, unless it was set. Without glibc there is no
    `mallopt`, and the allocator stays as it is.
    """
    sys.setswitchinterval(settings.switch_interval)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and settings.malloc_mmap_threshold:
        mallopt(_M_MMAP_THRESHOLD, settings.malloc_mmap_threshold)
        mallopt(_M_TRIM_THRESHOLD, settings.malloc_mmap_threshold)
        # Threads take turns at the interpreter: an arena for each would only scatter what is free.
        mallopt(_M_ARENA_MAX, 1)


def settle(settings: Settings) -> None:
    """Exclude what start-up made from garbage collections, and set how often they come."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(settings.gc_threshold, 20, 20)
