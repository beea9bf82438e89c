"""The dispatcher: one process leads and gives out work, others stand by."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Final, NoReturn

from coordinator.database import Database
from coordinator.database.migrations import migrate
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.limits import Limits
from coordinator.ports import Executor
from coordinator.settings import ServiceSettings
from shared.errors import ClusterLostError, DatabaseError, ErrorKind
from shared.storage import ObjectStore, open_store

_log = logging.getLogger(__name__)

_DAY_S: Final = 86400.0
_DATABASE_TRIES: Final = 20


def run_dispatcher(settings: ServiceSettings) -> NoReturn:
    """Dispatch until SIGTERM or SIGINT, then end the process.

    Where Ray does not answer any more, the process ends with status 75 (try again): only a fresh
    one can reach it, and whoever supervises this one starts it.

    Raises:
        MidifarmError: It could not begin.
    """
    from cluster.executor import open_executor

    store = open_store(settings.store_url)
    store.check()
    asyncio.run(_migrate(settings.database_address))
    with open_executor(
        settings.store_url, address=settings.ray_address, workers=settings.workers
    ) as executor:
        try:
            asyncio.run(_dispatch(settings, store, executor))
        except ClusterLostError as exc:
            _log.critical("ray_lost error=%s", exc)
            logging.shutdown()
            # Saying good-bye to a Ray that does not answer can take for ever.
            os._exit(os.EX_TEMPFAIL)
    logging.shutdown()
    # Threads that wait for a store that does not answer must not hold up the end.
    os._exit(os.EX_OK)


async def _migrate(url: str) -> None:
    async with Database(url, most=2) as database:
        for attempt in range(_DATABASE_TRIES):
            try:
                version = await migrate(database)
            except DatabaseError as exc:
                if attempt == _DATABASE_TRIES - 1 or exc.kind is not ErrorKind.TRANSIENT:
                    raise
                await asyncio.sleep(0.5)
            else:
                _log.info("migrated schema=%d", version)
                return


async def _dispatch(settings: ServiceSettings, store: ObjectStore, executor: Executor) -> None:
    limits = Limits(
        retention_s=settings.retention_days * _DAY_S,
        segment_retention_s=settings.segment_days * _DAY_S,
    )
    async with Database(settings.database_address, most=4) as database:
        dispatcher = Dispatcher(database, store, executor, limits)
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, dispatcher.stop)
        await dispatcher.run()
