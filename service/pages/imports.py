"""Files that people send in by the browser: how they would be read, how far they are, what was refused."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from service.dependencies import Caller, Now, ReadSession, get_engine
from service.errors import NotFound, Problem
from service.imports import queries
from service.imports.columns import FIELDS
from service.imports.records import FileRefused, Format
from service.imports.schemas import ImportPreview, ImportState, import_summary, refused_row
from service.imports.storage import import_upload, preview_file
from service.imports.uploads import FOLDER, Upload, read_options, uploaded
from service.operation.pressure import admit
from service.pages.answers import PageRoute, render
from service.pages.forms import read_page
from service.pages.sign_in import FormFields, IngestingVisitor, NoteVisitor, Visitor, may_ingest, same_site
from service.pages.views import Pager

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Engine = Annotated[sa.Engine, Depends(get_engine)]

SHOWN = 20
SHOWN_REFUSALS = 200
MAX_COLUMNS = 200
_HELD = "part-held-"  # what begins with part- is taken away after a day


@router.get("/imports")
def get_imports_page(request: Request, session: ReadSession, visitor: Visitor) -> Response:
    """Show the files that were sent in, and the form to send one."""
    return _imports_page(request, session, visitor)


def _imports_page(
    request: Request, session: ReadSession, visitor: Caller, status: int = 200, refusal: str = ""
) -> Response:
    page = read_page(request.query_params)
    rows, total = queries.list_imports(session, limit=SHOWN * page, before=None)
    pager = Pager(page, total)
    shown = [import_summary(row) for row in rows[pager.skipped :]]
    context: dict[str, Any] = {"imports": shown, "pager": pager, "ingesting": may_ingest(visitor), "refusal": refusal}
    return render(request, "imports.html", status, **context)


@router.post("/imports", dependencies=[Depends(admit)])
def post_file(
    request: Request,
    session: ReadSession,
    visitor: IngestingVisitor,
    upload: Annotated[Upload, Depends(uploaded, scope="function")],
    engine: Engine,
) -> Response:
    """Take a file, hold it, and show how it would be read; nothing is stored before the visitor agrees."""
    same_site(request)
    try:
        preview, refusal = _previewed(engine, upload, {})
    except Problem as problem:
        return _imports_page(request, session, visitor, 422, problem.detail)
    token = secrets.token_hex(16)
    upload.path.rename(upload.path.with_name(_HELD + token))
    return _preview_page(request, preview, token, upload.name, {}, refusal=refusal)


def _previewed(engine: sa.Engine, upload: Upload, asked: Mapping[str, str | None]) -> tuple[ImportPreview, str]:
    """Return how a file would be read; where its columns have to be named first, those and why."""
    try:
        return preview_file(engine, upload, read_options(upload, asked)[0]), ""
    except FileRefused as refused:
        if not refused.columns:
            raise
        found = {"columns": refused.columns}
        return ImportPreview(format=Format.CSV, found=found, rows=[], problems=[]), refused.detail


def _preview_page(
    request: Request,
    preview: ImportPreview,
    token: str,
    name: str,
    mapping: Mapping[str, str | None],
    dates: str = "",
    refusal: str = "",
) -> Response:
    return render(
        request,
        "preview.html",
        422 if refusal else 200,
        preview=preview,
        columns=preview.found.get("columns", [])[:MAX_COLUMNS],
        order=preview.found.get("dates", {}),
        token=token,
        name=name,
        mapping=mapping,
        dates=dates,
        refusal=refusal,
        fields=FIELDS,
    )


@router.post("/imports/held")
def post_held(request: Request, fields: FormFields, visitor: IngestingVisitor, engine: Engine, now: Now) -> Response:
    """Import the file that is held, or show anew how it would be read with other fields for its columns."""
    upload = _held(request, fields)
    mapping = _mapping(fields)
    dates = fields.get("dates", "")
    asked = {"mapping": json.dumps(mapping) if mapping else None, "dates": dates}
    try:
        if fields.get("do") == "import":
            row, _ = import_upload(engine, upload, read_options(upload, asked)[0], by=visitor.name, now=now)
            upload.path.unlink(missing_ok=True)
            return RedirectResponse(f"/imports/{row[0].id}", 303)
        preview, refusal = _previewed(engine, upload, asked)
    except Problem as problem:
        preview, _ = _previewed(engine, upload, {})
        refusal = problem.detail
    return _preview_page(request, preview, upload.path.name[len(_HELD) :], upload.name, mapping, dates, refusal)


def _held(request: Request, fields: Mapping[str, str]) -> Upload:
    """Return the file that a form names.

    Raises:
        NotFound: If it is gone: it was imported, or a day has passed.
    """
    token = fields.get("token", "")
    path = Path(request.app.state.settings.data_dir).resolve() / FOLDER / f"{_HELD}{token}"
    if not re.fullmatch(r"[0-9a-f]{32}", token) or not path.is_file():
        raise NotFound("This file is held no more: send it again.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Upload(path, path.stat().st_size, digest, fields.get("name", "")[:200] or "upload", {})


def _mapping(fields: Mapping[str, str]) -> dict[str, str | None]:
    """Return the fields that the visitor chose otherwise than they were found."""
    mapping: dict[str, str | None] = {}
    for number in range(MAX_COLUMNS):
        column, chosen = fields.get(f"column-{number}"), fields.get(f"field-{number}", "")
        if column and chosen != fields.get(f"found-{number}", ""):
            mapping[column] = chosen or None
    return mapping


@router.get("/imports/{import_id}")
def get_import_page(import_id: int, request: Request, session: ReadSession, visitor: NoteVisitor) -> Response:
    """Show how far an import is, and what it refused."""
    row = queries.get_import(session, import_id) if 0 < import_id < 2**62 else None
    if row is None:
        raise NotFound("There is no such import.")
    summary: dict[str, Any] = import_summary(row)
    refusals, total = queries.list_refusals(session, import_id, limit=SHOWN_REFUSALS)
    return render(
        request,
        "import.html",
        one=summary,
        busy=summary["state"] in {ImportState.WAITING, ImportState.RUNNING},
        refused=[refused_row(refusal) for refusal in refusals],
        total=total,
    )
