"""What an artefact is made of: the manifest beside its files, written by training and checked on load.

`manifest.json` holds `name`, `version` (the name and the first ten hex digits of a hash over all files), `files`
(SHA-256 of each), and what made them: `config`, `data` (fingerprints), `metrics`, `licences`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import ArtefactDamaged, ArtefactMissing

FILE_NAME = "manifest.json"
REBUILD = "`make train` builds it"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The record of one artefact.

    Attributes:
        files: File name to SHA-256 in hex.
        data: What it was learned from, source to fingerprint or count.
        licences: Source to licence.
    """

    name: str
    version: str
    files: Mapping[str, str]
    config: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)


def write_manifest(
    folder: Path,
    name: str,
    files: Sequence[str],
    *,
    config: Mapping[str, Any],
    data: Mapping[str, Any],
    metrics: Mapping[str, Any],
    licences: Mapping[str, str],
) -> Manifest:
    """Describe `files` of `folder` in its manifest; equal files give an equal version."""
    hashes = {file: _sha256(folder / file) for file in sorted(files)}
    whole = hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
    made = {"config": config, "data": data, "metrics": metrics, "licences": licences}
    version = f"{name}-{whole[:10]}"
    record = {"name": name, "version": version, "files": hashes, **made}
    (folder / FILE_NAME).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Manifest(name, version, hashes, config, data, metrics, licences)


def verified_manifest(folder: Path) -> Manifest:
    """Read a manifest and check every file that it names.

    Raises:
        ArtefactMissing: If the manifest or a file is not there.
        ArtefactDamaged: If the manifest can't be read or a file's hash differs.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise ArtefactMissing(f"{path} is missing; {REBUILD}")
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ArtefactDamaged(f"{path} can't be read ({error}); {REBUILD}") from error
    for file, expected in manifest.files.items():
        if not (folder / file).is_file():
            raise ArtefactMissing(f"{folder / file} is missing; {REBUILD}")
        if _sha256(folder / file) != expected:
            raise ArtefactDamaged(f"{folder / file} is not the file that its manifest describes; {REBUILD}")
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
