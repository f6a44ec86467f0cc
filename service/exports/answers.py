"""A table as the file that answers a request."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping

from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from service.exports import writing
from service.exports.writing import Format, Row

_CHUNK = 65_536
WITHHELD_HEADER = "X-Withheld"


def file_answer(
    name: str,
    form: Format,
    headings: Mapping[str, str],
    table: Iterable[Row],
    *,
    french: bool = False,
    told: Mapping[str, str] | None = None,
) -> StreamingResponse:
    """Write a file that has no name on the disk, then send it: an error on the way is answered as one.

    Args:
        name: What it is called for who takes it, after `binome-`.
        form: How it is written.
        headings: Its columns by name.
        table: Its rows.
        french: Whether a CSV is as a French spreadsheet wants it.
        told: Further headers.

    Raises:
        InvalidInput: If a sheet can't hold so many rows.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed once it is sent
    try:
        if form is Format.CSV:
            writing.write_csv(file, headings, iter(table), french=french)
        elif form is Format.XLSX:
            writing.write_xlsx(file, name, headings, iter(table))
        else:
            writing.write_json(file, tuple(headings), iter(table))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    disposition = {"Content-Disposition": f'attachment; filename="binome-{name}.{form}"', "Cache-Control": "no-store"}
    return StreamingResponse(
        iter(lambda: file.read(_CHUNK), b""),
        media_type=writing.MEDIA_TYPES[form],
        headers={**disposition, **(told or {})},
        background=BackgroundTask(file.close),
    )
