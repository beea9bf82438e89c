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
    slow = workers.hold_first(lambda item: isinstance(item, ChunkSpec) and item.index == 5)
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
    slow = workers.hold_first(lambda item: isinstance(item, ChunkSpec) and item.index == 5)
    # A frame at each look: it never stands still, and would take many times as long as others.
    seen = itertools.count(1)
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
    workers.hold_first(lambda item: isinstance(item, ChunkSpec) and item.index == 7)
    is_slow = workers.hold
    workers.hold = lambda attempt, item: (
        is_slow(attempt, item)
        or (isinstance(item, IntakeSpec) and "other" in item.names[item.midi_key])
    )
    export = await add_export(database, seconds=8, priority=1, audio=False)
    for number in range(3):
        await add_export(database, song=f"other {number}")
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
    others = [await add_export(database, seconds=number + 1) for number in range(12)]
    async with dispatching(database, workers, store, _PATIENCE):
        for other in others:
            assert (await ended(database, other))["status"] == "completed"
        # What is usual is known now.
        slow = workers.hold_first(lambda item: isinstance(item, StitchSpec))
        row = await ended(database, await add_export(database, seconds=13))
    assert row["status"] == "completed"
    assert slow[0] in workers.told_to_stop
