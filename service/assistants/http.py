"""The tools over Streamable HTTP at `/mcp`, with the API's keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module

from anyio import TASK_STATUS_IGNORED, Event, Lock, create_task_group, to_thread
from anyio.abc import TaskGroup, TaskStatus
from fastapi import FastAPI, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service import problems
from service.auth.scopes import Scope as Right
from service.auth.scopes import allows
from service.database import read_session
from service.dependencies import find_caller, get_engine, refused_key
from service.errors import Forbidden, Problem, Unauthorized
from service.settings import INSIDE_HOST
from service.start import base_url

PATH = "/mcp"


class Assistants:
    """The endpoint: lets callers with a key for reading pass, and runs while the application does.

    The tools are made ready for the first who asks: their library takes a second to load, and most have no assistant.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._group: TaskGroup | None = None
        self._tools: ASGIApp | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve tools until the block ends."""
        self._over, self._making = Event(), Lock()
        async with create_task_group() as self._group:
            yield
            self._over.set()
        self._group = self._tools = None

    async def _keep(self, *, task_status: TaskStatus[ASGIApp] = TASK_STATUS_IGNORED) -> None:
        """Make the tools ready, and keep them until the application stops."""
        await to_thread.run_sync(import_module, "service.assistants.tools")  # others are answered meanwhile
        import httpx2
        from mcp.server.transport_security import TransportSecuritySettings

        from service.assistants.tools import Api, build_server

        settings = self._app.state.settings
        inside = httpx2.ASGITransport(self._app)
        links = (settings.public_url or base_url(settings)).rstrip("/")
        async with httpx2.AsyncClient(transport=inside, base_url=f"http://{INSIDE_HOST}") as client:
            server = build_server(Api(client, links))
            # No session is kept: each request brings its key, and any process may answer it. Whoever has no key gets
            # nothing, so that pages of other sites, which the SDK's check of hosts is against, get nothing either.
            tools = server.streamable_http_app(
                stateless_http=True,
                json_response=True,
                transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            )
            async with server.session_manager.run():
                task_status.started(tools)
                await self._over.wait()

    async def _ready(self) -> ASGIApp | None:
        """Return the tools; None where the application is stopping."""
        if self._group is None:
            return None
        async with self._making:
            if self._tools is None and not self._over.is_set():
                self._tools = await self._group.start(self._keep)
        return self._tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the protocol."""
        request = Request(scope)
        refusal = await to_thread.run_sync(_refusal, request)
        tools = None if refusal else await self._ready()
        if refusal or tools is None:
            await problems.answer(request, refusal or Problem("The service is stopping."))(scope, receive, send)
            return
        await tools(scope, receive, send)


def _refusal(request: Request) -> Problem | None:
    """Return why a caller may not pass, None where it may: a cookie does not count here."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        return Unauthorized("Send a key: Authorization: Bearer KEY.")
    with read_session(get_engine(request)) as session:
        now = datetime.now(UTC)
        caller = find_caller(session, request, secret.strip(), now)
        if caller is None:
            return refused_key(session, secret.strip(), now)
    if not allows(caller.scopes, Right.READ):
        return Forbidden(f"This key lacks the scope {Right.READ}; it has {', '.join(caller.scopes) or 'none'}.")
    return None


def install(app: FastAPI) -> None:
    """Serve the tools at `/mcp` while the application runs."""
    assistants = Assistants(app)
    app.router.routes.append(Route(PATH, assistants))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with assistants.running():
            yield

    app.router.lifespan_context = lifespan
