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
