"""What the disk with the data folder is, and how much of it is free."""

from __future__ import annotations

import shutil
from pathlib import Path

from service.errors import InsufficientStorage
from service.settings import Settings

MIB = 1024**2
COMFORTABLE_MIB = 1024
MOUNTS = Path("/proc/self/mounts")
# Their locks and shared memory are not those that SQLite's write-ahead log needs.
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "fuse.glusterfs"})


def free_mib(settings: Settings) -> int:
    """Return the free MiB of the disk with the data folder."""
    return shutil.disk_usage(settings.data_dir).free // MIB


def check_free(settings: Settings) -> None:
    """Refuse what would fill the disk up.

    Raises:
        InsufficientStorage: If less is free than the settings ask for.
    """
    free = free_mib(settings)
    if free < settings.min_free_mib:
        raise InsufficientStorage(
            f"Only {free} MiB of disk are free, and new notes stop under {settings.min_free_mib}: make room."
        )


def warnings(settings: Settings, mounts: Path = MOUNTS) -> list[str]:
    """Return what an operator should know of the disk before it does harm."""
    said = []
    free = free_mib(settings)
    if free < COMFORTABLE_MIB:
        said.append(
            f"Only {free} MiB are free in {settings.data_dir}: make room; new notes stop under "
            f"{settings.min_free_mib} MiB."
        )
    kind = file_system(settings.data_dir, mounts)
    if settings.sqlalchemy_url.startswith("sqlite") and kind in _NETWORK:
        said.append(
            f"{settings.data_dir} is on a network file system ({kind}), on which SQLite may lose data: "
            "name a local folder with BINOME_DATA_DIR, or use PostgreSQL."
        )
    return said


def file_system(folder: Path, mounts: Path = MOUNTS) -> str:
    """Return the kind of file system that a folder is on, as `mount` names it; empty where that can't be told."""
    try:
        lines = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    place = folder.resolve()
    points = {line[1].replace("\\040", " "): line[2] for line in lines if len(line) > 2}  # the last one is on top
    above = [point for point in points if place.is_relative_to(point)]
    return points[max(above, key=len)] if above else ""
