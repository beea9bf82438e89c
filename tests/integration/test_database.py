"""The schema: applied once, whoever is first; refused where it is newer; its invariants hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from coordinator.database import Database
from coordinator.database.exports import get_export
from coordinator.database.migrations import check_schema, migrate, read_migrations
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from shared.errors import DatabaseError, SchemaError
from shared.storage import LocalStore
from tests.farm import PaintedWorkers, add_export

pytestmark = pytest.mark.services

LONG_AGO = Limits(retention_s=0.001, segment_retention_s=0, event_retention_s=0.001, orphan_s=0)


def run(main: Callable[[Database], Awaitable[None]], url: str) -> None:
    async def opened() -> None:
        async with Database(url) as database:
            await main(database)

    asyncio.run(opened())


def test_many_may_migrate_at_the_same_time(database_url: str) -> None:
    async def main(database: Database) -> None:
        versions = await asyncio.gather(*(migrate(database) for _ in range(8)))
        assert set(versions) == {len(read_migrations())}
        await check_schema(database)

    run(main, database_url)


def test_an_empty_database_is_told_from_a_migrated_one(embedded_database_url: str) -> None:
    async def main(database: Database) -> None:
        with pytest.raises(SchemaError, match="it migrates"):
            await check_schema(database)

    run(main, embedded_database_url)


def test_an_older_program_refuses_a_newer_schema(embedded_database_url: str) -> None:
    async def main(database: Database) -> None:
        newest = await migrate(database)
        async with database.transaction() as connection:
            await connection.execute(
                "insert into schema_migrations (number, name) values (%s, 'future')",
                (newest + 1,),
            )
        for refuse in (migrate, check_schema):
            with pytest.raises(SchemaError, match="Update this one"):
                await refuse(database)

    run(main, embedded_database_url)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    async def main(database: Database) -> None:
        with pytest.raises(DatabaseError) as caught:
            async with database.lone_connection():
                pass
        assert "hunter2" not in f"{caught.value} {caught.value.__cause__} {database!r}"

    run(main, "postgresql://ada:hunter2@127.0.0.1:1/midifarm")


@pytest.mark.parametrize(
    "change",
    [
        "status = 'completed'",  # queued cannot become that
        "status = 'failed'",  # without a message
        "progress = 1",  # before it is completed
        "progress = 1.5",
        "frames_done = 10",  # of no frames
        "priority = 101",
    ],
)
def test_what_cannot_be_is_refused(embedded_database_url: str, change: str) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        await add_export(database)
        with pytest.raises(psycopg.errors.CheckViolation):
            async with database.transaction() as connection:
                await connection.execute(f"update export_jobs set {change}")  # noqa: S608

    run(main, embedded_database_url)


async def complete(database: Database, store: LocalStore, limits: Limits) -> str:
    """One export from its beginning to its end."""
    export = await add_export(database)
    dispatcher = Dispatcher(database, store, PaintedWorkers(store), limits)
    running = asyncio.create_task(dispatcher.run())
    async with asyncio.timeout(30):
        while True:
            async with database.transaction() as connection:
                if (await get_export(connection, "ada", export))["status"] == "completed":
                    break
            await asyncio.sleep(0.01)
    dispatcher.stop()
    await running
    return export


def test_the_janitor_removes_what_has_expired(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        export = await complete(database, store, Limits(retention_s=0.001))
        janitor = Janitor(database, store, LONG_AGO)
        await janitor.clean_old()
        async with database.transaction() as connection:
            row = await get_export(connection, "ada", export)
            cursor = await connection.execute("select count(*) as count from work_items")
            items = (await cursor.fetchone() or {})["count"]
        # The history stays, with everything that is told about it.
        assert (row["status"], row["download_url"]) == ("completed", None)
        assert (row["expired_at"] is not None, row["sha256"] is not None) == (True, True)
        assert (items, list(store.list())) == (0, [])

    run(main, embedded_database_url)


def test_the_janitor_keeps_what_can_be_downloaded(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        export = await complete(database, store, Limits())
        store.put_bytes("segments/ab/nobody.a99.mp4", b"x")
        store.put_bytes("assets/ab/somebody", b"x")
        janitor = Janitor(database, store, LONG_AGO)
        assert await janitor.clean_orphans() == 1
        await janitor.clean_old()
        async with database.transaction() as connection:
            row = await get_export(connection, "ada", export)
        assert {info.key for info in store.list()} == {row["download_url"], "assets/ab/somebody"}

    run(main, embedded_database_url)
