"""How the C library keeps memory for threads."""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = 2
VARIABLE = "MALLOC_ARENA_MAX"
_M_ARENA_MAX = -8  # glibc's mallopt(3)


def share_arenas() -> None:
    """Have the threads of this process and of those it starts share two arenas, unless the environment says otherwise.

    glibc gives threads up to eight arenas for each core, and what one has freed serves no other: forty threads that
    each answered one large request would hold memory for all of them to the end. One thread of Python runs at a time,
    so that two arenas make nobody wait.
    """
    if VARIABLE in os.environ or sys.platform != "linux":
        return
    os.environ[VARIABLE] = str(ARENAS)  # read by glibc as a process starts: for the workers
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have no arenas
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
