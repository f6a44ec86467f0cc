"""`make fuzz`: each parser under a coverage-guided fuzzer (Atheris); writes data/metrics/fuzz.json.

What breaks a parser is kept in tests/fuzz/samples, where the tests try it again. What is watched for coverage is
imported once, which takes longest; each parser then has a process of its own, which the fuzzer ends.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import atheris

with atheris.instrument_imports(
    include=["service", "email", "json", "csv", "zipfile", "html", "defusedxml", "openpyxl"]
):
    from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "fuzz.json"
SAMPLES = Path(__file__).parent / "samples"
LONGEST = 16_384  # bytes of an input
SLOW = 25  # seconds for one input that count as a fault


def fuzz(name: str, seconds: int) -> dict[str, Any]:
    """Fuzz a parser; return how often it ran, what was covered, and how many inputs broke it."""
    kept = SAMPLES / name
    before = set(kept.glob("*"))
    with tempfile.TemporaryDirectory() as folder:
        corpus, told = Path(folder) / "corpus", Path(folder) / "told"
        corpus.mkdir()
        for number, seed in enumerate(TARGETS[name].seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        for sample in before:
            (corpus / sample.name).write_bytes(sample.read_bytes())
        kept.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOW}", "-rss_limit_mb=2048"]
        options += ["-print_final_stats=1", f"-artifact_prefix={kept}/", str(corpus)]
        child = os.fork()
        if child == 0:
            _fuzz_here(name, options, told)
        failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
        said = told.read_text(encoding="utf-8", errors="replace")
    found = set(kept.glob("*")) - before
    if not any(kept.iterdir()):
        kept.rmdir()
    if found or failed:
        print(said[-3000:], file=sys.stderr)
    return _figures(said) | {"seconds": seconds, "crashes": len(found) or int(failed)}


def _fuzz_here(name: str, options: list[str], told: Path) -> NoReturn:
    """Fuzz a parser until the time is over or it breaks, which ends the process."""
    with told.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    atheris.Setup([name, *options], TARGETS[name].run)
    atheris.Fuzz()
    os._exit(0)


def _figures(said: str) -> dict[str, int]:
    """Read the fuzzer's own count of runs and of what was covered, at its start and at most."""
    runs = re.findall(r"number_of_executed_units:\s*(\d+)", said) or re.findall(r"#(\d+)\s", said)
    covered = [int(value) for value in re.findall(r"cov: (\d+)", said)]
    return {
        "executions": int(runs[-1]) if runs else 0,
        "coverage_at_start": covered[0] if covered else 0,
        "coverage": max(covered, default=0),
    }


def main() -> int:
    """Fuzz all parsers, or those named; return 1 where one broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *TARGETS])
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    given = parser.parse_args()
    results = json.loads(METRICS.read_text()) if METRICS.exists() else {}
    for name in given.names or TARGETS:
        results[name] = fuzz(name, given.seconds)
        print(name, results[name], flush=True)
        METRICS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    return int(any(results[name]["crashes"] for name in given.names or TARGETS))


if __name__ == "__main__":
    sys.exit(main())
