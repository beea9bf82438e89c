"""Pools and engines: which nodes the dispatcher puts work on, against a real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from coordinator.database import Database, farm, quotas, transitions
from coordinator.database.pools import count_demand
from coordinator.dispatcher.demand import slots_wanted
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.metrics import Metrics
from coordinator.ports import Item
from coordinator.quotas import QuotaLimits
from shared.plan import ChunkSpec
from shared.storage import LocalStore
from tests.dispatching import PATIENCE_S, QUICK, dispatching, ended, on_a_database, row_of, until
from tests.farm import ENGINE, PaintedNode, PaintedWorkers, add_export

pytestmark = pytest.mark.services

DEFAULT, GPU = frozenset({"default"}), frozenset({"gpu"})
OTHER_ENGINE = f"{ENGINE}, another"


class Various(PaintedWorkers):
    """Workers on nodes of which some are not like the others."""

    def __init__(self, store: LocalStore, *, nodes: tuple[str, ...], slots: int = 2) -> None:
        """Paint on these nodes."""
        super().__init__(store, nodes=nodes, slots=slots)
        self.different: dict[str, dict[str, Any]] = {}
        """What is different of nodes, by their ids."""

    def nodes(self) -> list[PaintedNode]:
        return [replace(node, **self.different.get(node.id, {})) for node in super().nodes()]


async def placed(database: Database, workers: PaintedWorkers, export: str) -> list[str]:
    """The nodes that the attempts at an export were put on."""
    async with database.reading() as connection:
        found = await connection.execute(
            "select a.id from attempts a join work_items w on w.id = a.item_id "
            "where w.export_id = %s order by a.id",
            (export,),
        )
        names = [f"a{row['id']}" for row in await found.fetchall()]
    return [workers.node_of[name] for name in names if name in workers.node_of]


def chunks_on(workers: PaintedWorkers, node: str) -> list[str]:
    """Attempts at chunks that were put on a node."""
    return [
        attempt
        for attempt, item in workers.submitted
        if isinstance(item, ChunkSpec) and workers.node_of[attempt] == node
    ]


def at_chunks_on(workers: PaintedWorkers, node: str) -> Callable[[str, Item], bool]:
    """Whether an attempt is at a chunk on a node."""
    return lambda attempt, item: isinstance(item, ChunkSpec) and workers.node_of[attempt] == node


async def seen(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""

    async def is_so() -> bool:
        return condition()

    await until(is_so)


@on_a_database
async def test_an_export_goes_to_the_nodes_of_its_pool_and_to_no_others(
    database: Database, store: LocalStore
) -> None:
    workers = Various(store, nodes=("plain", "fast"))
    workers.pools = {"fast": GPU}
    plain = await add_export(database, song="plain")
    fast = await add_export(database, song="fast", pool="gpu")
    async with dispatching(database, workers, store):
        for export in (plain, fast):
            assert (await ended(database, export))["status"] == "completed"
    assert {*await placed(database, workers, plain)} == {"plain"}
    assert {*await placed(database, workers, fast)} == {"fast"}
    async with database.reading() as connection:
        found = await connection.execute("select name, slots from pools order by name")
        served = [(row["name"], row["slots"]) for row in await found.fetchall()]
    assert served == [("default", 2), ("gpu", 2)]


@on_a_database
async def test_a_node_of_two_pools_serves_both(database: Database, store: LocalStore) -> None:
    workers = Various(store, nodes=("both",))
    workers.pools = {"both": DEFAULT | GPU}
    exports = [
        await add_export(database, user, song=pool, pool=pool)
        for user, pool in (("ada", "default"), ("ada", "gpu"), ("ben", "gpu"))
    ]
    async with dispatching(database, workers, store):
        for export, user in zip(exports, ("ada", "ada", "ben"), strict=True):
            assert (await ended(database, export, user))["status"] == "completed"


@on_a_database
async def test_a_pool_that_is_full_or_away_holds_up_no_other(
    database: Database, store: LocalStore
) -> None:
    workers = Various(store, nodes=("plain", "fast"))
    workers.pools = {"fast": GPU}
    workers.hold = at_chunks_on(workers, "fast")
    full = await add_export(database, song="full", seconds=30.0, priority=9, pool="gpu")
    away = await add_export(database, song="away", priority=9, pool="4k")
    async with dispatching(database, workers, store):
        await seen(lambda: len(chunks_on(workers, "fast")) == workers.slots + QUICK.margin)
        # The same user's, and of a lower priority.
        plain = await ended(database, await add_export(database, song="plain"))
        assert plain["status"] == "completed"
        assert len(chunks_on(workers, "fast")) == workers.slots + QUICK.margin
        assert await placed(database, workers, away) == []
        workers.hold = lambda *_: False
        assert (await ended(database, full))["status"] == "completed"
        workers.pools = {"plain": frozenset({"4k"})}
        assert (await ended(database, away))["status"] == "completed"
    assert {*await placed(database, workers, away)} == {"plain"}


@on_a_database
async def test_an_export_stays_with_the_engine_that_has_begun_it(
    database: Database, store: LocalStore
) -> None:
    workers = Various(store, nodes=("first",))
    workers.engines = {"more": OTHER_ENGINE, "most": OTHER_ENGINE}
    workers.hold = at_chunks_on(workers, "first")
    export = await add_export(database, seconds=12.0)
    async with dispatching(database, workers, store):
        await seen(lambda: len(chunks_on(workers, "first")) == workers.slots + QUICK.margin)
        workers.node_ids = ("first", "more", "most")
        # What is new goes by the engine of most slots, and overtakes it.
        other = await ended(database, await add_export(database, "ben", song="other"), "ben")
        assert (other["status"], other["engine"]) == ("completed", OTHER_ENGINE)
        before = [attempt for node in ("more", "most") for attempt in chunks_on(workers, node)]
        workers.hold = lambda *_: False
        row = await ended(database, export)
    assert (row["status"], row["engine"]) == ("completed", ENGINE)
    after = [attempt for node in ("more", "most") for attempt in chunks_on(workers, node)]
    assert after == before
    assert len(before) == other["chunks"]


@on_a_database
async def test_an_export_whose_engine_is_gone_is_planned_anew_after_a_while_and_not_before(
    database: Database, store: LocalStore
) -> None:
    limits = replace(QUICK, stranded_s=2.0)
    workers = Various(store, nodes=("old",))
    workers.engines = {"new": OTHER_ENGINE}
    workers.hold = lambda _, item: isinstance(item, ChunkSpec) and item.index >= 2
    export = await add_export(database)
    async with dispatching(database, workers, store, limits) as dispatcher:

        async def half_is_done() -> bool:
            return bool((await row_of(database, export))["chunks_done"] == 2)

        await until(half_is_done)
        workers.node_ids = ("new",)
        gone_s = time.monotonic()

        async def is_planned_anew() -> bool:
            dispatcher._recovered_s = 0.0  # it looks for such exports every ten seconds
            return (await row_of(database, export))["engine"] != ENGINE

        await until(is_planned_anew)
        # Which nodes there are is heard once a second: this one may have been seen a second ago.
        assert time.monotonic() - gone_s > limits.stranded_s - 1.0
        workers.hold = lambda *_: False
        row = await ended(database, export)
    assert (row["status"], row["engine"]) == ("completed", OTHER_ENGINE)
    assert len(chunks_on(workers, "new")) == row["chunks"] == 4


@on_a_database
async def test_an_export_waits_for_its_engine_as_long_as_its_pool_has_no_other(
    database: Database, store: LocalStore
) -> None:
    limits = replace(QUICK, stranded_s=2.0)
    workers = Various(store, nodes=("old", "plain"))
    workers.pools = {"old": GPU, "again": GPU}
    workers.hold = lambda _, item: isinstance(item, ChunkSpec)
    export = await add_export(database, pool="gpu")
    async with dispatching(database, workers, store, limits) as dispatcher:
        await seen(lambda: len(chunks_on(workers, "old")) == 4)
        workers.node_ids = ("plain",)
        engines = dispatcher._farm.engines
        await seen(lambda: engines(limits.stranded_s) == ({("default", ENGINE)}, {"default"}))
        dispatcher._recovered_s = 0.0
        await seen(lambda: dispatcher._recovered_s > 0)
        assert (await row_of(database, export))["engine"] == ENGINE
        workers.hold = lambda *_: False
        workers.node_ids = ("plain", "again")
        row = await ended(database, export)
    assert (row["status"], row["renderings"]) == ("completed", 1)


@on_a_database
async def test_a_node_that_is_kept_out_or_leaves_gets_nothing(
    database: Database, store: LocalStore
) -> None:
    workers = Various(store, nodes=("a", "odd", "z"))
    workers.different = {
        "odd": {"kept_out": "It runs another version."},
        "z": {"is_leaving": True},
    }
    workers.hold = at_chunks_on(workers, "a")

    async def told() -> dict[str, tuple[str | None, bool]]:
        async with database.reading() as connection:
            found = await connection.execute("select id, kept_out, is_leaving from nodes")
            return {
                row["id"]: (row["kept_out"], row["is_leaving"]) for row in await found.fetchall()
            }

    export = await add_export(database, seconds=12.0)
    async with dispatching(database, workers, store):
        await seen(lambda: len(chunks_on(workers, "a")) == workers.slots + QUICK.margin)
        workers.hold = lambda *_: False
        assert (await ended(database, export))["status"] == "completed"
        assert {*workers.node_of.values()} == {"a"}
        kept_out, leaving = ("It runs another version.", False), (None, True)
        assert await told() == {"a": (None, False), "odd": kept_out, "z": leaving}
        # It was upgraded, and is let in.
        workers.different = {"a": {"is_leaving": True}, "z": {"is_leaving": True}}

        async def is_heard() -> bool:
            return await told() == {"a": leaving, "odd": (None, False), "z": leaving}

        await until(is_heard)
        other = await ended(database, await add_export(database, song="other"))
        assert other["status"] == "completed"
    assert "odd" in workers.node_of.values()


@on_a_database
async def test_the_work_of_a_lost_node_goes_elsewhere_and_its_late_report_changes_nothing(
    database: Database, store: LocalStore
) -> None:
    workers, metrics = Various(store, nodes=("far", "near")), Metrics()
    workers.hold = at_chunks_on(workers, "far")
    workers.stubborn = True  # what is cut off hears of nothing
    dispatcher = Dispatcher(database, store, workers, QUICK, metrics)
    task = asyncio.create_task(dispatcher.run())

    def late() -> float:
        return sum(
            sample.value
            for family in metrics.registry.collect()
            for sample in family.samples
            if sample.name == "midifarm_attempts_total" and sample.labels["outcome"] == "late"
        )

    try:
        export = await add_export(database)
        await seen(lambda: bool(chunks_on(workers, "far")))
        workers.node_ids = ("near",)
        began_s = time.monotonic()
        row = await ended(database, export)
        assert row["status"] == "completed"
        assert time.monotonic() - began_s < 10.0
        cut_off = chunks_on(workers, "far")
        before = {key: store.get_bytes(key) for key in _keys(store)}
        workers.hold = lambda *_: False
        await seen(lambda: late() == len(cut_off))
        # What they wrote is deleted, and nothing else.
        await seen(lambda: {*_keys(store)} == before.keys())
        assert {key: store.get_bytes(key) for key in before} == before
        assert await row_of(database, export) == row
    finally:
        dispatcher.stop()
        await asyncio.wait_for(task, PATIENCE_S)
    async with database.reading() as connection:
        found = await connection.execute(
            "select outcome, error_kind from attempts where 'a' || id = any (%s)", (cut_off,)
        )
        ends = {(each["outcome"], each["error_kind"]) for each in await found.fetchall()}
    assert ends == {("failed", "transient")}


def _keys(store: LocalStore) -> list[str]:
    return [info.key for info in store.list()]


@on_a_database
async def test_an_autoscaler_is_asked_for_what_all_work_could_use(
    database: Database, store: LocalStore
) -> None:
    workers = Various(store, nodes=("plain",))
    workers.hold = lambda _, item: isinstance(item, ChunkSpec)
    plain = await add_export(database, song="plain", seconds=12.0)
    await add_export(database, "ben", song="fast", pool="gpu")
    async with dispatching(database, workers, store):
        chunks = 8  # of which four are under way
        await seen(lambda: workers.asked_for == {"default": chunks, "gpu": 1})
        assert (await row_of(database, plain))["chunks"] == chunks
    assert workers.asked_for == {}, "whoever comes after it asks for what he needs"


@on_a_database
async def test_only_what_could_begin_is_demand(database: Database, store: LocalStore) -> None:
    users = ("ada", "ada", "ben", "held", "resting", "full", "full")
    ids = [await add_export(database, user, song=str(n)) for n, user in enumerate(users)]

    async def wanted(most: int = 1000, quota_running: int | None = None) -> dict[str, int]:
        async with database.transaction() as connection:
            items = await count_demand(connection, quota_running=quota_running, most=most)
        return slots_wanted(items, most)

    assert await wanted() == {"default": 7}
    async with database.transaction() as connection:
        await transitions.pause_export(connection, ids[3])
        await quotas.set_quota(connection, "full", QuotaLimits(running=1))
        await connection.execute(
            "update work_items set not_before = now() + interval '1 h' where user_id = 'resting'"
        )
        await connection.execute(
            "update work_items set pool = 'gpu' where export_id = %s", (ids[1],)
        )
        # A look at an upload, and a preview, which takes up no slot.
        await connection.execute(
            "insert into assets (id, user_id, kind, name, sha256, size_bytes) "
            "values ('ast_1', 'full', 'midi', 'a.mid', repeat('0', 64), 1)"
        )
        await connection.execute(
            "insert into previews (id, user_id, spec, expires_at) "
            "values ('prv_1', 'ada', '{}', now() + interval '1 h')"
        )
        await connection.execute(
            "insert into work_items (kind, user_id, asset_id, preview_id, spec) "
            "values ('probe', 'full', 'ast_1', null, '{}'), ('preview', 'ada', null, 'prv_1', '{}')"
        )
    assert await wanted() == {"default": 4, "gpu": 1}
    assert await wanted(most=2) == {"default": 2, "gpu": 1}
    assert await wanted(quota_running=0) == {"default": 2}
    async with database.transaction() as connection:
        await connection.execute(
            "update work_items set status = 'running' where export_id = %s", (ids[5],)
        )
        await farm.pause(connection, "ops", None)
    assert await wanted() == {"default": 1}
