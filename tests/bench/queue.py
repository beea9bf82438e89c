"""Measures what the dispatcher commits in a second, with and without a long queue.

``python -m tests.bench.queue [--queued N] [--ended N] [--exports N] [--seconds S] [--slots N]
[--rounds N] [--least N]``. The dispatcher and PostgreSQL are the real ones. The workers need no
time and paint nothing, and commits do not wait for the disk, so that what is measured is the
dispatcher's own. Rounds with an empty queue and with a queue of many users take turns; these users
have a quota of nothing, so that both render the same. With ``--queued 0`` there is nothing to
compare.

On a machine that others use, commits a second say little; the time of processors that each takes,
of this process and of PostgreSQL, is measured too, and a queue counts as slow where both say so.

Prints a table and writes ``build/bench-queue.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.table import Table

from coordinator.database import Connection, Database
from coordinator.database.migrations import migrate
from coordinator.database.quotas import set_quota
from coordinator.ports import Item, Report
from coordinator.quotas import QuotaLimits
from shared.intake import Intake, IntakeSpec
from shared.keys import digest
from shared.plan import StitchReport, StitchSpec
from shared.storage import LocalStore
from tests.dispatching import dispatching
from tests.farm import PaintedWorkers, add_export
from tests.postgres import PostgresServers

LEAST: Final = 0.9
"""What is left of the commits a second with a queue."""
USERS: Final = 50
_FILLED: Final = ("export_jobs", "work_items")
_WORKED: Final = ("attempts", "artifacts", "events")
SLOTS: Final = 8
_CLONE: Final = """
insert into export_jobs (id, user_id, composition_id, composition_revision, config, name, intake,
    status, progress, file_size, duration_seconds, sha256, download_url, started_at, completed_at,
    archived_at, created_at, expires_at)
select 'exp_' || %(kind)s || number, 'user ' || number %% %(users)s, composition_id,
    composition_revision, config, name, intake, %(status)s::export_status, d.progress, d.size,
    d.duration, repeat('0', 64), d.url, d.at, d.at, d.at + interval '1 day',
    now() - number * interval '1 s', d.at + interval '30 day'
from export_jobs, generate_series(1, %(count)s) number
cross join lateral (select
    case when %(status)s = 'completed' then 1 else 0 end as progress,
    case when %(status)s = 'completed' then 1000 end as size,
    case when %(status)s = 'completed' then 1.0 end as duration,
    case when %(status)s = 'completed' then 'exports/' || number end as url,
    case when %(status)s = 'completed' then now() - number * interval '10 s' end as at) d
where id = %(id)s
"""
_QUEUE: Final = """
insert into work_items (kind, export_id, user_id, priority, queued_at, pool, spec)
select 'intake', id, user_id, priority, created_at, pool, intake from export_jobs
where id like 'exp_queued%%'
"""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round took."""

    commits_per_s: float
    """Results that were committed, by the clock."""
    processor_ms: float
    """What processors were at it for each of them."""


class Workers(PaintedWorkers):
    """Workers to whom every song is another one, so that nothing is found; they store nothing."""

    def _report(self, item: Item) -> Report:
        if isinstance(item, StitchSpec):
            data = self._make(item.key, "video")
            return StitchReport(
                key=item.key, frames=item.frames, size_bytes=len(data), sha256=digest(data)
            )
        report = super()._report(item)
        if isinstance(item, IntakeSpec) and isinstance(report, Intake):
            return report.model_copy(update={"song_key": f"songs/{item.midi_key}.npz"})
        return report

    def _make(self, key: str, text: str) -> bytes:
        # How fast a disk syncs small files is no matter of the dispatcher's.
        return text.encode()


def main() -> None:
    """Measure and tell; the exit status is 1 where the dispatcher is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queued", type=int, default=10_000, help="Exports in the queue.")
    parser.add_argument("--ended", type=int, default=0, help="Exports that ended before.")
    parser.add_argument("--exports", type=int, default=40, help="Exports that are measured.")
    parser.add_argument("--seconds", type=float, default=4.0, help="Of each of their videos.")
    parser.add_argument("--slots", type=int, default=SLOTS, help="Work items at a time.")
    parser.add_argument("--rounds", type=int, default=10, help="Of each kind.")
    parser.add_argument("--least", type=float, default=0.0, help="Commits a second asked for.")
    options = parser.parse_args()
    with (
        PostgresServers() as servers,
        servers.fresh_database("embedded") as url,
        tempfile.TemporaryDirectory(prefix="midifarm-queue-") as folder,
    ):
        found = asyncio.run(measure(url, LocalStore(Path(folder)), options))
    report(found, options)


async def measure(
    url: str, store: LocalStore, options: argparse.Namespace
) -> dict[str, list[Round]]:
    """All rounds, with and without a queue."""
    found: dict[str, list[Round]] = {"empty": []} | ({"queued": []} if options.queued else {})
    async with Database(url) as database:
        await migrate(database)
        like = await template(database)
        async with database.transaction() as connection:
            await connection.execute("set local statement_timeout = 0")
            await clone(connection, "ended", "completed", options.ended, like)
            # How fast the disk is, and who else uses it, would hide what the queue costs.
            await connection.execute(
                "do $$ begin execute format('alter database %I set synchronous_commit = off',"
                " current_database()); end $$"
            )
    async with Database(url) as database:
        await _round(database, store, options, "warm-up")
        # Known as they are on a farm at work: plans for empty tables go through all of their rows.
        await settle(database, *_FILLED, *_WORKED)
        await drop(database)
        for number in range(options.rounds):
            for kind, rounds in found.items():
                if kind == "queued":
                    await fill(database, options.queued)
                rounds.append(await _round(database, store, options, f"{kind} {number}"))
                await drop(database)
    return found


async def template(database: Database) -> str:
    """An export that others are made like, which has no work; their users may have nothing done."""
    export = await add_export(database, "nobody", song="template")
    async with database.transaction() as connection:
        for number in range(USERS):
            await set_quota(connection, f"user {number}", QuotaLimits(running=0, queued=None))
        await connection.execute("delete from work_items")
        await connection.execute(
            "update export_jobs set status = 'cancelled', cleaned_at = now() where id = %s",
            (export,),
        )
    return export


async def clone(connection: Connection, kind: str, status: str, count: int, like: str) -> None:
    """Add exports like another one, of many users."""
    await connection.execute(
        _CLONE,
        {"kind": kind, "status": status, "count": count, "users": USERS, "id": like},
    )


async def fill(database: Database, count: int) -> None:
    """Queue exports of many users, as if they had just been accepted."""
    async with database.transaction() as connection:
        cursor = await connection.execute("select id from export_jobs where user_id = 'nobody'")
        row = await cursor.fetchone()
        assert row is not None
        await clone(connection, "queued", "queued", count, row["id"])
        await connection.execute(_QUEUE)
    await settle(database, *_FILLED)


async def drop(database: Database) -> None:
    """Forget the queue, and what was measured."""
    async with database.transaction() as connection:
        await connection.execute(
            "delete from export_jobs where user_id <> 'nobody' and id not like 'exp_ended%%'"
        )
        await connection.execute("delete from artifacts")


async def settle(database: Database, *tables: str) -> None:
    """Have PostgreSQL know its tables, as it does where they were not filled a moment ago."""
    async with database.lone_connection() as connection:
        await connection.execute("set statement_timeout = 0")
        for name in tables:
            await connection.execute(f"vacuum analyze {name}")  # type: ignore[arg-type]
        await connection.execute("checkpoint")


async def _round(
    database: Database, store: LocalStore, options: argparse.Namespace, name: str
) -> Round:
    """Render some exports."""
    ids = [
        await add_export(
            database,
            f"measured {number % 5}",
            song=f"{name} {number}",
            seconds=options.seconds,
            priority=100,
        )
        for number in range(options.exports)
    ]
    workers = Workers(store, slots=options.slots)
    began_s, processors_s = time.perf_counter(), _processors_s()
    async with dispatching(database, workers, store):
        while True:
            async with database.transaction() as connection:
                cursor = await connection.execute(
                    "select count(*) filter (where e.status = 'completed') as done, (select "
                    "count(*) from attempts where outcome = 'committed') as commits "
                    "from export_jobs e where id = any (%s)",
                    (ids,),
                )
                row = await cursor.fetchone()
            assert row is not None
            if row["done"] == options.exports:
                return Round(
                    commits_per_s=row["commits"] / (time.perf_counter() - began_s),
                    processor_ms=1000 * (_processors_s() - processors_s) / row["commits"],
                )
            await asyncio.sleep(0.05)


def _processors_s() -> float:
    """What processors were at this process and at PostgreSQL, whose connections come and go."""
    total_s = time.process_time()
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        total_s += times.user + times.system + times.children_user + times.children_system
    return total_s


def report(found: dict[str, list[Round]], options: argparse.Namespace) -> None:
    """Print the table, and write the figures."""
    table = Table(
        "queue",
        "commits/s",
        "rounds",
        "ms a commit",
        title=f"{options.ended:,} exports ended before",
    )
    rate = {
        kind: statistics.median(each.commits_per_s for each in rounds)
        for kind, rounds in found.items()
    }
    cost = {
        kind: statistics.median(each.processor_ms for each in rounds)
        for kind, rounds in found.items()
    }
    for kind, rounds in found.items():
        shown = "empty" if kind == "empty" else f"{options.queued:,} exports"
        rates = " ".join(f"{each.commits_per_s:.0f}" for each in rounds)
        table.add_row(shown, f"{rate[kind]:.0f}", rates, f"{cost[kind]:.1f}")
    Console().print(table)
    figures = {
        "queued": options.queued,
        "ended": options.ended,
        "rounds": {kind: [asdict(each) for each in rounds] for kind, rounds in found.items()},
    }
    if options.queued:
        ratio, cost_ratio = rate["queued"] / rate["empty"], cost["empty"] / cost["queued"]
        figures |= {"ratio": ratio, "processor_ratio": cost_ratio}
    target = Path("build/bench-queue.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n")
    if rate["empty"] < options.least:
        sys.exit(f"{options.least:.0f} commits a second are asked.")
    if options.queued:
        print(  # noqa: T201
            f"A queue leaves {ratio:.0%} of the commits a second; by the time of processors "
            f"{cost_ratio:.0%}."
        )
        if max(ratio, cost_ratio) < LEAST:
            sys.exit(f"{LEAST:.0%} is asked.")


if __name__ == "__main__":
    main()
