"""Who may have more, on a real PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest

from coordinator.database import Database, quotas
from coordinator.quotas import QuotaLimits
from shared.errors import QuotaError
from shared.storage import LocalStore
from tests.dispatching import on_a_database, until
from tests.farm import add_export

pytestmark = pytest.mark.services

DEFAULTS = QuotaLimits(queued=3, stored_bytes=1000)


@on_a_database
async def test_exports_are_admitted_as_far_as_the_quota_goes(
    database: Database,
    store: LocalStore,  # on_a_database gives it
) -> None:
    first = await add_export(database)
    await add_export(database, "ben", song="not ada's")
    async with database.transaction() as connection:
        await quotas.admit_exports(connection, "ada", 2, DEFAULTS)
        with pytest.raises(QuotaError, match="1 are there, and 3 more"):
            await quotas.admit_exports(connection, "ada", 3, DEFAULTS)
        await quotas.set_quota(connection, "ada", QuotaLimits(queued=5))
        await quotas.admit_exports(connection, "ada", 4, DEFAULTS)
        await quotas.drop_quota(connection, "ada")
        await connection.execute(
            "update export_jobs set status = 'cancelled' where id = %s", (first,)
        )
        await quotas.admit_exports(connection, "ada", 3, DEFAULTS)


@on_a_database
async def test_files_are_admitted_as_far_as_the_quota_goes(
    database: Database,
    store: LocalStore,  # on_a_database gives it
) -> None:
    async with database.transaction() as connection:
        await quotas.admit_bytes(connection, "ada", 1000, DEFAULTS)
        await connection.execute(
            "insert into assets (id, user_id, kind, name, sha256, size_bytes) "
            "values ('ast_1', 'ada', 'midi', 'a.mid', repeat('0', 64), 900)"
        )
        await quotas.admit_bytes(connection, "ada", 100, DEFAULTS)
        with pytest.raises(QuotaError, match="900 bytes are there, and 101 bytes more"):
            await quotas.admit_bytes(connection, "ada", 101, DEFAULTS)
        await quotas.admit_exports(connection, "ada", 1, DEFAULTS)
        await quotas.set_quota(connection, "ada", QuotaLimits(stored_bytes=900))
        with pytest.raises(QuotaError, match="900 bytes are there"):
            await quotas.admit_exports(connection, "ada", 1, DEFAULTS)
        await connection.execute("delete from assets")
        await quotas.admit_bytes(connection, "ada", 900, DEFAULTS)


@on_a_database
async def test_two_requests_at_once_cannot_both_slip_through(
    database: Database,
    store: LocalStore,  # on_a_database gives it
) -> None:
    most = QuotaLimits(queued=1)
    counted = asyncio.Event()
    go_on = asyncio.Event()

    async def first() -> None:
        async with database.transaction() as connection:
            await quotas.admit_exports(connection, "ada", 1, most)
            counted.set()
            await go_on.wait()
            await connection.execute(
                "insert into compositions (id, user_id, name) values ('cmp', 'ada', 'Song')"
            )
            await connection.execute(
                "insert into composition_revisions (composition_id, revision, document)"
                " values ('cmp', 1, '{}')"
            )
            await connection.execute(
                "insert into export_jobs (id, user_id, composition_id, composition_revision,"
                " config, name, intake) values ('exp', 'ada', 'cmp', 1, '{}', 'Song', '{}')"
            )

    async def second() -> None:
        await counted.wait()
        async with database.transaction() as connection:
            await quotas.admit_exports(connection, "ada", 1, most)

    async def waits() -> bool:
        async with database.transaction() as connection:
            cursor = await connection.execute(
                "select 1 from pg_locks where locktype = 'advisory' and not granted"
            )
            return await cursor.fetchone() is not None

    tasks = [asyncio.create_task(each()) for each in (first, second)]
    await until(waits)
    go_on.set()
    await tasks[0]
    with pytest.raises(QuotaError, match="1 are there"):
        await tasks[1]
