"""Where the tests' files lie: in memory where there is room, for a disk is what most of them would wait for."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


def use() -> None:
    """Have temporary files and folders made in memory, for this process and those that it starts, unless TMPDIR is set.

    Programs are started there too (a server's, an environment's): a file system that forbids that is left alone.
    """
    if "TMPDIR" in os.environ or not _IN_MEMORY.is_dir():
        return
    if os.statvfs(_IN_MEMORY).f_flag & os.ST_NOEXEC or shutil.disk_usage(_IN_MEMORY).free < _ROOM:
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(_IN_MEMORY)
