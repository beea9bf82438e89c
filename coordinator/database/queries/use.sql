-- name: list_use
-- What the work of a stretch of days took, added up by what is asked for: the one with the most
-- before, days in their order. What pools have no price costs nothing.
with priced (pool, price) as (
    select * from unnest(%(pools)s::text[], %(prices)s::float8[])
), used as (
    select case %(by)s
            when 'day' then u.day::text
            when 'user' then u.user_id
            when 'batch' then u.batch_id
            when 'export' then u.export_id
            when 'pool' then u.pool
            when 'kind' then u.kind::text
        end as about,
        sum(u.attempts)::bigint as attempts,
        sum(u.slot_s) as slot_s,
        coalesce(sum(u.slot_s) filter (where u.spent_on = 'useful'), 0) as useful_s,
        coalesce(sum(u.slot_s) filter (where u.spent_on = 'failed'), 0) as failed_s,
        coalesce(sum(u.slot_s) filter (where u.spent_on = 'duplicate'), 0) as duplicate_s,
        coalesce(sum(u.slot_s) filter (where u.spent_on = 'lost'), 0) as lost_s,
        coalesce(sum(u.slot_s) filter (where u.spent_on = 'cancelled'), 0) as cancelled_s,
        coalesce(sum(u.frames) filter (where u.spent_on = 'useful'), 0)::bigint as frames,
        coalesce(sum(u.frames) filter (where u.spent_on <> 'useful'), 0)::bigint as frames_wasted,
        sum(u.frames_found)::bigint as frames_found,
        sum(u.stored_bytes)::bigint as stored_bytes,
        sum(u.slot_s / 3600 * coalesce(p.price, 0)) as cost
    from farm_use u left join priced p on p.pool = u.pool
    where (%(user_id)s::text is null or u.user_id = %(user_id)s)
        and (%(export_id)s::text is null or u.export_id = %(export_id)s)
        and (%(batch_id)s::text is null or u.batch_id = %(batch_id)s)
        and u.day between %(first_day)s::date and %(last_day)s::date
    group by 1
    order by case %(by)s when 'day' then min(u.day) end, slot_s desc, 1
    limit %(limit)s offset %(offset)s
)
select used.*,
    case %(by)s
        when 'export' then (select name from export_jobs where id = used.about)
        when 'batch' then (select name from batches where id = used.about)
    end as name
from used
order by case %(by)s when 'day' then about end, slot_s desc, about;

-- name: add_found
-- Frames of an export that were found and not drawn.
insert into farm_use as u (day, user_id, batch_id, export_id, pool, kind, spent_on, frames_found)
select (now() at time zone 'UTC')::date, user_id, batch_id, id, pool, 'chunk', 'useful', %(frames)s
from export_jobs where id = %(id)s
on conflict on constraint farm_use_once do update
set frames_found = u.frames_found + excluded.frames_found;

-- name: slot_seconds
-- What attempts of today took, by what it was spent on; for an hour after midnight also those of
-- yesterday, until the last transaction that began before it has ended.
select day, spent_on, sum(slot_s) as slot_s from farm_use
where day >= ((now() - interval '1 hour') at time zone 'UTC')::date group by day, spent_on;

-- name: drop_old
-- What was used so long ago that nobody asks for it.
delete from farm_use where ctid in (
    select ctid from farm_use
    where day < (now() - make_interval(secs => %(keep_s)s))::date limit 20000);
