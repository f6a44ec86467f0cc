"""Traces by OpenTelemetry, sent where `BINOME_OTLP_ENDPOINT` says; without it nothing is made.

A request's `traceparent` (W3C Trace Context) is stored with what it asks for, so that the work in the background shows
in the same trace. No attribute holds a note's text, a search, a query string, a secret or the parameters of SQL.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import event

_HEADER = "traceparent"
_propagator = TraceContextTextMapPropagator()
_provider: Any = None


def configure_tracing(endpoint: str, process: str, version: str, engine: sa.Engine | None = None) -> None:
    """Send spans by OTLP over HTTP; nothing where `endpoint` is empty.

    Args:
        endpoint: Such as `http://collector:4318`; `/v1/traces` is appended.
        process: `service` or `worker`.
        version: Of Binôme.
        engine: Whose statements become spans, without their parameters.
    """
    global _provider
    if not endpoint:
        return
    # Imported here: it takes half a second that nobody else has to wait for.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": f"binome-{process}", "service.version": version})
    _provider = TracerProvider(resource=resource)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")))
    if engine is not None:
        event.listen(engine, "before_cursor_execute", _statement_begins)
        event.listen(engine, "after_cursor_execute", _statement_ends)


def _statement_begins(_connection: Any, _cursor: Any, _sql: str, _parameters: Any, context: Any, _many: bool) -> None:
    context.began_ns = time.time_ns()


def _statement_ends(_connection: Any, _cursor: Any, sql: str, _parameters: Any, context: Any, _many: bool) -> None:
    """Make a span of a statement, by its verb alone; OpenTelemetry's own instrumentation knows no SQLAlchemy 2.1."""
    if _provider is not None and trace.get_current_span().is_recording():
        verb = sql.split(None, 1)[0].upper() if sql.strip() else "SQL"
        tracer = _provider.get_tracer("binome")
        tracer.start_span(verb, kind=SpanKind.CLIENT, start_time=context.began_ns).end()


def stop_tracing() -> None:
    """Send what is left."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
    _provider = None


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str | None = None,
    links: Sequence[str] = (),
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """Time a block as a span.

    Args:
        name: Of few values.
        kind: `SERVER` for requests, `CONSUMER` for jobs.
        parent: A stored `traceparent`; else the span around, if any.
        links: Stored `traceparent`s of what else it works on.
        attributes: Further facts.
    """
    if _provider is None:
        yield trace.INVALID_SPAN
        return
    tracer = _provider.get_tracer("binome")
    context = _propagator.extract({_HEADER: parent}) if parent else None
    seen = [trace.get_current_span(_propagator.extract({_HEADER: one})).get_span_context() for one in links]
    with tracer.start_as_current_span(
        name,
        context,
        kind,
        attributes=dict(attributes or {}),
        links=[Link(one) for one in seen if one.is_valid],
        record_exception=False,  # an exception's message may hold a note's text
    ) as made:
        yield made


def traceparent() -> str | None:
    """Return what names the span around, to be stored; None where there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(_HEADER)


def trace_id() -> str | None:
    """Return the id of the trace around, as the log shows it."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
