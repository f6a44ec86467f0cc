"""The HTTP application. It loads no language library and does no background work."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog
from fastapi import Depends, FastAPI, Request
from opentelemetry.trace import SpanKind
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service import __version__, openapi, problems
from service.assistants import http as assistants
from service.audit.recording import Auditing, Recorder
from service.audit.routes import router as audit_router
from service.auth.routes import router as keys_router
from service.auth.usage import Usage
from service.boundary import Boundary, Limits
from service.catalog.routes import router as catalog_router
from service.competitors.routes import router as competitors_router
from service.corrections.routes import router as corrections_router
from service.deliveries.routes import router as deliveries_router
from service.dependencies import check_parameters
from service.engine_options import engine_options
from service.erasures.routes import router as erasures_router
from service.errors import Problem, TooLarge, UnsupportedMedia
from service.exports.routes import router as exports_router
from service.imports.routes import router as imports_router
from service.insights.routes import router as insights_router
from service.jobs.routes import router as jobs_router
from service.notes.routes import router as notes_router
from service.objections.routes import router as objections_router
from service.operation.instruments import REQUEST_SECONDS, REQUESTS
from service.operation.pressure import Pressure
from service.operation.routes import router as operation_router
from service.pages import answers as pages
from service.pages.routes import router as pages_router
from service.persons.routes import router as persons_router
from service.reports.routes import router as reports_router
from service.retention.routes import router as retention_router
from service.saved_filters.routes import router as saved_filters_router
from service.search.meaning import MeaningIndex
from service.search.routes import router as search_router
from service.settings import Settings
from service.sources.faults.routes import router as faults_router
from service.sources.fetching.routes import router as fetching_router
from service.sources.routes import router as sources_router
from service.start import base_url
from service.subscriptions.routes import router as subscriptions_router
from service.themes.curation_routes import router as curation_router
from service.themes.routes import router as themes_router
from service.tracing import span
from service.users.routes import router as users_router

if TYPE_CHECKING:
    from service.users.provider import Provider

_log = structlog.get_logger()

_ROUTERS = (
    notes_router,
    erasures_router,
    retention_router,
    persons_router,
    imports_router,
    sources_router,
    faults_router,
    fetching_router,
    catalog_router,
    insights_router,
    search_router,
    saved_filters_router,
    exports_router,
    objections_router,
    competitors_router,
    curation_router,  # before the themes: /v1/themes/changes is no theme
    themes_router,
    corrections_router,
    reports_router,
    deliveries_router,
    subscriptions_router,
    jobs_router,
    keys_router,
    users_router,
    audit_router,
    operation_router,
    pages_router,
)


def create_app(settings: Settings, engine: sa.Engine) -> FastAPI:
    """Build the application over a migrated database.

    Its routes are made ready when they are first asked for, which takes longer than most answers; `bind` lets one
    application serve another database.
    """
    app = FastAPI(
        title="Binôme",
        version=__version__,
        summary="What customers say to sales people, read and ranked for marketing.",
        docs_url=None,  # its page comes from a CDN,
        redoc_url=None,
        responses=problems.problem_responses(401, 403, 422, 429),
        dependencies=[Depends(check_parameters)],
    )
    bind(app, settings, engine)
    problems.install(app)
    pages.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    assistants.install(app)
    _keep_records(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Boundary)
    app.add_middleware(Auditing)
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.proxies)
    app.add_middleware(Trace)
    openapi.describe(app)
    return app


def bind(app: FastAPI, settings: Settings, engine: sa.Engine) -> None:
    """Have an application answer by these settings, over this migrated database; `settings.proxies` alone is fixed."""
    app.state.settings = settings
    app.state.engine = engine.execution_options(**engine_options(settings))
    app.state.meaning = MeaningIndex()
    app.state.usage = Usage(app.state.engine)
    home = (settings.public_url or base_url(settings)).rstrip("/")
    app.state.provider = _provider(settings, home) if settings.oidc_issuer else None
    app.state.pressure = Pressure(app.state.engine, settings)
    app.state.recorder = Recorder(app.state.engine, settings.audit_days)
    app.state.limits = Limits(settings)


def _provider(settings: Settings, home: str) -> Provider:
    from service.users.provider import Provider  # here: most have none, and its libraries take their time

    return Provider(settings, home)


def _keep_records(app: FastAPI) -> None:
    """Have the audit log and last uses of keys and sessions written while the application runs."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[None]:
        async with inner(running), running.state.usage.kept(), running.state.recorder.kept():
            yield

    app.router.lifespan_context = lifespan


class Trace:
    """Give each request an id, and answer 500 in our shape where something was not foreseen."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the id of an HTTP request into its state and its answer's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        method = request.method if request.method in _METHODS else "other"
        began = time.perf_counter()
        with span(method, SpanKind.SERVER, parent=request.headers.get("traceparent")) as traced:
            status = await self._answer(request, receive, send)
            route = _route(scope)
            traced.update_name(f"{method} {route}")
            traced.set_attributes(
                {"http.request.method": method, "http.route": route, "http.response.status_code": status}
            )
        REQUESTS.labels(method, route, status).inc()
        REQUEST_SECONDS.labels(method, route).observe(time.perf_counter() - began)

    async def _answer(self, request: Request, receive: Receive, send: Send) -> int:
        """Answer, whatever happens; return the status."""
        scope, request_id, status = request.scope, request.state.request_id, 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, named)
        except Exception:
            _log.exception("request_failed", route=_route(scope))
            if status:  # the status is sent already: let the server close the connection
                raise
            problem = Problem("Something went wrong on our side; the log has this request_id.")
            await problems.answer(request, problem)(scope, receive, named)
        return status


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNPACKING = ("/v1/webhooks/", "/v1/imports", "/imports")


def _route(scope: Scope) -> str:
    """Return the template of the route that was taken: of a path itself there may be as many as callers like."""
    return str(getattr(scope.get("route"), "path", "none"))


def _packed(request: Request) -> Problem | None:
    """Return why a packed body is not read, None where it is not packed or its route unpacks it."""
    named = request.headers.get("content-encoding", "").strip()
    unpacks = request.method in {"GET", "HEAD"} or request.url.path.startswith(_UNPACKING)
    if unpacks or named.lower() in {"", "identity"}:
        return None
    return UnsupportedMedia(f"Send the body without Content-Encoding: {named[:50]} is not read here.")


class BodyLimit:
    """Refuse packed bodies that no route unpacks, and those over the limit while they arrive, before all parsing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes of an HTTP request's body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        most = request.app.state.settings.max_body_bytes
        problem = TooLarge(f"The body is over {most} bytes: send it in parts.")
        declared = request.headers.get("content-length", "")
        too_large = declared.isdigit() and int(declared) > most
        refusal = problem if too_large else _packed(request)
        if refusal:
            await problems.answer(request, refusal)(scope, receive, send)
            return
        seen = 0
        answered = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                raise problem
            return message

        async def passed(message: Message) -> None:
            nonlocal answered
            if answered or seen <= most:  # FastAPI takes any fault of a body's reading for a broken body
                answered = True
                await send(message)

        try:
            await self.app(scope, counted, passed)
        except Exception:
            if answered or seen <= most:
                raise
        if not answered:
            await problems.answer(request, problem)(scope, receive, send)
