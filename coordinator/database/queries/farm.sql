-- name: orders
-- What operators want of the dispatcher.
select paused_at is not null as is_paused,
    array(select id from nodes where draining_at is not null or is_leaving) as draining
from dispatcher;

-- name: note_nodes
-- Which nodes live, and which of them are set aside for how long. Those that were seen a moment ago
-- and have not changed are left as they are.
insert into nodes as n (id, name, cpus, gpus, slots, pools, engine, renderer, kept_out, is_leaving,
    set_aside_until)
select id, name, cpus, gpus, slots, array(select jsonb_array_elements_text(pools)), engine, renderer,
    kept_out, is_leaving, now() + make_interval(secs => rest_s)
from jsonb_to_recordset(%(nodes)s::jsonb) as seen (id text, name text, cpus float8, gpus float8,
    slots int, pools jsonb, engine text, renderer text, kept_out text, is_leaving bool, rest_s float8)
on conflict (id) do update
set name = excluded.name, cpus = excluded.cpus, gpus = excluded.gpus, slots = excluded.slots,
    pools = excluded.pools, engine = excluded.engine, renderer = excluded.renderer,
    kept_out = excluded.kept_out, is_leaving = excluded.is_leaving,
    set_aside_until = excluded.set_aside_until, seen_at = now()
where n.seen_at < now() - interval '5 s'
    or (n.name, n.cpus, n.gpus, n.slots, n.pools, n.engine, n.renderer, n.kept_out, n.is_leaving,
        n.set_aside_until is null) is distinct from
        (excluded.name, excluded.cpus, excluded.gpus, excluded.slots, excluded.pools,
        excluded.engine, excluded.renderer, excluded.kept_out, excluded.is_leaving,
        excluded.set_aside_until is null);

-- name: note_pools
-- Which pools are served, and by how many slots.
insert into pools as p (name, slots)
select name, slots from unnest(%(names)s::text[], %(slots)s::int[]) as seen (name, slots)
on conflict (name) do update set slots = excluded.slots, seen_at = now()
where p.slots <> excluded.slots or p.seen_at < now() - interval '60 s';

-- name: forget_pools
-- Pools that no node serves any more have no slots.
update pools set slots = 0 where slots > 0 and not name = any (%(names)s::text[]);

-- name: forget_nodes
-- Nodes that are gone.
delete from nodes where seen_at < now() - make_interval(secs => %(gone_s)s);

-- name: note_places
-- Where attempts run, and how far they are.
update attempts a set node = p.node, worker = coalesce(p.worker, a.worker), frames = p.frames,
    wall_s = p.wall_s
from unnest(%(ids)s::bigint[], %(nodes)s::text[], %(workers)s::text[], %(frames)s::int[],
    %(walls_s)s::float8[]) as p (id, node, worker, frames, wall_s)
where a.id = p.id and a.outcome is null;

-- name: get_dispatcher
-- Who leads, how long ago it gave a sign of life, and whether anything may begin.
select leader, since, slots, paused_at, paused_by, pause_reason, quota_running,
    extract(epoch from now() - heartbeat_at)::float8 as silent_s
from dispatcher;

-- name: list_nodes
-- The living nodes, each with how many attempts it is at.
select n.*, (
        select count(*) from attempts a where a.outcome is null and a.node = n.id) as running
from nodes n order by n.name, n.id;

-- name: list_running
-- What runs where.
select a.id as attempt_id, w.kind, w.export_id, e.name as export_name, w.chunk_index, w.user_id,
    a.node, a.worker, a.started_at, a.frames, w.stop_frame - w.start_frame as frames_total
from attempts a
join work_items w on w.id = a.item_id
left join export_jobs e on e.id = w.export_id
where a.outcome is null order by a.id limit %(limit)s;

-- name: list_users
-- What waits and runs by user.
with parts as (
    -- Each by its own index, which what is done is not in.
    select user_id, count(*) as ready, 0 as held, 0 as running, max(priority) as priority
    from work_items where status = 'ready' and not held group by user_id
    union all
    select user_id, 0, count(*), 0, null
    from work_items where status = 'ready' and held group by user_id
    union all
    select user_id, 0, 0, count(*), null
    from work_items where status = 'running' group by user_id
), items as (
    select user_id, sum(ready)::bigint as ready, sum(held)::bigint as held,
        sum(running)::bigint as running, max(priority) as priority
    from parts group by user_id
), jobs as (
    select user_id,
        count(*) filter (where status = 'queued') as exports_queued,
        count(*) filter (where status <> 'queued') as exports_rendering
    from export_jobs where status in ('queued', 'rendering', 'uploading') group by user_id
)
select user_id, coalesce(i.ready, 0) as ready, coalesce(i.held, 0) as held,
    coalesce(i.running, 0) as running, i.priority,
    coalesce(j.exports_queued, 0) as exports_queued,
    coalesce(j.exports_rendering, 0) as exports_rendering
from items i full join jobs j using (user_id)
order by i.priority desc nulls last, i.running desc nulls last, user_id limit %(limit)s;

-- name: pause
-- Nothing begins from here on: whoever claims a work item holds a lock on this row.
update dispatcher set
    paused_by = case when paused_at is null then %(user_id)s else paused_by end,
    pause_reason = case when paused_at is null then %(reason)s
        else coalesce(%(reason)s, pause_reason) end,
    paused_at = coalesce(paused_at, now());

-- name: resume
-- Work begins again.
update dispatcher set paused_at = null, paused_by = null, pause_reason = null;

-- name: drain
-- A node gets nothing more, or something again.
update nodes set draining_at = case when %(draining)s then coalesce(draining_at, now()) end
where id = %(id)s;

-- name: wake_dispatcher
-- Have the dispatcher look what it may begin.
select pg_notify('midifarm_work', '');

-- name: get_user
-- What a user has queued, under way and stored.
select count(*) filter (where e.status = 'queued') as exports_queued,
    count(*) filter (where e.status = 'rendering') as exports_rendering,
    count(*) filter (where e.status = 'uploading') as exports_uploading,
    (select count(*) from work_items w
        where w.user_id = %(user_id)s and w.status = 'running' and w.rank > 0) as running,
    coalesce(max(s.assets), 0) as assets, coalesce(max(s.asset_bytes), 0) as asset_bytes,
    coalesce(max(s.videos), 0) as videos, coalesce(max(s.video_bytes), 0) as video_bytes
from (select %(user_id)s::text as user_id) u
left join user_storage s on s.user_id = u.user_id
left join export_jobs e on e.user_id = u.user_id and e.deleted_at is null
    and e.status in ('queued', 'rendering', 'uploading');

-- name: get_waiting
-- What an export may be waiting for. Who waits is counted up to a thousand.
with recursive users as (
    (select user_id from work_items
    where pool = (select pool from export_jobs where id = %(id)s) and status = 'ready' and not held
    order by user_id limit 1)
    union all
    select (
        select i.user_id from work_items i
        where i.pool = (select pool from export_jobs where id = %(id)s)
            and i.status = 'ready' and not i.held and i.user_id > u.user_id
        order by i.user_id limit 1)
    from users u where u.user_id is not null
), firsts as (
    -- The first work item of each other user in the same pool.
    select i.priority
    from (select user_id from users
        where user_id <> (select user_id from export_jobs where id = %(id)s) limit 1000) u
    cross join lateral (
        select priority from work_items
        where pool = (select pool from export_jobs where id = %(id)s) and user_id = u.user_id
            and status = 'ready' and not held and rank > 0
        order by rank, priority desc limit 1) i
)
select e.id, e.status, e.priority, e.paused_at is not null as is_paused,
    d.paused_at is not null as farm_is_paused, d.pause_reason, e.pool,
    coalesce(p.slots, 0) as pool_slots, nodes.*,
    first.engine is not null and not exists (
        select from nodes n where e.pool = any (n.pools) and md5(n.engine)::uuid = first.engine
            and n.kept_out is null and n.draining_at is null and not n.is_leaving) as is_stranded,
    d.leader is not null as has_leader,
    extract(epoch from now() - d.heartbeat_at)::float8 as silent_s,
    coalesce(q.running, d.quota_running) as quota_running,
    (select count(*) from work_items w
        where w.user_id = e.user_id and w.status = 'running' and w.rank > 0) as user_running,
    (select count(*) from attempts a join work_items w on w.id = a.item_id
        where w.export_id = e.id and a.outcome is null) as attempts,
    first.not_before,
    coalesce(first.not_before > now(), false) as is_resting,
    coalesce(first.made_elsewhere, false) as is_made_elsewhere,
    (select count(*) from (
        select distinct w.export_id from work_items w
        where w.pool = e.pool and w.user_id = e.user_id and w.status = 'ready' and not w.held
            and w.rank > 0 and w.export_id <> e.id
            and (w.priority > e.priority
                or w.priority = e.priority and (w.queued_at, w.export_id) < (e.created_at, e.id))
        limit 1000) ahead) as own_ahead,
    (select count(*) from firsts) as users_waiting,
    (select count(*) from firsts where priority > e.priority) as users_ahead
from export_jobs e
cross join dispatcher d
left join pools p on p.name = e.pool
left join quotas q on q.user_id = e.user_id
cross join lateral (
    -- The head of a cluster and the dispatcher's own node offer nothing, and never say what they are.
    select count(*) filter (where serves) as nodes_there,
        count(*) filter (where serves and is_closed) as nodes_draining,
        count(*) filter (where serves and not is_closed and kept_out is not null)
            as nodes_kept_out,
        count(*) filter (where says_nothing and kept_out is null) as nodes_starting,
        count(*) filter (where says_nothing and kept_out is not null) as nodes_silent
    from (select e.pool = any (pools) as serves, draining_at is not null or is_leaving as is_closed,
            engine is null and (cpus > 0 or gpus > 0) as says_nothing, kept_out
        -- Those that are gone are forgotten later; until then they are not there all the same.
        from nodes where seen_at > now() - interval '15 s') n) nodes
left join lateral (
    select w.not_before, w.engine, w.content_key is not null and exists (
            select from work_items other
            where other.content_key = w.content_key and other.status = 'running')
        as made_elsewhere
    from work_items w
    where w.export_id = e.id and w.status = 'ready'
    -- What can begin first; only if nothing can, what hinders the others.
    order by w.not_before > now(), made_elsewhere, w.position limit 1) first on true
where e.id = %(id)s and (%(user_id)s::text is null or e.user_id = %(user_id)s)
    and e.deleted_at is null;
