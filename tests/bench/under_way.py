"""Exports under way without a dispatcher: rows that change, and are told of, as if one worked.

Nothing is rendered. A process of its own writes twice a second what a dispatcher would: how far the
exports are, which pieces are done, what each slot is at; telling clients is the dispatcher's own
code.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any, Final

from coordinator.database import Database
from coordinator.database.progress import ExportProgress, record_progress
from tests.bench.history import Connection

FRAMES: Final = 5400
CHUNKS: Final = 45
_EVERY_S: Final = 0.5
_FRAMES_PER_S: Final = 30
_NODES: Final = 25
_SLOTS: Final = 16
"""Of each node: enough for two pieces of each of 200 exports."""

_EXPORTS: Final = """
insert into export_jobs (id, user_id, composition_id, composition_revision, config, name, intake,
    status, stage, frames, frames_committed, frames_done, progress, chunks, chunks_done, fps, eta_s,
    engine, created_at, started_at)
select 'exp_' || left(md5('under way' || n), 26), %(user)s, 'cmp_' || %(user)s || '_' || n %% 10, 1,
    t.config, 'Under way ' || n, t.intake, 'rendering', 'Rendering', %(frames)s, d.done, d.done,
    d.done * 0.99 / %(frames)s, %(chunks)s, d.chunks, 30, 120, '0123456789abcdef',
    now() - n * interval '1 s', now()
from generate_series(1, %(count)s) n
cross join lateral (select n %% 30 as chunks, n %% 30 * (%(frames)s / %(chunks)s) as done) d
join templates t on t.number = n %% (select count(*) from templates)
"""
_PIECES: Final = """
insert into work_items (kind, export_id, user_id, queued_at, status, report, content_key, position,
    chunk_index, start_frame, stop_frame, ended_at)
select 'chunk', e.id, e.user_id, e.created_at,
    case when n < e.chunks_done then 'done' else 'ready' end::item_status,
    case when n < e.chunks_done then '{}'::jsonb end, 'chunk/' || md5(e.id || n), 1 + n, n,
    n * (%(frames)s / %(chunks)s), (n + 1) * (%(frames)s / %(chunks)s),
    case when n < e.chunks_done then now() end
from export_jobs e, generate_series(0, %(chunks)s - 1) n
where e.name like 'Under way %%'
"""
_LEADS: Final = """
update dispatcher set epoch = epoch + 1, leader = 'bench', since = now(), heartbeat_at = now(),
    slots = %(nodes)s * %(slots)s
"""
_LIVES: Final = """
with alive as (update dispatcher set heartbeat_at = now())
insert into nodes (id, name, cpus, gpus)
select 'node' || n, 'render-' || n, %(slots)s, 0 from generate_series(1, %(nodes)s) n
on conflict (id) do update set seen_at = now()
"""
_COMMIT: Final = """
with done as (
    update work_items w set status = 'done', report = '{}', ended_at = now()
    from export_jobs e
    where e.id = w.export_id and e.name like 'Under way %%' and w.kind = 'chunk'
        and w.status = 'running' and w.stop_frame <= e.frames_done
    returning w.id, w.export_id
), committed as (
    update attempts set outcome = 'committed', ended_at = now()
    where outcome is null and item_id in (select id from done)
)
update export_jobs e set chunks_done = chunks_done + d.number
from (select export_id, count(*) as number from done group by export_id) d where e.id = d.export_id
"""
_BEGIN: Final = """
with begun as (
    update work_items w set status = 'running'
    from export_jobs e
    where e.id = w.export_id and e.name like 'Under way %%' and w.kind = 'chunk'
        and w.status = 'ready' and w.chunk_index < e.chunks_done + 2
    returning w.id
)
insert into attempts (item_id, number, epoch, worker, node)
select id, 1, 1, 'worker', 'node' || 1 + id %% %(nodes)s from begun
"""
_FRAMES: Final = """
update attempts a set frames = least(greatest(e.frames_done - w.start_frame, 0),
    w.stop_frame - w.start_frame)
from work_items w join export_jobs e on e.id = w.export_id
where a.outcome is null and w.id = a.item_id
"""
_NUMBERS: Final[dict[str, Any]] = {
    "frames": FRAMES,
    "chunks": CHUNKS,
    "nodes": _NODES,
    "slots": _SLOTS,
}


def add(connection: Connection, *, user_id: str, exports: int) -> None:
    """Put exports of a user's under way, like those of the user ``template``."""
    numbers = {**_NUMBERS, "user": user_id, "count": exports}
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute(
            "create temporary table if not exists templates as"
            " select (row_number() over (order by created_at))::int - 1 as number, config, intake"
            " from export_jobs where user_id = 'template'"
        )
        connection.execute(_EXPORTS, numbers)
        connection.execute(_PIECES, numbers)
        connection.execute(_LEADS, numbers)
        connection.execute(_LIVES, numbers)


@contextmanager
def working(database_url: str) -> Iterator[None]:
    """Have the exports go on until the block ends, by a process of its own."""
    context = multiprocessing.get_context("spawn")
    begun, over = context.Event(), context.Event()
    process = context.Process(target=_work, args=(database_url, begun, over), daemon=True)
    process.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        over.set()
        process.join()


def _work(database_url: str, begun: Event, over: Event) -> None:
    asyncio.run(_go_on(database_url, begun, over))


async def _go_on(database_url: str, begun: Event, over: Event) -> None:
    async with Database(database_url, most=1) as database:
        due_s = time.monotonic()
        while not over.is_set():
            async with database.transaction() as connection:
                for query in (_LIVES, _COMMIT, _BEGIN, _FRAMES):
                    await connection.execute(query, _NUMBERS)
                found = await connection.execute(
                    "select id, frames_done from export_jobs where name like 'Under way %'"
                )
                await record_progress(connection, [_told(row) for row in await found.fetchall()])
            begun.set()
            due_s = max(due_s + _EVERY_S, time.monotonic())
            await asyncio.sleep(due_s - time.monotonic())


def _told(row: dict[str, Any]) -> ExportProgress:
    frames = min(row["frames_done"] + int(_FRAMES_PER_S * _EVERY_S), FRAMES - 1)
    left = FRAMES - frames
    return ExportProgress(
        export_id=row["id"],
        frames=frames,
        progress=0.99 * frames / FRAMES,
        fps=_FRAMES_PER_S - frames % 5,
        eta_s=left / _FRAMES_PER_S,
    )
