"""Structured logs on standard error, one line each. No line ever holds a note's text, nor a key or token."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from service.tracing import trace_id


def configure_logs(form: str = "human") -> None:
    """Send our events and the libraries' warnings to standard error.

    Args:
        form: `human`, or `json` for one JSON object a line.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _add_trace,
        _describe_exception,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_of_library, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    # The job engine would give itself a handler, whose lines hold messages of exceptions.
    engine = logging.getLogger("dbos")
    engine.propagate = False
    for logger in (logging.root, engine):
        for before in [h for h in logger.handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)]:
            logger.removeHandler(before)
        logger.addHandler(handler)
    logging.root.setLevel(logging.WARNING)


class _StandardError(logging.Handler):
    """Prints libraries' lines to what standard error is now."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        print(self.format(record), file=sys.stderr, flush=True)


def _of_library(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep of a library's line where it comes from: its words may be an exception's message, and so a note's text."""
    record: logging.LogRecord = event["_record"]
    event["logger"] = record.name
    event["place"] = f"{record.filename}:{record.lineno}"
    if not record.name.startswith("uvicorn"):
        event["event"] = f"library_{record.levelname.lower()}"
    if record.exc_info and record.exc_info[0]:
        event["error"] = record.exc_info[0].__qualname__
    event.pop("exc_info", None)
    event.pop("stack_info", None)
    return event


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    found = trace_id()
    if found:
        event["trace_id"] = found
    return event


def _describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn an exception into its type and places; its message may hold a note's text."""
    if not event.pop("exc_info", None):
        return event
    kind: Any
    kind, _, places = sys.exc_info()
    if kind is not None:
        event["error"] = kind.__qualname__
        event["places"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(places)[-8:]]
    return event
