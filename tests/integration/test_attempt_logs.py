"""Logs of attempts go when their time has come, or with the export that is deleted."""

from __future__ import annotations

import os
import time
from pathlib import Path

from coordinator.database import Database, transitions
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from shared.keys import LOGS, log_key
from shared.storage import LocalStore
from tests.dispatching import dispatching, ended, on_a_database
from tests.farm import PaintedWorkers, add_export


@on_a_database
async def test_old_logs_go_and_so_do_those_of_a_deleted_export(
    database: Database, store: LocalStore
) -> None:
    async with dispatching(database, PaintedWorkers(store), store):
        export = await ended(database, await add_export(database))
    async with database.reading() as connection:
        cursor = await connection.execute("select id from attempts")
        ids = [row["id"] for row in await cursor.fetchall()]
    for attempt in (*ids, 10**9, 10**9 + 1):
        store.put_bytes(log_key(attempt), b"{}")
    janitor = Janitor(database, store, Limits(log_retention_s=60.0))
    await janitor.clean_orphans()
    assert len(list(store.list(LOGS))) == len(ids) + 2

    for attempt in ids[:2]:
        ago_s = time.time() - 120
        (path,) = store.root.rglob(Path(log_key(attempt)).name)
        os.utime(path, (ago_s, ago_s))
    await janitor.clean_orphans()
    assert {info.key for info in store.list(LOGS)} == {
        log_key(attempt) for attempt in (*ids[2:], 10**9, 10**9 + 1)
    }
    async with database.transaction() as connection:
        await transitions.delete_export(connection, "ada", export["id"])
    await janitor.clean_deleted()
    assert len(list(store.list(LOGS))) == 2
