"""Structured logs on standard error. No line ever holds a note's text, nor a key or token."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, WrappedLogger


def configure_logs() -> None:
    """Send our events and the libraries' warnings to standard error."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s [%(levelname)s] %(name)s %(message)s"
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _describe_exception,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn an exception into its type and places; its message may hold a note's text."""
    if not event.pop("exc_info", None):
        return event
    kind, _, places = sys.exc_info()
    if kind is not None:
        event["error"] = kind.__qualname__
        event["places"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(places)[-8:]]
    return event
