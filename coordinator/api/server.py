"""Serving the API on a socket that somebody else has bound.

Whoever bound the socket keeps it open, so that a process which is restarted refuses no
connection: they wait in the socket's queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Generator
from typing import Final

import uvicorn
from fastapi import FastAPI

from coordinator.api.app import create_app
from coordinator.api.limits import ApiLimits
from coordinator.api.services import Services
from coordinator.api.tokens import Provider
from coordinator.database import Database
from coordinator.database.migrations import check_schema
from coordinator.fetching import Fetcher
from coordinator.reaching import Reach
from coordinator.settings import ServiceSettings
from shared.errors import DatabaseError
from shared.storage import open_store
from shared.traces import open_tracer

_log = logging.getLogger(__name__)

_GRACE_S: Final = 1
"""What a request has left when the process is to end; uploads and downloads are cut."""
_PATIENCE_S: Final = 60.0
"""The database may come up, and the dispatcher migrate it, after this process has started."""
_AGAIN_S: Final = 0.5
_PING_S: Final = 20.0
_SOCKET_BYTES: Final = 4096
"""What a client may send over a WebSocket at a time; there is nothing to say."""
_SWITCH_S: Final = 0.0005
"""How long a thread that puts a large batch together may keep the others waiting each time. Every
answer takes several turns, so that Python's own 5 ms would add up."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run_api(
    settings: ServiceSettings, listener: socket.socket, limits: ApiLimits | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; returns then, within two seconds.

    Args:
        settings: Where the database and the store are.
        listener: A listening socket, which is closed at the end.
        limits: Limits of the API; the defaults and what the settings say without it.

    Raises:
        DatabaseError: PostgreSQL cannot be reached, or has an older schema, for a minute; or
            it has a newer one.
        InputError: The store's address is not understood.
        StorageError: The store cannot be opened.
    """
    said = ApiLimits(
        rate_per_s=settings.rate_per_s,
        rate_burst=settings.rate_burst,
        quotas=settings.quotas,
        declared_pools=settings.pools_declared,
    )
    sys.setswitchinterval(_SWITCH_S)
    asyncio.run(_serve(settings, listener, limits or said))


async def _serve(settings: ServiceSettings, listener: socket.socket, limits: ApiLimits) -> None:
    store = open_store(settings.store_url)
    async with Database(settings.database_address) as database:
        await _wait_for_schema(database)
        fetcher = Fetcher(allowed=settings.fetch_allowed)
        tracer = open_tracer(settings.traces_url, "midifarm-api")
        app = create_app(
            database=database,
            store=store,
            limits=limits,
            fetcher=fetcher,
            receivers=Reach(allowed=settings.webhook_allowed),
            provider=_provider(settings),
            tracer=tracer,
            slot_prices=settings.prices,
            grafana_url=settings.grafana_url,
        )
        # What is there by now stays: looking through it for garbage would halt everything for a
        # tenth of a second each time.
        gc.collect()
        gc.freeze()
        await ApiServer(app).serve([listener])
        if tracer is not None:
            tracer.close()


def _provider(settings: ServiceSettings) -> Provider | None:
    if settings.jwt_audience is None or settings.jwt_issuer is None:
        return None
    secret = settings.jwt_secret
    return Provider(
        audience=settings.jwt_audience,
        issuer=settings.jwt_issuer,
        scope_claim=settings.jwt_scope_claim,
        secret=None if secret is None else secret.get_secret_value().encode(),
        jwks_url=settings.jwt_jwks_url,
    )


async def _wait_for_schema(database: Database) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    said = ""
    while True:
        try:
            await check_schema(database)
        except DatabaseError as exc:
            if time.monotonic() > until_s or exc.facts.get("newer"):
                raise
            if exc.message != said:
                _log.warning("api_waits error=%s", exc)
                said = exc.message
            await asyncio.sleep(_AGAIN_S)
        else:
            return


class ApiServer(uvicorn.Server):
    """uvicorn, which ends the streams before it waits for requests to end."""

    def __init__(self, app: FastAPI) -> None:
        """Prepare to serve an application made by create_app()."""
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="websockets-sansio",
                ws_max_size=_SOCKET_BYTES,
                ws_ping_interval=_PING_S,
                ws_ping_timeout=_PING_S,
                ws_per_message_deflate=False,
                lifespan="on",
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        services: Services = app.state.services
        self.hub = services.hub
        """Whose streams end first."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until it is to end."""
        for listener in sockets or ():
            # asyncio sets it on sockets whose protocol is spelt out, which accepted ones' is not:
            # the end of an answer would wait 40 ms for the client's acknowledgement of its head.
            if listener.family in (socket.AF_INET, socket.AF_INET6):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().serve(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then whatever else is under way."""
        self.hub.end_streams()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop on a signal and return: uvicorn's own way raises it again at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.should_exit = True
