"""`binome mcp`: the tools for assistants over standard input and output."""

from __future__ import annotations

from typing import Annotated

import typer


def mcp(
    url: Annotated[str | None, typer.Option(help="A running service; this machine's database if left out.")] = None,
    key: Annotated[
        str | None, typer.Option(envvar="MCP_BINOME_KEY", help="Key of that service with the scope read.")
    ] = None,
) -> None:
    """Serve the tools for assistants (Model Context Protocol) over standard input and output."""
    # Imported here: the protocol's library takes a second, which no other command needs.
    import anyio

    from service.assistants.stdio import serve_local, serve_remote
    from service.errors import BinomeError
    from service.settings import load_settings

    if url and not key:
        raise BinomeError("A running service needs a key: --key, or the variable MCP_BINOME_KEY.")
    if url and key:
        anyio.run(serve_remote, url.rstrip("/"), key)
        return
    anyio.run(serve_local, load_settings())
