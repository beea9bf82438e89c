-- name: served_pools
-- Pools that nodes serve, or have served a short while ago.
select name, slots from pools
where slots > 0 or seen_at > now() - make_interval(secs => %(within_s)s) order by name;

-- name: list_pools
-- Pools as operators see them: those that are served or were a short while ago, those that are
-- declared, and whatever work waits for. Pools with waiting work are found by leaps through the
-- index, one step for each.
with recursive waiting as (
    (select pool from work_items where status = 'ready' and not held order by pool limit 1)
    union all
    select (
        select i.pool from work_items i
        where i.status = 'ready' and not i.held and i.pool > w.pool order by i.pool limit 1)
    from waiting w where w.pool is not null
), known as (
    select name from pools
    where slots > 0 or seen_at > now() - make_interval(secs => %(within_s)s)
    union
    select unnest(%(declared)s::text[])
    union
    select pool from waiting where pool <> ''
), running as (
    select pool, count(*) as count from work_items where status = 'running' group by pool
)
select k.name, coalesce(p.slots, 0) as slots, p.seen_at,
    k.name = any (%(declared)s::text[]) as is_declared,
    (select count(*) from nodes n where k.name = any (n.pools)) as nodes,
    (select count(*) from work_items w
        where w.pool = k.name and w.status = 'ready' and not w.held) as waiting,
    coalesce(r.count, 0) as running
from known k left join pools p using (name) left join running r on r.pool = k.name
order by k.name limit %(limit)s;

-- name: demand
-- By pool, how many work items run, and how many could begin now if there were room; of each user no
-- more than he may have under way, and of each pool no more than is asked for. Users are found by
-- leaps through the index, and nothing is counted beyond what is wanted.
with recursive users as (
    (select pool, user_id from work_items
    where status = 'ready' and not held order by pool, user_id limit 1)
    union all
    select i.pool, i.user_id
    from users u cross join lateral (
        select pool, user_id from work_items
        where status = 'ready' and not held and (pool, user_id) > (u.pool, u.user_id)
        order by pool, user_id limit 1) i
), running as (
    select user_id, count(*) filter (where rank > 0) as count
    from work_items where status = 'running' group by user_id
), shares as (
    select u.pool, u.user_id,
        -- Probes go by no quota.
        case when u.pool = '' then %(most)s
            else least(%(most)s, coalesce(q.running, %(quota_running)s, %(most)s)
                - coalesce(r.count, 0))
        end as most
    from users u
    left join running r on r.user_id = u.user_id
    left join quotas q on q.user_id = u.user_id
)
select pool, count(*) as count
from work_items where status = 'running' and kind <> 'preview' group by pool
union all
select p.pool, i.count
from (select distinct pool from shares) p
cross join lateral (
    select count(*) as count from (
        select from shares s
        cross join lateral (
            select from work_items w
            where w.pool = s.pool and w.user_id = s.user_id and w.status = 'ready' and not w.held
                and w.not_before <= now() and w.kind <> 'preview'
            limit greatest(0, s.most)) w
        where s.pool = p.pool
        limit %(most)s) first) i
where not exists (select from dispatcher where paused_at is not null);
