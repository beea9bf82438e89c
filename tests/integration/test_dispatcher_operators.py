"""What the dispatcher makes of operators' orders, against a real PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from coordinator.database import Database, farm, outcomes, quotas, transitions, work
from coordinator.dispatcher.choosing import Most, Turns, Waiting, choose
from coordinator.dispatcher.limits import Limits
from coordinator.placing import DEFAULT, Places
from coordinator.ports import Item
from coordinator.quotas import QuotaLimits
from shared.errors import RenderError
from shared.intake import IntakeSpec, ProbeSpec
from shared.plan import ChunkSpec
from shared.storage import LocalStore
from tests.dispatching import dispatching, ended, events_of, on_a_database, row_of, until
from tests.farm import PaintedNode, PaintedWorkers, add_export

pytestmark = pytest.mark.services


async def rows(database: Database, query: str, *values: Any) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        cursor = await connection.execute(query, values)  # type: ignore[call-overload]
        found: list[dict[str, Any]] = await cursor.fetchall()
        return found


async def told_again(database: Database) -> None:
    """Wait until the dispatcher has given two signs of life: it has heard what was ordered."""
    for _ in range(2):
        (before,) = await rows(database, "select heartbeat_at from dispatcher")

        async def later(before: dict[str, Any] = before) -> bool:
            (now,) = await rows(database, "select heartbeat_at from dispatcher")
            return now["heartbeat_at"] is not None and now != before

        await until(later)


def chunks_of(submitted: Sequence[tuple[str, Item]]) -> list[str]:
    return [attempt for attempt, item in submitted if isinstance(item, ChunkSpec)]


@on_a_database
async def test_a_paused_farm_begins_nothing_and_goes_on_when_it_is_resumed(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    held = True
    workers.hold = lambda attempt, item: held and isinstance(item, ChunkSpec)
    export = await add_export(database)
    async with dispatching(database, workers, store):

        async def is_full() -> bool:
            return len(chunks_of(workers.submitted)) == 4

        await until(is_full)
        async with database.transaction() as connection:
            await farm.pause(connection, "ops", "Moving.")
        before = len(workers.submitted)
        held = False

        async def all_stand() -> bool:
            return bool((await row_of(database, export))["chunks_done"] == 4)

        await until(all_stand)  # what runs is finished
        await add_export(database, "ben", song="another")
        async with database.transaction() as connection:
            await connection.execute(
                "insert into assets (id, user_id, kind, name, sha256, size_bytes) "
                "values ('ast_1', 'ada', 'midi', 'a.mid', repeat('0', 64), 1)"
            )
            spec = ProbeSpec(asset_key="assets/x", name="a.mid", kind="midi")
            await transitions.queue_probe(connection, "ast_1", "ada", spec)
        await told_again(database)
        assert len(workers.submitted) == before
        (stitch,) = await rows(database, "select status from work_items where kind = 'stitch'")
        assert stitch["status"] == "ready"
        async with database.transaction() as connection:
            await farm.resume(connection)
        assert (await ended(database, export))["status"] == "completed"


@on_a_database
async def test_nothing_is_claimed_after_a_pause_was_committed(
    database: Database, store: LocalStore
) -> None:
    export = await add_export(database)
    (item,) = await rows(database, "select id from work_items")
    (leader,) = await rows(database, "select epoch from dispatcher")

    async def claim() -> int | None:
        async with database.transaction() as connection:
            claimed = await transitions.claim_items(
                connection, {item["id"]: export}, leader["epoch"]
            )
        return claimed.get(item["id"])

    async with database.transaction() as connection:
        await farm.pause(connection, "ops", None)
    assert await claim() is None
    async with database.transaction() as connection:
        await farm.resume(connection)
        await transitions.pause_export(connection, export)
    assert await claim() is None
    async with database.transaction() as connection:
        await transitions.resume_export(connection, export)
    assert await claim() is not None
    async with database.transaction() as connection:
        await transitions.pause_export(connection, export)
        # Not even a second attempt beside a slow one.
        assert await transitions.add_attempt(connection, item["id"], leader["epoch"]) is None


@on_a_database
async def test_what_waits_for_a_worker_is_taken_back_when_the_farm_is_paused(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    workers.hold = lambda attempt, item: isinstance(item, ChunkSpec)
    workers.begins = lambda attempt, item: getattr(item, "index", 0) < 2
    export = await add_export(database)
    async with dispatching(database, workers, store):

        async def is_full() -> bool:
            return len(chunks_of(workers.submitted)) == 4

        await until(is_full)
        async with database.transaction() as connection:
            await farm.pause(connection, "ops", None)

        async def two_are_left() -> bool:
            found = await rows(database, "select from attempts where outcome is null")
            return len(found) == 2

        await until(two_are_left)
        begun = {
            attempt
            for attempt, item in workers.submitted
            if isinstance(item, ChunkSpec) and item.index < 2
        }
        assert not begun & workers.told_to_stop
        workers.hold = lambda attempt, item: False
        async with database.transaction() as connection:
            await farm.resume(connection)
        assert (await ended(database, export))["status"] == "completed"
    assert max(workers.made.values()) == 1


@on_a_database
async def test_a_paused_export_is_skipped_while_others_go_on(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store)
    held = True
    workers.hold = lambda attempt, item: held and "song.mid" in getattr(item, "names", {}).values()
    export = await add_export(database)
    async with dispatching(database, workers, store):

        async def has_begun() -> bool:
            return bool(workers.submitted)

        await until(has_begun)
        async with database.transaction() as connection:
            await transitions.pause_export(connection, export)
            await transitions.pause_export(connection, export)  # a second time does no harm
        held = False  # its intake ends, and makes sound and chunks

        async def is_planned() -> bool:
            return (await row_of(database, export))["chunks"] == 4

        await until(is_planned)
        other = await ended(database, await add_export(database, "ben", song="b"), "ben")
        assert other["status"] == "completed"
        waiting = await rows(
            database, "select status, held from work_items where export_id = %s", export
        )
        assert [each for each in waiting if each["held"]] == waiting
        assert sum(each["status"] == "ready" for each in waiting) == 5
        row = await row_of(database, export)
        assert row["paused_at"] is not None
        assert row["chunks_done"] == 0
        async with database.transaction() as connection:
            await transitions.resume_export(connection, export)
        row = await ended(database, export)
    assert (row["status"], row["paused_at"]) == ("completed", None)
    reasons = [event["reason"] for event in await events_of(database, export)]
    assert list(dict.fromkeys(reasons)) == [
        None,
        "Paused by an operator.",
        "Resumed by an operator.",
    ]


@on_a_database
async def test_an_export_that_is_tried_again_stays_paused(
    database: Database, store: LocalStore
) -> None:
    export = await add_export(database)
    async with database.transaction() as connection:
        await transitions.pause_export(connection, export)
        await transitions.cancel_export(connection, "ada", export)
        await transitions.retry_export(connection, "ada", export)
    (item,) = await rows(database, "select kind, status, held from work_items")
    assert item == {"kind": "intake", "status": "ready", "held": True}


@on_a_database
async def test_a_draining_node_finishes_what_it_has_begun_and_gets_nothing_more(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=1, nodes=["first", "second"])
    held = True
    workers.hold = lambda attempt, item: held and isinstance(item, ChunkSpec)
    # The first two chunks run; another two, one on each node, wait for a slot.
    workers.begins = lambda attempt, item: getattr(item, "index", 0) < 2
    export = await add_export(database)
    async with dispatching(database, workers, store, Limits(grace_s=0.2, margin=1)):

        async def is_full() -> bool:
            return len(chunks_of(workers.submitted)) == 4

        async def is_known() -> bool:
            found = await rows(database, "select node from attempts where outcome is null")
            return [each["node"] for each in found].count("first") == 2

        await until(is_full)
        await until(is_known)  # it was written where they run
        async with database.transaction() as connection:
            node = await farm.drain(connection, "first", draining=True)
            assert (node["running"], node["draining_at"] is not None) == (2, True)
        before = len(workers.submitted)

        async def is_taken_back() -> bool:
            return len(workers.told_to_stop) == 1

        await until(is_taken_back)  # what had not begun there; the other node has no room for it
        assert len(workers.submitted) == before
        workers.begins = lambda attempt, item: True
        held = False
        assert (await ended(database, export))["status"] == "completed"
        later = [attempt for attempt, _ in workers.submitted[before:]]
        assert {workers.node_of[attempt] for attempt in later} == {"second"}
        assert len(workers.told_to_stop) == 1

        async def has_slots(count: int) -> bool:
            return await rows(database, "select slots from dispatcher") == [{"slots": count}]

        await until(lambda: has_slots(1))
        async with database.transaction() as connection:
            await farm.drain(connection, "second", draining=True)
        await until(lambda: has_slots(0))
        count = len(workers.submitted)
        another = await add_export(database, song="another")
        await told_again(database)
        assert len(workers.submitted) == count
        async with database.transaction() as connection:
            await farm.drain(connection, "first", draining=False)
        assert (await ended(database, another))["status"] == "completed"
        assert {workers.node_of[each] for each, _ in workers.submitted[count:]} == {"first"}


@on_a_database
async def test_a_quota_holds_however_much_room_there_is(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=8)
    workers.hold = lambda attempt, item: isinstance(item, IntakeSpec)
    async with database.transaction() as connection:
        await quotas.set_quota(connection, "ada", QuotaLimits(running=1, queued=None))
    for user in ("ada", "ben"):
        for number in range(5):
            await add_export(database, user, song=f"{user} {number}", audio=False)
    async with dispatching(database, workers, store, Limits(quota_running=3)):

        async def four_run() -> bool:
            return len(workers.submitted) >= 4

        await until(four_run)
        await told_again(database)
        by_user = await rows(
            database,
            "select user_id, count(*) as count from work_items where status = 'running' "
            "group by user_id order by user_id",
        )
        assert [tuple(each.values()) for each in by_user] == [("ada", 1), ("ben", 3)]
        assert await rows(database, "select quota_running from dispatcher") == [
            {"quota_running": 3}
        ]
        async with database.transaction() as connection:
            await quotas.drop_quota(connection, "ada")

        async def six_run() -> bool:
            return len(workers.submitted) == 6

        await until(six_run)


@on_a_database
async def test_nodes_that_are_gone_are_forgotten(database: Database, store: LocalStore) -> None:
    workers = PaintedWorkers(store, nodes=["here", "gone"])
    async with dispatching(database, workers, store):

        async def both_are_known() -> bool:
            return len(await rows(database, "select from nodes")) == 2

        await until(both_are_known)
        workers.node_ids = ("here",)
        await rows(database, "update nodes set seen_at = seen_at - interval '1 h' returning id")

        async def one_is_left() -> bool:
            return [each["id"] for each in await rows(database, "select id from nodes")] == ["here"]

        await until(one_is_left)


@on_a_database
async def test_a_node_on_which_everything_fails_is_set_aside_and_its_logs_are_kept(
    database: Database, store: LocalStore
) -> None:
    workers = PaintedWorkers(store, slots=3, nodes=["node", "other"])
    broken, failed = True, list[str]()
    log = "frame 7: caf\u00e9 " + "x" * 20_000 + "\0 the end\n"

    def fail(attempt: str, item: Item) -> RenderError | None:
        if not broken:
            return None
        failed.append(attempt)
        return RenderError("It broke.", log=log)

    workers.fail = fail
    workers.hold = lambda attempt, item: broken and len(failed) == 6
    exports = [await add_export(database, song=f"song {number}") for number in range(6)]

    async def is_aside(*, expected: bool) -> bool:
        found = await rows(
            database,
            "select id from nodes where set_aside_until > now() + interval '9 min'"
            " and set_aside_until < now() + interval '11 min'",
        )
        return found == ([{"id": "node"}] if expected else [])

    async with dispatching(database, workers, store):
        await until(lambda: is_aside(expected=True))
        broken = False
        for export in exports:
            assert (await ended(database, export))["status"] == "completed"
        await until(lambda: is_aside(expected=False))  # a success clears it
    assert await rows(database, "select from nodes where set_aside_until is not null") == []
    async with database.transaction() as connection:
        failures = await outcomes.list_failures(connection, minutes=5, limit=100)
        (told,) = [
            each
            for each in await outcomes.count_by_node(connection, minutes=5)
            if each["id"] == "node"
        ]
        kept = await outcomes.get_log(connection, failures[0]["attempt_id"])
    assert len(failures) == told["failed"] == 6
    assert told["committed"] >= 6
    assert {each["node"] for each in failures} == {"node"}
    assert all(each["has_log"] for each in failures)
    assert kept is not None
    assert kept.endswith("\ufffd the end")
    assert len(kept.encode()) == 16_384


def places(room: int) -> Callable[[Waiting], str | None]:
    """A node with so many slots."""
    node = Places([PaintedNode(slots=room)])
    return lambda item: node.place(item.need)


@on_a_database
async def test_the_same_is_chosen_from_those_whose_turn_it_is_as_from_everybody(
    database: Database, store: LocalStore
) -> None:
    chance = random.Random(7)  # noqa: S311  # the same every time
    users = [f"user {number}" for number in range(12)]
    for user in users:
        for number in range(chance.randrange(4)):
            priority = chance.choice((0, 0, 5))
            await add_export(database, user, song=f"{user} {number}", priority=priority)
    for room in (1, 2, 3, 5, 8, 40):
        running = {user: chance.randrange(3) for user in users[::2]}
        served = {user: number for number, user in enumerate(chance.sample(users, 5))}
        most = Most(default=chance.choice((None, 0, 1)), own={users[0]: 0, users[2]: 9})

        def turns(
            running: dict[str, int] = running, served: dict[str, int] = served, most: Most = most
        ) -> Turns:
            return Turns(running=running, counted=running, served=dict(served), most=most)

        async with database.transaction() as connection:
            waiting = partial(work.list_waiting, connection, pool=DEFAULT, engines=())
            everything = await waiting(limit=1000)
            some = await waiting(limit=room, turns=turns())
        assert choose(some, places(room), turns()) == choose(everything, places(room), turns())
        assert len({item.user_id for item in some}) <= room
