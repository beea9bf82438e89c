"""The dispatcher: one process leads and gives out work, others stand by."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from typing import Final, NoReturn

from prometheus_client import disable_created_metrics

from coordinator.database import Database
from coordinator.database.migrations import migrate
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.limits import Limits
from coordinator.dispatcher.metrics import Metrics, exposed
from coordinator.ports import Executor
from coordinator.processes import adopt_orphans, end_descendants
from coordinator.settings import ServiceSettings
from shared.errors import ClusterLostError, DatabaseError, ErrorKind, MidifarmError
from shared.storage import ObjectStore, open_store
from shared.traces import open_tracer

_log = logging.getLogger(__name__)

_DAY_S: Final = 86400.0
_DATABASE_WITHIN_S: Final = 60.0
_DATABASE_ANSWER_S: Final = 3.0
"""The loop over everything else stands still for no longer than this."""
_END_S: Final = 3.5
_LEFTOVERS_S: Final = 1.0
"""What Ray has left behind is asked to end for so long, then killed."""


def run_dispatcher(settings: ServiceSettings) -> NoReturn:
    """Dispatch until SIGTERM or SIGINT, then end the process.

    Where Ray does not answer any more, the process ends with status 75 (try again): only a fresh
    one can reach it, and whoever supervises this one starts it.

    Raises:
        MidifarmError: It could not begin.
    """
    store = open_store(settings.store_url)
    store.check()
    if settings.ray_address is None:
        # A Ray of our own ends with us, whoever of its processes has lost its parent meanwhile.
        adopt_orphans()
    # One more series for each counter, which nobody looks at.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
    metrics = Metrics()
    with exposed(metrics, settings.metrics_host, settings.metrics_port) as port:
        if port is not None:
            _log.info("metrics_served host=%s port=%d", settings.metrics_host, port)
        asyncio.run(_migrate(settings.database_address))
        _run(settings, store, metrics)
    _end(settings)
    # Threads that wait for a store that does not answer must not hold up the end.
    os._exit(os.EX_OK)


def _end(settings: ServiceSettings) -> None:
    """Leave nothing of a Ray of our own behind, and nothing unsaid."""
    if settings.ray_address is None:
        try:
            end_descendants(grace_s=_LEFTOVERS_S)
        except MidifarmError as exc:
            _log.error("ray_left_behind error=%s", exc)
    logging.shutdown()


def _run(settings: ServiceSettings, store: ObjectStore, metrics: Metrics) -> None:
    from cluster.executor import open_executor

    with open_executor(
        settings.store_url,
        address=settings.ray_address,
        workers=settings.workers,
        keeps_logs=True,
        traces_url=settings.traces_url,
    ) as executor:
        try:
            asyncio.run(_dispatch(settings, store, executor, metrics))
        except ClusterLostError as exc:
            _log.critical("ray_lost error=%s", exc)
            _end(settings)
            # Saying good-bye to a Ray that does not answer can take for ever.
            os._exit(os.EX_TEMPFAIL)


async def _migrate(url: str) -> None:
    async with Database(url, most=2, answer_s=_DATABASE_ANSWER_S) as database:
        until_s = time.monotonic() + _DATABASE_WITHIN_S
        said = ""
        while True:
            try:
                version = await migrate(database)
            except DatabaseError as exc:
                if time.monotonic() > until_s or exc.kind is not ErrorKind.TRANSIENT:
                    raise
                if exc.message != said:
                    _log.warning("dispatcher_waits error=%s", exc)
                    said = exc.message
                await asyncio.sleep(0.5)
            else:
                _log.info("migrated schema=%d", version)
                return


async def _dispatch(
    settings: ServiceSettings, store: ObjectStore, executor: Executor, metrics: Metrics
) -> None:
    limits = Limits(
        retention_s=settings.retention_days * _DAY_S,
        segment_retention_s=settings.segment_days * _DAY_S,
        log_retention_s=settings.log_days * _DAY_S,
        use_retention_s=settings.use_days * _DAY_S,
        quota_running=settings.quota_running,
    )
    async with Database(settings.database_address, most=4, answer_s=_DATABASE_ANSWER_S) as database:
        tracer = open_tracer(settings.traces_url, "midifarm-dispatcher")
        dispatcher = Dispatcher(database, store, executor, limits, metrics, tracer=tracer)
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stopping.set)
        running = asyncio.create_task(dispatcher.run())
        asked = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
        dispatcher.stop()
        # A database that has gone before us must not hold up the end.
        await asyncio.wait({running}, timeout=_END_S)
        if running.done():
            running.result()
        else:
            running.cancel()
            await asyncio.wait({running, asked}, timeout=0.5)
        asked.cancel()
        if tracer is not None:
            tracer.close()
