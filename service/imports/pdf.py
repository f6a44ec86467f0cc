"""`python -m service.imports.pdf FILE`: a PDF's text and tables as JSON, within bounds that a hostile file can't pass.

A process of its own: a stream that unpacks to gigabytes ends this one, not the service. It may write no file.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

MAX_CPU_SECONDS = 45
MAX_MEMORY_BYTES = 1024**3
MAX_PAGES = 1_000
MAX_TEXT_CHARS = 4_000_000
MIN_LETTERS = 10
MAX_DRAWN = 300_000  # straight strokes of all pages; further ones are not looked at
_LIMITS = {
    resource.RLIMIT_CPU: MAX_CPU_SECONDS,
    resource.RLIMIT_AS: MAX_MEMORY_BYTES,
    resource.RLIMIT_FSIZE: 0,
}


def main() -> None:
    """Print what was read, or the reason why nothing was; the names of columns are JSON on standard input."""
    mapping = json.load(sys.stdin)
    for limit, bound in _LIMITS.items():
        with suppress(ValueError, OSError):  # the machine's own limit may be lower
            resource.setrlimit(limit, (bound, bound))
    json.dump(extract(sys.argv[1], mapping), sys.stdout)


def extract(path: str, mapping: dict[str, str | None]) -> dict[str, Any]:
    """Return `{"text", "tables"}`, or `{"code", "detail"}`; tables that list notes are not in the text again."""
    import pypdfium2

    try:
        with pypdfium2.PdfDocument(path) as document:
            if len(document) > MAX_PAGES:
                return _refused("too_large", f"The PDF has over {MAX_PAGES} pages: split it.")
            return _read(document, mapping)
    except MemoryError:
        return _refused("too_costly", "The PDF needs over a gigabyte to be read: print it anew as PDF, or split it.")
    except pypdfium2.PdfiumError as error:
        if error.err_code in {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}:
            return _refused("encrypted", "The PDF is protected by a password: save it without, then send it again.")
        return _refused("damaged", "The PDF is damaged: open it and print it anew as PDF.")
    except Exception:  # whatever a hostile or broken file makes the library raise
        return _refused("damaged", "The PDF is damaged: open it and print it anew as PDF.")


def _read(document: Any, mapping: dict[str, str | None]) -> dict[str, Any]:
    from service.imports.columns import lists_notes, map_columns
    from service.imports.pdf_pages import Page, drop_running_lines, read_page
    from service.imports.pdf_tables import PageTable, header_cells, joined, page_tables

    def told(header: Sequence[str]) -> int:
        columns = map_columns(header, mapping)
        return columns.told if lists_notes(columns) else 0

    pages: list[Page] = []
    size, drawn = 0, 0
    for number in range(len(document)):
        page = document[number]
        pages.append(read_page(page, MAX_DRAWN - drawn))
        page.close()
        size += len(pages[-1].text)
        drawn += len(pages[-1].across) + len(pages[-1].down)
        if size > MAX_TEXT_CHARS:
            return _refused("too_large", "The PDF holds over 4 million letters: split it.")
    if sum(character.isalpha() for page in pages for character in page.text) < MIN_LETTERS:
        return _refused(
            "scan_without_text",
            "The PDF holds no text, only pictures (a scan): have its text recognised (OCR), or send it as DOCX or TXT.",
        )
    drop_running_lines(pages, lambda line: header_cells(line, told) is not None)
    tables: list[PageTable] = []
    for read in pages:
        found = page_tables(read, told, tables[-1] if tables and tables[-1].open else None)
        within = {word for table in found for word in table.words}
        read.lines = [left for line in read.lines if (left := [word for word in line if word not in within])]
        tables += found
    text = "\n\n".join(read.text for read in pages if read.lines)
    return {"text": _storable(text), "tables": [[list(map(_storable, row)) for row in grid] for grid in joined(tables)]}


def _storable(text: str) -> str:
    """Join letters that came in two halves (UTF-16) and words that a soft hyphen parts; replace what is half alone."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub("\u00ad\\s*", "", whole).replace("\x00", " ")


def _refused(code: str, detail: str) -> dict[str, Any]:
    return {"code": code, "detail": detail}


if __name__ == "__main__":
    main()
