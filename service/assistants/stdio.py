"""The tools over standard input and output, for an assistant on this machine."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2

from service.app import create_app
from service.assistants.tools import Api, build_server
from service.auth.queries import create_key, revoke_key
from service.auth.scopes import Scope
from service.database import write_session
from service.logs import configure_logs
from service.settings import INSIDE_HOST, Settings
from service.start import base_url, open_database

TIMEOUT_SECONDS = 60
_KEY_NAME = "mcp"


async def serve_remote(url: str, key: str) -> None:
    """Serve the tools over a running service."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS) as client:
        await build_server(Api(client, url)).run_stdio_async()


async def serve_local(settings: Settings) -> None:
    """Serve the tools over this machine's database, with a key that may only read and is revoked at the end."""
    configure_logs()  # to standard error: standard output is the protocol's
    with open_database(settings) as engine:
        with write_session(engine) as session:
            row, secret = create_key(session, name=_KEY_NAME, scopes=[Scope.READ], now=datetime.now(UTC))
            key_id = row.id
        app = create_app(settings, engine)
        inside = httpx2.ASGITransport(app)
        headers = {"Authorization": f"Bearer {secret}"}
        try:
            async with (
                app.state.recorder.kept(),
                httpx2.AsyncClient(transport=inside, base_url=f"http://{INSIDE_HOST}", headers=headers) as client,
            ):
                await build_server(Api(client, base_url(settings))).run_stdio_async()
        finally:
            with write_session(engine) as session:
                revoke_key(session, key_id, datetime.now(UTC))
