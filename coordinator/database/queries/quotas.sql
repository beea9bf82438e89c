-- name: lock_user
-- Requests of one user that make something come one after the other, until each has ended.
select pg_advisory_xact_lock(hashtext('midifarm quota'), hashtext(%(user_id)s));

-- name: count_unfinished
-- Exports of a user's that have not ended, with what was said for him.
select e.count, q.running, q.queued, q.stored_bytes
from (
    select count(*) as count from export_jobs
    where user_id = %(user_id)s and deleted_at is null
        and status in ('queued', 'rendering', 'uploading')
) e
left join quotas q on q.user_id = %(user_id)s;

-- name: stored_bytes
-- What a user has stored, in all.
select asset_bytes + video_bytes as bytes from user_storage where user_id = %(user_id)s;

-- name: get_quota
-- What was said for one user.
select * from quotas where user_id = %(user_id)s;

-- name: list_quotas
-- What was said for users.
select * from quotas order by user_id limit %(limit)s offset %(offset)s;

-- name: set_quota
-- Say what a user may have.
insert into quotas (user_id, running, queued, stored_bytes)
values (%(user_id)s, %(running)s, %(queued)s, %(stored_bytes)s)
on conflict (user_id) do update set running = excluded.running, queued = excluded.queued,
    stored_bytes = excluded.stored_bytes, updated_at = now()
returning *;

-- name: drop_quota
-- Let a user have what the settings say.
delete from quotas where user_id = %(user_id)s;

-- name: running_limits
-- How much of a user's work may be under way, where that was said.
select user_id, running from quotas where running is not null;
