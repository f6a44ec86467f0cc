"""`make fuzz`: each parser under a coverage-guided fuzzer (Atheris); writes data/metrics/fuzz.json.

What breaks a parser is kept in tests/fuzz/samples, where the tests try it again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "data" / "metrics" / "fuzz.json"
SAMPLES = Path(__file__).parent / "samples"
LONGEST = 16_384  # bytes of an input
SLOW = 25  # seconds for one input that count as a fault


def fuzz(name: str, seconds: int) -> dict[str, Any]:
    """Fuzz a parser; return how often it ran, what was covered, and how many inputs broke it."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(TARGETS[name].seeds):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        kept = SAMPLES / name
        before = set(kept.glob("*"))
        for sample in before:
            (Path(corpus) / sample.name).write_bytes(sample.read_bytes())
        kept.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOW}", "-rss_limit_mb=2048"]
        command = [sys.executable, "-m", "tests.fuzz.one", name, *options, "-print_final_stats=1"]
        done = subprocess.run(
            [*command, f"-artifact_prefix={kept}/", corpus], cwd=ROOT, capture_output=True, check=False
        )
        said = done.stderr.decode("utf-8", "replace") + done.stdout.decode("utf-8", "replace")
        found = set(kept.glob("*")) - before
        if not any(kept.iterdir()):
            kept.rmdir()
    runs = re.findall(r"number_of_executed_units:\s*(\d+)", said) or re.findall(r"#(\d+)\s", said)
    covered = [int(value) for value in re.findall(r"cov: (\d+)", said)]
    if found or done.returncode:
        print(said[-3000:], file=sys.stderr)
    told = {"seconds": seconds, "executions": int(runs[-1]) if runs else 0}
    return (
        told
        | {"coverage_at_start": covered[0] if covered else 0, "coverage": max(covered, default=0)}
        | {"crashes": len(found) or int(done.returncode != 0)}
    )


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
