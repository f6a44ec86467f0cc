"""What is delivered: locks, image, compose file and units agree with the program that they start."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from service.cli import cli
from service.settings import FILE_SUFFIX, PREFIX, Settings
from tests.supply import ROOT, licences, locked, refused, unhashed, with_files

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
UNITS = sorted((ROOT / "service" / "deploy").glob("*.service"))
COMMANDS = set(get_command(cli).commands)  # type: ignore[attr-defined]
VARIABLES = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


def is_setting(variable: str) -> bool:
    return variable.removesuffix(FILE_SUFFIX) in VARIABLES


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_hashes_and_no_address(name: str) -> None:
    assert unhashed((ROOT / name).read_text(encoding="utf-8")) == []


def test_what_has_no_hash_or_an_address_is_seen() -> None:
    lock = "one==1 \\\n    --hash=sha256:aa\ntwo==2\n--index-url https://example.com\n"
    assert unhashed(lock) == ["two==2", "--index-url https://example.com"]


def test_the_run_time_set_has_no_torch_and_no_cuda() -> None:
    names = " ".join(locked())
    assert not re.search(r"torch|nvidia|cuda|sentence-transformers|triton", names)


def test_every_licence_is_allowed() -> None:
    rows = licences()
    assert len(rows) > 100
    assert refused(rows) == []
    assert refused([{"Name": "x", "Version": "1", "License": "GNU General Public License v3"}])


def test_the_bill_names_every_artefact() -> None:
    components = {c["name"] for c in with_files({"components": []})["components"]}
    artefacts = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "models" / "artefacts").glob("*/*")
        if path.name != "manifest.json"
    }
    assert artefacts <= components


def test_the_image_runs_as_nobody_special_and_starts_a_command_that_exists() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    last = {line.split()[0]: line for line in lines if re.match(r"[A-Z]+ ", line)}
    assert last["USER"] == "USER binome"
    assert last["ENTRYPOINT"] == 'ENTRYPOINT ["binome"]'
    assert re.findall(r'"(\w+)"', last["CMD"])[0] in COMMANDS
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", "\n".join(lines), re.M)
    assert all((ROOT / name).exists() for names in copied for name in names.split())
    assert all(is_setting(name) for name in re.findall(r"BINOME_[A-Z_]+", "\n".join(lines)))


def test_the_image_leaves_out_what_only_making_needs() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".git", "tests", "training", "data/corpus", "data/test", "var"} <= set(ignored)
    assert not {"data", "data/samples", "models", "service", "requirements.lock"} & set(ignored)


def test_no_secret_gets_into_the_image_or_the_history() -> None:
    files = [Path(secret["file"]) for secret in COMPOSE["secrets"].values()]
    files += [Path(one["path"]) for one in COMPOSE["services"]["binome"]["env_file"]]
    assert len(files) > 2
    for name in (".dockerignore", ".gitignore"):
        ignored = {Path(line) for line in (ROOT / name).read_text(encoding="utf-8").split()}
        assert all({file, *file.parents} & (ignored - {Path()}) for file in files), name


@pytest.mark.parametrize("name", ["binome", "worker"])
def test_compose_starts_commands_that_exist_with_settings_that_exist(name: str) -> None:
    service = COMPOSE["services"][name]
    assert {*service.get("command", ["serve"])} <= COMMANDS
    assert all(is_setting(variable) for variable in service["environment"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert {volume.split(":")[0] for volume in service["volumes"]} <= set(COMPOSE["volumes"])


def test_compose_publishes_to_its_own_machine_alone() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_start_commands_that_exist(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, encoding="utf-8")
    program, command, *options = parser["Service"]["ExecStart"].split()
    assert program.endswith("/.venv/bin/binome")
    assert command in COMMANDS
    known = {o for parameter in get_command(cli).commands[command].params for o in parameter.opts}  # type: ignore[attr-defined]
    assert {o for o in options if o.startswith("--")} <= known
    assert is_setting(parser["Service"]["Environment"].split("=")[0])


def test_a_worker_s_unit_has_a_slot_that_the_service_never_gives() -> None:
    (unit,) = (path.read_text(encoding="utf-8") for path in UNITS if "worker" in path.name)
    slot = re.search(r"--slot (\S+)", unit)
    assert slot
    most = next(one.le for one in Settings.model_fields["workers"].metadata if hasattr(one, "le"))
    assert all(int(slot[1].replace("%i", str(instance))) > most for instance in (1, 2, 64))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_units_little_exposed(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=25", unit]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-500:] + checked.stderr[-500:]
