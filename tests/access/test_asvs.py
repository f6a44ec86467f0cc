"""The table of the ASVS, and the page for a data-protection officer, name what exists; that page names every table."""

from __future__ import annotations

import re
from pathlib import Path

from service.schema import METADATA
from service.settings import Settings

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "service" / "auth" / "ASVS.md").read_text(encoding="utf-8")
PRIVACY = (ROOT / "service" / "deploy" / "PRIVACY.md").read_text(encoding="utf-8")
WITHOUT_PERSONS = {
    "announced",
    "audit_chain",
    "catalog_names",
    "counts",
    "day_versions",
    "erasure_salts",
    "source_activity",
    "syncs",
    "theme_fits",
    "theme_moves",
    "watches",
    "workers",
}
"""Tables of figures, states and names of firms; the page names each of the others with why and how long."""


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


def test_the_page_on_privacy_names_every_table_with_personal_data_and_only_what_exists() -> None:
    tables = set(METADATA.tables)
    named = set(re.findall(r"`([a-z_]+)`", PRIVACY)) & tables
    assert tables - named == WITHOUT_PERSONS
    settings = set(re.findall(r"`BINOME_(\w+)`", PRIVACY))
    assert settings
    assert {name.lower() for name in settings} <= set(Settings.model_fields)
    files = re.findall(r"`((?:service|tests)/[\w/.]+)`", PRIVACY)
    assert files
    assert all((ROOT / name).exists() for name in files), files


def test_every_line_has_a_proof_or_says_that_it_has_none() -> None:
    rows = re.findall(r"^\| ([\d., ]+) \| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)
    assert len(rows) > 40
    assert all("`" in proof or "not met" in proof or ":" in proof or "README" in proof for _, _, proof in rows)
