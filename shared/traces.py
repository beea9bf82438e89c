"""Traces: one for each export, told to a collector by whatever process knows a part of it.

::

    export                  from when it was accepted to its end
    ├── accept              the API put it into the database
    └── attempt             an attempt at one of its work items, from when it was given out
        └── work            the same on its worker

Every id follows from that of the export and the number of the attempt, so that no process has to
tell another one what it has told. Spans are told when they have ended, in OpenTelemetry's own
protocol (OTLP over HTTP), by a thread that holds nobody up: what piles up before a collector that
is down is dropped.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

_EVERY_MS: Final = 1000
_MOST: Final = 8192
"""Spans that wait for the collector; later ones are dropped."""
_WITHIN_S: Final = 5.0
"""The collector answers by then, or is tried again."""
_FAREWELL_S: Final = 1.0
"""How long the end of a process waits for it."""
_PATH: Final = "/v1/traces"


def trace_id(export: str) -> int:
    """The trace of an export."""
    return _number(16, "trace", export)


def span_id(export: str, *place: str) -> int:
    """A span of its trace; without a place, the whole export."""
    return _number(8, "span", export, *place)


def _number(size_bytes: int, *parts: str) -> int:
    # Nothing but zeros would be no id.
    hashed = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(hashed[:size_bytes]) or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of what was done for an export, which has ended."""

    name: str
    """What was done, in a word."""
    export: str
    """For which export."""
    place: tuple[str, ...]
    """What tells it from the other spans of its export; nothing for the export as a whole."""
    parent: tuple[str, ...] | None = ()
    """The place of what it is a part of; None for the export as a whole."""
    start_s: float
    """When it began: seconds since the epoch."""
    end_s: float
    """When it ended."""
    facts: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """What else is known of it; None is left out."""
    error: str | None = None
    """Why it came to nothing; None where it did not."""


class Tracer:
    """Tells a collector of spans."""

    def __init__(self, url: str, service: str) -> None:
        """Begin to tell; nothing is imported before.

        Args:
            url: Address of the collector; its usual path is added where there is none.
            service: What this process is called there.
        """
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        # It tells of every try, also of those that it makes again by itself.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
        own = version("midifarm")
        self._resource = Resource.create({"service.name": service, "service.version": own})
        self._scope = InstrumentationScope("midifarm", own)
        self._exporter = OTLPSpanExporter(endpoint=_endpoint(url), timeout=_WITHIN_S)
        self._processor = BatchSpanProcessor(
            self._exporter, max_queue_size=_MOST, schedule_delay_millis=_EVERY_MS
        )

    def tell(self, span: Span) -> None:
        """Have a span told; returns at once."""
        self._processor.on_end(self._told(span))

    def _told(self, span: Span) -> ReadableSpan:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import Status, StatusCode

        facts: dict[str, Any] = {"export": span.export, **span.facts}
        status = Status() if span.error is None else Status(StatusCode.ERROR, span.error)
        return ReadableSpan(
            name=span.name,
            context=_context(span.export, span.place),
            parent=None if span.parent is None else _context(span.export, span.parent),
            resource=self._resource,
            instrumentation_scope=self._scope,
            attributes={
                f"midifarm.{name}": value for name, value in facts.items() if value is not None
            },
            status=status,
            start_time=int(span.start_s * 1e9),
            end_time=int(max(span.start_s, span.end_s) * 1e9),
        )

    def close(self) -> None:
        """Tell what waits, if the collector takes it within a second."""
        thread = threading.Thread(target=self._processor.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(_FAREWELL_S)
        if thread.is_alive():
            # Otherwise it would try again for half a minute.
            self._exporter.shutdown()  # type: ignore[no-untyped-call]
            thread.join(_FAREWELL_S)


def open_tracer(url: str | None, service: str) -> Tracer | None:
    """What tells the collector at an address; None where there is none."""
    return None if url is None else Tracer(url, service)


def _context(export: str, place: tuple[str, ...]) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(
        trace_id=trace_id(export),
        span_id=span_id(export, *place),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )


def _endpoint(url: str) -> str:
    _, _, rest = url.partition("://")
    return url if rest.rstrip("/").count("/") else url.rstrip("/") + _PATH
