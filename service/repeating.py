"""Work that the application does again and again beside answering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def repeated(work: Callable[[], None], seconds: float, is_due: Callable[[], bool]) -> AsyncIterator[None]:
    """Do the work in a thread every so many seconds where it is due, until the block ends, and once more then."""

    async def go_on() -> None:
        while True:
            await asyncio.sleep(seconds)
            if is_due():
                await asyncio.to_thread(work)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(work)
