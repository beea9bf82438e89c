"""The schema: applied once, whoever is first; refused where it is newer; its invariants hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest
from psycopg.types.json import Jsonb

from coordinator.database import Connection, Database, assets, migrations, transitions
from coordinator.database.exports import get_export
from coordinator.database.migrations import check_schema, migrate, read_migrations
from coordinator.database.previews import create_preview
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.janitor import Janitor
from coordinator.dispatcher.limits import Limits
from shared.errors import DatabaseError, SchemaError
from shared.keys import asset_key
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
insert into composition_revisions values ('cmp', 1, '{"midi": "ast_1", "name": "ast_none"}');
insert into assets (id, user_id, kind, name, sha256, size_bytes)
    values ('ast_1', 'ada', 'midi', 'song.mid', repeat('a', 64), 7);
insert into api_keys (id, user_id, name, token_hash, is_admin)
    values ('key', 'ada', 'laptop', decode(repeat('00', 32), 'hex'), true);
insert into export_jobs (id, user_id, composition_id, composition_revision, config, name, intake,
    status, end_s, frames, chunks)
select id, 'ada', 'cmp', 1, %(config)s, 'Song', %(intake)s, status::export_status, 4, frames,
    frames / 30
from (values ('waiting', 'queued', null), ('begun', 'rendering', 120)) as e (id, status, frames);
insert into work_items (kind, asset_id, user_id, spec) values ('probe', 'ast_1', 'ada', '{}');
insert into work_items (kind, export_id, user_id, position, spec)
    select 'intake', id, 'ada', 0, intake from export_jobs;
insert into work_items (kind, export_id, user_id, position, chunk_index, start_frame, stop_frame)
    select 'chunk', 'begun', 'ada', 2 + i, i, 30 * i, 30 * i + 30 from generate_series(0, 3) as i;
insert into work_items (kind, export_id, user_id, position, spec, status)
    select kind::item_kind, 'begun', 'ada', 1, '{}', 'running'
    from unnest(array['audio', 'stitch']) as kind;
insert into attempts (item_id, number, epoch)
    select id, 1, 0 from work_items where status = 'running';
select tell_export('begun', false);
"""


_KEPT: dict[LiteralString, tuple[object, ...]] = {
    "select scope::text from api_keys": ("admin",),
    "select asset_id, composition_id, revision from revision_assets": ("ast_1", "cmp", 1),
    "select user_id, assets, asset_bytes, videos from user_storage": ("ada", 1, 7, 0),
    "select export_id, user_id, batch_id from events": ("begun", "ada", None),
}
"""What later versions know of it."""


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
        async with database.transaction() as connection:
            for query, expected in _KEPT.items():
                cursor = await connection.execute(query)
                assert [tuple(row.values()) for row in await cursor.fetchall()] == [expected]
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


def test_a_connection_that_the_server_has_ended_is_given_to_nobody(
    embedded_database_url: str,
) -> None:
    async def main(database: Database) -> None:
        async def backend() -> int:
            async with database.reading() as connection:
                cursor = await connection.execute("select pg_backend_pid() as pid")
                row = await cursor.fetchone()
                assert row is not None
                return int(row["pid"])

        ended = await backend()
        async with database.lone_connection() as other:
            # Returns when it is gone.
            await other.execute("select pg_terminate_backend(%s, 10000)", (ended,))
        assert await backend() != ended

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


def test_the_janitor_looks_at_what_is_old_once_in_a_while(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        export = await complete(database, store, Limits())
        async with database.transaction() as connection:
            await connection.execute("update artifacts set used_at = now() - interval '1 h'")
            await connection.execute("update export_jobs set completed_at = now() - interval '1 h'")
        janitor = Janitor(database, store, Limits(segment_retention_s=1800))
        await janitor.clean_old()
        async with database.transaction() as connection:
            row = await get_export(connection, "ada", export)
            cursor = await connection.execute(
                "select object_key, used_at > now() - interval '1 min' as is_marked from artifacts"
            )
            artifacts = await cursor.fetchall()
            cursor = await connection.execute("select from work_items")
            items = await cursor.fetchall()
        # The video is needed, and not looked at again before its time; the rest is gone.
        assert artifacts == [{"object_key": row["download_url"], "is_marked": True}]
        assert (items, row["archived_at"] is not None) == ([], True)

    run(main, embedded_database_url)


def test_the_janitor_removes_what_was_deleted(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        first = await complete(database, store, Limits())
        again = await complete(database, store, Limits())  # equal, so it has the same video
        kept = {info.key for info in store.list()}
        janitor = Janitor(database, store, Limits())
        async with database.transaction() as connection:
            await transitions.delete_export(connection, "ada", first)
        assert await janitor.clean_deleted() == 1
        async with database.transaction() as connection:
            row = await get_export(connection, "ada", again)
        assert {row["download_url"], row["poster_key"]} <= {info.key for info in store.list()}
        assert {info.key for info in store.list()} == kept
        async with database.transaction() as connection:
            await transitions.delete_export(connection, "ada", again)
        assert await janitor.clean_deleted() == 1
        assert list(store.list()) == []
        async with database.transaction() as connection:
            for table in ("export_jobs", "work_items", "attempts", "events", "artifacts"):
                cursor = await connection.execute(f"select * from {table}")  # noqa: S608
                assert await cursor.fetchall() == [], table
            cursor = await connection.execute("select videos, video_bytes from user_storage")
            assert await cursor.fetchall() == [{"videos": 0, "video_bytes": 0}]

    run(main, embedded_database_url)


def test_the_janitor_removes_the_bytes_of_deleted_assets_but_not_of_new_ones(
    embedded_database_url: str, store: LocalStore
) -> None:
    async def main(database: Database) -> None:
        await migrate(database)
        janitor = Janitor(database, store, Limits())
        upload = {"kind": "image", "name": "a.png", "sha256": "a" * 64, "size_bytes": 3}
        key = asset_key("a" * 64)
        store.put_bytes(key, b"png")
        async with database.transaction() as connection:
            row, _ = await assets.add_asset(connection, user_id="ada", **upload)
            await assets.delete_asset(connection, "ada", row["id"])
        async with database.transaction() as connection:
            await assets.add_asset(connection, user_id="bob", **upload)
            # Whoever stores the same bytes is waited for, and has them.
            cleaning = asyncio.create_task(janitor.clean_deleted())
            await until_somebody_waits(database)
        assert await cleaning == 1
        assert store.exists(key)
        async with database.transaction() as connection:
            found = await assets.list_assets(connection, "bob", limit=1)
            await assets.delete_asset(connection, "bob", found[0]["id"])
        assert await janitor.clean_deleted() == 1
        assert not store.exists(key)
        assert await janitor.clean_deleted() == 0

    run(main, embedded_database_url)


async def until_somebody_waits(database: Database) -> None:
    """Wait until another connection waits for a lock."""
    async with asyncio.timeout(30), database.lone_connection() as connection:
        while True:
            cursor = await connection.execute(
                "select from pg_locks where not granted and locktype = 'advisory'"
            )
            if cursor.rowcount:
                return
            await asyncio.sleep(0.01)


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
