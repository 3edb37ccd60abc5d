"""OpenTelemetry traces. One trace covers a request, from the web process to the processing stages of its pictures.

The ids of a trace and of its first span are computed from the request's id, which is stored with the job. Workers can
therefore continue the trace, although queue messages contain only the id of the picture. Without MATTING_OTLP_ENDPOINT
nothing is traced.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

Attributes = Mapping[str, str | int | float | bool]
_NAME = "keyline"
_first_ids: ContextVar[tuple[int, int] | None] = ContextVar("first_ids", default=None)
_provider: Any = None


def tracing_start(*, endpoint: str, share: float, exporter: Any = None) -> None:
    """Configure OpenTelemetry to send spans to an OTLP endpoint over HTTP.

    endpoint: the base URL of the endpoint.
    share: the fraction (0..1) of the traces that are sent.
    exporter: receives the spans instead of the endpoint; None means the endpoint.
    Raise ImportError if the SDK of OpenTelemetry is not installed.
    """
    global _provider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    from mattingsite import __version__

    resource = Resource.create({"service.name": _NAME, "service.version": __version__})
    provider = TracerProvider(resource=resource, sampler=TraceIdRatioBased(share), id_generator=_ids())
    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        sender = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(sender))
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    _provider = provider


def tracing_stop() -> None:
    """Send the remaining spans and stop tracing."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
    _provider = None


def request_traced(*, request_id: str, name: str, duration_s: float, status: int, attributes: Attributes) -> None:
    """Record a request whose response has just been sent, as the first span of its trace.

    Nothing is recorded if tracing has not been started with `tracing_start`.
    name, attributes: the name and the attributes of the span.
    duration_s: the duration in seconds.
    status: the HTTP status.
    """
    if _provider is None:
        return
    end_ns = time.time_ns()
    token = _first_ids.set(_ids_of(request_id))
    try:
        span = _provider.get_tracer(_NAME).start_span(
            name, kind=SpanKind.SERVER, start_time=end_ns - int(duration_s * 1e9), attributes=attributes
        )
    finally:
        _first_ids.reset(token)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end(end_ns)


def picture_traced(
    *, request_id: str, enqueued_at: dt.datetime, timings_ms: dict[str, float], attributes: Attributes
) -> None:
    """Record a finished picture and its stages as spans. The first stage is the time in the queue.

    Nothing is recorded if `request_id` is empty or tracing has not been started with `tracing_start`.
    request_id: the id of the request that submitted the picture.
    timings_ms: the duration of each stage in milliseconds, in the order of the stages.
    attributes: the attributes of the picture's span.
    """
    if _provider is None or not request_id:
        return
    trace_id, span_id = _ids_of(request_id)
    flags = TraceFlags(TraceFlags.SAMPLED)
    parent = NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags))
    tracer = _provider.get_tracer(_NAME)
    begin_ns = int(enqueued_at.timestamp() * 1e9)
    picture = tracer.start_span(
        "picture",
        context=trace.set_span_in_context(parent),
        kind=SpanKind.CONSUMER,
        start_time=begin_ns,
        attributes=attributes,
    )
    inside = trace.set_span_in_context(picture)
    at_ns = begin_ns
    for stage, duration_ms in timings_ms.items():
        if stage == "total":
            continue
        end_ns = at_ns + int(duration_ms * 1e6)
        tracer.start_span(stage, context=inside, start_time=at_ns).end(end_ns)
        at_ns = end_ns
    picture.end(max(at_ns, time.time_ns()))


def _ids_of(request_id: str) -> tuple[int, int]:
    """Return the ids of a request's trace and of the first span of the trace.

    If the request id is a UUID, it is also the trace id, so that the trace can be found with the request id.
    """
    digest = hashlib.sha256(request_id.encode()).digest()
    try:
        trace_id = uuid.UUID(request_id).int
    except ValueError:
        trace_id = int.from_bytes(digest[:16])
    return trace_id or 1, int.from_bytes(digest[16:24]) or 1


def _ids() -> Any:
    """Return a generator of ids for OpenTelemetry.

    The ids are random, except those of the first span of a trace, which `request_traced` has set.
    """
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            first = _first_ids.get()
            return super().generate_trace_id() if first is None else first[0]

        def generate_span_id(self) -> int:
            first = _first_ids.get()
            return super().generate_span_id() if first is None else first[1]

    return Ids()
