-- name: count_pending
-- How many previews a user waits for.
select count(*) as count from previews where user_id = %(user_id)s and status = 'pending';

-- name: insert_preview
-- Note that a preview is wanted.
insert into previews (id, user_id, spec, expires_at)
values (%(id)s, %(user_id)s, %(spec)s, now() + make_interval(secs => %(kept_s)s));

-- name: get_preview
-- One preview of a user's, as long as it can be had.
select * from previews where id = %(id)s and user_id = %(user_id)s and expires_at > now();
