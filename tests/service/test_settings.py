"""Settings are refused with a plain sentence when misspelt or out of range."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.errors import SettingsRefused
from service.settings import load_settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.workers, settings.sample) == ("127.0.0.1", 8000, 1, "on")
    assert settings.sqlalchemy_url == f"sqlite:///{Path.cwd() / 'var' / 'binome.sqlite3'}"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BINOME_PORT", "0", "1 to 65535"),
        ("BINOME_PORT", "http", "1 to 65535"),
        ("BINOME_WORKERS", "-1", "0 to 64"),
        ("BINOME_SAMPLE", "yes", "on or off"),
        ("BINOME_ADMIN_KEY", "short", "at least 16 characters"),
        ("BINOME_DATABASE_URL", "mysql://x", "postgresql+psycopg://"),
        ("BINOME_DATABASE_URL", "nonsense", "postgresql+psycopg://"),
        ("BINOME_HOST", "", "address"),
        ("BINOME_WEIGHTS", "reech=40", "reach=40, growth=30"),
        ("BINOME_WEIGHTS", "reach=140", "each 0 to 100"),
        ("BINOME_PROT", "8001", "did you mean BINOME_PORT?"),
        ("BINOME_XYZZY_Q", "red", "the settings are"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsRefused) as refusal:
        load_settings()
    assert variable in str(refusal.value)
    assert said in str(refusal.value)


def test_a_key_is_not_repeated_in_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINOME_ADMIN_KEY", "swordfish")
    with pytest.raises(SettingsRefused) as refusal:
        load_settings()
    assert "swordfish" not in str(refusal.value)


def test_env_file_counts_and_its_misspellings_too() -> None:
    Path("binome.env").write_text("BINOME_PORT=8123\n")
    assert load_settings().port == 8123
    Path("binome.env").write_text("BINOME_PROT=8123\n")
    with pytest.raises(SettingsRefused, match="did you mean BINOME_PORT"):
        load_settings()


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+psycopg://binome:swordfish@db/binome\n")
    monkeypatch.setenv("BINOME_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert load_settings().database_url == "postgresql+psycopg://binome:swordfish@db/binome"


@pytest.mark.parametrize(
    ("content", "also", "said"),
    [
        (None, {}, "can't be read"),
        ("", {}, "an empty file"),
        ("swordfish-swordfish", {"BINOME_ADMIN_KEY": "another-swordfish"}, "both set"),
        ("short", {}, "at least 16 characters"),
    ],
)
def test_a_secrets_file_that_says_nothing_is_refused_without_its_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, also: dict[str, str], said: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    for variable, value in {"BINOME_ADMIN_KEY_FILE": str(tmp_path / "key"), **also}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsRefused) as refusal:
        load_settings()
    assert "BINOME_ADMIN_KEY" in str(refusal.value)
    assert said in str(refusal.value)
    assert "swordfish" not in str(refusal.value)


def test_only_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINOME_PORT_FILE", "port")
    with pytest.raises(SettingsRefused, match="did you mean BINOME_PORT"):
        load_settings()
