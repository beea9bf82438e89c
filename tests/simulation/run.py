"""One simulation: from an empty database to what came of it."""

from __future__ import annotations

import asyncio
import operator
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coordinator.database.migrations import migrate
from coordinator.dispatcher.dispatcher import Dispatcher
from coordinator.dispatcher.limits import Limits
from coordinator.ports import Item
from shared.plan import AudioSpec, ChunkSpec
from shared.storage import LocalStore
from tests.simulation.chance import Chance
from tests.simulation.clock import BEGINNING, VirtualClock
from tests.simulation.cluster import Faults, SimulatedCluster
from tests.simulation.database import VirtualDatabase, prepare
from tests.simulation.figures import Export, Figures, Tried, figures
from tests.simulation.nodes import SPEEDS
from tests.simulation.workload import FRAME_S, WEIGHTS, Workload

_LOOK_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is simulated."""

    seed: int = 846
    users: int = 200
    exports: int = 10_000
    mean_s: float = 45.0
    """Length of a video, in the mean."""
    cost: float = 1.0
    """What a frame takes, in what workload.FRAME_S says."""
    nodes: int = 250
    slots: int = 4
    """Of each node."""
    faults: Faults = field(default_factory=Faults)

    def exports_for(self, seconds: float) -> int:
        """How many exports keep all slots at work for about so long."""
        frame_s = sum(map(operator.mul, FRAME_S, WEIGHTS)) / sum(WEIGHTS)
        speed = self.nodes * self.slots * sum(SPEEDS) / len(SPEEDS)
        return max(self.users, round(seconds * speed / (self.mean_s * 30 * frame_s * self.cost)))


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of it, and what it took."""

    figures: Figures
    attempts: dict[str, int]
    """How many ended how."""
    failures: int
    """Nodes that failed."""
    statuses: dict[str, int]
    """How many exports ended how."""
    real_s: float
    """What it took, from the dispatcher's first round to the last export."""
    commits: int
    """Results that were committed."""
    transactions: int
    """All transactions of the dispatcher."""
    wal_bytes: int
    """What PostgreSQL wrote into its log."""
    events: int
    """What clients were told."""

    @property
    def missed(self) -> list[str]:
        """What is not as it should be, a sentence each."""
        unfinished = sum(count for status, count in self.statuses.items() if status != "completed")
        told = [f"{unfinished} exports were not completed."] if unfinished else []
        return told + self.figures.missed

    def as_dict(self) -> dict[str, Any]:
        """All of it, as plain data."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "figures"},
            "figures": self.figures.as_dict(),
            "commits_per_s": self.commits / self.real_s,
            "missed": self.missed,
        }


async def simulate(
    url: str, folder: Path, setting: Setting, tell: Callable[[str], None] = lambda line: None
) -> Result:
    """Have the dispatcher do all the work.

    Args:
        url: Of an empty database.
        folder: An empty folder, where an object store that nobody uses may be.
        setting: What is simulated.
        tell: Told now and then how far it is.
    """
    prepare(url)
    clock = VirtualClock()
    workload = Workload(
        Chance(setting.seed), setting.users, setting.exports, setting.mean_s, setting.cost
    )
    cluster = SimulatedCluster(
        clock, workload, nodes=setting.nodes, slots=setting.slots, faults=setting.faults
    )
    speed = cluster.speed
    async with VirtualDatabase(url, clock) as database:
        await migrate(database)
        await workload.submit(database, clock)
        await _analyse(database)
        written_bytes, events = await _written(database)
        accepted_s, began_s, before = clock.now_s(), time.monotonic(), database.commits
        dispatcher = Dispatcher(database, LocalStore(folder), cluster, Limits(), clock=clock)
        running = asyncio.create_task(dispatcher.run())
        while (left := await _left(database)) and not running.done():
            tell(f"{clock.now_s() - accepted_s:,.0f} s: {left:,} exports are left")
            await asyncio.sleep(_LOOK_S)
        real_s, transactions = time.monotonic() - began_s, database.commits - before
        dispatcher.stop()
        await running
        all_bytes, all_events = await _written(database)
        exports, statuses = await _ended(database, accepted_s)
        waits = await _waits(database, accepted_s)
    tried = [
        Tried(
            what=f"{song.number} {_what(each.item)}",
            user=song.user,
            begun_s=each.begun_s - accepted_s,
            ended_s=each.ended_s - accepted_s,
            speed=cluster.speeds[each.node],
            end=each.end,
        )
        for each in cluster.attempts
        if each.begun_s is not None
        and each.ended_s is not None
        and (song := workload.song_of(each.item))
    ]
    work_s, path_s = _bounds(workload, [each.item for each in cluster.attempts])
    ends = Counter(each.end for each in cluster.attempts)
    return Result(
        figures=figures(
            exports,
            tried,
            waits,
            work_s=work_s,
            path_s=path_s,
            speed=speed,
            fastest=max(cluster.speeds.values()),
            slots=setting.nodes * setting.slots,
        ),
        attempts=dict(ends),
        failures=cluster.failures,
        statuses=statuses,
        real_s=real_s,
        commits=ends["done"],
        transactions=transactions,
        wal_bytes=all_bytes - written_bytes,
        events=all_events - events,
    )


def _what(item: Item) -> str:
    """Which part of its export an item is."""
    return f"chunk {item.index}" if isinstance(item, ChunkSpec) else type(item).__name__


def _bounds(workload: Workload, tried: list[Item]) -> tuple[float, float]:
    """All work at speed 1, and the longest chain of steps of one export."""
    items = {(workload.song_of(item).number, _what(item)): item for item in tried}
    work_s = {key: workload.work_s(item) for key, item in items.items()}
    before: Counter[int] = Counter()
    middle: Counter[int] = Counter()
    for (number, what), item in items.items():
        if isinstance(item, ChunkSpec | AudioSpec):
            middle[number] = max(middle[number], work_s[number, what])
        else:
            before[number] += work_s[number, what]
    path_s = max(before[number] + middle[number] for number in before)
    return sum(work_s.values()), path_s


async def _analyse(database: VirtualDatabase) -> None:
    """Have PostgreSQL know its tables, as it does where they were not filled a moment ago."""
    async with database.lone_connection() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute("vacuum analyze")


async def _written(database: VirtualDatabase) -> tuple[int, int]:
    """Bytes in the log of PostgreSQL, and events, as many as there have been."""
    async with database.reading() as connection:
        cursor = await connection.execute(
            "select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint as bytes, "
            "coalesce((select max(id) from events), 0) as events"
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["bytes"]), int(row["events"])


async def _left(database: VirtualDatabase) -> int:
    async with database.reading() as connection:
        cursor = await connection.execute(
            "select count(*) as count from export_jobs "
            "where status in ('queued', 'rendering', 'uploading')"
        )
        row = await cursor.fetchone()
    assert row is not None
    return int(row["count"])


async def _ended(
    database: VirtualDatabase, accepted_s: float
) -> tuple[list[Export], dict[str, int]]:
    """How all exports went, and how many ended how."""
    async with database.reading() as connection:
        cursor = await connection.execute(
            "select user_id, status::text, started_at, completed_at from export_jobs"
        )
        rows = await cursor.fetchall()
    exports = [
        Export(
            user=row["user_id"],
            begun_s=(row["started_at"] - BEGINNING).total_seconds() - accepted_s,
            ended_s=(row["completed_at"] - BEGINNING).total_seconds() - accepted_s,
        )
        for row in rows
    ]
    return exports, dict(Counter(row["status"] for row in rows))


async def _waits(
    database: VirtualDatabase, accepted_s: float
) -> dict[str, list[tuple[float, float]]]:
    """From when to when work items waited for their first attempts, by user."""
    async with database.reading() as connection:
        cursor = await connection.execute(
            "select w.user_id, w.created_at, a.started_at "
            "from work_items w join attempts a on a.item_id = w.id and a.number = 1"
        )
        rows = await cursor.fetchall()
    waits: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        from_s, to_s = (
            (row[name] - BEGINNING).total_seconds() - accepted_s
            for name in ("created_at", "started_at")
        )
        waits.setdefault(row["user_id"], []).append((from_s, to_s))
    return waits
