"""What a dispatcher tells Prometheus of work that it gives out, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from coordinator.database import Database, transitions
from coordinator.database.standing import count_ended, count_standing, settled_until
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.metrics import Metrics
from shared.errors import RenderError, StorageError
from shared.plan import ChunkSpec, StitchSpec
from shared.storage import LocalStore
from tests.dispatching import PATIENCE_S, QUICK, ended, on_a_database, row_of, until
from tests.farm import PaintedWorkers, add_export


def told(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of all samples of a name, with these labels."""
    return sum(
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"midifarm_{name}" and labels.items() <= sample.labels.items()
    )


async def seen(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""

    async def is_so() -> bool:
        return condition()

    await until(is_so)


@on_a_database
async def test_attempts_are_counted_as_they_end(database: Database, store: LocalStore) -> None:
    workers, metrics = PaintedWorkers(store), Metrics()
    failures = [StorageError("The store is away."), RenderError("It was odd.")]
    workers.fail = lambda _, item: (
        failures.pop() if isinstance(item, ChunkSpec) and failures else None
    )
    dispatcher = Dispatcher(database, store, workers, QUICK, metrics)
    task = asyncio.create_task(dispatcher.run())
    try:
        export = await ended(database, await add_export(database))
        assert export["status"] == "completed"
        assert told(metrics, "leader") == 1
        assert told(metrics, "attempts_total", outcome="failed", kind="chunk") == 2
        for fault, count in (("transient", 1), ("suspect", 1), ("permanent", 0)):
            assert told(metrics, "attempt_failures_total", fault=fault) == count
        assert told(metrics, "attempts_total", outcome="committed") == export["chunks"] + 3
        assert told(metrics, "item_wait_seconds_count", kind="chunk") == export["chunks"] + 2
        assert told(metrics, "stitch_tail_seconds_count") == 1
        assert told(metrics, "frames_total") == export["frames"]
        assert told(metrics, "written_bytes_total", kind="stitch") == export["file_size"]
        assert told(metrics, "database_transaction_duration_seconds_count") > 10
        assert told(metrics, "round_duration_seconds_count") > 3
        assert told(metrics, "slots") == workers.slots
        # What came of attempts that failed is deleted.
        await seen(lambda: told(metrics, "removed_objects_total") >= 1)
    finally:
        dispatcher.stop()
        await asyncio.wait_for(task, PATIENCE_S)
    assert told(metrics, "leader") == told(metrics, "slots") == 0


@on_a_database
async def test_a_late_report_and_a_lost_attempt_are_counted(
    database: Database, store: LocalStore
) -> None:
    workers, metrics = PaintedWorkers(store), Metrics()
    workers.hold = lambda _, item: isinstance(item, ChunkSpec)
    workers.stubborn = True  # told to stop, they hand in their results all the same
    dispatcher = Dispatcher(database, store, workers, QUICK, metrics)
    task = asyncio.create_task(dispatcher.run())
    try:
        export_id = await add_export(database)
        await seen(lambda: told(metrics, "slots", state="busy") == workers.slots)
        async with database.transaction() as connection:
            await transitions.cancel_export(connection, "ada", export_id)
        workers.hold = lambda *_: False
        await seen(lambda: told(metrics, "attempts_total", outcome="late") >= 1)

        workers.hold = lambda _, item: isinstance(item, StitchSpec)
        other = await add_export(database, "bob", song="other")
        async with database.transaction() as connection:
            # Of a leader before, which told nobody of it.
            await connection.execute(
                "with item as (update work_items set status = 'running' "
                "where export_id = %s returning id) "
                "insert into attempts (item_id, number, epoch) select id, 1, 0 from item",
                (other,),
            )
        dispatcher._recovered_s = 0.0
        await seen(lambda: told(metrics, "attempts_total", outcome="lost") >= 1)
    finally:
        dispatcher.stop()
        await asyncio.wait_for(task, PATIENCE_S)


@on_a_database
async def test_what_waits_is_told_apart_by_why_it_does(
    database: Database, store: LocalStore
) -> None:
    users = ("ready", "held", "resting", "limited", "limited")
    ids = [
        await add_export(
            database, user, song=str(n), pool="gpu" if user == "limited" else "default"
        )
        for n, user in enumerate(users)
    ]
    async with database.transaction() as connection:
        await transitions.pause_export(connection, ids[1])
        await connection.execute(
            "update work_items set not_before = now() + interval '1 h' where export_id = %s",
            (ids[2],),
        )
        await connection.execute(
            "insert into quotas (user_id, running, queued, stored_bytes) "
            "values ('limited', 0, null, null)"
        )
        await connection.execute(
            "update work_items set not_before = now() - interval '90 s' where export_id = %s",
            (ids[0],),
        )
        found = await count_standing(connection, quota_running=None)
    assert found.exports == {"queued": 5, "rendering": 0, "uploading": 0}
    assert found.items == {
        ("intake", "ready"): 1,
        ("intake", "held"): 1,
        ("intake", "resting"): 1,
        ("intake", "limited"): 2,
    }
    assert 90 <= found.oldest_s["intake"] < 120
    assert found.pool_items == {
        ("default", "ready"): 1,
        ("default", "held"): 1,
        ("default", "resting"): 1,
        ("gpu", "limited"): 2,
    }
    assert found.pool_oldest_s == {"default": found.oldest_s["intake"]}
    assert found.users == {"waiting": 3, "running": 0}
    assert found.largest_share == {"waiting": 0.5, "running": 0.0}
    assert found.stored_bytes == {"uploads": 0, "videos": 0}
    async with database.transaction() as connection:
        # For everybody of whom nothing was said.
        found = await count_standing(connection, quota_running=0)
    assert found.items["intake", "limited"] == 3


@on_a_database
async def test_each_export_that_ends_is_counted_once(database: Database, store: LocalStore) -> None:
    dispatcher = Dispatcher(database, store, PaintedWorkers(store), QUICK)
    task = asyncio.create_task(dispatcher.run())
    async with database.reading() as connection:
        since = await settled_until(connection) - timedelta(minutes=1)
    try:
        first = await ended(database, await add_export(database))
        again = await ended(database, await add_export(database))
    finally:
        dispatcher.stop()
        await asyncio.wait_for(task, PATIENCE_S)
    assert again["chunks_cached"] == first["chunks"] > 0
    unwanted = await add_export(database, "bob")
    async with database.transaction() as connection:
        await transitions.cancel_export(connection, "bob", unwanted)
        just_now = await count_ended(connection, since)
        assert "cancelled" not in just_now.exports, (
            "somebody may still be about to tell of another one"
        )
        await connection.execute(
            "update export_jobs set completed_at = completed_at - interval '10 s'"
        )
        found = await count_ended(connection, since)
        assert (found.chunks, found.chunks_found) == (2 * first["chunks"], first["chunks"])
        assert found.exports == {"completed": 2, "cancelled": 1}
        assert not (await count_ended(connection, found.until)).exports
    assert (await row_of(database, unwanted, "bob"))["status"] == "cancelled"
