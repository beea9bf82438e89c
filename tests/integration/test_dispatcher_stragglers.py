"""Second attempts beside slow ones, against a real PostgreSQL."""

from __future__ import annotations

import itertools

import pytest

from coordinator.database import Database
from coordinator.dispatcher.limits import Limits
from shared.intake import IntakeSpec
from shared.plan import ChunkSpec, StitchSpec
from shared.storage import LocalStore
from tests.dispatching import dispatching, ended, on_a_database, on_each_database
from tests.farm import PaintedWorkers, add_export

pytestmark = pytest.mark.services

_PATIENCE = Limits(grace_s=0.2, straggler_s=0.2)


@on_each_database
async def test_a_straggler_gets_a_second_attempt(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store, slots=4)
    slow: list[str] = []

    def hold(attempt: str, item: object) -> bool:
        if isinstance(item, ChunkSpec) and item.index == 5 and not slow:
            slow.append(attempt)
        return attempt in slow

    workers.hold = hold
    export = await add_export(database, seconds=8)
    async with dispatching(database, workers, store, _PATIENCE):
        row = await ended(database, export)
    assert row["status"] == "completed"
    assert slow[0] in workers.told_to_stop
    assert row["frames_done"] == row["frames"] == 240


@on_a_database
async def test_what_creeps_is_helped_before_it_is_old(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=4)
    workers.wall_s = 1.0
    slow: list[str] = []
    seen = itertools.count(1)

    def hold(attempt: str, item: object) -> bool:
        if isinstance(item, ChunkSpec) and item.index == 5 and not slow:
            slow.append(attempt)
        return attempt in slow

    # A frame at each look: it never stands still, and would take many times as long as others.
    workers.hold = hold
    workers.frames = lambda attempt, item: next(seen) if attempt in slow else 0
    export = await add_export(database, seconds=8)
    async with dispatching(database, workers, store, _PATIENCE):
        row = await ended(database, export)
    assert row["status"] == "completed"
    assert slow[0] in workers.told_to_stop


@on_a_database
async def test_a_straggler_is_helped_though_every_slot_is_taken(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=1, nodes=("one", "two"))
    slow: list[str] = []
    export = await add_export(database, seconds=8, priority=1, audio=False)
    for number in range(3):
        await add_export(database, song=f"other {number}")

    def hold(attempt: str, item: object) -> bool:
        if isinstance(item, ChunkSpec) and item.index == 7 and not slow:
            slow.append(attempt)
        is_other = isinstance(item, IntakeSpec) and "other" in item.names[item.midi_key]
        return is_other or attempt in slow

    workers.hold = hold
    async with dispatching(database, workers, store, _PATIENCE):
        row = await ended(database, export)
    assert row["status"] == "completed"
    tries = [
        attempt
        for attempt, item in workers.submitted
        if isinstance(item, ChunkSpec) and item.index == 7
    ]
    assert tries[0] in workers.told_to_stop
    assert {workers.node_of[attempt] for attempt in tries} == {"one", "two"}


@on_a_database
async def test_a_stitch_that_hangs_gets_a_second_attempt(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=4)
    slow: list[str] = []

    def hold(attempt: str, item: object) -> bool:
        if isinstance(item, StitchSpec) and not slow:
            slow.append(attempt)
        return attempt in slow

    others = [await add_export(database, seconds=number + 1) for number in range(12)]
    async with dispatching(database, workers, store, _PATIENCE):
        for other in others:
            assert (await ended(database, other))["status"] == "completed"
        # What is usual is known now.
        workers.hold = hold
        row = await ended(database, await add_export(database, seconds=13))
    assert row["status"] == "completed"
    assert slow[0] in workers.told_to_stop
