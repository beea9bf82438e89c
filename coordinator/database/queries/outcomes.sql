-- name: list_throughput
-- What was done in each of the last minutes, the one that is going on included; those in which
-- nothing ended, too. Exports are archived days after their end, and found in an index until then.
with tries as (
    select date_trunc('minute', a.ended_at) as at,
        sum(w.stop_frame - w.start_frame) filter (where a.outcome = 'committed') as frames,
        count(*) filter (where a.outcome = 'committed' and w.kind = 'chunk') as chunks,
        count(*) filter (where a.outcome = 'failed') as failed,
        count(*) filter (where a.outcome = 'lost') as lost
    from attempts a
    -- One by one: all work items there are need not be read for those of an hour.
    cross join lateral (
        select kind, start_frame, stop_frame from work_items where id = a.item_id limit 1) w
    where a.ended_at >= date_trunc('minute', now()) - make_interval(mins => %(minutes)s - 1)
    group by 1
), ends as (
    select date_trunc('minute', completed_at) as at,
        count(*) filter (where status = 'completed') as completed,
        count(*) filter (where status = 'failed') as failed
    from export_jobs
    where completed_at >= date_trunc('minute', now()) - make_interval(mins => %(minutes)s - 1)
        and archived_at is null
    group by 1
)
select at, coalesce(t.frames, 0) as frames, coalesce(t.chunks, 0) as chunks,
    coalesce(e.completed, 0) as exports_completed, coalesce(e.failed, 0) as exports_failed,
    coalesce(t.failed, 0) as attempts_failed, coalesce(t.lost, 0) as attempts_lost
from generate_series(
    date_trunc('minute', now()) - make_interval(mins => %(minutes)s - 1),
    date_trunc('minute', now()), interval '1 minute') as minutes (at)
left join tries t using (at) left join ends e using (at)
order by at;

-- name: list_failures
-- What failed or was lost lately, newest first.
select a.id as attempt_id, w.kind, w.export_id, e.name as export_name, w.chunk_index, w.user_id,
    a.number, a.node, a.worker, a.started_at, a.ended_at, a.outcome, a.error_kind,
    a.error_message,
    a.outcome is not null and coalesce(a.log, a.wall_s::text) is not null as has_log
from attempts a
join work_items w on w.id = a.item_id
left join export_jobs e on e.id = w.export_id
where a.ended_at >= now() - make_interval(mins => %(minutes)s)
    and a.outcome in ('failed', 'lost')
order by a.ended_at desc, a.id desc limit %(limit)s;

-- name: count_by_node
-- How attempts ended lately on each node, on those that live and those that are gone.
with tries as (
    select node as id, count(*) filter (where outcome = 'committed') as committed,
        count(*) filter (where outcome = 'failed') as failed,
        count(*) filter (where outcome = 'lost') as lost
    from attempts
    where ended_at >= now() - make_interval(mins => %(minutes)s) and node is not null
    group by node
)
select id, n.name, coalesce(t.committed, 0) as committed, coalesce(t.failed, 0) as failed,
    coalesce(t.lost, 0) as lost, n.set_aside_until
from nodes n full join tries t using (id)
order by n.name, id;

-- name: get_log
-- What a worker said at last in an attempt.
select log from attempts where id = %(id)s;
