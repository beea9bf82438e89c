"""A collector of traces, as OpenTelemetry has them over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A span."""

    service: str
    name: str
    trace: int
    id: int
    parent: int
    start_ns: int
    end_ns: int
    facts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


class Collector:
    """What was told to it."""

    def __init__(self, url: str) -> None:
        """Nothing was yet."""
        self.url = url
        self.spans: list[Collected] = []
        self._told = threading.Condition()

    def take(self, body: bytes) -> None:
        """Take what was sent."""
        request = ExportTraceServiceRequest.FromString(body)
        with self._told:
            self.spans += _spans(request)
            self._told.notify_all()

    def wait_for(self, condition: Callable[[list[Collected]], bool]) -> list[Collected]:
        """Wait until the spans that were told are such; all of them."""
        with self._told:
            assert self._told.wait_for(lambda: condition(self.spans), PATIENCE_S), self.spans
            return list(self.spans)


def _spans(request: ExportTraceServiceRequest) -> Iterator[Collected]:
    for resource in request.resource_spans:
        named = {each.key: each.value.string_value for each in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Collected(
                    service=named["service.name"],
                    name=span.name,
                    trace=int.from_bytes(span.trace_id),
                    id=int.from_bytes(span.span_id),
                    parent=int.from_bytes(span.parent_span_id),
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    facts={
                        each.key.removeprefix("midifarm."): getattr(
                            each.value, each.value.WhichOneof("value")
                        )
                        for each in span.attributes
                    },
                    error=span.status.message
                    if span.status.code == span.status.STATUS_CODE_ERROR
                    else None,
                )


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
