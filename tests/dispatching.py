"""Running a dispatcher on a real PostgreSQL, and looking at what comes of exports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from coordinator.database import Database
from coordinator.database.exports import get_export
from coordinator.database.migrations import migrate
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.limits import Limits
from shared.storage import LocalStore
from tests.farm import PaintedWorkers

PATIENCE_S = 30.0
QUICK = Limits(margin=2, grace_s=0.2)


Test = Callable[[Database, LocalStore], Awaitable[None]]
"""An asynchronous test with a migrated database of its own."""


def on_a_database(function: Test) -> Callable[..., None]:
    """Run a test on the server that midifarm brings."""

    def run(migrated_database_url: str, store: LocalStore) -> None:
        _run(function, migrated_database_url, store)

    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def on_each_database(function: Test) -> Callable[..., None]:
    """Run a test on the oldest server that will do, too."""

    def run(database_url: str, store: LocalStore) -> None:
        _run(function, database_url, store)

    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def _run(function: Test, url: str, store: LocalStore) -> None:
    async def main() -> None:
        async with Database(url) as database:
            await migrate(database)
            await function(database, store)

    asyncio.run(main())


@asynccontextmanager
async def dispatching(
    database: Database, workers: PaintedWorkers, store: LocalStore, limits: Limits = QUICK
) -> AsyncIterator[Dispatcher]:
    """A dispatcher that leads."""
    dispatcher = Dispatcher(database, store, workers, limits)
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        await asyncio.wait_for(task, PATIENCE_S)


async def row_of(database: Database, export_id: str, user: str = "ada") -> dict[str, Any]:
    """How an export stands."""
    async with database.transaction() as connection:
        return await get_export(connection, user, export_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def ended(database: Database, export_id: str, user: str = "ada") -> dict[str, Any]:
    """How an export stands when nothing more happens to it."""

    async def has_ended() -> bool:
        return (await row_of(database, export_id, user))["status"] in (
            "completed",
            "failed",
            "cancelled",
        )

    await until(has_ended)
    return await row_of(database, export_id, user)


async def events_of(database: Database, export_id: str) -> list[dict[str, Any]]:
    """What clients were told of an export, in order."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "select data from events where export_id = %s order by id", (export_id,)
        )
        return [row["data"] for row in await cursor.fetchall()]
