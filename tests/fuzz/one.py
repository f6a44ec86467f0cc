"""One parser under the fuzzer, which ends the process: `python -m tests.fuzz.one NAME [libFuzzer options]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(
    include=["service", "email", "json", "csv", "zipfile", "html", "defusedxml", "openpyxl"]
):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the parser that is named first; the other arguments are libFuzzer's."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
