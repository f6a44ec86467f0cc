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


LINES = {
    **{"1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4},
    **{"3.4": 6, "3.5": 5, "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3},
    **{"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5},
    **{"7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2},
    **{"10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1},
    **{"11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4},
    **{"14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1},
    **{"17.2": 4, "17.3": 2},
}
"""How many lines of each section are of levels 1 and 2: they stand before those of level 3."""


def rows() -> list[tuple[str, str, str]]:
    table = TABLE.partition("## Keys")[0]
    return re.findall(r"^\| ([\d., ]+)(?: \(level 3\))? \| (.+?) \| (.+) \|$", table, re.MULTILINE)


def test_every_line_of_levels_1_and_2_is_there_once() -> None:
    wanted = {f"{section}.{number}" for section, count in LINES.items() for number in range(1, count + 1)}
    assert len(wanted) == 253
    named = [line.strip() for lines, _, _ in rows() for line in lines.split(",")]
    assert sorted(named) == sorted(wanted | {"1.2.10", "6.3.8"})


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
    told = re.compile(r"`(?:test_\w+|(?:service|tests)/[\w/.]+|[\w./ =]+)`|not met|does not apply: |README, |below, ")
    assert len(rows()) > 100
    assert [line for line, _, proof in rows() if not told.search(proof)] == []
