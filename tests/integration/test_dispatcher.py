"""The dispatcher against a real PostgreSQL, with workers that need no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from coordinator.database import Connection, Database, Row, transitions, work
from coordinator.database.exports import list_attempts
from coordinator.database.transitions import Committed, MadeChunk
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.limits import Limits
from coordinator.placing import DEFAULT
from coordinator.tasks import end_tasks
from shared.errors import (
    DamagedObjectError,
    DatabaseError,
    EncodeError,
    MidiError,
    StorageError,
    WorkerLostError,
)
from shared.intake import IntakeSpec, ProbeSpec
from shared.plan import (
    AudioSpec,
    ChunkSpec,
    SegmentReport,
    StitchReport,
    StitchSpec,
)
from shared.spec import Spec
from shared.storage import LocalStore
from tests.dispatching import (
    QUICK,
    dispatching,
    ended,
    events_of,
    on_each_database,
    row_of,
    until,
)
from tests.farm import ENGINE, PaintedWorkers, add_export

pytestmark = pytest.mark.services


@on_each_database
async def test_an_export_goes_through_all_stages(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    export = await add_export(database)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert row["status"] == "completed"
    assert (row["progress"], row["frames_done"], row["frames"]) == (1, 120, 120)
    assert (row["chunks"], row["chunks_done"], row["duration_seconds"]) == (4, 4, 4.0)
    assert row["warnings"] == ["One repair.", "It was quiet."]
    assert store.stat(row["download_url"]).size_bytes == row["file_size"]
    told = await events_of(database, export)
    stages = list(dict.fromkeys(event["stage"] for event in told))
    assert stages == ["queued", "preparing", "rendering", "stitching", "completed"]
    progress = [event["progress"] for event in told]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert max(workers.made.values()) == 1


@on_each_database
async def test_a_second_export_of_the_same_is_found(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    async with dispatching(database, workers, store):
        first = await ended(database, await add_export(database))
        second = await ended(database, await add_export(database))
    assert max(workers.made.values()) == 1
    assert second["status"] == "completed"
    assert (second["sha256"], second["download_url"]) == (first["sha256"], first["download_url"])
    assert second["chunks_cached"] == second["chunks"] == 4


@on_each_database
async def test_what_is_being_made_is_not_made_twice(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store, slots=8)
    exports = [await add_export(database, user) for user in ("ada", "ben", "cyd")]
    async with dispatching(database, workers, store):
        rows = [
            await ended(database, export, user)
            for export, user in zip(exports, ("ada", "ben", "cyd"), strict=True)
        ]
    assert {row["status"] for row in rows} == {"completed"}
    assert max(workers.made.values()) == 1


@on_each_database
async def test_a_successor_goes_on_where_a_killed_one_was(
    database: Database, store: LocalStore
) -> None:
    before = PaintedWorkers(store)
    before.hold = lambda attempt, item: isinstance(item, ChunkSpec) and item.index >= 2
    export = await add_export(database)
    dispatcher = Dispatcher(database, store, before, QUICK)
    killed = asyncio.create_task(dispatcher.run())

    async def three_are_done() -> bool:
        async with database.transaction() as connection:
            cursor = await connection.execute(
                "select 1 from work_items where status = 'done' and kind in ('audio', 'chunk')"
            )
            return len(await cursor.fetchall()) == 3

    await until(three_are_done)
    await end_tasks([killed])  # without any farewell: nothing was released
    after = PaintedWorkers(store)
    async with dispatching(database, after, store):
        row = await ended(database, export)
    assert row["status"] == "completed"
    chunks = [item.index for _, item in after.submitted if isinstance(item, ChunkSpec)]
    assert sorted(chunks) == [2, 3]
    assert not any(isinstance(item, IntakeSpec | AudioSpec) for _, item in after.submitted)


@on_each_database
async def test_one_leads_and_the_other_stands_by(database: Database, store: LocalStore) -> None:
    first, second = PaintedWorkers(store), PaintedWorkers(store)
    leader = Dispatcher(database, store, first, QUICK)
    leading = asyncio.create_task(leader.run())

    async def leads() -> bool:
        async with database.transaction() as connection:
            cursor = await connection.execute("select epoch from dispatcher")
            return bool((await cursor.fetchone() or {})["epoch"] == 1)

    await until(leads)
    async with dispatching(database, second, store):
        await ended(database, await add_export(database, song="one"))
        assert second.submitted == []
        await end_tasks([leading])
        await ended(database, await add_export(database, song="two"))
        assert second.submitted != []


@on_each_database
async def test_bad_input_fails_at_once_and_says_why(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.fail = lambda attempt, item: (
        MidiError("song.mid holds no notes.") if isinstance(item, IntakeSpec) else None
    )
    export = await add_export(database)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert (row["status"], row["error_message"]) == ("failed", "song.mid holds no notes.")
    assert len(workers.submitted) == 1


@on_each_database
async def test_a_poisonous_chunk_is_given_up(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.fail = lambda attempt, item: (
        EncodeError("The encoder refused.", log="frame 7: no")
        if isinstance(item, ChunkSpec) and item.index == 1
        else None
    )
    export = await add_export(database)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
        tries = [item for _, item in workers.submitted if getattr(item, "index", None) == 1]
        assert (row["status"], len(tries)) == ("failed", 3)
        assert row["error_message"] == "The encoder refused."
        assert row["error_log"] == "frame 7: no"
        workers.fail = lambda attempt, item: None
        made = workers.made.copy()
        async with database.transaction() as connection:
            await transitions.retry_export(connection, "ada", export)
        row = await ended(database, export)
    assert row["status"] == "completed"
    assert row["error_message"] is None
    # What stood was not made again.
    assert all(workers.made[key] == 1 for key in made)


@on_each_database
async def test_a_hindered_attempt_costs_nothing(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    hindered: list[str] = []

    def fail(attempt: str, item: object) -> StorageError | WorkerLostError | None:
        if isinstance(item, ChunkSpec) and item.index == 0 and len(hindered) < 4:
            hindered.append(attempt)
            return StorageError("It is down.")
        return None

    workers.fail = fail
    export = await add_export(database, seconds=1)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert row["status"] == "completed"
    async with database.transaction() as connection:
        attempts = await list_attempts(connection, export, limit=50)
    kinds = [attempt["error_kind"] for attempt in attempts if attempt["outcome"] == "failed"]
    assert kinds == ["transient"] * 4


@on_each_database
async def test_a_damaged_segment_is_made_again(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    told: list[str] = []

    def fail(attempt: str, item: object) -> DamagedObjectError | None:
        if isinstance(item, StitchSpec) and not told:
            told.append(item.segment_keys[2])
            store.delete(item.segment_keys[2])
            return DamagedObjectError("It is damaged.", key=item.segment_keys[2])
        return None

    workers.fail = fail
    export = await add_export(database)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert row["status"] == "completed"
    assert (row["frames_done"], row["chunks_done"]) == (120, 4)
    stem = told[0].rpartition("/")[2].split(".")[0]
    assert [key for key, count in workers.made.items() if count > 1] == [stem]


@on_each_database
async def test_cancelling_stops_at_once_and_leaves_nothing(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.hold = lambda attempt, item: isinstance(item, ChunkSpec) and item.index >= 2
    export = await add_export(database)
    async with dispatching(database, workers, store):

        async def is_held() -> bool:
            return bool((await row_of(database, export))["chunks_done"] == 2)

        await until(is_held)
        async with database.transaction() as connection:
            await transitions.cancel_export(connection, "ada", export)

        async def is_clean() -> bool:
            return (await row_of(database, export))["cleaned_at"] is not None

        await until(is_clean)
        assert [info.key for info in store.list()] == []
        row = await row_of(database, export)
        assert row["status"] == "cancelled"
        # What came too late was counted, and changed nothing.
        assert (row["progress"] < 1, row["download_url"]) == (True, None)


@on_each_database
async def test_a_stubborn_attempt_is_killed(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.hold = lambda attempt, item: isinstance(item, ChunkSpec)
    workers.stubborn = True
    export = await add_export(database, seconds=1)
    async with dispatching(database, workers, store):

        async def has_begun() -> bool:
            return any(isinstance(item, ChunkSpec) for _, item in workers.submitted)

        await until(has_begun)
        async with database.transaction() as connection:
            await transitions.cancel_export(connection, "ada", export)

        async def is_killed() -> bool:
            return bool(workers.killed)

        await until(is_killed)
        workers.stubborn = False


@on_each_database
async def test_the_one_comes_before_the_two_hundred(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store, slots=2)
    for number in range(200):
        await add_export(database, "many", song=f"song {number}", seconds=0.5, audio=False)
    held = True
    workers.hold = lambda attempt, item: held
    async with dispatching(database, workers, store):

        async def is_busy() -> bool:
            return len(workers.submitted) == 4

        await until(is_busy)
        one = await add_export(database, "one", song="the one")
        before = len(workers.submitted)
        held = False
        await ended(database, one, "one")
        own = [
            place
            for place, (_, item) in enumerate(workers.submitted[before:])
            if isinstance(item, IntakeSpec) and "the one.mid" in item.names.values()
        ]
        async with database.transaction() as connection:
            cursor = await connection.execute(
                "select count(*) as count from export_jobs where status = 'completed'"
            )
            done = (await cursor.fetchone() or {})["count"]
    assert own[0] <= 2
    assert done < 60


@on_each_database
async def test_priorities_can_be_changed_while_waiting(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=1)
    exports = [
        await add_export(database, song=f"song {number}", seconds=0.5, audio=False)
        for number in range(8)
    ]
    async with database.transaction() as connection:
        await transitions.set_priority(connection, "ada", exports[6], 10)
        await transitions.set_priority(connection, "ada", exports[0], -10)
    async with dispatching(database, workers, store):
        for export in exports:
            await ended(database, export)
    order = [
        next(iter(item.names.values()))
        for _, item in workers.submitted
        if isinstance(item, IntakeSpec)
    ]
    assert order == [f"song {number}.mid" for number in (6, 1, 2, 3, 4, 5, 7, 0)]


@on_each_database
async def test_an_attempt_without_end_is_stopped(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.hold_first(lambda item: isinstance(item, ChunkSpec) and item.index == 0)
    export = await add_export(database)
    async with dispatching(database, workers, store, Limits(grace_s=0.1, stall_s=0.5)):
        row = await ended(database, export)
    assert row["status"] == "completed"
    async with database.transaction() as connection:
        attempts = await list_attempts(connection, export, limit=50)
    failed = [attempt for attempt in attempts if attempt["outcome"] == "failed"]
    assert [(each["error_kind"], each["error_message"]) for each in failed] == [
        ("suspect", "It drew no frame for 0 s.")
    ]


@on_each_database
async def test_an_uploaded_file_is_judged(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.fail = lambda attempt, item: (
        MidiError("bad.mid is no MIDI file.")
        if isinstance(item, ProbeSpec) and item.name == "bad.mid"
        else None
    )
    async with database.transaction() as connection:
        for name in ("good.mid", "bad.mid"):
            await connection.execute(
                "insert into assets (id, user_id, kind, name, sha256, size_bytes) "
                "values (%(name)s::text, 'ada', 'midi', %(name)s::text, "
                "encode(sha256(convert_to(%(name)s::text, 'utf8')), 'hex'), 1)",
                {"name": name},
            )
            spec = ProbeSpec(asset_key="assets/x", name=name, kind="midi")
            await transitions.queue_probe(connection, name, "ada", spec)

    async def are_judged() -> bool:
        async with database.transaction() as connection:
            cursor = await connection.execute("select 1 from assets where status = 'pending'")
            return await cursor.fetchone() is None

    async with dispatching(database, workers, store):
        await until(are_judged)
    async with database.transaction() as connection:
        cursor = await connection.execute("select id, status, facts, reason from assets order by 1")
        rows = [tuple(row.values()) for row in await cursor.fetchall()]
    assert rows == [
        ("bad.mid", "rejected", None, "bad.mid is no MIDI file."),
        ("good.mid", "ready", {"notes": 10}, None),
    ]


@on_each_database
async def test_upgraded_workers_begin_anew(database: Database, store: LocalStore) -> None:
    before = PaintedWorkers(store)
    before.engines = {"node": "midifarm of last year"}
    before.hold = lambda attempt, item: isinstance(item, ChunkSpec) and item.index >= 2
    export = await add_export(database)
    async with dispatching(database, before, store):

        async def two_are_done() -> bool:
            return bool((await row_of(database, export))["chunks_done"] == 2)

        await until(two_are_done)
    after = PaintedWorkers(store)
    async with dispatching(database, after, store):
        row = await ended(database, export)
    assert (row["status"], row["engine"]) == ("completed", ENGINE)
    assert sum(isinstance(item, ChunkSpec) for _, item in after.submitted) == 4


@on_each_database
async def test_a_plan_that_cannot_be_read_for_a_moment_costs_nothing(
    database: Database, store: LocalStore
) -> None:
    real, asked = work.get_plan, []

    async def get_plan(connection: Connection, export_id: str) -> Row | None:
        asked.append(export_id)
        if len(asked) == 2:  # the first is for the plan itself, this one for a claimed chunk
            raise DatabaseError("PostgreSQL failed (57P01): terminating connection.")
        return await real(connection, export_id)

    workers = PaintedWorkers(store)
    export = await add_export(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "get_plan", get_plan)
        async with dispatching(database, workers, store):
            row = await ended(database, export)
    assert len(asked) > 2
    assert (row["status"], max(workers.made.values())) == ("completed", 1)


@on_each_database
async def test_a_commit_whose_answer_is_lost_counts(database: Database, store: LocalStore) -> None:
    real, commit = Database.transaction, transitions.commit_attempt
    commit_several = transitions.commit_chunks
    cut: list[Connection] = []
    lost: list[int] = []

    async def commit_attempt(
        connection: Connection, attempt_id: int, report: Spec, **facts: Any
    ) -> Committed:
        done = await commit(connection, attempt_id, report, **facts)
        if isinstance(report, SegmentReport | StitchReport) and attempt_id not in lost:
            lost.append(attempt_id)
            cut.append(connection)
        return done

    async def commit_chunks(
        connection: Connection, made: Sequence[MadeChunk]
    ) -> dict[int, Committed]:
        done = await commit_several(connection, made)
        if done:
            lost.extend(done)
            cut.append(connection)
        return done

    @asynccontextmanager
    async def transaction(self: Database) -> AsyncIterator[Connection]:
        async with real(self) as connection:
            yield connection
        if connection in cut:
            cut.remove(connection)
            raise DatabaseError("PostgreSQL failed: server closed the connection.")

    workers = PaintedWorkers(store)
    export = await add_export(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transitions, "commit_attempt", commit_attempt)
        patch.setattr(transitions, "commit_chunks", commit_chunks)
        patch.setattr(Database, "transaction", transaction)
        async with dispatching(database, workers, store):
            row = await ended(database, export)
    assert len(lost) == 5
    assert (row["status"], max(workers.made.values())) == ("completed", 1)
    assert store.stat(row["download_url"]).size_bytes == row["file_size"]


@on_each_database
async def test_odd_text_from_a_file_stops_nobody(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    odd = "bad \0 \udc80 name.mid"
    workers.fail = lambda attempt, item: (
        MidiError(f"{odd} holds no notes.")
        if isinstance(item, IntakeSpec) and "odd.mid" in item.names.values()
        else None
    )
    bad = await add_export(database, "ada", song="odd")
    good = await add_export(database, "ben")
    async with dispatching(database, workers, store):
        row = await ended(database, bad)
        assert (await ended(database, good, "ben"))["status"] == "completed"
    assert row["status"] == "failed"
    assert row["error_message"] == "bad � � name.mid holds no notes."


@on_each_database
async def test_a_row_that_nobody_can_read_stops_nobody(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    bad = await add_export(database, "ada", song="bad")
    good = await add_export(database, "ben")
    async with database.transaction() as connection:
        await connection.execute(
            "update export_jobs set config = config || '{\"fromTheFuture\": 1}' where id = %s",
            (bad,),
        )
    async with dispatching(database, workers, store):
        assert (await ended(database, good, "ben"))["status"] == "completed"
        row = await ended(database, bad)
    assert row["status"] == "failed"
    assert "cannot be kept" in row["error_message"]


@on_each_database
async def test_a_segment_that_is_lost_again_and_again_ends_the_export(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.fail = lambda attempt, item: (
        DamagedObjectError("It is damaged.", key=item.segment_keys[1])
        if isinstance(item, StitchSpec)
        else None
    )
    held = True
    workers.hold = lambda attempt, item: held and isinstance(item, ChunkSpec) and item.index == 1
    export = await add_export(database)
    async with dispatching(database, workers, store):

        async def is_held() -> bool:
            return bool((await row_of(database, export))["chunks_done"] == 3)

        await until(is_held)
        async with database.transaction() as connection:
            await connection.execute("update work_items set transient = 18 where chunk_index = 1")
            await connection.execute("update work_items set transient = 18 where kind = 'stitch'")
        held = False

        async def is_given_up() -> bool:
            async with database.transaction() as connection:
                cursor = await connection.execute(
                    "select 1 from attempts a join work_items w on w.id = a.item_id "
                    "where w.kind = 'stitch' and a.outcome = 'failed'"
                )
                return await cursor.fetchone() is not None

        # Remade once; then the stitch itself fails, and rests, as for any other hindrance.
        await until(is_given_up)
        assert (await row_of(database, export))["chunks_done"] == 4


@on_each_database
async def test_a_storage_that_is_down_loses_no_segment(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    hindered: list[str] = []

    def fail(attempt: str, item: object) -> StorageError | None:
        if isinstance(item, StitchSpec) and len(hindered) < 2:
            hindered.append(attempt)
            return StorageError("It is down.", key=item.segment_keys[1])
        return None

    workers.fail = fail
    export = await add_export(database)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert (row["status"], max(workers.made.values())) == ("completed", 1)


@on_each_database
async def test_one_query_that_fails_throws_no_work_away(
    database: Database, store: LocalStore
) -> None:
    real, failed = work.wanted_attempts, []

    async def wanted_attempts(connection: Connection, ids: Collection[int]) -> set[int]:
        if not failed:
            failed.append(ids)
            raise DatabaseError("PostgreSQL failed (40P01): deadlock detected.")
        return await real(connection, ids)

    workers = PaintedWorkers(store)
    workers.hold = lambda attempt, item: isinstance(item, ChunkSpec) and not failed
    export = await add_export(database)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "wanted_attempts", wanted_attempts)
        async with dispatching(database, workers, store):
            row = await ended(database, export)
            async with database.transaction() as connection:
                cursor = await connection.execute("select epoch from dispatcher")
                assert (await cursor.fetchone() or {})["epoch"] == 1
    assert (row["status"], max(workers.made.values())) == ("completed", 1)


@on_each_database
async def test_who_leads_no_more_begins_nothing(database: Database, store: LocalStore) -> None:
    await add_export(database)
    async with database.transaction() as connection:
        (item,) = await work.list_waiting(connection, pool=DEFAULT, engines=(), limit=1)
        await connection.execute("update dispatcher set epoch = 7")
    for epoch, begun in ((6, False), (7, True)):
        async with database.transaction() as connection:
            claimed = await transitions.claim_items(connection, {item.id: item.export_id}, epoch)
        assert (item.id in claimed) is begun
    async with database.transaction() as connection:
        assert await transitions.add_attempt(connection, item.id, 6) is None


@on_each_database
async def test_what_was_lost_on_its_way_is_found_again(
    database: Database, store: LocalStore
) -> None:
    export = await add_export(database)
    workers = PaintedWorkers(store)
    async with dispatching(database, workers, store):
        async with database.transaction() as connection:
            # As a leader would leave it that was cut off in the middle of a claim.
            await connection.execute(
                "with item as (update work_items set status = 'running' "
                "where status = 'ready' returning id) "
                "insert into attempts (item_id, number, epoch) select id, 99, 0 from item"
            )
        row = await ended(database, export)
    assert row["status"] == "completed"
