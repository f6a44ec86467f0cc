"""What a database error means: it is away, or its disk is full, and the same may work later; or neither."""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

import sqlalchemy as sa

from service.errors import InsufficientStorage, Problem, TooMany, Unavailable

_SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}  # the second: no room for the index of the WAL
_SQLITE_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
_POSTGRES_FULL = "53100"
# connection, resources, operator's intervention, system error, rolled back for another's sake; read-only after a switch
_POSTGRES_AWAY = ("08", "53", "57P", "58", "40", "25006")


def problem_of(error: BaseException) -> Problem | None:
    """Return how an error of database or disk is answered; None for an error that is ours."""
    if isinstance(error, sa.exc.TimeoutError):  # every connection is in use
        return TooMany("Too much is asked at once: send it again in a moment.", retry_after=2, code="overloaded")
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return InsufficientStorage("The disk of the data folder is full: make room.")
    if not isinstance(error, sa.exc.DBAPIError):
        return None
    if _is_full(error.orig):
        return InsufficientStorage("The disk of the database is full: make room. Nothing of this request was stored.")
    if isinstance(error, sa.exc.OperationalError) or may_pass(error):
        return Unavailable("The database does not answer: send it again. What was stored already is not doubled.")
    return None


def may_pass(error: BaseException) -> bool:
    """Tell whether the same may work later, with nothing changed."""
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or _is_full(error.orig) or _is_away(error.orig)
    return isinstance(error, sa.exc.TimeoutError)


def _is_full(cause: Any) -> bool:
    return getattr(cause, "sqlite_errorcode", None) in _SQLITE_FULL or _state(cause) == _POSTGRES_FULL


def _is_away(cause: Any) -> bool:
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_AWAY
    if _state(cause) is not None:
        return str(_state(cause)).startswith(_POSTGRES_AWAY)
    return type(cause).__name__ in {"OperationalError", "InterfaceError"}  # the driver's own: the line is cut


def _state(cause: Any) -> str | None:
    return getattr(cause, "sqlstate", None)
