"""The table of the ASVS names tests and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "service" / "auth" / "ASVS.md").read_text(encoding="utf-8")


def test_every_proof_exists() -> None:
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", TABLE))
    assert len(named) > 20
    assert named <= tests, named - tests
    files = re.findall(r"`((?:service|tests)/[\w/.]+)`", TABLE)
    assert all((ROOT / name).exists() for name in files), files


def test_every_line_has_a_proof_or_says_that_it_has_none() -> None:
    rows = re.findall(r"^\| ([\d., ]+) \| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)
    assert len(rows) > 40
    assert all("`" in proof or "not met" in proof or ":" in proof or "README" in proof for _, _, proof in rows)
