"""Refusing what can wait while too much waits already, before any work is done on it. Deletions are never refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request

from service.analysis.queries import has_backlog_of
from service.database import read_session
from service.errors import TooMany
from service.operation.disk import check_free
from service.settings import Settings

LOOK_SECONDS = 2.0  # how long a look at backlog and disk counts
BACKLOG_WAIT_SECONDS = 60
WRITER_WAIT_SECONDS = 2


class Pressure:
    """What the intake of one process looks at: how many write, how much is unread, how much disk is left."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._turns = threading.BoundedSemaphore(settings.max_writing)
        self._looking = threading.Lock()
        self._looked_at = float("-inf")
        self._deep = False

    @contextmanager
    def turn(self, *, urgent: bool = False) -> Iterator[None]:
        """Give one of the turns at writing for the length of a block.

        Args:
            urgent: A deletion is in it: it is let through whatever waits.

        Raises:
            TooMany: If the backlog is too deep, or as many as may write are at it.
            InsufficientStorage: If the disk is nearly full.
        """
        if urgent:
            yield
            return
        self.check()
        if not self._turns.acquire(blocking=False):
            raise TooMany(
                f"{self._settings.max_writing} requests are being stored: send it again in a moment.",
                retry_after=WRITER_WAIT_SECONDS,
                code="overloaded",
            )
        try:
            yield
        finally:
            self._turns.release()

    def check(self) -> None:
        """Refuse while the backlog is too deep or the disk nearly full.

        Raises:
            TooMany: For the backlog.
            InsufficientStorage: For the disk.
        """
        check_free(self._settings)
        if self._is_deep():
            raise TooMany(
                f"More than {self._settings.max_backlog} notes wait to be read: send it again later.",
                retry_after=BACKLOG_WAIT_SECONDS,
                code="overloaded",
            )

    def _is_deep(self) -> bool:
        if time.monotonic() - self._looked_at > LOOK_SECONDS and self._looking.acquire(blocking=False):
            try:
                with read_session(self._engine) as session:
                    self._deep = has_backlog_of(session, self._settings.max_backlog)
                self._looked_at = time.monotonic()
            finally:
                self._looking.release()
        return self._deep


def get_pressure(request: Request) -> Pressure:
    """Return the application's pressure."""
    pressure: Pressure = request.app.state.pressure
    return pressure


def admit(pressure: Annotated[Pressure, Depends(get_pressure)]) -> None:
    """Refuse a request before its body is read; for routes that bring many notes and no deletion."""
    pressure.check()
