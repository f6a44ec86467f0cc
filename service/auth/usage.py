"""When keys and browsers' sessions were used last.

It is gathered in memory and written now and then, so that asking costs no write. A process that is killed loses half
a minute of it at most.
"""

from __future__ import annotations

import threading
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import sqlalchemy as sa
import structlog

from service.auth.queries import mark_keys_used
from service.auth.sessions import mark_sessions_seen
from service.database import write_session
from service.repeating import repeated

FLUSH_SECONDS = 30
_log = structlog.get_logger()


class Usage:
    """Last uses that wait to be written."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._keys: dict[int, datetime] = {}
        self._sessions: dict[int, datetime] = {}

    def note(self, key_id: int | None, session_id: int | None, at: datetime) -> None:
        """Remember a use."""
        with self._lock:
            if key_id is not None:
                self._keys[key_id] = at
            if session_id is not None:
                self._sessions[session_id] = at

    def flush(self) -> None:
        """Write what was noted; a database that does not answer loses it, which ends no session early by much."""
        with self._lock:
            keys, sessions = self._keys, self._sessions
            self._keys, self._sessions = {}, {}
        if not keys and not sessions:
            return
        try:
            with write_session(self._engine) as session:
                mark_keys_used(session, keys)
                mark_sessions_seen(session, sessions)
        except sa.exc.OperationalError as error:
            _log.warning("usage_not_written", error=type(error).__name__)

    def _is_due(self) -> bool:
        return bool(self._keys or self._sessions)

    def kept(self) -> AbstractAsyncContextManager[None]:
        """Write every half minute until the block ends, and once more then."""
        return repeated(self.flush, FLUSH_SECONDS, self._is_due)
