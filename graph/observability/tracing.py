"""Spans of OpenTelemetry, one an operation and one a statement, by the semantic conventions.

The API is a dependency, the SDK the extra `otel`. Without an SDK that is set up there is no `Tracing` at all
and an operation asks for none: that costs a comparison. Spans have no variable, no document and no e-mail
address: statements are those that are prepared, with placeholders for the values.

Conventions: GraphQL server spans and database client spans of OpenTelemetry's semantic conventions 1.44.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.propagate import get_global_textmap
from opentelemetry.trace import SpanKind, Status, StatusCode

from graph.settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

    from graph.observability.operation import Operation

SERVICE: Final = "m3core-gateway"
_SCOPE: Final = "m3core.gateway"
_FAULTS: Final = frozenset({"INTERNAL", "TIMEOUT", "UNAVAILABLE"})
"""Codes that are the server's doing; a client's mistakes leave a span's status unset."""
_TABLE: Final = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(?:ONLY\s+)?([a-z_]+(?:\.[a-z_]+)?)", re.IGNORECASE)
_VERB: Final = re.compile(r"\s*(\w+)")


class Tracing:
    """Makes the spans of operations."""

    def __init__(
        self, provider: "TracerProvider | None" = None, close: Callable[[], None] | None = None
    ) -> None:
        """Take a provider, or the one that is set up for the process; `close` ends it, for `close`."""
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=provider)
        self._close = close

    async def close(self) -> None:
        """Send what has not been sent, where the provider is ours to end."""
        if self._close is not None:
            await asyncio.to_thread(self._close)

    def begin(self, carrier: Mapping[str, str]) -> "Span":
        """The span of an operation; `carrier` is what its request has of `traceparent` and `tracestate`."""
        return Span(self._tracer, carrier)


def configured(endpoint: str | None = None) -> Tracing | None:
    """Spans for the collector at `endpoint`, or for the SDK that the process has set up; None without either.

    Without the extra `otel` an endpoint is a SettingsError. What else there is to set, a sampler or headers
    for the collector, the SDK reads from its own `OTEL_*` variables.
    """
    if endpoint is not None:
        return _sending(endpoint)
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return Tracing()


def _sending(endpoint: str) -> Tracing:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SettingsError("M3_OTLP_ENDPOINT takes the extra: pip install 'm3core-gateway[otel]'") from None
    about = {"service.name": SERVICE, "service.version": metadata.version(SERVICE)}
    provider = TracerProvider(resource=Resource.create(about))
    exporter = OTLPSpanExporter(f"{endpoint.removesuffix('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider, provider.shutdown)


class Span:
    """The span of an operation."""

    def __init__(self, tracer: "Tracer", carrier: Mapping[str, str]) -> None:
        self._tracer = tracer
        parent = get_global_textmap().extract(carrier) if carrier else None
        self._span = tracer.start_span("GraphQL Operation", parent, SpanKind.SERVER)
        self._context = trace.set_span_in_context(self._span)

    def statement(self, sql: str) -> "Statement":
        """The span of a statement that begins now."""
        verb, table = summary(sql)
        attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": verb,
            "db.query.summary": f"{verb} {table}".strip(),
            "db.query.text": sql,
        }
        if table:
            attributes["db.collection.name"] = table
        name = attributes["db.query.summary"]
        return Statement(self._tracer.start_span(name, self._context, SpanKind.CLIENT, attributes))

    @property
    def trace_id(self) -> str:
        """The trace that the span is of, in hexadecimal, for the log."""
        return trace.format_trace_id(self._span.get_span_context().trace_id)

    def end(self, operation: "Operation") -> None:
        """Say what ran, and end."""
        span = self._span
        if span.is_recording():
            # A name of the client's choosing is an attribute only: names of spans are to be few.
            named = operation.trusted and operation.name
            span.update_name(f"{operation.kind} {named}" if named else operation.kind)
            span.set_attribute("graphql.operation.type", operation.kind)
            if operation.name is not None:
                span.set_attribute("graphql.operation.name", operation.name)
            if operation.tenant_id is not None:
                span.set_attribute("m3.tenant.id", str(operation.tenant_id))
            span.set_attribute("m3.request.id", operation.request_id)
            if operation.codes:
                span.set_attribute("m3.error.codes", sorted(operation.codes))
                faults = _FAULTS.intersection(operation.codes)
                if faults:
                    span.set_attribute("error.type", min(faults))
                    span.set_status(Status(StatusCode.ERROR))
        span.end()


class Statement:
    """The span of a statement."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def end(self, error: BaseException | None) -> None:
        """End it; of an error it has the SQLSTATE or the class, never the words, which quote values."""
        if error is not None:
            state = getattr(error, "sqlstate", None)
            if state is not None:
                self._span.set_attribute("db.response.status_code", state)
            self._span.set_attribute("error.type", state or type(error).__qualname__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


@lru_cache(maxsize=2000)
def summary(sql: str) -> tuple[str, str]:
    """The verb of a statement and the first table that it names, empty if there is none."""
    verb, table = _VERB.match(sql), _TABLE.search(sql)
    return (verb[1].upper() if verb else "", table[1] if table else "")
