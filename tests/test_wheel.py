"""A wheel holds all that the program reads, and runs from where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.service.test_launch import environment, free_port, get
from tests.work import wait_until

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy: setuptools writes beside its sources."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    no_caches = shutil.ignore_patterns("__pycache__")
    for folder in ("service", "models", "data/samples"):
        shutil.copytree(ROOT / folder, source / folder, ignore=no_caches)
    for name in ("pyproject.toml", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "wheel", ".", "--no-deps", "--no-build-isolation", "-w", str(made)]
    subprocess.run(pip, cwd=source, check=True, capture_output=True)
    return next(made.glob("binome-*.whl"))


def test_it_holds_every_file_that_the_program_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    data = {
        path.relative_to(ROOT).as_posix()
        for folder in ("service", "models")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".md" and not {"__pycache__", "deploy"} & set(path.parts)
    }
    assert data - held == set()
    assert not [name for name in held if name.startswith(("tests/", "training/", "data/"))]


def test_it_serves_from_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    venv.create(folder, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    purelib = Path(sysconfig.get_path("purelib", "venv", paths))
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(folder), "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # a path alone: no editable install
    port, data = free_port(), tmp_path / "var"
    settings = {"data_dir": str(data), "port": str(port), "workers": "0"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [folder / "bin" / "binome", "serve"],
            cwd=tmp_path,
            env=environment(**settings) | {"PATH": os.defpath},
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: get(port, "/healthz")[0] == 200, 120, 0.3)
            status, notes = get(port, "/v1/notes?limit=1", (data / "admin.key").read_text().strip())
            page, _ = get(port, "/sign-in")
        finally:
            process.terminate()
            process.wait(40)
    assert (status, page) == (200, 200)
    assert '"total":257' in notes
    command = [folder / "bin" / "python", "-c", "import service; print(service.__file__)"]
    assert str(folder) in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
