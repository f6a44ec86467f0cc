"""What Binôme is made of: `python -m tests.supply sbom PACKAGES OUT` and `python -m tests.supply licences OUT`.

The list of packages comes from the lock of the run-time set; the artefacts are added to it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
ARTEFACTS = ROOT / "models" / "artefacts"
ALLOWED = (
    "Apache",
    "MIT",
    "BSD",
    "ISC",
    "Python Software Foundation",
    "PSF",
    "Zlib",
    "MPL-2.0",
    "Mozilla Public License 2.0",
    "LGPL",
    "GNU Lesser General Public License",
    "Unlicense",
    "Public Domain",
    "0BSD",
    "CC0",
    "HPND",
    "CNRI-Python",
)
"""Licences under which the program may be passed on; those with copyleft cover their own files alone."""

TOLD_ELSEWHERE = {"IMAPClient": "BSD-3-Clause"}
"""Licences of packages whose metadata name none, from the licence file that they carry."""


def locked(lock: Path = LOCK) -> dict[str, str]:
    """Return the version of each package of a lock."""
    pattern = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.M)
    return dict(pattern.findall(lock.read_text(encoding="utf-8")))


def unhashed(lock: str) -> list[str]:
    """Return the requirements of a lock that have no hash, and its lines that hold an address."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    missing = [
        entry.splitlines()[0] for entry in entries if re.match(r"[A-Za-z0-9]", entry) and "--hash=sha256:" not in entry
    ]
    return missing + [
        line for line in lock.splitlines() if "://" in line or line.startswith(("-i", "--index", "--extra"))
    ]


def licences() -> list[dict[str, str]]:
    """Return name, version and licence of each installed package of the run-time lock."""
    command = [Path(sys.executable).parent / "pip-licenses", "--format=json", "--from=mixed", "--packages", *locked()]
    found: list[dict[str, str]] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    told = [row | {"License": TOLD_ELSEWHERE.get(row["Name"], row["License"])} for row in found]
    return sorted(told, key=lambda row: row["Name"].lower())


def refused(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the packages whose licence is not among those allowed."""
    return [row for row in rows if not any(name.lower() in row["License"].lower() for name in ALLOWED)]


def _component(path: Path, licence: str) -> dict[str, Any]:
    return {
        "type": "file",
        "name": path.relative_to(ROOT).as_posix(),
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}],
        "licenses": [{"license": {"name": licence}}],
    }


def with_files(bill: dict[str, Any]) -> dict[str, Any]:
    """Add the artefacts, with the licences of what they are made from, to a bill of packages; no script is vendored."""
    files = []
    for manifest in sorted(ARTEFACTS.glob("*/manifest.json")):
        described = json.loads(manifest.read_text(encoding="utf-8"))
        licence = "; ".join(f"{source}: {name}" for source, name in described["licences"].items()) or "Apache-2.0"
        files += [_component(manifest.parent / name, licence) for name in described["files"]]
    return {**bill, "components": [*bill.get("components", []), *files]}


def main() -> int:
    """See the module's docstring."""
    what, *paths = sys.argv[1:]
    if what == "sbom":
        bill = with_files(json.loads(Path(paths[0]).read_text(encoding="utf-8")))
        Path(paths[1]).write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(f"{len(bill['components'])} components in {paths[1]}")
        return 0
    rows = licences()
    with Path(paths[0]).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["Name", "Version", "License"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    for row in refused(rows):
        print(f"{row['Name']} {row['Version']}: {row['License']} is not an allowed licence", file=sys.stderr)
    print(f"{len(rows)} packages of {len(locked())} in the lock")
    return 1 if refused(rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
