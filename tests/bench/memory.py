"""How much memory a process holds, as Linux counts it (`/proc/PID/status`, proc(5)).

Not `resource.getrusage`: its peak holds that of the process which started this one.
"""

from __future__ import annotations

from pathlib import Path


def resident_mb(process: int | str) -> float:
    """Return the memory that a process (its id, or `self`) holds now, in MiB; 0 when it has ended."""
    return _field(process, "VmRSS")


def peak_mb() -> float:
    """Return the most memory that this process has held, in MiB."""
    return _field("self", "VmHWM")


def _field(process: int | str, name: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)
