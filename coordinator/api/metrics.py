"""``/metrics``: what one API process has counted, for Prometheus.

Requests are told apart by the templates of their routes (``/v1/exports/{export_id}``), never by
what clients send: nothing that they choose makes a new time series.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coordinator.api.hub import Hub
from coordinator.calls import Calls
from coordinator.database import Database

router: Final = APIRouter(tags=["health"])

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_UNMATCHED: Final = "unmatched"
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PREVIEWS: Final = ("ready", "failed", "pending")
_TRIES: Final = ("delivered", "pending", "failed")


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.registry = CollectorRegistry()
        self.calls = Calls(self.registry)
        self.requests = Counter(
            "midifarm_api_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.duration = Histogram(
            "midifarm_api_request_duration_seconds",
            "Time from a request to the beginning of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.uploaded_bytes = Counter(
            "midifarm_api_uploaded_bytes",
            "Bytes of files that were taken in.",
            registry=self.registry,
        )
        self.rate_limited_requests = Counter(
            "midifarm_api_rate_limited_requests",
            "Requests of valid callers that came too fast.",
            registry=self.registry,
        )
        self.refused_logins = Counter(
            "midifarm_api_refused_logins",
            "Requests without a valid token, by the code of their problem.",
            ("reason",),
            registry=self.registry,
        )
        self.preview_wait = Histogram(
            "midifarm_api_preview_wait_seconds",
            "Time that a request waited for a preview, by how that stood then.",
            ("status",),
            buckets=_WAITS_S,
            registry=self.registry,
        )
        self.webhook_tries = Counter(
            "midifarm_api_webhook_tries",
            "Tries to tell webhooks, by how the delivery stands then: pending ones are tried again,"
            " failed ones were given up.",
            ("status",),
            registry=self.registry,
        )
        for status in _PREVIEWS:
            self.preview_wait.labels(status)
        for status in _TRIES:
            self.webhook_tries.labels(status)

    def watch(self, hub: Hub, database: Database) -> None:
        """Tell also how these stand whenever somebody asks, and what transactions take."""
        database.measure(self.calls.transaction)
        Gauge(
            "midifarm_api_event_streams", "Clients that watch exports.", registry=self.registry
        ).set_function(lambda: hub.clients)
        connections = Gauge(
            "midifarm_api_database_connections",
            "Connections of the pool to PostgreSQL.",
            ("state",),
            registry=self.registry,
        )
        connections.labels(state="in_use").set_function(lambda: database.pool().in_use)
        connections.labels(state="idle").set_function(lambda: database.pool().idle)
        Gauge(
            "midifarm_api_database_waiting_requests",
            "Requests that wait for a connection.",
            registry=self.registry,
        ).set_function(lambda: database.pool().waiting)


class Measured:
    """Middleware that counts requests and how long they take."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Count what an application answers."""
        self._app = app
        self._metrics = metrics
        self._templates: dict[Any, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s = time.perf_counter()
        status, took_s = 500, None  # what a handler that fails is answered with outside

        async def measured(message: Message) -> None:
            nonlocal status, took_s
            if message["type"] == "http.response.start":
                status, took_s = message["status"], time.perf_counter() - begun_s
            await send(message)

        try:
            await self._app(scope, receive, measured)
        finally:
            if took_s is None:
                took_s = time.perf_counter() - begun_s
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = self._route(scope)
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.duration.labels(method, route).observe(took_s)

    def _route(self, scope: Scope) -> str:
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return _UNMATCHED
        if not self._templates:
            self._templates = _templates(scope["app"].routes)
        return self._templates.get(endpoint, _UNMATCHED)


def _templates(routes: Sequence[BaseRoute]) -> dict[Any, str]:
    """The path of each route's function, as it is written down."""
    return {
        context.endpoint: context.path
        for context in iter_route_contexts(routes)
        if context.endpoint is not None and context.path is not None
    }


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.services.metrics
    return metrics


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(counted: Annotated[Metrics, Depends(_metrics)]) -> Response:
    """What this process has counted, in the text format of Prometheus."""
    return Response(generate_latest(counted.registry), media_type=CONTENT_TYPE_PLAIN_1_0_0)
