"""`python -m service.imports.pdf FILE`: a PDF's text as JSON, within bounds that a hostile file can't pass.

A process of its own: a stream that unpacks to gigabytes ends this one, not the service.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from contextlib import suppress
from typing import Any

MAX_CPU_SECONDS = 45
MAX_MEMORY_BYTES = 1024**3
MAX_PAGES = 1_000
MAX_TEXT_CHARS = 4_000_000
MIN_LETTERS = 10


def main() -> None:
    """Print the text, or the reason why there is none."""
    for limit, bound in ((resource.RLIMIT_CPU, MAX_CPU_SECONDS), (resource.RLIMIT_AS, MAX_MEMORY_BYTES)):
        with suppress(ValueError, OSError):  # the machine's own limit may be lower
            resource.setrlimit(limit, (bound, bound))
    logging.disable(logging.CRITICAL)
    json.dump(extract(sys.argv[1]), sys.stdout)


def extract(path: str) -> dict[str, Any]:
    """Return `{"text"}`, or `{"code", "detail"}`."""
    from pypdf import PasswordType, PdfReader

    try:
        reader = PdfReader(path)
        # many files are encrypted with an empty password, only to forbid printing
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            return _refused("encrypted", "The PDF is protected by a password: save it without, then send it again.")
        if len(reader.pages) > MAX_PAGES:
            return _refused("too_large", f"The PDF has over {MAX_PAGES} pages: split it.")
        pages = []
        size = 0
        for page in reader.pages:
            pages.append(page.extract_text())
            size += len(pages[-1])
            if size > MAX_TEXT_CHARS:
                return _refused("too_large", "The PDF holds over 4 million letters: split it.")
    except MemoryError:
        return _refused("too_costly", "The PDF needs over a gigabyte to be read: print it anew as PDF, or split it.")
    except Exception:  # whatever a hostile or broken file makes the library raise
        return _refused("damaged", "The PDF is damaged: open it and print it anew as PDF.")
    text = "\n\n".join(page.strip() for page in pages if page.strip())
    if sum(character.isalpha() for character in text) < MIN_LETTERS:
        return _refused(
            "scan_without_text",
            "The PDF holds no text, only pictures (a scan): have its text recognised (OCR), or send it as DOCX or TXT.",
        )
    return {"text": text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")}


def _refused(code: str, detail: str) -> dict[str, Any]:
    return {"code": code, "detail": detail}


if __name__ == "__main__":
    main()
