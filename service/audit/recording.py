"""Writing down what was asked, by whom and how it ended.

Changes are written with themselves (`acts`). What was seen, what was refused and what programs send in is gathered in
memory and written each second, and when the service stops: nobody waits for it, and a process that is killed loses
a second of it at most. The same act again within that second is counted, not repeated.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.audit.acts import MOST_LENGTH, Act, acting, insert_acts
from service.audit.chain import AT_ONCE, prune, seal_rows
from service.database import write_session
from service.dependencies import client_address
from service.problems import request_id
from service.repeating import repeated

FLUSH_SECONDS = 1
ELSEWHERE_SECONDS = 30  # until rows that commands wrote are sealed
PRUNE_SECONDS = 3600
MOST_WAITING = 20_000
_SILENT = ("/healthz", "/readyz", "/metrics", "/static/")
_INGEST = "/v1/notes"  # its notes tell their source and times themselves
_REFUSED = frozenset({401, 403, 429})
_log = structlog.get_logger()


class Recorder:
    """Acts that wait to be written.

    Args:
        days: How long rows are kept; 0 for ever.
    """

    def __init__(self, engine: sa.Engine, days: int) -> None:
        self._engine, self._days = engine, days
        self._lock = threading.Lock()
        self._waiting: dict[str, dict[str, Any]] = {}
        self._unsealed = False
        self._sealed_at = self._pruned_at = -float(PRUNE_SECONDS)

    def add(self, **values: Any) -> None:
        """Remember an act; the oldest are dropped, with a word in the log, while the database is long away."""
        kind = json.dumps([values[name] for name in sorted(values) if name != "request_id"])
        with self._lock:
            known = self._waiting.setdefault(kind, {**values, "at": datetime.now(UTC), "changed": None, "times": 0})
            known["times"] += 1
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
                _log.warning("audit_act_dropped")

    def expect(self) -> None:
        """Seal soon what a transaction wrote."""
        self._unsealed = True

    def flush(self) -> None:
        """Write and seal what waits; a database that does not answer gets it the next time."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        self._unsealed = False
        self._sealed_at = time.monotonic()
        try:
            if waiting:
                with write_session(self._engine) as session:
                    insert_acts(session, list(waiting.values()))
                waiting = {}
            while self._seal() == AT_ONCE:
                pass
            self._prune()
        except sa.exc.SQLAlchemyError as error:
            _log.warning("audit_waits", error=type(error).__name__, acts=len(waiting))
            with self._lock:
                self._waiting = {**waiting, **self._waiting}
            self._unsealed = True

    def _seal(self) -> int:
        with write_session(self._engine) as session:
            return seal_rows(session)

    def _prune(self) -> None:
        if not self._days or time.monotonic() - self._pruned_at < PRUNE_SECONDS:
            return
        with write_session(self._engine) as session:
            prune(session, self._days, datetime.now(UTC))
        self._pruned_at = time.monotonic()

    def _is_due(self) -> bool:
        waits = bool(self._waiting) or self._unsealed
        return waits or time.monotonic() - self._sealed_at >= ELSEWHERE_SECONDS

    def kept(self) -> AbstractAsyncContextManager[None]:
        """Write every second until the block ends, and once more then."""
        return repeated(self.flush, FLUSH_SECONDS, self._is_due)


class Auditing:
    """Carry each request's act, and hand it to the application's recorder unless a transaction wrote it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let an HTTP request pass, and remember it."""
        if scope["type"] != "http" or scope["path"].startswith(_SILENT):
            await self.app(scope, receive, send)
            return
        request, status = Request(scope), 500
        recorder = request.app.state.recorder  # an application behind a route puts itself in its place

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        taking_in = scope["method"] == "POST" and scope["path"] == _INGEST
        act = Act(lambda: _described(request), with_changes=not taking_in)
        try:
            with acting(act):
                await self.app(scope, receive, seen)
        finally:
            _record(recorder, request, act, status)


def _record(recorder: Recorder, request: Request, act: Act, status: int) -> None:
    if act.written:
        recorder.expect()
    if act.written and status < 400:
        return
    if act.actor is not None:
        recorder.add(actor=act.actor, **{**_described(request), "status": status})
    elif status in _REFUSED:  # whoever asks may write anything into the address: only the route is kept
        nobody = {"actor": "nobody", "subject": {}, "filters": {}, "status": status}
        recorder.add(**{**_described(request), **nobody})


def _described(request: Request) -> dict[str, Any]:
    """Describe a request; the status is the one that its route promises."""
    route = request.scope.get("route")
    return {
        "request_id": request_id(request),
        "address": client_address(request),
        "action": f"{request.method} {getattr(route, 'path', 'no route')}"[:MOST_LENGTH],
        "subject": dict(request.scope.get("path_params", {})),
        "filters": dict(request.query_params),
        "status": getattr(route, "status_code", None) or 200,
    }
