-- name: insert_batch
-- Note that exports are submitted together.
insert into batches (id, user_id, name) values (%(id)s, %(user_id)s, %(name)s);

-- name: list_batches
-- A page of a user's batches, newest first; the state of each is asked for by its id.
select id, name, created_at from batches
where user_id = %(user_id)s
    and (%(before_at)s::timestamptz is null
        or (created_at, id) < (%(before_at)s, %(before_id)s::text))
order by created_at desc, id desc limit %(limit)s offset %(offset)s;

-- name: results
-- The exports of a batch after one of them, in the order of the request, with what they led to.
select id, name, composition_id, composition_revision, config, status, error_message, file_size,
    duration_seconds, sha256, created_at, completed_at, expires_at, expired_at
from export_jobs
where batch_id = %(batch_id)s and user_id = %(user_id)s and deleted_at is null
    and (%(after_at)s::timestamptz is null
        or (created_at, id) > (%(after_at)s, %(after_id)s::text))
order by created_at, id limit %(limit)s;

-- name: states
-- How batches stand as a whole: the counts come from an index alone.
select b.id, b.name, b.created_at, now() as updated_at, coalesce(sum(s.count), 0)::int as total,
    coalesce(jsonb_object_agg(s.status, s.count) filter (where s.count > 0), '{}') as counts,
    coalesce((
        select sum(e.progress) from export_jobs e
        where e.batch_id = b.id and e.deleted_at is null
            and e.status in ('rendering', 'uploading')), 0) as under_way
from batches b
left join lateral (
    select e.status, count(*) as count from export_jobs e
    where e.batch_id = b.id and e.deleted_at is null group by e.status
) s on true
where b.user_id = %(user_id)s and b.id = any (%(ids)s)
group by b.id;
