"""The schema: applied once, whoever is first; refused where it is newer; its invariants hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import psycopg
import pytest
from psycopg.types.json import Jsonb

from coordinator.database import Connection, Database, migrations, transitions
from coordinator.database.exports import get_export
from coordinator.database.migrations import check_schema, migrate, read_migrations
from coordinator.database.previews import create_preview
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from shared.errors import DatabaseError, SchemaError
from shared.preview import PreviewSpec
from shared.storage import LocalStore
from shared.styles import find_style
from tests.dispatching import dispatching, ended, until
from tests.farm import PaintedWorkers, add_export, small

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


_FILL = """
insert into compositions (id, user_id, name) values ('cmp', 'ada', 'Song');
insert into composition_revisions values ('cmp', 1, '{}');
insert into assets (id, user_id, kind, name, sha256, size_bytes)
    values ('ast', 'ada', 'midi', 'song.mid', repeat('a', 64), 1);
insert into export_jobs (id, user_id, composition_id, composition_revision, config, name, intake,
    status, end_s, frames, chunks)
select id, 'ada', 'cmp', 1, %(config)s, 'Song', %(intake)s, status::export_status, 4, frames,
    frames / 30
from (values ('waiting', 'queued', null), ('begun', 'rendering', 120)) as e (id, status, frames);
insert into work_items (kind, asset_id, user_id, spec) values ('probe', 'ast', 'ada', '{}');
insert into work_items (kind, export_id, user_id, position, spec)
    select 'intake', id, 'ada', 0, intake from export_jobs;
insert into work_items (kind, export_id, user_id, position, chunk_index, start_frame, stop_frame)
    select 'chunk', 'begun', 'ada', 2 + i, i, 30 * i, 30 * i + 30 from generate_series(0, 3) as i;
insert into work_items (kind, export_id, user_id, position, spec, status)
    select kind::item_kind, 'begun', 'ada', 1, '{}', 'running'
    from unnest(array['audio', 'stitch']) as kind;
insert into attempts (item_id, number, epoch)
    select id, 1, 0 from work_items where status = 'running';
"""


def test_a_filled_database_of_the_first_version_is_migrated(
    database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        first, newer = read_migrations()[:1], read_migrations()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migrations, "read_migrations", lambda: first)
            assert await migrate(database) == 1
        values = {
            "config": Jsonb(small().model_dump(mode="json", by_alias=True)),
            "intake": Jsonb(
                {"midi_key": "assets/aa/a", "composition": find_style("aurora").model_dump()}
            ),
        }
        async with database.transaction() as connection:
            cursor = psycopg.AsyncClientCursor(connection)
            await cursor.execute(_FILL, values)
            before = await _items(connection)
        assert await migrate(database) == len(newer)
        async with database.transaction() as connection:
            after = await _items(connection)
            cursor = await connection.execute(
                "select id, shared_frames, renderings, poster_key from export_jobs order by id"
            )
            rows = [tuple(row.values()) for row in await cursor.fetchall()]
        assert after == before
        assert [item[-1] for item in after if item[1] == "probe"] == [0]
        assert rows == [("begun", False, 1, None), ("waiting", False, 1, None)]
        # What was accepted before is finished after.
        async with dispatching(database, PaintedWorkers(store), store):
            assert (await ended(database, "waiting"))["status"] == "completed"

    run(main, database_url)


async def _items(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute(
        "select w.id, w.kind::text, w.status::text, w.export_id, w.asset_id, w.position, "
        "w.chunk_index, w.spec, a.number, w.rank "
        "from work_items w left join attempts a on a.item_id = w.id order by w.id"
    )
    return [tuple(row.values()) for row in await cursor.fetchall()]


@pytest.mark.parametrize(
    ("kind", "of_export", "of_preview"),
    [
        ("preview", False, False),
        ("survey", False, False),
        ("preview", True, True),
        ("probe", False, True),
        ("survey", True, True),
    ],
)
def test_a_work_item_belongs_to_one_thing(
    embedded_database_url: str, kind: str, of_export: bool, of_preview: bool
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        export = await add_export(database)
        async with database.transaction() as connection:
            await connection.execute(
                "insert into previews (id, user_id, spec, expires_at) "
                "values ('prv', 'ada', '{}', now())"
            )
        with pytest.raises(psycopg.errors.CheckViolation) as caught:
            async with database.transaction() as connection:
                await connection.execute(
                    "insert into work_items (kind, export_id, preview_id, user_id, spec) "
                    "values (%s, %s, %s, 'ada', '{}')",
                    (kind, export if of_export else None, "prv" if of_preview else None),
                )
        assert caught.value.diag.constraint_name == "work_items_belong"

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
        assert (row["status"], row["download_url"], row["poster_key"]) == ("completed", None, None)
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
        kept = {row["download_url"], row["poster_key"], "assets/ab/somebody"}
        assert {info.key for info in store.list()} == kept

    run(main, embedded_database_url)


def test_the_janitor_keeps_previews_for_some_hours(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        spec = PreviewSpec(kind="latest", segment_key="segments/ab/x", key="previews/ab/x.png")
        async with database.transaction() as connection:
            await create_preview(connection, "ada", spec)

        async def is_ready() -> bool:
            async with database.transaction() as connection:
                cursor = await connection.execute("select 1 from previews where status = 'ready'")
                return await cursor.fetchone() is not None

        async with dispatching(database, PaintedWorkers(store), store):
            await until(is_ready)
        janitor = Janitor(database, store, replace(LONG_AGO, preview_retention_s=0))
        store.put_bytes("previews/ab/nobody.a99.png", b"x")
        await janitor.clean_old()
        assert await janitor.clean_orphans() == 1
        assert [info.key for info in store.list()] == ["previews/ab/x.a1.png"]
        async with database.transaction() as connection:
            await connection.execute("update previews set expires_at = now()")
        await janitor.clean_old()
        assert list(store.list()) == []
        async with database.transaction() as connection:
            cursor = await connection.execute(
                "select 1 from previews union select 2 from work_items"
            )
            assert await cursor.fetchone() is None

    run(main, embedded_database_url)


def test_the_janitor_keeps_frames_while_somebody_shows_them(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        export = await add_export(database, shared_frames=True)
        store.put_bytes("frames/ab/frames.mkv", b"x")
        store.put_bytes("analysis/ab/finding.json", b"x")
        janitor = Janitor(database, store, Limits())
        await janitor.clean_old()
        await janitor.clean_orphans()
        assert len(list(store.list())) == 2
        async with database.transaction() as connection:
            await transitions.cancel_export(connection, "ada", export)
        await janitor.clean_old()
        assert [info.key for info in store.list()] == ["analysis/ab/finding.json"]
        await Janitor(database, store, LONG_AGO).clean_orphans()
        assert list(store.list()) == []

    run(main, embedded_database_url)
