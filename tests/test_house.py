"""The house keeps its plan: who may import whom, where things stand, and what no file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = sorted(path for folder in ("service", "models", "training") for path in (ROOT / folder).rglob("*.py"))
MAX_LINES = 450


def test_import_contracts_are_kept() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_routes_hold_no_sql() -> None:
    for path in ROOT.glob("service/*/routes.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & {"execute", "scalar", "scalars", "select"}, path


def test_queries_never_commit() -> None:
    for path in ROOT.glob("service/*/queries.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not names & {"commit", "rollback"}, path


def test_models_know_neither_environment_nor_clock() -> None:
    for path in ROOT.glob("models/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"environ", "getenv", "utcnow", "perf_counter", "monotonic"}, path


def test_http_process_loads_no_language_library_and_nothing_that_few_ask_for() -> None:
    """What takes long to load, for answers that few ask for, would have every start wait."""
    language = ("spacy", "sklearn", "bertopic", "umap", "hdbscan", "dbos")
    few = ("numpy", "scipy", "pandas", "statsmodels", "mcp", "openpyxl", "pptx", "xlsxwriter", "typst", "authlib")
    script = f"import sys, service.launch, service.cli\nprint([m for m in {language + few} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_locks_carry_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|^--|file:", text, re.MULTILINE)
        assert not re.search(r"^(torch|nvidia-\w+|sentence-transformers)==", text, re.MULTILINE)


def test_packages_of_tests_are_packages() -> None:
    for folder in {path.parent for path in (ROOT / "tests").rglob("test_*.py")}:
        assert (folder / "__init__.py").exists(), folder


def test_artefacts_are_small_and_hold_no_pickles() -> None:
    files = [path for path in (ROOT / "models" / "artefacts").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60 * 1024**2
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib", ".bin"}]
