"""What threads have freed serves the others."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

_THREADS = """
import ctypes, sys, threading
from service.memory import share_arenas

share_arenas()
together = threading.Barrier(8)

def hold():
    held = [bytearray(50_000) for _ in range(20)]
    together.wait()

threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
"""


def _arenas(script: str, **environment: str) -> int:
    clean = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=clean | environment)
    return answer.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="this C library has no arenas")
def test_threads_share_two_arenas_unless_the_environment_says_otherwise() -> None:
    assert _arenas(_THREADS) == 2
    assert _arenas(_THREADS, MALLOC_ARENA_MAX="6") == 6


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="this C library has no arenas")
def test_processes_that_it_starts_do_so_too() -> None:
    child = _THREADS.replace("share_arenas()\n", "", 1).replace("import share_arenas", "import VARIABLE")
    parent = (
        "import subprocess, sys\nfrom service.memory import share_arenas\nshare_arenas()\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    )
    assert _arenas(parent) == 2
