"""What a process does about its memory, once: what the allocator gives back, and what is looked at for garbage."""

from __future__ import annotations

import ctypes
import gc

#: Parameters of glibc's `mallopt` (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 128 * 1024


def give_back_what_is_freed() -> None:
    """Have large blocks mapped by themselves and returned to the system as soon as they are free.

    glibc begins so, but raises its threshold to the largest block that was ever freed, and keeps twice as much at the
    end of every thread's arena: after a password was checked in each of twenty threads (19 MiB a time), 400 MiB. A
    threshold that was set stays. Mapping anew costs a check of a password about 15 ms of CPU.

    Elsewhere than under glibc there is no `mallopt`, and nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)
        # Threads take turns at the interpreter: an arena for each would only scatter what is free.
        mallopt(_M_ARENA_MAX, 1)


def settle() -> None:
    """Let collections of garbage pass over what start-up made: it lives as long as the process, and there is much of it.

    They come less often as well: each of an import's blocks is a hundred thousand objects, none of them garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)
