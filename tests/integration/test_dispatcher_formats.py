"""The dispatcher: surveys, renderings that missed, sound alone, posters, previews."""

from __future__ import annotations

import asyncio

import pytest

from coordinator.database import Database, transitions
from coordinator.database.previews import (
    CHANNEL,
    MOST_PENDING,
    create_preview,
    get_preview,
)
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.tasks import end_tasks
from shared.errors import (
    ConflictError,
    EncodeError,
    MidiError,
    NotFoundError,
    OversizeError,
    RenderError,
)
from shared.keys import content_key, preview_key
from shared.plan import AudioSpec, ChunkSpec, SegmentReport, StitchSpec, SurveySpec
from shared.preview import PreviewSpec
from shared.storage import LocalStore
from tests.dispatching import (
    QUICK,
    dispatching,
    ended,
    events_of,
    on_a_database,
    row_of,
    until,
)
from tests.farm import PaintedWorkers, add_export, small

pytestmark = pytest.mark.services

AVERAGE = small(crf=None, kbps=500)
FITTING = 61_500
"""Bytes of a second of video that hold 500 kbit/s, containers included."""


def still(at_s: float = 1.0) -> PreviewSpec:
    key = preview_key(content_key({"at_s": at_s}), "png")
    return PreviewSpec(kind="latest", segment_key="segments/ab/x", at_s=at_s, key=key)


async def ask(database: Database, spec: PreviewSpec, user: str = "ada") -> str:
    async with database.transaction() as connection:
        return str((await create_preview(connection, user, spec))["id"])


async def seen(database: Database, preview: str, user: str = "ada") -> dict[str, object]:
    """A preview that is pending no more."""

    async def is_decided() -> bool:
        async with database.transaction() as connection:
            return (await get_preview(connection, user, preview))["status"] != "pending"

    await until(is_decided)
    async with database.transaction() as connection:
        return await get_preview(connection, user, preview)


@on_a_database
async def test_a_survey_comes_before_the_chunks(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.size_of = lambda item: FITTING
    export = await add_export(database, configuration=AVERAGE)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
        again = await ended(database, await add_export(database, configuration=AVERAGE))
    assert (row["status"], row["renderings"], row["chunks_done"]) == ("completed", 1, 4)
    kinds = [type(item) for _, item in workers.submitted]
    assert kinds.index(SurveySpec) < kinds.index(ChunkSpec)
    crfs = {item.picture.video.crf for _, item in workers.submitted if isinstance(item, ChunkSpec)}
    assert crfs == {30.0}, "what the survey found"
    told = await events_of(database, export)
    stages = list(dict.fromkeys(event["stage"] for event in told))
    assert stages == [
        "queued", "preparing", "surveying", "rendering", "stitching", "completed"
    ]  # fmt: skip
    assert {event["chunks"] for event in told} == {None, 4}
    # The second time everything is found, the survey as well; so are the warnings of the sound.
    assert max(workers.made.values()) == 1
    assert (again["sha256"], again["warnings"]) == (row["sha256"], row["warnings"])
    assert again["warnings"] == ["One repair.", "It was quiet."]


@on_a_database
async def test_a_survey_that_fails_ends_the_export(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    workers.size_of = lambda item: FITTING
    workers.fail = lambda attempt, item: (
        EncodeError("The encoder refused.") if isinstance(item, SurveySpec) else None
    )
    export = await add_export(database, configuration=AVERAGE)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
        assert (row["status"], row["reason"]) == ("failed", "Its survey failed 3 times.")
        assert not any(isinstance(item, ChunkSpec) for _, item in workers.submitted)
        workers.fail = lambda attempt, item: None
        async with database.transaction() as connection:
            await transitions.retry_export(connection, "ada", export)
        row = await ended(database, export)
    assert (row["status"], row["error_message"]) == ("completed", None)
    assert row["warnings"] == ["One repair.", "It was quiet."]


@on_a_database
async def test_a_successor_goes_on_amid_a_survey(database: Database, store: LocalStore) -> None:
    before = PaintedWorkers(store)
    before.hold = lambda attempt, item: isinstance(item, SurveySpec)
    export = await add_export(database, configuration=AVERAGE)
    dispatcher = Dispatcher(database, store, before, QUICK)
    killed = asyncio.create_task(dispatcher.run())

    async def is_surveyed() -> bool:
        async with database.transaction() as connection:
            cursor = await connection.execute(
                "select count(*) as count from work_items where (kind, status) in "
                "(('audio', 'done'), ('survey', 'running'))"
            )
            return (await cursor.fetchone() or {})["count"] == 2

    await until(is_surveyed)
    assert (await row_of(database, export))["stage"] == "surveying"
    await end_tasks([killed])  # without any farewell
    after = PaintedWorkers(store)
    after.size_of = lambda item: FITTING
    async with dispatching(database, after, store):
        row = await ended(database, export)
    assert row["status"] == "completed"
    kinds = [type(item) for _, item in after.submitted]
    assert kinds == [SurveySpec, *[ChunkSpec] * 4, StitchSpec]


@on_a_database
async def test_what_missed_its_rate_is_rendered_again(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)

    def size_of(item: ChunkSpec) -> int:
        crf = item.picture.video.crf
        assert crf is not None
        return FITTING if crf > 30 else 2 * FITTING  # what the survey found was wrong

    workers.size_of = size_of
    export = await add_export(database, configuration=AVERAGE)
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert (row["status"], row["renderings"]) == ("completed", 2)
    assert (row["frames_done"], row["chunks_done"]) == (120, 4)
    stitched = [item for _, item in workers.submitted if isinstance(item, StitchSpec)]
    chunks = [(name, item) for name, item in workers.submitted if isinstance(item, ChunkSpec)]
    assert (len(stitched), len(chunks)) == (1, 8)
    assert list(stitched[0].segment_keys) == [item.key for _, item in sorted(
        chunks[4:], key=lambda chunk: chunk[1].index)]  # fmt: skip
    told = await events_of(database, export)
    progress = [event["progress"] for event in told]
    assert progress == sorted(progress)
    reasons = [event["reason"] for event in told if event["reason"]]
    assert reasons
    assert all(
        "missed its rate of 500 kbit/s; it is encoded again at crf" in one for one in reasons
    )
    # A result whose answer was lost, of an item that is forgotten: its object must not be deleted.
    name, first = chunks[0]
    report = SegmentReport(
        index=0, key=first.key, frames=len(first.frames), size_bytes=2 * FITTING, sha256="0" * 64
    )
    async with database.transaction() as connection:
        done = await transitions.commit_attempt(
            connection, int(name[1:]), report, worker=None, retention_s=1
        )
    assert (done.accepted, done.superseded) == (True, False)


@on_a_database
async def test_what_is_too_large_is_made_smaller_or_refused(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.size_of = lambda item: round(
        100_000 * 2 ** -((item.picture.video.crf or 0) / 6 - 20 / 6)
    )
    limited = small(max_bytes=300_000)
    async with dispatching(database, workers, store):
        row = await ended(database, await add_export(database, configuration=limited, audio=False))
        assert (row["status"], row["error_message"]) == ("completed", None)
        assert 2 <= row["renderings"] <= 4
        tried = len([item for _, item in workers.submitted if isinstance(item, ChunkSpec)])
        workers.size_of = lambda item: 100_000  # whatever is tried
        row = await ended(
            database, await add_export(database, song="b", configuration=limited, audio=False,
                                       seconds=3.9)
        )  # fmt: skip
    assert row["status"] == "failed"
    assert "MiB" in row["error_message"]
    assert row["reason"] is None
    chunks = len([item for _, item in workers.submitted if isinstance(item, ChunkSpec)]) - tried
    assert 2 * row["chunks"] <= chunks <= 4 * row["chunks"]


@pytest.mark.parametrize("often", [1, 100])
def test_a_file_that_only_its_stitch_finds_too_large(
    database_url: str, store: LocalStore, often: int
) -> None:
    @on_a_database
    async def main(database: Database, store: LocalStore) -> None:
        workers = PaintedWorkers(store)
        refused: list[str] = []

        def fail(attempt: str, item: object) -> OversizeError | None:
            if isinstance(item, StitchSpec) and len(refused) < often:
                refused.append(attempt)
                return OversizeError("Too large.", size_bytes=101_000, max_bytes=100_000)
            return None

        workers.fail = fail
        workers.size_of = lambda item: 20_000
        limited = small(max_bytes=100_000)
        export = await add_export(database, configuration=limited, audio=False)
        async with dispatching(database, workers, store):
            row = await ended(database, export)
        if often == 1:
            assert (row["status"], row["renderings"], len(refused)) == ("completed", 2, 1)
        else:
            assert (row["status"], len(refused) <= 8) == ("failed", True)
            assert row["error_message"]
        progress = [event["progress"] for event in await events_of(database, export)]
        assert progress == sorted(progress)

    main(database_url, store)


@on_a_database
async def test_a_file_made_for_others_is_not_too_large_for_us(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.size_of = lambda item: 20_000
    async with dispatching(database, workers, store):
        first = await ended(database, await add_export(database, audio=False))
        async with database.transaction() as connection:
            await connection.execute(
                "update artifacts set report = report || '{\"size_bytes\": 101000}' "
                "where object_key = %s",
                (first["download_url"],),
            )
        limited = small(max_bytes=100_000)
        second = await ended(
            database, await add_export(database, configuration=limited, audio=False)
        )
    assert (second["status"], second["renderings"]) == ("completed", 2)
    assert second["download_url"] != first["download_url"]


@on_a_database
async def test_a_successor_goes_on_amid_a_second_rendering(
    database: Database, store: LocalStore
) -> None:
    before = PaintedWorkers(store)
    before.size_of = lambda item: FITTING if item.picture.video.crf != 30 else 2 * FITTING
    before.hold = lambda attempt, item: (
        isinstance(item, ChunkSpec) and item.picture.video.crf != 30 and item.index >= 2
    )
    export = await add_export(database, configuration=AVERAGE)
    dispatcher = Dispatcher(database, store, before, QUICK)
    killed = asyncio.create_task(dispatcher.run())

    async def is_half_way() -> bool:
        row = await row_of(database, export)
        return (row["renderings"], row["chunks_done"]) == (2, 2)

    await until(is_half_way)
    await end_tasks([killed])  # without any farewell
    told = (await row_of(database, export))["progress"]
    after = PaintedWorkers(store)
    after.size_of = before.size_of
    async with dispatching(database, after, store):
        row = await ended(database, export)
    assert told > 0.9, "progress is held"
    assert (row["status"], row["renderings"]) == ("completed", 2)
    chunks = [item.index for _, item in after.submitted if isinstance(item, ChunkSpec)]
    assert sorted(chunks) == [2, 3]


@on_a_database
async def test_sound_alone_has_no_frames(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    export = await add_export(database, configuration=small(container="m4a"))
    async with dispatching(database, workers, store):
        row = await ended(database, export)
    assert (row["status"], row["frames"], row["chunks"]) == ("completed", 0, 0)
    assert (row["progress"], row["duration_seconds"], row["poster_key"]) == (1, 4.0, None)
    assert row["download_url"].endswith(".m4a")
    kinds = [type(item) for _, item in workers.submitted]
    assert kinds[1:] == [AudioSpec, StitchSpec]


@on_a_database
async def test_frames_that_others_show_are_asked_to_be_kept(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    async with dispatching(database, workers, store):
        await ended(database, await add_export(database, shared_frames=True))
        await ended(database, await add_export(database, configuration=small(crf=21)))
    kept = [
        item.frames_key is not None for _, item in workers.submitted if isinstance(item, ChunkSpec)
    ]
    assert kept == [True] * 4 + [False] * 4


@on_a_database
async def test_a_preview_waits_for_no_export(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store, slots=1)
    workers.hold = lambda attempt, item: not isinstance(item, PreviewSpec)
    for number in range(5):
        await add_export(database, "ben", song=f"song {number}", priority=100)
    async with dispatching(database, workers, store):

        async def is_busy() -> bool:
            return len(workers.submitted) == 3

        await until(is_busy)
        async with database.lone_connection() as connection:
            await connection.execute(f"listen {CHANNEL}")
            preview = await ask(database, still())
            async for notice in connection.notifies(timeout=20):
                assert notice.payload == preview
                break
            else:
                pytest.fail("nobody was notified")
        row = await seen(database, preview)
        place = [isinstance(item, PreviewSpec) for _, item in workers.submitted].index(True)
        again = await seen(database, await ask(database, still(), "ben"), "ben")
    assert place == 3
    assert (row["status"], row["media_type"], row["width"]) == ("ready", "image/png", 64)
    assert store.stat(str(row["object_key"])).size_bytes == row["size_bytes"]
    # Somebody else's equal preview is found, not made.
    assert again["object_key"] == row["object_key"]
    assert sum(isinstance(item, PreviewSpec) for _, item in workers.submitted) == 1


@on_a_database
async def test_many_previews_hold_up_no_export(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    held = True
    workers.hold = lambda attempt, item: held and isinstance(item, PreviewSpec)
    previews = [await ask(database, still(number)) for number in range(6)]
    async with dispatching(database, workers, store):
        assert (await ended(database, await add_export(database)))["status"] == "completed"
        begun = [item for _, item in workers.submitted if isinstance(item, PreviewSpec)]
        assert len(begun) == QUICK.previews
        held = False
        shown = [await seen(database, preview) for preview in previews]
    assert {preview["status"] for preview in shown} == {"ready"}


@on_a_database
async def test_a_preview_that_is_gone_is_made_again(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store)
    async with dispatching(database, workers, store):
        first = await seen(database, await ask(database, still()))
        store.delete(str(first["object_key"]))
        second = await seen(database, await ask(database, still()))
    assert second["status"] == "ready"
    assert store.exists(str(second["object_key"]))
    assert second["object_key"] != first["object_key"]


@on_a_database
async def test_a_preview_that_cannot_be_made_says_why(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.fail = lambda attempt, item: (
        MidiError("song.mid holds \0 no notes.")
        if isinstance(item, PreviewSpec) and item.at_s == 1
        else RenderError("It crashed.")
        if isinstance(item, PreviewSpec)
        else None
    )
    async with dispatching(database, workers, store):
        bad = await seen(database, await ask(database, still(1)))
        broken = await seen(database, await ask(database, still(2)))
    assert (bad["status"], bad["reason"]) == ("failed", "song.mid holds � no notes.")
    assert (broken["status"], broken["reason"]) == ("failed", "It crashed.")
    assert sum(isinstance(item, PreviewSpec) for _, item in workers.submitted) == 1 + 3


@on_a_database
async def test_previews_are_their_owners_and_not_too_many(
    database: Database, store: LocalStore
) -> None:
    previews = [await ask(database, still(number)) for number in range(MOST_PENDING)]
    with pytest.raises(ConflictError, match="wait for 20 previews"):
        await ask(database, still(99))
    await ask(database, still(99), "ben")
    with pytest.raises(NotFoundError, match="kept for 6 hours"):
        async with database.transaction() as connection:
            await get_preview(connection, "ben", previews[0])
