"""A service with a long history, made in SQL: exports of many users by the million.

One user has a third of them, the others ever fewer. What they were asked for with, configurations
and intakes, is that of a few exports that the API has accepted, stored once more for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

Connection = psycopg.Connection[dict[str, Any]]

USERS: Final = 200
COMPOSITIONS: Final = 10
"""Of each user."""
BUSY_USER: Final = "user 1"
"""Who has a third of the history."""
_COMPOSITIONS: Final = """
with users as (
    select 'user ' || number as id, 'ast_' || number as asset, %(compositions)s as compositions
    from generate_series(1, %(users)s) number
    union all
    select 'batch ' || number, 'ast_b' || number, 10000 from generate_series(1, %(batches)s) number
), uploaded as (
    insert into assets (id, user_id, kind, name, sha256, size_bytes, status, facts)
    select u.asset, u.id, a.kind, a.name, a.sha256, a.size_bytes, 'ready', '{"notes": 4}'
    from assets a, users u where a.user_id = 'template'
), composed as (
    insert into compositions (id, user_id, name)
    select 'cmp_' || u.id || '_' || number, u.id, 'Song ' || number
    from users u, generate_series(0, u.compositions - 1) number
)
insert into composition_revisions (composition_id, revision, document)
select 'cmp_' || u.id || '_' || number, 1, jsonb_set(r.document, '{midi}', to_jsonb(u.asset))
from users u, generate_series(0, u.compositions - 1) number, composition_revisions r
join compositions c on c.id = r.composition_id and c.user_id = 'template'
"""
_TEMPLATES: Final = """
create temporary table templates as
select (row_number() over (order by created_at))::int - 1 as number, config, intake
from export_jobs where user_id = 'template'
"""
_ENDED: Final = """
insert into export_jobs (id, user_id, composition_id, composition_revision, config, name, intake,
    batch_id, status, stage, progress, error_message, file_size, duration_seconds, sha256,
    download_url, engine, plan, frames, frames_committed, frames_done, chunks, chunks_done, fps,
    created_at, started_at, updated_at, completed_at, expires_at, expired_at, archived_at,
    cleaned_at)
select 'exp_' || left(md5('ended' || n), 26), u.user_id, 'cmp_' || u.user_id || '_' || n %% 10, 1,
    t.config, 'Song - ' || n, t.intake, case when b.is_batch then 'bat_' || b.number end,
    s.status, s.status::text, case when s.status = 'completed' then 1 else 0.5 end,
    case when s.status = 'failed' then 'The recording cannot be decoded.' end,
    d.size, d.seconds, d.sha256,
    case when d.size is not null and a.ended_at > now() - interval '30 day'
        then 'exports/' || left(d.sha256, 2) || '/' || d.sha256 || '.mp4' end,
    '0123456789abcdef', case when n <= 100000 then t.intake end, 5400, 5400, 5400, 12, 12, 60,
    a.at, a.at + interval '1 minute', a.ended_at, a.ended_at,
    case when d.size is not null then a.ended_at + interval '30 day' end,
    case when d.size is not null and a.ended_at <= now() - interval '30 day'
        then a.ended_at + interval '30 day' end,
    case when a.at < now() - interval '7 day' then a.at + interval '7 day' end,
    case when d.size is null then a.ended_at end
from generate_series(1, %(exports)s) n
cross join lateral (
    select (n - 1) / 1000 as number, (n - 1) / 1000 %% 10 = 3 as is_batch) b
cross join lateral (
    select 'user ' || case
        when b.is_batch then 1 + b.number / 10 %% 20
        when n %% 100 < 32 then 1
        -- The square root of what is evenly spread: the first have many, the last few.
        else 2 + floor((%(users)s - 1) * power(
            (hashint4(n) & 1073741823) / 1073741824.0, 2)) end as user_id) u
cross join lateral (
    select case when n %% 97 < 4 then 'failed' when n %% 97 < 7 then 'cancelled'
        else 'completed' end::export_status as status) s
cross join lateral (
    select case when b.is_batch
        then now() - b.number * 1000 * %(days)s * interval '1 day' / %(exports)s
            + (1000 - n %% 1000) * interval '1 microsecond'
        else now() - n * %(days)s * interval '1 day' / %(exports)s end as at) c
cross join lateral (select c.at, c.at + interval '10 minute' as ended_at) a
cross join lateral (
    select case when s.status = 'completed' then 20000000 + n end as size,
        case when s.status = 'completed' then 180.0 end as seconds,
        case when s.status = 'completed' then md5('a' || n) || md5('b' || n) end as sha256) d
join templates t on t.number = n %% (select count(*) from templates)
"""
_BATCHES: Final = """
insert into batches (id, user_id, name, created_at)
select batch_id, min(user_id), 'Album', min(created_at) from export_jobs
where batch_id like 'bat\\_%' group by batch_id on conflict do nothing
"""
_QUEUED: Final = """
insert into export_jobs (id, user_id, composition_id, composition_revision, config, name, intake,
    created_at)
select 'exp_' || left(md5('queued' || n), 26), 'user ' || u.number,
    'cmp_user ' || u.number || '_' || n %% 10, 1, t.config, 'Queued ' || n, t.intake,
    now() - n * interval '100 millisecond'
from generate_series(1, %(queued)s) n
cross join lateral (select 1 + n %% %(users)s as number) u
join templates t on t.number = n %% (select count(*) from templates)
"""
_ITEMS: Final = """
insert into work_items (kind, export_id, user_id, queued_at, spec, status, report, content_key,
    position, chunk_index, start_frame, stop_frame, ended_at)
select p.kind, e.id, e.user_id, e.created_at,
    case when p.kind = 'chunk' then null when p.kind = 'intake' then e.intake else '{}' end,
    case when e.completed_at is null then 'ready' else 'done' end::item_status,
    case when e.completed_at is not null then e.intake end,
    case when p.kind <> 'intake' then p.kind::text || '/' || md5(e.id || p.position) end,
    p.position, p.chunk, p.chunk * 450, p.chunk * 450 + 450, e.completed_at
from export_jobs e
join lateral (
    select 0 as position, 'intake'::item_kind as kind, null::int as chunk
    union all
    select 1 + n, 'chunk', n from generate_series(0, 11) n where e.completed_at is not null
    union all
    select 13, 'stitch', null where e.completed_at is not null
) p on true
where e.archived_at is null and e.status in ('queued', 'completed')
    and e.user_id <> 'template'
"""
_ATTEMPTS: Final = """
insert into attempts (item_id, number, epoch, worker, node, started_at, ended_at, outcome)
select id, 1, 1, 'node:1', 'node', queued_at, ended_at, 'committed'
from work_items where status = 'done'
"""
_EVENTS: Final = """
insert into events (export_id, user_id, batch_id, passing, created_at, data)
select e.id, e.user_id, e.batch_id, false, e.created_at + n * interval '1 minute',
    jsonb_build_object('id', e.id, 'name', e.name, 'batch_id', e.batch_id, 'status', e.status,
        'stage', e.stage, 'progress', e.progress, 'reason', e.reason,
        'frames_done', e.frames_done, 'frames', e.frames, 'fps', e.fps, 'eta_s', e.eta_s,
        'chunks_done', e.chunks_done, 'chunks', e.chunks, 'error_message', e.error_message,
        'updated_at', e.updated_at)
from export_jobs e, generate_series(0, case when e.status = 'queued' then 0 else 4 end) n
where e.created_at > now() - interval '30 day'
"""
_STORAGE: Final = """
insert into user_storage (user_id, videos, video_bytes)
select user_id, count(*), sum(file_size) from export_jobs e where has_video(e) group by user_id
on conflict (user_id) do nothing
"""
_INDEXES: Final = """
select i.indexname, i.indexdef from pg_indexes i
where i.schemaname = 'public' and i.tablename = 'export_jobs'
    and not exists (select from pg_constraint c where c.conname = i.indexname)
"""


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """A connection that may take its time."""
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def is_filled(connection: Connection) -> bool:
    """Whether the history is there already."""
    return bool(connection.execute("select from batches where id like 'bat\\_3'").rowcount)


def fill(
    connection: Connection, *, exports: int, queued: int, batches: int, days: int = 365
) -> None:
    """Make the history, like the exports of the user ``template``.

    Args:
        connection: To a database with our tables.
        exports: Those that have ended.
        queued: Those that have not begun.
        batches: Users with 10,000 compositions each, and without exports.
        days: Over how many days they were accepted; videos are kept for 30.
    """
    numbers = {
        "exports": exports,
        "queued": queued,
        "batches": batches,
        "days": days,
        "users": USERS,
        "compositions": COMPOSITIONS,
    }
    with connection.transaction():
        connection.execute("set local maintenance_work_mem = '512MB'")
        # Rows are made whole, so that neither triggers nor references are looked at for each.
        connection.execute("set local session_replication_role = replica")
        connection.execute(_TEMPLATES)
        connection.execute(_COMPOSITIONS, numbers)
        indexes = connection.execute(_INDEXES).fetchall()
        for index in indexes:
            connection.execute(sql.SQL("drop index {}").format(sql.Identifier(index["indexname"])))
        connection.execute(_ENDED, numbers)
        connection.execute(_QUEUED, numbers)
        for index in indexes:
            connection.execute(index["indexdef"])
        connection.execute(_BATCHES)
        connection.execute(_ITEMS)
        connection.execute(_ATTEMPTS)
        connection.execute(_EVENTS)
        connection.execute(_STORAGE)
    connection.execute("vacuum analyze")


def drop_batches(connection: Connection) -> None:
    """Forget what earlier runs have queued in large batches: it counts against quotas."""
    connection.execute("set session_replication_role = replica")
    for table in ("work_items", "events", "export_jobs"):
        query = sql.SQL("delete from {} where user_id like 'batch %'")
        connection.execute(query.format(sql.Identifier(table)))
        connection.execute(sql.SQL("vacuum {}").format(sql.Identifier(table)))
    connection.execute("reset session_replication_role")
    connection.execute("checkpoint")
