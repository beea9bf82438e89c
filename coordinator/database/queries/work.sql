-- name: waiting
-- The first work items of those users whose turn it is in a pool, in each user's own order. What is
-- being made for somebody else at this moment is left out: it will be found. Users are found by
-- leaps through the index, one step for each and none for what waits behind their first items.
with recursive users as (
    (select user_id from work_items
    where pool = %(pool)s and status = 'ready' and not held order by user_id limit 1)
    union all
    select (
        select i.user_id from work_items i
        where i.pool = %(pool)s and i.status = 'ready' and not i.held and i.user_id > u.user_id
        order by i.user_id limit 1)
    from users u where u.user_id is not null
), turns as (
    -- As dispatcher.choosing orders them by their first items: nobody behind can be chosen.
    select u.user_id, coalesce(k.busy, 0) as busy, coalesce(k.room, %(others_room)s) as room,
        count(*) over () as users
    from users u
    left join unnest(%(users)s::text[], %(busy)s::bigint[], %(served)s::bigint[],
        %(rooms)s::bigint[]) as k (user_id, busy, served, room) on k.user_id = u.user_id
    cross join lateral (
        select i.rank, i.priority, i.queued_at from work_items i
        where i.pool = %(pool)s and i.user_id = u.user_id and i.status = 'ready' and not i.held
            and i.not_before <= now() and i.kind <> 'preview'
            and (i.engine is null or i.engine = any (%(engines)s::uuid[]))
            and (i.content_key is null or not exists (
                select from work_items other
                where other.content_key = i.content_key and other.status = 'running'))
        order by i.rank, i.priority desc, i.queued_at, i.export_id, i.position
        limit 1
    ) head
    where u.user_id is not null
        -- Probes go by no quota.
        and (head.rank = 0 or coalesce(k.room, %(others_room)s) > 0)
    order by head.rank, head.priority desc, coalesce(k.busy, 0), coalesce(k.served, 0),
        head.queued_at
    limit %(limit)s
)
select w.id, w.kind, w.user_id, w.export_id, w.asset_id, w.preview_id, w.rank, w.priority,
    w.queued_at, w.position, w.chunk_index, w.content_key, w.pool, w.engine, w.waited_s,
    a.object_key as found_key
from turns u
cross join lateral (
    select i.id, i.kind, i.user_id, i.export_id, i.asset_id, i.preview_id, i.rank, i.priority,
        i.queued_at, i.position, i.chunk_index, i.content_key, i.pool, i.engine,
        extract(epoch from now() - i.not_before)::float8 as waited_s,
        row_number() over (
            order by i.rank, i.priority desc, i.queued_at, i.export_id, i.position) as place
    from work_items i
    where i.pool = %(pool)s and i.user_id = u.user_id and i.status = 'ready' and not i.held
        and i.not_before <= now() and i.kind <> 'preview'
        and (i.engine is null or i.engine = any (%(engines)s::uuid[]))
        and (i.content_key is null or not exists (
            select from work_items other
            where other.content_key = i.content_key and other.status = 'running'))
    order by i.rank, i.priority desc, i.queued_at, i.export_id, i.position
    -- Where there are many users, each gets some of the room; what is left is for the next look.
    limit least(%(limit)s, 8 + 2 * %(limit)s / u.users)
) w
left join artifacts a on a.content_key = w.content_key
where w.rank = 0 or w.place <= u.room
-- In the order in which they will be chosen: whoever has something chosen has more under way.
order by w.rank, w.priority desc, u.busy + w.place
fetch first %(limit)s rows with ties;

-- name: waiting_previews
-- Previews that somebody waits for, but for what is being made for somebody else at this moment.
select i.id, i.kind, i.user_id, i.export_id, i.asset_id, i.preview_id, i.rank, i.priority,
    i.queued_at, i.position, i.chunk_index, i.content_key, i.pool, i.engine,
    extract(epoch from now() - i.not_before)::float8 as waited_s, a.object_key as found_key
from work_items i left join artifacts a on a.content_key = i.content_key
where i.kind = 'preview' and i.status = 'ready' and i.not_before <= now()
    and not exists (
        select from work_items other
        where other.content_key = i.content_key and other.status = 'running')
order by i.id limit 100;

-- name: item_spec
-- What the worker is told, unless it is a chunk.
select spec from work_items where id = %(id)s;

-- name: export_plan
-- The plan of an export.
select plan, intake, config, name, start_s, end_s, shared_frames from export_jobs where id = %(id)s;

-- name: exports_under_way
-- How far exports are.
select id, status, frames, frames_committed, frames_done, chunks, chunks_done
from export_jobs where id = any (%(ids)s);

-- name: wanted_attempts
-- Those of the given attempts whose result is still wanted, and whether their export is paused.
select a.id, w.held from attempts a join work_items w on w.id = a.item_id
where a.id = any (%(ids)s) and a.outcome is null and w.status = 'running';
