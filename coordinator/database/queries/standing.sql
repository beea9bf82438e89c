-- name: exports
-- Exports that have not ended, by status.
select status, count(*) as count from export_jobs
where status in ('queued', 'rendering', 'uploading') group by status;

-- name: queue
-- What waits and why it does, by kind and by pool. Those of users who have as much under way as they
-- may are limited; probes and previews never are.
with running as (
    select user_id, count(*) filter (where rank > 0) as count
    from work_items where status = 'running' group by user_id
), waiting as (
    -- Each by its own index, which what is done is not in.
    select user_id, kind, pool, rank, false as held, not_before
    from work_items where status = 'ready' and not held
    union all
    select user_id, kind, pool, rank, true, not_before
    from work_items where status = 'ready' and held
), told as (
    select w.kind, w.pool, w.not_before,
        case
            when w.held then 'held'
            when w.not_before > now() then 'resting'
            when w.rank > 0 and coalesce(r.count, 0)
                >= coalesce(q.running, %(quota_running)s, 2147483647) then 'limited'
            else 'ready'
        end as state
    from waiting w
    left join running r on r.user_id = w.user_id
    left join quotas q on q.user_id = w.user_id
)
select kind, pool, state, count(*) as count,
    extract(epoch from now() - min(not_before))::float8 as oldest_s
from told group by grouping sets ((kind, state), (pool, state));

-- name: users
-- How many users wait or have something running, and what the one with the most has of it.
with waiting as (
    select count(*) as count from work_items where status = 'ready' and not held group by user_id
), running as (
    select count(*) as count from work_items where status = 'running' group by user_id
)
select 'waiting' as state, count(*) as users, coalesce(sum(count), 0)::bigint as items,
    coalesce(max(count), 0) as most
from waiting
union all
select 'running', count(*), coalesce(sum(count), 0)::bigint, coalesce(max(count), 0) from running;

-- name: ended
-- Exports that have ended in a stretch of time, which is over for some seconds: who ended one noted
-- the time at the beginning of the transaction. Archived ones ended days ago.
select status, count(*) as count, coalesce(sum(chunks_done), 0)::bigint as chunks,
    coalesce(sum(chunks_cached), 0)::bigint as chunks_found
from export_jobs
where completed_at >= %(since)s and completed_at < %(until)s and archived_at is null
group by status;

-- name: list_ended
-- The same exports one by one, for traces.
select id, status, batch_id, pool, frames, chunks, chunks_cached, renderings, error_message, created_at,
    completed_at
from export_jobs
where completed_at >= %(since)s and completed_at < %(until)s and archived_at is null;

-- name: settled
-- The end of the stretch of time of which all is known.
select now() - make_interval(secs => %(settle_s)s) as at;

-- name: stored_bytes
-- What users have stored, in all.
select coalesce(sum(asset_bytes), 0)::bigint as uploads,
    coalesce(sum(video_bytes), 0)::bigint as videos
from user_storage;
